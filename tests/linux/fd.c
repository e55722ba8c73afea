/* Descriptors: duplicating, closing, fcntl's commands, vectors, and moving data without copying. Runs in
 * an empty directory that is the current one. */
#define _GNU_SOURCE
#include "syscall/host_nr.h"
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int fresh(const char *name, const char *text)
{
    int fd = EXPECT_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
    EXPECT_EQ(write(fd, text, strlen(text)), strlen(text));
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static void duplicates(void)
{
    int fd = fresh("f", "abc");
    char c;

    int d = EXPECT_OK(dup(fd));
    EXPECT_EQ(read(d, &c, 1), 1);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 1); /* one offset */
    EXPECT_EQ(dup2(fd, 50), 50);
    EXPECT_EQ(dup2(50, 50), 50);
    EXPECT_EQ(dup3(fd, 51, O_CLOEXEC), 51);
    EXPECT_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(50, F_GETFD), 0);
    EXPECT_ERR(dup3(fd, fd, 0), EINVAL);
    EXPECT_ERR(dup3(fd, 52, O_APPEND), EINVAL);
    EXPECT_ERR(dup(999), EBADF);
    EXPECT_ERR(dup3(fd, -1, 0), EBADF);
    EXPECT_EQ(fcntl(fd, F_DUPFD, 60), 60);
    EXPECT_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 60), 61);
    EXPECT_EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
    EXPECT_ERR(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
    EXPECT_OK(fcntl(50, F_SETFD, FD_CLOEXEC));
    EXPECT_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
    EXPECT_OK(syscall(SYS_close_range, 50, 60, 0));
    EXPECT(!is_open(50) && !is_open(51) && !is_open(60) && is_open(61));
    EXPECT_OK(fcntl(61, F_SETFD, 0));
    EXPECT_OK(syscall(SYS_close_range, 61, 61, CLOSE_RANGE_CLOEXEC));
    EXPECT_EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
    EXPECT_ERR(syscall(SYS_close_range, 61, 60, 0), EINVAL);
    EXPECT_ERR(syscall(SYS_close_range, 61, 62, 64), EINVAL);
    EXPECT_OK(syscall(SYS_close_range, 40, ~0U, 0));
    EXPECT(!is_open(61) && is_open(fd));
    EXPECT_OK(close(d));
    EXPECT_ERR(close(d), EBADF);
    EXPECT_ERR(close(-1), EBADF);
    EXPECT_OK(close(fd));
    EXPECT_OK(unlink("f"));
    verified("dup, close, close_range");
}

