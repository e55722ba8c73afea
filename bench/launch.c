/* Runs one command and tells its times: what bench/run.sh and tests/matrix/run.sh take their figures from.
 *
 * usage: launch -o OUTPUT [-t SECONDS] [-r ROOT -m DIRECTORY [-b EMULATOR [-g GUEST]]
 *               [-i SCRATCH [-M MIB]]] COMMAND ARGUMENT...
 *
 * Prints `STATUS USER+SYSTEM WALL`, times in microseconds, those of the command and of all processes
 * that it waited for (wait4(2)). A command that takes longer than -t seconds is killed with its process
 * group: status 124.
 *
 * -r runs it in ROOT, a sysroot's programs with the machine's /tmp, /proc and /dev, without root
 * rights: a user namespace with a mount namespace of its own, so that nothing is left behind; -m
 * names an empty directory for its root to be mounted on. -b
 * has the kernel run the guest's programs (-g: riscv64 or arm64) there by EMULATOR (which must be
 * static), by a binfmt_misc of that namespace's own, as a Debian machine with qemu-user-binfmt would;
 * Linux 6.7 can do that.
 *
 * -i isolates it wholly: the root is ROOT with SCRATCH/upper over it (SCRATCH/work is overlayfs's),
 * so that the command can write everywhere and ROOT stays as it is; process, network (a loopback
 * only), IPC and host name are its own; user and group numbers up to 65535 exist when launch has the
 * rights (root, or newuidmap(1)). All that it leaves running is killed, and its times are counted. -M limits
 * the memory that its processes hold for themselves, in sum: status 123.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_LATE 124
#define STATUS_MEMORY 123
#define IDS 65536

static struct {
    const char *output, *root, *mountpoint, *emulator, *guest, *scratch;
    unsigned seconds, mib;
} options = {.seconds = 120, .guest = "riscv64"};

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

static bool try_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return good;
}

static void write_file(const char *path, const char *text)
{
    if (!try_write(path, text))
        fail("cannot write %s (user namespaces are needed)", path);
}

/* The file header's first 20 bytes, and which bits of them count: ELF, 64 bits, little-endian, an
 * executable or a shared object, the guest's machine. */
static void set_emulator(void)
{
    static const struct {
        const char *name;
        unsigned machine; /* e_machine, elf.h */
    } guests[] = {{"riscv64", 243}, {"arm64", 183}};
    char rule[1024];
    unsigned machine = 0;
    for (unsigned i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
        if (strcmp(guests[i].name, options.guest) == 0)
            machine = guests[i].machine;
    }
    errno = EINVAL;
    if (!machine)
        fail("no guest '%s'", options.guest);
    if (mount("binfmt_misc", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL))
        fail("cannot mount a binfmt_misc (Linux 6.7 or newer is needed)");
    snprintf(
        rule, sizeof(rule),
        ":%s:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        "\\x02\\x00\\x%02x\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff"
        "\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s:OCPF",
        options.guest, machine, options.emulator);
    write_file("/proc/sys/fs/binfmt_misc/register", rule);
}

static void bind_at(const char *from, const char *root, const char *to)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, to);
    if (mount(from, path, NULL, MS_BIND | MS_REC, NULL))
        fail("cannot bind %s to %s", from, path);
}

/* Gives the calling process, which has just unshared, its user and group numbers. Only a process outside
 * of the namespace may give more than one of each: root, or the set-uid newuidmap. */
static void map_ids(pid_t who, unsigned uid, unsigned gid)
{
    char path[64], map[64], command[256];
    if (uid == 0) {
        snprintf(map, sizeof(map), "0 0 %u", IDS);
        snprintf(path, sizeof(path), "/proc/%d/uid_map", who);
        bool good = try_write(path, map);
        snprintf(path, sizeof(path), "/proc/%d/gid_map", who);
        _exit(!(good && try_write(path, map)));
    }
    snprintf(
        command, sizeof(command),
        "newuidmap %d 0 %u 1 1 $(sed -n \"s/^$(id -un):\\([0-9]*\\):.*/\\1/p\" /etc/subuid) %u &&"
        "newgidmap %d 0 %u 1 1 $(sed -n \"s/^$(id -un):\\([0-9]*\\):.*/\\1/p\" /etc/subgid) %u",
        who, uid, IDS - 1, who, gid, IDS - 1);
    execl("/bin/sh", "sh", "-c", command, NULL);
    _exit(1);
}

