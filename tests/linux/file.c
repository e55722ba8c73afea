/* Files by name: opening, making, linking, renaming, removing, looking at, times, modes, attributes,
 * directories. Runs in an empty directory that is the current one. */
#define _GNU_SOURCE
#include "syscall/host_nr.h"
#include "tests/linux/expect.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static void put(const char *name, const char *text)
{
    int fd = EXPECT_OK(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    EXPECT_EQ(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void opening(void)
{
    char buf[64];
    int fd;

    umask(022);
    fd = EXPECT_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
    EXPECT_ERR(open("f", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
    EXPECT_EQ(write(fd, "hello", 5), 5);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 5);
    EXPECT_EQ(lseek(fd, -2, SEEK_END), 3);
    EXPECT_EQ(read(fd, buf, sizeof buf), 2);
    EXPECT_EQ(memcmp(buf, "lo", 2), 0);
    EXPECT_EQ(read(fd, buf, sizeof buf), 0);
    EXPECT_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    EXPECT_ERR(lseek(fd, 0, 99), EINVAL);
    close(fd);
    EXPECT_ERR(read(fd, buf, 1), EBADF);
    fd = EXPECT_OK(open("f", O_WRONLY | O_APPEND));
    EXPECT_ERR(read(fd, buf, 1), EBADF);
    EXPECT_EQ(write(fd, "!", 1), 1);
    EXPECT_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
    close(fd);
    fd = EXPECT_OK(open("f", O_RDONLY));
    EXPECT_EQ(read(fd, buf, sizeof buf), 6);
    EXPECT_ERR(write(fd, buf, 1), EBADF);
    close(fd);
    fd = EXPECT_OK(open("f", O_WRONLY | O_TRUNC));
    EXPECT_EQ(lseek(fd, 0, SEEK_END), 0);
    close(fd);
    EXPECT_ERR(open("nothing", O_RDONLY), ENOENT);
    EXPECT_ERR(open("f/x", O_RDONLY), ENOTDIR);
    EXPECT_ERR(open("", O_RDONLY), ENOENT);
    EXPECT_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    EXPECT_ERR(open(".", O_RDWR), EISDIR);
    EXPECT_ERR(open(BAD, O_RDONLY), EFAULT);
    EXPECT_ERR(openat(99, "f", O_RDONLY), EBADF);
    char *long_name = malloc(5000);
    memset(long_name, 'a', 5000);
    long_name[300] = 0;
    EXPECT_ERR(open(long_name, O_RDONLY), ENAMETOOLONG);
    long_name[300] = 'a';
    long_name[4999] = 0;
    EXPECT_ERR(open(long_name, O_RDONLY), ENAMETOOLONG);
    free(long_name);
    /* O_PATH, O_NOFOLLOW, O_TMPFILE */
    EXPECT_OK(symlink("f", "link"));
    EXPECT_ERR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    fd = EXPECT_OK(open("link", O_PATH | O_NOFOLLOW));
    EXPECT_ERR(read(fd, buf, 1), EBADF);
    EXPECT_EQ(readlinkat(fd, "", buf, sizeof buf), 1);
    close(fd);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd >= 0) {
        struct stat st;
        EXPECT_OK(fstat(fd, &st));
        EXPECT_EQ(st.st_nlink, 0);
        close(fd);
    } else {
        EXPECT_EQ(errno, EOPNOTSUPP);
    }
    fd = EXPECT_OK(creat("c", 0600));
    close(fd);
    EXPECT_OK(unlink("c"));
    EXPECT_OK(unlink("link"));
    verified("open");
}

static void opening2(void)
{
    struct open_how how = {.flags = O_RDONLY};
    int fd = EXPECT_OK(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how));
    char big[sizeof how + 8] = {0};

    close(fd);
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", &how, 8), EINVAL);
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", &how, 5000), E2BIG);
    memcpy(big, &how, sizeof how);
    fd = EXPECT_OK(syscall(SYS_openat2, AT_FDCWD, "f", big, sizeof big));
    close(fd);
    big[sizeof how] = 1;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", big, sizeof big), E2BIG);
    how.mode = 0644;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EINVAL);
    how.mode = 0;
    how.flags = UINT64_C(1) << 40;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EINVAL);
    how.flags = O_RDONLY;
    how.resolve = RESOLVE_BENEATH;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "/etc", &how, sizeof how), EXDEV);
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "..", &how, sizeof how), EXDEV);
    how.resolve = RESOLVE_IN_ROOT;
    fd = EXPECT_OK(syscall(SYS_openat2, AT_FDCWD, "/f", &how, sizeof how));
    close(fd);
    EXPECT_OK(symlink("f", "link"));
    how.resolve = RESOLVE_NO_SYMLINKS;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "link", &how, sizeof how), ELOOP);
    how.resolve = 1 << 20;
    EXPECT_ERR(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EINVAL);
    EXPECT_OK(unlink("link"));
    verified("openat2");
}

