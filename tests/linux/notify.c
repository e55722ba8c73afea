/* seccomp's listeners: a supervisor is told of a call by this program's own number, architecture and arguments, and answers
 * for it; poll, ids, descriptors put in, signals, execve, threads and the listener's end. Expectations:
 * seccomp_unotify(2), kernel/seccomp.c. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
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

#define LISTEN SECCOMP_FILTER_FLAG_NEW_LISTENER
#define ESRCH_FLAG SECCOMP_FILTER_FLAG_TSYNC_ESRCH

static long seccomp(unsigned op, unsigned flags, void *args)
{
    return syscall(SYS_seccomp, op, flags, args);
}

/* A filter with `action` for call nr, the rest allowed; what the system call gives. */
static long filter(long nr, unsigned action, unsigned flags)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = 4, .filter = f};
    return seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int listen_to(long nr)
{
    return (int)EXPECT_OK(filter(nr, SECCOMP_RET_USER_NOTIF, LISTEN));
}

static short events(int fd, int timeout)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    EXPECT_OK(poll(&p, 1, timeout));
    return p.revents;
}

static struct seccomp_notif receive(int fd)
{
    struct seccomp_notif n = {.id = 0};
    EXPECT_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n));
    EXPECT_EQ(n.data.arch, ARCH);
    return n;
}

static int answer(int fd, uint64_t id, long val, int error, unsigned flags)
{
    struct seccomp_notif_resp r = {.id = id, .val = val, .error = error, .flags = flags};
    return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

/* A child that does fn(arg) and exits with what that gives. */
static pid_t child(int (*fn)(int), int arg)
{
    fflush(stdout);
    pid_t pid = (pid_t)EXPECT_OK(fork());
    if (pid == 0)
        exit(fn(arg));
    return pid;
}

static int status_of(pid_t pid)
{
    int status;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

/* fadvise64's six arguments do not matter to the kernel before its descriptor does. */
static long asked(void)
{
    return syscall(SYS_fadvise64, -1L, 0x123456789abcdefL, -2L, 0x80000000L, 5L, 1L << 63);
}

static int six_times(int unused)
{
    (void)unused;
    EXPECT_EQ(asked(), 0x7000000000001234L);
    EXPECT_EQ(asked(), 0);
    EXPECT_ERR(asked(), EXDEV);
    EXPECT_ERR(asked(), ENOSYS);
    EXPECT_ERR(asked(), EBADF); /* the call is made */
    EXPECT_EQ(asked(), -5000);
    return 42;
}

static void answers(int fd)
{
    EXPECT_EQ(events(fd, 0), 0);
    pid_t pid = child(six_times, 0);
    EXPECT_EQ(events(fd, 10000), POLLIN);
    struct seccomp_notif full = {.pid = 1}, n;
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &full), EINVAL);
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, BAD), EFAULT);
    n = receive(fd);
    EXPECT_EQ(n.pid, pid);
    EXPECT_EQ(n.flags, 0);
    EXPECT_EQ(n.data.nr, SYS_fadvise64);
    const uint64_t args[] = {-1UL, 0x123456789abcdef, -2UL, 0x80000000, 5, 1UL << 63};
    for (int i = 0; i < 6; i++)
        EXPECT_EQ(n.data.args[i], args[i]);
    EXPECT_EQ(events(fd, 0), POLLOUT);
    EXPECT_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
    uint64_t other = n.id + 1;
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &other), ENOENT);
    EXPECT_ERR(answer(fd, other, 0, 0, 0), ENOENT);
    EXPECT_ERR(answer(fd, n.id, 0, 0, 1u << 20), EINVAL);
    EXPECT_ERR(answer(fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
    EXPECT_ERR(answer(fd, n.id, 0, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, BAD), EFAULT);
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, KERNEL), EFAULT);
    EXPECT_OK(answer(fd, n.id, 0x7000000000001234L, 0, 0));
    EXPECT_OK(answer(fd, receive(fd).id, 0, 0, 0));
    EXPECT_OK(answer(fd, receive(fd).id, 0, -EXDEV, 0));
    EXPECT_OK(answer(fd, receive(fd).id, 0, -ENOSYS, 0));
    EXPECT_OK(answer(fd, receive(fd).id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
    EXPECT_OK(answer(fd, receive(fd).id, -5000, 0, 0));
    EXPECT_EQ(status_of(pid), 42);
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
    EXPECT_EQ(events(fd, 0), 0);
    verified("answers");
}

static int reads_what_it_gets(int want)
{
    char c = 0;
    int fd = (int)asked();
    EXPECT(want < 0 || fd == want);
    EXPECT_EQ(read(fd, &c, 1), 1);
    EXPECT_EQ(fcntl(fd, F_GETFD), want < 0 ? FD_CLOEXEC : 0);
    return c;
}

static void puts_in(int fd)
{
    int p[2];
    EXPECT_OK(pipe2(p, O_CLOEXEC));
    EXPECT_EQ(write(p[1], "abc", 3), 3);

    pid_t pid = child(reads_what_it_gets, -1);
    struct seccomp_notif n = receive(fd);
    struct seccomp_notif_addfd a = {.id = n.id, .srcfd = (unsigned)p[0], .newfd_flags = O_CLOEXEC};
    struct seccomp_notif_addfd bad = a;
    bad.srcfd = 9999;
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &bad), EBADF);
    bad.id = n.id + 1;
    bad.srcfd = a.srcfd;
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &bad), ENOENT);
    EXPECT_OK(answer(fd, n.id, EXPECT_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a)), 0, 0));
    EXPECT_EQ(status_of(pid), 'a');

    pid = child(reads_what_it_gets, 77);
    a = (struct seccomp_notif_addfd){.id = receive(fd).id,
                                     .flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND,
                                     .srcfd = (unsigned)p[0],
                                     .newfd = 77};
    EXPECT_EQ(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a), 77);
    EXPECT_EQ(status_of(pid), 'b');
    EXPECT_OK(close(p[0]));
    EXPECT_OK(close(p[1]));
    verified("puts in");
}

