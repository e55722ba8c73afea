/* Structs of the guest as -strace shows them.
 *
 * Owns: a printer per struct that SYS_STRUCTS marks YES. They read the guest's layout, which for all
 * of these is the one of every 64-bit asm-generic guest.
 *
 * Threading: reentrant.
 */
#include "syscall/guest_abi.h"
#include "syscall/sys_int.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

#define LL(x) ((long long)(x))

static void print_int(struct log_line *l, const int *v)
{
    log_line_add(l, "[%d]", *v);
}

static void print_int2(struct log_line *l, const int *v)
{
    log_line_add(l, "[%d, %d]", v[0], v[1]);
}

static void print_long(struct log_line *l, const int64_t *v)
{
    log_line_add(l, "[%#llx]", LL(*v));
}

static void print_off_t(struct log_line *l, const int64_t *v)
{
    log_line_add(l, "[%lld]", LL(*v));
}

static void print_timespec(struct log_line *l, const struct timespec *ts)
{
    if (ts->tv_nsec == UTIME_NOW)
        log_line_add(l, "UTIME_NOW");
    else if (ts->tv_nsec == UTIME_OMIT)
        log_line_add(l, "UTIME_OMIT");
    else
        log_line_add(l, "{tv_sec=%lld, tv_nsec=%lld}", LL(ts->tv_sec), LL(ts->tv_nsec));
}

static void print_timespec2(struct log_line *l, const struct timespec *ts)
{
    log_line_add(l, "[");
    print_timespec(l, &ts[0]);
    log_line_add(l, ", ");
    print_timespec(l, &ts[1]);
    log_line_add(l, "]");
}

static void print_timeval(struct log_line *l, const struct timeval *tv)
{
    log_line_add(l, "{tv_sec=%lld, tv_usec=%lld}", LL(tv->tv_sec), LL(tv->tv_usec));
}

static void print_itimerval(struct log_line *l, const struct itimerval *it)
{
    log_line_add(l, "{it_interval=");
    print_timeval(l, &it->it_interval);
    log_line_add(l, ", it_value=");
    print_timeval(l, &it->it_value);
    log_line_add(l, "}");
}

static void print_itimerspec(struct log_line *l, const struct itimerspec *it)
{
    log_line_add(l, "{it_interval=");
    print_timespec(l, &it->it_interval);
    log_line_add(l, ", it_value=");
    print_timespec(l, &it->it_value);
    log_line_add(l, "}");
}

static void print_limit(struct log_line *l, const char *name, uint64_t v)
{
    if (v == RLIM_INFINITY)
        log_line_add(l, "%s=RLIM_INFINITY", name);
    else
        log_line_add(l, "%s=%llu", name, (unsigned long long)v);
}

static void print_rlimit(struct log_line *l, const uint64_t *v)
{
    log_line_add(l, "{");
    print_limit(l, "rlim_cur", v[0]);
    log_line_add(l, ", ");
    print_limit(l, "rlim_max", v[1]);
    log_line_add(l, "}");
}

static void print_mode(struct log_line *l, unsigned mode)
{
    static const char *const types[16] = {
        [S_IFIFO >> 12] = "S_IFIFO|",   [S_IFCHR >> 12] = "S_IFCHR|", [S_IFDIR >> 12] = "S_IFDIR|",
        [S_IFBLK >> 12] = "S_IFBLK|",   [S_IFREG >> 12] = "S_IFREG|", [S_IFLNK >> 12] = "S_IFLNK|",
        [S_IFSOCK >> 12] = "S_IFSOCK|",
    };
    const char *type = types[mode >> 12 & 15];

    log_line_add(l, "%s0%03o", type ? type : "", type ? mode & 07777 : mode);
}

static void print_size(struct log_line *l, unsigned mode, int64_t size, uint64_t rdev)
{
    if (S_ISCHR(mode) || S_ISBLK(mode))
        log_line_add(l, ", st_rdev=makedev(%#x, %#x)", major(rdev), minor(rdev));
    else
        log_line_add(l, ", st_size=%lld", LL(size));
}

static void print_stat(struct log_line *l, const struct guest_stat *st)
{
    log_line_add(l, "{st_mode=");
    print_mode(l, st->st_mode);
    print_size(l, st->st_mode, st->st_size, st->st_rdev);
    log_line_add(l, ", ...}");
}

