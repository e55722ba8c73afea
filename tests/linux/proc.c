/* /proc tells a program about itself. To be run by its absolute name. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;
static int data_word = 1;

/* The whole of a file relative to dir, with a NUL behind it. */
static char *slurp_at(int dir, const char *name, size_t *len)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    char *buf = malloc(1 << 20);
    size_t n = 0;
    ssize_t got;

    if (fd < 0)
        printf("cannot open %s\n", name);
    EXPECT_OK(fd);
    while ((got = read(fd, buf + n, (1 << 20) - 1 - n)) > 0)
        n += got;
    EXPECT_EQ(got, 0);
    close(fd);
    buf[n] = 0;
    if (len)
        *len = n;
    return buf;
}

static char *slurp(const char *name, size_t *len)
{
    return slurp_at(AT_FDCWD, name, len);
}

static void test_exe(const char *self)
{
    char buf[PATH_MAX], name[64];
    struct stat a, b, l;
    static const char *const forms[] = {"/proc/self/exe", "/proc//self/./exe",
                                        "/proc/self/../self/exe", "/proc/thread-self/exe"};

    EXPECT_OK(stat(self, &a));
    for (unsigned i = 0; i < 4; i++) {
        memset(buf, 0, sizeof buf);
        EXPECT_EQ(readlink(forms[i], buf, sizeof buf), (long)strlen(self));
        EXPECT_EQ(strcmp(buf, self), 0);
        EXPECT_OK(stat(forms[i], &b));
        EXPECT(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
    }
    EXPECT_OK(lstat("/proc/self/exe", &l));
    EXPECT(S_ISLNK(l.st_mode));
    EXPECT_EQ(readlink("/proc/self/exe", buf, 3), 3);
    snprintf(name, sizeof name, "/proc/%d/exe", getpid());
    EXPECT_EQ(readlink(name, buf, sizeof buf), (long)strlen(self));
    snprintf(name, sizeof name, "/proc/self/task/%ld/exe", syscall(SYS_gettid));
    EXPECT_EQ(readlink(name, buf, sizeof buf), (long)strlen(self));
    int fd = EXPECT_OK(open("/proc/self/exe", O_RDONLY));
    EXPECT_OK(fstat(fd, &b));
    EXPECT(a.st_ino == b.st_ino);
    Elf64_Ehdr h;
    EXPECT_EQ(read(fd, &h, sizeof h), sizeof h);
    EXPECT_EQ(memcmp(h.e_ident, ELFMAG, 4), 0);
    EXPECT_EQ(h.e_machine, ISA_MACHINE);
    close(fd);
    EXPECT_OK(access("/proc/self/exe", X_OK));
    int dir = EXPECT_OK(open("/proc/self", O_RDONLY | O_DIRECTORY));
    memset(buf, 0, sizeof buf);
    EXPECT_EQ(readlinkat(dir, "exe", buf, sizeof buf), (long)strlen(self));
    EXPECT_EQ(strcmp(buf, self), 0);
    EXPECT_OK(fstatat(dir, "exe", &b, 0));
    EXPECT_EQ(a.st_ino, b.st_ino);
    close(dir);
    EXPECT_ERR(readlink("/proc/self/exe", BAD, 100), EFAULT);
    EXPECT_ERR(readlink("/proc/self/maps", buf, 100), EINVAL);
    EXPECT_ERR(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW), ELOOP);
    verified("/proc/self/exe in its forms: readlink, stat, open");
}

/* Which line of maps holds an address; its protection in prot. */
static char *line_of(char *maps, const void *addr, char *prot)
{
    static char line[1024];

    for (char *s = maps; *s; s = strchrnul(s, '\n') + (*strchrnul(s, '\n') != 0)) {
        uint64_t start, end;

        EXPECT_EQ(sscanf(s, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, prot), 3);
        if ((uintptr_t)addr >= start && (uintptr_t)addr < end) {
            snprintf(line, sizeof line, "%.*s", (int)strcspn(s, "\n"), s);
            return line;
        }
    }
    return NULL;
}