static void looking(void)
{
    struct stat st, st2;
    struct statx stx;
    struct statfs fs;

    put("s", "0123456789");
    EXPECT_OK(chmod("s", 0640));
    EXPECT_OK(stat("s", &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0640);
    EXPECT_EQ(st.st_size, 10);
    EXPECT_EQ(st.st_nlink, 1);
    EXPECT_EQ(st.st_uid, geteuid());
    EXPECT(st.st_ino != 0 && st.st_dev != 0);
    EXPECT_EQ(st.st_blksize, 4096);
    EXPECT(st.st_mtim.tv_sec > 1600000000 && st.st_mtim.tv_sec <= time(NULL) + 1);
    EXPECT(st.st_mtim.tv_nsec >= 0 && st.st_mtim.tv_nsec < 1000000000);
    int fd = EXPECT_OK(open("s", O_RDONLY));
    EXPECT_OK(fstat(fd, &st2));
    EXPECT_EQ(memcmp(&st, &st2, sizeof st), 0);
    EXPECT_OK(fstatat(fd, "", &st2, AT_EMPTY_PATH));
    EXPECT_EQ(memcmp(&st, &st2, sizeof st), 0);
    EXPECT_OK(statx(AT_FDCWD, "s", 0, STATX_BASIC_STATS, &stx));
    EXPECT_EQ(stx.stx_size, 10);
    EXPECT_EQ(stx.stx_mode, S_IFREG | 0640);
    EXPECT_EQ(stx.stx_ino, st.st_ino);
    EXPECT_EQ(makedev(stx.stx_dev_major, stx.stx_dev_minor), st.st_dev);
    EXPECT_EQ(stx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
    EXPECT_ERR(statx(AT_FDCWD, "s", 0x80000, 0, &stx), EINVAL);
    EXPECT_OK(stat("/dev/null", &st));
    EXPECT_EQ(st.st_mode & S_IFMT, S_IFCHR);
    EXPECT_EQ(st.st_rdev, makedev(1, 3));
    EXPECT_OK(symlink("s", "sl"));
    EXPECT_OK(lstat("sl", &st));
    EXPECT_EQ(st.st_mode & S_IFMT, S_IFLNK);
    EXPECT_EQ(st.st_size, 1);
    EXPECT_OK(stat("sl", &st));
    EXPECT_EQ(st.st_size, 10);
    EXPECT_ERR(stat("nothing", &st), ENOENT);
    EXPECT_ERR(syscall(SYS_newfstatat, AT_FDCWD, "s", BAD, 0), EFAULT);
    EXPECT_ERR(syscall(SYS_newfstatat, AT_FDCWD, BAD, &st, 0), EFAULT);
    EXPECT_ERR(syscall(SYS_newfstatat, AT_FDCWD, "s", &st, 0x10000000), EINVAL);
    EXPECT_OK(statfs(".", &fs));
    EXPECT(fs.f_bsize > 0 && fs.f_blocks >= fs.f_bfree && fs.f_namelen >= 255);
    EXPECT_OK(statfs("/proc", &fs));
    EXPECT_EQ(fs.f_type, 0x9fa0);
    EXPECT_OK(fstatfs(fd, &fs));
    EXPECT_OK(access("s", R_OK));
    EXPECT_ERR(access("nothing", F_OK), ENOENT);
    EXPECT_ERR(access("s", 8), EINVAL);
    EXPECT_OK(syscall(SYS_faccessat2, AT_FDCWD, "s", R_OK, AT_EACCESS));
    EXPECT_OK(syscall(SYS_faccessat2, AT_FDCWD, "sl", F_OK, AT_SYMLINK_NOFOLLOW));
    EXPECT_ERR(syscall(SYS_faccessat2, AT_FDCWD, "s", R_OK, 1 << 20), EINVAL);
    close(fd);
    EXPECT_OK(unlink("sl"));
    verified("stat, statx, statfs, access");
}

static void names(void)
{
    struct stat st;
    char buf[PATH_MAX];

    put("a", "a");
    EXPECT_OK(link("a", "b"));
    EXPECT_OK(stat("a", &st));
    EXPECT_EQ(st.st_nlink, 2);
    EXPECT_ERR(link("a", "b"), EEXIST);
    EXPECT_OK(symlink("a", "sl"));
    EXPECT_OK(linkat(AT_FDCWD, "sl", AT_FDCWD, "hard-sl", 0));
    EXPECT_OK(lstat("hard-sl", &st));
    EXPECT_EQ(st.st_mode & S_IFMT, S_IFLNK);
    EXPECT_OK(linkat(AT_FDCWD, "sl", AT_FDCWD, "hard-a", AT_SYMLINK_FOLLOW));
    EXPECT_OK(lstat("hard-a", &st));
    EXPECT_EQ(st.st_nlink, 3);
    EXPECT_EQ(readlink("sl", buf, sizeof buf), 1);
    EXPECT_EQ(buf[0], 'a');
    EXPECT_OK(symlink("a/long/target", "sl2"));
    EXPECT_EQ(readlink("sl2", buf, 3), 3); /* cut off, no NUL */
    EXPECT_EQ(memcmp(buf, "a/l", 3), 0);
    EXPECT_ERR(readlink("a", buf, sizeof buf), EINVAL);
    EXPECT_ERR(syscall(SYS_readlinkat, AT_FDCWD, "sl", buf, 0), EINVAL);
    EXPECT_ERR(syscall(SYS_readlinkat, AT_FDCWD, "sl", buf, -1), EINVAL);
    EXPECT_ERR(symlink("x", "sl"), EEXIST);
    EXPECT_ERR(symlink("", "empty"), ENOENT);
    EXPECT_OK(rename("b", "c"));
    EXPECT_ERR(stat("b", &st), ENOENT);
    put("d", "d");
    EXPECT_ERR(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "d", RENAME_NOREPLACE), EEXIST);
    EXPECT_OK(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "d", RENAME_EXCHANGE));
    EXPECT_OK(stat("c", &st));
    EXPECT_EQ(st.st_nlink, 1);
    EXPECT_ERR(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "d", 99), EINVAL);
    EXPECT_OK(mkdir("dir", 0755));
    EXPECT_ERR(mkdir("dir", 0755), EEXIST);
    EXPECT_ERR(unlink("dir"), EISDIR);
    put("dir/x", "");
    EXPECT_ERR(rmdir("dir"), ENOTEMPTY);
    EXPECT_OK(unlinkat(AT_FDCWD, "dir/x", 0));
    EXPECT_OK(unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
    EXPECT_ERR(unlink("dir"), ENOENT);
    EXPECT_OK(mkfifo("fifo", 0600));
    EXPECT_OK(stat("fifo", &st));
    EXPECT_EQ(st.st_mode, S_IFIFO | 0600);
    EXPECT_OK(mknod("node", S_IFREG | 0600, 0));
    const char *const all[] = {"a", "c", "d", "sl", "sl2", "hard-sl", "hard-a", "fifo", "node"};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        EXPECT_OK(unlink(all[i]));
    verified("link, symlink, rename, mkdir, unlink, mknod");
}

