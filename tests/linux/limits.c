/* Resource limits, scheduling, capabilities, identities. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void finish(pid_t pid)
{
    int status;

    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

static void test_rlimits(void)
{
    struct rlimit r, s;

    for (int i = 0; i < 16; i++) {
        EXPECT_OK(getrlimit(i, &r));
        EXPECT(r.rlim_cur <= r.rlim_max);
        EXPECT_OK(syscall(SYS_prlimit64, 0, i, NULL, &s));
        EXPECT_EQ(r.rlim_cur, s.rlim_cur);
        EXPECT_OK(syscall(SYS_prlimit64, getpid(), i, NULL, &s));
        EXPECT_EQ(r.rlim_max, s.rlim_max);
    }
    EXPECT_ERR(syscall(SYS_prlimit64, 0, 16, NULL, &s), EINVAL);
    EXPECT_ERR(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, BAD), EFAULT);
    EXPECT_ERR(syscall(SYS_prlimit64, 0, RLIMIT_STACK, BAD, NULL), EFAULT);
    EXPECT_ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, BAD, NULL), EFAULT);
    static const int set[] = {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA};
    static const long value[] = {200, 0, 4 << 20, 256 << 20, 128 << 20};
    for (unsigned i = 0; i < sizeof set / sizeof *set; i++) {
        EXPECT_OK(getrlimit(set[i], &r));
        s = r;
        s.rlim_cur = value[i];
        EXPECT_OK(setrlimit(set[i], &s));
        memset(&s, 0, sizeof s);
        EXPECT_OK(getrlimit(set[i], &s));
        EXPECT_EQ(s.rlim_cur, value[i]);
        EXPECT_EQ(s.rlim_max, r.rlim_max);
        s.rlim_cur = 2;
        s.rlim_max = 1;
        EXPECT_ERR(setrlimit(set[i], &s), EINVAL);
    }
    /* A child has them too, and they bite. */
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        EXPECT_OK(getrlimit(RLIMIT_AS, &s));
        EXPECT_EQ(s.rlim_cur, 256 << 20);
        EXPECT(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
        EXPECT_ERR((long)mmap(NULL, 300 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                   ENOMEM);
        EXPECT_ERR(
            (long)mmap(NULL, 150 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            ENOMEM);
        EXPECT_ERR((long)sbrk(300 << 20), ENOMEM);
        void *p = malloc(200 << 20);
        EXPECT(p == NULL);
        for (int i = 3; i < 200; i++)
            if (dup(0) < 0) {
                EXPECT_EQ(errno, EMFILE);
                _exit(0);
            }
        _exit(dup(0) == -1 && errno == EMFILE ? 0 : 1);
    }
    finish(pid);
    verified("rlimits: get, set, inherited by fork, address space and descriptors enforced");
}

static void test_hard(void)
{
    /* Without the capability a hard limit only goes down. */
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        struct rlimit s = {64 << 20, 64 << 20};

        EXPECT_OK(setrlimit(RLIMIT_STACK, &s));
        EXPECT_OK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 100}));
        if (geteuid() == 0)
            EXPECT_OK(setresuid(65534, 65534, 65534));
        s.rlim_max = 65 << 20;
        EXPECT_ERR(setrlimit(RLIMIT_STACK, &s), EPERM);
        EXPECT_ERR(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 101}), EPERM);
        s = (struct rlimit){32 << 20, 33 << 20};
        EXPECT_OK(setrlimit(RLIMIT_STACK, &s));
        _exit(0);
    }
    finish(pid);
    verified("hard limits");
}

