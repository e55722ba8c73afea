/* The traced side of ptrace: see trace.h.
 *
 * A stop is a signal that the thread sends to itself and that its tracer's VM recognises by its code: to the host's kernel
 * it is the stop of any traced thread before a signal, so waiting, zombies and the tracer's death are the kernel's. The
 * tracer reads and changes registers and struct trace in this process's memory, and never lets that signal through: if it
 * arrives, there is no tracer any more (sig_host.c sets `lost` then).
 *
 * Threading: see trace.h.
 */
#include "exceptions/trace.h"
#include "base/report.h"
#include "codecache/blocks.h"
#include "exceptions/sig_internal.h"
#include <errno.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What newer headers name PTRACE_EVENT_STOP. */
#define EVENT_STOP 128
#define EVENT(n) ((n) << 8)

static pthread_mutex_t writes_lock = PTHREAD_MUTEX_INITIALIZER; /* before the code cache's */

/* Code that the tracer has written to (breakpoints, most of all) is to be lifted anew. */
static void take_writes(void)
{
    struct trace_root *r = &trace_root;
    pthread_mutex_lock(&writes_lock);
    uint32_t head = __atomic_load_n(&r->write_head, __ATOMIC_ACQUIRE);
    if (head - r->write_tail > TRACE_WRITES)
        cc_invalidate(0, GUEST_ADDR_END); /* more than the ring holds */
    else
        for (uint32_t i = r->write_tail; i != head; i++)
            cc_invalidate(r->writes[i % TRACE_WRITES].addr, r->writes[i % TRACE_WRITES].len);
    __atomic_store_n(&r->write_tail, head, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&writes_lock);
}

/* Stop until the tracer lets us go, which has then said in t->trace how. */
static void stop(struct thread *t, int status)
{
    struct trace *x = &t->trace;
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = SIGSEGV;
    info.si_code = TRACE_CODE_STOP;
    info.si_pid = getpid();
    info.si_value.sival_ptr = t;
    x->status = status;
    x->signo = 0;
    x->lost = 0;
    x->stops++;
    sig_host_requeue(SIGSEGV, &info);
    x->op = TRACE_OP_NONE;
    if (!x->on)
        x->how = TRACE_CONT;
    if (trace_root.write_head != trace_root.write_tail)
        take_writes();
}

/* A siginfo as of kill(2) by the tracer. */
static void sent_by_tracer(siginfo_t *info, int signo)
{
    memset(info, 0, sizeof(*info));
    info->si_signo = signo;
    info->si_code = SI_USER;
    info->si_pid = getppid();
    info->si_uid = getuid();
}

bool trace_signal(struct thread *t, siginfo_t *info)
{
    struct trace *x = &t->trace;
    if (x->skip_guest == (uint32_t)info->si_signo) {
        x->skip_guest = 0;
        return true;
    }
    x->info = *info;
    stop(t, info->si_signo);
    if (x->lost)
        return true;
    if (!x->signo)
        return false;
    if (x->signo == info->si_signo)
        *info = x->info;
    else
        sent_by_tracer(info, x->signo);
    return true;
}

/* The signal has had its stop: now it acts, by the host's kernel where that is the default action. */
static void let_through(struct thread *t, siginfo_t *info)
{
    struct trace *x = &t->trace;
    int signo = info->si_signo;
    uint64_t handler = t->sighand->action[signo - 1].handler;
    bool caught = handler != GUEST_SIG_DFL && handler != GUEST_SIG_IGN;
    if (handler == GUEST_SIG_IGN || (!caught && SIG_BIT(signo) & SIG_DFL_IGNORED))
        return;
    x->skip_host = (uint32_t)signo;
    x->skip_guest = caught ? (uint32_t)signo : 0;
    x->at_rest = 1;
    sig_host_requeue(signo, info);
    x->at_rest = 0;
}

/* A stop by a signal that the kernel would have sent. */
static void signal_stop(struct thread *t, int signo)
{
    siginfo_t info;
    sent_by_tracer(&info, signo);
    if (trace_signal(t, &info))
        let_through(t, &info);
}

