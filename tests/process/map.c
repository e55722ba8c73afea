/* tests/process/map: the mapping calls' rules, one by one; what tests/process/random does not reach:
 * placement, the ends of the guest's range, stacks, the heap, limits, shared memory, the text of the map.
 */
#include "process/mm.h"
#include "process/thread.h"
#include "tests/process/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE INT64_C(4096)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define END ((int64_t)GUEST_ADDR_END)

static unsigned code_changes;
static uint64_t changed_addr, changed_len;

static void on_code(uint64_t addr, uint64_t len)
{
    code_changes++;
    changed_addr = addr;
    changed_len = len;
}

static int64_t map(uint64_t addr, uint64_t len, int prot, int flags)
{
    return mm_mmap(addr, len, prot, flags, -1, 0);
}

/* The line of the map's text that holds addr; "" when there is none. */
static const char *line_at(uint64_t addr)
{
    static char found[300];
    size_t len;
    char *text = mm_maps_text(&len);
    unsigned long start, end;

    found[0] = 0;
    for (char *p = text, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
        *nl = 0;
        if (sscanf(p, "%lx-%lx", &start, &end) == 2 && addr >= start && addr < end)
            snprintf(found, sizeof found, "%s", p);
    }
    free(text);
    return found;
}

static void placement(void **state)
{
    int64_t a, b, c;

    (void)state;
    a = map(0, 8192, RW, ANON);
    assert_true(a > 0 && a < END);
    memset(mm_g2h(a), 1, 8192);
    /* Top down, next to each other. */
    b = map(0, 4096, RW, ANON);
    assert_int_equal(b, a - PAGE);
    /* A hint that is free is taken, rounded; one that is not is not. */
    c = map(a - 100 * PAGE + 1, 4096, RW, ANON);
    assert_int_equal(c, a - 99 * PAGE);
    assert_int_equal(mm_munmap(c, 4096), 0);
    c = map(a, 4096, RW, ANON);
    assert_int_equal(c, b - PAGE);
    assert_int_equal(mm_munmap(c, 4096), 0);
    c = map(GUEST_ADDR_END, 4096, RW, ANON);
    assert_true(c > 0 && c < END);
    assert_int_equal(mm_munmap(c, 4096), 0);
    /* The first gap from above that fits. */
    assert_int_equal(mm_munmap(a, 4096), 0);
    assert_int_equal(map(0, 4096, RW, ANON), a);
    assert_int_equal(mm_munmap(a, 8192), 0);
    assert_int_equal(mm_munmap(b, 4096), 0);
    /* What can be huge pages begins at one. */
    a = map(0, 4 << 20, RW, ANON);
    assert_int_equal(a & ((2 << 20) - 1), 0);
    mm_munmap(a, 4 << 20);
    assert_null(mm_check());
}

