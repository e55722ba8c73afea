/* Guest file names to host file names: the sysroot of -L.
 *
 * An absolute name that exists below the sysroot is taken from there, any other from the host. Names are
 * resolved a component at a time, so that an absolute symbolic link below the sysroot leads to what
 * its target is under the same rule: /etc/alternatives/awk -> /usr/bin/mawk finds the sysroot's
 * mawk, /etc/mtab -> /proc/mounts the host's. A relative name is the host's business unless its
 * directory lies below the sysroot and an absolute link comes in the way.
 *
 * /proc, /sys, /dev and /tmp are the host's always: below a sysroot they are empty mount points. So are
 * those of the other directories that Debian's base-files leaves empty, for as long as they are: the
 * user's home is the host's.
 *
 * Nothing is cached: each component costs a readlink. Without a sysroot nothing is done at all. But for
 * the directories just named no descriptor is opened, since another thread could see it, or fork with it.
 *
 * Threading: reentrant. As with any name, somebody may rename what was just looked at.
 */
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define LINKS_MAX 40 /* MAXSYMLINKS of the kernel */

struct walk {
    char out[PATH_MAX];  /* below the sysroot, no links in it */
    size_t len;          /* of out */
    size_t root_len;     /* of the sysroot's own name at its start */
    char rest[PATH_MAX]; /* what is still to be resolved */
    bool rooted;         /* the name, or a link that it led to, is absolute */
    bool linked;         /* an absolute link was followed */
};

enum walk_result { WALK_EXISTS, WALK_MISSING, WALK_NATURAL };

static bool is_below(const char *path, const char *dir, size_t len)
{
    return !strncmp(path, dir, len) && (path[len] == '/' || path[len] == 0);
}

static bool is_host_tree(const char *path)
{
    static const char *const trees[] = {"/proc", "/sys", "/dev", "/tmp"};

    for (unsigned i = 0; i < sizeof trees / sizeof *trees; i++)
        if (is_below(path, trees[i], strlen(trees[i])))
            return true;
    return false;
}

/* Is w->out one of the directories that packages leave empty, and nothing was put there? */
static bool is_left_empty(const struct walk *w)
{
    static const char *const names[] = {"/boot", "/home", "/media", "/mnt",    "/opt",
                                        "/root", "/run",  "/srv",   "/var/tmp"};
    const char *name = w->out + w->root_len;
    _Alignas(8) char entries[256];
    bool empty = true;

    for (unsigned i = 0;; i++) {
        if (i == sizeof names / sizeof *names)
            return false;
        size_t n = strlen(names[i]);
        if (is_below(name, names[i], n) && (name[n] == 0 || name[n + 1] == 0))
            break;
    }
    int64_t fd =
        host_call(SYS_open, (uintptr_t)w->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0, 0);
    if (fd < 0)
        return false;
    for (;;) {
        int64_t n = host_call(SYS_getdents64, fd, (uintptr_t)entries, sizeof entries, 0, 0, 0);
        if (n <= 0)
            break;
        for (int64_t at = 0; at < n; at += *(unsigned short *)(entries + at + 16)) {
            const char *entry = entries + at + 19; /* struct linux_dirent64: d_name */
            if (strcmp(entry, ".") && strcmp(entry, ".."))
                empty = false;
        }
    }
    host_call(SYS_close, fd, 0, 0, 0, 0, 0);
    return empty;
}

static size_t sysroot_len(void)
{
    size_t n = strlen(process.sysroot);

    while (n > 0 && process.sysroot[n - 1] == '/')
        n--;
    return n;
}

/* Resolve w->rest from w->out on. MISSING: out is what exists, rest what does not. NATURAL: this is
 * not ours to judge. */
static enum walk_result walk(struct walk *w, bool follow)
{
    char link[PATH_MAX];
    int links = 0;

