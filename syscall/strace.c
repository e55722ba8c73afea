/* The text of -strace: one line per call, made from its row.
 *
 * Owns: how arguments and results are printed.
 *
 * A line is one write, when the call is done: processes and threads that share the output do not mix
 * theirs. A call that will wait is announced by what the guest passes, up to the first argument that
 * the kernel fills, with `<unfinished ...>`, and taken up again with `<... read resumed>`, as strace(1)
 * does it. So what a program hangs in is seen.
 *
 * Threading: reentrant.
 */
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SHOWN 32   /* bytes of a buffer, as strace(1) */
#define PATH_SHOWN 1024 /* of a file name */
#define ELEMS_SHOWN 16

static bool is_filled(const struct sys_arg *g)
{
    return g->kind == K_OUT || g->kind == K_OUTV || g->kind == K_OUTS || g->kind == K_OUTA ||
           g->kind == K_IOVOUT || (g->kind == K_IOS && g->type == SYS_STRUCT_msghdr) ||
           (g->kind == K_IOA && g->type == SYS_STRUCT_hwprobe);
}

static void add_text(struct log_line *l, const char *text, size_t n, bool more)
{
    log_line_add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = text[i];

        if (c == '"' || c == '\\')
            log_line_add(l, "\\%c", c);
        else if (c >= ' ' && c < 127)
            log_line_add(l, "%c", c);
        else if (c == '\n')
            log_line_add(l, "\\n");
        else if (c == '\t')
            log_line_add(l, "\\t");
        else if (c == '\r')
            log_line_add(l, "\\r");
        else if (i + 1 < n && text[i + 1] >= '0' && text[i + 1] <= '9')
            log_line_add(l, "\\%03o", c);
        else
            log_line_add(l, "\\%o", c);
    }
    log_line_add(l, more ? "\"..." : "\"");
}

static void add_addr(struct log_line *l, uint64_t addr)
{
    if (addr)
        log_line_add(l, "%#llx", (unsigned long long)addr);
    else
        log_line_add(l, "NULL");
}

static void add_string(struct log_line *l, uint64_t addr, size_t shown)
{
    char buf[PATH_MAX];
    ssize_t n = mm_read_str(buf, sizeof buf, addr);

    if (n == -ENAMETOOLONG)
        add_text(l, buf, shown, true);
    else if (addr == 0 || n < 0)
        add_addr(l, addr);
    else
        add_text(l, buf, (size_t)n < shown ? (size_t)n : shown, (size_t)n > shown);
}

static void add_bytes(struct log_line *l, uint64_t addr, uint64_t len)
{
    char buf[TEXT_SHOWN];
    size_t n = len < TEXT_SHOWN ? len : TEXT_SHOWN;

    if (addr == 0 || mm_read(buf, addr, n))
        add_addr(l, addr);
    else
        add_text(l, buf, n, len > n);
}

static void add_array(struct log_line *l, unsigned type, uint64_t addr, uint64_t count)
{
    uint64_t shown = count < ELEMS_SHOWN ? count : ELEMS_SHOWN;

    if (addr == 0 || type == SYS_STRUCT_byte || type == SYS_STRUCT_dirent) {
        add_addr(l, addr);
        return;
    }
    log_line_add(l, "[");
    for (uint64_t i = 0; i < shown; i++) {
        if (i)
            log_line_add(l, ", ");
        if (!sys_trace_struct(l, type, addr + i * sys_struct_size[type], 0)) {
            add_addr(l, addr + i * sys_struct_size[type]);
            break;
        }
    }
    log_line_add(l, shown < count ? ", ...]" : "]");
}

/* ret is the result for vectors that the kernel filled, else the bytes are all there. */
static void add_iov(struct log_line *l, uint64_t addr, uint64_t count, uint64_t avail)
{
    struct iovec iov[ELEMS_SHOWN];
    uint64_t shown = count < ELEMS_SHOWN ? count : ELEMS_SHOWN;

    if (addr == 0 || mm_read(iov, addr, shown * sizeof *iov)) {
        add_addr(l, addr);
        return;
    }
    log_line_add(l, "[");
    for (uint64_t i = 0; i < shown; i++) {
        uint64_t n = iov[i].iov_len < avail ? iov[i].iov_len : avail;

        log_line_add(l, i ? ", {" : "{");
        add_bytes(l, (uintptr_t)iov[i].iov_base, n);
        log_line_add(l, ", %llu}", (unsigned long long)iov[i].iov_len);
        avail -= n;
    }
    log_line_add(l, shown < count ? ", ...]" : "]");
}

