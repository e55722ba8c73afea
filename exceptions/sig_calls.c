/* The guest's signal system calls.
 *
 * Invariants: a call that changes the mask or waits goes through sig_syscall, so it is not performed while
 * a signal is held; t->sigmask follows the host's mask right after it.
 *
 * Threading: the calling thread's state; dispositions under the sighand lock.
 */
#include "exceptions/sig_internal.h"
#include "process/mm.h"
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETSIZE 8 /* sizeof(sigset_t) of the kernel */

/* Flags that the kernel knows; it forgets the others (UAPI_SA_FLAGS). */
#define KNOWN_FLAGS                                                                            \
    ((uint64_t)SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SIG_SA_EXPOSE_TAGBITS | SA_ONSTACK | \
     SA_RESTART | SA_NODEFER | (uint32_t)SA_RESETHAND)

/* struct sigaction of asm-generic: with or without the restorer. */
static int read_action(const struct guest *g, uint64_t addr, struct guest_sigaction *act)
{
    uint64_t w[4] = {0};
    unsigned n = g->sa_restorer ? 4 : 3;
    if (mm_read(w, addr, n * sizeof(w[0])) != 0)
        return -EFAULT;
    act->handler = w[0];
    act->flags = w[1] & (KNOWN_FLAGS | (g->sa_restorer ? SIG_SA_RESTORER : 0));
    act->restorer = g->sa_restorer ? w[2] : 0;
    act->mask = w[n - 1] & ~SIG_NEVER;
    return 0;
}

static int write_action(const struct guest *g, uint64_t addr, const struct guest_sigaction *act)
{
    uint64_t w[4] = {act->handler, act->flags, act->restorer, act->mask};
    if (!g->sa_restorer)
        w[2] = act->mask;
    return mm_write(addr, w, (g->sa_restorer ? 4 : 3) * sizeof(w[0]));
}

int64_t sig_sys_sigaction(struct thread *t, int signo, uint64_t act, uint64_t oact,
                          uint64_t setsize)
{
    const struct guest *g = t->cpu.guest;
    struct guest_sigaction new, old;
    if (setsize != SETSIZE)
        return -EINVAL;
    if (act && read_action(g, act, &new) != 0)
        return -EFAULT;
    if (signo < 1 || signo > SIG_COUNT || (act && SIG_BIT(signo) & SIG_NEVER))
        return -EINVAL;

    struct sighand *sh = t->sighand;
    pthread_mutex_lock(&sh->lock);
    old = sh->action[signo - 1];
    if (act) {
        sh->action[signo - 1] = new;
        sig_host_action(signo, &new);
    }
    pthread_mutex_unlock(&sh->lock);
    return oact && write_action(g, oact, &old) != 0 ? -EFAULT : 0;
}

