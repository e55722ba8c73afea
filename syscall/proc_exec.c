/* execve and execveat; chroot and pivot_root, after which our own program could not be found again.
 *
 * Owns: finding out what the target is and starting it: a guest's program by this binary again, a script by
 * its interpreter, the host's own kind natively.
 *
 * Everything that can fail is found out before the host's execve: after that there is no way back, as on
 * the kernel. Strings are not copied: guest addresses are host addresses, and the kernel's own access
 * gives EFAULT and E2BIG.
 *
 * Threading: any thread. In a vfork child memory is the parent's: the argument array is mapped and left
 * to the parent to unmap.
 */
#include "base/report.h"
#include "exceptions/trace.h"
#include "syscall/procfs.h"
#include "syscall/rlimit.h"
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

#define SCRIPT_DEPTH 5          /* interpreters of interpreters, then ELOOP */
#define ARG_MAX_COUNT (1 << 23) /* pointers; the kernel's E2BIG comes far earlier */
#define ARG_LEN_MAX (32 * 4096) /* MAX_ARG_STRLEN: longer strings are E2BIG */
#define PREFIX_MAX 64           /* words of our own before the program */

/* What is executed, as the scripts on the way to it change it. */
struct target {
    int dirfd;            /* and name: as the kernel shall find it */
    const char *name;     /* as the guest gave it */
    char guest[PATH_MAX]; /* name for the guest: AT_EXECFN, a script's own argument */
    char host[PATH_MAX];  /* name on the host, relative to dirfd */
    int fd;               /* open for reading, close-on-exec */
    struct sys_program program;
};

/* Words put before the guest's arguments by scripts, last first. */
struct words {
    unsigned n;
    const char *word[2 * SCRIPT_DEPTH + 2];
    char text[SCRIPT_DEPTH][2][256];
    char script[SCRIPT_DEPTH][PATH_MAX];
};

/* The kernel's own check whether a file may be executed (Linux 6.14: AT_EXECVE_CHECK); before that,
 * what access(2) knows, which leaves out ETXTBSY. */
static int check_executable(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EACCES;
    int64_t rc =
        host_call(SYS_execveat, fd, (uintptr_t) "", 0, 0, AT_EMPTY_PATH | AT_EXECVE_CHECK, 0);
    if (rc == -EACCES || rc == -ETXTBSY || rc == -EPERM || rc == 0)
        return (int)rc;
    if (faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) != 0)
        return -errno;
    return 0;
}

/* Is the target a guest's program by its name in /proc? Then its names are those of the program. */
static bool is_proc_exe(struct thread *t, struct target *x)
{
    if (!sys_proc_exe(x->dirfd, x->name, x->host))
        return false;
    ssize_t n = sys_proc_readlink(t, x->dirfd, x->name, x->guest, sizeof(x->guest) - 1);
    if (n < 0)
        return false;
    x->guest[n] = 0;
    return true;
}

