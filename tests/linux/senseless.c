/* Calls with senseless arguments, in a process of its own for each thousand: whatever the kernel makes of
 * them, the process must not fall to anything but what the guest did to itself. Runs in an empty directory
 * that is the current one. FUZZ_SEED and FUZZ_ROUNDS may be in the environment. */
#define _GNU_SOURCE
#include "syscall/host_nr.h"
#include "tests/linux/expect.h"
#include "tests/random.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct row {
    long nr;
    const char *name;
};

#define PASS(nr, n, ...) {SYS_##n, #n},
#define CONVERT(nr, n, ...) {SYS_##n, #n},
#define EMULATE(nr, n, ...) {SYS_##n, #n},
#define REFUSE(nr, n, ...)
#define LATER(nr, n, ...)
#define OWN(...)

static const struct row rows[] = {
#include "syscall/syscall.def"
};

/* What would harm the machine, others, or the run: ends the process, stops it, waits for long, takes its
 * memory or its descriptors away, or changes what all processes share. */
static const char *const skipped[] = {
    "exit",
    "exit_group",
    "clone",
    "clone3",
    "execve",
    "execveat",
    "rt_sigreturn",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_send_signal",
    "reboot",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "swapon",
    "swapoff",
    "acct",
    "syslog",
    "vhangup",
    "setns",
    "unshare",
    "delete_module",
    "quotactl",
    "quotactl_fd",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "open_tree_attr",
    "sync",
    "syncfs",
    "munmap",
    "mremap",
    "mprotect",
    "pkey_mprotect",
    "shmat",
    "shmdt",
    "mmap",
    "brk",
    "madvise",
    "process_madvise",
    "process_vm_writev",
    "pause",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "ppoll",
    "pselect6",
    "epoll_pwait",
    "epoll_pwait2",
    "semop",
    "semtimedop",
    "msgrcv",
    "msgsnd",
    "msgctl",
    "semctl",
    "shmctl",
    "msgget",
    "semget",
    "shmget",
    "mq_open",
    "mq_unlink",
    "setrlimit",
    "prlimit64",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_setaffinity",
    "sched_setscheduler",
    "sched_setattr",
    "sched_setparam",
    "setpriority",
    "ioprio_set",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "setgroups",
    "capset",
    "prctl",
    "landlock_restrict_self",
    "close",
    "close_range",
    "dup3",
    "ioctl",
    "fcntl",
    "keyctl",
    "add_key",
    "request_key",
    "process_mrelease",
    "mlockall",
    "personality",
    "setpgid",
    "setsid",
    "setitimer",
    "timer_settime",
    "timer_create",
    "timerfd_settime",
    "truncate",
    "wait4",
    "waitid",
    "unlinkat",
    "renameat2",
    "linkat",
    "mknodat",
    "migrate_pages",
    "set_robust_list",
    "set_tid_address",
    "rseq",
    "fanotify_init",
    "fanotify_mark",
    "chdir",
    "fchdir",
    "pidfd_getfd",
    "fchmodat",
    "fchmodat2",
    "fchownat",
    "fchmod",
    "fchown",
    "seccomp",
    "mseal",
};

static uint64_t state;

static uint64_t next(void)
{
    return random_next(&state) * UINT64_C(0x2545f4914f6cdd1d);
}

static char *page;

static uint64_t argument(void)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        16,
        255,
        4095,
        4096,
        4097,
        65536,
        INT32_MAX,
        UINT32_MAX,
        UINT64_C(0x80000000),
        UINT64_C(1) << 38,
        UINT64_C(1) << 39,
        (UINT64_C(1) << 46) - 1,
        UINT64_C(1) << 46,
        UINT64_C(1) << 47,
        UINT64_C(0x7fffffffffff),
        UINT64_C(1) << 62,
        INT64_MAX,
        UINT64_C(1) << 63,
        -UINT64_C(1),
        -UINT64_C(2),
        -UINT64_C(100),
        -UINT64_C(4095),
        -UINT64_C(4096),
    };
    uint64_t r = next();

    switch (r % 8) {
    case 0:
    case 1:
        return edges[r / 8 % (sizeof edges / sizeof *edges)];
    case 2:
        return r / 8 % 16;
    case 3:
        return UINT64_C(1) << (r / 8 % 64);
    case 4:
        return next();
    case 5: /* to the very end of a mapping */
        return (uintptr_t)page + 4096 - r / 8 % 64;
    default:
        return (uintptr_t)page + r / 8 % 4096;
    }
}

static void senseless_calls(unsigned count)
{
    page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    for (unsigned i = 0; i < count; i++) {
        const struct row *r = &rows[next() % (sizeof rows / sizeof *rows)];
        unsigned s = 0;

        while (s < sizeof skipped / sizeof *skipped && strcmp(skipped[s], r->name))
            s++;
        if (s < sizeof skipped / sizeof *skipped)
            continue;
        /* No names: what lies there is no text that could be one. */
        for (unsigned j = 0; j < 4096; j += 8) {
            uint64_t v = next() | UINT64_C(0x8080808080808080);
            memcpy(page + j, &v, 8);
        }
        uint64_t a[6];
        for (unsigned j = 0; j < 6; j++)
            a[j] = argument();
        syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

static void on_alarm(int signo)
{
    (void)signo;
}

int main(void)
{
    const char *seed = getenv("FUZZ_SEED"), *rounds = getenv("FUZZ_ROUNDS");
    unsigned n = rounds ? atoi(rounds) : 20;

    state = seed ? strtoull(seed, NULL, 0) : UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < n; i++) {
        int status;

        next();
        fflush(stdout);
        pid_t pid = EXPECT_OK(fork());
        if (pid == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_FSIZE, &none);
            /* No call waits for long, and each that waits is interrupted. */
            struct sigaction act = {.sa_handler = on_alarm};
            struct itimerval often = {{0, 5000}, {0, 5000}};
            sigaction(SIGALRM, &act, NULL);
            setitimer(ITIMER_REAL, &often, NULL);
            int null = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; fd++)
                if (fd != 2) /* where a report would go */
                    dup2(null, fd);
            senseless_calls(1000);
            _exit(0);
        }
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        if (status != 0)
            printf("seed %#llx\n", (unsigned long long)state);
        EXPECT_EQ(status, 0);
    }
    verified("senseless calls");
    return 0;
}