static void changing(void)
{
    struct stat st;
    struct timespec ts[2] = {{1000000000, 123456789}, {1100000000, 987654321}};

    put("m", "0123456789");
    EXPECT_OK(chmod("m", 04711));
    EXPECT_OK(stat("m", &st));
    EXPECT_EQ(st.st_mode & 07777, 04711);
    int fd = EXPECT_OK(open("m", O_RDWR));
    EXPECT_OK(fchmod(fd, 0600));
    EXPECT_OK(fchmodat(AT_FDCWD, "m", 0640, 0));
    long ret = syscall(SYS_fchmodat2, AT_FDCWD, "m", 0644, 0);
    EXPECT(ret == 0 || errno == ENOSYS);
    EXPECT_OK(chown("m", geteuid(), getegid()));
    EXPECT_OK(lchown("m", -1, -1));
    EXPECT_OK(fchown(fd, -1, -1));
    EXPECT_OK(utimensat(AT_FDCWD, "m", ts, 0));
    EXPECT_OK(stat("m", &st));
    EXPECT_EQ(st.st_atim.tv_sec, 1000000000);
    EXPECT_EQ(st.st_atim.tv_nsec, 123456789);
    EXPECT_EQ(st.st_mtim.tv_sec, 1100000000);
    EXPECT_EQ(st.st_mtim.tv_nsec, 987654321);
    ts[0].tv_nsec = UTIME_OMIT;
    ts[1].tv_nsec = UTIME_NOW;
    EXPECT_OK(futimens(fd, ts));
    EXPECT_OK(stat("m", &st));
    EXPECT_EQ(st.st_atim.tv_sec, 1000000000);
    EXPECT(st.st_mtim.tv_sec > 1600000000);
    ts[0].tv_nsec = 2000000000;
    EXPECT_ERR(utimensat(AT_FDCWD, "m", ts, 0), EINVAL);
    EXPECT_OK(utimensat(AT_FDCWD, "m", NULL, 0));
    EXPECT_OK(truncate("m", 4));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 4);
    EXPECT_OK(ftruncate(fd, 100000));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 100000);
    EXPECT_ERR(ftruncate(fd, -1), EINVAL);
    EXPECT_OK(fallocate(fd, 0, 0, 200000));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 200000);
    EXPECT(st.st_blocks >= 200000 / 512);
    EXPECT_ERR(fallocate(fd, 0, -1, 10), EINVAL);
    EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    EXPECT_EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
    EXPECT_OK(readahead(fd, 0, 4096));
    EXPECT_OK(fsync(fd));
    EXPECT_OK(fdatasync(fd));
    EXPECT_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    EXPECT_OK(syncfs(fd));
    close(fd);
    EXPECT_EQ(umask(077), 022);
    EXPECT_EQ(umask(022), 077);
    EXPECT_OK(unlink("m"));
    verified("chmod, chown, times, truncate, fallocate, sync");
}

