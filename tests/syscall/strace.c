/* The text of -strace. What is expected follows strace(1)'s manual and habits. */
#include "tests/unit.h"

#include "syscall/guest_abi.h"
#include "syscall/sys_int.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char log_name[] = "/tmp/dragoman-strace-XXXXXX";
static struct thread *self;
static unsigned char *mem; /* guest memory */
static uint64_t addr;

static void no_code(uint64_t a, uint64_t len)
{
    (void)a;
    (void)len;
}

static int setup(void **state)
{
    (void)state;
    mm_init(false, no_code);
    int64_t a = mm_mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(a > 0);
    addr = a;
    mem = mm_g2h(a);
    self = thread_new(&guest_rv64, sighand_new());
    self->tid = 77;
    thread_self = self;
    close(mkstemp(log_name));
    assert_int_equal(log_open(log_name, false), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sighand_put(self->sighand);
    thread_free(self);
    return unlink(log_name);
}

static unsigned nr_of(const char *name)
{
    for (unsigned nr = 0; nr < SYS_TABLE_SIZE; nr++)
        if (sys_table[nr].name && !strcmp(sys_table[nr].name, name))
            return nr;
    fail_msg("no call %s", name);
    return 0;
}

static char text[65536];

static const char *logged(void)
{
    int fd = open(log_name, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);

    close(fd);
    assert_true(n >= 0);
    text[n] = 0;
    assert_int_equal(truncate(log_name, 0), 0);
    assert_int_equal(lseek(log_fd(), 0, SEEK_SET), 0);
    return text;
}

/* The text of one call, its halves joined. */
static const char *trace(const char *name, int64_t ret, uint64_t a0, uint64_t a1, uint64_t a2,
                         uint64_t a3)
{
    uint64_t a[6] = {a0, a1, a2, a3, 0, 0};
    unsigned nr = nr_of(name);

    sys_trace_leave(self, &sys_table[nr], nr, a, ret, sys_trace_enter(self, &sys_table[nr], nr, a));
    logged();
    char resumed[80];
    snprintf(resumed, sizeof resumed, " <unfinished ...>\n77 <... %s resumed>", name);
    char *at = strstr(text, resumed);
    if (at)
        memmove(at, at + strlen(resumed), strlen(at + strlen(resumed)) + 1);
    return text;
}

/* cmocka has handlers of its own for the time of a test; the access functions need ours. */
static void begin(void)
{
    sig_init(self->sighand);
}

static void numbers_and_results(void **state)
{
    (void)state;
    begin();
    assert_string_equal(trace("getpid", 77, 0, 0, 0, 0), "77 getpid() = 77\n");
    assert_string_equal(trace("close", -EBADF, -1, 0, 0, 0),
                        "77 close(-1) = -1 EBADF (Bad file descriptor)\n");
    assert_string_equal(trace("lseek", 100, 3, -20, SEEK_END, 0),
                        "77 lseek(3, -20, SEEK_END) = 100\n");
    assert_string_equal(trace("umask", 022, 0, 0, 0, 0), "77 umask(0000) = 18\n");
    assert_string_equal(trace("kill", 0, 5, 9, 0, 0), "77 kill(5, SIGKILL) = 0\n");
    assert_string_equal(trace("fchownat", 0, AT_FDCWD, 0, UINT32_MAX, 1000),
                        "77 fchownat(AT_FDCWD, NULL, -1, 1000, 0) = 0\n");
    assert_string_equal(trace("nanosleep", -SIG_RESTART, 0, 0, 0, 0),
                        "77 nanosleep(NULL, NULL) = ? (to be restarted)\n");
}

static void flags(void **state)
{
    (void)state;
    begin();
    strcpy((char *)mem, "/etc/passwd");
    assert_string_equal(trace("openat", 3, AT_FDCWD, addr, O_RDONLY | O_CLOEXEC, 0),
                        "77 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3\n");
    assert_string_equal(
        trace("openat", 3, AT_FDCWD, addr, O_WRONLY | O_CREAT | O_TRUNC, 0644),
        "77 openat(AT_FDCWD, \"/etc/passwd\", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3\n");
    assert_string_equal(trace("openat", 3, 5, addr, O_DIRECTORY | O_RDWR | 0x40000000, 0),
                        "77 openat(5, \"/etc/passwd\", O_RDWR|O_DIRECTORY|0x40000000) = 3\n");
    assert_string_equal(
        trace("mmap", 0x7f0000000000, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS),
        "77 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, 0, 0) = "
        "0x7f0000000000\n");
    assert_string_equal(trace("mprotect", 0, 0x10000, 4096, PROT_NONE, 0),
                        "77 mprotect(0x10000, 4096, PROT_NONE) = 0\n");
    assert_string_equal(trace("socket", 4, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6, 0),
                        "77 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6) = 4\n");
    assert_string_equal(trace("futex", 0, 0x10000, 128 | 1, 1, 0),
                        "77 futex(0x10000, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 0x1, 0, NULL, 0) = 0\n");
    assert_string_equal(trace("faccessat", 0, AT_FDCWD, addr, F_OK, 0),
                        "77 faccessat(AT_FDCWD, \"/etc/passwd\", F_OK) = 0\n");
    assert_string_equal(trace("faccessat", 0, AT_FDCWD, addr, R_OK | X_OK, 0),
                        "77 faccessat(AT_FDCWD, \"/etc/passwd\", R_OK|X_OK) = 0\n");
}

static void buffers(void **state)
{
    (void)state;
    begin();
    memcpy(mem, "a\"b\\c\n\t\001\0012\377", 12);
    assert_string_equal(trace("write", 11, 1, addr, 11, 0),
                        "77 write(1, \"a\\\"b\\\\c\\n\\t\\1\\0012\\377\", 11) = 11\n");
    memset(mem, 'x', 100);
    assert_string_equal(trace("write", 100, 1, addr, 100, 0),
                        "77 write(1, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., 100) = 100\n");
    /* what was read is known after the call, and only as much as the result says */
    assert_string_equal(trace("read", 3, 0, addr, 100, 0), "77 read(0, \"xxx\", 100) = 3\n");
    snprintf(text, sizeof text, "77 read(0, %#llx, 100) = -1 EINTR (Interrupted system call)\n",
             (unsigned long long)addr);
    char want[200];
    strcpy(want, text);
    assert_string_equal(trace("read", -EINTR, 0, addr, 100, 0), want);
    /* bad memory is shown as an address */
    assert_string_equal(trace("write", -EFAULT, 1, 16, 5, 0),
                        "77 write(1, 0x10, 5) = -1 EFAULT (Bad address)\n");
    assert_string_equal(trace("write", -EFAULT, 1, UINT64_C(0xffff800000000000), 5, 0),
                        "77 write(1, 0xffff800000000000, 5) = -1 EFAULT (Bad address)\n");
    struct iovec iov[2] = {{mm_g2h(addr + 1000), 2}, {mm_g2h(addr + 2000), 3}};
    memcpy(mem, iov, sizeof iov);
    memcpy(mem + 1000, "ab", 2);
    memcpy(mem + 2000, "cde", 3);
    assert_string_equal(trace("writev", 5, 1, addr, 2, 0),
                        "77 writev(1, [{\"ab\", 2}, {\"cde\", 3}], 2) = 5\n");
    assert_string_equal(trace("readv", 3, 1, addr, 2, 0),
                        "77 readv(1, [{\"ab\", 2}, {\"c\", 3}], 2) = 3\n");
}

static void structs(void **state)
{
    struct timespec ts = {1, 500};
    struct guest_stat st = {.st_mode = S_IFREG | 0644, .st_size = 42};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
    uint64_t set = 1 << (SIGINT - 1) | 1 << (SIGCHLD - 1);
    uint32_t len = sizeof in;

    (void)state;
    begin();
    memcpy(mem, &ts, sizeof ts);
    assert_string_equal(trace("nanosleep", 0, addr, 0, 0, 0),
                        "77 nanosleep({tv_sec=1, tv_nsec=500}, NULL) = 0\n");
    strcpy((char *)mem, "f");
    memcpy(mem + 1024, &st, sizeof st);
    assert_string_equal(trace("newfstatat", 0, AT_FDCWD, addr, addr + 1024, AT_SYMLINK_NOFOLLOW),
                        "77 newfstatat(AT_FDCWD, \"f\", {st_mode=S_IFREG|0644, st_size=42, ...}, "
                        "AT_SYMLINK_NOFOLLOW) = 0\n");
    inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
    memcpy(mem, &in, sizeof in);
    memcpy(mem + 64, &len, 4);
    assert_string_equal(
        trace("connect", 0, 3, addr, sizeof in, 0),
        "77 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=\"127.0.0.1\"}, 16) = 0\n");
    assert_string_equal(trace("accept", 4, 3, addr, addr + 64, 0),
                        "77 accept(3, {sa_family=AF_INET, sin_port=htons(80), "
                        "sin_addr=\"127.0.0.1\"}, [16]) = 4\n");
    memcpy(mem, &set, sizeof set);
    assert_string_equal(trace("rt_sigprocmask", 0, SIG_BLOCK, addr, 0, 8),
                        "77 rt_sigprocmask(SIG_BLOCK, [INT CHLD], NULL, 8) = 0\n");
    set = ~set;
    memcpy(mem, &set, sizeof set);
    assert_string_equal(trace("rt_sigprocmask", 0, SIG_SETMASK, addr, 0, 8),
                        "77 rt_sigprocmask(SIG_SETMASK, ~[INT CHLD], NULL, 8) = 0\n");
    int pipe_fds[2] = {3, 4};
    memcpy(mem, pipe_fds, 8);
    assert_string_equal(trace("pipe2", 0, addr, 0, 0, 0), "77 pipe2([3, 4], O_RDONLY) = 0\n");
}

static void special_arguments(void **state)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = 1, .l_len = 2};
    uint64_t argv[] = {addr + 1024, addr + 1028, 0};
    int status = 9;

    (void)state;
    begin();
    memcpy(mem, &lock, sizeof lock);
    assert_string_equal(
        trace("fcntl", 0, 3, F_SETLK, addr, 0),
        "77 fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=1, l_len=2}) = 0\n");
    assert_string_equal(trace("fcntl", 1, 3, F_GETFD, 99, 0), "77 fcntl(3, F_GETFD) = 1\n");
    assert_string_equal(trace("fcntl", 0, 3, F_SETFL, O_RDONLY | O_NONBLOCK, 0),
                        "77 fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK) = 0\n");
    assert_string_equal(trace("fcntl", 7, 3, F_DUPFD, 7, 0), "77 fcntl(3, F_DUPFD, 7) = 7\n");
    memcpy(mem, argv, sizeof argv);
    memcpy(mem + 1024, "ls\0\0-l", 7);
    trace("execve", -ENOENT, addr + 1024, addr, addr, 0);
    char *first = strtok(text, "\n"), want[128];
    snprintf(want, sizeof want, "77 execve(\"ls\", [\"ls\", \"-l\"], %#llx /* 2 vars */) = ?",
             (unsigned long long)addr);
    assert_string_equal(first, want);
    assert_string_equal(strtok(NULL, "\n"),
                        "77 <... execve resumed>) = -1 ENOENT (No such file or directory)");
    memcpy(mem, &status, 4);
    assert_string_equal(trace("wait4", 5, -1, addr, 0, 0),
                        "77 wait4(-1, [{killed by SIGKILL}], 0, NULL) = 5\n");
    status = 3 << 8;
    memcpy(mem, &status, 4);
    assert_string_equal(trace("wait4", 5, -1, addr, 1, 0),
                        "77 wait4(-1, [{exited, status=3}], WNOHANG, NULL) = 5\n");
    struct iovec iov = {mm_g2h(addr + 1024), 5};
    struct msghdr m = {.msg_iov = mm_g2h(addr + 512), .msg_iovlen = 1};
    memcpy(mem, &m, sizeof m);
    memcpy(mem + 512, &iov, sizeof iov);
    memcpy(mem + 1024, "hello", 5);
    assert_string_equal(trace("sendmsg", 5, 3, addr, 0, 0),
                        "77 sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{\"hello\", 5}], "
                        "msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 5\n");
    assert_string_equal(trace("recvmsg", 2, 3, addr, 0, 0),
                        "77 recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{\"he\", 5}], "
                        "msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 2\n");
    uint64_t clone[11] = {CLONE_VM | CLONE_VFORK, 0, 0, 0, SIGCHLD, 0x1000, 0x2000};
    memcpy(mem, clone, sizeof clone);
    assert_string_equal(trace("clone3", 5, addr, 88, 0, 0),
                        "77 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x1000, "
                        "stack_size=0x2000}, 88) = 5\n");
    memcpy(mem, "\3\0\0\0\1\0\1\0", 8); /* struct pollfd */
    assert_string_equal(trace("ppoll", 1, addr, 1, 0, 0),
                        "77 ppoll([{fd=3, events=POLLIN, revents=POLLIN}], 1, NULL, NULL, 0) => "
                        "[{fd=3, events=POLLIN, revents=POLLIN}] = 1\n");
}

