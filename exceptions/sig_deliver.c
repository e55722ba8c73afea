/* Delivery of signals to the guest: frames, masks, default actions of what was caught.
 *
 * Invariants: everything here runs outside signal context and outside the engines, with the cpu
 * canonical. sig_deliver is entered with the held signal's host mask (all blocked) and leaves with the
 * guest's, so the next pending signal is caught at once and delivered on top, before any guest
 * instruction, as the kernel does.
 *
 * Threading: the calling thread's state; dispositions under the sighand lock.
 */
#include "base/log.h"
#include "base/report.h"
#include "exceptions/sig_internal.h"
#include "exceptions/trace.h"
#include "process/mm.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME_MAX 8192 /* of any guest; checked against sigframe_max */

void (*sig_trace)(struct thread *t, const siginfo_t *info);
bool (*sig_debug)(struct thread *t, const siginfo_t *info);

void sig_hide(struct thread *t, int signo, const siginfo_t *info)
{
    struct sigheld *h = &t->hidden[signo == SIGBUS ? 1 : signo == SIGFPE ? 2 : 0];
    if (!h->signo) {
        h->info = *info;
        h->signo = signo;
    }
}

bool sig_any_hidden(const struct thread *t)
{
    bool any = false;
    for (size_t i = 0; i < SIG_HIDDEN; i++)
        any |= t->hidden[i].signo != 0;
    return any;
}

bool sig_unhide(struct thread *t)
{
    for (size_t i = 0; i < SIG_HIDDEN && !t->held.signo; i++) {
        struct sigheld *h = &t->hidden[i];
        if (!h->signo || t->sigmask & SIG_BIT(h->signo))
            continue;
        t->held.info = h->info;
        t->held.signo = h->signo;
        h->signo = 0;
        cpu_ask_out(&t->cpu);
        return true;
    }
    return false;
}

void sig_set_mask(struct thread *t, uint64_t mask)
{
    uint64_t saved, host;
    t->sigmask = mask & ~SIG_NEVER;
    host = t->sigmask & ~SIG_HOST_OPEN;
    if (sig_any_hidden(t)) {
        sig_block_all(&saved);
        if (!t->held.signo && !sig_unhide(t))
            sig_host_setmask(host);
        return;
    }
    /* Not done when a signal is held. One that arrived under the old mask and is blocked by the new
     * one goes back when its turn comes. A tracer's wish has to wait. */
    int wake = 0;
    int64_t rc;
    do {
        wake |= t->held.wake;
        t->held.wake = 0;
        rc = sig_syscall(t, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&host, 0, sizeof(host), 0,
                         0);
    } while (rc == -SIG_RESTART && !t->held.signo);
    if (wake)
        t->held.wake = 1;
}

_Noreturn void sig_die(int signo)
{
    if (thread_self && thread_self->trace.on)
        thread_self->trace.skip_host = (uint32_t)signo; /* it has had its stop */
    report_die(signo);
}

/* The action to take for a signal that is being delivered; SA_RESETHAND takes effect here. */
static struct guest_sigaction take_action(struct thread *t, int signo)
{
    struct sighand *sh = t->sighand;
    pthread_mutex_lock(&sh->lock);
    struct guest_sigaction act = sh->action[signo - 1];
    bool caught = act.handler != GUEST_SIG_DFL && act.handler != GUEST_SIG_IGN;
    if (caught && act.flags & (uint32_t)SA_RESETHAND) {
        sh->action[signo - 1].handler = GUEST_SIG_DFL;
        sig_host_action(signo, &sh->action[signo - 1]);
    }
    pthread_mutex_unlock(&sh->lock);
    return act;
}