static volatile int caught;
static void on_signal(int signo)
{
    (void)signo;
    caught++;
}

static int is_interrupted(int flags)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
    EXPECT_OK(sigaction(SIGUSR1, &act, NULL));
    if (flags & SA_RESTART)
        EXPECT_EQ(asked(), 17);
    else
        EXPECT_ERR(asked(), EINTR);
    EXPECT_EQ(caught, 1);
    return 3;
}

static void interrupts(int fd)
{
    pid_t pid = child(is_interrupted, 0);
    uint64_t id = receive(fd).id, again;
    EXPECT_OK(kill(pid, SIGUSR1));
    EXPECT_EQ(status_of(pid), 3);
    EXPECT_ERR(answer(fd, id, 0, 0, 0), ENOENT);
    pid = child(is_interrupted, SA_RESTART);
    id = receive(fd).id;
    EXPECT_OK(kill(pid, SIGUSR1));
    again = receive(fd).id;
    EXPECT(again != id);
    EXPECT_ERR(answer(fd, id, 0, 0, 0), ENOENT);
    EXPECT_OK(answer(fd, again, 17, 0, 0));
    EXPECT_EQ(status_of(pid), 3);
    /* Killed while it waits. */
    pid = child(six_times, 0);
    id = receive(fd).id;
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EQ(status_of(pid), -SIGKILL);
    EXPECT_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id), ENOENT);
    verified("interrupts");
}

static char *self;
static int executes(int fd)
{
    char word[12];
    snprintf(word, sizeof(word), "%d", fd);
    char *argv[] = {self, word, NULL};
    execv("/proc/self/exe", argv);
    return 9;
}

static int executed(int fd)
{
    EXPECT_ERR(fcntl(fd, F_GETFD), EBADF); /* it is made close-on-exec */
    EXPECT_EQ(asked(), 99);
    EXPECT_ERR(filter(SYS_getppid, SECCOMP_RET_USER_NOTIF, LISTEN), EBUSY);
    return 5;
}

static void outlives_exec(int fd)
{
    pid_t pid = child(executes, fd);
    struct seccomp_notif n = receive(fd);
    EXPECT_EQ(n.pid, pid);
    EXPECT_EQ(n.data.args[1], 0x123456789abcdef);
    EXPECT_OK(answer(fd, n.id, 99, 0, 0));
    EXPECT_EQ(status_of(pid), 5);
    verified("outlives exec");
}

/* The gravest decides; a filter that wants to ask and has no listener gives ENOSYS, another's does not help. */
static int mixed(int unused)
{
    (void)unused;
    EXPECT_OK(filter(SYS_getpgid, SECCOMP_RET_USER_NOTIF, 0));
    EXPECT_ERR(syscall(SYS_getpgid, 0), ENOSYS);
    EXPECT_OK(filter(SYS_fadvise64, SECCOMP_RET_ERRNO | EXFULL, 0));
    EXPECT_ERR(asked(), EXFULL);
    return 6;
}

static int loses_listener(int fd)
{
    EXPECT_OK(close(fd)); /* the supervisor's is the only one now */
    EXPECT_ERR(asked(), ENOSYS);
    EXPECT_ERR(asked(), ENOSYS);
    return 7;
}

static void ends(int fd)
{
    pid_t pid = child(loses_listener, fd);
    receive(fd);
    EXPECT_OK(close(fd));
    EXPECT_EQ(status_of(pid), 7);
    verified("ends");
}

