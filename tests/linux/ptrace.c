/* ptrace(2): one program traces another. Compiled for the host itself it holds there, too
 * (cc -I. tests/linux/ptrace.c -pthread). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENT(n) ((n) << 8 | SIGTRAP)
#define STOP 128 /* PTRACE_EVENT_STOP */

static long trace(long request, pid_t pid, unsigned long addr, unsigned long data)
{
    return syscall(SYS_ptrace, request, pid, addr, data);
}

/* Wait for pid to stop, and expect that. */
static void expect_stop(int line, pid_t pid, int want)
{
    int status = 0;
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) || status >> 8 != want) {
        printf("FAIL %s:%d: process %d has status %#x, should have stopped with %#x\n", __FILE__,
               line, (int)pid, status, want);
        fflush(stdout);
        exit(1);
    }
}
#define EXPECT_STOP(pid, want) expect_stop(__LINE__, pid, want)

static void expect_end(int line, pid_t pid, int want)
{
    int status = 0;
    if (waitpid(pid, &status, __WALL) != pid || status != want) {
        printf("FAIL %s:%d: process %d has status %#x, should have ended with %#x\n", __FILE__,
               line, (int)pid, status, want);
        fflush(stdout);
        exit(1);
    }
}
#define EXPECT_END(pid, status) expect_end(__LINE__, pid, status)
#define EXITED(n) ((n) << 8)

static void get_regs(pid_t pid, unsigned long *regs)
{
    struct iovec iov = {regs, ISA_GREGS * 8};
    EXPECT_OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&iov));
    EXPECT_EQ(iov.iov_len, ISA_GREGS * 8);
}

static void set_regs(pid_t pid, unsigned long *regs)
{
    struct iovec iov = {regs, ISA_GREGS * 8};
    EXPECT_OK(trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, (unsigned long)&iov));
}

/* A child that runs fn under PTRACE_TRACEME, stopped by its SIGSTOP. */
static pid_t start(int (*fn)(void), unsigned long options)
{
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        if (trace(PTRACE_TRACEME, 0, 0, 0))
            _exit(99);
        raise(SIGSTOP);
        _exit(fn());
    }
    EXPECT_STOP(pid, SIGSTOP);
    EXPECT_OK(trace(PTRACE_SETOPTIONS, pid, 0, options | PTRACE_O_EXITKILL));
    return pid;
}

/* --- system calls ------------------------------------------------------------------------------ */

static int makes_calls(void)
{
    syscall(SYS_getpgid, 0x1234567);
    return syscall(SYS_getpriority, 7, 8) == 4321 && syscall(SYS_getuid) == 77 ? 5 : 6;
}

static void next_call(pid_t pid, struct ptrace_syscall_info *info)
{
    EXPECT_OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    long n = EXPECT_OK(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(*info), (unsigned long)info));
    EXPECT_EQ(n, info->op == PTRACE_SYSCALL_INFO_ENTRY ? 80 : 33);
}

static void test_calls(void)
{
    struct ptrace_syscall_info info;
    unsigned long regs[ISA_GREGS];
    unsigned long message = 9;
    siginfo_t si;
    pid_t pid = start(makes_calls, PTRACE_O_TRACESYSGOOD);

    do
        next_call(pid, &info);
    while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_getpgid);
    EXPECT_EQ(info.entry.args[0], 0x1234567);
    get_regs(pid, regs);
    EXPECT_EQ(info.instruction_pointer, regs[ISA_GREG_PC]);
    EXPECT_EQ(info.stack_pointer, regs[ISA_GREG_SP]);
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
    EXPECT_EQ(message, PTRACE_EVENTMSG_SYSCALL_ENTRY);
    EXPECT_OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si));
    EXPECT_EQ(si.si_signo, SIGTRAP);
    EXPECT_EQ(si.si_code, SIGTRAP | 0x80);
    next_call(pid, &info);
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    EXPECT_EQ(info.exit.rval, -ESRCH);
    EXPECT_EQ(info.exit.is_error, 1);
    next_call(pid, &info);
    EXPECT_EQ(info.entry.nr, SYS_getpriority);
    EXPECT_EQ(info.entry.args[1], 8);
    next_call(pid, &info);
    EXPECT_EQ(info.exit.rval, -EINVAL);
    get_regs(pid, regs);
    EXPECT_EQ(regs[ISA_GREG_RESULT], -EINVAL);
    regs[ISA_GREG_RESULT] = 4321;
    set_regs(pid, regs);
    next_call(pid, &info);
    EXPECT_EQ(info.entry.nr, SYS_getuid);
    next_call(pid, &info);
    get_regs(pid, regs);
    regs[ISA_GREG_RESULT] = 77;
    set_regs(pid, regs);
    next_call(pid, &info);
    EXPECT_EQ(info.entry.nr, SYS_exit_group);
    EXPECT_EQ(info.entry.args[0], 5);
    EXPECT_OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EXPECT_END(pid, EXITED(5));
    verified("system calls: stops, arguments, results, changed results");
}

