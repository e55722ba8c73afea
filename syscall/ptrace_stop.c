/* The tracing side of ptrace: which of the host's stops of a traced thread the guest is told of; wait4 and waitid.
 *
 * The host's kernel stops a traced thread wherever it is, in translated code too, where there are no guest registers to
 * be seen. So a stop is shown only if the thread is at rest: it stopped itself, is in a host call that waits, or makes a child. From
 * any other it is sent on at once, with the signal that the kernel had for it or with the VM's own (TRACE_CODE_WAKE), and
 * comes to rest by itself.
 *
 * Threading: tracee_lock, not held while waiting.
 */
#include "syscall/ptrace.h"
#include "syscall/sys_int.h"
#include "syscall/tracee.h"
#include <linux/ptrace.h>
#include <string.h>
#include <sys/wait.h>

#define EVENT_STOP 128 /* PTRACE_EVENT_STOP */

int64_t ptrace_host(long request, pid_t tid, uint64_t addr, uint64_t data)
{
    return host_call(SYS_ptrace, (uint64_t)request, (uint64_t)tid, addr, data, 0, 0);
}

static bool go_on(struct tracee *x, int signo)
{
    ptrace_host(PTRACE_CONT, x->tid, 0, (uint64_t)signo);
    return false;
}

/* The signal that makes a thread look at its requests. */
static siginfo_t wake_info(void)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGSEGV;
    info.si_code = TRACE_CODE_WAKE;
    info.si_pid = getpid();
    return info;
}

/* x is in no stop in which signals can be exchanged. */
static bool wake_and_go_on(struct tracee *x)
{
    siginfo_t info = wake_info();
    host_call(SYS_rt_tgsigqueueinfo, (uint64_t)x->tgid, (uint64_t)x->tid, SIGSEGV, (uintptr_t)&info,
              0, 0);
    return go_on(x, 0);
}

/* Is x in a host call on the guest's behalf that waits, or that has not begun, or is just done? Then the guest's registers
 * stand as they were before the call. (That it is interrupted is seen from the result, of which no caller ever learns.) */
static bool in_call(struct tracee *x, const struct trace *tr)
{
    struct user_regs_struct r;
    if (!tr->calling || ptrace_host(PTRACE_GETREGS, x->tid, 0, (uintptr_t)&r) != 0 ||
        r.rip < x->call_test || r.rip > x->call_done)
        return false;
    x->done = false;
    x->result = -SIG_RESTART;
    if (r.rip < x->call_done)
        return true;
    x->result = (int64_t)r.rax;
    switch (-x->result) {
    case 512: /* ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK */
    case 513:
    case 514:
    case 516:
        break;
    default:
        x->done = true;
    }
    return true;
}

bool ptrace_caught(const struct tracee *x, int signo)
{
    uint64_t hand, handler;
    return tracee_read(x, &hand, x->thread + offsetof(struct thread, sighand), 8) &&
           tracee_read(x, &handler, hand + offsetof(struct sighand, action[signo - 1].handler),
                       8) &&
           handler > (uintptr_t)SIG_IGN;
}

static bool shown(struct tracee *x, enum tracee_stop stop, int status)
{
    x->stop = stop;
    x->status = status;
    return true;
}

/* A stop in a call; its end comes before, if the tracer wants to know. */
static bool shown_in_call(struct tracee *x, const struct trace *tr, int status)
{
    x->next = status;
    if (tr->how != TRACE_SYSCALL || tr->told)
        return shown(x, TRACEE_CALL, status);
    return shown(x, TRACEE_CALL_EXIT, SIGTRAP | (tr->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0));
}

