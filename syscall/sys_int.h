/* The inside of syscall/: rows of the table, kinds of arguments, and the bodies' declarations.
 *
 * A body is `int64_t sys_NAME(struct thread *t, const uint64_t *a)`: a[0..5] are the guest's
 * arguments after preparation by their kinds, i.e. pointers that reach out of the guest's range are
 * replaced by one that always faults, memory that the kernel will write is prepared, file names
 * arrive as host addresses of a redirected copy (PATH...) or a plain copy (NAME), or NULL where the
 * guest passed NULL; iovec arrays as host addresses of a checked copy. ANY and PTR arguments come as
 * the guest passed them; AREA is a PTR to mapped memory, from which Linux takes a tag away in any case. It returns the result,
 * -errno, -SIG_RESTART when nothing has been done and a signal is to be delivered first, or
 * SYS_NO_RESULT when it has set the registers itself (rt_sigreturn).
 *
 * To add a body: change the row's LATER to CONVERT or EMULATE and write the function; the declaration
 * comes from the row.
 *
 * Threading: the table is const; everything is reentrant.
 */
#ifndef DRAGOMAN_SYSCALL_SYS_INT_H
#define DRAGOMAN_SYSCALL_SYS_INT_H

#include "base/log.h"
#include "exceptions/sig.h"
#include "process/mm.h"
#include "syscall/arg.h"
#include "syscall/procfs.h"
#include "syscall/sys.h"
#include <errno.h>
#include <limits.h>

#define SYS_NO_RESULT INT64_MIN

enum sys_kind {
    K_NONE, /* no further argument */
    /* Numbers, by how they are printed. */
    K_INT,
    K_UINT,
    K_LONG,
    K_SIZE,
    K_HEX,
    K_MODE,
    K_OFF,
    K_PID,
    K_SIG,
    K_UID,
    K_FLAGS,
    K_ENUM,
    K_ANY,
    K_PTR,
    /* What preparation looks at: K_PREPARE and up. */
    K_PREPARE,
    K_FD = K_PREPARE,
    K_AREA,
    K_DIRFD,
    K_REF,
    K_REFOUT,
    K_PATH,
    K_LPATH,
    K_PATHF,
    K_PATHX,
    K_NAME,
    K_STR,
    K_IN,
    K_OUT,
    K_OUTV,
    K_INS,
    K_OUTS,
    K_IOS,
    K_INA,
    K_OUTA,
    K_IOA,
    K_IOVIN,
    K_IOVOUT,
};

/* Structs that arguments point to: name, size in guest memory, and whether strace_struct.c has a
 * printer for it (else the address is shown). */
#define SYS_STRUCTS(X)          \
    X(byte, 1, NO)              \
    X(int, 4, YES)              \
    X(int2, 8, YES)             \
    X(long, 8, YES)             \
    X(off_t, 8, YES)            \
    X(off_t2, 16, NO)           \
    X(timespec, 16, YES)        \
    X(timespec2, 32, YES)       \
    X(timeval, 16, YES)         \
    X(timezone, 8, NO)          \
    X(itimerval, 32, YES)       \
    X(itimerspec, 32, YES)      \
    X(rlimit, 16, YES)          \
    X(rusage, 144, NO)          \
    X(stat, 128, YES)           \
    X(statx, 256, YES)          \
    X(statfs, 120, YES)         \
    X(utsname, 390, YES)        \
    X(sysinfo, 112, NO)         \
    X(tms, 32, NO)              \
    X(timex, 208, NO)           \
    X(sigset, 8, YES)           \
    X(siginfo, 128, YES)        \
    X(sigaction, 24, YES)       \
    X(sigevent, 64, NO)         \
    X(stack, 24, YES)           \
    X(epoll_event, 16, YES)     \
    X(pollfd, 8, YES)           \
    X(cap_header, 8, NO)        \
    X(cap_data, 24, NO)         \
    X(mq_attr, 64, NO)          \
    X(sembuf, 6, NO)            \
    X(sockaddr, 1, NO)          \
    X(msghdr, 56, NO)           \
    X(clone_args, 1, NO)        \
    X(open_how, 24, YES)        \
    X(dirent, 1, NO)            \
    X(io_event, 32, NO)         \
    X(io_uring_params, 120, NO) \
    X(hwprobe, 16, YES)

