/* Calls about the calling thread and process: its end, its ids, futexes, personality, prctl.
 *
 * Threading: reentrant; the remembered personality bits are atomic.
 */
#include "syscall/sys_int.h"
#include <linux/futex.h>
#include <sys/personality.h>
#include <sys/prctl.h>

int64_t sys_exit(struct thread *t, const uint64_t *a)
{
    sys_hooks.thread_exit(t, (int)a[0] & 0xff);
    __builtin_unreachable();
}

int64_t sys_exit_group(struct thread *t, const uint64_t *a)
{
    sys_hooks.process_exit(t, (int)a[0] & 0xff);
    __builtin_unreachable();
}

int64_t sys_set_tid_address(struct thread *t, const uint64_t *a)
{
    t->clear_child_tid = a[0];
    if (t->vfork_parent)
        host_call(SYS_set_tid_address, a[0] ? sys_out(a[0], 4) : 0, 0, 0, 0, 0, 0);
    return t->tid;
}

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* The kernel works on the guest's words where they are. Those that it writes are prepared. */
int64_t sys_futex(struct thread *t, const uint64_t *a)
{
    uint64_t uaddr = sys_in(a[0], 4), uaddr2 = a[4], timeout = a[3];
    bool takes_time = false;
    switch ((int)a[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        takes_time = true;
        break;
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        takes_time = true; /* fall through */
    case FUTEX_UNLOCK_PI:
    case FUTEX_TRYLOCK_PI:
        uaddr = sys_out(a[0], 4);
        break;
    case FUTEX_WAIT_REQUEUE_PI:
        takes_time = true; /* fall through */
    case FUTEX_WAKE_OP:
    case FUTEX_CMP_REQUEUE_PI:
        uaddr2 = sys_out(a[4], 4);
        break;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        uaddr2 = sys_in(a[4], 4);
        break;
    }
    if (takes_time && timeout)
        timeout = sys_in(timeout, sizeof(struct timespec));
    return sig_syscall(t, SYS_futex, uaddr, a[1], a[2], timeout, uaddr2, a[5]);
}

/* Flags that would move the host's own mappings to where the guest's are. */
#define PERSONA_LAYOUT (ADDR_COMPAT_LAYOUT | ADDR_LIMIT_32BIT | ADDR_LIMIT_3GB)

int64_t sys_personality(struct thread *t, const uint64_t *a)
{
    static uint32_t remembered;
    uint32_t persona = (uint32_t)a[0];
    if ((persona & PER_MASK) == PER_LINUX32 && persona != UINT32_MAX && t->cpu.guest->no_linux32)
        return -EINVAL;
    if (persona == UINT32_MAX)
        return host_call(SYS_personality, persona, 0, 0, 0, 0, 0) |
               __atomic_load_n(&remembered, __ATOMIC_RELAXED);
    int64_t old = host_call(SYS_personality, persona & ~(uint32_t)PERSONA_LAYOUT, 0, 0, 0, 0, 0);
    if (old < 0)
        return old;
    return old | __atomic_exchange_n(&remembered, persona & PERSONA_LAYOUT, __ATOMIC_RELAXED);
}

/* Options that the host's headers may lack. */
#define OPT_SET_VMA 0x53564d41
#define OPT_GET_AUXV 0x41555856
#define OPT_SET_MDWE 65
#define OPT_GET_MDWE 66
#define OPT_SCHED_CORE 62
#define OPT_SET_MEMORY_MERGE 67
#define OPT_GET_MEMORY_MERGE 68
#define OPT_RISCV_SET_ICACHE_FLUSH_CTX 71
#define OPT_SET_TAGGED_ADDR_CTRL 55
#define OPT_GET_TAGGED_ADDR_CTRL 56
#define OPT_TAGGED_ADDR_ENABLE 1

int64_t sys_prctl(struct thread *t, const uint64_t *a)
{
    uint64_t x[5] = {a[0], a[1], a[2], a[3], a[4]};
    switch ((int)a[0]) {
    case PR_SET_PDEATHSIG:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_SET_TIMING:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS:
    case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
    case PR_MCE_KILL:
    case PR_MCE_KILL_GET:
    case PR_SET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE:
    case PR_SET_PTRACER:
    case PR_GET_SPECULATION_CTRL:
    case PR_SET_SPECULATION_CTRL:
    case PR_CAP_AMBIENT:
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
    case OPT_SET_MEMORY_MERGE:
    case OPT_GET_MEMORY_MERGE:
        break;
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER:
        x[1] = sys_out(a[1], sizeof(int));
        break;
    case PR_SET_NAME:
        x[1] = sys_in(a[1], 1);
        break;
    case PR_GET_NAME:
        x[1] = sys_out(a[1], 16);
        break;
    case PR_GET_SECCOMP:
        return sys_seccomp_mode(t);
    case PR_SET_SECCOMP:
        return sys_seccomp_prctl(t, a[1], a[2]);
    case PR_GET_TID_ADDRESS:
        return mm_write_u64(a[1], t->clear_child_tid);
    case OPT_SCHED_CORE:
        x[4] = a[4] ? sys_out(a[4], 8) : 0;
        break;
    case OPT_SET_VMA:
        /* Names of anonymous memory: as a kernel built without them. */
        return -EINVAL;
    case OPT_GET_AUXV: {
        uint64_t have = process.auxv_end - process.auxv_start;
        uint64_t n = a[2] < have ? a[2] : have;
        if (a[3] || a[4])
            return -EINVAL;
        for (uint64_t i = 0; i < n; i++) {
            uint8_t byte;
            if (mm_read(&byte, process.auxv_start + i, 1) != 0 || mm_write(a[1] + i, &byte, 1) != 0)
                return -EFAULT;
        }
        return (int64_t)have;
    }
    case OPT_SET_TAGGED_ADDR_CTRL:
        if (!t->cpu.guest->untag || a[1] & ~(uint64_t)OPT_TAGGED_ADDR_ENABLE || a[2] || a[3] ||
            a[4])
            return -EINVAL;
        t->tagged_addr = a[1];
        return 0;
    case OPT_GET_TAGGED_ADDR_CTRL:
        return !t->cpu.guest->untag || a[1] || a[2] || a[3] || a[4] ? -EINVAL : t->tagged_addr;
    case OPT_RISCV_SET_ICACHE_FLUSH_CTX:
        /* fence.i is seen by all threads without it. Contexts: on 0, off 1; scopes: process 0,
         * thread 1. */
        return t->cpu.guest->hwprobe && a[1] <= 1 && a[2] <= 1 ? 0 : -EINVAL;
    default:
        /* Unknown; of another architecture; or what would concern the runtime (PR_SET_MM moves
         * the host's own marks, PR_SET_MDWE forbids code memory). */
        return -EINVAL;
    }
    return sig_syscall(t, SYS_prctl, x[0], x[1], x[2], x[3], x[4], 0);
}
