/* Processes that share memory with their parent while both run: clone with CLONE_VM, without CLONE_THREAD and without
 * CLONE_VFORK. Expectations: clone(2). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK (128 << 10)
static char *stacks[4];
static volatile uint32_t step, other;
static volatile int ctid;

/* Hand the turn over: each side waits for the other's number, so both must run at the same time. */
static void set_step(volatile uint32_t *word, uint32_t v)
{
    __atomic_store_n(word, v, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 10, NULL, NULL, 0);
}

static void await_step(volatile uint32_t *word, uint32_t v)
{
    uint32_t now;
    while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != v)
        syscall(SYS_futex, word, FUTEX_WAIT, now, NULL, NULL, 0);
}

static pid_t start(int (*fn)(void *), int n, int flags)
{
    if (!stacks[n])
        stacks[n] = (void *)EXPECT_OK(mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0));
    return (pid_t)EXPECT_OK(
        clone(fn, stacks[n] + STACK, CLONE_VM | flags, (void *)(intptr_t)n, NULL, NULL, &ctid));
}

static int status_of(pid_t pid)
{
    int status;
    EXPECT_EQ(waitpid(pid, &status, __WALL), pid);
    return status;
}

static int taking_turns(void *arg)
{
    stack_t old;
    (void)arg;
    if (getpid() != (pid_t)syscall(SYS_gettid))
        return 1;
    if (sigaltstack(NULL, &old) != 0 || old.ss_flags != SS_DISABLE)
        return 2;
    for (uint32_t i = 0; i < 200; i++) {
        await_step(&step, 2 * i + 1);
        set_step(&step, 2 * i + 2);
    }
    return 42;
}

static void turns(void)
{
    static char area[64 << 10];
    stack_t ss = {.ss_sp = area, .ss_size = sizeof(area)};
    EXPECT_OK(sigaltstack(&ss, NULL));
    step = 0;
    pid_t pid = start(taking_turns, 0, SIGCHLD);
    EXPECT(pid != getpid());
    for (uint32_t i = 0; i < 200; i++) {
        set_step(&step, 2 * i + 1);
        await_step(&step, 2 * i + 2);
    }
    int status = status_of(pid);
    EXPECT(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
    verified("both run");
}

static int handled;
static void on_usr1(int signo)
{
    (void)signo;
    handled = getpid();
}

static int has_own_handlers(void *arg)
{
    struct sigaction act = {.sa_handler = on_usr1};
    (void)arg;
    if (sigaction(SIGUSR1, &act, NULL) != 0)
        return 1;
    raise(SIGUSR1);
    if (handled != getpid())
        return 2;
    set_step(&step, 1);
    for (;;)
        pause();
}

static void signals(void)
{
    struct sigaction act;
    step = 0;
    pid_t pid = start(has_own_handlers, 0, SIGCHLD);
    await_step(&step, 1);
    EXPECT_OK(sigaction(SIGUSR1, NULL, &act));
    EXPECT(act.sa_handler == SIG_DFL);
    EXPECT_OK(kill(pid, SIGUSR1));
    EXPECT_OK(kill(pid, SIGKILL));
    int status = status_of(pid);
    EXPECT(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    verified("signals");
}

static int faults(void *arg)
{
    (void)arg;
    *(volatile int *)BAD = 1;
    return 0;
}

static int forks(void *arg)
{
    int status;
    (void)arg;
    pid_t pid = fork();
    if (pid == 0) {
        step = 99; /* a copy's */
        _exit(7);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 1;
    return step == 99 ? 2 : WEXITSTATUS(status);
}

static int executes(void *arg)
{
    (void)arg;
    execl("/proc/self/exe", "beside", "sleep", (char *)NULL);
    return 3;
}

static int ends(void *arg)
{
    (void)arg;
    syscall(SYS_exit, 9);
    return 1;
}

/* All at once, each ends in its own way; the kernel clears the word of one that asked. */
static void ends_of_all_kinds(void)
{
    step = 0;
    pid_t a = start(faults, 0, SIGCHLD), b = start(forks, 1, SIGCHLD);
    pid_t c = start(executes, 2, 0); /* without a signal: only __WALL and __WCLONE see it */
    EXPECT_ERR(waitpid(c, NULL, 0), ECHILD);
    ctid = 77;
    pid_t d = start(ends, 3, SIGCHLD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
    EXPECT_EQ(WTERMSIG(status_of(a)), SIGSEGV);
    EXPECT_EQ(WEXITSTATUS(status_of(b)), 7);
    EXPECT_EQ(status_of(c), 5 << 8);
    EXPECT_EQ(WEXITSTATUS(status_of(d)), 9);
    EXPECT_EQ(ctid, 0);
    for (int i = 0; i < 50; i++) {
        pid_t one = start(ends, 0, SIGCHLD), two = start(faults, 1, SIGCHLD);
        EXPECT_EQ(WEXITSTATUS(status_of(one)), 9);
        EXPECT_EQ(WTERMSIG(status_of(two)), SIGSEGV);
    }
    verified("ends");
}

static pid_t traced;
static long peeked;

/* What LeakSanitizer does: stop the parent's thread, look at it, let it go. */
static int traces(void *arg)
{
    int status;
    (void)arg;
    await_step(&step, 1);
    if (ptrace(PTRACE_ATTACH, traced, 0, 0) != 0)
        return errno == EPERM ? 50 : 1;
    if (waitpid(traced, &status, __WALL) != traced || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != SIGSTOP)
        return 2;
    peeked = ptrace(PTRACE_PEEKDATA, traced, &peeked, 0);
    uint32_t before = other;
    struct timespec t = {.tv_nsec = 20000000};
    nanosleep(&t, NULL);
    if (other != before)
        return 3; /* it runs */
    if (ptrace(PTRACE_DETACH, traced, 0, 0) != 0)
        return 4;
    set_step(&step, 2);
    return 0;
}

static void tracer(void)
{
    traced = (pid_t)syscall(SYS_gettid);
    peeked = 0x1234567890;
    step = 0;
    pid_t pid = start(traces, 0, CLONE_FS | CLONE_FILES | CLONE_UNTRACED);
    set_step(&step, 1);
    int status, ret;
    while ((ret = waitpid(pid, &status, __WALL | WNOHANG)) == 0)
        other++;
    EXPECT_EQ(ret, pid);
    EXPECT(WIFEXITED(status));
    if (WEXITSTATUS(status) == 50) {
        printf("may not trace\n");
        return;
    }
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(step, 2);
    EXPECT_EQ(peeked, 0x1234567890);
    verified("a tracer of its parent");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "sleep")) {
        struct timespec t = {.tv_nsec = 50000000};
        nanosleep(&t, NULL);
        return 5;
    }
    turns();
    signals();
    ends_of_all_kinds();
    tracer();
    return 0;
}