/* The whole process is stopped, or an interruption was asked for. */
static bool host_stop(struct tracee *x, struct trace *tr, int signo)
{
    int event = tr->seized ? EVENT_STOP << 8 : 0;
    if (signo == SIGTRAP && (!tr->seized || tr->fresh))
        return go_on(x, 0);
    if (in_call(x, tr))
        return shown_in_call(x, tr, signo | event);
    if (tr->at_rest)
        return shown(x, TRACEE_REST, signo | event);
    tr->request |= signo == SIGTRAP ? TRACE_INTERRUPT : TRACE_GROUP;
    tr->group = signo == SIGTRAP ? tr->group : (uint32_t)signo;
    tracee_put_trace(x, tr);
    return wake_and_go_on(x);
}

/* The host's kernel is about to deliver a signal. */
static bool host_signal(struct tracee *x, struct trace *tr, int signo, const siginfo_t *info)
{
    bool synchronous = signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE ||
                       signo == SIGTRAP;
    if (tr->fresh && signo == SIGSTOP)
        return go_on(x, 0);
    if (tr->skip_host == (uint32_t)signo) {
        tr->skip_host = 0;
        tracee_put_trace(x, tr);
        return go_on(x, signo);
    }
    if (synchronous && info->si_code > 0)
        return go_on(x, signo); /* a fault: the VM's or the guest's, it will tell */
    if (in_call(x, tr)) {
        x->info = *info;
        x->has_info = true;
        return shown_in_call(x, tr, signo);
    }
    if (synchronous || ptrace_caught(x, signo) || tr->ncaught == TRACE_CAUGHT)
        return go_on(x, signo); /* the VM catches it, and stops before it delivers it */
    tr->caught[tr->ncaught++] = *info;
    tr->request |= TRACE_SIGNAL;
    tracee_put_trace(x, tr);
    siginfo_t wake = wake_info();
    ptrace_host(PTRACE_SETSIGINFO, x->tid, 0, (uintptr_t)&wake);
    return go_on(x, SIGSEGV);
}

/* A thread of which nothing is known: it has just been made, has just executed a program, or runs one of the host's
 * own kind. */
static bool stranger(struct tracee *x, int signo, int event, const siginfo_t *info)
{
    if (event || !info || signo == SIGSTOP)
        return go_on(x, 0);
    if (signo != SIGTRAP || info->si_code != SI_USER)
        return go_on(x, signo);
    /* The kernel's of an execve, from PTRACE_TRACEME on: we have a say only now. */
    ptrace_host(PTRACE_SETOPTIONS, x->tid, 0, PTRACE_O_TRACEEXEC);
    return go_on(x, 0);
}

static bool classify(struct tracee *x, int signo, int event, const siginfo_t *info)
{
    struct trace tr;
    uint64_t message = 0;

    x->stop = TRACEE_RUNS;
    x->has_info = x->regs_set = x->report = false;
    if (event == PTRACE_EVENT_EXEC) {
        ptrace_host(PTRACE_GETEVENTMSG, x->tid, 0, (uintptr_t)&message);
        if ((pid_t)message != x->tid)
            tracee_forget((pid_t)message); /* its name until now */
        x->message = message;
        x->thread = x->root = x->threads = 0;
        return go_on(x, 0);
    }
    if (event == PTRACE_EVENT_EXIT) {
        x->thread = 0;
        if (!tracee_locate(x)) /* it has told of its end by itself (trace_exit) */
            return go_on(x, 0);
    }
    if (event && event != EVENT_STOP) {
        tracee_locate(x);
        return shown(x, TRACEE_EVENT, signo | event << 8);
    }
    if (info && signo == SIGSEGV && info->si_code == TRACE_CODE_WAKE)
        return go_on(x, signo);
    if (!tracee_locate(x) || !tracee_get_trace(x, &tr) || !tr.on)
        return stranger(x, signo, event, info);
    if (!tr.seized && !tr.options)
        ptrace_host(PTRACE_SETOPTIONS, x->tid, 0, PTRACE_O_TRACEEXEC);
    if (info && signo == SIGSEGV && info->si_code == TRACE_CODE_STOP)
        return shown(x, TRACEE_SELF, tr.status);
    if (event || !info)
        return host_stop(x, &tr, signo);
    return host_signal(x, &tr, signo, info);
}

