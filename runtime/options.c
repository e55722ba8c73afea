/* The command line and the environment variables of dragoman: see options.h.
 *
 * One row per option; a row's setter is called alike for the command line and for the variables.
 * The single-dash names are those of qemu-user, so that a script works when only the name of the
 * program changes; options of it that mean nothing here but do no harm are accepted and ignored
 * (they are marked so), the others are refused.
 */
#include "runtime/options.h"
#include "base/log.h"
#include "base/report.h"
#include "syscall/sys.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifndef AT_FLAGS_PRESERVE_ARGV0
#define AT_FLAGS_PRESERVE_ARGV0 1 /* linux/binfmts.h, since Linux 5.12 */
#endif

struct options options = {.exec_fd = -1, .seccomp_fd = -1};

void options_fatal(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_verror(fmt, ap);
    va_end(ap);
    exit(1);
}

static char **forward;
static size_t nforward;

static void forward_add(const char *name, const char *value)
{
    forward = realloc(forward, (nforward + 3) * sizeof(*forward));
    if (!forward)
        options_fatal("out of memory while reading options");
    forward[nforward++] = (char *)name;
    if (value)
        forward[nforward++] = (char *)value;
    forward[nforward] = NULL;
}

/* ---- the guest's environment ---- */

static size_t env_find(const char *name, size_t len)
{
    size_t i = 0;
    while (options.envp[i] &&
           !(strncmp(options.envp[i], name, len) == 0 && options.envp[i][len] == '='))
        i++;
    return i;
}

static void env_unset(const char *name)
{
    for (size_t i = env_find(name, strlen(name)); options.envp[i]; i++)
        options.envp[i] = options.envp[i + 1];
}

static void env_set(const char *assignment)
{
    size_t len = strcspn(assignment, "=");
    size_t i = env_find(assignment, len);
    if (!options.envp[i]) {
        options.envp = realloc(options.envp, (i + 2) * sizeof(*options.envp));
        if (!options.envp)
            options_fatal("out of memory while setting %s", assignment);
        options.envp[i + 1] = NULL;
    }
    options.envp[i] = (char *)assignment;
}

/* Variables for the guest's dynamic linker, see SYS_ENV_GUEST: back to their own names. */
static void env_reveal(void)
{
    for (size_t i = 0; options.envp[i]; i++) {
        if (strncmp(options.envp[i], SYS_ENV_GUEST, sizeof(SYS_ENV_GUEST) - 1) == 0)
            options.envp[i] += sizeof(SYS_ENV_GUEST) - 1;
    }
}

/* A list with commas, as qemu-user has it: each part is taken. */
static void each_part(const char *list, const char *option, bool assignment)
{
    char *copy = strdup(list), *rest = copy;
    if (!copy)
        options_fatal("out of memory while reading %s", option);
    for (char *part = strsep(&rest, ","); part; part = strsep(&rest, ",")) {
        bool has_value = strchr(part, '=') != NULL;
        if (!*part || *part == '=' || has_value != assignment)
            options_fatal("%s %s: '%s' is not %s", option, list, part,
                          assignment ? "of the form NAME=VALUE" : "a variable's name");
        if (assignment)
            env_set(part);
        else
            env_unset(part);
    }
}

/* ---- numbers ---- */

/* Bytes, with a suffix K, M or G where wanted. */
static uint64_t parse_size(const char *text, const char *option)
{
    char *end;
    errno = 0;
    uint64_t v = strtoull(text, &end, 0);
    unsigned shift = 0;
    switch (*end) {
    case 'G':
    case 'g':
        shift += 10; /* fall through */
    case 'M':
    case 'm':
        shift += 10; /* fall through */
    case 'K':
    case 'k':
        shift += 10;
        end++;
        break;
    }
    if (end == text || *end || errno || *text == '-' || (v << shift) >> shift != v || v == 0)
        options_fatal("%s %s: give a size in bytes, such as 8388608 or 8M", option, text);
    return v << shift;
}

/* ---- the rows ---- */

static void set_sysroot(const char *v, const char *name)
{
    /* An empty or root prefix redirects nothing. A variable may name a directory of another root. */
    bool nothing = !*v || strcmp(v, "/") == 0 || (*name != '-' && access(v, F_OK) != 0);
    options.sysroot = nothing ? NULL : v;
}

