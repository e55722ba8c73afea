/* The kernel writes into pages that hold code which has been run: every call must see them as
 * writable as the program made them, and code that the kernel has overwritten must be the new code when it
 * is next run. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned char *page;

static unsigned run(void)
{
    __builtin___clear_cache((char *)page, (char *)page + ISA_CODE_SIZE);
    return ((unsigned (*)(void))page)();
}

/* The page holds code that has run; its rest is for the kernel to write to. */
#define DATA (page + 2048)
static void ready(void)
{
    static unsigned n;

    n = (n + 1) % 1000;
    isa_put_code(page, n);
    EXPECT_EQ(run(), n);
    EXPECT_EQ(((unsigned (*)(void))page)(), n);
    memset(DATA, 0, 64);
    EXPECT_EQ(run(), n);
}
#define CHECK(call, want)            \
    do {                             \
        ready();                     \
        errno = 0;                   \
        long ret_ = (long)(call);    \
        if (ret_ == -1)              \
            EXPECT_EQ(errno, 0);     \
        EXPECT_EQ(ret_, (long)want); \
        EXPECT(run() < 1000);        \
    } while (0)

static void buffers(void)
{
    struct iovec iov[2] = {{DATA, 4}, {DATA + 1024, 4}}, remote = {"remote", 6};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    int p[2], s[2], zero = EXPECT_OK(open("/dev/zero", O_RDWR)), status;
    off_t *off = (off_t *)DATA;

    EXPECT_OK(pipe(p));
    EXPECT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_EQ(write(p[1], "12345678", 8), 8);
    CHECK(read(p[0], DATA, 2), 2);
    EXPECT_EQ(memcmp(DATA, "12", 2), 0);
    CHECK(readv(p[0], iov, 2), 6);
    EXPECT_EQ(memcmp(DATA + 1024, "78", 2), 0);
    CHECK(pread(zero, DATA, 2000, 0), 2000);
    EXPECT_EQ(write(s[0], "abcdefgh", 8), 8);
    CHECK(recv(s[1], DATA, 2, 0), 2);
    CHECK(recvmsg(s[1], &m, 0), 6);
    EXPECT_EQ(memcmp(DATA, "cdef", 4), 0);
    CHECK(getrandom(DATA, 100, 0), 100);
    CHECK(fstat(zero, (struct stat *)DATA), 0);
    EXPECT_EQ(((struct stat *)DATA)->st_mode & S_IFMT, S_IFCHR);
    CHECK(stat("/", (struct stat *)DATA), 0);
    CHECK(syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, DATA), 0);
    CHECK(statfs("/", (struct statfs *)DATA), 0);
    CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, DATA), 0);
    CHECK(syscall(SYS_gettimeofday, DATA, NULL), 0);
    CHECK(uname((struct utsname *)DATA), 0);
    CHECK(sysinfo((struct sysinfo *)DATA), 0);
    CHECK(getrusage(RUSAGE_SELF, (struct rusage *)DATA), 0);
    CHECK(getrlimit(RLIMIT_CORE, (struct rlimit *)DATA), 0);
    CHECK(ioctl(p[0], FIONREAD, DATA), 0);
    CHECK(pipe2((int *)DATA, 0), 0);
    CHECK(syscall(SYS_getcwd, DATA, 2000) > 0, 1);
    CHECK(readlink("/proc/self/cwd", (char *)DATA, 2000) > 0, 1);
    int dir = EXPECT_OK(open("/", O_RDONLY | O_DIRECTORY));
    CHECK(syscall(SYS_getdents64, dir, DATA, 2000) > 0, 1);
    CHECK(process_vm_readv(getpid(), iov, 1, &remote, 1, 0), 4);
    iov[0] = (struct iovec){"home", 4};
    remote = (struct iovec){DATA, 4};
    CHECK(process_vm_writev(getpid(), iov, 1, &remote, 1, 0), 4);
    EXPECT_EQ(memcmp(DATA, "home", 4), 0);
    int ep = EXPECT_OK(epoll_create1(0));
    struct epoll_event ev = {.events = EPOLLOUT, .data.u64 = 77};
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &ev));
    CHECK(epoll_wait(ep, (struct epoll_event *)DATA, 1, 0), 1);
    EXPECT_EQ(((struct epoll_event *)DATA)->data.u64, 77);
    ready();
    *(struct pollfd *)DATA = (struct pollfd){s[0], POLLOUT, 0};
    EXPECT_EQ(run(), run());
    EXPECT_EQ(poll((struct pollfd *)DATA, 1, 0), 1);
    EXPECT_EQ(((struct pollfd *)DATA)->revents, POLLOUT);
    CHECK(sigprocmask(SIG_BLOCK, NULL, (sigset_t *)DATA), 0);
    CHECK(sigaction(SIGUSR1, NULL, (struct sigaction *)DATA), 0);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0)
        _exit(5);
    CHECK(waitpid(pid, (int *)DATA, 0), pid);
    status = *(int *)DATA;
    EXPECT_EQ(status, 5 << 8);
    int file = EXPECT_OK(open("codepage.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_EQ(write(file, "0123456789", 10), 10);
    ready();
    *off = 2;
    EXPECT_EQ(run(), run());
    EXPECT_EQ(sendfile(s[0], file, off, 3), 3);
    EXPECT_EQ(*off, 5);
    socklen_t *len = (socklen_t *)(DATA + 512);
    ready();
    *len = 4;
    EXPECT_EQ(run(), run());
    EXPECT_OK(getsockopt(s[0], SOL_SOCKET, SO_TYPE, DATA, len));
    EXPECT_EQ(*(int *)DATA, SOCK_STREAM);
    EXPECT_OK(unlink("codepage.tmp"));
    verified("calls that fill memory beside code");
}

static void overwritten(void)
{
    unsigned char code[ISA_CODE_SIZE];
    int p[2];

    EXPECT_OK(pipe(p));
    for (unsigned n = 1; n < 200; n++) {
        isa_put_code(page, n);
        EXPECT_EQ(run(), n);
        isa_put_code(code, n + 500);
        EXPECT_EQ(write(p[1], code, ISA_CODE_SIZE), ISA_CODE_SIZE);
        EXPECT_EQ(read(p[0], page, ISA_CODE_SIZE), ISA_CODE_SIZE);
        EXPECT_EQ(run(), n + 500);
    }
    /* A page that may only be read stays so for the kernel, whether there is code in it or not. */
    isa_put_code(page, 7);
    EXPECT_EQ(run(), 7);
    EXPECT_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    EXPECT_EQ(run(), 7);
    EXPECT_EQ(write(p[1], code, ISA_CODE_SIZE), ISA_CODE_SIZE);
    EXPECT_ERR(read(p[0], page, ISA_CODE_SIZE), EFAULT);
    EXPECT_ERR(uname((struct utsname *)page), EFAULT);
    EXPECT_EQ(run(), 7);
    EXPECT_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    verified("code that the kernel overwrites");
}

int main(void)
{
    page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(page != MAP_FAILED);
    buffers();
    overwritten();
    return 0;
}
