/* Names of flags and values, for -strace.
 *
 * Owns: the sets that rows name in FLAGS and ENUM (but ioctl's, see ioctl.c), names of errors and
 * signals.
 *
 * The values are the host's where all 64-bit asm-generic guests have the same; open() flags are
 * translated by the guest's table before they are looked up here.
 *
 * Threading: const.
 */
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <linux/fanotify.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/membarrier.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

/* A bit (or bits that belong together), one value of all bits, a value within a mask. */
#define B(x)                             \
    {                                    \
        (uint64_t)(x), (uint64_t)(x), #x \
    }
#define V(x)                          \
    {                                 \
        UINT32_MAX, (uint32_t)(x), #x \
    }
#define M(m, x)      \
    {                \
        (m), (x), #x \
    }
#define END        \
    {              \
        0, 0, NULL \
    }
#define SET(n) const struct sys_flag sys_flags_##n[]

SET(access) = {V(F_OK), B(R_OK), B(W_OK), B(X_OK), END};
SET(af) = {V(AF_UNSPEC),    V(AF_UNIX),   V(AF_INET), V(AF_INET6),
           V(AF_NETLINK),   V(AF_PACKET), V(AF_ALG),  V(AF_VSOCK),
           V(AF_BLUETOOTH), V(AF_CAN),    END};
/* AT_EACCESS and AT_REMOVEDIR are one bit, used by different calls. */
SET(at) = {B(AT_SYMLINK_NOFOLLOW), B(AT_REMOVEDIR),  B(AT_SYMLINK_FOLLOW),
           B(AT_NO_AUTOMOUNT),     B(AT_EMPTY_PATH), B(AT_STATX_FORCE_SYNC),
           B(AT_STATX_DONT_SYNC),  B(AT_RECURSIVE),  END};
SET(clock) = {V(CLOCK_REALTIME),          V(CLOCK_MONOTONIC),     V(CLOCK_PROCESS_CPUTIME_ID),
              V(CLOCK_THREAD_CPUTIME_ID), V(CLOCK_MONOTONIC_RAW), V(CLOCK_REALTIME_COARSE),
              V(CLOCK_MONOTONIC_COARSE),  V(CLOCK_BOOTTIME),      V(CLOCK_REALTIME_ALARM),
              V(CLOCK_BOOTTIME_ALARM),    V(CLOCK_TAI),           END};
SET(clone) = {B(CLONE_VM),
              B(CLONE_FS),
              B(CLONE_FILES),
              B(CLONE_SIGHAND),
              B(CLONE_PIDFD),
              B(CLONE_PTRACE),
              B(CLONE_VFORK),
              B(CLONE_PARENT),
              B(CLONE_THREAD),
              B(CLONE_NEWNS),
              B(CLONE_SYSVSEM),
              B(CLONE_SETTLS),
              B(CLONE_PARENT_SETTID),
              B(CLONE_CHILD_CLEARTID),
              B(CLONE_DETACHED),
              B(CLONE_UNTRACED),
              B(CLONE_CHILD_SETTID),
              B(CLONE_NEWCGROUP),
              B(CLONE_NEWUTS),
              B(CLONE_NEWIPC),
              B(CLONE_NEWUSER),
              B(CLONE_NEWPID),
              B(CLONE_NEWNET),
              B(CLONE_IO),
              M(0xff, SIGCHLD),
              END};
SET(close_range) = {B(CLOSE_RANGE_UNSHARE), B(CLOSE_RANGE_CLOEXEC), END};
SET(epoll_create) = {B(EPOLL_CLOEXEC), END};
SET(epoll_op) = {V(EPOLL_CTL_ADD), V(EPOLL_CTL_DEL), V(EPOLL_CTL_MOD), END};
SET(eventfd) = {B(EFD_SEMAPHORE), B(EFD_NONBLOCK), B(EFD_CLOEXEC), END};
SET(fadvise) = {V(POSIX_FADV_NORMAL),
                V(POSIX_FADV_RANDOM),
                V(POSIX_FADV_SEQUENTIAL),
                V(POSIX_FADV_WILLNEED),
                V(POSIX_FADV_DONTNEED),
                V(POSIX_FADV_NOREUSE),
                END};