static void unfinished(void **state)
{
    uint64_t a[6] = {3, 0, 10, 0, 0, 0};
    uint64_t b[6] = {0}, c[6] = {17};
    struct thread *other = thread_new(&guest_rv64, sighand_new());
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    int p[2];

    (void)state;
    begin();
    other->tid = 78;
    /* Nothing to read: it will wait, and others print meanwhile. */
    assert_int_equal(pipe(p), 0);
    a[0] = p[0];
    bool announced = sys_trace_enter(self, &sys_table[63], 63, a);
    assert_true(announced);
    assert_false(sys_trace_enter(other, &sys_table[172], 172, b));
    sys_trace_leave(other, &sys_table[172], 172, b, 77, false);
    sys_trace_leave(self, &sys_table[63], 63, a, 0, announced);
    char want[128];
    snprintf(want, sizeof want,
             "77 read(%d <unfinished ...>\n"
             "78 getpid() = 77\n"
             "77 <... read resumed>, NULL, 10) = 0\n",
             p[0]);
    assert_string_equal(logged(), want);
    assert_int_equal(write(p[1], "x", 1), 1);
    assert_false(sys_trace_enter(self, &sys_table[63], 63, a));
    close(p[0]);
    close(p[1]);
    assert_true(sys_trace_enter(self, &sys_table[101], 101, b));
    assert_string_equal(logged(), "77 nanosleep(NULL <unfinished ...>\n");
    sys_trace_leave(self, &sys_table[101], 101, b, 0, true);
    assert_string_equal(logged(), "77 <... nanosleep resumed>, NULL) = 0\n");
    assert_false(sys_trace_enter(self, &sys_table[220], 220, c));
    sys_trace_leave(other, &sys_table[220], 220, c, 0, false);
    sys_trace_leave(self, &sys_table[220], 220, c, 78, false);
    assert_string_equal(logged(), "78 clone(SIGCHLD, NULL, 0, 0, 0) = 0\n"
                                  "77 clone(SIGCHLD, NULL, 0, 0, 0) = 78\n");
    assert_false(sys_trace_enter(self, NULL, 300, a));
    sys_trace_leave(self, NULL, 300, b, -ENOSYS, false);
    assert_string_equal(logged(), "77 syscall_300(0, 0, 0, 0, 0, 0) = -1 ENOSYS "
                                  "(Function not implemented)\n");
    sys_trace_enter(self, &sys_table[94], 94, b);
    assert_string_equal(logged(), "77 exit_group(0) = ?\n");
    info.si_addr = (void *)0x10;
    sys_trace_signals();
    sig_trace(self, &info);
    assert_string_equal(
        logged(), "77 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---\n");
    sighand_put(other->sighand);
    thread_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_results),
        cmocka_unit_test(flags),
        cmocka_unit_test(buffers),
        cmocka_unit_test(structs),
        cmocka_unit_test(special_arguments),
        cmocka_unit_test(unfinished),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