void options_set_sysroot(const char *dir)
{
    options.sysroot = dir;
    forward_add("-L", dir);
}

static void set_env(const char *v, const char *name)
{
    each_part(v, name, true);
}

static void unset_env(const char *v, const char *name)
{
    each_part(v, name, false);
}

static void set_argv0(const char *v, const char *name)
{
    (void)name;
    options.argv0 = v;
}

static void set_uname(const char *v, const char *name)
{
    (void)name;
    options.uname = v;
}

static void set_stack(const char *v, const char *name)
{
    options.stack_size = parse_size(v, name);
}

static void set_seed(const char *v, const char *name)
{
    static uint64_t seed;
    char *end;
    errno = 0;
    seed = strtoull(v, &end, 0);
    if (end == v || *end || errno)
        options_fatal("%s %s: give a number", name, v);
    options.seed = &seed;
}

static void set_gdb(const char *v, const char *name)
{
    (void)name;
    options.gdb = v;
}

static void set_strace(const char *v, const char *name)
{
    (void)v;
    (void)name;
    options.strace = true;
}

/* What qemu-user can log besides, about its own ways. */
static bool is_qemu_category(const char *name)
{
    static const char *const names[] = {"op_ind",       "fpu", "mmu", "pcall",      "cpu_reset",
                                        "guest_errors", "tid", "vpu", "invalid_mem"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return strncmp(name, "trace:", 6) == 0;
}

static void set_log(const char *v, const char *name)
{
    if (strcmp(v, "help") == 0) {
        log_list(STDOUT_FILENO);
        exit(0);
    }
    char *copy = strdup(v), *rest = copy;
    if (!copy)
        options_fatal("out of memory while reading %s", name);
    for (char *one = strsep(&rest, ","); one; one = strsep(&rest, ",")) {
        if (log_enable(one) && !is_qemu_category(one))
            options_fatal("%s: no log category '%s'; '-d help' lists them", name, one);
    }
    free(copy);
    options.log = v;
}

static void set_log_file(const char *v, const char *name)
{
    (void)name;
    options.log_file = v;
}

static void set_filter(const char *v, const char *name)
{
    const char *bad = log_filter(v);
    if (bad)
        options_fatal("%s %s: '%s' is not of the form START..END, START+LENGTH or START-LENGTH, or "
                      "there are more than %d",
                      name, v, bad, LOG_RANGES_MAX);
}

static void set_engine(const char *v, const char *name)
{
    if (strcmp(v, "auto") == 0)
        options.engine = ENGINE_AUTO;
    else if (strcmp(v, "interp") == 0)
        options.engine = ENGINE_INTERP;
    else if (strcmp(v, "bt") == 0)
        options.engine = ENGINE_BT;
    else
        options_fatal("%s: no engine '%s'; there are auto, interp and bt", name, v);
}

/* For tests: when translation happens. */
static void set_hot(const char *v, const char *name)
{
    char *end = NULL;
    errno = 0;
    unsigned long first = strtoul(v, &end, 10), second = 0;
    bool good = *v >= '0' && *v <= '9' && *end == ',';
    if (good) {
        const char *rest = end + 1;
        second = strtoul(rest, &end, 10);
        good = *rest >= '0' && *rest <= '9' && !*end;
    }
    if (!good || errno || first < 1 || first > INT32_MAX || second > INT32_MAX)
        options_fatal("%s %s: give two counts such as 16,32000: entries before a block is "
                      "translated, rounds before it is translated better (0: at once)",
                      name, v);
    options.hot = true;
    options.hot_level1 = (uint32_t)first;
    options.hot_level2 = (uint32_t)second;
}

static void set_stats(const char *v, const char *name)
{
    (void)name;
    options.stats = true;
    options.stats_file = v && *v ? v : NULL;
}

static void set_code_cache(const char *v, const char *name)
{
    options.code_cache = parse_size(v, name);
    if (options.code_cache < 64 << 10)
        options_fatal("%s %s: the code cache needs 64K at least", name, v);
}

/* qemu's: in MiB, 0 for the default. */
static void set_tb_size(const char *v, const char *name)
{
    char *end;
    errno = 0;
    unsigned long mib = strtoul(v, &end, 0);
    if (end == v || *end || errno)
        options_fatal("%s %s: give a number of MiB", name, v);
    options.code_cache = mib < 1024 ? (uint64_t)mib << 20 : UINT64_C(1) << 30;
}

static int parse_fd(const char *v, const char *name)
{
    char *end;
    long fd = strtol(v, &end, 10);
    if (end == v || *end || fd < 0 || fd > INT_MAX)
        options_fatal("%s %s: give the number of an open file", name, v);
    return (int)fd;
}

/* Between a dragoman and the one that it executes for a program whose name says nothing. */
static void set_exec_fd(const char *v, const char *name)
{
    options.exec_fd = parse_fd(v, name);
}

/* The same, when the root directory has changed: the options before it are those of the old one. */
static void set_self_fd(const char *v, const char *name)
{
    options.sysroot = NULL;
    sys_take_self(parse_fd(v, name));
}

/* The same, when the kernel would have started it for any other name. */
static void set_by_kernel(const char *v, const char *name)
{
    (void)v;
    (void)name;
    options.by_kernel = true;
}

/* What the system calls of the program that executed this one were filtered by. */
static void set_seccomp_fd(const char *v, const char *name)
{
    options.seccomp_fd = parse_fd(v, name);
}

/* The program that executed this one is traced by a guest program. */
static void set_traced(const char *v, const char *name)
{
    (void)name;
    options.traced = v;
}

static void set_check_addresses(const char *v, const char *name)
{
    (void)v, (void)name;
    options.check_addresses = true;
}

static void set_perfmap(const char *v, const char *name)
{
    (void)v;
    (void)name;
    options.perfmap = true;
}

static void set_jitdump(const char *v, const char *name)
{
    (void)v;
    (void)name;
    options.jitdump = true;
}

/* Any model is accepted: there is one of each guest, with all that it has. */
static void set_cpu(const char *v, const char *name)
{
    (void)name;
    if (strcmp(v, "help") != 0)
        return;
    puts("Any name is accepted and means the same: all that is implemented of the guest's\n"
         "instruction set (/proc/cpuinfo tells the guest).");
    exit(0);
}

static void refuse_plugin(const char *v, const char *name)
{
    options_fatal("%s %s: plugins are made for qemu and cannot be loaded", name, v);
}

static void ignore(const char *v, const char *name)
{
    (void)v;
    (void)name;
}

static void show_help(const char *v, const char *name);
static void show_version(const char *v, const char *name);

enum arg { ARG_NONE, ARG_WORD, ARG_OPTIONAL };
enum { FWD = 1 }; /* a program started by the guest gets the option too */

static const struct option_row {
    const char *name; /* without dashes: one or two are accepted */
    enum arg arg;
    const char *arg_name;
    const char *env; /* variable's name after DRAGOMAN_ or QEMU_, or NULL */
    void (*set)(const char *value, const char *name);
    int flags;
    const char *help; /* NULL: accepted, ignored and not listed */
} rows[] = {
    {"L", ARG_WORD, "DIR", "LD_PREFIX", set_sysroot, FWD,
     "take absolute paths that exist below DIR from there"},
    {"E", ARG_WORD, "NAME=VALUE", "SET_ENV", set_env, 0,
     "set variables of the guest's environment (more: commas, or again)"},
    {"U", ARG_WORD, "NAME", "UNSET_ENV", unset_env, 0,
     "unset variables of the guest's environment"},
    {"0", ARG_WORD, "ARGV0", "ARGV0", set_argv0, 0, "what the program finds as argv[0]"},
    {"r", ARG_WORD, "RELEASE", "UNAME", set_uname, FWD, "kernel release that uname tells"},
    {"s", ARG_WORD, "SIZE", "STACK_SIZE", set_stack, FWD,
     "size of the first thread's stack (suffixes K, M, G)"},
    {"seed", ARG_WORD, "NUMBER", "RAND_SEED", set_seed, FWD,
     "make the random bytes that the program is started with (AT_RANDOM) from this"},
    {"g", ARG_WORD, "PORT", "GDB", set_gdb, 0,
     "wait for gdb at this TCP port of the loopback interface, or at a socket of this name"},
    {"strace", ARG_NONE, NULL, "STRACE", set_strace, FWD, "print each system call, decoded"},
    {"d", ARG_WORD, "LIST", "LOG", set_log, FWD, "log these categories ('-d help' lists them)"},
    {"dfilter", ARG_WORD, "RANGE", "DFILTER", set_filter, FWD,
     "log code of these guest addresses alone (START..END, START+LENGTH; more: commas)"},
    {"D", ARG_WORD, "FILE", "LOG_FILENAME", set_log_file, FWD,
     "write the log there instead of stderr; %d is the process id"},
    {"engine", ARG_WORD, "ENGINE", "ENGINE", set_engine, FWD,
     "auto, interp (interpreter alone) or bt (translate at first touch)"},
    {"hot", ARG_WORD, "N,M", "HOT", set_hot, FWD,
     "translate after N entries, better after M runs (0: at once)"},
    {"stats", ARG_OPTIONAL, "FILE", "STATS", set_stats, FWD,
     "counters as JSON when the program ends, to stderr or appended to FILE"},
    {"code-cache", ARG_WORD, "SIZE", "CODE_CACHE", set_code_cache, FWD,
     "capacity of the code cache (suffixes K, M, G)"},
    {"tb-size", ARG_WORD, NULL, "TB_SIZE", set_tb_size, FWD, NULL},
    {"check-addresses", ARG_NONE, NULL, "CHECK_ADDRESSES", set_check_addresses, FWD,
     "have translated code check that each access is below the guest's end"},
    {"perfmap", ARG_NONE, NULL, "PERFMAP", set_perfmap, FWD,
     "write /tmp/perf-PID.map, so that perf names guest functions"},
    {"jitdump", ARG_NONE, NULL, "JITDUMP", set_jitdump, FWD,
     "write jit-PID.dump in the current directory, for perf inject --jit"},
    {"exec-fd", ARG_WORD, NULL, NULL, set_exec_fd, 0, NULL},
    {"seccomp-fd", ARG_WORD, NULL, NULL, set_seccomp_fd, 0, NULL},
    {"traced", ARG_WORD, NULL, NULL, set_traced, 0, NULL},
    {"self-fd", ARG_WORD, NULL, NULL, set_self_fd, 0, NULL},
    {"by-kernel", ARG_NONE, NULL, NULL, set_by_kernel, 0, NULL},
    {"version", ARG_NONE, NULL, "VERSION", show_version, 0, "print the version and exit"},
    {"h", ARG_NONE, NULL, NULL, show_help, 0, "print this help and exit"},
    {"help", ARG_NONE, NULL, NULL, show_help, 0, NULL},
    /* qemu-user's, without a meaning here or not to be had. */
    {"B", ARG_WORD, NULL, "GUEST_BASE", ignore, 0, NULL},
    {"R", ARG_WORD, NULL, "RESERVED_VA", ignore, 0, NULL},
    {"p", ARG_WORD, NULL, "PAGESIZE", ignore, 0, NULL},
    {"cpu", ARG_WORD, NULL, "CPU", set_cpu, 0, NULL},
    {"t", ARG_WORD, NULL, "RTSIG_MAP", ignore, 0, NULL},
    {"trace", ARG_WORD, NULL, "TRACE", ignore, 0, NULL},
    {"plugin", ARG_WORD, NULL, "PLUGIN", refuse_plugin, 0, NULL},
    {"singlestep", ARG_NONE, NULL, "SINGLESTEP", ignore, 0, NULL},
    {"one-insn-per-tb", ARG_NONE, NULL, "ONE_INSN_PER_TB", ignore, 0, NULL},
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static void show_version(const char *v, const char *name)
{
    (void)v;
    (void)name;
    puts(PACKAGE_STRING);
    exit(0);
}

static void show_help(const char *v, const char *name)
{
    (void)v;
    (void)name;
    printf("usage: dragoman [options] program [arguments]\n"
           "Runs a Linux program that was built for another instruction set.\n\n");
    for (size_t i = 0; i < NROWS; i++) {
        const struct option_row *r = &rows[i];
        if (!r->help)
            continue;
        char left[40];
        if (strlen(r->name) == 1 || r->arg == ARG_NONE)
            snprintf(left, sizeof(left), "-%s%s%s", r->name, r->arg_name ? " " : "",
                     r->arg_name ? r->arg_name : "");
        else
            snprintf(left, sizeof(left), r->arg == ARG_OPTIONAL ? "--%s[=%s]" : "--%s=%s", r->name,
                     r->arg_name);
        printf("  %-20s %-12s %s\n", left, r->env ? r->env : "", r->help);
    }
    printf("\nThe second column names the environment variable with the same meaning, after the\n"
           "prefix DRAGOMAN_ or QEMU_; options on the command line override it.\n"
           "See dragoman(1).\n");
    exit(0);
}

static const struct option_row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < NROWS; i++) {
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    }
    return NULL;
}