static void refusals(void)
{
    struct seccomp_notif_sizes sizes = {0};
    unsigned action = SECCOMP_RET_USER_NOTIF;

    EXPECT_OK(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
    EXPECT_EQ(sizes.seccomp_notif, sizeof(struct seccomp_notif));
    EXPECT_EQ(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
    EXPECT_EQ(sizes.seccomp_data, sizeof(struct seccomp_data));
    EXPECT_ERR(seccomp(SECCOMP_GET_NOTIF_SIZES, 1, &sizes), EINVAL);
    EXPECT_ERR(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, BAD), EFAULT);
    EXPECT_OK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
    EXPECT_ERR(filter(0, action, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), EINVAL);
    EXPECT_ERR(filter(0, action, LISTEN | SECCOMP_FILTER_FLAG_TSYNC), EINVAL);
    EXPECT_ERR(seccomp(SECCOMP_SET_MODE_FILTER, LISTEN, BAD), EFAULT);
    EXPECT_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_DISABLED);
    verified("refusals");
}

/* ---- threads: one asks, the others answer or are asked too ---- */

static int ready[2], go[2], listener;

static void *asks_alone(void *unused)
{
    (void)unused;
    listener = listen_to(SYS_getppid);
    EXPECT_EQ(write(ready[1], "", 1), 1);
    EXPECT_EQ(syscall(SYS_getppid), 1234567);
    return NULL;
}

static void *asks_when_told(void *unused)
{
    char c;
    (void)unused;
    EXPECT_EQ(read(go[0], &c, 1), 1);
    EXPECT_EQ(syscall(SYS_getppid), 7654321);
    return NULL;
}

static void threads(void)
{
    pthread_t one, two;
    char c;
    EXPECT_OK(pipe(ready));
    EXPECT_OK(pipe(go));
    EXPECT_EQ(pthread_create(&one, NULL, asks_alone, NULL), 0);
    EXPECT_EQ(read(ready[0], &c, 1), 1);
    struct seccomp_notif n = receive(listener);
    EXPECT(n.pid != (unsigned)getpid()); /* a thread's id */
    EXPECT_EQ(syscall(SYS_getppid), getppid());
    EXPECT_OK(answer(listener, n.id, 1234567, 0, 0));
    EXPECT_EQ(pthread_join(one, NULL), 0);
    EXPECT_EQ(events(listener, 10000) & POLLHUP, POLLHUP); /* nobody is left who could ask */
    EXPECT_OK(close(listener));

    EXPECT_EQ(pthread_create(&two, NULL, asks_when_told, NULL), 0);
    listener = (int)EXPECT_OK(filter(SYS_getppid, SECCOMP_RET_USER_NOTIF,
                                     LISTEN | SECCOMP_FILTER_FLAG_TSYNC | ESRCH_FLAG));
    EXPECT_EQ(write(go[1], "", 1), 1);
    EXPECT_OK(answer(listener, receive(listener).id, 7654321, 0, 0));
    EXPECT_EQ(pthread_join(two, NULL), 0);
    EXPECT_OK(close(listener));
    verified("threads");
}

/* After it is received, only a deadly signal ends the wait. */
static int waits_killably(int unused)
{
    (void)unused;
    struct sigaction act = {.sa_handler = on_signal};
    EXPECT_OK(sigaction(SIGUSR1, &act, NULL));
    EXPECT_EQ(syscall(SYS_getppid), 21);
    EXPECT_EQ(caught, 1);
    return 8;
}

static int killable(int unused)
{
    (void)unused;
    int fd = (int)EXPECT_OK(filter(SYS_getppid, SECCOMP_RET_USER_NOTIF,
                                   LISTEN | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
    pid_t pid = child(waits_killably, 0);
    uint64_t id = receive(fd).id;
    EXPECT_OK(kill(pid, SIGUSR1));
    usleep(20000);
    EXPECT_OK(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
    EXPECT_OK(answer(fd, id, 21, 0, 0));
    return status_of(pid);
}

static int in_threads(int unused)
{
    (void)unused;
    threads();
    return 0;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return executed(atoi(argv[1]));
    EXPECT_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    refusals();
    EXPECT_EQ(status_of(child(in_threads, 0)), 0);
    EXPECT_EQ(status_of(child(killable, 0)), 8);
    verified("killable");
    int fd = listen_to(SYS_fadvise64);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_ERR(filter(SYS_getppid, SECCOMP_RET_USER_NOTIF, LISTEN), EBUSY);
    answers(fd);
    puts_in(fd);
    interrupts(fd);
    outlives_exec(fd);
    EXPECT_EQ(status_of(child(mixed, 0)), 6);
    verified("mixed");
    ends(fd);
    return 0;
}
