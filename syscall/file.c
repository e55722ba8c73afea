/* Calls on files that cannot go to the host as they are.
 *
 * Owns: opening, links, stat in the guest's layout, what /proc/self/exe stands for, open()'s flags.
 *
 * Threading: reentrant.
 */
#include "syscall/guest_abi.h"
#include "syscall/sys_int.h"
#include "syscall/tracee.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

/* Passed on as they are. */
_Static_assert(sizeof(struct statfs) == 120 && offsetof(struct statfs, f_blocks) == 16 &&
                   offsetof(struct statfs, f_fsid) == 56 &&
                   offsetof(struct statfs, f_namelen) == 64 &&
                   offsetof(struct statfs, f_flags) == 80,
               "asm-generic struct statfs");
_Static_assert(sizeof(struct statx) == 256 && offsetof(struct statx, stx_mode) == 28 &&
                   offsetof(struct statx, stx_atime) == 64,
               "struct statx is one for all");
_Static_assert(sizeof(struct timespec) == 16 && sizeof(struct iovec) == 16, "64-bit words");

/* O_PATH, O_CLOEXEC and the rest are the same everywhere; only the bits in the guest's list move. */
static uint32_t map_flags(const struct guest_flagmap *m, uint32_t flags, bool to_host)
{
    uint32_t out = flags;

    if (!m)
        return flags;
    for (const struct guest_flagmap *e = m; e->guest; e++)
        out &= ~(to_host ? e->guest : e->host);
    for (; m->guest; m++)
        if (flags & (to_host ? m->guest : m->host))
            out |= to_host ? m->host : m->guest;
    return out;
}

uint32_t sys_open_flags_to_host(const struct guest *g, uint32_t flags)
{
    return map_flags(g->open_flags, flags, true);
}

uint32_t sys_open_flags_to_guest(const struct guest *g, uint32_t flags)
{
    return map_flags(g->open_flags, flags, false);
}

/* A debugger writes to another process through its /proc/PID/mem, to code too, of which that process's VM has to be told. So
 * once a file of such a name has been opened for writing, writes look where they go. */
static bool memory_opened;

static void note_memory(const char *path, uint64_t flags)
{
    const char *slash = strrchr(path, '/');
    if ((flags & O_ACCMODE) != O_RDONLY && !strcmp(slash ? slash + 1 : path, "mem"))
        __atomic_store_n(&memory_opened, true, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void wrote_memory(int fd, uint64_t addr, uint64_t len)
{
    char link[32], name[64];
    int pid, tid, end = 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof(name) - 1);
    if (n <= 0)
        return;
    name[n] = 0;
    if ((sscanf(name, "/proc/%d/mem%n", &pid, &end) != 1 || end != n) &&
        (sscanf(name, "/proc/%d/task/%d/mem%n", &pid, &tid, &end) != 2 || end != n))
        return;
    tracee_lock();
    tracee_wrote(pid, addr, len);
    tracee_unlock();
}

int64_t sys_write(struct thread *t, const uint64_t *a)
{
    int64_t ret = sig_syscall(t, SYS_write, a[0], a[1], a[2], 0, 0, 0);
    if (__builtin_expect(memory_opened, 0) && ret > 0)
        wrote_memory((int)a[0],
                     (uint64_t)host_call(SYS_lseek, a[0], 0, SEEK_CUR, 0, 0, 0) - (uint64_t)ret,
                     (uint64_t)ret);
    return ret;
}

int64_t sys_pwrite64(struct thread *t, const uint64_t *a)
{
    int64_t ret = sig_syscall(t, SYS_pwrite64, a[0], a[1], a[2], a[3], 0, 0);
    if (__builtin_expect(memory_opened, 0) && ret > 0)
        wrote_memory((int)a[0], a[3], (uint64_t)ret);
    return ret;
}

static int64_t open_path(struct thread *t, int dirfd, const char *path, struct open_how *how,
                         size_t size)
{
    char buf[PATH_MAX];
    bool follow =
        !(how->flags & O_NOFOLLOW) && (how->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);

    if (!(how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)))
        path = sys_path(buf, dirfd, path, follow);
    note_memory(path, how->flags);
    int fd = sys_proc_open(t, dirfd, path, how->flags);
    if (fd != SYS_PROC_NOT_OURS)
        return fd;
    if (size)
        return sig_syscall(t, SYS_openat2, dirfd, (uintptr_t)path, (uintptr_t)how, size, 0, 0);
    return sig_syscall(t, SYS_openat, dirfd, (uintptr_t)path, how->flags, how->mode, 0, 0);
}

int64_t sys_openat(struct thread *t, const uint64_t *a)
{
    struct open_how how = {.flags = sys_open_flags_to_host(t->cpu.guest, a[2]), .mode = a[3]};

    if (!a[1])
        return -EFAULT;
    return open_path(t, a[0], (const char *)(uintptr_t)a[1], &how, 0);
}

int64_t sys_openat2(struct thread *t, const uint64_t *a)
{
    /* More than we know: the kernel wants zeros there, or knows better. */
    union {
        struct open_how how;
        unsigned char bytes[4096];
    } u;
    uint64_t size = a[3];
    uint32_t low;

    if (size < sizeof u.how)
        return -EINVAL;
    if (size > sizeof u)
        return -E2BIG;
    if (mm_read(&u, a[2], size))
        return -EFAULT;
    if (!a[1])
        return -EFAULT;
    low = sys_open_flags_to_host(t->cpu.guest, u.how.flags);
    u.how.flags = (u.how.flags & ~(uint64_t)UINT32_MAX) | low;
    return open_path(t, a[0], (const char *)(uintptr_t)a[1], &u.how, size);
}

