/* seccomp: filters judge this program's own numbers and registers; they are inherited by threads, forks
 * and execve; each action does what it says. Expectations: seccomp(2), kernel/seccomp.c. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__riscv)
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))

static long seccomp(unsigned op, unsigned flags, void *args)
{
    return syscall(SYS_seccomp, op, flags, args);
}

static long install(struct sock_filter *insn, unsigned n, unsigned flags)
{
    struct sock_fprog prog = {.len = (unsigned short)n, .filter = insn};
    return seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* `action` for call nr of this architecture, the rest allowed. */
static void refuse(long nr, unsigned action, unsigned flags)
{
    struct sock_filter f[] = {LOAD(arch),
                              BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
                              RETURN(SECCOMP_RET_KILL_PROCESS),
                              LOAD(nr),
                              UNLESS((unsigned)nr, 1),
                              RETURN(action),
                              RETURN(SECCOMP_RET_ALLOW)};
    EXPECT_OK(install(f, sizeof(f) / sizeof(f[0]), flags));
}

static int status_of(void (*fn)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        fn();
        exit(0);
    }
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

/* A number of /proc/self/status. */
static int status_line(const char *name)
{
    char line[256];
    int n = -1;
    FILE *f = fopen("/proc/self/status", "r");
    EXPECT(f != NULL);
    while (fgets(line, sizeof(line), f))
        if (!strncmp(line, name, strlen(name)))
            n = atoi(line + strlen(name));
    fclose(f);
    return n;
}

static void gives_errno(void)
{
    refuse(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0);
    EXPECT_ERR(syscall(SYS_getppid), EXDEV);
    EXPECT(getpid() > 0);
    EXPECT_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
    EXPECT_EQ(status_line("Seccomp:"), SECCOMP_MODE_FILTER);
    EXPECT_EQ(status_line("Seccomp_filters:"), 1);
    /* The gravest wins, whichever came first; data beyond the greatest errno is cut. */
    refuse(SYS_getppid, SECCOMP_RET_LOG, 0);
    EXPECT_ERR(syscall(SYS_getppid), EXDEV);
    refuse(SYS_getppid, SECCOMP_RET_ERRNO | 0xffff, 0);
    EXPECT_ERR(syscall(SYS_getppid), 4095);
    refuse(SYS_getuid, SECCOMP_RET_ERRNO, 0);
    EXPECT_EQ(syscall(SYS_getuid), 0);
    EXPECT_EQ(status_line("Seccomp_filters:"), 4);
    refuse(SYS_getgid, SECCOMP_RET_TRACE, 0);
    EXPECT_ERR(syscall(SYS_getgid), ENOSYS);
}

/* Both halves of an argument, arithmetic, memory and index register. */
static void looks_at_arguments(void)
{
    struct sock_filter f[] = {
        LOAD(nr),
        UNLESS(SYS_lseek, 13),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
        BPF_STMT(BPF_LDX | BPF_MEM, 3),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_IMM, 8 + 7 * 3),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
        RETURN(SECCOMP_RET_ERRNO | EXFULL),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        UNLESS(sizeof(struct seccomp_data), 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ALLOW),
    };
    EXPECT_OK(install(f, sizeof(f) / sizeof(f[0]), 0));
    EXPECT_ERR(syscall(SYS_lseek, -1, 0x800000007L, 0), EXFULL);
    EXPECT_ERR(syscall(SYS_lseek, -1, 0x700000007L, 0), EBADF);
    EXPECT_ERR(syscall(SYS_lseek, -1, 0x800000008L, 0), EBADF);
}

static volatile int trapped;
static long handler_result;
static void on_sys(int signo, siginfo_t *info, void *context)
{
    (void)context;
    EXPECT_EQ(signo, SIGSYS);
    EXPECT_EQ(info->si_code, 1 /* SYS_SECCOMP */);
    EXPECT_EQ(info->si_errno, 77);
    EXPECT_EQ(info->si_syscall, SYS_getpriority);
    EXPECT_EQ((unsigned)info->si_arch, ARCH);
    EXPECT(info->si_call_addr != NULL);
    trapped++;
}

static void traps(void)
{
    struct sigaction act = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    EXPECT_OK(sigaction(SIGSYS, &act, NULL));
    refuse(SYS_getpriority, SECCOMP_RET_TRAP | 77, 0);
    handler_result = syscall(SYS_getpriority, 0, 0);
    EXPECT_EQ(trapped, 1);
#ifndef __x86_64__
    EXPECT_EQ(handler_result, 0); /* the first argument, in the register of the result */
#endif
}

static void traps_unhandled(void)
{
    refuse(SYS_getppid, SECCOMP_RET_TRAP, 0);
    getppid();
}

static void traps_blocked(void)
{
    sigset_t set;
    struct sigaction act = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    EXPECT_OK(sigaction(SIGSYS, &act, NULL));
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    EXPECT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    traps_unhandled();
}

