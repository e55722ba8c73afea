/* ioctl: terminals and pseudo-terminals, descriptors, files, and what no driver knows. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct kernel_termios2 {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
    uint32_t ispeed, ospeed;
};
#define K_TCGETS2 _IOR('T', 0x2A, struct kernel_termios2)
#define K_TCSETS2 _IOW('T', 0x2B, struct kernel_termios2)
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static volatile sig_atomic_t winch;
static void on_winch(int sig)
{
    winch = sig;
}

static void test_pty(void)
{
    int m = EXPECT_OK(posix_openpt(O_RDWR | O_NOCTTY)), n = -1, zero = 0;
    char name[64], want[64], buf[64];
    struct winsize ws = {24, 80, 0, 0}, got;
    struct termios tio, raw;
    struct kernel_termios2 t2;

    EXPECT_OK(ioctl(m, TIOCGPTN, &n));
    EXPECT_OK(ioctl(m, TIOCSPTLCK, &zero));
    snprintf(want, sizeof want, "/dev/pts/%d", n);
    EXPECT_EQ(ptsname_r(m, name, sizeof name), 0);
    EXPECT_EQ(strcmp(name, want), 0);
    int s = EXPECT_OK(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    EXPECT(isatty(s));
    EXPECT_EQ(ttyname_r(s, name, sizeof name), 0);
    EXPECT_EQ(strcmp(name, want), 0);
    EXPECT_OK(ioctl(m, TIOCSWINSZ, &ws));
    EXPECT_OK(ioctl(s, TIOCGWINSZ, &got));
    EXPECT_EQ(memcmp(&ws, &got, sizeof ws), 0);

    EXPECT_OK(tcgetattr(s, &tio));
    EXPECT(tio.c_lflag & ECHO);
    EXPECT_EQ(tio.c_cc[VINTR], 3);
    EXPECT_EQ(cfgetospeed(&tio), B38400);
    raw = tio;
    cfmakeraw(&raw);
    EXPECT_OK(tcsetattr(s, TCSADRAIN, &raw));
    EXPECT_OK(ioctl(s, K_TCGETS2, &t2));
    EXPECT_EQ(t2.lflag & ECHO, 0);
    EXPECT_EQ(t2.ospeed, 38400);
    t2.lflag |= ECHO;
    EXPECT_OK(ioctl(s, K_TCSETS2, &t2));
    EXPECT_OK(tcgetattr(s, &raw));
    EXPECT(raw.c_lflag & ECHO);
    EXPECT_OK(tcsetattr(s, TCSANOW, &tio));
    /* Cooked: the line discipline echoes, and hands over whole lines. */
    EXPECT_EQ(write(m,
                    "ab\x7f"
                    "c\n",
                    5),
              5);
    EXPECT_EQ(read(s, buf, sizeof buf), 3);
    EXPECT_EQ(memcmp(buf, "ac\n", 3), 0);
    int len = 0;
    /* The echo comes through the kernel's work queue. */
    for (int tries = 0; tries < 5000 && len < 5; tries++) {
        EXPECT_OK(ioctl(m, FIONREAD, &len));
        usleep(1000);
    }
    EXPECT(len >= 5);
    EXPECT_OK(tcflush(m, TCIFLUSH));
    EXPECT_OK(ioctl(s, TIOCOUTQ, &len));
    EXPECT_OK(tcdrain(s));
    EXPECT_ERR(ioctl(s, TCGETS, BAD), EFAULT);
    EXPECT_ERR(ioctl(s, TCGETS, KERNEL), EFAULT);
    EXPECT_ERR(ioctl(s, TIOCSWINSZ, BAD), EFAULT);
    EXPECT_ERR(ioctl(-1, TCGETS, BAD), EBADF);
    EXPECT_ERR(tcgetpgrp(s), ENOTTY); /* not our terminal */

    /* A session with it: process groups, SIGWINCH, the interrupt character. */
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        struct sigaction act = {.sa_handler = on_winch};
        sigset_t none;

        EXPECT_OK(setsid());
        EXPECT_OK(ioctl(s, TIOCSCTTY, 0));
        EXPECT_EQ(tcgetpgrp(s), getpid());
        EXPECT_EQ(tcgetsid(s), getpid());
        EXPECT_OK(sigaction(SIGWINCH, &act, NULL));
        EXPECT_EQ(write(s, "R", 1), 1);
        sigemptyset(&none);
        while (!winch)
            poll(NULL, 0, 1000);
        EXPECT_OK(ioctl(s, TIOCGWINSZ, &got));
        EXPECT_EQ(got.ws_row, 50);
        EXPECT_OK(tcsetpgrp(s, getpgrp()));
        EXPECT_EQ(write(s, "W", 1), 1);
        for (;;)
            pause();
    }
    EXPECT_EQ(read(m, buf, 1), 1);
    EXPECT_EQ(buf[0], 'R');
    ws.ws_row = 50;
    EXPECT_OK(ioctl(m, TIOCSWINSZ, &ws));
    EXPECT_EQ(read(m, buf, 1), 1);
    EXPECT_EQ(buf[0], 'W');
    EXPECT_EQ(write(m, "\003", 1), 1);
    int status;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGINT);
    close(s);
    close(m);
    verified("pseudo-terminals: sizes, modes, TCGETS2, sessions, SIGWINCH, SIGINT");

    pid = forkpty(&m, name, NULL, &ws);
    EXPECT_OK(pid);
    if (pid == 0) {
        puts(isatty(0) && isatty(1) ? "terminal" : "none");
        fflush(stdout);
        _exit(7);
    }
    memset(buf, 0, sizeof buf);
    EXPECT_EQ(read(m, buf, sizeof buf - 1), 10);
    EXPECT_EQ(strcmp(buf, "terminal\r\n"), 0);
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_ERR(read(m, buf, 1), EIO);
    close(m);
    verified("forkpty");
}

