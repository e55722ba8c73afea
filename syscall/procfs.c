/* The files of /proc that tell the guest about itself: which paths they are, and opening them.
 *
 * Owns: the rule by which a path is recognised. A path counts when, without following links but with "." and
 * ".." and empty components resolved as text, it is /proc/WHO/FILE or /proc/WHO/task/TID/FILE with
 * WHO this process (self, thread-self or a number of ours), or one of the few global files; or /proc/NUMBER/exe
 * of another process that runs a guest. A path relative to a directory counts when that directory lies in /proc. Links to such files
 * elsewhere in the file system are not seen through.
 *
 * The host's file is opened first, so that every error is the kernel's own, and so that
 * nothing is served where /proc is not mounted. The content then comes from a memory file opened
 * for reading; it is a snapshot, where the kernel's would be made anew at each read from its start.
 *
 * Left to the host, since it is right already: fd, fdinfo, ns, mountinfo, cgroup, comm, root, cwd, task,
 * wchan and the rest. /proc/self/mem is the host's too: it reaches the guest's memory at its own addresses,
 * and beyond it the runtime's.
 *
 * Threading: reentrant.
 */
#include "syscall/procfs.h"
#include "process/mm.h"
#include "syscall/arg.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/auxvec.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* By name, for the files of a process. */
static const struct {
    const char *name;
    enum proc_file file;
} process_files[] = {
    {"exe", PROC_EXE},         {"auxv", PROC_AUXV},
    {"cmdline", PROC_CMDLINE}, {"environ", PROC_ENVIRON},
    {"limits", PROC_LIMITS},   {"maps", PROC_MAPS},
    {"smaps", PROC_SMAPS},     {"smaps_rollup", PROC_SMAPS_ROLLUP},
    {"stat", PROC_STAT},       {"statm", PROC_STATM},
    {"status", PROC_STATUS},
};

/* By path below /proc. */
static const struct {
    const char *path;
    enum proc_file file;
} global_files[] = {
    {"cpuinfo", PROC_CPUINFO},
    {"sys/kernel/arch", PROC_KERNEL_ARCH},
    {"sys/kernel/osrelease", PROC_KERNEL_RELEASE},
};

/* The kernel shows the guest's arguments and environment by itself, and shows them as they are when they are
 * read, after an execve too (set by sys_proc_publish). */
static bool published;

static enum proc_file process_file(const char *name)
{
    for (size_t i = 0; i < sizeof process_files / sizeof *process_files; i++)
        if (!strcmp(process_files[i].name, name))
            return process_files[i].file;
    return PROC_NONE;
}

/* Could a path whose last component this is be one of ours? Keeps ordinary opens cheap. */
static bool last_name_may_be_ours(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return process_file(name) != PROC_NONE || !strcmp(name, "cpuinfo") || !strcmp(name, "arch") ||
           !strcmp(name, "osrelease");
}

/* Append path to the absolute buf (size PATH_MAX), resolving ".", ".." and "//" as text. */
static bool append_path(char *buf, const char *path)
{
    size_t n = strlen(buf);

    while (*path) {
        size_t len = strcspn(path, "/");

        if (len == 2 && path[0] == '.' && path[1] == '.') {
            while (n > 0 && buf[--n] != '/')
                ;
            buf[n] = 0;
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            if (n + len + 2 > PATH_MAX)
                return false;
            buf[n++] = '/';
            memcpy(buf + n, path, len);
            n += len;
            buf[n] = 0;
        }
        path += len;
        path += *path == '/';
    }
    return true;
}

/* Skip "NUMBER/" when the number is a thread of this process. */
static const char *skip_own_tid(const char *s)
{
    char path[64], *end;
    unsigned long id;

    if (*s < '1' || *s > '9')
        return NULL;
    id = strtoul(s, &end, 10);
    if (*end != '/' || id > INT_MAX)
        return NULL;
    if ((pid_t)id != getpid()) {
        snprintf(path, sizeof path, "/proc/self/task/%lu", id);
        if (access(path, F_OK))
            return NULL;
    }
    return end + 1;
}

/* Whose file it is that proc_classify finds: a thread of this process (0), or another process. */
static enum proc_file classify(const char *path, pid_t *who)
{
    const char *s;