static void from_environment(void)
{
    for (size_t i = 0; i < NROWS; i++) {
        if (!rows[i].env)
            continue;
        static const char *const prefixes[] = {"DRAGOMAN_", "QEMU_"};
        for (int p = 0; p < 2; p++) {
            char name[64];
            snprintf(name, sizeof(name), "%s%s", prefixes[p], rows[i].env);
            const char *v = getenv(name);
            if (!v)
                continue;
            rows[i].set(v, name);
            break;
        }
    }
}

/* Started by the kernel: binfmt_misc(5) gives INTERPRETER PROGRAM ARGV0 ARGUMENT... with flag P, without
 * ARGV0 otherwise, and with flag O the program open. With neither flag nothing tells, and nothing needs to: a
 * program's full name is no option. */
static bool kernel_started(int argc, char **argv)
{
    errno = 0;
    unsigned long fd = getauxval(AT_EXECFD);
    bool has_fd = errno == 0, has_argv0 = getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0;
    if ((!has_fd && !has_argv0) || argc < (has_argv0 ? 3 : 2))
        return false;
    options.by_kernel = true;
    if (has_fd)
        options.exec_fd = (int)fd;
    options.execfn = (const char *)getauxval(AT_EXECFN);
    options.program = 1;
    if (has_argv0) {
        /* The name is wanted for opening, the word before the arguments is argv[0]. */
        char *name = argv[1];
        options.argv0 = argv[2];
        argv[2] = name;
        options.program = 2;
    }
    return true;
}