SET(fallocate) = {B(FALLOC_FL_KEEP_SIZE),
                  B(FALLOC_FL_PUNCH_HOLE),
                  B(FALLOC_FL_COLLAPSE_RANGE),
                  B(FALLOC_FL_ZERO_RANGE),
                  B(FALLOC_FL_INSERT_RANGE),
                  B(FALLOC_FL_UNSHARE_RANGE),
                  END};
SET(fanotify_init) = {M(0xc, FAN_CLASS_CONTENT),
                      M(0xc, FAN_CLASS_PRE_CONTENT),
                      B(FAN_CLOEXEC),
                      B(FAN_NONBLOCK),
                      B(FAN_UNLIMITED_QUEUE),
                      B(FAN_UNLIMITED_MARKS),
                      B(FAN_ENABLE_AUDIT),
                      B(FAN_REPORT_PIDFD),
                      B(FAN_REPORT_TID),
                      B(FAN_REPORT_FID),
                      B(FAN_REPORT_DIR_FID),
                      B(FAN_REPORT_NAME),
                      END};
SET(fanotify_mark) = {B(FAN_MARK_ADD),
                      B(FAN_MARK_REMOVE),
                      B(FAN_MARK_DONT_FOLLOW),
                      B(FAN_MARK_ONLYDIR),
                      B(FAN_MARK_MOUNT),
                      B(FAN_MARK_IGNORED_MASK),
                      B(FAN_MARK_IGNORED_SURV_MODIFY),
                      B(FAN_MARK_FLUSH),
                      B(FAN_MARK_FILESYSTEM),
                      END};
SET(fcntl) = {V(F_DUPFD),
              V(F_GETFD),
              V(F_SETFD),
              V(F_GETFL),
              V(F_SETFL),
              V(F_GETLK),
              V(F_SETLK),
              V(F_SETLKW),
              V(F_SETOWN),
              V(F_GETOWN),
              V(F_SETSIG),
              V(F_GETSIG),
              V(F_SETOWN_EX),
              V(F_GETOWN_EX),
              V(F_OFD_GETLK),
              V(F_OFD_SETLK),
              V(F_OFD_SETLKW),
              V(F_SETLEASE),
              V(F_GETLEASE),
              V(F_NOTIFY),
              V(F_DUPFD_CLOEXEC),
              V(F_SETPIPE_SZ),
              V(F_GETPIPE_SZ),
              V(F_ADD_SEALS),
              V(F_GET_SEALS),
              V(F_GET_RW_HINT),
              V(F_SET_RW_HINT),
              V(F_GET_FILE_RW_HINT),
              V(F_SET_FILE_RW_HINT),
              END};
SET(flock) = {M(11, LOCK_SH), M(11, LOCK_EX), M(11, LOCK_UN), B(LOCK_NB), END};
SET(flush_icache) = {{1, 1, "SYS_RISCV_FLUSH_ICACHE_LOCAL"}, END};
SET(futex) = {M(0x7f, FUTEX_WAIT),
              M(0x7f, FUTEX_WAKE),
              M(0x7f, FUTEX_FD),
              M(0x7f, FUTEX_REQUEUE),
              M(0x7f, FUTEX_CMP_REQUEUE),
              M(0x7f, FUTEX_WAKE_OP),
              M(0x7f, FUTEX_LOCK_PI),
              M(0x7f, FUTEX_UNLOCK_PI),
              M(0x7f, FUTEX_TRYLOCK_PI),
              M(0x7f, FUTEX_WAIT_BITSET),
              M(0x7f, FUTEX_WAKE_BITSET),
              M(0x7f, FUTEX_WAIT_REQUEUE_PI),
              M(0x7f, FUTEX_CMP_REQUEUE_PI),
              M(0x7f, FUTEX_LOCK_PI2),
              B(FUTEX_PRIVATE_FLAG),
              B(FUTEX_CLOCK_REALTIME),
              END};
