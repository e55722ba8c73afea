/* dragomanctl: has the kernel run foreign programs by dragoman-static, by itself; see dragomanctl(1).
 *
 * Owns: what is registered in the kernel, the files that register it at the next boot, and the notes of what
 * another handler had, so that it gets it back.
 *
 * What goes wrong is found before anything is changed where it can be, and told with what to do about it. Exit status:
 * 0 done (status: all registered), 1 not, 2 a bad command line.
 */
#include "runtime/binfmt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    const char *command;
    const struct guest *guest; /* NULL: all */
    const char *handler;
    const char *root; /* in front of the files for the next boot */
    const char *state;
    bool system, replace;
} opt = {.root = "", .state = "/run/dragoman"};

static int failures;

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("dragomanctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    failures++;
}

#define SYSTEMD_BINFMT "/usr/lib/systemd/systemd-binfmt"
#define UPDATE_BINFMTS "/usr/sbin/update-binfmts"

/* ---- the kernel's list ---- */

static bool in_user_namespace(void)
{
    unsigned long inside = 1, outside = 1, count = 0;
    FILE *f = fopen("/proc/self/uid_map", "re");
    if (f && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) != 3)
        count = 0;
    if (f)
        fclose(f);
    return !(inside == 0 && outside == 0 && count == 4294967295UL);
}

static bool kernel_is_at_least(int major, int minor)
{
    struct utsname u;
    int a = 0, b = 0;
    return uname(&u) == 0 && sscanf(u.release, "%d.%d", &a, &b) == 2 &&
           (a > major || (a == major && b >= minor));
}

/* Why it is not permitted, and what would help. */
static void explain_permission(const char *what)
{
    struct utsname u;
    uname(&u);
    if (in_user_namespace() && !kernel_is_at_least(6, 7))
        complain("%s: not permitted: this is a user namespace, and Linux %s has one binfmt_misc "
                 "for all of them "
                 "(6.7 is the first with one for each): run dragomanctl outside, as root",
                 what, u.release);
    else if (in_user_namespace())
        complain("%s: not permitted: what is mounted on " BINFMT_DIR
                 " belongs to another user namespace: in a mount "
                 "namespace of your own (unshare --mount), as its root, 'mount -t binfmt_misc "
                 "binfmt_misc " BINFMT_DIR "' gives you one",
                 what);
    else if (geteuid() != 0)
        complain("%s: not permitted: run it as root (sudo dragomanctl ...)%s", what,
                 kernel_is_at_least(6, 7)
                     ? ", or for yourself alone in a user namespace (unshare --user "
                       "--map-root-user --mount)"
                     : "");
    else
        complain("%s: not permitted, though you are root: the container lacks CAP_SYS_ADMIN "
                 "or " BINFMT_DIR " is mounted read-only: run dragomanctl on the host",
                 what);
}

static bool is_mounted(void)
{
    struct statfs fs;
    /* An automount point becomes the file system when something in it is looked at. */
    close(open(BINFMT_DIR "/status", O_RDONLY | O_CLOEXEC));
    return statfs(BINFMT_DIR, &fs) == 0 && fs.f_type == BINFMTFS_MAGIC;
}

/* See to it that the list can be read, mounting it if need be. */
static bool need_list(void)
{
    if (is_mounted())
        return true;
    if (access(BINFMT_DIR, F_OK) != 0 && access("/proc/sys/fs", F_OK) != 0) {
        complain("there is no /proc: mount -t proc proc /proc");
        return false;
    }
    /* In a container its root may not mount it, but what the host has registered holds there, too. */
    if (mount("binfmt_misc", BINFMT_DIR, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ==
        0)
        return true;
    if (errno == EPERM || errno == EACCES)
        explain_permission("mounting binfmt_misc on " BINFMT_DIR);
    else if (errno == ENOENT || errno == ENODEV)
        complain(
            "this kernel has no binfmt_misc: load it (modprobe binfmt_misc), or use a kernel with "
            "CONFIG_BINFMT_MISC");
    else
        complain("mounting binfmt_misc on " BINFMT_DIR ": %s", strerror(errno));
    return false;
}

static bool write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)strlen(text);
}

static bool write_entry(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), BINFMT_DIR "/%s", name);
    return write_to(path, text);
}