/* --- signals ----------------------------------------------------------------------------------- */

static volatile sig_atomic_t got;
static void count(int signo)
{
    got = got * 10 + (signo == SIGUSR1 ? 1 : 2);
}

static int sends_signals(void)
{
    signal(SIGUSR1, count);
    signal(SIGUSR2, count);
    signal(SIGWINCH, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    raise(SIGUSR1); /* let through */
    raise(SIGUSR1); /* taken away */
    raise(SIGUSR1); /* exchanged for SIGUSR2 */
    raise(SIGWINCH);
    raise(SIGHUP);
    if (got != 12)
        return 1;
    raise(SIGTERM); /* exchanged for nothing */
    raise(SIGTERM);
    return 2;
}

static void test_signals(void)
{
    siginfo_t si;
    pid_t pid = start(sends_signals, 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGUSR1);
    EXPECT_OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si));
    EXPECT_EQ(si.si_signo, SIGUSR1);
    EXPECT_EQ(si.si_code, SI_TKILL);
    EXPECT_EQ(si.si_pid, pid);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGUSR1));
    EXPECT_STOP(pid, SIGUSR1);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGUSR1);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGUSR2));
    EXPECT_STOP(pid, SIGWINCH);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGWINCH));
    EXPECT_STOP(pid, SIGHUP);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGHUP));
    EXPECT_STOP(pid, SIGTERM);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGTERM);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGTERM));
    EXPECT_END(pid, SIGTERM);
    verified("signals: let through, taken away, exchanged, ignored, deadly");
}

static int faults(void)
{
    *(volatile int *)BAD = 1;
    return 1;
}

static void test_fault(void)
{
    siginfo_t si;
    pid_t pid = start(faults, 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGSEGV);
    EXPECT_OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si));
    EXPECT_EQ(si.si_code, SEGV_MAPERR);
    EXPECT_EQ(si.si_addr, 8);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGSEGV));
    int status;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGSEGV);
    verified("a fault");
}

/* --- memory, breakpoints, steps ---------------------------------------------------------------- */

static unsigned char *code;
static volatile long word = 0x1122334455667788;

static int runs_code(void)
{
    int (*fn)(void) = (int (*)(void))code;
    int sum = 0;
    for (int i = 0; i < 100; i++)
        sum += fn();
    if (sum != 500)
        return 1;
    raise(SIGUSR1);
    if (word != 42)
        return 2;
    return fn(); /* other code now */
}

static void write_code(pid_t pid, const void *from, size_t n, int how)
{
    unsigned long w;
    unsigned char buf[16];
    for (size_t i = 0; i < 16; i += 8) {
        EXPECT_OK(trace(PTRACE_PEEKTEXT, pid, (unsigned long)code + i, (unsigned long)&w));
        memcpy(buf + i, &w, 8);
    }
    memcpy(buf, from, n);
    if (how == 0) {
        for (size_t i = 0; i < 16; i += 8) {
            memcpy(&w, buf + i, 8);
            EXPECT_OK(trace(PTRACE_POKETEXT, pid, (unsigned long)code + i, w));
        }
        return;
    }
    char name[40];
    snprintf(name, sizeof(name), "/proc/%d/mem", (int)pid);
    int fd = EXPECT_OK(open(name, O_RDWR));
    EXPECT_EQ(pwrite(fd, buf, n, (off_t)(unsigned long)code), n);
    close(fd);
}

static void make_code(void)
{
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(code != MAP_FAILED);
    isa_put_code(code, 5);
    EXPECT_OK(mprotect(code, 4096, PROT_READ | PROT_EXEC));
    __builtin___clear_cache((char *)code, (char *)code + 64);
}

