/* Calls with random arguments, among them pointers that are bad in every way: NULL, unmapped, read-only,
 * running into an unmapped page, behind the end of user space, the kernel's. None may do more than
 * fail. Each round runs in a child; the first argument is the seed. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/random.h"
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PAGE 4096
#define CALLS 3000

static uint64_t state;
static char *area; /* two pages that can be written, one read-only, one without access */
static int fds[12], nfds;
static int sem_id, shm_id, msg_id;

static uint64_t rnd(void)
{
    return random_next(&state);
}

static uint64_t pointer(void)
{
    switch (rnd() % 16) {
    case 0:
        return 0;
    case 1:
        return rnd() % PAGE; /* unmapped */
    case 2:
        return (uintptr_t)area + 2 * PAGE + rnd() % PAGE; /* read-only */
    case 3:
        return (uintptr_t)area + 3 * PAGE - 1 - rnd() % 64; /* into no access */
    case 4:
        return (uintptr_t)area + 2 * PAGE - 1 - rnd() % 64; /* into read-only */
    case 5:
        return UINT64_MAX - rnd() % PAGE;
    case 6:
        return (UINT64_C(1) << 47) - rnd() % 64;
    case 7:
        return (UINT64_C(1) << 63) + rnd() % PAGE;
    case 8:
        return rnd();
    default:
        return (uintptr_t)area + rnd() % (2 * PAGE);
    }
}

static uint64_t number(void)
{
    switch (rnd() % 8) {
    case 0:
        return -(rnd() % 3);
    case 1:
        return rnd();
    case 2:
        return INT32_MAX - rnd() % 3;
    case 3:
        return (uint32_t)rnd();
    default:
        return rnd() % 130;
    }
}

static uint64_t descriptor(void)
{
    return rnd() % 10 ? (uint64_t)fds[rnd() % nfds] : number();
}

/* What each argument is. P pointer, N number, F descriptor, Z zero, M/S/H the queue, semaphores, memory,
 * W a short time to wait (milliseconds), D MSG_DONTWAIT with others, C a command of the ctl calls
 * that changes nothing, R an ioctl request, L a resource, T timer id. */
static const struct {
    long nr;
    const char *args;
} calls[] = {
    {SYS_bind, "FPN"},
    {SYS_connect, "FPN"},
    {SYS_accept4, "FPPN"},
    {SYS_getsockname, "FPP"},
    {SYS_getpeername, "FPP"},
    {SYS_socketpair, "NNZP"},
    {SYS_sendto, "FPNDPN"},
    {SYS_recvfrom, "FPNDPP"},
    {SYS_setsockopt, "FNNPN"},
    {SYS_getsockopt, "FNNPP"},
    {SYS_sendmsg, "FPD"},
    {SYS_recvmsg, "FPD"},
    {SYS_sendmmsg, "FPND"},
    {SYS_recvmmsg, "FPNDP"},
    {SYS_ppoll, "PNPPN"},
    {SYS_pselect6, "NPPPPP"},
    {SYS_epoll_ctl, "FNFP"},
    {SYS_epoll_pwait, "FPNWPN"},
    {SYS_epoll_pwait2, "FPNPPN"},
    {SYS_eventfd2, "NN"},
    {SYS_signalfd4, "FPNN"},
    {SYS_timerfd_create, "NN"},
    {SYS_timerfd_settime, "FNPP"},
    {SYS_timerfd_gettime, "FP"},
    {SYS_clock_gettime, "NP"},
    {SYS_clock_getres, "NP"},
    {SYS_gettimeofday, "PP"},
    {SYS_getitimer, "NP"},
    {SYS_timer_gettime, "NP"},
    {SYS_timer_settime, "NNPP"},
    {SYS_times, "P"},
    {SYS_getrusage, "NP"},
    {SYS_sysinfo, "P"},
    {SYS_uname, "P"},
    {SYS_shmctl, "HCP"},
    {SYS_semctl, "SNCP"},
    {SYS_semtimedop, "SPNP"},
    {SYS_msgctl, "MCP"},
    {SYS_msgsnd, "MPNI"},
    {SYS_msgrcv, "MPNNI"},
    {SYS_shmat, "HPZ"},
    {SYS_shmdt, "P"},
    {SYS_mq_open, "PZZP"},
    {SYS_mq_unlink, "P"},
    {SYS_mq_timedsend, "FPNNP"},
    {SYS_mq_timedreceive, "FPNPP"},
    {SYS_mq_notify, "FP"},
    {SYS_mq_getsetattr, "FPP"},
    {SYS_sched_getaffinity, "ZNP"},
    {SYS_sched_getparam, "ZP"},
    {SYS_sched_getattr, "ZPNN"},
    {SYS_sched_setattr, "ZPN"},
    {SYS_sched_rr_get_interval, "ZP"},
    {SYS_getcpu, "PPP"},
    {SYS_prlimit64, "ZNZP"},
    {SYS_getgroups, "NP"},
    {SYS_getresuid, "PPP"},
    {SYS_capget, "PP"},
    {SYS_syslog, "LPN"},
    {SYS_ioctl, "FRP"},
    {SYS_readv, "FPN"},
    {SYS_writev, "FPN"},
    {SYS_fstat, "FP"},
    {SYS_statx, "FPNNP"},
    {SYS_getrandom, "PNZ"},
    {SYS_readlinkat, "FPPN"},
};