int64_t sig_sys_sigprocmask(struct thread *t, int how, uint64_t set, uint64_t oset,
                            uint64_t setsize)
{
    uint64_t old = t->sigmask, mask;
    if (setsize != SETSIZE)
        return -EINVAL;
    if (set) {
        if (mm_read_u64(set, &mask) != 0)
            return -EFAULT;
        mask &= ~SIG_NEVER;
        switch (how) {
        case SIG_BLOCK:
            mask |= old;
            break;
        case SIG_UNBLOCK:
            mask = old & ~mask;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        uint64_t host = mask & ~SIG_HOST_OPEN;
        int64_t ret = sig_syscall(t, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&host, 0,
                                  sizeof(host), 0, 0);
        if (ret != 0)
            return ret;
        t->sigmask = mask;
        if (sig_any_hidden(t))
            sig_set_mask(t, mask);
    }
    return oset && mm_write_u64(oset, old) != 0 ? -EFAULT : 0;
}

int64_t sig_sys_sigpending(struct thread *t, uint64_t set, uint64_t setsize)
{
    uint64_t pending = 0;
    if (setsize > SETSIZE)
        return -EINVAL;
    syscall(SYS_rt_sigpending, &pending, sizeof(pending));
    for (size_t i = 0; i < SIG_HIDDEN; i++) {
        if (t->hidden[i].signo)
            pending |= SIG_BIT(t->hidden[i].signo);
    }
    return mm_write(set, &pending, setsize);
}

/* The mask of the guest is `set` until sig_mask_end or the delivery of a signal. */
static void begin_mask(struct thread *t, uint64_t set)
{
    t->saved_sigmask = t->sigmask;
    t->sigmask = set & ~SIG_NEVER;
    t->call_sigmask = t->sigmask & ~SIG_HOST_OPEN;
    t->restore_sigmask = true;
}

int sig_mask_begin(struct thread *t, uint64_t set, uint64_t setsize)
{
    uint64_t mask;
    if (!set)
        return 0;
    if (setsize != SETSIZE)
        return -EINVAL;
    if (mm_read_u64(set, &mask) != 0)
        return -EFAULT;
    begin_mask(t, mask);
    return 0;
}

const uint64_t *sig_mask_host(struct thread *t)
{
    return t->restore_sigmask ? &t->call_sigmask : NULL;
}

void sig_mask_end(struct thread *t, int64_t result)
{
    if (!t->restore_sigmask)
        return;
    /* Interrupted: the handler runs with the temporary mask and restores the saved one. In every
     * other case the kernel has put the old mask back, and a signal that was caught is one
     * that the old mask lets through. */
    if (result == -EINTR && t->held.signo)
        return;
    t->sigmask = t->saved_sigmask;
    t->restore_sigmask = false;
}

int64_t sig_sys_sigsuspend(struct thread *t, uint64_t set, uint64_t setsize)
{
    uint64_t mask;
    if (setsize != SETSIZE)
        return -EINVAL;
    if (mm_read_u64(set, &mask) != 0)
        return -EFAULT;
    begin_mask(t, mask);
    int64_t ret;
    do {
        ret = -EINTR;
        uint64_t saved;
        sig_block_all(&saved);
        bool shown = !t->held.signo && sig_unhide(t);
        if (!shown) {
            sig_restore(saved);
            ret =
                sig_syscall(t, SYS_rt_sigsuspend, (uintptr_t)sig_mask_host(t), SETSIZE, 0, 0, 0, 0);
        }
    } while (ret == -EINTR && !t->held.signo); /* a signal that the guest ignores */
    sig_mask_end(t, ret);
    return ret;
}

int64_t sig_sys_sigtimedwait(struct thread *t, uint64_t set, uint64_t info, uint64_t ts,
                             uint64_t setsize)
{
    uint64_t mask;
    siginfo_t got;
    if (setsize != SETSIZE)
        return -EINVAL;
    if (mm_read_u64(set, &mask) != 0)
        return -EFAULT;
    struct timespec timeout;
    if (ts && mm_read(&timeout, ts, sizeof(timeout)) != 0)
        return -EFAULT;

    for (size_t i = 0; i < SIG_HIDDEN; i++) {
        struct sigheld *h = &t->hidden[i];
        if (h->signo && mask & SIG_BIT(h->signo)) {
            int signo = h->signo;
            got = h->info;
            h->signo = 0;
            return info && mm_write(info, &got, sizeof(got)) != 0 ? -EFAULT : signo;
        }
    }
    int64_t ret = sig_syscall(t, SYS_rt_sigtimedwait, (uintptr_t)&mask, (uintptr_t)&got,
                              ts ? (uintptr_t)&timeout : 0, SETSIZE, 0, 0);
    if (ret > 0 && info && mm_write(info, &got, sizeof(got)) != 0)
        return -EFAULT;
    return ret;
}

void sig_clear_handlers(struct thread *t)
{
    struct sighand *sh = t->sighand;
    pthread_mutex_lock(&sh->lock);
    for (int signo = 1; signo <= SIG_COUNT; signo++) {
        struct guest_sigaction *act = &sh->action[signo - 1];
        bool ignored = act->handler == GUEST_SIG_IGN;
        if (act->handler == GUEST_SIG_DFL)
            continue;
        memset(act, 0, sizeof(*act));
        act->handler = ignored ? GUEST_SIG_IGN : GUEST_SIG_DFL;
        sig_host_action(signo, act);
    }
    pthread_mutex_unlock(&sh->lock);
}