static void test_maps(const char *self)
{
    char prot[8], local = 0, *line;
    void *area = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *heap = sbrk(4096);

    EXPECT(area != MAP_FAILED && heap != (void *)-1);
    for (int i = 0; i < 2; i++) {
        char *maps = slurp(i ? "/proc/self/smaps" : "/proc/self/maps", NULL);
        uint64_t last = 0, start, end;
        char file[64];
        unsigned long off, ino;
        int at;

        if (!i) {
            for (char *s = maps; *s; s = strchr(s, '\n') + 1) {
                EXPECT_EQ(sscanf(s, "%" SCNx64 "-%" SCNx64 " %4s %lx %63s %lu%n", &start, &end,
                                 prot, &off, file, &ino, &at),
                          6);
                EXPECT(start >= last && end > start);
                last = end;
            }
            line = line_of(maps, (void *)(uintptr_t)&test_maps, prot);
            EXPECT(line && strstr(line, self));
            EXPECT_EQ(strcmp(prot, "r-xp"), 0);
            line = line_of(maps, &data_word, prot);
            EXPECT(line && strstr(line, self));
            EXPECT_EQ(strcmp(prot, "rw-p"), 0);
            line = line_of(maps, &local, prot);
            EXPECT(line && strstr(line, "[stack]"));
            line = line_of(maps, heap, prot);
            EXPECT(line && strstr(line, "[heap]"));
            EXPECT(line_of(maps, area, prot) != NULL);
            EXPECT_EQ(strcmp(prot, "r--s"), 0);
            uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
            if (vdso) {
                line = line_of(maps, (void *)vdso, prot);
                EXPECT(line && strstr(line, "[vdso]"));
            }
        } else {
            EXPECT(strstr(maps, self) && strstr(maps, "[stack]") && strstr(maps, "Rss:"));
        }
        EXPECT(!strstr(maps, "dragoman\n"));
        free(maps);
    }
    char *r = slurp("/proc/self/smaps_rollup", NULL);
    EXPECT(strstr(r, "[rollup]") && strstr(r, "Pss:"));
    free(r);
    EXPECT_OK(munmap(area, 3 * 4096));
    /* Memory through /proc/self/mem. */
    int mem = EXPECT_OK(open("/proc/self/mem", O_RDWR)), v = 0;
    EXPECT_EQ(pread(mem, &v, sizeof v, (uintptr_t)&data_word), sizeof v);
    EXPECT_EQ(v, 1);
    v = 5;
    EXPECT_EQ(pwrite(mem, &v, sizeof v, (uintptr_t)&data_word), sizeof v);
    EXPECT_EQ(*(volatile int *)&data_word, 5);
    close(mem);
    verified("/proc/self/maps, smaps, mem");
}

/* Thousands of mappings: each has its entry, and the text costs what its length says (less than three seconds of
 * processor time; it would be many if each line cost the whole length). */
