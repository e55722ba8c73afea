/* Error messages, and reports of the VM's own bugs; see report.h. */
#include "base/report.h"
#include "base/host.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CALLBACKS 8

static struct {
    void (*fn)(void *arg);
    void *arg;
} callbacks[MAX_CALLBACKS];
static unsigned callback_count;
static _Atomic pid_t reporting_tid; /* the thread that reports a bug; 0: none */

static void write_line(const char *prefix, const char *fmt, va_list ap)
{
    char buf[1024];
    size_t len = strlen(prefix);
    memcpy(buf, prefix, len);
    int n = vsnprintf(buf + len, sizeof(buf) - len - 1, fmt, ap);
    if (n > 0)
        len += strlen(buf + len);
    buf[len++] = '\n';
    host_write_all(STDERR_FILENO, buf, len);
}

void report_verror(const char *fmt, va_list ap)
{
    write_line("dragoman: ", fmt, ap);
}

void report_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_verror(fmt, ap);
    va_end(ap);
}

void report_line(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line("dragoman:   ", fmt, ap);
    va_end(ap);
}

void report_add_callback(void (*fn)(void *arg), void *arg)
{
    if (callback_count == MAX_CALLBACKS)
        vm_bug("more than %d report callbacks", MAX_CALLBACKS);
    callbacks[callback_count].fn = fn;
    callbacks[callback_count].arg = arg;
    callback_count++;
}

_Noreturn void report_die(int signo)
{
    struct sigaction dfl;
    memset(&dfl, 0, sizeof(dfl));
    dfl.sa_handler = SIG_DFL;
    sigaction(signo, &dfl, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signo);
    _exit(128 + signo); /* only where the signal's default is not to kill */
}

_Noreturn void report_no_memory(const char *fmt, ...)
{
    char what[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    report_error(
        "no memory for %s, which the host refuses; raise the limits (ulimit -v, ulimit -d, "
        "the control group's) or end other programs",
        what);
    report_die(SIGABRT);
}

/* A fault while reporting: say so, and die as was meant. */
static void on_second_fault(int signo)
{
    report_error("the report broke off by signal %d", signo);
    report_die(SIGABRT);
}

static void catch_second_faults(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = on_second_fault;
    act.sa_flags = SA_ONSTACK | SA_NODEFER;
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigaction(faults[i], &act, NULL);
        sigaddset(&set, faults[i]);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

_Noreturn void report_bug(const char *file, int line, void *ucontext, const char *fmt, ...)
{
    pid_t self = (pid_t)syscall(SYS_gettid), none = 0;
    if (!atomic_compare_exchange_strong(&reporting_tid, &none, self)) {
        if (none == self) {
            va_list ap;
            va_start(ap, fmt);
            write_line("dragoman: another bug while reporting the first: ", fmt, ap);
            va_end(ap);
            report_die(SIGABRT);
        }
        for (;;)
            pause(); /* the first one ends the process */
    }
    catch_second_faults();
    va_list ap;
    va_start(ap, fmt);
    write_line("dragoman: bug in dragoman: ", fmt, ap);
    va_end(ap);
    report_line("found at %s:%d in " PACKAGE_NAME " " PACKAGE_VERSION ", process %d, thread %d",
                file, line, (int)getpid(), (int)self);
    report_host_backtrace(ucontext);
    for (unsigned i = 0; i < callback_count; i++)
        callbacks[i].fn(callbacks[i].arg);
    report_line("please report this, with the command that was run");
    report_die(SIGABRT);
}