static void new_namespaces(void)
{
    char map[64];
    unsigned uid = geteuid(), gid = getegid();
    int go[2], status = 1;
    int flags = CLONE_NEWUSER | CLONE_NEWNS;
    pid_t mapper = 0, self = getpid();
    if (options.scratch) {
        flags |= CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
        if (pipe2(go, O_CLOEXEC) || (mapper = fork()) < 0)
            fail("cannot fork");
        if (mapper == 0) {
            char c;
            close(go[1]);
            if (read(go[0], &c, 1) == 1)
                map_ids(self, uid, gid);
            _exit(1);
        }
    }
    if (unshare(flags))
        fail("cannot make a user namespace");
    if (mapper) {
        if (write(go[1], "", 1) != 1 || waitpid(mapper, &status, 0) != mapper)
            fail("cannot map user numbers");
        close(go[0]);
        close(go[1]);
    }
    if (status) { /* only its own */
        write_file("/proc/self/setgroups", "deny");
        snprintf(map, sizeof(map), "0 %u 1", uid);
        write_file("/proc/self/uid_map", map);
        snprintf(map, sizeof(map), "0 %u 1", gid);
        write_file("/proc/self/gid_map", map);
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        fail("cannot make the mounts private");
    if (options.emulator)
        set_emulator();
}

static void make_dir(const char *root, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    if (mkdir(path, 0755) && errno != EEXIST)
        fail("cannot make %s", path);
}

/* Makes the mounts and goes there, staying in the working directory, which is below /tmp. */
static void enter_root(void)
{
    char path[4096], here[4096];
    const char *root = options.mountpoint;
    if (!getcwd(here, sizeof(here)))
        fail("no working directory");
    static const char *const dirs[] = {"usr", "etc", "tmp", "proc", "dev"};
    if (mount("tmpfs", root, "tmpfs", 0, NULL))
        fail("cannot mount a tmpfs");
    for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        make_dir(root, dirs[i]);
        if (i < 2)
            snprintf(path, sizeof(path), "%s/%s", options.root, dirs[i]);
        else
            snprintf(path, sizeof(path), "/%s", dirs[i]);
        bind_at(path, root, dirs[i]);
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

static void mount_at(const char *root, const char *type, const char *name, const char *data)
{
    char path[4096];
    make_dir(root, name);
    snprintf(path, sizeof(path), "%s/%s", root, name);
    if (mount(type, path, type, 0, data))
        fail("cannot mount %s on %s", type, path);
}

/* As enter_root, for process 1 of namespaces of its own; all of it is the command's. */
static void enter_isolated(void)
{
    const char *root = options.mountpoint;
    char data[8192], path[4096];
    snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", options.root,
             options.scratch, options.scratch);
    if (mount("overlay", root, "overlay", 0, data))
        fail("cannot mount an overlay of %s", options.root);
    mount_at(root, "proc", "proc", NULL);
    make_dir(root, "sys");
    snprintf(path, sizeof(path), "%s/sys", root);
    if (mount("sysfs", path, "sysfs", 0, NULL)) /* not where the machine's is covered in part */
        bind_at("/sys", root, "sys");
    mount_at(root, "tmpfs", "run", "mode=755");
    mount_at(root, "tmpfs", "dev", "mode=755");
    mount_at(root, "tmpfs", "dev/shm", "mode=1777");
    make_dir(root, "dev/pts");
    snprintf(path, sizeof(path), "%s/dev/pts", root);
    if (mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=5") &&
        mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=0666"))
        fail("cannot mount %s", path);
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char from[32], to[32];
        snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
        snprintf(path, sizeof(path), "%s%s", root, from);
        snprintf(to, sizeof(to), "dev/%s", nodes[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd >= 0)
            close(fd);
        bind_at(from, root, to);
    }
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"},
                                           {"pts/ptmx", "ptmx"}};
    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        snprintf(path, sizeof(path), "%s/dev/%s", root, links[i][1]);
        if (symlink(links[i][0], path))
            fail("cannot make %s", path);
    }
    /* The overlay becomes the root itself, so that programs inside can make namespaces in turn. */
    if (chdir(root) || mount(root, "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/tmp"))
        fail("cannot enter %s", root);
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || ioctl(s, SIOCSIFFLAGS, &lo))
        fail("cannot set the loopback up");
    close(s);
    if (sethostname("matrix", 6))
        fail("cannot set the host name");
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

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t start(int out, char **command)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("cannot fork");
    if (pid == 0) {
        if (options.scratch) {
            sigset_t none;
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, NULL);
            setsid();
        } else {
            setpgid(0, 0);
        }
        dup2(out, 1);
        execvp(command[0], command);
        fail("cannot run %s", command[0]);
    }
    return pid;
}