static void attributes(void)
{
    char buf[256];

    put("x", "");
    if (setxattr("x", "user.one", "value", 5, 0) == -1 && errno == EOPNOTSUPP) {
        verified("extended attributes (none on this file system)");
        return;
    }
    EXPECT_EQ(getxattr("x", "user.one", buf, sizeof buf), 5);
    EXPECT_EQ(memcmp(buf, "value", 5), 0);
    EXPECT_EQ(getxattr("x", "user.one", NULL, 0), 5);
    EXPECT_ERR(getxattr("x", "user.one", buf, 2), ERANGE);
    EXPECT_ERR(getxattr("x", "user.two", buf, 2), ENODATA);
    EXPECT_ERR(setxattr("x", "user.one", "v", 1, XATTR_CREATE), EEXIST);
    EXPECT_ERR(setxattr("x", "user.two", "v", 1, XATTR_REPLACE), ENODATA);
    int fd = EXPECT_OK(open("x", O_RDWR));
    EXPECT_OK(fsetxattr(fd, "user.two", "2", 1, 0));
    EXPECT(flistxattr(fd, buf, sizeof buf) >= 18);
    EXPECT_EQ(fgetxattr(fd, "user.two", buf, sizeof buf), 1);
    EXPECT(llistxattr("x", buf, sizeof buf) >= 18);
    EXPECT_OK(removexattr("x", "user.one"));
    EXPECT_OK(fremovexattr(fd, "user.two"));
    struct {
        uint64_t value;
        uint32_t size, flags;
    } args = {(uintptr_t) "at", 2, 0};
    long ret = syscall(SYS_setxattrat, AT_FDCWD, "x", 0, "user.at", &args, sizeof args);
    EXPECT(ret == 0 || errno == ENOSYS);
    if (ret == 0) {
        args.value = (uintptr_t)buf;
        args.size = sizeof buf;
        EXPECT_EQ(syscall(SYS_getxattrat, AT_FDCWD, "x", 0, "user.at", &args, sizeof args), 2);
        EXPECT_EQ(memcmp(buf, "at", 2), 0);
        args.value = (uintptr_t)KERNEL;
        EXPECT_ERR(syscall(SYS_getxattrat, AT_FDCWD, "x", 0, "user.at", &args, sizeof args),
                   EFAULT);
    }
    close(fd);
    EXPECT_OK(unlink("x"));
    verified("extended attributes");
}