    *who = 0;
    if (strncmp(path, "/proc/", 6))
        return PROC_NONE;
    path += 6;
    for (size_t i = 0; i < sizeof global_files / sizeof *global_files; i++)
        if (!strcmp(global_files[i].path, path))
            return global_files[i].file;
    if (!strncmp(path, "self/", 5)) {
        s = path + 5;
    } else if (!strncmp(path, "thread-self/", 12)) {
        s = path + 12;
    } else {
        s = skip_own_tid(path);
        if (!s && *path >= '1' && *path <= '9') {
            unsigned long pid = strtoul(path, (char **)&s, 10);

            *who = pid <= INT_MAX ? (pid_t)pid : 0;
            return *who && !strcmp(s, "/exe") ? PROC_EXE : PROC_NONE;
        }
    }
    if (s && !strncmp(s, "task/", 5))
        s = skip_own_tid(s + 5);
    return s ? process_file(s) : PROC_NONE;
}

enum proc_file proc_classify(const char *path)
{
    pid_t who;
    enum proc_file file = classify(path, &who);

    return who ? PROC_NONE : file;
}

/* The host name of the program that another process runs as a guest: the file mapped at the entry point that
 * its auxiliary vector tells (see sys_proc_publish). False when it is no process of Dragoman, or we may
 * not look. */
static bool other_program(pid_t pid, char *host)
{
    char name[32], theirs[PATH_MAX], ours[PATH_MAX], line[PATH_MAX + 128];
    uint64_t row[2], entry = 0, start, end;
    ssize_t n, m;
    FILE *f;

    snprintf(name, sizeof name, "/proc/%d/exe", pid);
    n = readlink(name, theirs, sizeof theirs);
    m = readlink("/proc/self/exe", ours, sizeof ours);
    if (n <= 0 || n != m || memcmp(theirs, ours, n))
        return false;
    snprintf(name, sizeof name, "/proc/%d/auxv", pid);
    f = fopen(name, "re");
    while (f && fread(row, sizeof row, 1, f) == 1 && row[0] != AT_NULL)
        if (row[0] == AT_ENTRY)
            entry = row[1];
    if (f)
        fclose(f);
    snprintf(name, sizeof name, "/proc/%d/maps", pid);
    f = entry ? fopen(name, "re") : NULL;
    *host = 0;
    while (f && !*host && fgets(line, sizeof line, f)) {
        const char *file = strchr(line, '/');

        if (file && sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && entry >= start &&
            entry < end)
            snprintf(host, PATH_MAX, "%.*s", (int)strcspn(file, "\n"), file);
    }
    if (f)
        fclose(f);
    return *host;
}

/* What a path names, and for PROC_EXE the host's name of the program in exe (PATH_MAX bytes). */
static enum proc_file classify_at(int dirfd, const char *path, char *exe)
{
    char buf[PATH_MAX], link[32];
    enum proc_file file;
    ssize_t n;
    pid_t who;