/* Build the handler's frame and enter it. False: the frame cannot be written. */
static bool enter_handler(struct thread *t, int signo, const siginfo_t *info,
                          const struct guest_sigaction *act, uint64_t fault_addr)
{
    struct cpu *cpu = &t->cpu;
    const struct guest *g = cpu->guest;
    uint64_t sp = cpu->r[g->sp_slot];
    int where = sig_altstack_state(t, sp);
    if (act->flags & SA_ONSTACK && where == 0) {
        sp = (uintptr_t)t->altstack.ss_sp + t->altstack.ss_size;
        where = SS_ONSTACK;
    }
    uint64_t restorer = process.vdso ? process.vdso + g->vdso_sigreturn : 0;
    if (g->sa_restorer && act->flags & SIG_SA_RESTORER)
        restorer = act->restorer;
    struct sigframe_in in = {
        .signo = signo,
        .info = info,
        .handler = act->handler,
        .restorer = restorer,
        .flags = act->flags,
        .mask = t->restore_sigmask ? t->saved_sigmask : t->sigmask,
        .altstack = t->altstack,
        .sp = sp,
    };

    if (g->sigframe_max > FRAME_MAX)
        vm_bug("a signal frame of %s has up to %zu bytes", g->name, g->sigframe_max);
    _Alignas(16) unsigned char frame[FRAME_MAX];
    uint64_t before[CPU_TEMP_BASE];
    memcpy(before, cpu->r, g->nslots * sizeof(before[0]));
    uint64_t frame_sp = 0;
    size_t size = g->sigframe_build(cpu, &in, frame, &frame_sp);

    /* A frame that would leave the alternate stack is not written at all. */
    if (log_enabled(LOG_INT))
        log_printf("int: thread %d, signal %d (code %d, address %#llx) at %#llx, handler %#llx\n",
                   (int)t->tid, signo, info->si_code, (unsigned long long)fault_addr,
                   (unsigned long long)before[g->pc_slot], (unsigned long long)act->handler);
    bool fits = where != SS_ONSTACK || sig_altstack_state(t, frame_sp) == SS_ONSTACK ||
                (unsigned)t->altstack.ss_flags >> 31;
    if (!fits || mm_write(frame_sp, frame, size) != 0) {
        memcpy(cpu->r, before, g->nslots * sizeof(before[0]));
        return false;
    }
    if ((unsigned)t->altstack.ss_flags >> 31) /* SS_AUTODISARM */
        t->altstack = (stack_t){.ss_flags = SS_DISABLE};
    cpu->res_addr = UINT64_MAX; /* a trap ends a reservation */

    uint64_t mask = t->sigmask | act->mask;
    if (!(act->flags & SA_NODEFER))
        mask |= SIG_BIT(signo);
    t->restore_sigmask = false;
    sig_set_mask(t, mask);
    if (trace_steps(t))
        trace_stepped(t); /* signal_setup_done: before the handler's first instruction */
    return true;
}

void sig_force_segv(struct thread *t)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGSEGV;
    info.si_code = SI_KERNEL;
    if (t->sigmask & SIG_BIT(SIGSEGV))
        sig_die(SIGSEGV);
    struct guest_sigaction act = take_action(t, SIGSEGV);
    if (act.handler == GUEST_SIG_DFL || act.handler == GUEST_SIG_IGN ||
        !enter_handler(t, SIGSEGV, &info, &act, 0))
        sig_die(SIGSEGV);
}

/* A fault's signal at a traced thread: false when the tracer takes it away or exchanges it. */
static bool traced_fault(struct thread *t, const siginfo_t *info)
{
    siginfo_t now = *info;
    if (!t->trace.on)
        return true;
    if (!trace_signal(t, &now))
        return false;
    if (now.si_signo == info->si_signo)
        return true;
    t->trace.skip_host = t->trace.skip_guest = (uint32_t)now.si_signo;
    sig_host_requeue(now.si_signo, &now);
    return false;
}

void sig_force(struct thread *t, const siginfo_t *info, uint64_t fault_addr)
{
    int signo = info->si_signo;
    if (sig_trace)
        sig_trace(t, info);
    if ((sig_debug && !sig_debug(t, info)) || !traced_fault(t, info))
        return;

    /* As force_sig_info does: what cannot be handled now kills. */
    if (t->sigmask & SIG_BIT(signo))
        sig_die(signo);
    struct guest_sigaction act = take_action(t, signo);
    if (act.handler == GUEST_SIG_DFL || act.handler == GUEST_SIG_IGN)
        sig_die(signo);
    const struct guest *g = t->cpu.guest;
    siginfo_t untagged = *info;
    if (g->untag && (signo == SIGSEGV || signo == SIGBUS)) {
        fault_addr = g->untag(fault_addr);
        if (!(act.flags & SIG_SA_EXPOSE_TAGBITS))
            untagged.si_addr = mm_g2h(fault_addr);
    }
    if (!enter_handler(t, signo, &untagged, &act, fault_addr)) {
        if (signo == SIGSEGV)
            sig_die(SIGSEGV);
        sig_force_segv(t);
    }
}