static void add_signal(struct log_line *l, int signo)
{
    const char *name = sys_signal_name(signo);

    if (name)
        log_line_add(l, "%s", name);
    else if (signo >= 32 && signo <= 64)
        log_line_add(l, "SIGRT_%d", signo - 32);
    else
        log_line_add(l, "%d", signo);
}

/* avail: bytes of the vectors that say something. */
static void add_msghdr(struct log_line *l, uint64_t addr, uint64_t avail)
{
    struct msghdr m;

    if (addr == 0 || mm_read(&m, addr, sizeof m)) {
        add_addr(l, addr);
        return;
    }
    log_line_add(l, "{msg_name=");
    if (!m.msg_name ||
        !sys_trace_struct(l, SYS_STRUCT_sockaddr, (uintptr_t)m.msg_name, m.msg_namelen))
        add_addr(l, (uintptr_t)m.msg_name);
    log_line_add(l, ", msg_namelen=%u, msg_iov=", m.msg_namelen);
    add_iov(l, (uintptr_t)m.msg_iov, m.msg_iovlen, avail);
    log_line_add(l, ", msg_iovlen=%llu, msg_controllen=%llu, msg_flags=",
                 (unsigned long long)m.msg_iovlen, (unsigned long long)m.msg_controllen);
    sys_trace_flags(l, sys_flags_msg, (unsigned)m.msg_flags);
    log_line_add(l, "}");
}

/* argv: its strings. envp: only how many there are. */
static void add_strings(struct log_line *l, uint64_t addr, bool count_only)
{
    uint64_t p;
    unsigned n = 0;

    if (addr == 0 || mm_read_u64(addr, &p)) {
        add_addr(l, addr);
        return;
    }
    if (!count_only)
        log_line_add(l, "[");
    for (; !mm_read_u64(addr + 8 * n, &p) && p; n++) {
        if (count_only || n > ELEMS_SHOWN)
            continue;
        if (n)
            log_line_add(l, ", ");
        if (n == ELEMS_SHOWN)
            log_line_add(l, "...");
        else
            add_string(l, p, TEXT_SHOWN * 4);
    }
    if (count_only)
        log_line_add(l, "%#llx /* %u vars */", (unsigned long long)addr, n);
    else
        log_line_add(l, "]");
}

/* fcntl's third argument by the command. The structs are as passed in, since most only go in. */
static void add_fcntl_arg(struct log_line *l, const struct guest *guest, unsigned cmd, uint64_t v)
{
    static const struct sys_flag types[] = {
        {UINT32_MAX, F_RDLCK, "F_RDLCK"},
        {UINT32_MAX, F_WRLCK, "F_WRLCK"},
        {UINT32_MAX, F_UNLCK, "F_UNLCK"},
        {0, 0, NULL},
    };
    static const struct sys_flag fd_flags[] = {{FD_CLOEXEC, FD_CLOEXEC, "FD_CLOEXEC"},
                                               {0, 0, NULL}};
    struct flock lock;

    switch (cmd) {
    case F_GETFD:
    case F_GETFL:
    case F_GETOWN:
    case F_GETSIG:
    case F_GETLEASE:
    case F_GETPIPE_SZ:
    case F_GET_SEALS:
        return;
    case F_SETFD:
        log_line_add(l, ", ");
        sys_trace_flags(l, fd_flags, v);
        return;
    case F_SETFL:
        log_line_add(l, ", ");
        sys_trace_flags(l, sys_flags_open, sys_open_flags_to_host(guest, (uint32_t)v));
        return;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        if (mm_read(&lock, v, sizeof lock))
            break;
        log_line_add(l, ", {l_type=");
        sys_trace_enum(l, types, (unsigned short)lock.l_type);
        log_line_add(l, ", l_whence=");
        sys_trace_enum(l, sys_flags_whence, (unsigned short)lock.l_whence);
        log_line_add(l, ", l_start=%lld, l_len=%lld}", (long long)lock.l_start,
                     (long long)lock.l_len);
        return;
    }
    log_line_add(l, v > 4095 ? ", %#llx" : ", %lld", (unsigned long long)v);
}