static const uint32_t requests[] = {
    TCGETS,  TCSETS,   TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP,       TIOCOUTQ,      TIOCGPTN, FIONREAD,
    FIONBIO, FIOASYNC, FIOQSIZE,   FIGETBSZ,   FS_IOC_GETFLAGS, FS_IOC_FIEMAP, 0x5413,   0x8912,
    0x8913,  0x8933,   0x8946,     0xc0045400, 0x80ffee01,      0x40ffee02,    0xee03,   0xae00,
};

static uint64_t argument(char kind)
{
    static const int harmless[] = {IPC_STAT, IPC_INFO, GETALL, GETVAL, GETPID, 18, 11, 13, 14, 99};

    switch (kind) {
    case 'P':
        return pointer();
    case 'F':
        return descriptor();
    case 'Z':
        return 0;
    case 'H':
        return shm_id;
    case 'S':
        return sem_id;
    case 'M':
        return msg_id;
    case 'W':
        return rnd() % 2;
    case 'D':
        return MSG_DONTWAIT | (rnd() % 4 ? 0 : number());
    case 'I':
        return IPC_NOWAIT | (rnd() % 2 ? MSG_NOERROR : 0);
    case 'C':
        return harmless[rnd() % (sizeof harmless / sizeof *harmless)];
    case 'R':
        return requests[rnd() % (sizeof requests / sizeof *requests)];
    case 'L':
        return rnd() % 2 ? 10 : 3; /* SYSLOG_ACTION_SIZE_BUFFER, READ_ALL */
    default:
        return number();
    }
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void round_of_calls(void)
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval it = {{0, 20000}, {0, 20000}};
    int p[2];

    /* Whatever waits is woken. */
    sigaction(SIGALRM, &act, NULL);
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGIO, &act, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    signal(SIGTTOU, SIG_IGN);
    area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(area != MAP_FAILED);
    for (int i = 0; i < 2 * PAGE; i++)
        area[i] = rnd() % 3 ? 0 : rnd();
    EXPECT_OK(mprotect(area + 2 * PAGE, PAGE, PROT_READ));
    EXPECT_OK(mprotect(area + 3 * PAGE, PAGE, PROT_NONE));
    EXPECT_OK(pipe2(p, O_NONBLOCK));
    fds[nfds++] = p[0];
    fds[nfds++] = p[1];
    EXPECT_OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
    fds[nfds++] = p[0];
    fds[nfds++] = p[1];
    fds[nfds++] = EXPECT_OK(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    fds[nfds++] = EXPECT_OK(epoll_create1(0));
    fds[nfds++] = EXPECT_OK(eventfd(0, EFD_NONBLOCK));
    fds[nfds++] = EXPECT_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    fds[nfds++] = EXPECT_OK(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK));
    for (int i = 0; i < CALLS; i++) {
        unsigned c = rnd() % (sizeof calls / sizeof *calls);
        uint64_t a[6] = {0};

        for (int j = 0; calls[c].args[j]; j++)
            a[j] = argument(calls[c].args[j]);
        syscall(calls[c].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        for (int k = 0; k < 32; k++) /* new structs to point to */
            area[rnd() % (2 * PAGE)] = rnd() % 2 ? 0 : rnd();
        if (rnd() % 4 == 0)
            *(uint64_t *)(area + rnd() % (2 * PAGE - 8) / 8 * 8) = pointer();
        if (i % 64 == 0)
            close_range(40, ~0u, 0);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20240701;
    int rounds = argc > 2 ? atoi(argv[2]) : 4;

    sem_id = EXPECT_OK(semget(IPC_PRIVATE, 4, 0600));
    shm_id = EXPECT_OK(shmget(IPC_PRIVATE, PAGE, 0600));
    msg_id = EXPECT_OK(msgget(IPC_PRIVATE, 0600));
    int bad = 0;
    for (int i = 0; i < rounds; i++) {
        int status;
        pid_t pid = EXPECT_OK(fork());

        if (pid == 0) {
            state = seed * 0x9e3779b97f4a7c15 + i * 2 + 1;
            round_of_calls();
        }
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        if (status) {
            printf("seed %lu, round %d: status 0x%x\n", (unsigned long)seed, i, status);
            bad = 1;
        }
    }
    semctl(sem_id, 0, IPC_RMID);
    shmctl(shm_id, IPC_RMID, NULL);
    msgctl(msg_id, IPC_RMID, NULL);
    EXPECT_EQ(bad, 0);
    verified("random arguments only fail");
    return 0;
}