void sig_fault(struct thread *t, int signo, int code, uint64_t addr)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = signo;
    info.si_code = code;
    info.si_addr = mm_g2h(addr);
    if (t->cpu.guest->note_fault)
        t->cpu.guest->note_fault(&t->cpu, signo, code, addr);
    sig_force(t, &info, addr);
}

/* The signal is not delivered after all: back to the mask without it. */
static void drop(struct thread *t)
{
    uint64_t mask = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
    t->restore_sigmask = false;
    sig_set_mask(t, mask);
}

void sig_deliver(struct thread *t)
{
    if (!t->held.signo)
        return;
    int signo = t->held.signo;
    siginfo_t info = t->held.info;
    t->held.signo = 0; /* the host still blocks everything */

    if (t->sigmask & SIG_BIT(signo)) {
        /* A synchronous signal's handler, entered after this one was caught, blocks it: it goes
         * back to where pending signals wait. */
        if (SIG_BIT(signo) & SIG_HOST_OPEN) {
            sig_hide(t, signo, &info);
        } else {
            sig_host_requeue(signo, &info);
        }
        sig_set_mask(t, t->sigmask);
        return;
    }

    if ((sig_debug && !sig_debug(t, &info)) || (t->trace.on && !trace_signal(t, &info))) {
        drop(t);
        return;
    }
    if (info.si_signo != signo) {
        /* The tracer has exchanged it. */
        t->trace.skip_host = t->trace.skip_guest = (uint32_t)info.si_signo;
        sig_host_requeue(info.si_signo, &info);
        drop(t);
        return;
    }
    struct guest_sigaction act = take_action(t, signo);
    if (act.handler == GUEST_SIG_IGN) {
        drop(t);
        return;
    }
    if (act.handler == GUEST_SIG_DFL) {
        /* One that we always catch, or another thread has just changed the disposition: now the
         * default action is the kernel's to take. */
        if (SIG_BIT(signo) & SIG_ALWAYS)
            sig_die(signo);
        if (!(SIG_BIT(signo) & SIG_DFL_IGNORED)) {
            t->trace.skip_host = (uint32_t)signo;
            sig_host_requeue(signo, &info);
        }
        drop(t);
        return;
    }
    if (sig_trace)
        sig_trace(t, &info);
    if (!enter_handler(t, signo, &info, &act, 0)) {
        if (signo == SIGSEGV)
            sig_die(SIGSEGV);
        drop(t);
        sig_force_segv(t);
    }
}

void sig_sys_sigreturn(struct thread *t)
{
    struct cpu *cpu = &t->cpu;
    const struct guest *g = cpu->guest;
    _Alignas(16) unsigned char frame[FRAME_MAX];
    size_t size = g->sigframe_size();
    uint64_t mask = 0;
    stack_t ss = {.ss_flags = SS_DISABLE};
    t->trace.calling = 0; /* the registers are going to be others */
    if (size > FRAME_MAX)
        vm_bug("a signal frame of %s has %zu bytes", g->name, size);
    if (mm_read(frame, cpu->r[g->sp_slot], size) != 0 ||
        g->sigframe_parse(cpu, frame, size, &mask, &ss) != 0) {
        sig_force_segv(t);
        return;
    }
    cpu->res_addr = UINT64_MAX;
    sig_altstack_set(t, &ss, cpu->r[g->sp_slot]); /* errors are ignored, as by restore_altstack */
    sig_set_mask(t, mask);
}

void sig_clone(struct thread *t, const struct thread *from, uint64_t flags)
{
    t->sigmask = from->restore_sigmask ? from->saved_sigmask : from->sigmask;
    t->restore_sigmask = false;
    t->held.signo = t->held.wake = 0;
    for (size_t i = 0; i < SIG_HIDDEN; i++)
        t->hidden[i].signo = 0;
    t->cpu.pending = 0;
    if ((flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        t->altstack = (stack_t){.ss_flags = SS_DISABLE};
    else
        t->altstack = from->altstack;
}