static void test_memory(int how)
{
    unsigned long w = 0;
    unsigned char other[16];
    make_code();
    pid_t pid = start(runs_code, 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGUSR1);
    EXPECT_OK(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)&w));
    EXPECT_EQ(w, 0x1122334455667788);
    EXPECT_OK(trace(PTRACE_POKEDATA, pid, (unsigned long)&word, 42));
    EXPECT_ERR(trace(PTRACE_PEEKDATA, pid, 8, (unsigned long)&w), EIO);
    struct iovec local = {&w, 8}, remote = {(void *)&word, 8};
    EXPECT_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), 8);
    EXPECT_EQ(w, 42);
    isa_put_code(other, 9);
    write_code(pid, other, ISA_CODE_SIZE, how);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_END(pid, EXITED(9));
    EXPECT_EQ(word, 0x1122334455667788);
    munmap(code, 4096);
    verified(how ? "code written by /proc/PID/mem" : "memory, and code written by PTRACE_POKETEXT");
}

static int hits_breakpoint(void)
{
    int (*fn)(void) = (int (*)(void))code;
    for (int i = 0; i < 100; i++)
        fn();
    raise(SIGUSR1);
    return fn() + fn();
}

static void test_breakpoint(void)
{
    unsigned long regs[ISA_GREGS];
    const unsigned brk = ISA_BREAKPOINT;
    unsigned char old[16];
    siginfo_t si;
    make_code();
    memcpy(old, code, sizeof(old));
    pid_t pid = start(hits_breakpoint, 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGUSR1);
    write_code(pid, &brk, ISA_BREAKPOINT_SIZE, 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGTRAP);
    EXPECT_OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si));
    EXPECT_EQ(si.si_signo, SIGTRAP);
    get_regs(pid, regs);
    EXPECT_EQ(regs[ISA_GREG_PC], (unsigned long)code + ISA_BREAKPOINT_PC);
    write_code(pid, old, ISA_BREAKPOINT_SIZE, 0);
    regs[ISA_GREG_PC] = (unsigned long)code;
    set_regs(pid, regs);
    if (ISA_STEPS) {
        EXPECT_OK(trace(PTRACE_SINGLESTEP, pid, 0, 0));
        EXPECT_STOP(pid, SIGTRAP);
        get_regs(pid, regs);
        EXPECT(regs[ISA_GREG_PC] > (unsigned long)code);
        EXPECT(regs[ISA_GREG_PC] < (unsigned long)code + ISA_CODE_SIZE);
        EXPECT_EQ(regs[ISA_GREG_RESULT] & 0xff, 5);
        regs[ISA_GREG_RESULT] = 30;
        set_regs(pid, regs);
        EXPECT_OK(trace(PTRACE_SINGLESTEP, pid, 0, 0));
        EXPECT_STOP(pid, SIGTRAP);
        get_regs(pid, regs);
        EXPECT(regs[ISA_GREG_PC] < (unsigned long)code ||
               regs[ISA_GREG_PC] >= (unsigned long)code + ISA_CODE_SIZE);
    } else {
        EXPECT_ERR(trace(PTRACE_SINGLESTEP, pid, 0, 0), EIO);
    }
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_END(pid, EXITED(ISA_STEPS ? 35 : 10));
    munmap(code, 4096);
    verified("a breakpoint, registers, single steps");
}

/* --- attaching --------------------------------------------------------------------------------- */

static volatile int *shared; /* 0: threads that have come, 1: go on, 2: rounds, 3: tid */

static void *spin(void *arg)
{
    (void)arg;
    shared[3] = (int)syscall(SYS_gettid);
    __atomic_add_fetch((int *)&shared[0], 1, __ATOMIC_SEQ_CST);
    while (!shared[1])
        shared[2]++;
    return NULL;
}