static void flags_and_owners(void)
{
    int p[2];
    uint64_t hint;
    struct f_owner_ex own = {F_OWNER_PID, getpid()};

    EXPECT_OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    EXPECT_EQ(fcntl(p[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
    EXPECT_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    EXPECT_ERR(read(p[0], &hint, 1), EAGAIN);
    EXPECT_OK(fcntl(p[1], F_SETFL, 0));
    EXPECT_EQ(fcntl(p[1], F_GETFL), O_WRONLY);
    EXPECT_OK(fcntl(p[0], F_SETOWN, getpid()));
    EXPECT_EQ(fcntl(p[0], F_GETOWN), getpid());
    EXPECT_OK(fcntl(p[0], F_SETOWN_EX, &own));
    own.pid = 0;
    EXPECT_OK(fcntl(p[0], F_GETOWN_EX, &own));
    EXPECT_EQ(own.pid, getpid());
    EXPECT_ERR(fcntl(p[0], F_GETOWN_EX, BAD), EFAULT);
    EXPECT_OK(fcntl(p[0], F_SETSIG, SIGUSR1));
    EXPECT_EQ(fcntl(p[0], F_GETSIG), SIGUSR1);
    EXPECT_EQ(fcntl(p[0], F_SETPIPE_SZ, 8192), 8192);
    EXPECT_EQ(fcntl(p[1], F_GETPIPE_SZ), 8192);
    EXPECT_ERR(fcntl(p[0], 12345, 0), EINVAL);
    EXPECT_ERR(fcntl(999, F_GETFL), EBADF);
    close(p[0]);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERR(write(p[1], "x", 1), EPIPE);
    close(p[1]);
    EXPECT_ERR(pipe2(p, 0x10), EINVAL);
    EXPECT_ERR(pipe2(BAD, 0), EFAULT);
    EXPECT_OK(pipe2(p, O_DIRECT)); /* packets */
    EXPECT_EQ(write(p[1], "one", 3), 3);
    EXPECT_EQ(write(p[1], "two", 3), 3);
    char buf[16];
    EXPECT_EQ(read(p[0], buf, sizeof buf), 3);
    EXPECT_EQ(read(p[0], buf, sizeof buf), 3);
    EXPECT_EQ(memcmp(buf, "two", 3), 0);
    close(p[0]);
    close(p[1]);
    int fd = fresh("f", "abc");
    hint = 2; /* RWH_WRITE_LIFE_SHORT */
    EXPECT_OK(fcntl(fd, F_SET_RW_HINT, &hint));
    hint = 0;
    EXPECT_OK(fcntl(fd, F_GET_RW_HINT, &hint));
    EXPECT_EQ(hint, 2);
    close(fd);
    fd = EXPECT_OK(open("f", O_RDONLY));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
    EXPECT_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
    close(fd);
    fd = EXPECT_OK(memfd_create("name", MFD_ALLOW_SEALING));
    EXPECT_OK(ftruncate(fd, 4096));
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK);
    EXPECT_ERR(write(fd, "x", 1), EPERM);
    EXPECT_ERR(ftruncate(fd, 0), EPERM);
    close(fd);
    EXPECT_OK(unlink("f"));
    verified("pipes and fcntl");
}

static void *unlock_later(void *arg)
{
    struct flock l = {.l_type = F_UNLCK};
    usleep(50000);
    fcntl(*(int *)arg, F_OFD_SETLK, &l);
    return NULL;
}

static void locks(void)
{
    int fd = fresh("f", "0123456789"), fd2 = EXPECT_OK(open("f", O_RDWR)), status;
    struct flock l = {.l_type = F_WRLCK, .l_start = 2, .l_len = 3};

    EXPECT_OK(fcntl(fd, F_SETLK, &l));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct flock q = {.l_type = F_RDLCK};
        EXPECT_OK(fcntl(fd, F_GETLK, &q));
        EXPECT_EQ(q.l_type, F_WRLCK);
        EXPECT_EQ(q.l_start, 2);
        EXPECT_EQ(q.l_len, 3);
        EXPECT_EQ(q.l_pid, getppid());
        q = (struct flock){.l_type = F_RDLCK, .l_start = 4, .l_len = 1};
        EXPECT_ERR(fcntl(fd, F_SETLK, &q), EAGAIN);
        q.l_start = 5;
        EXPECT_OK(fcntl(fd, F_SETLK, &q));
        _exit(0);
    }
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_ERR(fcntl(fd, F_GETLK, BAD), EFAULT);
    l.l_type = F_UNLCK;
    EXPECT_OK(fcntl(fd, F_SETLK, &l));
    /* of the open file: conflicts within a process, and waiting */
    l = (struct flock){.l_type = F_WRLCK};
    EXPECT_OK(fcntl(fd, F_OFD_SETLK, &l));
    EXPECT_ERR(fcntl(fd2, F_OFD_SETLK, &l), EAGAIN);
    EXPECT_OK(fcntl(fd2, F_OFD_GETLK, &l));
    EXPECT_EQ(l.l_pid, -1);
    pthread_t t;
    pthread_create(&t, NULL, unlock_later, &fd);
    l = (struct flock){.l_type = F_WRLCK};
    EXPECT_OK(fcntl(fd2, F_OFD_SETLKW, &l));
    pthread_join(t, NULL);
    EXPECT_OK(flock(fd, LOCK_EX));
    EXPECT_ERR(flock(fd2, LOCK_SH | LOCK_NB), EAGAIN);
    EXPECT_OK(flock(fd, LOCK_UN));
    EXPECT_OK(flock(fd2, LOCK_SH | LOCK_NB));
    EXPECT_ERR(flock(fd, 0), EINVAL);
    close(fd);
    close(fd2);
    EXPECT_OK(unlink("f"));
    verified("locks");
}

static void vectors(void)
{
    int fd = fresh("f", "0123456789");
    char a[4], b[4];
    struct iovec iov[3] = {{a, 4}, {NULL, 0}, {b, 4}};
    char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT_EQ(readv(fd, iov, 3), 8);
    EXPECT_EQ(memcmp(a, "0123", 4), 0);
    EXPECT_EQ(memcmp(b, "4567", 4), 0);
    EXPECT_EQ(preadv(fd, iov, 3, 6), 4);
    EXPECT_EQ(memcmp(a, "6789", 4), 0);
    EXPECT_EQ(preadv2(fd, iov, 1, -1, 0), 2); /* from the offset */
    EXPECT_EQ(pwritev(fd, iov, 1, 0), 4);
    EXPECT_EQ(pwritev2(fd, iov, 1, 0, RWF_APPEND), 4);
    EXPECT_EQ(lseek(fd, 0, SEEK_END), 14);
    EXPECT_EQ(pread(fd, a, 4, 10), 4);
    EXPECT_EQ(pwrite(fd, "zz", 2, 12), 2);
    EXPECT_ERR(pread(fd, a, 4, -1), EINVAL);
    EXPECT_EQ(readv(fd, iov, 0), 0);
    EXPECT_ERR(syscall(SYS_readv, fd, iov, -1), EINVAL);
    EXPECT_ERR(syscall(SYS_readv, fd, iov, 1025), EINVAL);
    EXPECT_ERR(readv(fd, BAD, 1), EFAULT);
    EXPECT_ERR(preadv2(fd, iov, 1, 0, 1 << 20), EOPNOTSUPP);
    iov[2].iov_len = (size_t)-1;
    EXPECT_ERR(readv(fd, iov, 3), EINVAL);
    iov[2] = (struct iovec){KERNEL, 4};
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    long got = readv(fd, iov, 3); /* what came before the bad one may be done */
    EXPECT(got == 4 || (got == -1 && errno == EFAULT));
    /* a transfer that meets the end of memory is cut short there */
    EXPECT_OK(munmap(page + 4096, 4096));
    EXPECT_EQ(pread(fd, page + 4096 - 5, 10, 0), 5);
    EXPECT_ERR(pread(fd, page + 4096, 10, 0), EFAULT);
    memset(page, 'w', 4096);
    EXPECT_EQ(pwrite(fd, page + 4096 - 5, 10, 0), 5);
    EXPECT_EQ(pread(fd, a, 0, 0), 0);
    EXPECT_ERR(read(999, BAD, 1), EBADF);
    EXPECT_ERR(read(fd, KERNEL, 1), EFAULT);
    EXPECT_ERR(syscall(SYS_pread64, fd, a, (size_t)-1, 0), EFAULT);
    close(fd);
    EXPECT_OK(unlink("f"));
    verified("read and write, with vectors");
}

static void moving(void)
{
    int fd = fresh("f", "0123456789"), out = fresh("g", ""), p[2], q[2];
    off_t off = 2;
    char buf[64];

    EXPECT_EQ(sendfile(out, fd, &off, 5), 5);
    EXPECT_EQ(off, 7);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(sendfile(out, fd, NULL, 100), 10);
    EXPECT_EQ(pread(out, buf, sizeof buf, 0), 15);
    EXPECT_EQ(memcmp(buf, "234560123456789", 15), 0);
    EXPECT_ERR(sendfile(out, fd, BAD, 5), EFAULT);
    off = 0;
    off_t off2 = 20;
    EXPECT_EQ(copy_file_range(fd, &off, out, &off2, 4, 0), 4);
    EXPECT_EQ(off, 4);
    EXPECT_EQ(off2, 24);
    EXPECT_EQ(pread(out, buf, sizeof buf, 18), 6);
    EXPECT_EQ(memcmp(buf,
                     "\0\0"
                     "0123",
                     6),
              0);
    EXPECT_ERR(copy_file_range(fd, &off, out, &off2, 4, 1), EINVAL);
    EXPECT_OK(pipe(p));
    EXPECT_OK(pipe(q));
    off = 3;
    EXPECT_EQ(splice(fd, &off, p[1], NULL, 4, 0), 4);
    EXPECT_EQ(off, 7);
    EXPECT_EQ(tee(p[0], q[1], 100, SPLICE_F_NONBLOCK), 4);
    EXPECT_EQ(read(q[0], buf, sizeof buf), 4);
    EXPECT_EQ(memcmp(buf, "3456", 4), 0);
    off = 0;
    EXPECT_EQ(splice(p[0], NULL, out, &off, 100, 0), 4);
    EXPECT_ERR(splice(fd, NULL, out, NULL, 4, 0), EINVAL);
    struct iovec iov[2] = {{"ab", 2}, {"cde", 3}};
    EXPECT_EQ(vmsplice(p[1], iov, 2, 0), 5);
    EXPECT_EQ(read(p[0], buf, sizeof buf), 5);
    EXPECT_EQ(memcmp(buf, "abcde", 5), 0);
    for (int i = 0; i < 2; i++) {
        close(p[i]);
        close(q[i]);
    }
    close(fd);
    close(out);
    EXPECT_OK(unlink("f"));
    EXPECT_OK(unlink("g"));
    verified("sendfile, copy_file_range, splice, tee, vmsplice");
}

static void watching(void)
{
    char buf[4096] __attribute__((aligned(8)));
    int in = EXPECT_OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    int wd = EXPECT_OK(inotify_add_watch(in, ".", IN_CREATE | IN_DELETE));

    EXPECT_ERR(read(in, buf, sizeof buf), EAGAIN);
    close(fresh("seen", ""));
    EXPECT_OK(unlink("seen"));
    long n = EXPECT_OK(read(in, buf, sizeof buf));
    struct inotify_event *e = (void *)buf;
    EXPECT_EQ(e->wd, wd);
    EXPECT_EQ(e->mask, IN_CREATE);
    EXPECT_EQ(strcmp(e->name, "seen"), 0);
    EXPECT(n > (long)(sizeof *e + e->len));
    e = (void *)(buf + sizeof *e + e->len);
    EXPECT_EQ(e->mask, IN_DELETE);
    EXPECT_ERR(inotify_add_watch(in, "nothing", IN_CREATE), ENOENT);
    EXPECT_OK(inotify_rm_watch(in, wd));
    EXPECT_ERR(inotify_rm_watch(in, 12345), EINVAL);
    close(in);
    int fa = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE);
    if (fa >= 0) { /* needs a privilege */
        close(fresh("seen", "x"));
        EXPECT_OK(fanotify_mark(fa, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "seen"));
        int fd = EXPECT_OK(open("seen", O_RDONLY));
        n = EXPECT_OK(read(fa, buf, sizeof buf));
        struct fanotify_event_metadata *m = (void *)buf;
        EXPECT_EQ(m->mask, FAN_OPEN);
        EXPECT_EQ(m->pid, getpid());
        close(m->fd);
        close(fd);
        close(fa);
        EXPECT_OK(unlink("seen"));
    } else {
        EXPECT(errno == EPERM || errno == ENOSYS);
    }
    verified("inotify, fanotify");
}