static void range_ends(void **state)
{
    int64_t a;

    (void)state;
    assert_int_equal(map(GUEST_ADDR_END - 4096, 8192, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(map(GUEST_ADDR_END, 4096, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(map((uintptr_t)&a & -4096, 4096, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(map(UINT64_MAX & -4096, 4096, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(map(0, 4096, RW, ANON | MAP_FIXED), -EPERM);
    assert_int_equal(map(0, 0, RW, ANON), -EINVAL);
    assert_int_equal(map(0, UINT64_MAX, RW, ANON), -ENOMEM);
    assert_int_equal(map(0, GUEST_ADDR_END, RW, ANON), -ENOMEM);
    assert_int_equal(map(0x100010, 4096, RW, ANON | MAP_FIXED), -EINVAL);
    assert_int_equal(map(0, 4096, RW, MAP_ANONYMOUS), -EINVAL);
    assert_int_equal(mm_mmap(0, 4096, RW, MAP_PRIVATE, -1, 0), -EBADF);
    assert_int_equal(mm_mmap(0, 4096, RW, MAP_PRIVATE, 0, 1), -EINVAL);
    assert_int_equal(mm_munmap(GUEST_ADDR_END - 4096, 8192), -EINVAL);
    assert_int_equal(mm_munmap((uintptr_t)&a & -4096, 4096), -EINVAL);
    assert_int_equal(mm_munmap(4096, UINT64_MAX - 4096), -EINVAL);
    assert_int_equal(mm_mprotect((uintptr_t)&a & -4096, 4096, PROT_NONE), -ENOMEM);
    assert_int_equal(mm_mremap((uintptr_t)&a & -4096, 4096, 8192, MREMAP_MAYMOVE, 0), -EFAULT);
    assert_int_equal(mm_madvise((uintptr_t)&a & -4096, 4096, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(mm_msync((uintptr_t)&a & -4096, 4096, MS_SYNC), -ENOMEM);
    assert_int_equal(mm_mlock((uintptr_t)&a & -4096, 4096, 0), -ENOMEM);
    assert_int_equal(mm_mincore((uintptr_t)&a & -4096, 4096, 0), -ENOMEM);
    assert_int_equal(mm_shmdt((uintptr_t)&a & -4096), -EINVAL);
    /* Half in, half out: the part that is in is done. */
    a = map(GUEST_ADDR_END - 4096, 4096, RW, ANON | MAP_FIXED);
    assert_int_equal(a, END - PAGE);
    *(char *)mm_g2h(a) = 1;
    assert_int_equal(mm_madvise(a, 8192, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(*(char *)mm_g2h(a), 0);
    assert_int_equal(mm_munmap(a, 4096), 0);
    /* The x86 flags are unknown bits elsewhere: ignored, but by MAP_SHARED_VALIDATE. */
    a = map(0, 4096, RW, ANON | 0x40);
    assert_true(a > INT64_C(1) << 32);
    assert_int_equal(mm_munmap(a, 4096), 0);
    int fd = memfd_create("t", 0);
    assert_int_equal(mm_mmap(0, 4096, RW, MAP_SHARED_VALIDATE | 0x40, fd, 0), -EOPNOTSUPP);
    close(fd);
}

/* Whatever the guest asks for, the runtime's memory stays as it is. */
static void runtime_out_of_reach(void **state)
{
    static volatile int guard = 4711;
    uint64_t p = (uintptr_t)&guard & -4096;

    (void)state;
    map(p, 4096, PROT_NONE, ANON | MAP_FIXED);
    mm_munmap(p, 4096);
    mm_mprotect(p, 4096, PROT_NONE);
    int64_t a = map(0, 4096, RW, ANON);
    assert_int_equal(mm_mremap(a, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, p), -EINVAL);
    assert_int_equal(mm_mremap(a, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, END - PAGE),
                     END - PAGE);
    mm_munmap(END - PAGE, 4096);
    int v;
    assert_int_equal(mm_read(&v, (uintptr_t)&guard, sizeof v), -EFAULT);
    assert_int_equal(mm_write((uintptr_t)&guard, &v, sizeof v), -EFAULT);
    assert_int_equal(mm_prepare_write((uintptr_t)&guard, 4), -EFAULT);
    assert_int_equal(guard, 4711);
    assert_string_equal(line_at((uintptr_t)&guard), "");
}

static void execute_permission(void **state)
{
    int64_t a = map(0, 3 * PAGE, PROT_READ | PROT_EXEC, ANON);
    struct mm_fetch_token token;
    struct cpu_fault f;
    uint8_t buf[8192];

    (void)state;
    assert_non_null(strstr(line_at(a), " r-xp "));
    assert_int_equal(mm_fetch(a, buf, 64, &token, &f), 64);
    /* Not past the page, unless little is left of it. */
    assert_int_equal(mm_fetch(a, buf, sizeof buf, &token, &f), PAGE);
    assert_true(mm_fetch(a + PAGE - 2, buf, sizeof buf, &token, &f) >= 4);
    assert_int_equal(mm_mprotect(a + PAGE, PAGE, PROT_READ), 0);
    assert_int_equal(mm_fetch(a + PAGE - 2, buf, sizeof buf, &token, &f), 2);
    assert_int_equal(mm_fetch(a + PAGE, buf, 64, &token, &f), 0);
    assert_int_equal(f.code, SEGV_ACCERR);
    assert_int_equal(f.addr, a + PAGE);
    mm_munmap(a + 2 * PAGE, PAGE);
    assert_int_equal(mm_fetch(a + 2 * PAGE, buf, 64, &token, &f), 0);
    assert_int_equal(f.code, SEGV_MAPERR);
    assert_int_equal(mm_fetch(GUEST_ADDR_END + 8, buf, 64, &token, &f), 0);
    assert_int_equal(f.signo, SIGSEGV);
    mm_munmap(a, 3 * PAGE);
    /* Only executable: the bytes can be had. */
    a = map(0, PAGE, PROT_EXEC, ANON);
    assert_int_equal(mm_fetch(a, buf, 8, &token, &f), 8);
    assert_non_null(strstr(line_at(a), " --xp "));
    mm_munmap(a, PAGE);
}

static void beyond_file(void **state)
{
    int fd = memfd_create("short", 0);
    struct mm_fetch_token token;
    struct cpu_fault f;
    uint8_t byte;

    (void)state;
    fault_install();
    assert_int_equal(ftruncate(fd, PAGE), 0);
    int64_t a = mm_mmap(0, 2 * PAGE, RW | PROT_EXEC, MAP_SHARED, fd, 0);
    assert_true(a > 0);
    assert_int_equal(mm_read(&byte, a, 1), 0);
    assert_int_equal(mm_read(&byte, a + PAGE, 1), -EFAULT);
    assert_int_equal(mm_write(a + PAGE, &byte, 1), -EFAULT);
    assert_int_equal(mm_fetch(a + PAGE, &byte, 1, &token, &f), 0);
    assert_int_equal(f.signo, SIGBUS);
    assert_int_equal(f.code, BUS_ADRERR);
    assert_false(fault_guarded_read(a + PAGE, &byte));
    assert_int_equal(fault_last.signo, SIGBUS);
    mm_munmap(a, 2 * PAGE);
    close(fd);
}

static void safe_access(void **state)
{
    int64_t a = map(0, 3 * PAGE, RW, ANON);
    char buf[9000];
    uint64_t v;
    uint32_t w;

    (void)state;
    fault_install();
    mm_mprotect(a + PAGE, PAGE, PROT_READ);
    mm_munmap(a + 2 * PAGE, PAGE);
    memset(mm_g2h(a), 'x', PAGE);
    assert_int_equal(mm_read(buf, a, 2 * PAGE), 0);
    assert_int_equal(mm_read(buf, a, 2 * PAGE + 1), -EFAULT);
    assert_int_equal(mm_write(a, buf, PAGE), 0);
    assert_int_equal(mm_write(a, buf, PAGE + 1), -EFAULT);
    assert_int_equal(mm_read(buf, a, UINT64_MAX), -EFAULT);
    assert_int_equal(mm_read(buf, 0, 1), -EFAULT);
    assert_int_equal(mm_write_u64(a, UINT64_C(0x1122334455667788)), 0);
    assert_int_equal(mm_read_u64(a, &v), 0);
    assert_int_equal(v, UINT64_C(0x1122334455667788));
    assert_int_equal(mm_read_u32(a + 4, &w), 0);
    assert_int_equal(w, 0x11223344);
    assert_int_equal(mm_write_u32(a + PAGE, 1), -EFAULT);
    assert_int_equal(mm_write_u64(a + PAGE - 4, 1), -EFAULT);
    assert_int_equal(mm_read_u64(a + 2 * PAGE - 4, &v), -EFAULT);
    assert_int_equal(mm_read_u32(GUEST_ADDR_END - 2, &w), -EFAULT);
    /* Strings: within, too long, running into a hole. */
    memcpy(mm_g2h(a), "hello", 6);
    assert_int_equal(mm_read_str(buf, 6, a), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(mm_read_str(buf, 5, a), -ENAMETOOLONG);
    assert_int_equal(mm_read_str(buf, sizeof buf, 8), -EFAULT);
    mm_mprotect(a + PAGE, PAGE, RW);
    memset(mm_g2h(a), 'y', 2 * PAGE);
    assert_int_equal(mm_read_str(buf, sizeof buf, a + PAGE), -EFAULT);
    assert_int_equal(mm_read_str(buf, PAGE, a + PAGE), -ENAMETOOLONG);
    mm_munmap(a, 2 * PAGE);
}

static void stacks(void **state)
{
    int64_t top = INT64_C(0x300000000000), a;
    struct vma v;
    char byte = 1;
    int fds[2];

    (void)state;
    fault_install();
    a = map(top - 4 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN);
    assert_int_equal(a, top - 4 * PAGE);
    /* It grows by an access of the guest's, ... */
    assert_true(fault_guarded_write(a - 3 * PAGE, 1));
    assert_true(mm_find(a - 3 * PAGE, &v));
    assert_int_equal(v.start, a - 3 * PAGE);
    /* of the runtime's, ... */
    assert_int_equal(mm_write(a - 10 * PAGE, &byte, 1), 0);
    /* and of the kernel's. */
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "z", 1), 1);
    assert_int_equal(read(fds[0], mm_g2h(a - 20 * PAGE), 1), 1);
    close(fds[0]);
    close(fds[1]);
    assert_true(mm_find(a - 20 * PAGE, &v));
    assert_int_equal(v.start, a - 20 * PAGE);
    assert_int_equal(v.end, top);
    /* Nothing is placed in the gap below it unless asked by MAP_FIXED. */
    int64_t b = map(v.start - 8 * PAGE, PAGE, RW, ANON);
    assert_true(b > 0 && b != (int64_t)v.start - 8 * PAGE);
    mm_munmap(b, PAGE);
    b = map(v.start - 300 * PAGE, PAGE, RW, ANON);
    assert_int_equal(b, v.start - 300 * PAGE);
    /* It does not grow into the gap above another mapping. */
    assert_false(fault_guarded_write(b + 2 * PAGE, 1));
    assert_int_equal(fault_last.code, SEGV_MAPERR);
    mm_munmap(b, PAGE);
    /* PROT_GROWSDOWN reaches down to its start. */
    assert_int_equal(mm_mprotect(top - PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
    assert_false(fault_guarded_write(a - 20 * PAGE, 1));
    assert_int_equal(mm_mprotect(top - PAGE, PAGE, RW | PROT_GROWSUP), -EINVAL);
    assert_int_equal(mm_mprotect(top - PAGE, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP), -EINVAL);
    assert_int_equal(mm_munmap(a - 20 * PAGE, top - (a - 20 * PAGE)), 0);
    assert_string_equal(line_at(top - PAGE), "");
    /* No file, no sharing. */
    assert_int_equal(map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN), -EINVAL);
    assert_null(mm_check());
}

static void heap(void **state)
{
    uint64_t start, end, b;

    (void)state;
    mm_set_brk(UINT64_C(0x290000000000));
    mm_get_brk(&start, &end);
    assert_int_equal(start, end);
    assert_true(start >= 0x290000000000 && start < 0x290000000000 + (UINT64_C(1) << 30));
    assert_int_equal(mm_brk(0), start);
    assert_int_equal(mm_brk(start + 10), start + 10);
    *(char *)mm_g2h(start) = 1;
    assert_non_null(strstr(line_at(start), "[heap]"));
    assert_int_equal(mm_brk(start + 5 * 4096), start + 5 * 4096);
    *(char *)mm_g2h(start + 5 * 4096 - 1) = 1;
    /* Failures return what it is. */
    assert_int_equal(mm_brk(start - 1), start + 5 * 4096);
    assert_int_equal(mm_brk(GUEST_ADDR_END + 1), start + 5 * 4096);
    b = map(start + 10 * 4096, 4096, RW, ANON | MAP_FIXED);
    assert_int_equal(mm_brk(start + 20 * 4096), start + 5 * 4096);
    mm_munmap(b, 4096);
    /* Memory given back comes back empty. */
    assert_int_equal(mm_brk(start + 4096), start + 4096);
    assert_string_equal(line_at(start + 4096), "");
    assert_int_equal(mm_brk(start + 2 * 4096), start + 2 * 4096);
    assert_int_equal(*(char *)mm_g2h(start + 4096), 0);
    /* RLIMIT_DATA. */
    mm_set_limits(UINT64_MAX, 100 * 4096);
    assert_int_equal(mm_brk(start + 200 * 4096), start + 2 * 4096);
    mm_set_limits(UINT64_MAX, UINT64_MAX);
    assert_int_equal(mm_brk(start), start);
    assert_null(mm_check());
}

static void limits(void **state)
{
    struct mm_stats s;
    int64_t a;

    (void)state;
    mm_get_stats(&s);
    mm_set_limits((s.total_pages + 10) * 4096, UINT64_MAX);
    assert_int_equal(map(0, 11 * PAGE, RW, ANON), -ENOMEM);
    a = map(0, 10 * PAGE, RW, ANON);
    assert_true(a > 0);
    assert_int_equal(map(0, PAGE, PROT_NONE, ANON), -ENOMEM);
    /* Over what is there already is free of charge. */
    assert_int_equal(map(a, 10 * PAGE, RW, ANON | MAP_FIXED), a);
    assert_int_equal(mm_mremap(a, 10 * PAGE, 11 * PAGE, MREMAP_MAYMOVE, 0), -ENOMEM);
    mm_munmap(a, 10 * PAGE);
    mm_set_limits(UINT64_MAX, 4096);
    assert_int_equal(map(0, 3 * PAGE, RW, ANON), -ENOMEM);
    a = map(0, 3 * PAGE, PROT_READ, ANON);
    assert_true(a > 0);
    assert_int_equal(mm_mprotect(a, 3 * PAGE, RW), -ENOMEM);
    assert_int_equal(mm_mprotect(a, 3 * PAGE, PROT_READ | PROT_EXEC), 0);
    mm_set_limits(UINT64_MAX, UINT64_MAX);
    assert_int_equal(mm_mprotect(a, 3 * PAGE, RW), 0);
    mm_munmap(a, 3 * PAGE);
}

static void shared_memory(void **state)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0600);
    int64_t a, b, c;

    (void)state;
    if (id < 0)
        skip();
    a = mm_shmat(id, 0, 0);
    assert_true(a > 0 && a < END);
    b = mm_shmat(id, 0, SHM_RDONLY);
    assert_true(b > 0 && b != a);
    *(char *)mm_g2h(a + 5) = 7;
    assert_int_equal(*(char *)mm_g2h(b + 5), 7);
    assert_non_null(strstr(line_at(a), "rw-s"));
    assert_non_null(strstr(line_at(a), "SYSV"));
    assert_non_null(strstr(line_at(b), "r--s"));
    /* At an address: only where nothing is, unless SHM_REMAP. */
    assert_int_equal(mm_shmat(id, a, 0), -EINVAL);
    assert_int_equal(mm_shmat(id, a + 1, 0), -EINVAL);
    assert_int_equal(mm_shmat(id, 0, SHM_REMAP), -EINVAL);
    assert_int_equal(mm_shmat(id, GUEST_ADDR_END, 0), -EINVAL);
    assert_int_equal(mm_shmat(-1, 0, 0), -EINVAL);
    c = map(0, 3 * PAGE, RW, ANON);
    assert_int_equal(mm_shmat(id, c + 100, SHM_RND | SHM_REMAP), c);
    assert_int_equal(*(char *)mm_g2h(c + 5), 7);
    /* A piece taken out of the middle: the rest goes by shmdt. */
    assert_int_equal(mm_munmap(c + PAGE, PAGE), 0);
    assert_int_equal(mm_shmdt(c + PAGE), -EINVAL);
    assert_int_equal(mm_shmdt(c), 0);
    assert_string_equal(line_at(c), "");
    assert_string_equal(line_at(c + 2 * PAGE), "");
    assert_int_equal(mm_shmdt(c), -EINVAL);
    assert_int_equal(mm_shmdt(a), 0);
    assert_int_equal(mm_shmdt(b), 0);
    shmctl(id, IPC_RMID, NULL);
    assert_null(mm_check());
}

static void moves(void **state)
{
    int64_t a = map(0, 4 * PAGE, RW, ANON), b, c;

    (void)state;
    strcpy(mm_g2h(a), "moved");
    /* Something in the way: it moves, and stays in the guest's range. */
    b = map(a + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE);
    assert_true(b == a + 4 * PAGE || b == -EEXIST);
    assert_int_equal(mm_mremap(a, 4 * PAGE, 64 * PAGE, 0, 0), -ENOMEM);
    c = mm_mremap(a, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE, 0);
    assert_true(c > 0 && c != a && c < END);
    assert_string_equal((char *)mm_g2h(c), "moved");
    assert_string_equal(line_at(a), "");
    if (b > 0)
        mm_munmap(b, PAGE);
    assert_int_equal(mm_munmap(c, 64 * PAGE), 0);
    assert_int_equal(mm_mremap(c, PAGE, PAGE, MREMAP_FIXED, 0), -EINVAL);
    assert_int_equal(mm_mremap(c, PAGE, PAGE, 8, 0), -EINVAL);
    assert_int_equal(mm_mremap(c, PAGE, 0, 0, 0), -EINVAL);
    assert_int_equal(mm_mremap(c, PAGE, PAGE, 0, 0), -EFAULT);
    assert_null(mm_check());
}

static void locked(void **state)
{
    int64_t a = map(0, 4 * PAGE, RW, ANON);
    uint8_t vec[4];

    (void)state;
    if (mm_mlock(a, 2 * PAGE, 0) == -EPERM || mm_mlock(a, 2 * PAGE, 0) == -ENOMEM)
        skip();
    int64_t v = map(0, PAGE, RW, ANON);
    assert_int_equal(mm_mincore(a, 4 * PAGE, v), 0);
    mm_read(vec, v, 4);
    assert_true(vec[0] & vec[1] & 1);
    assert_false((vec[2] | vec[3]) & 1);
    assert_int_equal(mm_mlock(a, PAGE, 2), -EINVAL);
    assert_int_equal(mm_munlock(a + 1, PAGE), 0);
    assert_int_equal(mm_mlockall(0), -EINVAL);
    assert_int_equal(mm_mlockall(MCL_FUTURE), 0);
    int64_t b = map(0, 2 * PAGE, RW, ANON);
    assert_int_equal(mm_mincore(b, 2 * PAGE, v), 0);
    mm_read(vec, v, 2);
    assert_true(vec[0] & vec[1] & 1);
    assert_int_equal(mm_munlockall(), 0);
    mm_munmap(b, 2 * PAGE);
    mm_munmap(v, PAGE);
    mm_munmap(a, 4 * PAGE);
}

static void code_pages(void **state)
{
    int64_t a = map(0, 4 * PAGE, RW | PROT_EXEC, ANON);
    struct mm_fetch_token token, other;
    struct mm_stats before, s;
    struct cpu_fault f;
    uint8_t buf[16];

    (void)state;
    fault_install();
    mm_get_stats(&before);
    code_changes = 0;
    assert_int_equal(mm_fetch(a, buf, 16, &token, &f), 16);
    assert_int_equal(mm_fetch(a + PAGE, buf, 16, &other, &f), 16);
    assert_true(mm_code_lifted(&token));
    /* The guest's view of it does not show the protection. */
    assert_non_null(strstr(line_at(a), " rwxp "));
    assert_true(fault_guarded_write(a + 100, 1));
    assert_true(mm_code_dirty());
    assert_int_equal(code_changes, 0);
    mm_run_dirty();
    assert_int_equal(code_changes, 1);
    assert_int_equal(changed_addr, a);
    assert_int_equal(changed_len, PAGE);
    assert_false(mm_code_lifted(&token));
    assert_true(mm_code_lifted(&other));
    /* Once is enough until it is fetched again. */
    assert_true(fault_guarded_write(a + 200, 1));
    assert_false(mm_code_dirty());
    mm_get_stats(&s);
    assert_int_equal(s.write_traps - before.write_traps, 1);
    /* By the runtime: no trap. */
    assert_int_equal(mm_fetch(a, buf, 16, &token, &f), 16);
    assert_int_equal(mm_write(a + 8, buf, 4), 0);
    assert_int_equal(code_changes, 2);
    assert_false(mm_code_lifted(&token));
    /* Before the kernel writes: both pages. */
    assert_int_equal(mm_fetch(a, buf, 16, &token, &f), 16);
    assert_int_equal(mm_prepare_write(a, 2 * PAGE), 0);
    assert_int_equal(code_changes, 4);
    assert_int_equal(mm_prepare_write(a, 2 * PAGE), 0);
    assert_int_equal(code_changes, 4);
    /* Each way to change or lose the pages. */
    mm_fetch(a, buf, 16, &token, &f);
    assert_int_equal(mm_mprotect(a, PAGE, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(code_changes, 4);
    assert_int_equal(mm_mprotect(a, PAGE, RW), 0);
    assert_int_equal(code_changes, 5);
    mm_fetch(a + PAGE, buf, 16, &token, &f);
    assert_int_equal(mm_munmap(a + PAGE, PAGE), 0);
    assert_int_equal(code_changes, 6);
    mm_fetch(a + 2 * PAGE, buf, 16, &token, &f);
    assert_int_equal(map(a + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED), a + 2 * PAGE);
    assert_int_equal(code_changes, 7);
    mm_fetch(a + 3 * PAGE, buf, 16, &token, &f);
    assert_int_equal(mm_madvise(a + 3 * PAGE, PAGE, MADV_DONTNEED), 0);
    assert_int_equal(code_changes, 8);
    mm_fetch(a + 3 * PAGE, buf, 16, &token, &f);
    int64_t to = map(0, PAGE, RW, ANON);
    assert_int_equal(mm_mremap(a + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
    assert_int_equal(code_changes, 9);
    mm_munmap(to, PAGE);
    mm_munmap(a, 4 * PAGE);
    mm_get_stats(&s);
    assert_int_equal(s.code_pages, before.code_pages);
    assert_int_equal(s.protected_pages, before.protected_pages);
}

static void hot_pages(void **state)
{
    int64_t a = map(0, PAGE, RW | PROT_EXEC, ANON);
    struct mm_fetch_token token;
    struct mm_stats before, s;
    struct cpu_fault f;
    uint8_t buf[16];
    unsigned n;

    (void)state;
    fault_install();
    mm_get_stats(&before);
    for (n = 0; n < 1000; n++) {
        assert_int_equal(mm_fetch(a, buf, 16, &token, &f), 16);
        if (mm_page_is_hot_written(a, 16))
            break;
        assert_true(fault_guarded_write(a + 100, n));
        mm_run_dirty();
    }
    assert_true(n > 2 && n < 100);
    /* From then on writing costs nothing. */
    for (unsigned i = 0; i < 1000; i++) {
        mm_fetch(a, buf, 16, &token, &f);
        assert_true(fault_guarded_write(a + 100, i));
    }
    mm_get_stats(&s);
    assert_int_equal(s.write_traps - before.write_traps, n);
    assert_int_equal(s.hot_pages, before.hot_pages + 1);
    mm_munmap(a, PAGE);
    mm_get_stats(&s);
    assert_int_equal(s.hot_pages, before.hot_pages);
}

static int ordered(const struct vma *v, void *arg)
{
    uint64_t *end = arg;

    assert_true(v->start >= *end);
    *end = v->end;
    return 0;
}

/* Thousands of mappings: still quick, and right. */
static void many(void **state)
{
    enum { N = 20000 };
    uint64_t base = UINT64_C(0x280000000000), end = 0;
    struct vma v;

    (void)state;
    for (unsigned i = 0; i < N; i++)
        assert_true(map(base + (uint64_t)(i * 7919 % N) * 2 * 4096, 4096,
                        i & 1 ? PROT_READ : PROT_NONE, ANON | MAP_FIXED_NOREPLACE) > 0);
    mm_for_each(ordered, &end);
    assert_null(mm_check());
    for (unsigned i = 0; i < N; i++) {
        assert_true(mm_find(base + i * 2 * 4096, &v));
        assert_int_equal(v.end - v.start, 4096);
        assert_false(mm_find(base + (i * 2 + 1) * 4096, &v));
    }
    assert_int_equal(mm_munmap(base, N * 2 * 4096), 0);
    assert_null(mm_check());
}

static void forked(void **state)
{
    int64_t a = map(0, PAGE, RW, ANON);
    int status;

    (void)state;
    mm_fork_begin();
    pid_t pid = fork();
    mm_fork_end(pid == 0);
    if (pid == 0) {
        struct vma v;
        bool ok = mm_find(a, &v) && map(0, PAGE, RW, ANON) > 0 && mm_munmap(a, PAGE) == 0;
        _exit(ok ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(mm_munmap(a, PAGE), 0);
}

static int setup(void **state)
{
    (void)state;
    mm_init(true, on_code);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placement),
        cmocka_unit_test(range_ends),
        cmocka_unit_test(runtime_out_of_reach),
        cmocka_unit_test(execute_permission),
        cmocka_unit_test(beyond_file),
        cmocka_unit_test(safe_access),
        cmocka_unit_test(stacks),
        cmocka_unit_test(heap),
        cmocka_unit_test(limits),
        cmocka_unit_test(shared_memory),
        cmocka_unit_test(moves),
        cmocka_unit_test(locked),
        cmocka_unit_test(code_pages),
        cmocka_unit_test(hot_pages),
        cmocka_unit_test(many),
        cmocka_unit_test(forked),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