static void add_wait_status(struct log_line *l, uint64_t addr)
{
    uint32_t s;

    if (addr == 0 || mm_read_u32(addr, &s))
        add_addr(l, addr);
    else if (WIFEXITED(s))
        log_line_add(l, "[{exited, status=%d}]", WEXITSTATUS(s));
    else if (WIFSIGNALED(s)) {
        log_line_add(l, "[{killed by ");
        add_signal(l, WTERMSIG(s));
        log_line_add(l, WCOREDUMP(s) ? ", core dumped}]" : "}]");
    } else if (WIFSTOPPED(s)) {
        log_line_add(l, "[{stopped by ");
        add_signal(l, WSTOPSIG(s));
        log_line_add(l, "}]");
    } else
        log_line_add(l, "[%#x]", s);
}

/* Elements that the kernel filled: those it says in its result, where it says so. */
static uint64_t filled_count(const struct sys_arg *g, const uint64_t *a, int64_t ret)
{
    if (ret < 0 || g->type == SYS_STRUCT_byte)
        return 0;
    return g->type == SYS_STRUCT_epoll_event || g->type == SYS_STRUCT_int ? (uint64_t)ret
                                                                          : a[g->other];
}

/* One argument. `done` says that the call has returned ret. */
static void add_arg(struct log_line *l, const struct guest *guest, const struct sys_arg *g,
                    const uint64_t *a, uint64_t v, bool done, int64_t ret)
{
    uint32_t len;

    if (is_filled(g) && (!done || ret < 0)) {
        add_addr(l, v);
        return;
    }
    switch ((enum sys_kind)g->kind) {
    case K_DIRFD:
        if ((int)v == AT_FDCWD) {
            log_line_add(l, "AT_FDCWD");
            break;
        } /* fall through */
    case K_NONE:
    case K_INT:
    case K_PID:
    case K_FD:
        log_line_add(l, "%d", (int)v);
        break;
    case K_UINT:
        log_line_add(l, "%u", (unsigned)v);
        break;
    case K_UID:
        log_line_add(l, (unsigned)v == UINT32_MAX ? "-1" : "%u", (unsigned)v);
        break;
    case K_LONG:
    case K_OFF:
        log_line_add(l, "%lld", (long long)v);
        break;
    case K_SIZE:
        log_line_add(l, "%llu", (unsigned long long)v);
        break;
    case K_HEX:
        log_line_add(l, v ? "%#llx" : "%llu", (unsigned long long)v);
        break;
    case K_MODE:
        log_line_add(l, "0%03o", (unsigned)v);
        break;
    case K_SIG:
        add_signal(l, (int)v);
        break;
    case K_FLAGS:
        if (g->flags == sys_flags_open)
            v = sys_open_flags_to_host(guest, (uint32_t)v);
        sys_trace_flags(l, g->flags, v);
        break;
    case K_ENUM:
        sys_trace_enum(l, g->flags, v);
        break;
    case K_ANY:
        if (!strcmp(g->name, "argv") || !strcmp(g->name, "envp"))
            add_strings(l, v, g->name[0] == 'e');
        else
            log_line_add(l, v > 4095 && v < (uint64_t)-4095 ? "%#llx" : "%lld",
                         (unsigned long long)v);
        break;
    case K_PTR:
    case K_AREA:
    case K_REF:
    case K_REFOUT:
        add_addr(l, v);
        break;
    case K_PATH:
    case K_LPATH:
    case K_PATHF:
    case K_PATHX:
    case K_NAME:
        add_string(l, v, PATH_SHOWN);
        break;
    case K_STR:
        add_string(l, v, TEXT_SHOWN * 4);
        break;
    case K_IN:
        add_bytes(l, v, a[g->other]);
        break;
    case K_OUT:
        add_bytes(l, v, (uint64_t)ret < a[g->other] ? (uint64_t)ret : a[g->other]);
        break;
    case K_OUTV:
        if (v == 0 || mm_read_u32(a[g->other], &len) ||
            !sys_trace_struct(l, SYS_STRUCT_sockaddr, v, len))
            add_addr(l, v);
        break;
    case K_INS:
    case K_OUTS:
    case K_IOS:
        if (g->type == SYS_STRUCT_msghdr)
            add_msghdr(l, v, g->kind == K_INS ? UINT64_MAX : (uint64_t)ret);
        else if (!strcmp(g->name, "wstatus") && ret > 0)
            add_wait_status(l, v);
        else if (v == 0 || !sys_trace_struct(l, g->type, v, 0))
            add_addr(l, v);
        break;
    case K_INA:
    case K_IOA:
        if (g->type != SYS_STRUCT_sockaddr && g->type != SYS_STRUCT_clone_args)
            add_array(l, g->type, v, a[g->other]);
        else if (v == 0 || !sys_trace_struct(l, g->type, v, a[g->other]))
            add_addr(l, v);
        break;
    case K_OUTA:
        add_array(l, g->type, v, filled_count(g, a, ret));
        break;
    case K_IOVIN:
        add_iov(l, v, a[g->other], UINT64_MAX);
        break;
    case K_IOVOUT:
        add_iov(l, v, a[g->other], ret);
        break;
    }
}