static void between_processes(void)
{
    char local[16], remote[16] = "remote memory!!";
    struct iovec l = {local, 16}, r = {remote, 16}, bad = {KERNEL, 16};

    EXPECT_EQ(process_vm_readv(getpid(), &l, 1, &r, 1, 0), 16);
    EXPECT_EQ(memcmp(local, remote, 16), 0);
    memcpy(local, "changed-changed", 16);
    EXPECT_EQ(process_vm_writev(getpid(), &l, 1, &r, 1, 0), 16);
    EXPECT_EQ(memcmp(local, remote, 16), 0);
    EXPECT_ERR(process_vm_readv(getpid(), &l, 1, &bad, 1, 0), EFAULT);
    EXPECT_ERR(process_vm_readv(getpid(), &l, 1, &r, 1, 5), EINVAL);
    EXPECT_ERR(syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1025, 0), EINVAL);
    EXPECT_ERR(process_vm_readv(1 << 30, &l, 1, &r, 1, 0), ESRCH);
    int fd = EXPECT_OK(memfd_create("shared", 0));
    int pidfd = EXPECT_OK(syscall(SYS_pidfd_open, getpid(), 0));
    int twin = EXPECT_OK(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
    EXPECT_EQ(syscall(SYS_kcmp, getpid(), getpid(), 0, fd, twin), 0);
    EXPECT_OK(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
    close(fd);
    close(twin);
    close(pidfd);
    verified("process_vm_readv, pidfd_getfd, kcmp");
}

int main(void)
{
    duplicates();
    flags_and_owners();
    locks();
    vectors();
    moving();
    watching();
    between_processes();
    return 0;
}
