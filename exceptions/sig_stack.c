/* The guest's alternate signal stack: the rules of sigaltstack(2) and of do_sigaltstack, on_sig_stack
 * and sas_ss_flags in the kernel.
 *
 * Threading: a thread's own state only.
 */
#include "exceptions/sig_internal.h"
#include "process/mm.h"
#include <errno.h>
#include <string.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

/* The kernel compares `sp > base && sp - base <= size`: a full stack points at its very base plus
 * size. With SS_AUTODISARM nobody is ever on it. */
static bool on_altstack(const struct thread *t, uint64_t sp)
{
    const stack_t *ss = &t->altstack;
    uint64_t base = (uintptr_t)ss->ss_sp;
    if ((unsigned)ss->ss_flags & SS_AUTODISARM)
        return false;
    return sp > base && sp - base <= ss->ss_size;
}

int sig_altstack_state(const struct thread *t, uint64_t sp)
{
    if (!t->altstack.ss_size)
        return SS_DISABLE;
    return on_altstack(t, sp) ? SS_ONSTACK : 0;
}

int sig_altstack_set(struct thread *t, const stack_t *ss, uint64_t sp)
{
    unsigned mode = (unsigned)ss->ss_flags & ~SS_AUTODISARM;
    if (on_altstack(t, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        t->altstack = (stack_t){.ss_flags = ss->ss_flags};
        return 0;
    }
    if (ss->ss_size < t->cpu.guest->sigframe_min_stack)
        return -ENOMEM;
    t->altstack = (stack_t){.ss_sp = ss->ss_sp, .ss_size = ss->ss_size, .ss_flags = ss->ss_flags};
    return 0;
}

int64_t sig_sys_sigaltstack(struct thread *t, uint64_t ss, uint64_t oss)
{
    uint64_t sp = t->cpu.r[t->cpu.guest->sp_slot];
    stack_t new, old;
    if (ss && mm_read(&new, ss, sizeof(new)) != 0)
        return -EFAULT;

    memset(&old, 0, sizeof(old)); /* the padding goes out too */
    old.ss_sp = t->altstack.ss_sp;
    old.ss_size = t->altstack.ss_size;
    old.ss_flags =
        sig_altstack_state(t, sp) | (int)((unsigned)t->altstack.ss_flags & SS_AUTODISARM);

    int rc = ss ? sig_altstack_set(t, &new, sp) : 0;
    if (rc == 0 && oss && mm_write(oss, &old, sizeof(old)) != 0)
        rc = -EFAULT;
    return rc;
}