static void test_descriptors(void)
{
    int p[2], n, on = 1;

    EXPECT_OK(pipe(p));
    EXPECT_EQ(write(p[1], "12345", 5), 5);
    EXPECT_OK(ioctl(p[0], FIONREAD, &n));
    EXPECT_EQ(n, 5);
    EXPECT_OK(ioctl(p[0], FIONBIO, &on));
    EXPECT(fcntl(p[0], F_GETFL) & O_NONBLOCK);
    EXPECT_OK(ioctl(p[0], FIOCLEX));
    EXPECT_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    EXPECT_OK(ioctl(p[0], FIONCLEX));
    EXPECT_EQ(fcntl(p[0], F_GETFD), 0);
    EXPECT_ERR(ioctl(p[0], FIONBIO, BAD), EFAULT);
    EXPECT_ERR(ioctl(p[0], TCGETS, &n), ENOTTY);
    EXPECT_ERR(ioctl(p[0], 0x12345678, &n), ENOTTY);
    EXPECT_ERR(ioctl(p[0], _IOWR(0xee, 1, char[4000]), BAD), ENOTTY);
    EXPECT_ERR(ioctl(p[0], _IO(0xAE, 0), 0), ENOTTY);
    EXPECT_EQ(isatty(p[0]), 0);
    EXPECT_EQ(errno, ENOTTY);
    close(p[0]);
    close(p[1]);
    verified("FIONREAD, FIONBIO, FIOCLEX, ENOTTY");
}

static void test_files(void)
{
    char name[] = "/tmp/dragoman-ioctl-XXXXXX";
    int fd = EXPECT_OK(mkstemp(name)), n = 0;
    struct stat st;

    EXPECT_OK(ftruncate(fd, 100000));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_OK(ioctl(fd, FIGETBSZ, &n));
    EXPECT_EQ(n, st.st_blksize);
    EXPECT_OK(ioctl(fd, FIONREAD, &n));
    EXPECT_EQ(n, 100000);
    long flags = 0x5555555555555555;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        EXPECT_EQ(flags >> 32, 0x55555555); /* an int is written, whatever the number says */
        EXPECT_OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
        EXPECT_ERR(ioctl(fd, FS_IOC_GETFLAGS, BAD), EFAULT);
    } else {
        EXPECT(errno == ENOTTY || errno == EOPNOTSUPP);
    }
    EXPECT_ERR(ioctl(fd, FICLONE, -1), EBADF);
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + 4 * sizeof(struct fiemap_extent)];
    } u;
    memset(&u, 0, sizeof u);
    EXPECT_EQ(write(fd, "data", 4), 4);
    u.map.fm_length = ~0ull;
    u.map.fm_extent_count = 4;
    u.map.fm_flags = FIEMAP_FLAG_SYNC;
    if (ioctl(fd, FS_IOC_FIEMAP, &u.map) == 0)
        EXPECT(u.map.fm_mapped_extents <= 4);
    else
        EXPECT(errno == EOPNOTSUPP || errno == ENOTTY);
    close(fd);
    unlink(name);
    int rnd = EXPECT_OK(open("/dev/urandom", O_RDONLY)), bits = -1;
    EXPECT_OK(ioctl(rnd, _IOR('R', 0, int), &bits));
    EXPECT(bits >= 0);
    close(rnd);
    verified("files and devices");
}

int main(void)
{
    test_pty();
    test_descriptors();
    test_files();
    return 0;
}