static void print_statx(struct log_line *l, const struct statx *st)
{
    log_line_add(l, "{stx_mask=");
    sys_trace_flags(l, sys_flags_statx, st->stx_mask);
    log_line_add(l, ", stx_mode=");
    print_mode(l, st->stx_mode);
    log_line_add(l, ", stx_size=%lld, ...}", LL(st->stx_size));
}

static void print_statfs(struct log_line *l, const struct statfs *st)
{
    log_line_add(l, "{f_type=%#llx, f_bsize=%lld, f_blocks=%lld, f_bfree=%lld, ...}",
                 LL(st->f_type), LL(st->f_bsize), LL(st->f_blocks), LL(st->f_bfree));
}

static void print_utsname(struct log_line *l, const struct utsname *u)
{
    log_line_add(
        l, "{sysname=\"%.64s\", nodename=\"%.64s\", release=\"%.64s\", machine=\"%.64s\", ...}",
        u->sysname, u->nodename, u->release, u->machine);
}

static void print_signal(struct log_line *l, int signo, bool strip)
{
    const char *name = sys_signal_name(signo);

    if (name)
        log_line_add(l, "%s", strip ? name + 3 : name);
    else if (signo >= 32)
        log_line_add(l, strip ? "RT_%d" : "SIGRT_%d", signo - 32);
    else
        log_line_add(l, "%d", signo);
}

static void print_sigset(struct log_line *l, const uint64_t *set)
{
    uint64_t v = *set;
    bool inverted = __builtin_popcountll(v) > 48;
    const char *sep = "";

    if (inverted)
        v = ~v;
    log_line_add(l, inverted ? "~[" : "[");
    for (int s = 1; s <= 64; s++) {
        if (v >> (s - 1) & 1) {
            log_line_add(l, "%s", sep);
            print_signal(l, s, true);
            sep = " ";
        }
    }
    log_line_add(l, "]");
}

