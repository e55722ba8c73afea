/* File names below a sysroot. */
#include "tests/unit.h"

#include "syscall/sys_int.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/dragoman-path-XXXXXX"; /* the sysroot */
static char outside[64];                          /* a host directory that it has not */

static void put(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static void dir(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void ln(const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, name);
    assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    process.sysroot = root;
    dir("/usr");
    dir("/usr/bin");
    dir("/etc");
    dir("/etc/alternatives");
    dir("/proc");
    dir("/home");
    dir("/var");
    dir("/var/tmp");
    dir("/srv");
    dir("/srv/www");
    dir("/empty");
    put("/usr/bin/mawk");
    put("/usr/bin/sh");
    put("/etc/own");
    ln("usr/bin", "/bin");
    ln("/usr/bin", "/sbin");
    ln("/etc/alternatives/awk", "/usr/bin/awk");
    ln("/usr/bin/mawk", "/etc/alternatives/awk");
    ln("/etc/hostname-of-the-host", "/etc/elsewhere");
    ln("/proc/mounts", "/etc/mtab");
    ln("loop2", "/etc/loop1");
    ln("loop1", "/etc/loop2");
    ln("missing", "/etc/dangling");
    ln("../../../../etc/own", "/etc/up");
    ln("/etc", "/usr/etc-link");
    snprintf(outside, sizeof outside, "%s-out", root);
    assert_int_equal(mkdir(outside, 0755), 0);
    return 0;
}

static int teardown(void **state)
{
    char cmd[128];

    (void)state;
    assert_int_equal(chdir("/"), 0);
    snprintf(cmd, sizeof cmd, "rm -rf %s %s-out", root, root);
    return system(cmd);
}

static void below_at(int dirfd, const char *path, bool follow, const char *want)
{
    char buf[PATH_MAX], full[PATH_MAX];

    snprintf(full, sizeof full, "%s%s", root, want);
    assert_string_equal(sys_path(buf, dirfd, path, follow), full);
}

static void below(const char *path, bool follow, const char *want)
{
    below_at(AT_FDCWD, path, follow, want);
}

static void host(const char *path, const char *want)
{
    char buf[PATH_MAX];
    assert_string_equal(sys_path(buf, AT_FDCWD, path, true), want);
}

static void exists_below(void **state)
{
    (void)state;
    below("/usr/bin/sh", true, "/usr/bin/sh");
    below("/usr//bin/./sh", true, "/usr/bin/sh");
    below("/usr/bin/../bin/sh", true, "/usr/bin/sh");
    below("/", true, "");
    below("/usr", true, "/usr");
    below("/usr/", true, "/usr/");
    below("/bin/sh", true, "/usr/bin/sh");
    below("/../../etc/own", true, "/etc/own"); /* .. of the root is the root */
}

static void only_on_host(void **state)
{
    (void)state;
    host("/usr/bin/nothing", "/usr/bin/nothing");
    host("/bin/nothing", "/bin/nothing");
    host("/nowhere/at/all", "/nowhere/at/all");
    host("/etc/own/file", "/etc/own/file"); /* ENOTDIR is the kernel's to say */
    host("/etc/dangling", "/etc/dangling");
    host("", "");
    /* the host's own trees, though the sysroot has /proc too */
    host("/proc", "/proc");
    host("/proc/self/maps", "/proc/self/maps");
    host("/dev/null", "/dev/null");
    host("/tmp", "/tmp");
    /* and what is empty below it, of what packages leave empty */
    host("/home", "/home");
    host("/home/", "/home/");
    host("/var/tmp", "/var/tmp");
    below("/srv", true, "/srv");
    below("/srv/", true, "/srv/");
    below("/empty", true, "/empty");
}

static void links(void **state)
{
    (void)state;
    below("/usr/bin/awk", true, "/usr/bin/mawk");
    below("/etc/alternatives/awk", true, "/usr/bin/mawk");
    below("/sbin/awk", true, "/usr/bin/mawk");
    below("/sbin/sh", true, "/usr/bin/sh");
    below("/etc/up", true, "/etc/own");
    below("/usr/etc-link/alternatives/awk", true, "/usr/bin/mawk");
    /* the link itself */
    below("/usr/bin/awk", false, "/usr/bin/awk");
    below("/sbin", false, "/sbin");
    below("/sbin/awk", false, "/usr/bin/awk");
    below("/etc/dangling", false, "/etc/dangling");
    /* a slash after it follows it all the same */
    below("/sbin/", false, "/usr/bin/");
    /* absolute links to what only the host has */
    host("/etc/elsewhere", "/etc/hostname-of-the-host");
    host("/etc/mtab", "/proc/mounts");
    host("/usr/etc-link/mtab", "/proc/mounts");
}

static void loops_end(void **state)
{
    char buf[PATH_MAX];

    (void)state;
    const char *p = sys_path(buf, AT_FDCWD, "/etc/loop1", true);
    assert_int_equal(open(p, O_RDONLY), -1);
    assert_int_equal(errno, ELOOP);
}

static void relative(void **state)
{
    char buf[PATH_MAX];

    (void)state;
    /* out of the sysroot: untouched */
    assert_int_equal(chdir(outside), 0);
    const char *name = "usr/bin/awk";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    /* below it: only an absolute link changes something */
    assert_int_equal(chdir(root), 0);
    below("usr/bin/awk", true, "/usr/bin/mawk");
    name = "usr/bin/sh";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    name = "usr/new-file";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    name = "../";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    assert_int_equal(chdir(outside), 0);
    int fd = open(root, O_PATH | O_DIRECTORY);
    below_at(fd, "etc/alternatives/awk", true, "/usr/bin/mawk");
    close(fd);
    /* the sysroot's name is a prefix of its neighbour's, which is none of ours */
    char sibling[128];
    snprintf(sibling, sizeof sibling, "%s/awk", outside);
    assert_int_equal(symlink("/usr/bin/mawk", sibling), 0);
    name = "awk";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
}

static void long_names(void **state)
{
    static char name[PATH_MAX * 2];
    char buf[PATH_MAX];

    (void)state;
    for (size_t n = PATH_MAX - 300; n < PATH_MAX + 300; n++) {
        memset(name, 'a', n);
        memcpy(name, "/bin/", 5);
        for (size_t i = 200; i < n; i += 200)
            name[i] = '/';
        name[n] = 0;
        assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
        memset(name, '/', n);
        memcpy(name, "/bin", 4);
        memcpy(name + n - 2, "sh", 2);
        const char *p = sys_path(buf, AT_FDCWD, name, true);
        if (p != name)
            assert_string_equal(p + strlen(root), "/usr/bin/sh");
        else
            assert_true(n >= PATH_MAX - 16); /* /bin became /usr/bin */
    }
}

static void no_sysroot(void **state)
{
    char buf[PATH_MAX];
    const char *name = "/usr/bin/awk";

    (void)state;
    process.sysroot = NULL;
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    process.sysroot = "/";
    assert_ptr_equal(sys_path(buf, AT_FDCWD, name, true), name);
    process.sysroot = root;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exists_below), cmocka_unit_test(only_on_host),
        cmocka_unit_test(links),        cmocka_unit_test(loops_end),
        cmocka_unit_test(relative),     cmocka_unit_test(long_names),
        cmocka_unit_test(no_sysroot),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