    for (;;) {
        char *p = w->rest;
        while (*p == '/')
            p++;
        if (*p == 0)
            return WALK_EXISTS;
        size_t n = strcspn(p, "/");
        const char *tail = p + n;
        bool slash = *tail == '/';
        bool last = tail[strspn(tail, "/")] == 0;

        if (n == 1 && p[0] == '.') {
            memmove(w->rest, tail, strlen(tail) + 1);
            continue;
        }
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            if (w->len > w->root_len) {
                while (w->out[w->len - 1] != '/')
                    w->len--;
                w->out[--w->len] = 0;
            } else if (!w->rooted) {
                return WALK_NATURAL; /* leaves the sysroot: fine for a relative name */
            }
            memmove(w->rest, tail, strlen(tail) + 1);
            continue;
        }
        if (w->len + 1 + n + 1 >= sizeof w->out)
            return WALK_NATURAL; /* ENAMETOOLONG: the kernel says so */
        size_t before = w->len;
        w->out[w->len++] = '/';
        memcpy(w->out + w->len, p, n);
        w->len += n;
        w->out[w->len] = 0;

        int64_t got =
            host_call(SYS_readlink, (uintptr_t)w->out, (uintptr_t)link, sizeof link - 1, 0, 0, 0);
        if (got < 0 && got != -EINVAL) {
            w->len = before;
            w->out[before] = 0;
            return WALK_MISSING;
        }
        if (got < 0 || (last && !slash && !follow)) {
            if (last && slash && w->len + 1 < sizeof w->out) {
                w->out[w->len++] = '/';
                w->out[w->len] = 0;
                return WALK_EXISTS;
            }
            memmove(w->rest, tail, strlen(tail) + 1);
            continue;
        }
        if (++links > LINKS_MAX)
            return WALK_EXISTS; /* out ends in the link: the kernel gives ELOOP */
        if (got + strlen(tail) + 1 > sizeof w->rest)
            return WALK_NATURAL;
        memmove(w->rest + got, tail, strlen(tail) + 1);
        memcpy(w->rest, link, got);
        w->len = before;
        if (link[0] == '/') {
            w->len = w->root_len;
            w->rooted = w->linked = true;
            link[got] = 0;
            if (is_host_tree(link)) {
                w->out[w->len] = 0;
                return WALK_MISSING;
            }
        }
        w->out[w->len] = 0;
    }
}

/* The directory that a relative name is relative to, when it lies below the sysroot. */
static bool base_below(struct walk *w, int dirfd)
{
    int64_t n;

    if (dirfd == AT_FDCWD) {
        n = host_call(SYS_getcwd, (uintptr_t)w->out, sizeof w->out, 0, 0, 0, 0);
        n--; /* it counts the NUL */
    } else {
        char name[32];
        snprintf(name, sizeof name, "/proc/self/fd/%d", dirfd);
        n = host_call(SYS_readlink, (uintptr_t)name, (uintptr_t)w->out, sizeof w->out - 1, 0, 0, 0);
    }
    if (n <= 0)
        return false;
    w->out[n] = 0;
    w->len = n;
    return is_below(w->out, process.sysroot, w->root_len);
}

const char *sys_path(char *buf, int dirfd, const char *path, bool follow)
{
    struct walk w;
    size_t n;

    if (!process.sysroot || path[0] == 0 || is_host_tree(path))
        return path;
    n = strlen(path);
    w.root_len = sysroot_len();
    if (w.root_len == 0 || w.root_len >= sizeof w.out || n >= sizeof w.rest)
        return path;
    w.rooted = path[0] == '/';
    w.linked = false;
    if (w.rooted) {
        memcpy(w.out, process.sysroot, w.root_len);
        w.len = w.root_len;
        w.out[w.len] = 0;
    } else if (!base_below(&w, dirfd)) {
        return path;
    }
    memcpy(w.rest, path, n + 1);

    switch (walk(&w, follow)) {
    case WALK_EXISTS:
        if (!w.rooted)
            return path; /* no absolute link in the way: the kernel finds the same */
        if (is_left_empty(&w))
            return path;
        memcpy(buf, w.out, w.len + 1);
        return buf;
    case WALK_MISSING:
        if (w.linked) {
            /* The host's file of the name that the link made of this one. */
            const char *sep = w.rest[0] == '/' ? "" : "/";
            int len = snprintf(buf, PATH_MAX, "%s%s%s", w.out + w.root_len, sep, w.rest);
            if (len < PATH_MAX)
                return buf;
        }
        return path;
    case WALK_NATURAL:
        break;
    }
    return path;
}

const char *sys_host_path(char *buf, const char *path)
{
    return sys_path(buf, AT_FDCWD, path, true);
}
