/* The signal calls' rows: the bodies are in exceptions/.
 *
 * Threading: reentrant.
 */
#include "syscall/sys_int.h"

int64_t sys_rt_sigaction(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigaction(t, (int)a[0], a[1], a[2], a[3]);
}

int64_t sys_rt_sigprocmask(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigprocmask(t, (int)a[0], a[1], a[2], a[3]);
}

int64_t sys_rt_sigpending(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigpending(t, a[0], a[1]);
}

int64_t sys_rt_sigsuspend(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigsuspend(t, a[0], a[1]);
}

int64_t sys_rt_sigtimedwait(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigtimedwait(t, a[0], a[1], a[2], a[3]);
}

int64_t sys_sigaltstack(struct thread *t, const uint64_t *a)
{
    return sig_sys_sigaltstack(t, a[0], a[1]);
}

int64_t sys_rt_sigreturn(struct thread *t, const uint64_t *a)
{
    (void)a;
    sig_sys_sigreturn(t);
    return SYS_NO_RESULT;
}
