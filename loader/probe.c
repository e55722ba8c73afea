/* What kind of program a file is; scripts.
 *
 * Everything for which execve fails with an errno, rather than killing the process later, is found
 * here: the caller's process is still whole.
 */
#include "loader/probe.h"
#include "loader/image.h"
#include "process/thread.h"
#include "syscall/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAD 256 /* BINPRM_BUF_SIZE */

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p < end ? p : NULL;
}

/* The first blank or NUL in [p, end). */
static const char *find_end(const char *p, const char *end)
{
    while (p < end && *p != ' ' && *p != '\t' && *p)
        p++;
    return p < end ? p : NULL;
}

static void copy(char *to, const char *from, const char *end)
{
    while (from < end && *from)
        *to++ = *from++;
    *to = 0;
}

/* The #! line, cut up as binfmt_script does it: one interpreter, and all that follows as one argument.
 * head has HEAD bytes, zeros after the file's end. */
static int parse_script(const char *head, struct load_probe *p, const struct load_why *why)
{
    const char *buf_end = head + HEAD - 1, *end = memchr(head, '\n', HEAD), *name, *sep, *arg;

    if (!end) {
        end = skip_blanks(head + 2, buf_end);
        if (!end || !find_end(end, buf_end + 1))
            return load_fail(why, ENOEXEC, "its #! line is longer than %d bytes", HEAD);
        end = buf_end;
    }
    while (end > head + 2 && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    name = skip_blanks(head + 2, end);
    if (!name)
        return load_fail(why, ENOEXEC, "its #! line names no interpreter");
    if (!*name) /* the kernel opens the name "", which is the working directory */
        return load_fail(why, EACCES, "its #! line names no interpreter");
    sep = find_end(name, end);
    copy(p->interp, name, sep ? sep : end);
    p->interp_arg[0] = 0;
    if (sep && *sep && (arg = skip_blanks(sep, end)))
        copy(p->interp_arg, arg, end);
    return 0;
}

static int open_exec(const char *guest_path)
{
    char buf[PATH_MAX];

    return load_open(sys_host_path(buf, guest_path));
}

int load_open(const char *host_path)
{
    /* Not to wait for a FIFO's writer, nor to make a terminal ours: such files are refused anyway. */
    int fd = open(host_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

static int granted_fd = -1; /* set once, before anything is loaded */

void load_grant(int fd)
{
    granted_fd = fd;
}

/* A regular file that we may execute? */
static int check_file(int fd, const struct load_why *why)
{
    struct stat st;

    if (fstat(fd, &st))
        return load_fail(why, errno, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return load_fail(why, EACCES, "it is a directory");
    if (!S_ISREG(st.st_mode))
        return load_fail(why, EACCES, "it is no regular file");
    if (!(st.st_mode & 0111))
        return load_fail(why, EACCES, "it is not executable (chmod +x makes it so)");
    if (fd != granted_fd && syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) &&
        errno == EACCES)
        return load_fail(why, EACCES,
                         "you may not execute it, or its file system is mounted noexec");
    return 0;
}

/* The program's interpreter: where the guest says or, when nobody said where its libraries are, where qemu-user
 * looks for them; p->sysroot tells. A descriptor or -errno. */
static int open_interp(const char *name, struct load_probe *p)
{
    char path[sizeof p->sysroot + PATH_MAX];
    int fd = open_exec(name), other;

    if (fd != -ENOENT || process.sysroot || *name != '/')
        return fd;
    snprintf(p->sysroot, sizeof p->sysroot, "/usr/gnemul/qemu-%s", p->guest->name);
    snprintf(path, sizeof path, "%s%s", p->sysroot, name);
    other = load_open(path);
    if (other >= 0)
        return other;
    p->sysroot[0] = 0;
    return fd;
}

static int probe_elf(int fd, struct load_probe *p, const struct load_why *why)
{
    const struct guest *g = p->guest;
    struct load_image im, in = {0};
    int r = load_image_read(&im, fd, NULL, g, why), ifd;

    if (r)
        return r;
    if (im.interp[0]) {
        ifd = open_interp(im.interp, p);
        if (ifd < 0) {
            r = load_fail(why, -ifd, "its interpreter %s: %s%s", im.interp, strerror(-ifd),
                          ifd == -ENOENT
                              ? "; give the directory that holds the guest's libraries with -L"
                              : "");
        } else {
            r = check_file(ifd, why);
            if (r)
                load_fail(why, -r, "its interpreter %s: %s", im.interp, strerror(-r));
            else
                r = load_image_read(&in, ifd, im.interp, g, why);
            load_image_free(&in);
            close(ifd);
        }
    }
    load_image_free(&im);
    return r;
}

static int probe(int fd, struct load_probe *p, const struct load_why *why, int depth)
{
    char head[HEAD] = {0};
    ssize_t n;
    int r = check_file(fd, why);

    if (r)
        return r;
    n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return load_fail(why, errno, "cannot read it: %s", strerror(errno));
    if (n == 0)
        return load_fail(why, ENOEXEC, "it is empty");
    if (head[0] == '#' && head[1] == '!') {
        struct load_probe next;
        int ifd;

        if (depth >= LOAD_SCRIPT_DEPTH)
            return load_fail(why, ELOOP,
                             "scripts whose interpreters are scripts, more than %d deep",
                             LOAD_SCRIPT_DEPTH);
        r = parse_script(head, p, why);
        if (r)
            return r;
        p->kind = LOAD_SCRIPT;
        ifd = open_exec(p->interp);
        if (ifd < 0)
            return load_fail(why, -ifd, "its interpreter %s: %s", p->interp, strerror(-ifd));
        next.sysroot[0] = 0;
        r = probe(ifd, &next, why, depth + 1);
        memcpy(p->sysroot, next.sysroot, sizeof p->sysroot);
        close(ifd);
        return r;
    }
    r = load_classify((const uint8_t *)head, n, &p->guest, why);
    if (r < 0)
        return r;
    p->kind = r ? LOAD_HOST : LOAD_GUEST;
    return r ? 0 : probe_elf(fd, p, why);
}

void load_probe_fd(int fd, struct load_probe *p)
{
    memset(p, 0, sizeof *p);
    int r = probe(fd, p, &(struct load_why){p->why, sizeof p->why}, 0);

    if (r) {
        p->kind = LOAD_ERROR;
        p->error = -r;
    }
}