static void add_args(struct log_line *l, const struct guest *guest, const struct sys_row *row,
                     unsigned from, unsigned to, const uint64_t *a, bool done, int64_t ret)
{
    for (unsigned i = from; i < to; i++) {
        /* open()'s mode means something only when a file may be made. */
        if (row->arg[i].kind == K_MODE && i && row->arg[i - 1].flags == sys_flags_open &&
            !(sys_open_flags_to_host(guest, a[i - 1]) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))))
            break;
        if (i && row->arg[i].kind == K_ANY && row->arg[i - 1].flags == sys_flags_fcntl) {
            add_fcntl_arg(l, guest, a[i - 1], a[i]);
            break;
        }
        if (i)
            log_line_add(l, ", ");
        add_arg(l, guest, &row->arg[i], a, a[i], done, ret);
    }
}

/* How many arguments there are, and how many come before the first that the kernel fills. */
static unsigned count_args(const struct sys_row *row, unsigned *before)
{
    unsigned n = 0;

    *before = 6;
    for (; n < 6 && row->arg[n].kind != K_NONE; n++)
        if (is_filled(&row->arg[n]) && *before == 6)
            *before = n;
    if (*before > n)
        *before = n;
    return n;
}

enum trace_mode {
    TRACE_AFTER, /* all of it when it is done */
    TRACE_WAITS, /* announced: others print meanwhile */
    TRACE_ENDS,  /* nobody will print the rest (an exec that fails is resumed) */
};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

static enum trace_mode mode_of(const struct sys_row *row, const uint64_t *a)
{
    static const char *const ends[] = {"exit", "exit_group", "execve", "execveat", NULL};
    static const char *const waits[] = {
        "wait4",           "waitid",          "ppoll",
        "pselect6",        "epoll_pwait",     "epoll_pwait2",
        "nanosleep",       "clock_nanosleep", "rt_sigsuspend",
        "rt_sigtimedwait", "futex_waitv",     "semop",
        "semtimedop",      "mq_timedreceive", "msgrcv",
        "connect",         "flock",           NULL,
    };
    static const char *const reads[] = {"read",     "readv",  "recvfrom", "recvmsg",
                                        "recvmmsg", "accept", "accept4",  NULL};
    static const char *const writes[] = {"write", "writev", "sendto", "sendmsg", "sendmmsg", NULL};
    unsigned op = a[1] & 127;