static void test_attach(void)
{
    unsigned long regs[ISA_GREGS];
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        pthread_t t;
        char c;
        int pipes[2];
        if (pipe(pipes) || pthread_create(&t, NULL, spin, NULL))
            _exit(98);
        shared[4] = pipes[1];
        __atomic_add_fetch((int *)&shared[0], 1, __ATOMIC_SEQ_CST);
        struct timespec ts = {0, 300000000};
        if (nanosleep(&ts, NULL) || read(pipes[0], &c, 0))
            _exit(97);
        pthread_join(t, NULL);
        _exit(3);
    }
    while (shared[0] < 2)
        sched_yield();
    pid_t tid = shared[3];
    EXPECT_OK(trace(PTRACE_ATTACH, pid, 0, 0));
    EXPECT_STOP(pid, SIGSTOP);
    EXPECT_OK(trace(PTRACE_ATTACH, tid, 0, 0));
    EXPECT_STOP(tid, SIGSTOP);
    int rounds = shared[2];
    get_regs(tid, regs);
    EXPECT(regs[ISA_GREG_PC] != 0);
    get_regs(pid, regs);
    usleep(20000);
    EXPECT_EQ(shared[2], rounds);
    EXPECT_ERR(trace(PTRACE_INTERRUPT, tid, 0, 0), EIO); /* not seized */
    EXPECT_OK(trace(PTRACE_CONT, tid, 0, 0));
    while (shared[2] == rounds)
        sched_yield();
    EXPECT_ERR(trace(PTRACE_PEEKDATA, tid, (unsigned long)&word, (unsigned long)regs), ESRCH);
    EXPECT_OK(syscall(SYS_tgkill, pid, tid, SIGSTOP));
    EXPECT_STOP(tid, SIGSTOP);
    EXPECT_OK(trace(PTRACE_DETACH, tid, 0, 0));
    EXPECT_OK(trace(PTRACE_DETACH, pid, 0, 0));
    shared[1] = 1;
    EXPECT_END(pid, EXITED(3));
    verified("attaching to a process of two threads");
}

static void test_seize(void)
{
    unsigned long regs[ISA_GREGS];
    struct ptrace_syscall_info info;
    int pipes[2], status;
    char c = 'x';
    EXPECT_OK(pipe(pipes));
    shared[0] = shared[1] = shared[2] = 0;
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        char got_it;
        shared[0] = 1;
        if (read(pipes[0], &got_it, 1) != 1 || got_it != 'x')
            _exit(9);
        shared[0] = 2;
        while (!shared[1])
            shared[2]++;
        _exit(4);
    }
    while (!shared[0])
        sched_yield();
    usleep(20000);
    EXPECT_OK(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
    EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
    EXPECT_OK(trace(PTRACE_INTERRUPT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(STOP));
    get_regs(pid, regs);
    next_call(pid, &info); /* it begins anew, and nobody has been told of its first beginning */
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
    EXPECT_EQ(info.entry.nr, SYS_read);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    usleep(10000);
    EXPECT_EQ(shared[0], 1); /* the call is not interrupted */
    EXPECT_OK(write(pipes[1], &c, 1));
    while (!shared[2])
        sched_yield();
    EXPECT_EQ(shared[0], 2);
    EXPECT_OK(trace(PTRACE_INTERRUPT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(STOP));
    get_regs(pid, regs);
    int rounds = shared[2];
    usleep(10000);
    EXPECT_EQ(shared[2], rounds);
    /* The stop of the whole process. */
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    kill(pid, SIGSTOP);
    EXPECT_STOP(pid, SIGSTOP);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, SIGSTOP));
    EXPECT_STOP(pid, STOP << 8 | SIGSTOP);
    EXPECT_OK(trace(PTRACE_LISTEN, pid, 0, 0));
    EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGCONT);
    EXPECT_STOP(pid, EVENT(STOP));
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, SIGCONT);
    EXPECT_OK(trace(PTRACE_DETACH, pid, 0, 0));
    shared[1] = 1;
    EXPECT_END(pid, EXITED(4));
    verified("seizing: interruptions in a call and in code, the stop of a process");
}

/* A call that a signal interrupts: its end is told, then the signal, then the call begins again. */
static int waits(void)
{
    int pipes[2];
    char c;
    signal(SIGWINCH, SIG_IGN);
    if (pipe(pipes))
        return 1;
    shared[4] = pipes[1];
    if (read(pipes[0], &c, 1) != 1)
        return 2;
    return c;
}

static void test_interrupted_call(void)
{
    struct ptrace_syscall_info info;
    pid_t pid = start(waits, PTRACE_O_TRACESYSGOOD);
    do
        next_call(pid, &info);
    while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_read);
    EXPECT_OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    usleep(20000);
    kill(pid, SIGWINCH);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    EXPECT_OK(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (unsigned long)&info));
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    EXPECT_EQ(info.exit.rval, -512); /* ERESTARTSYS */
    EXPECT_OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EXPECT_STOP(pid, SIGWINCH);
    next_call(pid, &info);
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
    EXPECT_EQ(info.entry.nr, SYS_read);
    EXPECT_EQ(info.entry.args[2], 1);
    char name[40], c = 7;
    snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, shared[4]);
    int fd = EXPECT_OK(open(name, O_WRONLY));
    EXPECT_OK(write(fd, &c, 1));
    next_call(pid, &info);
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    EXPECT_EQ(info.exit.rval, 1);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_END(pid, EXITED(7));
    close(fd);
    verified("an interrupted call");
}