/* The status of a stopped thread, as the host's wait gives it: false when the guest is not told of the stop. */
static bool stop_shown(pid_t tid, int *status)
{
    siginfo_t info;
    int64_t rc = ptrace_host(PTRACE_GETSIGINFO, tid, 0, (uintptr_t)&info);
    if (rc == -ESRCH)
        return true; /* a child that is stopped, and not traced by this thread */
    tracee_lock();
    struct tracee *x = tracee_get(tid);
    bool show = x && classify(x, WSTOPSIG(*status), *status >> 16, rc == 0 ? &info : NULL);
    if (show)
        *status = x->status << 8 | 0x7f;
    tracee_unlock();
    return show;
}

struct wanted {
    idtype_t type;
    pid_t id;
};

static bool is_wanted(struct tracee *x, void *arg)
{
    const struct wanted *w = arg;
    return x->report && (w->type != P_PID || w->id == x->tid);
}

/* A stop that the host does not tell of, since it told another in its place. */
static pid_t take_report(idtype_t type, pid_t id, bool keep, int *status)
{
    struct wanted w = {type, id};
    pid_t tid = 0;
    tracee_lock();
    struct tracee *x = tracee_search(is_wanted, &w);
    if (x) {
        tid = x->tid;
        *status = x->status << 8 | 0x7f;
        x->report = keep;
    }
    tracee_unlock();
    return tid;
}

static void ended(pid_t tid)
{
    tracee_lock();
    tracee_forget(tid);
    tracee_unlock();
    sys_hooks.reap_processes();
}

int64_t sys_wait4(struct thread *t, const uint64_t *a)
{
    int status = 0;
    int64_t ret = take_report((int)a[0] > 0 ? P_PID : P_ALL, (pid_t)a[0], false, &status);
    while (!ret) {
        ret = sig_syscall(t, SYS_wait4, a[0], (uintptr_t)&status, a[2], a[3], 0, 0);
        if (ret <= 0)
            return ret;
        if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
            ended((pid_t)ret);
        else if (WIFSTOPPED(status) && !stop_shown((pid_t)ret, &status))
            ret = 0;
    }
    return a[1] && mm_write_u32(a[1], (uint32_t)status) ? -EFAULT : ret;
}

int64_t sys_waitid(struct thread *t, const uint64_t *a)
{
    siginfo_t info;
    int status = 0;
    int64_t ret = 0;
    pid_t tid =
        a[3] & WSTOPPED ? take_report((idtype_t)a[0], (pid_t)a[1], a[3] & WNOWAIT, &status) : 0;
    memset(&info, 0, sizeof(info));
    if (tid) {
        info.si_signo = SIGCHLD;
        info.si_code = CLD_TRAPPED;
        info.si_pid = tid;
        info.si_status = status >> 8;
    }
    while (!tid) {
        ret = sig_syscall(t, SYS_waitid, a[0], a[1], (uintptr_t)&info, a[3], a[4], 0);
        if (ret == -SIG_RESTART)
            return ret;
        tid = info.si_pid;
        if (ret < 0 || !tid)
            break;
        if (info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED) {
            status = info.si_status << 8 | 0x7f;
            if (!stop_shown(tid, &status))
                tid = 0;
            info.si_status = status >> 8;
        } else if (info.si_code != CLD_CONTINUED && !(a[3] & WNOWAIT)) {
            ended(tid);
        }
    }
    /* The fields that the kernel writes (kernel/exit.c), each by its place; after a failure too. */
    const uint32_t word[6] = {(uint32_t)info.si_signo, 0,           (uint32_t)info.si_code,
                              (uint32_t)info.si_pid,   info.si_uid, (uint32_t)info.si_status};
    static const unsigned at[6] = {0, 4, 8, 16, 20, 24};
    for (unsigned i = 0; a[2] && i < 6; i++)
        if (mm_write_u32(a[2] + at[i], word[i]))
            return -EFAULT;
    return ret;
}
