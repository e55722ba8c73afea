/* Every call of the table with a bad pointer in each place where one goes; prints what comes of it. The
 * lists of a native run and of a run under Dragoman must be the same, and neither may crash.
 *
 * The rows of syscall.def say where the pointers are. The other arguments are plain: an open file, a
 * name that exists, 16 as a count, zeroed memory. */
#define _GNU_SOURCE
#include "syscall/host_nr.h"
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum kind {
    NONE,
    NUMBER,
    COUNT,
    DESCRIPTOR,
    DIRECTORY,
    PROCESS,
    NAMED,
    FILENAME,
    TEXT,
    READ,
    WRITTEN
};

struct arg {
    const char *name;
    enum kind kind;
    const char *set;
};

struct row {
    long nr;
    const char *name;
    struct arg arg[6];
};

#define A(n, k)  \
    {            \
#n, k, 0 \
    }
#define INT(n) A(n, COUNT)
#define UINT(n) A(n, COUNT)
#define LONG(n) A(n, NUMBER)
#define SIZE(n) A(n, COUNT)
#define HEX(n) A(n, NUMBER)
#define MODE(n) A(n, NUMBER)
#define OFF(n) A(n, NUMBER)
#define PID(n) A(n, PROCESS)
#define SIG(n) A(n, NUMBER)
#define UID(n) A(n, NUMBER)
#define FLAGS(n, s) A(n, NUMBER)
#define ENUM(n, s)    \
    {                 \
#n, NAMED, #s \
    }
#define ANY(n) A(n, NUMBER)
#define PTR(n) A(n, NUMBER)
#define AREA PTR
#define FD(n) A(n, DESCRIPTOR)
#define DIRFD(n) A(n, DIRECTORY)
#define REF(n) A(n, READ)
#define REFOUT(n, s) A(n, WRITTEN)
#define PATH(n) A(n, FILENAME)
#define LPATH(n) A(n, FILENAME)
#define PATHF(n, i) A(n, FILENAME)
#define PATHX(n, i) A(n, FILENAME)
#define NAME(n) A(n, FILENAME)
#define STR(n) A(n, TEXT)
#define IN(n, i) A(n, READ)
#define OUT(n, i) A(n, WRITTEN)
#define OUTV(n, i) A(n, WRITTEN)
#define INS(n, t) A(n, READ)
#define OUTS(n, t) A(n, WRITTEN)
#define IOS(n, t) A(n, WRITTEN)
#define INA(n, i, t) A(n, READ)
#define OUTA(n, i, t) A(n, WRITTEN)
#define IOA(n, i, t) A(n, WRITTEN)
#define IOVIN(n, i) A(n, READ)
#define IOVOUT(n, i) A(n, READ)

#define PASS(nr, n, lv, text, ...) {SYS_##n, #n, {__VA_ARGS__}},
#define CONVERT(nr, n, lv, text, ...) {SYS_##n, #n, {__VA_ARGS__}},
#define EMULATE(nr, n, lv, text, ...) {SYS_##n, #n, {__VA_ARGS__}},
#define REFUSE(...)
#define LATER(...)
#define OWN(...)

static const struct row rows[] = {
#include "syscall/syscall.def"
};

/* Not here: a good argument beside the bad one would harm the run itself. */
static const char *const skipped[] = {
    "rt_sigreturn", "exit", "exit_group", "clone", "clone3", "mmap", "munmap", "mremap", "brk",
};

static char *good_read, *good_written, *file_name;
static int file, directory, sock, epoll, timer, notify;

/* A descriptor of a kind that the call gets as far with as its memory. */
static int descriptor(const struct row *r, const struct arg *g)
{
    if (!strcmp(g->name, "sockfd"))
        return sock;
    if (!strcmp(g->name, "epfd"))
        return epoll;
    if (!strncmp(r->name, "timerfd_", 8))
        return timer;
    if (!strncmp(r->name, "inotify_", 8))
        return notify;
    if (!strcmp(r->name, "getdents64"))
        return directory;
    if (!strcmp(r->name, "signalfd4"))
        return -1;
    return file;
}

static long plain(const struct row *r, const struct arg *g)
{
    switch (g->kind) {
    case COUNT:
        if (!strcmp(g->name, "semid")) /* a real one might make us wait */
            return -1;
        if (!strcmp(g->name, "sigsetsize") || !strcmp(g->name, "sizemask"))
            return 8;
        if (!strcmp(r->name, "openat2"))
            return 24;
        if (!strcmp(r->name, "sched_getattr"))
            return 48;
        return 16;
    case DESCRIPTOR:
        lseek(file, 0, SEEK_SET);
        return descriptor(r, g);
    case DIRECTORY:
        return AT_FDCWD;
    case PROCESS:
        return getpid();
    case NAMED: /* a limit that does no harm when it is set to 0 */
        return strcmp(g->set, "rlimit") ? 0 : 15;
    case FILENAME:
        return (long)file_name;
    case TEXT:
        return (long)"user.name";
    case READ:
        if (!strcmp(r->name, "sigaltstack"))
            return 0; /* whether an empty one is a change depends on the parent */
        return (long)good_read;
    case WRITTEN:
        return (long)good_written;
    default:
        return 0;
    }
}

static const char *error_name(int err)
{
    static char text[16];
    switch (err) {
    case EFAULT:
        return "EFAULT";
    case EINVAL:
        return "EINVAL";
    case EBADF:
        return "EBADF";
    case ENOSYS:
        return "ENOSYS";
    }
    snprintf(text, sizeof text, "errno %d", err);
    return text;
}

int main(void)
{
    static const char *const bad_name[] = {"unmapped", "no access", "read-only", "kernel", "high"};
    char *none_page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *ro_page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long bad[] = {8, (long)none_page, (long)ro_page, -4096, 1L << 47};
    char template[] = "/tmp/dragoman-efault-XXXXXX";
    unsigned calls = 0;

    alarm(100);
    file = mkstemp(template);
    file_name = template;
    EXPECT(file >= 0);
    EXPECT_EQ(write(file, template, sizeof template), sizeof template);
    directory = EXPECT_OK(open("/tmp", O_RDONLY | O_DIRECTORY));
    sock = EXPECT_OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    epoll = EXPECT_OK(epoll_create1(0));
    timer = EXPECT_OK(timerfd_create(CLOCK_MONOTONIC, 0));
    notify = EXPECT_OK(inotify_init());
    good_read = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    good_written = good_read + 32768;
    for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++) {
        unsigned skip = 0;
        while (skip < sizeof skipped / sizeof *skipped && strcmp(skipped[skip], r->name))
            skip++;
        if (skip < sizeof skipped / sizeof *skipped)
            continue;
        for (unsigned i = 0; i < 6; i++) {
            if (r->arg[i].kind < FILENAME)
                continue;
            for (unsigned b = 0; b < 5; b++) {
                long a[6];
                if (b == 2 && r->arg[i].kind != WRITTEN)
                    continue;
                memset(good_read, 0, 65536);
                for (unsigned j = 0; j < 6; j++)
                    a[j] = j == i ? bad[b] : plain(r, &r->arg[j]);
                errno = 0;
                long ret = syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
                calls++;
                /* An address that RISC-V has not, x86-64 has, and Dragoman keeps from the guest:
                 * whatever comes of it, it must not be written to. */
                if (b == 4)
                    continue;
                printf("%s(%s %s): %s\n", r->name, r->arg[i].name, bad_name[b],
                       ret == -1 ? error_name(errno) : "done");
            }
        }
    }
    unlink(template);
    EXPECT(calls > 800);
    printf("%u calls\n", calls);
    return 0;
}