typedef void entry_fn(const struct binfmt_entry *e, const struct guest *g);

/* Call fn for each entry of others' that takes the guest's programs; their number. */
static int each_other(const struct guest *g, bool enabled_only, entry_fn *fn)
{
    char own[64];
    int n = 0;
    DIR *d = opendir(BINFMT_DIR);
    binfmt_name(g, own, sizeof(own));
    for (struct dirent *de; d && (de = readdir(d));) {
        struct binfmt_entry e;
        if (strcmp(de->d_name, own) == 0 || binfmt_read(BINFMT_DIR, de->d_name, &e) != 0 ||
            !binfmt_matches(&e, g) || (enabled_only && !e.enabled))
            continue;
        n++;
        if (fn)
            fn(&e, g);
    }
    if (d)
        closedir(d);
    return n;
}

/* ---- notes: a name in a line ---- */

static bool make_directories(const char *directory)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", directory);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        mkdir(path, 0755);
        *p = '/';
    }
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static bool note(const char *directory, const char *file, const char *line)
{
    char path[PATH_MAX];
    if (!make_directories(directory))
        return false;
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    FILE *f = fopen(path, "ae");
    if (!f)
        return false;
    fprintf(f, "%s\n", line);
    return fclose(f) == 0;
}

/* Take the lines out for which undo says true. */
static void undo_notes(const char *directory, const char *file, const struct guest *g,
                       bool undo(const char *line, const struct guest *g))
{
    char path[PATH_MAX], line[PATH_MAX], *rest = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    FILE *in = fopen(path, "re"), *out = in ? open_memstream(&rest, &size) : NULL;
    if (!out)
        return;
    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = 0;
        if (!undo(line, g))
            fprintf(out, "%s\n", line);
    }
    fclose(in);
    fclose(out);
    if (size == 0) {
        unlink(path);
    } else if ((out = fopen(path, "we"))) {
        fputs(rest, out);
        fclose(out);
    }
    free(rest);
}

/* ---- the next boot ---- */

static const char *const conf_dirs[] = {"/etc/binfmt.d", "/run/binfmt.d", "/usr/local/lib/binfmt.d",
                                        "/usr/lib/binfmt.d"};

static bool conf_matches(const char *path, const struct guest *g)
{
    char line[PATH_MAX + 1024], own[64];
    bool found = false;
    FILE *f = fopen(path, "re");
    binfmt_name(g, own, sizeof(own));
    while (f && fgets(line, sizeof(line), f)) {
        struct binfmt_entry e;
        found |= binfmt_parse_rule(line, &e) && binfmt_matches(&e, g) && strcmp(e.name, own) != 0;
    }
    if (f)
        fclose(f);
    return found;
}

static void state_directory(char *path, size_t size)
{
    snprintf(path, size, "%s/var/lib/dragoman", opt.root);
}

/* Others' files for systemd: a link to /dev/null of the same name in /etc hides one (binfmt.d(5)). */
static void mask_others(const struct guest *g)
{
    char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2], link[PATH_MAX + NAME_MAX + 2],
        state[PATH_MAX];
    state_directory(state, sizeof(state));
    snprintf(dir, sizeof(dir), "%s/etc/binfmt.d", opt.root);
    make_directories(dir);
    for (size_t i = 0; i < sizeof(conf_dirs) / sizeof(conf_dirs[0]); i++) {
        snprintf(dir, sizeof(dir), "%s%s", opt.root, conf_dirs[i]);
        DIR *d = opendir(dir);
        for (struct dirent *de; d && (de = readdir(d));) {
            snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
            if (!conf_matches(path, g))
                continue;
            snprintf(link, sizeof(link), "%s/etc/binfmt.d/%s", opt.root, de->d_name);
            if (i == 0) {
                complain("%s also registers %s programs at boot: delete it if it shall not", path,
                         g->uname_machine);
            } else if (symlink("/dev/null", link) == 0) {
                if (!note(state, "binfmt-masked", link))
                    complain(
                        "%s/binfmt-masked: %s: 'dragomanctl binfmt remove' will not know of %s",
                        state, strerror(errno), link);
                printf("%s: %s is hidden by %s\n", g->uname_machine, path, link);
            } else if (errno != EEXIST) {
                complain("cannot hide %s by %s: %s", path, link, strerror(errno));
            }
        }
        if (d)
            closedir(d);
    }
}