static int call_status(const struct trace *x)
{
    return SIGTRAP | (x->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
}

/* The stop at a system call: the tracer's signal is sent, as ptrace_report_syscall does. */
static void call_stop(struct thread *t, unsigned op)
{
    struct trace *x = &t->trace;
    x->op = op;
    stop(t, call_status(x));
    if (x->signo && !x->lost)
        syscall(SYS_tgkill, getpid(), t->tid, x->signo);
}

void trace_serve(struct thread *t)
{
    struct trace *x = &t->trace;
    t->held.wake = 0;
    unsigned request = __atomic_exchange_n(&x->request, 0, __ATOMIC_ACQ_REL);

    if (trace_root.write_head != trace_root.write_tail)
        take_writes();
    if (request & TRACE_FRESH) {
        x->fresh = 0;
        if (x->seized)
            stop(t, SIGTRAP | EVENT(EVENT_STOP));
        else
            signal_stop(t, SIGSTOP);
    }
    if (request & TRACE_EXEC) {
        if (x->options & PTRACE_O_TRACEEXEC)
            stop(t, SIGTRAP | EVENT(PTRACE_EVENT_EXEC));
        if (x->how == TRACE_SYSCALL)
            call_stop(t, TRACE_OP_EXIT);
        if (!(x->options & PTRACE_O_TRACEEXEC) && !x->seized && x->on)
            signal_stop(t, SIGTRAP);
    }
    if (request & TRACE_SIGNAL) {
        /* More may be caught at any of these stops. */
        for (unsigned i = 0; i < x->ncaught; i++) {
            siginfo_t info = x->caught[i];
            if (trace_signal(t, &info))
                let_through(t, &info);
        }
        x->ncaught = 0;
    }
    if (request & TRACE_GROUP) {
        x->skip_host = x->group;
        x->at_rest = 1;
        syscall(SYS_tgkill, getpid(), t->tid, (int)x->group);
        x->at_rest = 0;
    }
    if (request & TRACE_INTERRUPT)
        stop(t, SIGTRAP | EVENT(EVENT_STOP));
}

bool trace_syscall_enter(struct thread *t, uint64_t *nr)
{
    struct trace *x = &t->trace;
    bool emulate = x->how == TRACE_SYSEMU;
    if (x->how != TRACE_SYSCALL && !emulate)
        return true;
    x->nr = *nr;
    x->ret = -ENOSYS;
    call_stop(t, TRACE_OP_ENTRY);
    *nr = x->nr;
    return !emulate && (int32_t)x->nr != -1;
}

bool trace_syscall_leave(struct thread *t, bool restart)
{
    const struct guest *g = t->cpu.guest;
    struct trace *x = &t->trace;
    uint64_t *r = t->cpu.r, first = r[g->sysret_slot], pc = r[g->pc_slot];
    bool told = x->told;
    x->told = 0;
    if (x->regs_set) {
        x->regs_set = 0;
        return false;
    }
    if (x->how != TRACE_SYSCALL || told)
        return true;
    if (restart)
        r[g->sysret_slot] = (uint64_t)-SIG_RESTART;
    call_stop(t, TRACE_OP_EXIT);
    if (!restart)
        return true;
    if (r[g->pc_slot] != pc || r[g->sysret_slot] != (uint64_t)-SIG_RESTART)
        return false;
    r[g->sysret_slot] = first;
    return true;
}

bool trace_seccomp(struct thread *t, uint64_t nr, uint32_t data, int64_t *result)
{
    struct trace *x = &t->trace;
    x->nr = nr;
    x->ret = -ENOSYS;
    x->message = data;
    x->op = TRACE_OP_SECCOMP;
    stop(t, SIGTRAP | EVENT(PTRACE_EVENT_SECCOMP));
    *result = x->ret;
    return (int32_t)x->nr != -1;
}

void trace_stepped(struct thread *t)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGTRAP;
    info.si_code = TRAP_TRACE;
    info.si_addr = (void *)(uintptr_t)t->cpu.r[t->cpu.guest->pc_slot];
    if (trace_signal(t, &info))
        let_through(t, &info);
}

void trace_exit(struct thread *t, int status)
{
    struct trace *x = &t->trace;
    if (!x->on || !(x->options & PTRACE_O_TRACEEXIT))
        return;
    x->message = (uint64_t)(status & 0xff) << 8;
    stop(t, SIGTRAP | EVENT(PTRACE_EVENT_EXIT));
}

/* kernel/fork.c: which option of the tracer's is about such a clone. */
static uint32_t option_for(uint64_t flags, int exit_signal)
{
    if (flags & CLONE_UNTRACED)
        return 0;
    if (flags & CLONE_VFORK)
        return PTRACE_O_TRACEVFORK;
    return exit_signal == SIGCHLD ? PTRACE_O_TRACEFORK : PTRACE_O_TRACECLONE;
}

void trace_clone(struct thread *t, const struct thread *from, uint64_t flags, int exit_signal)
{
    struct trace x = {.on = 0}, parent = from->trace;
    if (parent.on && (parent.options & option_for(flags, exit_signal) || flags & CLONE_PTRACE)) {
        x.on = 1;
        x.seized = parent.seized;
        x.options = parent.options;
        x.fresh = 1;
        x.request = TRACE_FRESH;
        cpu_ask_out(&t->cpu);
    }
    t->trace = x;
}

void trace_save(const struct thread *t, char *text, size_t size)
{
    const struct trace *x = &t->trace;
    snprintf(text, size, "%u:%u:%u", x->seized, x->options, x->how);
}

bool trace_restore(struct thread *t, const char *text)
{
    struct trace *x = &t->trace;
    if (sscanf(text, "%u:%u:%u", &x->seized, &x->options, &x->how) != 3)
        return false;
    x->on = 1;
    x->request = TRACE_EXEC;
    cpu_ask_out(&t->cpu);
    return true;
}