enum sys_struct {
#define X(name, size, print) SYS_STRUCT_##name,
    SYS_STRUCTS(X)
#undef X
        SYS_STRUCT_COUNT
};

/* Sets of named values for FLAGS and ENUM: defined in strace_flags.c. */
/* clang-format off */
#define SYS_FLAGSETS(X) \
    X(access) X(af) X(at) X(clock) X(clone) X(close_range) X(epoll_create) X(epoll_op) \
    X(eventfd) X(fadvise) X(fallocate) X(fanotify_init) X(fanotify_mark) X(fcntl) X(flock) \
    X(flush_icache) X(futex) X(getrandom) X(hwprobe) X(idtype) X(inotify) X(inotify_init) \
    X(ioctl) X(ipc) X(ipc_cmd) X(itimer) X(kcmp) X(keyctl) X(madvise) X(membarrier) X(memfd) \
    X(mlock2) X(mlockall) X(mmap) X(mount) X(mremap) X(msg) X(msync) X(open) X(open_tree) \
    X(prctl) X(priority) X(prot) X(rename) X(rlimit) X(rwf) X(sched) X(shmat) X(sigmask_how) \
    X(signalfd) X(sock) X(splice) X(statx) X(sync_range) X(timer) X(timerfd) X(timerfd_create) \
    X(umount) X(wait) X(whence) X(xattr)
/* clang-format on */

/* An entry matches when (value & mask) == bits. A set ends with a NULL name. */
struct sys_flag {
    uint64_t mask, bits;
    const char *name;
};
#define X(name) extern const struct sys_flag sys_flags_##name[];
SYS_FLAGSETS(X)
#undef X

struct sys_arg {
    const char *name;
    uint8_t kind;  /* enum sys_kind */
    uint8_t other; /* the position of the argument that belongs to it */
    uint8_t type;  /* enum sys_struct */
    uint16_t size; /* REFOUT: bytes */
    const struct sys_flag *flags;
};

enum sys_how { HOW_LATER, HOW_PASS, HOW_CONVERT, HOW_EMULATE, HOW_REFUSE };
enum sys_level { LEVEL_NONE, LEVEL_PARTIAL, LEVEL_FULL };

typedef int64_t sys_body(struct thread *t, const uint64_t *a);

struct sys_row {
    const char *name; /* NULL: no such call */
    const char *note;
    sys_body *body;     /* CONVERT, EMULATE */
    int16_t host_nr;    /* PASS */
    int16_t error;      /* REFUSE: errno */
    uint8_t how, level; /* enum sys_how, sys_level */
    struct sys_arg arg[6];
};

#define SYS_TABLE_SIZE 512
extern const struct sys_row sys_table[SYS_TABLE_SIZE];
extern const struct sys_row sys_own_rows[]; /* the OWN rows; ends with a NULL name */

/* The row for a guest's number, or NULL. */
const struct sys_row *sys_row_of(const struct guest *g, uint64_t nr);

/* Size in guest memory of an element of an argument, by enum sys_struct. */
extern const uint16_t sys_struct_size[SYS_STRUCT_COUNT];

/* All bodies. */
#define SYS_BODY(name) int64_t sys_##name(struct thread *t, const uint64_t *a);
#define PASS(nr, name, ...)
#define LATER(nr, name, ...)
#define REFUSE(nr, name, ...)
#define CONVERT(nr, name, ...) SYS_BODY(name)
#define EMULATE(nr, name, ...) SYS_BODY(name)
#define OWN(name, ...) SYS_BODY(name)
#include "syscall/syscall.def"
#undef PASS
#undef LATER
#undef REFUSE
#undef CONVERT
#undef EMULATE
#undef OWN
#undef SYS_BODY

/* --- path.c ------------------------------------------------------------------------------------- */

/* The host's name for a guest file name of the calling process: `path` is the name, `dirfd` what a
 * relative one is relative to, `follow` says that a last symlink will be followed. Returns `path`
 * itself, or buf (of PATH_MAX bytes) with a name below the sysroot or reached through one of its absolute
 * symlinks. Never fails: a name that is nowhere stays as it is, so that the kernel says why. */