/* The name of an si_code: those of 0 and below and SI_KERNEL mean the same for every signal. */
static const char *code_name(int signo, int code)
{
    static const struct {
        int signo, code;
        const char *name;
    } codes[] = {
        {0, SI_USER, "SI_USER"},
        {0, SI_KERNEL, "SI_KERNEL"},
        {0, SI_QUEUE, "SI_QUEUE"},
        {0, SI_TIMER, "SI_TIMER"},
        {0, SI_MESGQ, "SI_MESGQ"},
        {0, SI_TKILL, "SI_TKILL"},
        {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"},
        {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
        {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},
        {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},
        {SIGILL, ILL_ILLOPC, "ILL_ILLOPC"},
        {SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT"},
        {SIGCHLD, CLD_EXITED, "CLD_EXITED"},
        {SIGCHLD, CLD_KILLED, "CLD_KILLED"},
        {SIGCHLD, CLD_DUMPED, "CLD_DUMPED"},
        {SIGCHLD, CLD_STOPPED, "CLD_STOPPED"},
        {SIGCHLD, CLD_CONTINUED, "CLD_CONTINUED"},
    };

    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code && (codes[i].signo == 0 || codes[i].signo == signo))
            return codes[i].name;
    return NULL;
}

void sys_trace_siginfo(struct log_line *l, const siginfo_t *si)
{
    const char *code = code_name(si->si_signo, si->si_code);

    log_line_add(l, "{si_signo=");
    print_signal(l, si->si_signo, false);
    if (code)
        log_line_add(l, ", si_code=%s", code);
    else
        log_line_add(l, ", si_code=%d", si->si_code);
    switch (si->si_signo) {
    case SIGCHLD:
        if (si->si_code > 0)
            log_line_add(l, ", si_pid=%d, si_uid=%u, si_status=%d", si->si_pid, si->si_uid,
                         si->si_status);
        break;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
        if (si->si_code > 0)
            log_line_add(l, ", si_addr=%p", si->si_addr);
        break;
    }
    if (si->si_code <= 0)
        log_line_add(l, ", si_pid=%d, si_uid=%u", si->si_pid, si->si_uid);
    log_line_add(l, "}");
}

static void print_siginfo(struct log_line *l, const siginfo_t *si)
{
    sys_trace_siginfo(l, si);
}

/* handler, flags, mask: what all guests have first. */
static void print_sigaction(struct log_line *l, const uint64_t *v)
{
    static const struct sys_flag flags[] = {
        {SA_NOCLDSTOP, SA_NOCLDSTOP, "SA_NOCLDSTOP"},
        {SA_NOCLDWAIT, SA_NOCLDWAIT, "SA_NOCLDWAIT"},
        {SA_SIGINFO, SA_SIGINFO, "SA_SIGINFO"},
        {0x04000000, 0x04000000, "SA_RESTORER"},
        {SA_ONSTACK, SA_ONSTACK, "SA_ONSTACK"},
        {SA_RESTART, SA_RESTART, "SA_RESTART"},
        {SA_NODEFER, SA_NODEFER, "SA_NODEFER"},
        {0x80000000, 0x80000000, "SA_RESETHAND"},
        {0, 0, NULL},
    };

    if (v[0] <= 1)
        log_line_add(l, "{sa_handler=%s, sa_flags=", v[0] ? "SIG_IGN" : "SIG_DFL");
    else
        log_line_add(l, "{sa_handler=%#llx, sa_flags=", LL(v[0]));
    sys_trace_flags(l, flags, v[1]);
    log_line_add(l, ", sa_mask=");
    print_sigset(l, &v[2]);
    log_line_add(l, "}");
}

static void print_stack(struct log_line *l, const stack_t *ss)
{
    static const struct sys_flag flags[] = {
        {UINT32_MAX, 0, "0"},
        {1, SS_ONSTACK, "SS_ONSTACK"},
        {2, SS_DISABLE, "SS_DISABLE"},
        {1U << 31, 1U << 31, "SS_AUTODISARM"},
        {0, 0, NULL},
    };

    log_line_add(l, "{ss_sp=%p, ss_flags=", ss->ss_sp);
    sys_trace_flags(l, flags, (unsigned)ss->ss_flags);
    log_line_add(l, ", ss_size=%llu}", (unsigned long long)ss->ss_size);
}

static const struct sys_flag epoll_flags[] = {
    {EPOLLIN, EPOLLIN, "EPOLLIN"},
    {EPOLLPRI, EPOLLPRI, "EPOLLPRI"},
    {EPOLLOUT, EPOLLOUT, "EPOLLOUT"},
    {EPOLLERR, EPOLLERR, "EPOLLERR"},
    {EPOLLHUP, EPOLLHUP, "EPOLLHUP"},
    {EPOLLRDNORM, EPOLLRDNORM, "EPOLLRDNORM"},
    {EPOLLRDHUP, EPOLLRDHUP, "EPOLLRDHUP"},
    {EPOLLEXCLUSIVE, EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"},
    {EPOLLWAKEUP, EPOLLWAKEUP, "EPOLLWAKEUP"},
    {EPOLLONESHOT, EPOLLONESHOT, "EPOLLONESHOT"},
    {EPOLLET, EPOLLET, "EPOLLET"},
    {0, 0, NULL},
};

static void print_epoll_event(struct log_line *l, const struct guest_epoll_event *e)
{
    log_line_add(l, "{events=");
    sys_trace_flags(l, epoll_flags, e->events);
    log_line_add(l, ", data=%#llx}", LL(e->data));
}

static void print_pollfd(struct log_line *l, const struct pollfd *p)
{
    static const struct sys_flag flags[] = {
        {POLLIN, POLLIN, "POLLIN"},          {POLLPRI, POLLPRI, "POLLPRI"},
        {POLLOUT, POLLOUT, "POLLOUT"},       {POLLERR, POLLERR, "POLLERR"},
        {POLLHUP, POLLHUP, "POLLHUP"},       {POLLNVAL, POLLNVAL, "POLLNVAL"},
        {POLLRDHUP, POLLRDHUP, "POLLRDHUP"}, {0, 0, NULL},
    };

    log_line_add(l, "{fd=%d, events=", p->fd);
    sys_trace_flags(l, flags, (unsigned short)p->events);
    if (p->revents) {
        log_line_add(l, ", revents=");
        sys_trace_flags(l, flags, (unsigned short)p->revents);
    }
    log_line_add(l, "}");
}

static void print_open_how(struct log_line *l, const uint64_t *v)
{
    static const struct sys_flag resolve[] = {
        {1, 1, "RESOLVE_NO_XDEV"},
        {2, 2, "RESOLVE_NO_MAGICLINKS"},
        {4, 4, "RESOLVE_NO_SYMLINKS"},
        {8, 8, "RESOLVE_BENEATH"},
        {16, 16, "RESOLVE_IN_ROOT"},
        {32, 32, "RESOLVE_CACHED"},
        {0, 0, NULL},
    };

    log_line_add(l, "{flags=");
    sys_trace_flags(l, sys_flags_open, v[0]);
    log_line_add(l, ", mode=0%llo, resolve=", LL(v[1]));
    sys_trace_flags(l, resolve, v[2]);
    log_line_add(l, "}");
}

static void print_hwprobe(struct log_line *l, const int64_t *v)
{
    log_line_add(l, "{key=%lld, value=%#llx}", LL(v[0]), LL(v[1]));
}

/* linux/sched.h: struct clone_args, of which len bytes are there. */
static bool print_clone_args(struct log_line *l, uint64_t addr, uint64_t len)
{
    static const char *const names[] = {"flags",       "pidfd",        "child_tid",  "parent_tid",
                                        "exit_signal", "stack",        "stack_size", "tls",
                                        "set_tid",     "set_tid_size", "cgroup"};
    uint64_t v[sizeof names / sizeof *names];
    unsigned n = len / 8 < sizeof names / sizeof *names ? len / 8 : sizeof names / sizeof *names;

    if (n == 0 || mm_read(v, addr, n * 8))
        return false;
    log_line_add(l, "{flags=");
    sys_trace_flags(l, sys_flags_clone, v[0]);
    for (unsigned i = 1; i < n; i++) {
        if (v[i] == 0)
            continue;
        log_line_add(l, ", %s=", names[i]);
        if (i == 4)
            print_signal(l, v[i], false);
        else
            log_line_add(l, "%#llx", LL(v[i]));
    }
    log_line_add(l, "}");
    return true;
}

static bool print_address(struct log_line *l, uint64_t addr, uint64_t len)
{
    union {
        struct sockaddr sa;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_nl nl;
        struct sockaddr_storage all;
    } u;
    char text[INET6_ADDRSTRLEN];

    memset(&u, 0, sizeof u);
    if (len < sizeof u.sa.sa_family || len > sizeof u.all || mm_read(&u, addr, len))
        return false;
    log_line_add(l, "{sa_family=");
    sys_trace_enum(l, sys_flags_af, u.sa.sa_family);
    switch (u.sa.sa_family) {
    case AF_UNIX:
        if (len > 3 && u.un.sun_path[0] == 0)
            log_line_add(l, ", sun_path=@\"%.*s\"", (int)(len - 3), u.un.sun_path + 1);
        else if (len > 2)
            log_line_add(l, ", sun_path=\"%.*s\"", (int)(len - 2), u.un.sun_path);
        break;
    case AF_INET:
        inet_ntop(AF_INET, &u.in.sin_addr, text, sizeof text);
        log_line_add(l, ", sin_port=htons(%u), sin_addr=\"%s\"", ntohs(u.in.sin_port), text);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &u.in6.sin6_addr, text, sizeof text);
        log_line_add(l, ", sin6_port=htons(%u), sin6_addr=\"%s\"", ntohs(u.in6.sin6_port), text);
        break;
    case AF_NETLINK:
        log_line_add(l, ", nl_pid=%u, nl_groups=%#x", u.nl.nl_pid, u.nl.nl_groups);
        break;
    }
    log_line_add(l, "}");
    return true;
}

#define PRINTER_YES(name) (void (*)(struct log_line *, const void *)) print_##name
#define PRINTER_NO(name) NULL
#define X(name, size, print) [SYS_STRUCT_##name] = PRINTER_##print(name),
static void (*const printers[SYS_STRUCT_COUNT])(struct log_line *l,
                                                const void *p) = {SYS_STRUCTS(X)};
#undef X

bool sys_trace_struct(struct log_line *l, unsigned type, uint64_t addr, uint64_t len)
{
    _Alignas(16) unsigned char buf[512];

    if (type == SYS_STRUCT_sockaddr)
        return print_address(l, addr, len);
    if (type == SYS_STRUCT_clone_args)
        return print_clone_args(l, addr, len);
    if (!printers[type] || sys_struct_size[type] > sizeof buf ||
        mm_read(buf, addr, sys_struct_size[type]))
        return false;
    printers[type](l, buf);
    return true;
}
