/* Calls on memory.
 *
 * Owns: nothing; the mapping calls are mm's (process/mm.h); the rest checks that ranges are the guest's and passes them on.
 *
 * Threading: reentrant.
 */
#include "codecache/blocks.h"
#include "syscall/sys_int.h"
#include <string.h>
#include <sys/mman.h>

int64_t sys_brk(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_brk(a[0]);
}

int64_t sys_mmap(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mmap(a[0], a[1], a[2], a[3], a[4], a[5]);
}

int64_t sys_munmap(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_munmap(a[0], a[1]);
}

int64_t sys_mremap(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mremap(a[0], a[1], a[2], a[3], a[4]);
}

int64_t sys_mprotect(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mprotect(a[0], a[1], a[2]);
}

int64_t sys_pkey_mprotect(struct thread *t, const uint64_t *a)
{
    (void)t;
    return (int)a[3] == -1 ? mm_mprotect(a[0], a[1], a[2]) : -EINVAL;
}

int64_t sys_msync(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_msync(a[0], a[1], a[2]);
}

int64_t sys_mlock(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mlock(a[0], a[1], 0);
}

int64_t sys_mlock2(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mlock(a[0], a[1], a[2]);
}

int64_t sys_munlock(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_munlock(a[0], a[1]);
}

int64_t sys_mlockall(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mlockall(a[0]);
}

int64_t sys_munlockall(struct thread *t, const uint64_t *a)
{
    (void)t;
    (void)a;
    return mm_munlockall();
}

int64_t sys_mincore(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_mincore(a[0], a[1], a[2]);
}

int64_t sys_madvise(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_madvise(a[0], a[1], a[2]);
}

int64_t sys_shmat(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_shmat(a[0], a[1], a[2]);
}

int64_t sys_shmdt(struct thread *t, const uint64_t *a)
{
    (void)t;
    return mm_shmdt(a[0]);
}

int64_t sys_mbind(struct thread *t, const uint64_t *a)
{
    if (!mm_in_range(a[0], a[1]))
        return -EFAULT;
    return sig_syscall(t, SYS_mbind, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int64_t sys_set_mempolicy_home_node(struct thread *t, const uint64_t *a)
{
    if (!mm_in_range(a[0], a[1]))
        return -EINVAL;
    return sig_syscall(t, SYS_set_mempolicy_home_node, a[0], a[1], a[2], a[3], 0, 0);
}

#define VECTOR_MAX 1024 /* UIO_MAXIOV */

/* Copy in a vector of ranges of which every one must be the guest's, or else faults. */
static int64_t copy_ranges(struct iovec *iov, uint64_t addr, uint64_t n)
{
    if (n > VECTOR_MAX)
        return -EINVAL;
    if (n && mm_read(iov, addr, n * sizeof *iov))
        return -EFAULT;
    for (uint64_t i = 0; i < n; i++)
        if (!mm_in_range((uintptr_t)iov[i].iov_base, iov[i].iov_len))
            iov[i].iov_base = mm_g2h(SYS_BAD_PTR);
    return 0;
}

int64_t sys_process_vm_readv(struct thread *t, const uint64_t *a)
{
    struct iovec remote[VECTOR_MAX];
    int64_t err = copy_ranges(remote, a[3], a[4]);

    if (err)
        return err;
    return sig_syscall(t, SYS_process_vm_readv, a[0], a[1], a[2], (uintptr_t)remote, a[4], a[5]);
}

int64_t sys_process_vm_writev(struct thread *t, const uint64_t *a)
{
    struct iovec remote[VECTOR_MAX];
    int64_t err = copy_ranges(remote, a[3], a[4]);

    if (err)
        return err;
    if ((pid_t)a[0] == (pid_t)host_call(SYS_getpid, 0, 0, 0, 0, 0, 0))
        mm_prepare_write_iov(remote, a[4]);
    return sig_syscall(t, SYS_process_vm_writev, a[0], a[1], a[2], (uintptr_t)remote, a[4], a[5]);
}

int64_t sys_process_madvise(struct thread *t, const uint64_t *a)
{
    struct iovec ranges[VECTOR_MAX];
    int64_t err = copy_ranges(ranges, a[1], a[2]);

    if (err)
        return err;
    return sig_syscall(t, SYS_process_madvise, a[0], (uintptr_t)ranges, a[2], a[3], a[4], 0);
}

/* Only asked where pages are; moving them needs addresses, which are checked in a piece at a time. */
int64_t sys_move_pages(struct thread *t, const uint64_t *a)
{
    enum { PIECE = 256 };
    uint64_t pages[PIECE];
    uint64_t count = a[1];
    int64_t left = 0;

    if (count == 0)
        return sig_syscall(t, SYS_move_pages, a[0], 0, a[2], a[3], a[4], a[5]);
    if (count > SYS_RW_MAX / sizeof *pages)
        return -E2BIG;
    for (uint64_t i = 0; i < count; i += PIECE) {
        uint64_t n = count - i < PIECE ? count - i : PIECE;

        if (mm_read(pages, a[2] + i * sizeof *pages, n * sizeof *pages))
            return -EFAULT;
        for (uint64_t j = 0; j < n; j++)
            if (pages[j] >= GUEST_ADDR_END)
                pages[j] = 0;
        int64_t ret = sig_syscall(t, SYS_move_pages, a[0], n, (uintptr_t)pages,
                                  a[3] ? a[3] + i * sizeof(int) : 0, a[4] + i * sizeof(int), a[5]);
        if (ret < 0)
            return ret;
        left += ret;
    }
    return left;
}

/* The kernel flushes for the whole range at once, however it is given; an empty one means all. */
int64_t sys_riscv_flush_icache(struct thread *t, const uint64_t *a)
{
    (void)t;
    if (a[2] & ~UINT64_C(1))
        return -EINVAL;
    if (a[0] < a[1] && mm_in_range(a[0], a[1] - a[0]))
        cc_invalidate(a[0], a[1] - a[0]);
    else
        cc_invalidate(0, GUEST_ADDR_END);
    return 0;
}
