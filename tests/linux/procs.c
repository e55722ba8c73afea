/* Processes: wait statuses, job control, vfork and posix_spawn, the flags of clone and clone3. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void test_signal_statuses(void)
{
    static const int fatal[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
                                SIGBUS,  SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
                                SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM,
                                SIGPROF, SIGIO,   SIGPWR,  SIGSYS,  34,      64};
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            kill(getpid(), fatal[i]);
            _exit(1);
        }
        int st;
        EXPECT_EQ(waitpid(pid, &st, 0), pid);
        EXPECT(WIFSIGNALED(st));
        EXPECT_EQ(WTERMSIG(st), fatal[i]);
    }
    static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    for (unsigned i = 0; i < 4; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            kill(getpid(), harmless[i]);
            _exit(3);
        }
        int st;
        EXPECT_EQ(waitpid(pid, &st, 0), pid);
        EXPECT_EQ(st, 3 << 8);
    }
    /* abort, even when blocked and caught */
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_IGN);
        abort();
    }
    int st;
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(WTERMSIG(st), SIGABRT);
    verified("fatal signals are what a parent sees");
}

static void test_job_control(void)
{
    siginfo_t si;
    int st;
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, &st, WUNTRACED), pid);
    EXPECT(WIFSTOPPED(st));
    EXPECT_EQ(WSTOPSIG(st), SIGSTOP);
    kill(pid, SIGCONT);
    EXPECT_EQ(waitpid(pid, &st, WCONTINUED), pid);
    EXPECT(WIFCONTINUED(st));
    kill(pid, SIGTSTP);
    memset(&si, 0, sizeof(si));
    EXPECT_EQ(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT), 0);
    EXPECT_EQ(si.si_code, CLD_STOPPED);
    EXPECT_EQ(si.si_status, SIGTSTP);
    EXPECT_EQ(si.si_pid, pid);
    kill(pid, SIGTERM);
    kill(pid, SIGCONT);
    memset(&si, 0, sizeof(si));
    EXPECT_EQ(waitid(P_PID, pid, &si, WEXITED), 0);
    EXPECT_EQ(si.si_code, CLD_KILLED);
    EXPECT_EQ(si.si_status, SIGTERM);
    EXPECT_ERR(waitpid(pid, &st, 0), ECHILD);
    EXPECT_ERR(waitpid(-1, &st, 0), ECHILD);
    verified("SIGSTOP, SIGCONT, waitid");
}

static volatile int shared = 1;
static volatile int chld;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
    (void)sig;
    (void)uc;
    chld = si->si_status;
}

static void test_vfork(void)
{
    struct sigaction sa;
    int st;
    shared = 1;
    pid_t parent = getpid();
    pid_t pid = vfork();
    if (pid == 0) {
        shared = getppid() == parent ? 2 : 3;
        _exit(4);
    }
    EXPECT_EQ(shared, 2); /* the memory is the same, and we were waiting */
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 4 << 8);

    /* The child's dispositions are its own. */
    signal(SIGUSR1, SIG_IGN);
    pid = vfork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_DFL);
        kill(getpid(), SIGUSR1);
        _exit(4);
    }
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT(WIFSIGNALED(st));
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_DFL);

    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_chld;
    sa.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGCHLD, &sa, NULL);
    for (volatile int i = 1; i <= 100; i++) {
        pid = vfork();
        if (pid == 0)
            _exit(i);
        EXPECT_EQ(waitpid(pid, &st, 0), pid);
        EXPECT_EQ(st, i << 8);
        EXPECT_EQ(chld, i);
    }
    signal(SIGCHLD, SIG_DFL);
    verified("vfork shares memory, not dispositions");
}

static void test_spawn(void)
{
    pid_t pid;
    char *argv[] = {"x", NULL};
    EXPECT_EQ(posix_spawn(&pid, "/nonexistent/program", NULL, NULL, argv, environ), ENOENT);
    EXPECT_EQ(posix_spawn(&pid, "/", NULL, NULL, argv, environ), EACCES);
    EXPECT_EQ(posix_spawn(&pid, "/etc/passwd", NULL, NULL, argv, environ), EACCES);
    EXPECT_EQ(posix_spawnp(&pid, "no-such-command-anywhere", NULL, NULL, argv, environ), ENOENT);
    EXPECT_ERR(waitpid(-1, NULL, 0), ECHILD);
    EXPECT_ERR(execve("/nonexistent/program", argv, environ), ENOENT);
    EXPECT_ERR(execve("", argv, environ), ENOENT);
    EXPECT_ERR(syscall(SYS_execve, BAD, argv, environ), EFAULT);
    char name[] = "/tmp/dragoman-procs-XXXXXX";
    int fd = mkstemp(name);
    fchmod(fd, 0755);
    close(fd);
    EXPECT_ERR(execve(name, argv, environ), ENOEXEC);
    fd = open(name, O_WRONLY);
    EXPECT_EQ(write(fd,
                    "\x7f"
                    "ELF",
                    4),
              4);
    close(fd);
    EXPECT_ERR(execve(name, argv, environ), ENOEXEC);
    unlink(name);
    EXPECT_ERR(syscall(SYS_execveat, -1, "", argv, environ, AT_EMPTY_PATH), EBADF);
    EXPECT_ERR(syscall(SYS_execveat, AT_FDCWD, "/", argv, environ, 0x400000), EINVAL);
    verified("errors of execve reach the caller, through posix_spawn too");
}

static int child_fn(void *arg)
{
    return *(int *)arg;
}
static char stack[65536] __attribute__((aligned(16)));

static void on_nothing(int sig)
{
    (void)sig;
}

struct clone_args_64 {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup, more;
};