static void test_many_maps(void)
{
    enum { MANY = 8000, PAGE = 4096, SIZE = 16 << 20 };
    char *area = mmap(NULL, MANY * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *text = malloc(SIZE);
    struct rusage before, after;
    long entries = 0, n, len = 0;
    int fd;

    EXPECT(area != MAP_FAILED && text);
    for (int i = 0; i < MANY; i += 2)
        EXPECT_OK(mprotect(area + i * PAGE, PAGE, PROT_READ));
    EXPECT_OK(getrusage(RUSAGE_SELF, &before));
    fd = EXPECT_OK(open("/proc/self/smaps", O_RDONLY));
    while ((n = EXPECT_OK(read(fd, text + len, SIZE - 1 - len))) > 0)
        len += n;
    EXPECT_OK(getrusage(RUSAGE_SELF, &after));
    close(fd);
    text[len] = 0;
    for (char *s = text; s; s = strchr(s, '\n'), s = s ? s + 1 : s) {
        char *dash;
        uint64_t start = strtoull(s, &dash, 16);

        entries += *dash == '-' && start - (uintptr_t)area < MANY * PAGE;
    }
    EXPECT_EQ(entries, MANY);
    EXPECT(after.ru_utime.tv_sec - before.ru_utime.tv_sec < 3);
    EXPECT_OK(munmap(area, MANY * PAGE));
    free(text);
    verified("/proc/self/smaps of many mappings");
}

static void test_arguments(int argc, char **argv)
{
    size_t len, want = 0;
    char *s = slurp("/proc/self/cmdline", &len), *p = s;

    for (int i = 0; i < argc; i++) {
        EXPECT_EQ(strcmp(p, argv[i]), 0);
        p += strlen(p) + 1;
        want += strlen(argv[i]) + 1;
    }
    EXPECT_EQ(len, want);
    free(s);
    s = slurp("/proc/self/environ", &len);
    p = s;
    for (char **e = environ; *e; e++) {
        EXPECT_EQ(strcmp(p, *e), 0);
        p += strlen(p) + 1;
    }
    EXPECT_EQ(p - s, len);
    free(s);
    s = slurp("/proc/self/auxv", &len);
    EXPECT_EQ(len % 16, 0);
    unsigned seen = 0;
    for (Elf64_auxv_t *a = (void *)s; a->a_type != AT_NULL; a++) {
        if (a->a_type != AT_HWCAP) /* the x86-64 libc changes it */
            EXPECT_EQ(a->a_un.a_val, getauxval(a->a_type));
        seen |= a->a_type == AT_ENTRY    ? 1
                : a->a_type == AT_PHDR   ? 2
                : a->a_type == AT_RANDOM ? 4
                                         : 0;
    }
    EXPECT_EQ(seen, 7);
    free(s);
    /* As programs do that set their title. */
    char old = argv[0][0];
    argv[0][0] = '!';
    s = slurp("/proc/self/cmdline", &len);
    EXPECT_EQ(s[0], '!');
    argv[0][0] = old;
    free(s);
    verified("/proc/self/cmdline, environ, auxv");
}

static void *in_thread(void *arg)
{
    char name[64], *s;

    EXPECT_OK(prctl(PR_SET_NAME, "worker"));
    snprintf(name, sizeof name, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
    s = slurp(name, NULL);
    EXPECT_EQ(strcmp(s, "worker\n"), 0);
    free(s);
    s = slurp("/proc/thread-self/comm", NULL);
    EXPECT_EQ(strcmp(s, "worker\n"), 0);
    free(s);
    s = slurp("/proc/self/status", NULL);
    EXPECT(strstr(s, "\nThreads:\t2\n") != NULL);
    free(s);
    snprintf(name, sizeof name, "/proc/self/task/%ld/maps", syscall(SYS_gettid));
    s = slurp(name, NULL);
    EXPECT(strstr(s, "[stack]") != NULL);
    free(s);
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    EXPECT(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    EXPECT_EQ(n, 2);
    return arg;
}

static void test_status(const char *self)
{
    char comm[32], state, *s, *field[60];
    const char *base = strrchr(self, '/') + 1;
    int n = 0, pid;
    pthread_t th;
    char want[64];

    snprintf(want, sizeof want, "%.15s\n", base);
    s = slurp("/proc/self/comm", NULL);
    EXPECT_EQ(strcmp(s, want), 0);
    free(s);
    s = slurp("/proc/self/stat", NULL);
    EXPECT_EQ(sscanf(s, "%d (%31[^)]) %c", &pid, comm, &state), 3);
    EXPECT_EQ(pid, getpid());
    EXPECT_EQ(strncmp(comm, base, 15), 0);
    EXPECT_EQ(state, 'R');
    field[1] = field[2] = s;
    char *save = NULL;
    for (char *p = strtok_r(strrchr(s, ')') + 1, " \n", &save); p && n < 57;
         p = strtok_r(NULL, " \n", &save))
        field[3 + n++] = p;
    EXPECT_EQ(3 + n - 1, 52);
    EXPECT_EQ(atoi(field[4]), getppid());
    EXPECT_EQ(atoi(field[20]), 1);
    uint64_t code = strtoull(field[26], NULL, 10), code_end = strtoull(field[27], NULL, 10);
    EXPECT(code <= (uintptr_t)&test_status && (uintptr_t)&test_status < code_end);
    uint64_t stack = strtoull(field[28], NULL, 10);
    EXPECT(stack >= (uintptr_t)&th && stack - (uintptr_t)&th < 1 << 20);
    EXPECT(strtoull(field[45], NULL, 10) <= (uintptr_t)&data_word);
    EXPECT(strtoull(field[46], NULL, 10) > (uintptr_t)&data_word);
    EXPECT(strtoull(field[48], NULL, 10) > stack);
    EXPECT(strtoull(field[23], NULL, 10) > 4096);
    free(s);

    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, exit);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s = slurp("/proc/self/status", NULL);
    snprintf(want, sizeof want, "Name:\t%.15s\n", base);
    EXPECT_EQ(strncmp(s, want, strlen(want)), 0);
    EXPECT(strstr(s, "\nThreads:\t1\n") != NULL);
    EXPECT(strstr(s, "\nSigBlk:\t0000000000000001\n") != NULL);
    /* Others may be ignored from the start. */
    unsigned long ignored = 0;
    const char *line = strstr(s, "\nSigIgn:\t");
    EXPECT(line && sscanf(line, "\nSigIgn:\t%lx", &ignored) == 1);
    EXPECT(ignored & 0x200);
    EXPECT(strstr(s, "\nSigCgt:\t0000000000000800\n") != NULL);
    EXPECT(strstr(s, "\nVmSize:\t") != NULL);
#if !defined __x86_64__
    EXPECT(!strstr(s, "x86"));
#endif
    free(s);
    s = slurp("/proc/self/statm", NULL);
    EXPECT(atol(s) > 1);
    free(s);
    struct rlimit rl = {100 << 20, RLIM_INFINITY};
    if (setrlimit(RLIMIT_AS, &rl) == 0) {
        s = slurp("/proc/self/limits", NULL);
        EXPECT(strstr(s, "Max address space         104857600            ") != NULL);
        free(s);
    }
    EXPECT_EQ(pthread_create(&th, NULL, in_thread, NULL), 0);
    EXPECT_EQ(pthread_join(th, NULL), 0);
    verified("/proc/self/comm, stat, status, statm, limits, task");
}

static void test_system(void)
{
    struct utsname u;
    char *s, want[80];

    EXPECT_OK(uname(&u));
    s = slurp("/proc/cpuinfo", NULL);
    EXPECT_EQ(strcmp(u.machine, ISA_UNAME), 0);
    for (unsigned i = 0; i < sizeof isa_cpuinfo / sizeof isa_cpuinfo[0]; i++)
        EXPECT(strstr(s, isa_cpuinfo[i]) != NULL);
    int cpus = 0;
    for (char *p = s; (p = strstr(p, "processor")); p++)
        cpus++;
    EXPECT_EQ(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    free(s);
    if (access("/proc/sys/kernel/arch", R_OK) == 0) {
        s = slurp("/proc/sys/kernel/arch", NULL);
        snprintf(want, sizeof want, "%s\n", u.machine);
        EXPECT_EQ(strcmp(s, want), 0);
        free(s);
    }
    s = slurp("/proc/sys/kernel/osrelease", NULL);
    snprintf(want, sizeof want, "%s\n", u.release);
    EXPECT_EQ(strcmp(s, want), 0);
    free(s);
    verified("/proc/cpuinfo, /proc/sys/kernel/arch and osrelease");
}

static void test_ways(void)
{
    int dir = EXPECT_OK(open("/proc/self", O_RDONLY | O_DIRECTORY));
    char *a = slurp("/proc/self/cmdline", NULL), *b = slurp_at(dir, "cmdline", NULL), cwd[PATH_MAX];

    EXPECT_EQ(strcmp(a, b), 0);
    free(b);
    EXPECT(getcwd(cwd, sizeof cwd) != NULL);
    EXPECT_OK(fchdir(dir));
    b = slurp("cmdline", NULL);
    EXPECT_EQ(strcmp(a, b), 0);
    free(b);
    b = slurp("./task/../cmdline", NULL);
    EXPECT_EQ(strcmp(a, b), 0);
    free(b);
    EXPECT_OK(chdir(cwd));
    close(dir);
    /* Descriptors, and what they are not. */
    int fd = EXPECT_OK(open("/proc/self/maps", O_RDONLY));
    EXPECT_EQ(fcntl(fd, F_GETFD), 0);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    char c;
    EXPECT_ERR(write(fd, &c, 1), EBADF);
    int low = EXPECT_OK(dup(0));
    close(low);
    close(fd);
    EXPECT(fd < low); /* it took the lowest number */
    fd = EXPECT_OK(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    EXPECT_ERR(open("/proc/self/maps", O_RDONLY | O_DIRECTORY), ENOTDIR);
    EXPECT_ERR(open("/proc/self/nosuch", O_RDONLY), ENOENT);
    EXPECT_ERR(open("/proc/self/maps/x", O_RDONLY), ENOTDIR);
    free(a);
    verified("relative names and descriptors");
}

int main(int argc, char **argv)
{
    const char *self = argv[0];

    if (self[0] != '/' || strstr(self, "//") || strstr(self, "/.")) {
        puts("run me by an absolute name without links");
        return 2;
    }
    test_ways();
    test_exe(self);
    test_arguments(argc, argv);
    test_maps(self);
    test_many_maps();
    test_system();
    test_status(self);
    return 0;
}