void options_parse(int argc, char **argv, char **envp)
{
    size_t n = 0;
    while (envp[n])
        n++;
    options.envp = malloc((n + 1) * sizeof(*envp));
    if (!options.envp)
        options_fatal("out of memory while reading options");
    memcpy(options.envp, envp, (n + 1) * sizeof(*envp));
    forward_add("--", NULL); /* replaced below; makes the array exist */
    nforward = 0;
    forward[0] = NULL;

    env_reveal();
    /* What whoever calls a set-user-ID program has in the environment shall not choose files to write. */
    if (!getauxval(AT_SECURE))
        from_environment();
    if (kernel_started(argc, argv))
        return;
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--") == 0) {
            i++;
            break;
        }
        const char *name = arg + (arg[1] == '-' ? 2 : 1);
        size_t len = strcspn(name, "=");
        const struct option_row *r = find_row(name, len);
        if (!r)
            options_fatal("no option '%s'; 'dragoman -h' lists them", arg);
        const char *value = name[len] ? name + len + 1 : NULL;
        if (r->arg == ARG_NONE && value)
            options_fatal("option '%.*s' takes no value", (int)(name + len - arg), arg);
        if (r->arg == ARG_WORD && !value) {
            if (i + 1 >= argc)
                options_fatal("option '%s' needs a value: %s %s", arg, arg,
                              r->arg_name ? r->arg_name : "VALUE");
            value = argv[++i];
        }
        r->set(value, arg);
        if (r->flags & FWD) {
            /* A word of its own for each: the name as it stands, and the value where it followed.
             */
            forward_add(arg, r->arg == ARG_WORD && !name[len] ? value : NULL);
        }
    }
    if (i >= argc)
        options_fatal("no program given; usage: dragoman [options] program [arguments]");
    options.program = i;
}

char **options_forward(void)
{
    return options.by_kernel ? NULL : forward;
}
