/* For sysroot.tap: does one thing with file names and says what came of it.
 *   names cat PATH | stat PATH | lstat PATH | link PATH | access PATH | list DIR | make PATH
 *   names ring PATH           reads what io_uring opens
 *   names in DIR COMMAND...   changes to DIR first
 *   names at DIR PATH         reads PATH relative to a descriptor of DIR
 *   names root DIR COMMAND... changes the root first
 *   names vroot DIR COMMAND... has a child made by vfork do so, and waits for its end */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void cat(int fd)
{
    char buf[256];
    ssize_t n;

    if (fd < 0) {
        printf("%s\n", strerror(errno));
        return;
    }
    n = read(fd, buf, sizeof buf);
    if (n < 0)
        printf("%s\n", strerror(errno));
    else
        printf("%.*s", (int)n, buf);
}

/* Open by a ring of two requests, of which one is used. */
static int ring_open(const char *name)
{
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 2, &p), res;

    if (ring < 0)
        return -1;
    char *rings = mmap(NULL, p.sq_off.array + 8 + p.cq_off.cqes + p.cq_entries * 16,
                       PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, ring, IORING_OFF_SQES);
    if (rings == MAP_FAILED || sqe == MAP_FAILED)
        return -1;
    *sqe = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                 .fd = AT_FDCWD,
                                 .addr = (uintptr_t)name,
                                 .open_flags = O_RDONLY};
    *(unsigned *)(rings + p.sq_off.array) = 0;
    *(unsigned *)(rings + p.sq_off.tail) = 1;
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        return -1;
    res = ((struct io_uring_cqe *)(rings + p.cq_off.cqes))->res;
    errno = res < 0 ? -res : errno;
    return res;
}

static void list(const char *name)
{
    DIR *d = opendir(name);
    unsigned n = 0;

    if (!d) {
        printf("%s\n", strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    printf("%u\n", n);
}

int main(int argc, char **argv)
{
    char buf[4096];
    struct stat st;
    ssize_t n;

    while (argc > 3 &&
           (!strcmp(argv[1], "in") || !strcmp(argv[1], "root") || !strcmp(argv[1], "vroot"))) {
        if (argv[1][0] == 'v') {
            int status;
            pid_t pid = vfork();
            if (pid == 0)
                _exit(chroot(argv[2]) < 0);
            if (waitpid(pid, &status, 0) != pid || status)
                printf("status %#x\n", status);
        } else if ((argv[1][0] == 'i' ? chdir(argv[2]) : chroot(argv[2])) < 0) {
            printf("%s\n", strerror(errno));
            return 0;
        }
        argc -= 2;
        argv += 2;
    }
    if (argc < 3)
        return 2;
    if (!strcmp(argv[1], "cat")) {
        cat(open(argv[2], O_RDONLY));
    } else if (!strcmp(argv[1], "ring")) {
        cat(ring_open(argv[2]));
    } else if (!strcmp(argv[1], "at") && argc > 3) {
        cat(openat(open(argv[2], O_PATH | O_DIRECTORY), argv[3], O_RDONLY));
    } else if (!strcmp(argv[1], "make")) {
        int fd = open(argv[2], O_WRONLY | O_CREAT | O_EXCL, 0644);
        puts(fd < 0 ? strerror(errno) : "made");
    } else if (!strcmp(argv[1], "stat") || !strcmp(argv[1], "lstat")) {
        if ((argv[1][0] == 'l' ? lstat(argv[2], &st) : stat(argv[2], &st)) < 0)
            printf("%s\n", strerror(errno));
        else
            printf("%o %lld\n", st.st_mode & S_IFMT, (long long)st.st_size);
    } else if (!strcmp(argv[1], "link")) {
        n = readlink(argv[2], buf, sizeof buf);
        if (n < 0)
            printf("%s\n", strerror(errno));
        else
            printf("%.*s\n", (int)n, buf);
    } else if (!strcmp(argv[1], "access")) {
        puts(access(argv[2], F_OK) < 0 ? strerror(errno) : "there");
    } else if (!strcmp(argv[1], "list")) {
        list(argv[2]);
    } else {
        return 2;
    }
    return 0;
}
