/* Stopping and stepping guest threads for a debugger, and its breakpoints: see runtime/gdb.h.
 *
 * Invariants: `frozen` means that only threads with debug.run set may enter an engine. A thread that reported an
 * event waits until debug.run is set again. Breakpoints change only while the world is stopped.
 *
 * Threading: gdb_lock guards everything here but the list of breakpoints, which guest threads read without
 * it: they lift only while it does not change.
 */
#include "base/report.h"
#include "codecache/blocks.h"
#include "exceptions/sig.h"
#include "runtime/gdb_internal.h"
#include "runtime/options.h"
#include "syscall/sys.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

bool gdb_on;
int gdb_event_fd = -1;

static pthread_mutex_t gdb_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gdb_go = PTHREAD_COND_INITIALIZER;
static bool frozen;

/* ---- breakpoints ---- */

#define MAX_BREAKPOINTS 1024
static uint64_t breakpoints[MAX_BREAKPOINTS]; /* ascending */
static unsigned nbreakpoints;

/* Index of the first breakpoint at or behind addr. */
static unsigned breakpoint_from(uint64_t addr)
{
    unsigned low = 0, high = nbreakpoints;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (breakpoints[mid] < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t gdb_limit(uint64_t pc, size_t avail)
{
    unsigned i = breakpoint_from(pc);
    if (i < nbreakpoints && breakpoints[i] - pc < avail)
        return (size_t)(breakpoints[i] - pc);
    return avail;
}

int gdb_breakpoint_add(uint64_t addr)
{
    unsigned i = breakpoint_from(addr);
    if (i < nbreakpoints && breakpoints[i] == addr)
        return 0;
    if (nbreakpoints == MAX_BREAKPOINTS)
        return -1;
    memmove(breakpoints + i + 1, breakpoints + i, (nbreakpoints - i) * sizeof(*breakpoints));
    breakpoints[i] = addr;
    nbreakpoints++;
    cc_invalidate(addr, 1);
    return 0;
}

void gdb_breakpoint_remove(uint64_t addr)
{
    unsigned i = breakpoint_from(addr);
    if (i == nbreakpoints || breakpoints[i] != addr)
        return;
    nbreakpoints--;
    memmove(breakpoints + i, breakpoints + i + 1, (nbreakpoints - i) * sizeof(*breakpoints));
    cc_invalidate(addr, 1);
}

/* ---- guest threads ---- */

void gdb_gate(struct thread *t)
{
    pthread_mutex_lock(&gdb_lock);
    while (frozen && !t->debug.run && !t->apart)
        pthread_cond_wait(&gdb_go, &gdb_lock);
    pthread_mutex_unlock(&gdb_lock);
}

/* Tell the server and wait to be let go. Returns the signal that is to be delivered. */
static int report(struct thread *t, const siginfo_t *info)
{
    int signo = info->si_signo;
    uint64_t one = 1;
    pthread_mutex_lock(&gdb_lock);
    if (gdb_on) {
        t->debug.info = *info;
        t->debug.reported = false;
        t->debug.stopped = true;
        t->debug.run = false;
        t->debug.step = false;
        ssize_t n = write(gdb_event_fd, &one, sizeof(one));
        (void)n; /* a counter that is full is readable */
        while (t->debug.stopped)
            pthread_cond_wait(&gdb_go, &gdb_lock);
        signo = t->debug.signo;
    }
    pthread_mutex_unlock(&gdb_lock);
    return signo;
}

bool gdb_breakpoint(struct thread *t)
{
    uint64_t pc = t->cpu.r[t->cpu.guest->pc_slot];
    if (t->apart)
        return true;
    if (!gdb_on || gdb_limit(pc, 1)) {
        /* A block of before a fork, or of before the breakpoint was removed. */
        cc_invalidate(pc, 1);
        return false;
    }
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_BRKPT};
    report(t, &info);
    return false;
}

void gdb_stepped(struct thread *t)
{
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_TRACE};
    uint64_t pc = t->cpu.r[t->cpu.guest->pc_slot];
    if (t->apart || !gdb_on)
        t->debug.step = false;
    else if (pc < t->debug.start || pc >= t->debug.end || !gdb_limit(pc, 1))
        report(t, &info);
}

/* sig_debug: a signal is about to be delivered to t. */
static bool on_guest_signal(struct thread *t, const siginfo_t *info)
{
    if (!gdb_on || t->apart)
        return true;
    if (report(t, info) != info->si_signo)
        return false;
    const struct guest_sigaction *act = &t->sighand->action[info->si_signo - 1];
    if (act->handler <= 1 || t->sigmask >> (info->si_signo - 1) & 1)
        gdb_tell_end('X', info->si_signo);
    return true;
}

/* ---- the server's hold on them ---- */

struct search {
    pid_t tid;
    void (*fn)(struct thread *t, void *arg);
    void *arg;
    bool found;
};

static void match(struct thread *t, void *arg)
{
    struct search *s = arg;
    if (s->tid != t->tid)
        return;
    s->found = true;
    s->fn(t, s->arg);
}

bool gdb_with_thread(pid_t tid, void (*fn)(struct thread *t, void *arg), void *arg)
{
    struct search s = {tid, fn, arg, false};
    thread_for_each(match, &s);
    return s.found;
}

static void find_event(struct thread *t, void *arg)
{
    struct gdb_event *e = arg;
    if (e->tid || !t->debug.stopped || t->debug.reported)
        return;
    t->debug.reported = true;
    *e = (struct gdb_event){t->tid, t->debug.info.si_signo, t->debug.info};
}

