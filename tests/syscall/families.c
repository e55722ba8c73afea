/* syscall/'s converters and tables: struct semid64_ds, ioctl requests, the files of /proc, limits. */
#include "tests/unit.h"

#include "syscall/ioctl.h"
#include "syscall/ipc.h"
#include "syscall/procfs.h"
#include "syscall/rlimit.h"
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_semid(void **state)
{
    struct semid64_ds h, back;
    struct guest_semid64_ds g;

    (void)state;
    /* Offsets of include/uapi/asm-generic/sembuf.h for 64-bit words, and of x86's. */
    assert_int_equal(offsetof(struct guest_semid64_ds, sem_otime), 48);
    assert_int_equal(offsetof(struct guest_semid64_ds, sem_ctime), 56);
    assert_int_equal(offsetof(struct guest_semid64_ds, sem_nsems), 64);
    assert_int_equal(offsetof(struct semid64_ds, sem_ctime), 64);
    assert_int_equal(offsetof(struct semid64_ds, sem_nsems), 80);
    memset(&h, 0, sizeof h);
    h.sem_perm.key = 0x11223344;
    h.sem_perm.uid = 1001;
    h.sem_perm.mode = 0640;
    h.sem_otime = 0x7766554433221100;
    h.sem_ctime = -3;
    h.sem_nsems = 250;
    ipc_semid_to_guest(&g, &h);
    assert_int_equal(g.sem_perm.key, 0x11223344);
    assert_int_equal(g.sem_perm.mode, 0640);
    assert_int_equal(g.sem_otime, 0x7766554433221100);
    assert_int_equal(g.sem_ctime, -3);
    assert_int_equal(g.sem_nsems, 250);
    ipc_semid_to_host(&back, &g);
    assert_memory_equal(&back, &h, sizeof h);
}

static void test_ioctl(void **state)
{
    const struct ioctl_row *r;

    (void)state;
    /* Numbers and sizes from ioctl_tty(2) and netdevice(7). */
    r = ioctl_find(0x5401);
    assert_non_null(r);
    assert_string_equal(r->name, "TCGETS");
    assert_int_equal(r->arg, ARG_OUT);
    assert_int_equal(r->size, 36);
    r = ioctl_find(0x5413);
    assert_string_equal(r->name, "TIOCGWINSZ");
    assert_int_equal(r->size, 8);
    r = ioctl_find(0x8912);
    assert_string_equal(r->name, "SIOCGIFCONF");
    assert_int_equal(r->arg, ARG_PTR);
    r = ioctl_find(0x80045430);
    assert_string_equal(r->name, "TIOCGPTN");
    assert_null(ioctl_find(0));
    assert_null(ioctl_find(0x12345678));
}

static void test_classify(void **state)
{
    char path[64];
    static const struct {
        const char *path;
        enum proc_file file;
    } t[] = {
        {"/proc/self/exe", PROC_EXE},
        {"/proc/self/maps", PROC_MAPS},
        {"/proc/thread-self/stat", PROC_STAT},
        {"/proc/cpuinfo", PROC_CPUINFO},
        {"/proc/sys/kernel/arch", PROC_KERNEL_ARCH},
        {"/proc/sys/kernel/osrelease", PROC_KERNEL_RELEASE},
        /* Not ours, or not a process's. */
        {"/proc/self/comm", PROC_NONE},
        {"/proc/self/fd", PROC_NONE},
        {"/proc/self", PROC_NONE},
        {"/proc/self/", PROC_NONE},
        {"/proc/self/task/maps", PROC_NONE},
        {"/proc/self/net/stat", PROC_NONE},
        {"/proc/stat", PROC_NONE},
        {"/proc/selfish/maps", PROC_NONE},
        {"/proc/1/maps", PROC_NONE},
        {"/proc/0/maps", PROC_NONE},
        {"/proc/01/maps", PROC_NONE},
        {"/proc/99999999999999999999/maps", PROC_NONE},
        {"/proc/-1/maps", PROC_NONE},
        {"/proc/self/mapsx", PROC_NONE},
        {"/procself/maps", PROC_NONE},
        {"/process/maps", PROC_NONE},
        {"", PROC_NONE},
        {"maps", PROC_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (proc_classify(t[i].path) != t[i].file)
            fail_msg("%s", t[i].path);
    }
    snprintf(path, sizeof path, "/proc/%d/smaps", getpid());
    assert_int_equal(proc_classify(path), PROC_SMAPS);
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", getpid(), getpid());
    assert_int_equal(proc_classify(path), PROC_STATUS);
    snprintf(path, sizeof path, "/proc/self/task/%d/cmdline", getpid());
    assert_int_equal(proc_classify(path), PROC_CMDLINE);
    snprintf(path, sizeof path, "/proc/%d/maps", getppid());
    assert_int_equal(proc_classify(path), PROC_NONE);
}

static void test_limits(void **state)
{
    struct rlimit64 v;

    (void)state;
    /* Before sys_limit_init nothing is kept; what is not ours never is. */
    assert_false(sys_limit_get(RLIMIT_AS, &v));
    sys_limit_init();
    assert_true(sys_limit_get(RLIMIT_STACK, &v));
    assert_true(v.rlim_cur <= v.rlim_max);
    assert_false(sys_limit_get(RLIMIT_NOFILE, &v));
    assert_false(sys_limit_get(-1, &v));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_semid),
        cmocka_unit_test(test_ioctl),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