/* Open x->name and see what it is. 0 or -errno; x->fd is -1 then. */
static int open_target(struct thread *t, struct target *x, int flags)
{
    int oflags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    x->fd = -1;
    if (!*x->name) {
        if (!(flags & AT_EMPTY_PATH))
            return -ENOENT;
        snprintf(x->guest, sizeof(x->guest), "/dev/fd/%d", x->dirfd);
        snprintf(x->host, sizeof(x->host), "/proc/self/fd/%d", x->dirfd);
        if (fcntl(x->dirfd, F_GETFD) < 0)
            return -EBADF;
        x->fd = open(x->host, oflags);
        if (x->fd < 0 && errno == ENOENT) /* no /proc here */
            x->fd = fcntl(x->dirfd, F_DUPFD_CLOEXEC, 0);
        if (x->fd < 0)
            return -errno;
    } else {
        if (!is_proc_exe(t, x)) {
            char buf[PATH_MAX];
            bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
            snprintf(x->host, sizeof(x->host), "%s", sys_path(buf, x->dirfd, x->name, follow));
            if (*x->name == '/' || x->dirfd == AT_FDCWD)
                snprintf(x->guest, sizeof(x->guest), "%s", x->name);
            else if (snprintf(x->guest, sizeof(x->guest), "/dev/fd/%d/%s", x->dirfd, x->name) >=
                     (int)sizeof(x->guest))
                return -ENAMETOOLONG;
        }
        x->fd = openat(x->dirfd, x->host, oflags | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
        if (x->fd < 0)
            /* A file that may be executed but not read: only the host itself can run it. */
            return -errno;
    }
    int rc = check_executable(x->fd);
    if (rc == 0)
        rc = sys_hooks.probe(x->fd, &x->program);
    if (rc) {
        close(x->fd);
        x->fd = -1;
    }
    return rc;
}

/* Is the name that a new program would open gone with the exec? */
static bool name_is_lost(const struct target *x)
{
    int fdflags;
    return strncmp(x->guest, "/dev/fd/", 8) == 0 && x->dirfd != AT_FDCWD &&
           (fdflags = fcntl(x->dirfd, F_GETFD)) >= 0 && fdflags & FD_CLOEXEC;
}

/* Does the name lead through a descriptor of this process, which the new one may not have? (systemd's executor.) */
static bool name_is_descriptor(const struct target *x)
{
    return strncmp(x->host, "/proc/", 6) == 0 || strncmp(x->host, "/dev/fd/", 8) == 0;
}

/* Can the file be opened only now? Who is not root loses his capabilities with the exec. */
static bool right_is_lost(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];
    const uint32_t open_any = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
    return geteuid() != 0 &&
           host_call(SYS_capget, (uintptr_t)&head, (uintptr_t)caps, 0, 0, 0, 0) == 0 &&
           caps[0].effective & open_any;
}

/* The interpreter of a script becomes the target. */
static int enter_script(struct thread *t, struct target *x, struct words *w, unsigned depth)
{
    if (depth >= SCRIPT_DEPTH)
        return -ELOOP;
    if (name_is_lost(x))
        return -ENOENT; /* the interpreter could not open the script */
    /* The script's name takes the place of argv[0] of what came before. */
    if (depth)
        w->n--;
    strcpy(w->script[depth], x->guest);
    w->word[w->n++] = w->script[depth];
    if (x->program.interp_arg[0]) {
        strcpy(w->text[depth][1], x->program.interp_arg);
        w->word[w->n++] = w->text[depth][1];
    }
    strcpy(w->text[depth][0], x->program.interp);
    w->word[w->n++] = w->text[depth][0];
    close(x->fd);
    x->dirfd = AT_FDCWD;
    x->name = w->text[depth][0];
    return open_target(t, x, 0);
}

/* Number of pointers in a guest's array before its NULL, or -errno. NULL is an empty array. */
static int64_t count_array(uint64_t addr)
{
    uint64_t p, n = 0;
    if (!addr)
        return 0;
    for (;; n++) {
        if (mm_read_u64(addr + n * 8, &p) != 0)
            return -EFAULT;
        if (!p)
            return (int64_t)n;
        if (n >= ARG_MAX_COUNT)
            return -E2BIG;
    }
}

static int copy_array(uint64_t *to, uint64_t addr, uint64_t n)
{
    if (n && mm_read(to, addr, n * 8) != 0)
        return -EFAULT;
    for (uint64_t i = 0; i < n; i++)
        to[i] = sys_in(to[i], 1);
    to[n] = 0;
    return 0;
}

/* Is it a variable that the host's dynamic linker and C library look at, too? */
static bool concerns_host(uint64_t var)
{
    char name[16] = "";
    mm_read_str(name, sizeof(name), var);
    return strncmp(name, "LD_", 3) == 0 || strncmp(name, "GLIBC_TUNABLES=", 15) == 0;
}

/* Bytes of a string with its NUL; 0 when it cannot be read or is longer than the kernel takes. */
static size_t string_size(uint64_t addr)
{
    char part[512];
    for (size_t size = 0; size <= ARG_LEN_MAX; size += sizeof(part)) {
        ssize_t n = mm_read_str(part, sizeof(part), addr + size);
        if (n >= 0)
            return size + (size_t)n + 1;
        uint8_t byte;
        if (n != -ENAMETOOLONG || mm_read(&byte, addr + size + sizeof(part) - 1, 1) != 0)
            return 0;
    }
    return 0;
}