SET(getrandom) = {B(GRND_NONBLOCK), B(GRND_RANDOM), B(GRND_INSECURE), END};
SET(hwprobe) = {{1, 1, "RISCV_HWPROBE_WHICH_CPUS"}, END};
SET(idtype) = {V(P_ALL), V(P_PID), V(P_PGID), V(P_PIDFD), END};
SET(inotify) = {B(IN_ACCESS),        B(IN_MODIFY),      B(IN_ATTRIB),      B(IN_CLOSE_WRITE),
                B(IN_CLOSE_NOWRITE), B(IN_OPEN),        B(IN_MOVED_FROM),  B(IN_MOVED_TO),
                B(IN_CREATE),        B(IN_DELETE),      B(IN_DELETE_SELF), B(IN_MOVE_SELF),
                B(IN_ONLYDIR),       B(IN_DONT_FOLLOW), B(IN_EXCL_UNLINK), B(IN_MASK_CREATE),
                B(IN_MASK_ADD),      B(IN_ISDIR),       B(IN_ONESHOT),     END};
SET(inotify_init) = {B(IN_NONBLOCK), B(IN_CLOEXEC), END};
SET(ipc) = {B(IPC_CREAT), B(IPC_EXCL), B(IPC_NOWAIT), END};
/* SEM_* commands and those of messages and shared memory overlap: only the common ones. */
SET(ipc_cmd) = {V(IPC_RMID), V(IPC_SET), V(IPC_STAT), V(IPC_INFO), V(GETPID), V(GETVAL),
                V(GETALL),   V(GETNCNT), V(GETZCNT),  V(SETVAL),   V(SETALL), END};
SET(itimer) = {V(ITIMER_REAL), V(ITIMER_VIRTUAL), V(ITIMER_PROF), END};
SET(kcmp) = {V(KCMP_FILE), V(KCMP_VM),      V(KCMP_FILES),     V(KCMP_FS), V(KCMP_SIGHAND),
             V(KCMP_IO),   V(KCMP_SYSVSEM), V(KCMP_EPOLL_TFD), END};
SET(keyctl) = {V(KEYCTL_GET_KEYRING_ID),
               V(KEYCTL_JOIN_SESSION_KEYRING),
               V(KEYCTL_UPDATE),
               V(KEYCTL_REVOKE),
               V(KEYCTL_CHOWN),
               V(KEYCTL_SETPERM),
               V(KEYCTL_DESCRIBE),
               V(KEYCTL_CLEAR),
               V(KEYCTL_LINK),
               V(KEYCTL_UNLINK),
               V(KEYCTL_SEARCH),
               V(KEYCTL_READ),
               V(KEYCTL_INSTANTIATE),
               V(KEYCTL_NEGATE),
               V(KEYCTL_SET_REQKEY_KEYRING),
               V(KEYCTL_SET_TIMEOUT),
               V(KEYCTL_ASSUME_AUTHORITY),
               V(KEYCTL_GET_SECURITY),
               V(KEYCTL_SESSION_TO_PARENT),
               V(KEYCTL_REJECT),
               V(KEYCTL_INSTANTIATE_IOV),
               V(KEYCTL_INVALIDATE),
               V(KEYCTL_GET_PERSISTENT),
               END};
SET(madvise) = {V(MADV_NORMAL),         V(MADV_RANDOM),
                V(MADV_SEQUENTIAL),     V(MADV_WILLNEED),
                V(MADV_DONTNEED),       V(MADV_FREE),
                V(MADV_REMOVE),         V(MADV_DONTFORK),
                V(MADV_DOFORK),         V(MADV_MERGEABLE),
                V(MADV_UNMERGEABLE),    V(MADV_HUGEPAGE),
                V(MADV_NOHUGEPAGE),     V(MADV_DONTDUMP),
                V(MADV_DODUMP),         V(MADV_WIPEONFORK),
                V(MADV_KEEPONFORK),     V(MADV_COLD),
                V(MADV_PAGEOUT),        V(MADV_POPULATE_READ),
                V(MADV_POPULATE_WRITE), END};