/* Was the link made to hide a file for this guest? Then it goes. */
static bool unmask(const char *link, const struct guest *g)
{
    char target[32], path[PATH_MAX];
    const char *name = strrchr(link, '/');
    bool ours = false;
    for (size_t i = 1; name && i < sizeof(conf_dirs) / sizeof(conf_dirs[0]); i++) {
        snprintf(path, sizeof(path), "%s%s%s", opt.root, conf_dirs[i], name);
        ours |= conf_matches(path, g);
    }
    if (!ours)
        return false;
    ssize_t n = readlink(link, target, sizeof(target));
    if (n == 9 && memcmp(target, "/dev/null", 9) == 0)
        unlink(link);
    return true;
}

static int run(const char *program, const char *arg1, const char *arg2)
{
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, arg1, arg2, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static void boot_file(const struct guest *g, bool debian, char *path, size_t size)
{
    char name[64];
    binfmt_name(g, name, sizeof(name));
    snprintf(path, size, debian ? "%s/usr/share/binfmts/%s" : "%s/usr/lib/binfmt.d/%s.conf",
             opt.root, name);
}

static bool exists_in_root(const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s", opt.root, file);
    return access(path, X_OK) == 0;
}

/* The file that has systemd or update-binfmts register the handler when the machine starts. */
static void install_boot(const struct guest *g)
{
    char path[PATH_MAX], name[64], rule[PATH_MAX + 256];
    bool systemd = exists_in_root(SYSTEMD_BINFMT);
    bool debian = !systemd && exists_in_root(UPDATE_BINFMTS);
    boot_file(g, debian, path, sizeof(path));
    char *slash = strrchr(path, '/');
    *slash = 0;
    if (!make_directories(path))
        complain("%s: %s", path, strerror(errno));
    *slash = '/';
    FILE *f = fopen(path, "we");
    if (!f) {
        complain("%s: %s", path, strerror(errno));
        return;
    }
    binfmt_rule(g, opt.handler, rule, sizeof(rule));
    if (debian)
        binfmt_debian_file(g, opt.handler, f);
    else
        fprintf(f, "%s\n", rule);
    if (fclose(f) != 0)
        complain("%s: %s", path, strerror(errno));
    if (systemd || debian)
        printf("%s: %s registers it at boot\n", g->uname_machine, path);
    else
        complain("%s is written, but nothing here reads it at boot (no " SYSTEMD_BINFMT
                 ", no " UPDATE_BINFMTS
                 "): install systemd or binfmt-support, or call 'dragomanctl "
                 "binfmt install' from an init script",
                 path);
    binfmt_name(g, name, sizeof(name));
    if (debian && !*opt.root && run(UPDATE_BINFMTS, "--import", name) != 0)
        complain("'" UPDATE_BINFMTS " --import %s' failed", name);
    if (!debian && opt.replace)
        mask_others(g);
}

static void remove_boot(const struct guest *g)
{
    char path[PATH_MAX], name[64];
    binfmt_name(g, name, sizeof(name));
    for (int debian = 0; debian < 2; debian++) {
        boot_file(g, debian, path, sizeof(path));
        if (unlink(path) == 0) {
            printf("%s: removed %s\n", g->uname_machine, path);
            if (debian && !*opt.root)
                run(UPDATE_BINFMTS, "--unimport", name);
        } else if (errno != ENOENT) {
            complain("%s: %s", path, strerror(errno));
        }
    }
    state_directory(path, sizeof(path));
    undo_notes(path, "binfmt-masked", g, unmask);
}

/* ---- commands ---- */

static void say_in_the_way(const struct binfmt_entry *e, const struct guest *g)
{
    complain("%s programs are handled by %s (entry %s): --replace takes over from it, 'dragomanctl "
             "binfmt "
             "remove' gives back",
             g->uname_machine, e->interpreter, e->name);
}

static void disable(const struct binfmt_entry *e, const struct guest *g)
{
    if (!note(opt.state, "binfmt-disabled", e->name))
        complain("%s/binfmt-disabled: %s: %s stays enabled; give a directory with --state that can "
                 "be written to",
                 opt.state, strerror(errno), e->name);
    else if (!write_entry(e->name, "0"))
        explain_permission("disabling an entry");
    else
        printf("%s: disabled %s (%s)\n", g->uname_machine, e->name, e->interpreter);
}

/* update-binfmts has a list of its own, and cannot be told to leave something out at boot. */
static void tell_of_list(const struct binfmt_entry *e, const struct guest *g)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/var/lib/binfmts/%s", opt.root, e->name);
    if (access(path, F_OK) == 0)
        printf("%s: binfmt-support registers %s at boot, too: remove that package, or the one that "
               "%s is from, if it comes back\n",
               g->uname_machine, e->name, e->interpreter);
}