static void test_clone_flags(void)
{
    char *top = stack + sizeof(stack);
    int arg = 6, st, ptid = 0;
    EXPECT_ERR(clone(child_fn, top, CLONE_THREAD | CLONE_VM | SIGCHLD, &arg), EINVAL);
    EXPECT_ERR(clone(child_fn, top, CLONE_SIGHAND | SIGCHLD, &arg), EINVAL);
    EXPECT_ERR(clone(child_fn, top, CLONE_NEWNS | CLONE_FS | SIGCHLD, &arg), EINVAL);
    EXPECT_ERR(clone(child_fn, top, CLONE_NEWUSER | CLONE_FS | SIGCHLD, &arg), EINVAL);
    EXPECT_ERR(clone(child_fn, top, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &arg, &ptid),
               EINVAL);
    EXPECT_ERR(clone(child_fn, top,
                     CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID | SIGCHLD, &arg),
               EINVAL);

    /* A fork with a stack of its own, and PARENT_SETTID. */
    pid_t pid = clone(child_fn, top, CLONE_PARENT_SETTID | SIGCHLD, &arg, &ptid);
    EXPECT(pid > 0);
    EXPECT_EQ(ptid, pid);
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 6 << 8);

    /* Another signal at the end, or none: only __WALL finds it. */
    pid = clone(child_fn, top, 0, &arg);
    EXPECT_ERR(waitpid(pid, &st, 0), ECHILD);
    EXPECT_EQ(waitpid(pid, &st, __WALL), pid);
    EXPECT_EQ(st, 6 << 8);

    /* A pidfd. */
    int pidfd = -1;
    pid = clone(child_fn, top, CLONE_PIDFD | CLONE_FILES | SIGCHLD, &arg, &pidfd);
    EXPECT(pid > 0);
    EXPECT(pidfd >= 0);
    siginfo_t si = {0};
    EXPECT_EQ(waitid(P_PIDFD, pidfd, &si, WEXITED), 0);
    EXPECT_EQ(si.si_pid, pid);
    EXPECT_EQ(si.si_status, 6);
    close(pidfd);

    /* CLONE_VM | CLONE_VFORK: as posix_spawn does. */
    shared = 0;
    pid = clone(child_fn, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &arg);
    EXPECT(pid > 0);
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 6 << 8);
    verified("clone's flags");

    struct clone_args_64 ca;
    memset(&ca, 0, sizeof(ca));
    EXPECT_ERR(syscall(SYS_clone3, &ca, 63), EINVAL);
    EXPECT_ERR(syscall(SYS_clone3, &ca, 8192), E2BIG);
    EXPECT_ERR(syscall(SYS_clone3, BAD, 64), EFAULT);
    ca.exit_signal = SIGCHLD;
    ca.more = 1;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 96), E2BIG);
    ca.more = 0;
    ca.exit_signal = 65;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 64), EINVAL);
    ca.exit_signal = SIGCHLD | 0x100;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 64), EINVAL);
    ca.exit_signal = SIGCHLD;
    ca.flags = UINT64_C(1) << 40;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 64), EINVAL);
    ca.flags = 0x11; /* signals belong to exit_signal */
    EXPECT_ERR(syscall(SYS_clone3, &ca, 64), EINVAL);
    ca.flags = 0;
    ca.stack_size = 4096;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 64), EINVAL);
    ca.stack_size = 0;
    ca.set_tid = (uintptr_t)&ptid;
    EXPECT_ERR(syscall(SYS_clone3, &ca, 80), EINVAL);
    ca.set_tid = 0;

    pidfd = -1;
    ptid = 0;
    ca.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | UINT64_C(0x100000000); /* CLEAR_SIGHAND */
    ca.pidfd = (uintptr_t)&pidfd;
    ca.parent_tid = (uintptr_t)&ptid;
    signal(SIGUSR1, on_nothing);
    signal(SIGUSR2, SIG_IGN);
    pid = (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
    if (pid == 0) {
        struct sigaction a, b;
        sigaction(SIGUSR1, NULL, &a);
        sigaction(SIGUSR2, NULL, &b);
        _exit(a.sa_handler == SIG_DFL && b.sa_handler == SIG_IGN ? 12 : 13);
    }
    EXPECT(pid > 0);
    EXPECT_EQ(ptid, pid);
    EXPECT(pidfd >= 0);
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 12 << 8);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    close(pidfd);
    verified("clone3's arguments");
}

static void test_ids(void)
{
    char name[17] = "";
    EXPECT_EQ(gettid(), getpid());
    EXPECT_EQ(syscall(SYS_set_tid_address, &shared), gettid());
    EXPECT_EQ(prctl(PR_SET_NAME, "a-name-of-16-chars"), 0);
    EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
    EXPECT_EQ(strcmp(name, "a-name-of-16-ch"), 0);
    EXPECT_ERR(prctl(PR_SET_NAME, BAD), EFAULT);
    EXPECT_ERR(prctl(99999), EINVAL);
    int sig = -1;
    EXPECT_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
    EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
    EXPECT_EQ(sig, SIGUSR1);
    prctl(PR_SET_PDEATHSIG, 0);
    void *where = NULL;
    EXPECT_EQ(prctl(PR_GET_TID_ADDRESS, &where), 0);
    EXPECT(where == (void *)&shared);
    EXPECT_ERR(kill(getpid(), 65), EINVAL);
    EXPECT_ERR(syscall(SYS_tgkill, getpid(), gettid(), -1), EINVAL);
    verified("ids and prctl");
}

int main(void)
{
    test_signal_statuses();
    test_job_control();
    test_vfork();
    test_spawn();
    test_clone_flags();
    test_ids();
    return 0;
}