    if (!last_name_may_be_ours(path))
        return PROC_NONE;
    buf[0] = 0;
    if (path[0] != '/') {
        if (dirfd == AT_FDCWD)
            strcpy(link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        n = readlink(link, buf, sizeof buf - 1);
        if (n < 5 || strncmp(buf, "/proc", 5))
            return PROC_NONE;
        buf[n] = 0;
    }
    if (!append_path(buf, path))
        return PROC_NONE;
    file = classify(buf, &who);
    if (file == PROC_EXE && !who)
        snprintf(exe, PATH_MAX, "%s", process.host_exe);
    else if (file == PROC_EXE && !other_program(who, exe))
        return PROC_NONE;
    return file;
}

/* Write all of text to a new memory file and put a read-only descriptor of it in place of fd. */
static int replace_content(int fd, const char *text, size_t len, int flags)
{
    char path[32];
    size_t done = 0;
    int mem, ro;
    int err = 0;

    mem = memfd_create("proc", MFD_CLOEXEC);
    if (mem < 0)
        return -errno;
    while (done < len) {
        ssize_t n = write(mem, text + done, len - done);

        if (n < 0) {
            err = -errno;
            close(mem);
            return err;
        }
        done += n;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", mem);
    ro = open(path, O_RDONLY | O_CLOEXEC | (flags & (O_NONBLOCK | O_LARGEFILE)));
    if (ro < 0 || dup3(ro, fd, flags & O_CLOEXEC) < 0)
        err = -errno;
    close(mem);
    if (ro >= 0)
        close(ro);
    return err;
}

int sys_proc_open(struct thread *t, int dirfd, const char *path, int flags)
{
    char exe[PATH_MAX];
    enum proc_file file;
    size_t len;
    char *text;
    int fd, err;

    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY))
        return SYS_PROC_NOT_OURS;
    file = classify_at(dirfd, path, exe);
    if (file == PROC_EXE) {
        if (flags & O_NOFOLLOW)
            return SYS_PROC_NOT_OURS;
        fd = open(exe, flags);
        return fd < 0 ? -errno : fd;
    }
    if (file == PROC_NONE || (flags & O_PATH) ||
        (published && (file == PROC_CMDLINE || file == PROC_ENVIRON || file == PROC_AUXV)))
        return SYS_PROC_NOT_OURS;
    fd = openat(dirfd, path, flags);
    if (fd < 0)
        return -errno;
    text = proc_text(t, file, fd, &len);
    err = text ? replace_content(fd, text, len, flags) : -errno;
    free(text);
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

/* Without the sysroot, as the guest would name the file. */
static const char *guest_name(const char *host)
{
    size_t root = process.sysroot ? strlen(process.sysroot) : 0;

    if (root > 1 && !strncmp(host, process.sysroot, root) && host[root] == '/')
        host += root;
    return host;
}

ssize_t sys_proc_readlink(struct thread *t, int dirfd, const char *path, char *buf, size_t size)
{
    char exe[PATH_MAX], probe;
    const char *name;
    size_t len;

    (void)t;
    if (classify_at(dirfd, path, exe) != PROC_EXE)
        return SYS_PROC_NOT_OURS;
    if (readlinkat(dirfd, path, &probe, 1) < 0)
        return -errno;
    name = strcmp(exe, process.host_exe) ? guest_name(exe) : process.exe_path;
    len = strlen(name);
    if (len > size)
        len = size;
    memcpy(buf, name, len);
    return len;
}

bool sys_proc_exe(int dirfd, const char *path, char *host)
{
    return classify_at(dirfd, path, host) == PROC_EXE;
}

/* --- for others' eyes ------------------------------------------------------------------------ */

/* The name under which the program was executed, from its auxiliary vector, becomes the thread's. */
static void publish_comm(void)
{
    uint64_t row[2] = {AT_NULL};
    char path[PATH_MAX];
    const char *slash;

    for (uint64_t at = process.auxv_start; at < process.auxv_end; at += sizeof row) {
        if (mm_read(row, at, sizeof row) || row[0] == AT_NULL)
            return;
        if (row[0] == AT_EXECFN)
            break;
    }
    if (row[0] != AT_EXECFN || mm_read_str(path, sizeof path, row[1]) < 0)
        return;
    slash = strrchr(path, '/');
    host_call(SYS_prctl, PR_SET_NAME, (uintptr_t)(slash ? slash + 1 : path), 0, 0, 0, 0);
}

void sys_proc_publish(void)
{
    struct vma code;
    uint64_t brk = (uintptr_t)sbrk(0);
    struct prctl_mm_map map;

    publish_comm();
    if (!mm_find(process.entry, &code))
        code.start = code.end = process.entry;
    map = (struct prctl_mm_map){
        .start_code = code.start,
        .end_code = code.end,
        .start_data = code.end,
        .end_data = code.end,
        /* The host's break stays what it is: the runtime's own allocator may use it. */
        .start_brk = brk,
        .brk = brk,
        .start_stack = process.stack_start,
        .arg_start = process.arg_start,
        .arg_end = process.arg_end,
        .env_start = process.env_start,
        .env_end = process.env_end,
        .auxv = mm_g2h(process.auxv_start),
        .auxv_size = process.auxv_end - process.auxv_start,
        .exe_fd = (uint32_t)-1,
    };
    /* A kernel without CONFIG_CHECKPOINT_RESTORE refuses; then others see the runtime's own command
     * line, which still ends with the guest's, and the guest gets ours by proc_text. */
    published =
        host_call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (uintptr_t)&map, sizeof map, 0, 0) == 0;
}