/* What main does when it has been executed by test_exec. */
static int after_exec(void)
{
    struct rlimit r;

    EXPECT_OK(getrlimit(RLIMIT_AS, &r));
    EXPECT_EQ(r.rlim_cur, 300 << 20);
    EXPECT_ERR((long)mmap(NULL, 400 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    EXPECT_OK(getrlimit(RLIMIT_STACK, &r));
    EXPECT_EQ(r.rlim_cur, 200 << 10);
    EXPECT_OK(getrlimit(RLIMIT_DATA, &r));
    EXPECT_EQ(r.rlim_cur, 128 << 20);
    EXPECT_OK(getrlimit(RLIMIT_NOFILE, &r));
    EXPECT_EQ(r.rlim_cur, 77);
    return 0;
}

static void test_exec(void)
{
    static const int set[] = {RLIMIT_AS, RLIMIT_STACK, RLIMIT_DATA, RLIMIT_NOFILE};
    static const long value[] = {300 << 20, 200 << 10, 128 << 20, 77};
    pid_t pid = EXPECT_OK(fork());

    if (pid == 0) {
        for (unsigned i = 0; i < 4; i++) {
            struct rlimit r;

            EXPECT_OK(getrlimit(set[i], &r));
            r.rlim_cur = value[i];
            EXPECT_OK(setrlimit(set[i], &r));
        }
        execl("/proc/self/exe", "limits", "after-exec", NULL);
        _exit(9);
    }
    finish(pid);
    verified("soft limits outlive execve");
}

static void test_sched(void)
{
    cpu_set_t set, one;
    struct sched_param p = {.sched_priority = -5};
    struct timespec ts;
    unsigned cpu = 999, node = 999;

    EXPECT_OK(sched_getaffinity(0, sizeof set, &set));
    EXPECT(CPU_COUNT(&set) >= 1);
    EXPECT_EQ(CPU_COUNT(&set), sysconf(_SC_NPROCESSORS_ONLN));
    EXPECT(syscall(SYS_sched_getaffinity, 0, sizeof set, &set) >= 8);
    EXPECT_ERR(syscall(SYS_sched_getaffinity, 0, 3, &set), EINVAL);
    EXPECT_ERR(syscall(SYS_sched_getaffinity, 0, sizeof set, BAD), EFAULT);
    int last = 0;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            last = i;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    EXPECT_OK(sched_setaffinity(0, sizeof one, &one));
    EXPECT_OK(sched_yield());
    EXPECT_EQ(sched_getcpu(), last);
    EXPECT_OK(syscall(SYS_getcpu, &cpu, &node, NULL));
    EXPECT_EQ(cpu, last);
    EXPECT(node < 1024);
    EXPECT_OK(sched_setaffinity(0, sizeof set, &set));
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
    EXPECT_OK(sched_getparam(0, &p));
    EXPECT_EQ(p.sched_priority, 0);
    EXPECT_OK(sched_setscheduler(0, SCHED_BATCH, &p));
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
    EXPECT_OK(sched_setscheduler(0, SCHED_OTHER, &p));
    EXPECT_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    EXPECT_EQ(sched_get_priority_min(SCHED_RR), 1);
    EXPECT_OK(sched_rr_get_interval(0, &ts));
    EXPECT_ERR(syscall(SYS_sched_getparam, 0, BAD), EFAULT);
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {.size = 48};
    EXPECT_OK(syscall(SYS_sched_getattr, 0, &attr, 48, 0));
    EXPECT_EQ(attr.policy, SCHED_OTHER);
    attr.nice = 3;
    EXPECT_OK(syscall(SYS_sched_setattr, 0, &attr, 0));
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 3);
    EXPECT_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 17); /* the raw value */
    EXPECT_OK(setpriority(PRIO_PROCESS, 0, 5));
    EXPECT_EQ(nice(1), 6);
    EXPECT_ERR(syscall(SYS_sched_setattr, 0, BAD, 0), EFAULT);
    long io = EXPECT_OK(syscall(SYS_ioprio_get, 1, 0));
    EXPECT_OK(syscall(SYS_ioprio_set, 1, 0, io));
    verified("affinity, policies, priorities, getcpu");
}

static void test_identity(void)
{
    uid_t r, e, s;
    gid_t groups[64];
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];
    struct utsname u;
    struct sysinfo si;

    EXPECT_OK(getresuid(&r, &e, &s));
    EXPECT(r == getuid() && e == geteuid());
    EXPECT_OK(getresgid(&r, &e, &s));
    EXPECT(r == getgid() && e == getegid());
    EXPECT_ERR(syscall(SYS_getresuid, &r, BAD, &s), EFAULT);
    int n = EXPECT_OK(getgroups(64, groups));
    EXPECT_EQ(getgroups(0, NULL), n);
    EXPECT_OK(syscall(SYS_capget, &h, d));
    h.version = 1;
    EXPECT_ERR(syscall(SYS_capget, &h, d), EINVAL);
    EXPECT_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    EXPECT_ERR(syscall(SYS_capget, BAD, d), EFAULT);
    mode_t m = umask(027);
    EXPECT_EQ(umask(m), 027);
    EXPECT_OK(uname(&u));
    EXPECT_EQ(strcmp(u.sysname, "Linux"), 0);
    EXPECT_ERR(syscall(SYS_uname, BAD), EFAULT);
    EXPECT_OK(sysinfo(&si));
    EXPECT(si.totalram * si.mem_unit > 16 << 20 && si.procs > 0 && si.uptime > 0);
    EXPECT_EQ(getsid(0), getsid(getpid()));
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        EXPECT_EQ(setsid(), getpid());
        EXPECT_EQ(getpgid(0), getpid());
        EXPECT_ERR(setpgid(0, getppid()), EPERM);
        if (geteuid() == 0) {
            gid_t g[3] = {10, 20, 30};
            EXPECT_OK(setgroups(3, g));
            EXPECT_EQ(getgroups(64, groups), 3);
            EXPECT_EQ(groups[2], 30);
            EXPECT_OK(setresgid(100, 101, 102));
            EXPECT_OK(setfsgid(101));
            EXPECT_OK(setresuid(1000, 1001, 1002));
            EXPECT_OK(getresuid(&r, &e, &s));
            EXPECT(r == 1000 && e == 1001 && s == 1002);
            EXPECT_ERR(setuid(0), EPERM);
            EXPECT_ERR(setgroups(1, g), EPERM);
        }
        _exit(0);
    }
    finish(pid);
    verified("ids, groups, capabilities, sessions, uname, sysinfo");
}

/* The allocators of AArch64's and x86-64's sanitizers want these terabytes and no others. */
static void test_places(void)
{
    char *want = (char *)UINT64_C(0x500000000000), *p;
    size_t size = UINT64_C(1) << 42;

    p = mmap(want, size, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT(p == want);
    EXPECT_EQ(mprotect(p + size - 8192, 8192, PROT_READ | PROT_WRITE), 0);
    p[size - 1] = 5;
    EXPECT_EQ(munmap(p, size), 0);
    verified("four terabytes at 0x500000000000");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "after-exec"))
        return after_exec();
    test_sched();
    test_identity();
    test_hard();
    test_exec();
    test_places();
    test_rlimits();
    return 0;
}
