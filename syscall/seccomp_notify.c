/* seccomp: filters with a listener, which asks another program about a call (seccomp_unotify(2)).
 *
 * Owns: how a guest's call looks to the host's kernel while a supervisor thinks about it, and the requests of ioctl that
 * show it.
 *
 * The descriptor is the kernel's own: a filter with a listener installs a filter on the host as well, which lets every call
 * of the host's through and asks about a range of numbers in which there are none. A call that the guest's filter wants to
 * be asked about is made under such a number, which holds the guest's machine and number, with the guest's arguments. So
 * waiting, poll, ids, signals, the end of either side, descriptors that the supervisor puts in (ADDFD), inheritance
 * by threads, forks and execve, and who may have how many listeners are the kernel's. What the supervisor gets to see
 * is put back into the guest's words when it receives it.
 *
 * To go on with the call (SECCOMP_USER_NOTIF_FLAG_CONTINUE) would give ENOSYS, and so does a listener that is gone: the answer
 * becomes an error that is none, by which the waiting thread knows.
 *
 * Threading: reentrant.
 */
#include "syscall/sys_int.h"
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>

/* 28 bits: 12 of the guest's ELF machine, 16 of its number. Positive, and without the bit of the x32 ABI. */
#define ASK UINT32_C(0x20000000)
#define ASK_MASK UINT32_C(0xf0000000)
#define ASK_NUMBER 0xffff
#define ASK_MACHINE_SHIFT 16
#define ASK_MACHINE 0xfff

#define GO_ON INT_MIN

int64_t sys_seccomp_listen(unsigned flags)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ASK_MASK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ASK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = sizeof(f) / sizeof(f[0]), .filter = f};

    /* It hides nothing that a guest could guess by speculation. */
    return host_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                     (uintptr_t)&prog, 0, 0, 0);
}

bool sys_seccomp_ask(struct thread *t, uint64_t nr, const uint64_t *a, int64_t *ret)
{
    uint32_t machine = t->cpu.guest->elf_machine;

    *ret = -ENOSYS;
    if (nr > ASK_NUMBER || machine > ASK_MACHINE)
        return true; /* no call, for which there is no number either */
    *ret = sig_syscall(t, (long)(ASK | machine << ASK_MACHINE_SHIFT | nr), a[0], a[1], a[2], a[3],
                       a[4], a[5]);
    return *ret != GO_ON;
}

uint32_t sys_seccomp_arch(uint32_t machine)
{
    return machine | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE;
}

int64_t sys_seccomp_receive(struct thread *t, uint64_t fd, uint64_t addr)
{
    const uint64_t at = addr + offsetof(struct seccomp_notif, data);
    struct seccomp_data d;
    int64_t ret = sig_syscall(t, SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_RECV,
                              sys_out(addr, sizeof(struct seccomp_notif)), 0, 0, 0);

    if (ret < 0 || mm_read(&d, at, sizeof(d)) || d.arch != AUDIT_ARCH_X86_64 ||
        ((uint32_t)d.nr & ASK_MASK) != ASK)
        return ret;
    d.arch = sys_seccomp_arch((uint32_t)d.nr >> ASK_MACHINE_SHIFT & ASK_MACHINE);
    d.nr &= ASK_NUMBER;
    d.instruction_pointer = 0; /* it is one of ours */
    mm_write(at, &d, sizeof(d));
    return ret;
}

int64_t sys_seccomp_answer(struct thread *t, uint64_t fd, uint64_t addr)
{
    struct seccomp_notif_resp r;

    addr = sys_in(addr, sizeof(r));
    if (mm_read(&r, addr, sizeof(r)) == 0 && r.flags == SECCOMP_USER_NOTIF_FLAG_CONTINUE &&
        !r.error && !r.val) {
        r.flags = 0;
        r.error = GO_ON;
        addr = (uintptr_t)&r;
    }
    return sig_syscall(t, SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_SEND, addr, 0, 0, 0);
}