/* Bytes for the new strings of rename_variables. */
static size_t renamed_size(uint64_t envp, uint64_t n)
{
    size_t need = 0;
    for (uint64_t i = 0, var; i < n && mm_read_u64(envp + i * 8, &var) == 0; i++) {
        if (concerns_host(var))
            need += sizeof(SYS_ENV_GUEST) + string_size(var);
    }
    return need;
}

/* Give such variables the prefix that dragoman takes off: the new strings go to text. What cannot be
 * read, or has grown since it was measured, stays as it is. */
static void rename_variables(uint64_t *env, char *text, size_t room)
{
    const size_t prefix = sizeof(SYS_ENV_GUEST) - 1;
    for (; *env; env++) {
        size_t size;
        if (!concerns_host(*env) || !(size = string_size(*env)) || prefix + size > room)
            continue;
        memcpy(text, SYS_ENV_GUEST, prefix);
        if (mm_read(text + prefix, *env, size) != 0)
            continue;
        text[prefix + size - 1] = 0;
        *env = (uintptr_t)text;
        text += prefix + size;
        room -= prefix + size;
    }
}

/* Room for so many bytes, of the mapping that the thread keeps for this. */
static uint64_t *args_memory(struct thread *t, size_t size)
{
    if (t->exec_args && t->exec_args_size < size) {
        munmap(t->exec_args, t->exec_args_size);
        t->exec_args = NULL;
    }
    if (!t->exec_args) {
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return NULL;
        t->exec_args = p;
        t->exec_args_size = size;
    }
    return t->exec_args;
}

static void args_free(struct thread *t)
{
    if (t->exec_args)
        munmap(t->exec_args, t->exec_args_size);
    t->exec_args = NULL;
}

/* The host's call; returns only when it failed or a signal is to be delivered first. */
static int64_t host_exec(struct thread *t, int dirfd, const char *path, uint64_t *argv,
                         uint64_t *envp, int flags)
{
    sig_exec_begin(t);
    sys_limit_exec_begin();
    /* The older call where it can do it: proot looks into that one alone. */
    int64_t rc =
        dirfd == AT_FDCWD && !flags
            ? sig_syscall(t, SYS_execve, (uintptr_t)path, (uintptr_t)argv, (uintptr_t)envp, 0, 0, 0)
            : sig_syscall(t, SYS_execveat, dirfd, (uintptr_t)path, (uintptr_t)argv, (uintptr_t)envp,
                          flags, 0);
    sys_limit_exec_failed();
    sig_exec_failed(t);
    return rc;
}

/* Our own program, held open where there is no /proc/self/exe, and from the first change of the root directory on, for
 * there may be none in the new one, nor the shared libraries that a dynamically linked dragoman needs; -1 otherwise. */
static int self_fd = -1;
static pthread_mutex_t self_lock = PTHREAD_MUTEX_INITIALIZER; /* the innermost */

static void hold_self(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    if (high < 0)
        high = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* RLIMIT_NOFILE is that low */
    close(fd);
    if (high < 0)
        return;
    sys_hide_fd(high);
    __atomic_store_n(&self_fd, high, __ATOMIC_RELEASE);
}

void sys_take_self(int fd)
{
    hold_self(fd);
}

static void keep_self(void)
{
    char path[PATH_MAX];
    int fd = -1;
    if (!sys_hooks.exec_prefix())
        return; /* the kernel knows */
    pthread_mutex_lock(&self_lock);
    if (self_fd < 0) {
        /* AT_BASE is where the host's dynamic linker is: zero when we need none. */
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("-static"));
        if (n > 0 && getauxval(AT_BASE)) {
            strcpy(path + n, "-static");
            fd = open(path, O_PATH | O_CLOEXEC);
        }
        if (fd < 0)
            fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        if (fd < 0) /* the name by which we were executed */
            fd = open((const char *)getauxval(AT_EXECFN), O_PATH | O_CLOEXEC);
        if (fd >= 0)
            hold_self(fd);
    }
    pthread_mutex_unlock(&self_lock);
}