/* MiB that all processes here hold for themselves. */
static unsigned memory_held(void)
{
    unsigned long pages = 0;
    DIR *dir = opendir("/proc");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[300];
        unsigned long size, resident, shared;
        if (*e->d_name < '0' || *e->d_name > '9')
            continue;
        snprintf(path, sizeof(path), "/proc/%s/statm", e->d_name);
        FILE *f = fopen(path, "re");
        if (f && fscanf(f, "%lu %lu %lu", &size, &resident, &shared) == 3)
            pages += resident - shared;
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    return (unsigned)(pages / 256);
}

/* Process 1: waits for all, ends with the command, and leaves nothing. */
static int be_init(int out, char **command)
{
    int result = -1, status;
    long long end = now() + options.seconds * 1000000LL;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter_isolated();
    pid_t first = start(out, command);
    while (result < 0) {
        struct timespec quarter = {.tv_nsec = 250000000};
        sigtimedwait(&set, NULL, &quarter);
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid == first)
                result = status_of(status);
        }
        if (result < 0 && now() > end)
            result = STATUS_LATE;
        else if (result < 0 && options.mib && memory_held() > options.mib)
            result = STATUS_MEMORY;
    }
    kill(-1, SIGKILL);
    while (wait(&status) > 0)
        ;
    return result;
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "+o:t:r:m:b:g:i:M:")) != -1) {
        switch (option) {
        case 'o':
            options.output = optarg;
            break;
        case 't':
            options.seconds = (unsigned)atoi(optarg);
            break;
        case 'r':
            options.root = optarg;
            break;
        case 'm':
            options.mountpoint = optarg;
            break;
        case 'b':
            options.emulator = optarg;
            break;
        case 'g':
            options.guest = optarg;
            break;
        case 'i':
            options.scratch = optarg;
            break;
        case 'M':
            options.mib = (unsigned)atoi(optarg);
            break;
        default:
            return 125;
        }
    }
    if (optind >= argc || !options.output || !options.root != !options.mountpoint ||
        (options.scratch && !options.root)) {
        fprintf(stderr, "usage: launch -o OUTPUT [-t SECONDS] [-r ROOT -m DIRECTORY "
                        "[-b EMULATOR [-g GUEST]] [-i SCRATCH [-M MIB]]] COMMAND...\n");
        return 125;
    }
    int out = open(options.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0)
        fail("cannot write %s", options.output);
    if (options.root)
        new_namespaces();
    if (options.root && !options.scratch)
        enter_root();
    long long begin = now();
    if (options.scratch) {
        child = fork();
        if (child < 0)
            fail("cannot fork");
        if (child == 0)
            _exit(be_init(out, argv + optind));
    } else {
        child = start(out, argv + optind);
        setpgid(child, child);
        struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &act, NULL);
        alarm(options.seconds);
    }
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR)
            fail("cannot wait");
    }
    long long wall = now() - begin;
    alarm(0);
    printf("%d %lld %lld\n", late ? STATUS_LATE : status_of(status),
           micros(usage.ru_utime) + micros(usage.ru_stime), wall);
    return 0;
}