int64_t sys_open_by_handle_at(struct thread *t, const uint64_t *a)
{
    return sig_syscall(t, SYS_open_by_handle_at, a[0], a[1],
                       sys_open_flags_to_host(t->cpu.guest, a[2]), 0, 0, 0);
}

int64_t sys_fanotify_init(struct thread *t, const uint64_t *a)
{
    return sig_syscall(t, SYS_fanotify_init, a[0], sys_open_flags_to_host(t->cpu.guest, a[1]), 0, 0,
                       0, 0);
}

int64_t sys_readlinkat(struct thread *t, const uint64_t *a)
{
    const char *path = (const char *)(uintptr_t)a[1];
    char buf[PATH_MAX];

    if ((int)a[3] <= 0)
        return -EINVAL;
    if (path) {
        size_t size = (int)a[3] < PATH_MAX ? (int)a[3] : PATH_MAX;
        ssize_t n = sys_proc_readlink(t, a[0], path, buf, size);
        if (n >= 0)
            return mm_write(a[2], buf, n) ? -EFAULT : n;
        if (n != SYS_PROC_NOT_OURS)
            return n;
    }
    return sig_syscall(t, SYS_readlinkat, a[0], a[1], a[2], a[3], 0, 0);
}

/* The name to look at for one that may lead through /proc/self/exe to us instead of the guest; buf has
 * PATH_MAX bytes. */
static const char *through_exe(char *buf, int dirfd, uint64_t path, bool follow)
{
    const char *name = (const char *)(uintptr_t)path;

    return name && *name && follow && sys_proc_exe(dirfd, name, buf) ? buf : name;
}

static int64_t put_stat(uint64_t addr, const struct stat *st)
{
    struct guest_stat g = {
        .st_dev = st->st_dev,
        .st_ino = st->st_ino,
        .st_mode = st->st_mode,
        .st_nlink = st->st_nlink,
        .st_uid = st->st_uid,
        .st_gid = st->st_gid,
        .st_rdev = st->st_rdev,
        .st_size = st->st_size,
        .st_blksize = st->st_blksize,
        .st_blocks = st->st_blocks,
        .st_atime_sec = st->st_atim.tv_sec,
        .st_atime_nsec = st->st_atim.tv_nsec,
        .st_mtime_sec = st->st_mtim.tv_sec,
        .st_mtime_nsec = st->st_mtim.tv_nsec,
        .st_ctime_sec = st->st_ctim.tv_sec,
        .st_ctime_nsec = st->st_ctim.tv_nsec,
    };
    return mm_write(addr, &g, sizeof g);
}

int64_t sys_newfstatat(struct thread *t, const uint64_t *a)
{
    char buf[PATH_MAX];
    const char *path = through_exe(buf, a[0], a[1], !(a[3] & AT_SYMLINK_NOFOLLOW));
    struct stat st;
    int64_t ret = sig_syscall(t, SYS_newfstatat, a[0], (uintptr_t)path, (uintptr_t)&st, a[3], 0, 0);

    return ret < 0 ? ret : put_stat(a[2], &st);
}

int64_t sys_fstat(struct thread *t, const uint64_t *a)
{
    struct stat st;
    int64_t ret = sig_syscall(t, SYS_fstat, a[0], (uintptr_t)&st, 0, 0, 0, 0);

    return ret < 0 ? ret : put_stat(a[1], &st);
}

int64_t sys_statx(struct thread *t, const uint64_t *a)
{
    char buf[PATH_MAX];
    const char *path = through_exe(buf, a[0], a[1], !(a[2] & AT_SYMLINK_NOFOLLOW));

    return sig_syscall(t, SYS_statx, a[0], (uintptr_t)path, a[2], a[3], a[4], 0);
}

int64_t sys_renameat(struct thread *t, const uint64_t *a)
{
    return sig_syscall(t, SYS_renameat, a[0], a[1], a[2], a[3], 0, 0);
}

/* linux/xattr.h since 6.13 */
struct xattr_args_v0 {
    uint64_t value;
    uint32_t size, flags;
};

/* The argument block names memory of its own; a copy with that checked goes to the kernel, along with
 * what of the block we do not know. */
static int64_t xattrat(struct thread *t, const uint64_t *a, long nr, bool out)
{
    union {
        struct xattr_args_v0 args;
        unsigned char bytes[4096];
    } u;

    if (a[5] < sizeof u.args)
        return -EINVAL;
    if (a[5] > sizeof u)
        return -E2BIG;
    if (mm_read(&u, a[4], a[5]))
        return -EFAULT;
    u.args.value = out ? sys_out(u.args.value, u.args.size) : sys_in(u.args.value, u.args.size);
    return sig_syscall(t, nr, a[0], a[1], a[2], a[3], (uintptr_t)&u, a[5]);
}

int64_t sys_setxattrat(struct thread *t, const uint64_t *a)
{
    return xattrat(t, a, SYS_setxattrat, false);
}

int64_t sys_getxattrat(struct thread *t, const uint64_t *a)
{
    return xattrat(t, a, SYS_getxattrat, true);
}