/* --- children, threads, programs --------------------------------------------------------------- */

static int makes_child(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(6);
    return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 1;
}

static int makes_vfork(void)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0)
        _exit(6);
    return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 1;
}

static void *ends(void *arg)
{
    return arg;
}

static int makes_thread(void)
{
    pthread_t t;
    return pthread_create(&t, NULL, ends, NULL) || pthread_join(t, NULL) ? 1 : 6;
}

static void test_child(int (*fn)(void), int event, unsigned long option)
{
    unsigned long child = 0;
    int status, ended = 0;
    pid_t pid = start(fn, option);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(event));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child));
    EXPECT(child > 1);
    EXPECT_STOP((pid_t)child, SIGSTOP);
    unsigned long regs[ISA_GREGS];
    get_regs((pid_t)child, regs);
    EXPECT_EQ(regs[ISA_GREG_RESULT], 0);
    EXPECT_OK(trace(PTRACE_CONT, (pid_t)child, 0, 0));
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    while (ended < 2) {
        pid_t p = EXPECT_OK(waitpid(-1, &status, __WALL));
        if (WIFSTOPPED(status)) {
            EXPECT_EQ(WSTOPSIG(status), SIGCHLD);
            EXPECT_OK(trace(PTRACE_CONT, p, 0, SIGCHLD));
            continue;
        }
        /* A thread that is waited for after its process has ended has the status of that. */
        if (p == pid || event != PTRACE_EVENT_CLONE || status)
            EXPECT_EQ(status, EXITED(6));
        ended++;
    }
    EXPECT_ERR(waitpid(-1, &status, __WALL), ECHILD);
}

static void *ends_by_call(void *arg)
{
    syscall(SYS_exit, 0x700); /* of which the low byte counts */
    return arg;
}

static int makes_ending_thread(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, ends_by_call, NULL) || pthread_join(t, NULL))
        return 1;
    raise(
        SIGSTOP); /* until the thread has been waited for, whose status would else be the process's */
    return 6;
}

/* A thread's end and its process's: the registers are there still. */
static void expect_exit(pid_t tid, int code)
{
    unsigned long message = 0, regs[ISA_GREGS];
    EXPECT_STOP(tid, EVENT(PTRACE_EVENT_EXIT));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, tid, 0, (unsigned long)&message));
    EXPECT_EQ(message, EXITED(code));
    get_regs(tid, regs);
    EXPECT(regs[ISA_GREG_PC] != 0);
    EXPECT_OK(trace(PTRACE_CONT, tid, 0, 0));
    EXPECT_END(tid, EXITED(code));
}

static void test_thread_end(void)
{
    unsigned long child = 0;
    pid_t pid = start(makes_ending_thread, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(PTRACE_EVENT_CLONE));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child));
    EXPECT_STOP((pid_t)child, SIGSTOP);
    EXPECT_OK(trace(PTRACE_CONT, (pid_t)child, 0, 0));
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    expect_exit((pid_t)child, 0);
    EXPECT_STOP(pid, SIGSTOP);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    expect_exit(pid, 6);
    verified("the end of a thread, and of its process");
}

static char *self;

static int executes(void)
{
    char *argv[] = {self, "exit", NULL};
    execv("/proc/self/exe", argv);
    return 1;
}

static void test_exec(void)
{
    struct ptrace_syscall_info info;
    unsigned long message = 0, regs[ISA_GREGS];
    pid_t pid = start(executes, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT);
    do
        next_call(pid, &info);
    while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_execve);
    EXPECT_OK(trace(PTRACE_SYSCALL, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(PTRACE_EVENT_EXEC));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
    EXPECT_EQ(message, pid);
    next_call(pid, &info);
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    EXPECT_EQ(info.exit.rval, 0);
    get_regs(pid, regs);
    EXPECT(regs[ISA_GREG_PC] != 0);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(PTRACE_EVENT_EXIT));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
    EXPECT_EQ(message, EXITED(8));
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_END(pid, EXITED(8));

    /* Without the option it is a plain SIGTRAP. */
    pid = EXPECT_OK(fork());
    if (pid == 0) {
        trace(PTRACE_TRACEME, 0, 0, 0);
        _exit(executes());
    }
    EXPECT_STOP(pid, SIGTRAP);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_END(pid, EXITED(8));
    verified("execve, with and without its event; the end");
}