SET(membarrier) = {V(MEMBARRIER_CMD_QUERY),
                   V(MEMBARRIER_CMD_GLOBAL),
                   V(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
                   V(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
                   V(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
                   V(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
                   END};
SET(memfd) = {B(MFD_CLOEXEC),       B(MFD_ALLOW_SEALING),
              B(MFD_HUGETLB),       {8, 8, "MFD_NOEXEC_SEAL"},
              {16, 16, "MFD_EXEC"}, END};
SET(mlock2) = {B(MLOCK_ONFAULT), END};
SET(mlockall) = {B(MCL_CURRENT), B(MCL_FUTURE), B(MCL_ONFAULT), END};
SET(mmap) = {M(3, MAP_SHARED),
             M(3, MAP_PRIVATE),
             M(3, MAP_SHARED_VALIDATE),
             B(MAP_FIXED),
             B(MAP_ANONYMOUS),
             B(MAP_GROWSDOWN),
             B(MAP_DENYWRITE),
             B(MAP_EXECUTABLE),
             B(MAP_LOCKED),
             B(MAP_NORESERVE),
             B(MAP_POPULATE),
             B(MAP_NONBLOCK),
             B(MAP_STACK),
             B(MAP_HUGETLB),
             B(MAP_SYNC),
             B(MAP_FIXED_NOREPLACE),
             END};
SET(mount) = {B(MS_RDONLY),
              B(MS_NOSUID),
              B(MS_NODEV),
              B(MS_NOEXEC),
              B(MS_SYNCHRONOUS),
              B(MS_REMOUNT),
              B(MS_MANDLOCK),
              B(MS_DIRSYNC),
              B(MS_NOATIME),
              B(MS_NODIRATIME),
              B(MS_BIND),
              B(MS_MOVE),
              B(MS_REC),
              B(MS_SILENT),
              B(MS_POSIXACL),
              B(MS_UNBINDABLE),
              B(MS_PRIVATE),
              B(MS_SLAVE),
              B(MS_SHARED),
              B(MS_RELATIME),
              B(MS_STRICTATIME),
              B(MS_LAZYTIME),
              END};
SET(mremap) = {B(MREMAP_MAYMOVE), B(MREMAP_FIXED), B(MREMAP_DONTUNMAP), END};
SET(msg) = {B(MSG_OOB),        B(MSG_PEEK),     B(MSG_DONTROUTE),    B(MSG_CTRUNC),
            B(MSG_TRUNC),      B(MSG_DONTWAIT), B(MSG_EOR),          B(MSG_WAITALL),
            B(MSG_CONFIRM),    B(MSG_ERRQUEUE), B(MSG_NOSIGNAL),     B(MSG_MORE),
            B(MSG_WAITFORONE), B(MSG_FASTOPEN), B(MSG_CMSG_CLOEXEC), END};
SET(msync) = {B(MS_ASYNC), B(MS_INVALIDATE), B(MS_SYNC), END};
/* The kernel's O_LARGEFILE, which user headers define as 0 where it is of no use. */
SET(open) = {M(3, O_RDONLY),
             M(3, O_WRONLY),
             M(3, O_RDWR),
             B(O_CREAT),
             B(O_EXCL),
             B(O_NOCTTY),
             B(O_TRUNC),
             B(O_APPEND),
             B(O_NONBLOCK),
             B(O_SYNC),
             M(O_SYNC, O_DSYNC),
             B(O_ASYNC),
             B(O_DIRECT),
             {0100000, 0100000, "O_LARGEFILE"},
             B(O_TMPFILE),
             M(O_TMPFILE, O_DIRECTORY),
             B(O_NOFOLLOW),
             B(O_NOATIME),
             B(O_CLOEXEC),
             B(O_PATH),
             END};
SET(open_tree) = {{1, 1, "OPEN_TREE_CLONE"},
                  {O_CLOEXEC, O_CLOEXEC, "OPEN_TREE_CLOEXEC"},
                  B(AT_SYMLINK_NOFOLLOW),
                  B(AT_NO_AUTOMOUNT),
                  B(AT_EMPTY_PATH),
                  B(AT_RECURSIVE),
                  END};
SET(prctl) = {V(PR_SET_PDEATHSIG),
              V(PR_GET_PDEATHSIG),
              V(PR_GET_DUMPABLE),
              V(PR_SET_DUMPABLE),
              V(PR_GET_KEEPCAPS),
              V(PR_SET_KEEPCAPS),
              V(PR_GET_TIMING),
              V(PR_SET_TIMING),
              V(PR_SET_NAME),
              V(PR_GET_NAME),
              V(PR_GET_SECCOMP),
              V(PR_SET_SECCOMP),
              V(PR_CAPBSET_READ),
              V(PR_CAPBSET_DROP),
              V(PR_GET_SECUREBITS),
              V(PR_SET_SECUREBITS),
              V(PR_SET_TIMERSLACK),
              V(PR_GET_TIMERSLACK),
              V(PR_MCE_KILL),
              V(PR_SET_MM),
              V(PR_SET_CHILD_SUBREAPER),
              V(PR_GET_CHILD_SUBREAPER),
              V(PR_SET_NO_NEW_PRIVS),
              V(PR_GET_NO_NEW_PRIVS),
              V(PR_GET_TID_ADDRESS),
              V(PR_SET_THP_DISABLE),
              V(PR_GET_THP_DISABLE),
              V(PR_CAP_AMBIENT),
              V(PR_SET_VMA),
              V(PR_SET_PTRACER),
              END};
SET(priority) = {V(PRIO_PROCESS), V(PRIO_PGRP), V(PRIO_USER), END};
SET(prot) = {V(PROT_NONE),    B(PROT_READ), B(PROT_WRITE), B(PROT_EXEC), B(PROT_GROWSDOWN),
             B(PROT_GROWSUP), END};
SET(rename) = {
    {1, 1, "RENAME_NOREPLACE"}, {2, 2, "RENAME_EXCHANGE"}, {4, 4, "RENAME_WHITEOUT"}, END};
SET(rlimit) = {V(RLIMIT_CPU),
               V(RLIMIT_FSIZE),
               V(RLIMIT_DATA),
               V(RLIMIT_STACK),
               V(RLIMIT_CORE),
               V(RLIMIT_RSS),
               V(RLIMIT_NPROC),
               V(RLIMIT_NOFILE),
               V(RLIMIT_MEMLOCK),
               V(RLIMIT_AS),
               V(RLIMIT_LOCKS),
               V(RLIMIT_SIGPENDING),
               V(RLIMIT_MSGQUEUE),
               V(RLIMIT_NICE),
               V(RLIMIT_RTPRIO),
               V(RLIMIT_RTTIME),
               END};
SET(rwf) = {{1, 1, "RWF_HIPRI"},  {2, 2, "RWF_DSYNC"},    {4, 4, "RWF_SYNC"},
            {8, 8, "RWF_NOWAIT"}, {16, 16, "RWF_APPEND"}, END};
SET(sched) = {V(SCHED_OTHER), V(SCHED_FIFO),     V(SCHED_RR), V(SCHED_BATCH),
              V(SCHED_IDLE),  V(SCHED_DEADLINE), END};
SET(shmat) = {B(SHM_RDONLY), B(SHM_RND), B(SHM_REMAP), B(SHM_EXEC), END};
SET(sigmask_how) = {V(SIG_BLOCK), V(SIG_UNBLOCK), V(SIG_SETMASK), END};
SET(signalfd) = {B(SFD_NONBLOCK), B(SFD_CLOEXEC), END};
SET(sock) = {M(0xf, SOCK_STREAM),    M(0xf, SOCK_DGRAM),
             M(0xf, SOCK_RAW),       M(0xf, SOCK_RDM),
             M(0xf, SOCK_SEQPACKET), M(0xf, SOCK_DCCP),
             M(0xf, SOCK_PACKET),    B(SOCK_NONBLOCK),
             B(SOCK_CLOEXEC),        END};
SET(splice) = {B(SPLICE_F_MOVE), B(SPLICE_F_NONBLOCK), B(SPLICE_F_MORE), B(SPLICE_F_GIFT), END};
SET(statx) = {{0xfff, 0xfff, "STATX_ALL"},
              {0xfff, 0x7ff, "STATX_BASIC_STATS"},
              B(STATX_TYPE),
              B(STATX_MODE),
              B(STATX_NLINK),
              B(STATX_UID),
              B(STATX_GID),
              B(STATX_ATIME),
              B(STATX_MTIME),
              B(STATX_CTIME),
              B(STATX_INO),
              B(STATX_SIZE),
              B(STATX_BLOCKS),
              B(STATX_BTIME),
              {0x1000, 0x1000, "STATX_MNT_ID"},
              {0x2000, 0x2000, "STATX_DIOALIGN"},
              {0x4000, 0x4000, "STATX_MNT_ID_UNIQUE"},
              {0x8000, 0x8000, "STATX_SUBVOL"},
              END};
SET(sync_range) = {B(SYNC_FILE_RANGE_WAIT_BEFORE), B(SYNC_FILE_RANGE_WRITE),
                   B(SYNC_FILE_RANGE_WAIT_AFTER), END};
SET(timer) = {B(TIMER_ABSTIME), END};
SET(timerfd) = {B(TFD_TIMER_ABSTIME), B(TFD_TIMER_CANCEL_ON_SET), END};
SET(timerfd_create) = {B(TFD_NONBLOCK), B(TFD_CLOEXEC), END};
SET(umount) = {B(MNT_FORCE), B(MNT_DETACH), B(MNT_EXPIRE), B(UMOUNT_NOFOLLOW), END};
SET(wait) = {B(WNOHANG), B(WUNTRACED), B(WEXITED), B(WCONTINUED), B(WNOWAIT), B(__WNOTHREAD),
             B(__WALL),  B(__WCLONE),  END};
SET(whence) = {V(SEEK_SET), V(SEEK_CUR), V(SEEK_END), V(SEEK_DATA), V(SEEK_HOLE), END};
SET(xattr) = {B(XATTR_CREATE), B(XATTR_REPLACE), END};

void sys_trace_flags(struct log_line *l, const struct sys_flag *set, uint64_t v)
{
    const char *sep = "";
    uint64_t rest = v;

    for (; set->name; set++) {
        if (set->bits == 0 && set->mask != UINT32_MAX) { /* a value of 0 within a mask */
            if ((v & set->mask) == 0 && *sep == 0) {
                log_line_add(l, "%s", set->name);
                sep = "|";
            }
            continue;
        }
        if (set->mask == UINT32_MAX ? (uint32_t)v != set->bits : (rest & set->mask) != set->bits)
            continue;
        log_line_add(l, "%s%s", sep, set->name);
        sep = "|";
        rest &= ~set->mask;
    }
    if (rest || *sep == 0)
        log_line_add(l, rest ? "%s%#llx" : "%s%lld", sep, (unsigned long long)rest);
}

void sys_trace_enum(struct log_line *l, const struct sys_flag *set, uint64_t v)
{
    for (; set->name; set++) {
        if ((v & set->mask) == set->bits) {
            log_line_add(l, "%s", set->name);
            return;
        }
    }
    log_line_add(l, v > 9 ? "%#x" : "%d", (unsigned)v);
}

const char *sys_errno_name(int err)
{
    const char *name = strerrorname_np(err);
    return name ? name : "?";
}

const char *sys_signal_name(int signo)
{
    static const char *const names[] = {
        [1] = "SIGHUP",     [2] = "SIGINT",   [3] = "SIGQUIT",   [4] = "SIGILL",   [5] = "SIGTRAP",
        [6] = "SIGABRT",    [7] = "SIGBUS",   [8] = "SIGFPE",    [9] = "SIGKILL",  [10] = "SIGUSR1",
        [11] = "SIGSEGV",   [12] = "SIGUSR2", [13] = "SIGPIPE",  [14] = "SIGALRM", [15] = "SIGTERM",
        [16] = "SIGSTKFLT", [17] = "SIGCHLD", [18] = "SIGCONT",  [19] = "SIGSTOP", [20] = "SIGTSTP",
        [21] = "SIGTTIN",   [22] = "SIGTTOU", [23] = "SIGURG",   [24] = "SIGXCPU", [25] = "SIGXFSZ",
        [26] = "SIGVTALRM", [27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGIO",   [30] = "SIGPWR",
        [31] = "SIGSYS",
    };
    return signo > 0 && signo < 32 ? names[signo] : NULL;
}