static void directories(void)
{
    char cwd[PATH_MAX], buf[PATH_MAX];
    char seen[300] = {0};
    unsigned n = 0;

    EXPECT(getcwd(cwd, sizeof cwd) != NULL);
    EXPECT_ERR(syscall(SYS_getcwd, buf, 1), ERANGE);
    EXPECT_EQ(syscall(SYS_getcwd, buf, sizeof buf), strlen(cwd) + 1);
    EXPECT_OK(mkdir("d", 0755));
    EXPECT_OK(chdir("d"));
    EXPECT(getcwd(buf, sizeof buf) != NULL);
    EXPECT_EQ(strncmp(buf, cwd, strlen(cwd)), 0);
    EXPECT_EQ(strcmp(buf + strlen(cwd), "/d"), 0);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%d", i);
        put(name, "");
    }
    DIR *dir = opendir(".");
    EXPECT(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        int i;
        n++;
        if (sscanf(e->d_name, "entry-%d", &i) == 1) {
            EXPECT(i >= 0 && i < 300 && !seen[i]);
            EXPECT(e->d_type == DT_REG || e->d_type == DT_UNKNOWN);
            seen[i] = 1;
        }
    }
    EXPECT_EQ(n, 302);
    rewinddir(dir);
    EXPECT(readdir(dir) != NULL);
    EXPECT_OK(fchdir(dirfd(dir)));
    closedir(dir);
    int fd = EXPECT_OK(open(".", O_RDONLY | O_DIRECTORY));
    EXPECT_ERR(syscall(SYS_getdents64, fd, buf, 4), EINVAL);
    EXPECT(syscall(SYS_getdents64, fd, buf, sizeof buf) > 0);
    int in = EXPECT_OK(openat(fd, "entry-7", O_RDONLY));
    EXPECT_ERR(syscall(SYS_getdents64, in, buf, sizeof buf), ENOTDIR);
    EXPECT_ERR(fchdir(in), ENOTDIR);
    close(in);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%d", i);
        EXPECT_OK(unlinkat(fd, name, 0));
    }
    close(fd);
    EXPECT_OK(chdir(cwd));
    EXPECT_OK(rmdir("d"));
    EXPECT_ERR(chdir("d"), ENOENT);
    verified("getcwd, chdir, getdents64");
}

int main(void)
{
    opening();
    opening2();
    looking();
    names();
    changing();
    attributes();
    directories();
    return 0;
}
