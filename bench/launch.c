/* Runs one command and tells its times: what bench/run.sh takes all figures from.
 *
 * usage: launch -o OUTPUT [-t SECONDS] [-r ROOT -m DIRECTORY [-b EMULATOR]] COMMAND ARGUMENT...
 *
 * Prints `STATUS USER+SYSTEM WALL`, times in microseconds, those of the command and of all processes
 * that it waited for (wait4(2)). A command that takes longer than -t seconds is killed with its process
 * group: status 124.
 *
 * -r runs it in ROOT, a sysroot's programs with the machine's /tmp, /proc and /dev, without root
 * rights: a user namespace with a mount namespace of its own, so that nothing is left behind; -m
 * names an empty directory for its root to be mounted on. -b
 * has the kernel run riscv64 programs there by EMULATOR (which must be static), by a binfmt_misc of
 * that namespace's own, as a Debian machine with qemu-user-binfmt would; Linux 6.7 can do that. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *format, ...)
{
    int error = errno;
    va_list list;
    va_start(list, format);
    fputs("launch: ", stderr);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, ": %s\n", strerror(error));
    exit(125);
}

static void write_file(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size)
        fail("cannot write %s (user namespaces are needed)", path);
    close(fd);
}

/* The file header's first 20 bytes, and which bits of them count: ELF, 64 bits, little-endian, an
 * executable or a shared object, machine 243. */
static void set_emulator(const char *emulator)
{
    char rule[1024];
    if (mount("binfmt_misc", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL))
        fail("cannot mount a binfmt_misc (Linux 6.7 or newer is needed)");
    int n = snprintf(
        rule, sizeof(rule),
        ":riscv64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        "\\x02\\x00\\xf3\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff"
        "\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s:PF",
        emulator);
    write_file("/proc/sys/fs/binfmt_misc/register", rule, (size_t)n);
}

static void bind(const char *from, const char *root, const char *to)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, to);
    if (mount(from, path, NULL, MS_BIND | MS_REC, NULL))
        fail("cannot bind %s to %s", from, path);
}

/* Makes the mounts and goes there, staying in the working directory, which is below /tmp. */
static void enter_root(const char *sysroot, const char *root, const char *emulator)
{
    char map[64], path[4096], here[4096];
    unsigned uid = getuid(), gid = getgid();
    if (!getcwd(here, sizeof(here)))
        fail("no working directory");
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
        fail("cannot make a user namespace");
    write_file("/proc/self/setgroups", "deny", 4);
    write_file("/proc/self/uid_map", map, (size_t)snprintf(map, sizeof(map), "0 %u 1", uid));
    write_file("/proc/self/gid_map", map, (size_t)snprintf(map, sizeof(map), "0 %u 1", gid));
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        fail("cannot make the mounts private");
    if (emulator)
        set_emulator(emulator);
    static const char *const dirs[] = {"usr", "etc", "tmp", "proc", "dev"};
    if (mount("tmpfs", root, "tmpfs", 0, NULL))
        fail("cannot mount a tmpfs");
    for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
        if (mkdir(path, 0755))
            fail("cannot make %s", path);
        if (i < 2)
            snprintf(path, sizeof(path), "%s/%s", sysroot, dirs[i]);
        else
            snprintf(path, sizeof(path), "/%s", dirs[i]);
        bind(path, root, dirs[i]);
    }
    static const char *const links[] = {"bin", "sbin", "lib", "lib64"};
    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        char to[32];
        snprintf(path, sizeof(path), "%s/%s", root, links[i]);
        snprintf(to, sizeof(to), "usr/%s", links[i]);
        if (symlink(to, path))
            fail("cannot make %s", path);
    }
    if (chroot(root) || chdir(here))
        fail("cannot enter %s", root);
}

static volatile pid_t child;
static volatile sig_atomic_t late;

static void on_alarm(int signal)
{
    (void)signal;
    late = 1;
    kill(-child, SIGKILL);
}

static long long micros(struct timeval t)
{
    return t.tv_sec * 1000000LL + t.tv_usec;
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    const char *output = NULL, *root = NULL, *mountpoint = NULL, *emulator = NULL;
    unsigned seconds = 120;
    int option;
    while ((option = getopt(argc, argv, "+o:t:r:m:b:")) != -1) {
        switch (option) {
        case 'o':
            output = optarg;
            break;
        case 't':
            seconds = (unsigned)atoi(optarg);
            break;
        case 'r':
            root = optarg;
            break;
        case 'm':
            mountpoint = optarg;
            break;
        case 'b':
            emulator = optarg;
            break;
        default:
            return 125;
        }
    }
    if (optind >= argc || !output || !root != !mountpoint) {
        fprintf(stderr, "usage: launch -o OUTPUT [-t SECONDS] [-r ROOT -m DIRECTORY [-b EMULATOR]] "
                        "COMMAND...\n");
        return 125;
    }
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0)
        fail("cannot write %s", output);
    if (root)
        enter_root(root, mountpoint, emulator);
    long long start = now();
    child = fork();
    if (child < 0)
        fail("cannot fork");
    if (child == 0) {
        setpgid(0, 0);
        dup2(out, 1);
        execvp(argv[optind], argv + optind);
        fail("cannot run %s", argv[optind]);
    }
    setpgid(child, child);
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &act, NULL);
    alarm(seconds);
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR)
            fail("cannot wait");
    }
    long long wall = now() - start;
    alarm(0);
    status = late ? 124 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    printf("%d %lld %lld\n", status, micros(usage.ru_utime) + micros(usage.ru_stime), wall);
    return 0;
}