void sys_find_self(void)
{
    if (access("/proc/self/exe", F_OK) != 0)
        keep_self();
}

/* In another root there is no sysroot: that was a directory of the old one. (A vfork child's parent
 * gets it back when the child has gone its way.) Another thread may be about to read its name. */
static int64_t change_root(long number, uint64_t a, uint64_t b)
{
    keep_self();
    int64_t rc = host_call(number, a, b, 0, 0, 0, 0);
    if (rc == 0 && process.sysroot)
        process.sysroot = "/";
    return rc;
}

int64_t sys_chroot(struct thread *t, const uint64_t *a)
{
    (void)t;
    return change_root(SYS_chroot, a[0], 0);
}

int64_t sys_pivot_root(struct thread *t, const uint64_t *a)
{
    (void)t;
    return change_root(SYS_pivot_root, a[0], a[1]);
}

/* A copy of a descriptor that the new program gets, or -errno. */
static int inherited_copy(int fd)
{
    int copy = fcntl(fd, F_DUPFD, 100);
    if (copy < 0)
        copy = fcntl(fd, F_DUPFD, 3); /* RLIMIT_NOFILE is that low */
    return copy < 0 ? -errno : copy;
}

/* A guest's program: this binary again, with the options that made us. */
static int64_t exec_guest(struct thread *t, struct target *x, uint64_t *argv, uint64_t *envp)
{
    int64_t rc;
    int keep = -1, self = -1, seccomp = sys_seccomp_save(t);
    char keep_text[32], self_text[32], seccomp_text[32], traced_text[64];
    uint64_t *w = argv - PREFIX_MAX; /* args_memory left the room */
    unsigned n = 0;

    if (seccomp < -1)
        return seccomp;
    w[n++] = (uintptr_t) "dragoman";
    for (char **o = sys_hooks.exec_prefix(); o && *o; o++) {
        if (n >= PREFIX_MAX - 13)
            vm_bug("more than %d words of options to pass on", PREFIX_MAX - 13);
        w[n++] = (uintptr_t)*o;
    }
    if (!sys_hooks.exec_prefix())
        w[n++] = (uintptr_t) "--by-kernel";
    w[n++] = (uintptr_t) "-0";
    w[n++] = argv[0] ? argv[0] : (uintptr_t) "";
    if (name_is_lost(x) || !*x->name || name_is_descriptor(x) || right_is_lost()) {
        /* The name is of no use to the next program, the open file is. */
        keep = inherited_copy(x->fd);
        if (keep < 0) {
            rc = keep;
            goto out;
        }
        snprintf(keep_text, sizeof(keep_text), "--exec-fd=%d", keep);
        w[n++] = (uintptr_t)keep_text;
    }
    if (__atomic_load_n(&self_fd, __ATOMIC_ACQUIRE) >= 0 && (self = inherited_copy(self_fd)) >= 0) {
        snprintf(self_text, sizeof(self_text), "--self-fd=%d", self);
        w[n++] = (uintptr_t)self_text;
    }
    if (seccomp >= 0) {
        snprintf(seccomp_text, sizeof(seccomp_text), "--seccomp-fd=%d", seccomp);
        w[n++] = (uintptr_t)seccomp_text;
    }
    if (t->trace.on) {
        strcpy(traced_text, "--traced=");
        trace_save(t, traced_text + strlen(traced_text), sizeof(traced_text) - strlen(traced_text));
        w[n++] = (uintptr_t)traced_text;
    }
    w[n++] = (uintptr_t) "--";
    w[n++] = (uintptr_t)x->guest;
    /* Close the gap up to the first argument. */
    uint64_t *start = argv + (argv[0] != 0) - n;
    memmove(start, w, n * sizeof(*w));

    rc = self >= 0 ? host_exec(t, self, "", start, envp, AT_EMPTY_PATH)
                   : host_exec(t, AT_FDCWD, "/proc/self/exe", start, envp, 0);
    if (keep >= 0)
        close(keep);
    if (self >= 0)
        close(self);
out:
    if (seccomp >= 0)
        close(seccomp);
    return rc;
}