const char *sys_path(char *buf, int dirfd, const char *path, bool follow);

/* --- fd.c: descriptors of the runtime's own ------------------------------------------------------ */

/* Every descriptor below this one is the guest's; UINT32_MAX when the runtime has none. */
extern uint32_t sys_hidden_floor;
bool sys_fd_is_hidden_slow(uint32_t fd);
static inline bool sys_fd_is_hidden(uint64_t fd)
{
    return __builtin_expect((uint32_t)fd >= sys_hidden_floor, 0) && sys_fd_is_hidden_slow(fd);
}

/* --- file.c ------------------------------------------------------------------------------------- */

/* open()'s flags between the guest's and the host's numbering. */
uint32_t sys_open_flags_to_host(const struct guest *g, uint32_t flags);
uint32_t sys_open_flags_to_guest(const struct guest *g, uint32_t flags);

/* --- aio.c -------------------------------------------------------------------------------------- */

/* May the kernel have the n iovecs at addr, for a request that it does later? Those that it will write to (out) are
 * made ready. True as well when the vector itself cannot be read. */
bool sys_iov_is_good(uint64_t addr, uint64_t n, bool out);

/* --- seccomp.c ----------------------------------------------------------------------------------- */

/* t has filters: do they refuse the call? Then *ret is its result (SYS_NO_RESULT: a signal's frame is
 * built instead). Does not return when they kill. */
bool sys_seccomp_refuses(struct thread *t, uint64_t nr, const uint64_t *args, int64_t *ret);
/* prctl's PR_SET_SECCOMP and PR_GET_SECCOMP. */
int64_t sys_seccomp_prctl(struct thread *t, uint64_t mode, uint64_t filter);
int sys_seccomp_mode(const struct thread *t);
unsigned sys_seccomp_filters(const struct thread *t); /* how many */
/* For the next program: an open file that holds t's filters, -1 when there are none, or -errno below -1. */
int sys_seccomp_save(const struct thread *t);

/* --- seccomp_notify.c ---------------------------------------------------------------------------- */

/* Have the host's kernel make a listener for the calling thread (SECCOMP_FILTER_FLAG_ flags): its descriptor, or -errno. */
int64_t sys_seccomp_listen(unsigned flags);
/* Ask the listener about t's call. True: *ret is its answer, or -SIG_RESTART; false: the call is to be made. */
bool sys_seccomp_ask(struct thread *t, uint64_t nr, const uint64_t *args, int64_t *ret);
/* SECCOMP_IOCTL_NOTIF_RECV and _SEND, with the struct at addr. */
int64_t sys_seccomp_receive(struct thread *t, uint64_t fd, uint64_t addr);
int64_t sys_seccomp_answer(struct thread *t, uint64_t fd, uint64_t addr);
/* AUDIT_ARCH_ of a guest. */
uint32_t sys_seccomp_arch(uint32_t elf_machine);

/* --- strace.c ------------------------------------------------------------------------------------ */

/* Print a call before it is done, if need be, and afterwards; what enter returns is leave's `announced`.
 * row is NULL for an unknown number; a are the guest's arguments, unprepared. */
bool sys_trace_enter(struct thread *t, const struct sys_row *row, uint64_t nr, const uint64_t *a);
void sys_trace_leave(struct thread *t, const struct sys_row *row, uint64_t nr, const uint64_t *a,
                     int64_t ret, bool announced);

/* strace_struct.c: print the struct `type` at guest address addr, of len bytes where it has no size
 * of its own (sockaddr, clone_args: their size above is 1). false when it has no printer or memory
 * cannot be read. */
bool sys_trace_struct(struct log_line *l, unsigned type, uint64_t addr, uint64_t len);
void sys_trace_siginfo(struct log_line *l, const siginfo_t *si);
/* strace_flags.c: names joined with |, the rest as hex; one value's name. */
void sys_trace_flags(struct log_line *l, const struct sys_flag *set, uint64_t v);
void sys_trace_enum(struct log_line *l, const struct sys_flag *set, uint64_t v);
const char *sys_errno_name(int err);
const char *sys_signal_name(int signo);

#endif