static int filtered(void)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {4, f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &prog))
        return 1;
    return syscall(SYS_getpgid, 0) == getpgrp() ? 12 : 2;
}

static void test_filter(void)
{
    struct ptrace_syscall_info info;
    unsigned long message = 0;
    pid_t pid = start(filtered, PTRACE_O_TRACESECCOMP);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_STOP(pid, EVENT(PTRACE_EVENT_SECCOMP));
    EXPECT_OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
    EXPECT_EQ(message, 7);
    EXPECT_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (unsigned long)&info), 84);
    EXPECT_EQ(info.op, PTRACE_SYSCALL_INFO_SECCOMP);
    EXPECT_EQ(info.seccomp.nr, SYS_getpgid);
    EXPECT_EQ(info.seccomp.ret_data, 7);
    EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    /* Another such call, if getpgrp is one. */
    int status;
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
        EXPECT_OK(trace(PTRACE_CONT, pid, 0, 0));
    EXPECT_EQ(status, EXITED(12));
    verified("a filter that asks the tracer");
}

static int exits(void)
{
    return 3;
}

static void test_waitid(void)
{
    siginfo_t si;
    int status;
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        trace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR2);
        _exit(exits());
    }
    EXPECT_OK(waitid(P_PID, pid, &si, WSTOPPED | WEXITED | WNOWAIT));
    EXPECT_EQ(si.si_code, CLD_TRAPPED);
    EXPECT_EQ(si.si_status, SIGUSR2);
    EXPECT_EQ(si.si_pid, pid);
    EXPECT_OK(waitid(P_PID, pid, &si, WSTOPPED | WEXITED));
    EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
    EXPECT_OK(trace(PTRACE_DETACH, pid, 0, 0));
    EXPECT_OK(waitid(P_PID, pid, &si, WEXITED));
    EXPECT_EQ(si.si_code, CLD_EXITED);
    EXPECT_EQ(si.si_status, 3);
    EXPECT_ERR(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
    EXPECT_ERR(trace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    verified("waitid, detaching");
}

static void note(int signo)
{
    shared[5] = signo;
}

/* The tracer dies: the other goes on, and gets its signals. */
static void test_tracer_gone(void)
{
    shared[0] = shared[1] = shared[2] = shared[5] = 0;
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        alarm(60);
        signal(SIGUSR1, note);
        spin(NULL);
        _exit(4);
    }
    while (!shared[0])
        sched_yield();
    pid_t tracer = EXPECT_OK(fork());
    if (tracer == 0) {
        if (trace(PTRACE_SEIZE, pid, 0, 0) || trace(PTRACE_INTERRUPT, pid, 0, 0))
            _exit(1);
        EXPECT_STOP(pid, EVENT(STOP));
        _exit(0);
    }
    EXPECT_END(tracer, 0);
    int rounds = shared[2];
    while (shared[2] == rounds)
        sched_yield();
    kill(pid, SIGUSR1);
    int status, tries = 0;
    while (!shared[5] && waitpid(pid, &status, WNOHANG) == 0 && tries++ < 5000)
        usleep(1000);
    EXPECT_EQ(shared[5], SIGUSR1);
    shared[1] = 1;
    EXPECT_END(pid, EXITED(4));
    verified("the tracer goes away");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        _exit(8);
    self = argv[0];
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    setbuf(stdout, NULL);
    alarm(100);
    test_calls();
    test_signals();
    test_fault();
    test_memory(0);
    test_memory(1);
    test_breakpoint();
    test_attach();
    test_seize();
    test_interrupted_call();
    test_child(makes_child, PTRACE_EVENT_FORK, PTRACE_O_TRACEFORK);
    test_child(makes_vfork, PTRACE_EVENT_VFORK, PTRACE_O_TRACEVFORK);
    test_child(makes_thread, PTRACE_EVENT_CLONE, PTRACE_O_TRACECLONE);
    verified("children and threads from their beginning");
    test_thread_end();
    test_exec();
    test_filter();
    test_waitid();
    test_tracer_gone();
    return 0;
}