static bool enable(const char *name, const struct guest *g)
{
    struct binfmt_entry e;
    int rc = binfmt_read(BINFMT_DIR, name, &e);
    if (rc == 0 && !binfmt_matches(&e, g))
        return false;
    if (rc == 0 && write_entry(name, "1"))
        printf("%s: enabled %s again (%s)\n", g->uname_machine, name, e.interpreter);
    return true;
}

static void register_now(const struct guest *g)
{
    char name[64], rule[PATH_MAX + 256];
    int before = failures;
    binfmt_name(g, name, sizeof(name));
    binfmt_rule(g, opt.handler, rule, sizeof(rule));
    if (access(BINFMT_DIR "/register", W_OK) != 0) {
        explain_permission("registering");
        return;
    }
    if (opt.replace)
        each_other(g, true, disable);
    if (failures > before)
        return;
    /* Anew in any case: the kernel holds the handler's file open, perhaps an older one. */
    write_entry(name, "-1");
    if (write_to(BINFMT_DIR "/register", rule))
        printf("%s: registered %s\n", g->uname_machine, opt.handler);
    else if (errno == EPERM || errno == EACCES)
        explain_permission("registering");
    else
        complain("the kernel does not take the handler %s for %s: %s", opt.handler,
                 g->uname_machine, strerror(errno));
}

/* The next boot is another matter than now: what is installed in a chroot may run on a machine of its own. */
static void install(const struct guest *g)
{
    bool listed = need_list();
    if (listed && !opt.replace && each_other(g, true, say_in_the_way))
        return;
    if (listed)
        register_now(g);
    if (opt.system)
        install_boot(g);
    if (opt.system && listed)
        each_other(g, false, tell_of_list);
}

static void remove_guest(const struct guest *g)
{
    char name[64];
    struct binfmt_entry e;
    binfmt_name(g, name, sizeof(name));
    if (opt.system)
        remove_boot(g);
    if (!is_mounted())
        return;
    if (binfmt_read(BINFMT_DIR, name, &e) == 0) {
        if (!write_entry(name, "-1")) {
            explain_permission("removing an entry");
            return;
        }
        printf("%s: no longer registered\n", g->uname_machine);
    }
    undo_notes(opt.state, "binfmt-disabled", g, enable);
}

static void print_other(const struct binfmt_entry *e, const struct guest *g)
{
    printf("%s: %s takes them too: %s (%s)\n", g->uname_machine, e->name, e->interpreter,
           e->enabled ? "enabled" : "disabled");
}

static void status(const struct guest *g)
{
    char name[64], path[PATH_MAX];
    struct binfmt_entry e;
    binfmt_name(g, name, sizeof(name));
    if (!is_mounted()) {
        printf(
            "%s: cannot tell: binfmt_misc is not mounted (dragomanctl binfmt install mounts it)\n",
            g->uname_machine);
        failures++;
        return;
    }
    if (binfmt_read(BINFMT_DIR, name, &e) != 0) {
        printf("%s: not registered\n", g->uname_machine);
        failures++;
    } else {
        bool missing = access(e.interpreter, X_OK) != 0 && !strchr(e.flags, 'F');
        printf("%s: registered as %s, %s: %s, flags %s%s\n", g->uname_machine, name,
               e.enabled ? "enabled" : "disabled", e.interpreter, e.flags,
               missing ? ", but that file is not there" : "");
        failures += missing || !e.enabled || strcmp(e.flags, BINFMT_FLAGS) != 0;
    }
    each_other(g, false, print_other);
    for (int debian = 0; debian < 2; debian++) {
        boot_file(g, debian, path, sizeof(path));
        if (access(path, F_OK) == 0)
            printf("%s: at boot by %s\n", g->uname_machine, path);
    }
}