/* Start what x names, with the words in front of the guest's arguments. */
static int64_t exec_target(struct thread *t, struct target *x, const struct words *words,
                           uint64_t argv, uint64_t envp, int flags)
{
    int64_t rc, argc = count_array(argv), envc = count_array(envp);
    bool guest = x->program.kind == SYS_PROGRAM_GUEST;
    if (argc < 0 || envc < 0)
        return argc < 0 ? argc : envc;
    size_t text_size = guest ? renamed_size(envp, (uint64_t)envc) : 0;
    size_t pointers = PREFIX_MAX + words->n + 1 + argc + 1 + envc + 1;
    uint64_t *mem = args_memory(t, pointers * sizeof(*mem) + text_size);
    if (!mem)
        return -ENOMEM;
    uint64_t *args = mem + PREFIX_MAX, *env;
    unsigned n = words->n;
    for (unsigned i = 0; i < n; i++)
        args[i] = (uintptr_t)words->word[n - 1 - i];
    uint64_t skip = n && argc ? 1 : 0; /* a script's name stands for argv[0] */
    env = args + n + argc - skip + 1;
    rc = copy_array(args + n, argv + skip * 8, argc - skip);
    if (rc == 0)
        rc = copy_array(env, envp, envc);
    if (rc == 0 && guest) {
        rename_variables(env, (char *)(mem + pointers), text_size);
        rc = exec_guest(t, x, args, env);
    } else if (rc == 0) {
        rc = host_exec(t, x->dirfd, *x->name ? x->host : "", args, env, flags & AT_EMPTY_PATH);
    }
    args_free(t);
    return rc;
}

static int64_t do_exec(struct thread *t, int dirfd, const char *name, uint64_t argv, uint64_t envp,
                       int flags)
{
    struct target x = {.dirfd = dirfd, .name = name};
    struct words words = {.n = 0};
    int64_t rc = open_target(t, &x, flags);
    if (rc == -EACCES && x.host[0] && faccessat(dirfd, x.host, X_OK, AT_EACCESS) == 0)
        x.program.kind = SYS_PROGRAM_HOST; /* not readable: the kernel will see */
    else if (rc)
        return rc;
    if (x.program.kind != SYS_PROGRAM_HOST && !sys_hooks.exec_prefix() && !t->seccomp &&
        !t->trace.on) {
        /* The kernel knows how to run it (but not by what filters, nor traced by whom), set-user-ID programs too, unless it is
         * of another guest that is not registered, or the handler's file is not to be found from here. */
        int kind = x.program.kind;
        x.program.kind = SYS_PROGRAM_HOST;
        rc = exec_target(t, &x, &words, argv, envp, flags);
        x.program.kind = kind;
        if (rc != -ENOEXEC && rc != -ENOENT)
            goto out;
    }
    for (unsigned depth = 0; x.program.kind == SYS_PROGRAM_SCRIPT; depth++) {
        rc = enter_script(t, &x, &words, depth);
        if (rc)
            goto out;
    }
    rc = exec_target(t, &x, &words, argv, envp, flags);
out:
    if (x.fd >= 0)
        close(x.fd);
    return rc;
}

int64_t sys_execve(struct thread *t, const uint64_t *a)
{
    if (!a[0])
        return -EFAULT;
    return do_exec(t, AT_FDCWD, (const char *)(uintptr_t)a[0], a[1], a[2], 0);
}

int64_t sys_execveat(struct thread *t, const uint64_t *a)
{
    int flags = (int)a[4];
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
        return -EINVAL;
    if (!a[1])
        return -EFAULT;
    const char *name = (const char *)(uintptr_t)a[1];
    if (flags & AT_EXECVE_CHECK) {
        char buf[PATH_MAX];
        return host_call(SYS_execveat, (int)a[0],
                         (uintptr_t)sys_path(buf, (int)a[0], name, !(flags & AT_SYMLINK_NOFOLLOW)),
                         0, 0, flags, 0);
    }
    return do_exec(t, (int)a[0], name, a[2], a[3], flags);
}