bool gdb_take_event(struct gdb_event *e)
{
    memset(e, 0, sizeof(*e));
    pthread_mutex_lock(&gdb_lock);
    thread_for_each(find_event, e);
    pthread_mutex_unlock(&gdb_lock);
    return e->tid != 0;
}

static void stop_one(struct thread *t, void *arg)
{
    (void)arg;
    t->debug.run = false;
    cpu_ask_out(&t->cpu);
}

static void count_inside(struct thread *t, void *arg)
{
    if (__atomic_load_n(&t->cpu.cc_epoch, __ATOMIC_ACQUIRE))
        ++*(unsigned *)arg;
}

void gdb_freeze(void)
{
    pthread_mutex_lock(&gdb_lock);
    frozen = true;
    thread_for_each(stop_one, NULL);
    pthread_mutex_unlock(&gdb_lock);
    for (;;) {
        unsigned inside = 0;
        thread_for_each(count_inside, &inside);
        if (!inside)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
}

struct resumption {
    const struct gdb_action *actions;
    unsigned n;
    bool all; /* no thread stays */
};

static void resume_one(struct thread *t, void *arg)
{
    struct resumption *r = arg;
    const struct gdb_action *a = NULL;
    for (unsigned i = 0; i < r->n && !a; i++) {
        if (r->actions[i].tid == t->tid || !r->actions[i].tid)
            a = &r->actions[i];
    }
    /* What it has met meanwhile is told first. */
    if (!a || (t->debug.stopped && !t->debug.reported)) {
        r->all = r->all && a;
        return;
    }
    t->debug.run = true;
    t->debug.step = a->step;
    t->debug.start = a->start;
    t->debug.end = a->end;
    if (a->step)
        cpu_ask_out(&t->cpu);
    t->debug.signo = a->signo;
    t->debug.stopped = false;
}

void gdb_resume(const struct gdb_action *actions, unsigned n)
{
    struct resumption r = {actions, n, true};
    pthread_mutex_lock(&gdb_lock);
    thread_for_each(resume_one, &r);
    frozen = !r.all;
    pthread_cond_broadcast(&gdb_go);
    pthread_mutex_unlock(&gdb_lock);
}

static void release_one(struct thread *t, void *arg)
{
    (void)arg;
    /* A trap is the debugger's own; another signal that it has not judged is delivered. */
    int signo = t->debug.info.si_signo;
    bool own = signo == SIGTRAP &&
               (t->debug.info.si_code == TRAP_TRACE || t->debug.info.si_code == TRAP_BRKPT);
    t->debug.signo = t->debug.stopped && !own ? signo : 0;
    t->debug.stopped = false;
    t->debug.step = false;
}

void gdb_release(void)
{
    gdb_freeze();
    while (nbreakpoints)
        gdb_breakpoint_remove(breakpoints[nbreakpoints - 1]);
    pthread_mutex_lock(&gdb_lock);
    gdb_on = false;
    frozen = false;
    thread_for_each(release_one, NULL);
    pthread_cond_broadcast(&gdb_go);
    pthread_mutex_unlock(&gdb_lock);
}

void gdb_exiting(int status)
{
    if (gdb_on)
        gdb_tell_end('W', status);
}

void gdb_fork_begin(void)
{
    pthread_mutex_lock(&gdb_lock);
}

void gdb_fork_end(bool child)
{
    if (!child) {
        pthread_mutex_unlock(&gdb_lock);
        return;
    }
    pthread_mutex_init(&gdb_lock, NULL);
    pthread_cond_init(&gdb_go, NULL);
    frozen = false;
    nbreakpoints = 0;
    if (gdb_on)
        gdb_close();
    gdb_on = false;
}

/* ---- the start ---- */

static int listen_tcp(const char *where)
{
    char *end;
    unsigned long port = strtoul(where, &end, 10);
    if (*end || port < 1 || port > 65535)
        options_fatal("-g %s: give a TCP port, 1 to 65535, or the name of a socket", where);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1) != 0)
        options_fatal("-g %s: cannot listen there: %m; choose another port", where);
    return fd;
}

static int listen_unix(const char *where)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(where) >= sizeof(a.sun_path))
        options_fatal("-g %s: a socket's name has at most %zu characters", where,
                      sizeof(a.sun_path) - 1);
    strcpy(a.sun_path, where);
    unlink(where);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1) != 0)
        options_fatal("-g %s: cannot make a socket there: %m", where);
    return fd;
}

void gdb_start(const char *where, struct thread *t)
{
    bool number = *where && strspn(where, "0123456789") == strlen(where);
    int listener = number ? listen_tcp(where) : listen_unix(where);
    int fd;
    do
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        options_fatal("-g %s: no connection: %m", where);
    close(listener);
    if (!number)
        unlink(where);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* means nothing to the other kind */
    gdb_event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (gdb_event_fd < 0)
        options_fatal("-g %s: no event descriptor: %m", where);
    sys_hide_fd(fd);
    sys_hide_fd(gdb_event_fd);
    sig_debug = on_guest_signal;
    gdb_on = true;

    uint64_t saved;
    pthread_t server;
    sig_block_all(&saved);
    int error = pthread_create(&server, NULL, gdb_serve, (void *)(intptr_t)fd);
    sig_restore(saved);
    if (error)
        options_fatal("-g %s: no thread for the debugger: %s", where, strerror(error));
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_TRACE};
    report(t, &info);
}