    if (!row)
        return TRACE_AFTER;
    if (is_one_of(row->name, ends))
        return TRACE_ENDS;
    if (is_one_of(row->name, waits))
        return TRACE_WAITS;
    if (!strcmp(row->name, "futex") &&
        (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI))
        return TRACE_WAITS;
    if (!strcmp(row->name, "fcntl") && (a[1] == F_SETLKW || a[1] == F_OFD_SETLKW))
        return TRACE_WAITS;
    /* Has it anything to read, or room to write to? */
    struct pollfd p = {.fd = a[0]};
    struct timespec now = {0, 0};
    if (is_one_of(row->name, reads))
        p.events = POLLIN;
    else if (is_one_of(row->name, writes))
        p.events = POLLOUT;
    if (p.events && p.fd >= 0 &&
        host_call(SYS_ppoll, (uintptr_t)&p, 1, (uintptr_t)&now, 0, 0, 0) == 0)
        return TRACE_WAITS;
    return TRACE_AFTER;
}

/* The call's name and first arguments. */
static void add_first_half(struct log_line *l, struct thread *t, const struct sys_row *row,
                           uint64_t nr, const uint64_t *a)
{
    unsigned before;

    if (row) {
        log_line_add(l, "%d %s(", t->tid, row->name);
        count_args(row, &before);
        add_args(l, t->cpu.guest, row, 0, before, a, false, 0);
    } else {
        log_line_add(l, "%d syscall_%llu(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx", t->tid,
                     (unsigned long long)nr, (unsigned long long)a[0], (unsigned long long)a[1],
                     (unsigned long long)a[2], (unsigned long long)a[3], (unsigned long long)a[4],
                     (unsigned long long)a[5]);
    }
}

bool sys_trace_enter(struct thread *t, const struct sys_row *row, uint64_t nr, const uint64_t *a)
{
    struct log_line l;
    enum trace_mode mode = mode_of(row, a);

    if (mode == TRACE_AFTER)
        return false;
    l.len = 0;
    add_first_half(&l, t, row, nr, a);
    log_line_add(&l, mode == TRACE_ENDS ? ") = ?\n" : " <unfinished ...>\n");
    log_line_write(&l);
    return true;
}

static void trace_signal(struct thread *t, const siginfo_t *info)
{
    struct log_line l;

    l.len = 0;
    log_line_add(&l, "%d --- ", t->tid);
    add_signal(&l, info->si_signo);
    log_line_add(&l, " ");
    sys_trace_siginfo(&l, info);
    log_line_add(&l, " ---\n");
    log_line_write(&l);
}

void sys_trace_signals(void)
{
    sig_trace = trace_signal;
}

static bool returns_address(const struct sys_row *row)
{
    return row &&
           (row->arg[0].kind == K_PTR || row->arg[1].kind == K_PTR || row->arg[0].kind == K_AREA);
}

void sys_trace_leave(struct thread *t, const struct sys_row *row, uint64_t nr, const uint64_t *a,
                     int64_t ret, bool announced)
{
    struct log_line l;

    l.len = 0;
    if (announced && row)
        log_line_add(&l, "%d <... %s resumed>", t->tid, row->name);
    else
        add_first_half(&l, t, row, nr, a);
    if (row) {
        unsigned before, n = count_args(row, &before);
        add_args(&l, t->cpu.guest, row, before, n, a, true, ret);
    }
    log_line_add(&l, ")");
    if (ret > 0 && row && row->arg[0].kind == K_IOA &&
        !is_filled(&row->arg[0])) { /* what poll found */
        log_line_add(&l, " => ");
        add_arg(&l, t->cpu.guest, &row->arg[0], a, a[0], true, ret);
    }
    if (ret == -SIG_RESTART)
        log_line_add(&l, " = ? (to be restarted)\n");
    else if (ret == SYS_NO_RESULT)
        log_line_add(&l, " = ?\n");
    else if (ret < 0 && ret >= -4095)
        log_line_add(&l, " = -1 %s (%s)\n", sys_errno_name(-ret), strerrordesc_np(-ret));
    else if (returns_address(row) && ret > 65535)
        log_line_add(&l, " = %#llx\n", (unsigned long long)ret);
    else
        log_line_add(&l, " = %lld\n", (long long)ret);
    log_line_write(&l);
}