static void kills(void)
{
    refuse(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
    EXPECT(getpid() > 0);
    getppid();
}

static void *calls_getppid(void *arg)
{
    syscall(SYS_getppid);
    return arg;
}

static void kills_thread(void)
{
    pthread_t thread;
    refuse(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
    EXPECT_OK(pthread_create(&thread, NULL, calls_getppid, NULL));
    usleep(200000); /* its end clears the tid, so a join would see it too */
    exit(42);
}

static void strict(void)
{
    EXPECT_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    if (write(1, "", 0) == 0)
        syscall(SYS_getpid);
}

static void strict_exits(void)
{
    EXPECT_OK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
    syscall(SYS_exit, 7);
}

static pthread_barrier_t barrier;
static void *waits(void *arg)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    errno = 0;
    return (void *)(long)(syscall(SYS_getppid) == -1 && errno == EXDEV ? arg != NULL : 0);
}

static void threads(void)
{
    pthread_t thread;
    void *result;
    pthread_barrier_init(&barrier, NULL, 2);
    EXPECT_OK(pthread_create(&thread, NULL, waits, &barrier));
    pthread_barrier_wait(&barrier);
    refuse(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, &result);
    EXPECT_EQ((long)result, 1);
    /* And one made later. */
    pthread_barrier_init(&barrier, NULL, 1);
    EXPECT_OK(pthread_create(&thread, NULL, waits, &barrier));
    pthread_join(thread, &result);
    EXPECT_EQ((long)result, 1);
}

static char *self;
static void executes(void)
{
    refuse(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0);
    refuse(SYS_getuid, SECCOMP_RET_ERRNO | EXFULL, 0);
    EXPECT_OK(prctl(PR_SET_NAME, "x"));
    char lowest[12];
    int fd = EXPECT_OK(open("/dev/null", O_RDONLY));
    snprintf(lowest, sizeof(lowest), "%d", fd);
    EXPECT_OK(close(fd));
    char *argv[] = {self, lowest, NULL};
    EXPECT_ERR(execv("/nonexistent", argv), ENOENT);
    execv("/proc/self/exe", argv);
    exit(9);
}

static int executed(int lowest_free)
{
    EXPECT_ERR(syscall(SYS_getppid), EXDEV);
    EXPECT_ERR(syscall(SYS_getuid), EXFULL);
    EXPECT_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
    int fd = EXPECT_OK(open("/dev/null", O_RDONLY)); /* nothing was left open */
    EXPECT_EQ(fd, lowest_free);
    return 5;
}

static void refusals(void)
{
    struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
    struct sock_filter packet[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), allow};
    struct sock_filter odd[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), allow};
    struct sock_filter far[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
                                allow};
    struct sock_filter away[] = {BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), allow};
    struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), allow};
    struct sock_filter open_end[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)};
    struct sock_fprog bad = {.len = 1, .filter = BAD};
    EXPECT_ERR(install(packet, 2, 0), EINVAL);
    EXPECT_ERR(install(odd, 2, 0), EINVAL);
    EXPECT_ERR(install(far, 2, 0), EINVAL);
    EXPECT_ERR(install(away, 2, 0), EINVAL);
    EXPECT_ERR(install(zero, 2, 0), EINVAL);
    EXPECT_ERR(install(open_end, 1, 0), EINVAL);
    EXPECT_ERR(install(&allow, 0, 0), EINVAL);
    EXPECT_ERR(install(&allow, 1, 1u << 30), EINVAL);
    EXPECT_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, &bad), EFAULT);
    EXPECT_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, BAD), EFAULT);
    EXPECT_ERR(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    EXPECT_ERR(seccomp(77, 0, NULL), EINVAL);
    unsigned action = SECCOMP_RET_TRAP, none = 0x12340000;
    EXPECT_OK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
    EXPECT_ERR(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &none), EOPNOTSUPP);
    EXPECT_ERR(seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &action), EINVAL);
    EXPECT_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_DISABLED);
    EXPECT_EQ(status_line("Seccomp:"), SECCOMP_MODE_DISABLED);
    EXPECT_EQ(status_line("Seccomp_filters:"), 0);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return executed(atoi(argv[1]));
    EXPECT_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    EXPECT_EQ(status_of(refusals), 0);
    EXPECT_EQ(status_of(gives_errno), 0);
    EXPECT_EQ(WEXITSTATUS(status_of(looks_at_arguments)), 0);
    EXPECT_EQ(status_of(traps), 0);
    EXPECT_EQ(WTERMSIG(status_of(traps_unhandled)), SIGSYS);
    EXPECT_EQ(WTERMSIG(status_of(traps_blocked)), SIGSYS);
    EXPECT_EQ(WTERMSIG(status_of(kills)), SIGSYS);
    EXPECT_EQ(status_of(kills_thread), 42 << 8);
    EXPECT_EQ(status_of(strict), SIGKILL);
    EXPECT_EQ(status_of(strict_exits), 7 << 8);
    EXPECT_EQ(status_of(threads), 0);
    EXPECT_EQ(status_of(executes), 5 << 8);
    printf("ok\n");
    return 0;
}