static void print(const struct guest *g)
{
    char rule[PATH_MAX + 256];
    binfmt_rule(g, opt.handler, rule, sizeof(rule));
    puts(rule);
}

static void print_debian(const struct guest *g)
{
    binfmt_debian_file(g, opt.handler, stdout);
}

/* ---- the command line ---- */

static const struct {
    const char *name;
    void (*fn)(const struct guest *g);
    bool handler; /* needs to know it */
} commands[] = {
    {"install", install, true}, {"remove", remove_guest, false},      {"status", status, false},
    {"print", print, true},     {"print-debian", print_debian, true},
};

static _Noreturn void usage(int status)
{
    fprintf(status ? stderr : stdout,
            "usage: dragomanctl binfmt install|remove|status [options]\n"
            "       dragomanctl binfmt print|print-debian [options]\n"
            "Has the kernel run foreign programs by dragoman-static, through binfmt_misc.\n\n"
            "  install             register at once\n"
            "  remove              no longer, and give back what --replace took\n"
            "  status              what is registered; exit status 0 when all is\n"
            "  print               the rules as systemd's binfmt.d wants them\n"
            "  print-debian        the same for update-binfmts; use with --guest\n\n"
            "  --guest=NAME        riscv64, aarch64 or all (the default)\n"
            "  --system            for the next boot, too\n"
            "  --replace           take over from another handler, such as qemu's\n"
            "  --handler=FILE      instead of the dragoman-static beside dragomanctl\n"
            "  --root=DIR          put the files of --system below DIR\n"
            "  --state=DIR         notes of what was replaced, instead of /run/dragoman\n"
            "See dragomanctl(1).\n");
    exit(status);
}

static const char *value_of(const char *arg, const char *name)
{
    size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 ? arg + n : NULL;
}

static void parse(int argc, char **argv)
{
    const char *v;
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        usage(0);
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        puts("dragomanctl " PACKAGE_VERSION);
        exit(0);
    }
    if (argc < 3 || strcmp(argv[1], "binfmt") != 0)
        usage(2);
    opt.command = argv[2];
    for (int i = 3; i < argc; i++) {
        const char *arg = argv[i];
        if ((v = value_of(arg, "--guest="))) {
            opt.guest = guest_by_name(v);
            if (!opt.guest && strcmp(v, "all") != 0) {
                complain("no guest '%s': there are riscv64, aarch64 and all", v);
                exit(2);
            }
        } else if ((v = value_of(arg, "--handler=")))
            opt.handler = v;
        else if ((v = value_of(arg, "--root=")))
            opt.root = v;
        else if ((v = value_of(arg, "--state=")))
            opt.state = v;
        else if (!strcmp(arg, "--system"))
            opt.system = true;
        else if (!strcmp(arg, "--replace"))
            opt.replace = true;
        else {
            complain("no option '%s'; 'dragomanctl --help' lists them", arg);
            exit(2);
        }
    }
}

/* An absolute name of the handler, which must be there. */
static void find_handler(void)
{
    static char path[PATH_MAX];
    if (!opt.handler) {
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
        char *slash = n > 0 ? strrchr((path[n] = 0, path), '/') : NULL;
        if (!slash) {
            complain("cannot tell where dragoman-static is: %s; name it with --handler",
                     strerror(errno));
            exit(1);
        }
        strcpy(slash, "/dragoman-static");
        opt.handler = path;
    }
    /* What a package is about to put below another root need not be here. */
    if (*opt.handler != '/' || strpbrk(opt.handler, ":\n") || strlen(opt.handler) > 120) {
        complain("%s: the kernel wants an absolute name of up to 120 bytes without a colon",
                 opt.handler);
        exit(1);
    }
    if (!strcmp(opt.command, "install") && access(opt.handler, X_OK) != 0) {
        complain("%s: %s; --handler names another", opt.handler, strerror(errno));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, opt.command) != 0)
            continue;
        if (commands[i].handler)
            find_handler();
        for (size_t g = 0; guest_at(g); g++)
            if (!opt.guest || opt.guest == guest_at(g))
                commands[i].fn(guest_at(g));
        return failures > 0;
    }
    usage(2);
}
