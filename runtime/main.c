/* dragoman's main: options, the first guest thread, the run loop.
 *
 * Exit statuses before the guest runs are a shell's: 127 when the program does not exist, 126 when
 * it cannot be executed, 1 for a bad option.
 */
#include "base/log.h"
#include "base/report.h"
#include "codecache/blocks.h"
#include "exceptions/sig.h"
#include "exceptions/trace.h"
#include "host/x64/features.h"
#include "loader/load.h"
#include "process/mm.h"
#include "process/thread.h"
#include "runtime/gdb.h"
#include "runtime/options.h"
#include "runtime/run.h"
#include "runtime/stats.h"
#include "runtime/threads.h"
#include "syscall/procfs.h"
#include "syscall/rlimit.h"
#include "syscall/sys.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

extern char **environ;

/* Registers for a VM-bug report. */
static void report_registers(void *arg)
{
    static char text[4096];
    struct thread *t = thread_self;
    (void)arg;
    if (!t || !t->cpu.guest)
        return;
    size_t n = t->cpu.guest->cpu_print(&t->cpu, text, sizeof(text) - 1);
    text[n] = 0;
    for (char *rest = text, *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
        report_line("%s", line);
}

static _Noreturn void cannot_run(int error, const char *program, const char *why)
{
    report_error("cannot run %s: %s", program, why && *why ? why : strerror(error));
    exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* The command line, for what runs on the stack of its own. */
static int argc;
static char **argv;

static _Noreturn void start(void)
{
    if (options.sysroot) {
        char *abs = realpath(options.sysroot, NULL);
        if (!abs)
            options_fatal("-L %s: %m; give an existing directory", options.sysroot);
        options.sysroot = abs;
    }
    if (options.log_file && log_open(options.log_file, true) != 0)
        options_fatal("-D %s: cannot open it for writing: %m", options.log_file);
    if (options.strace)
        log_enable_one(LOG_STRACE);
    if (log_enabled(LOG_STRACE))
        sys_trace_signals();
    stats_start();
    const char *bad;
    if (!x64_features_init(NULL, &bad))
        options_fatal("DRAGOMAN_HOST: '%s' is no level or feature of x86-64", bad);
    run_init();

    process.sysroot = options.sysroot;
    process.strace = options.strace;
    process.uname_release = options.uname;
    int persona = personality(0xffffffff);
    mm_init(persona < 0 || !(persona & ADDR_NO_RANDOMIZE), cc_invalidate);
    sys_limit_init();

    const char *program = argv[options.program];
    char host_path[PATH_MAX];
    const char *host = sys_host_path(host_path, program);
    int fd = options.exec_fd >= 0 ? options.exec_fd : load_open(host);
    if (fd < 0)
        cannot_run(-fd, program, NULL);
    if (options.exec_fd >= 0)
        load_grant(fd);
    struct load_probe probe;
    load_probe_fd(fd, &probe);
    char *found = probe.sysroot[0] ? realpath(probe.sysroot, NULL) : NULL;
    if (found) {
        options_set_sysroot(found);
        process.sysroot = found;
    }
    if (probe.kind == LOAD_HOST) {
        /* The host's own kind: nothing to translate. */
        if (options.argv0)
            argv[options.program] = (char *)options.argv0;
        execve(host, argv + options.program, options.envp);
        cannot_run(errno, program, NULL);
    }
    if (probe.kind == LOAD_ERROR)
        cannot_run(probe.error, program, probe.why);

    struct sighand *sh = sighand_new();
    struct thread *t = sh ? thread_new(probe.guest, sh) : NULL;
    if (!t)
        report_no_memory("the program's first thread");
    thread_self = t;
    t->tid = gettid();
    thread_list_add(t);
    if (options.seccomp_fd >= 0 && !sys_seccomp_restore(t, options.seccomp_fd))
        options_fatal("--seccomp-fd=%d: no filters of dragoman's there", options.seccomp_fd);
    if (options.traced && !trace_restore(t, options.traced))
        options_fatal("--traced=%s: no state of dragoman's", options.traced);
    sig_init(sh); /* before the program is touched: a short file faults when it is */
    report_add_callback(report_registers, NULL);

    if (options.argv0)
        argv[options.program] = (char *)options.argv0;
    struct load_args args = {
        .path = host,
        .guest_path = options.execfn ? options.execfn : program,
        .fd = fd,
        .argc = argc - options.program,
        .argv = argv + options.program,
        .envp = options.envp,
        .stack_size = options.stack_size,
        .seed = options.seed,
    };
    char why[256] = "";
    int rc = load_program(t, &args, why, sizeof(why));
    close(fd);
    if (rc < 0)
        cannot_run(-rc, program, why);
    trace_root.machine = t->cpu.guest->elf_machine; /* of a script, known only now */
    if (log_enabled(LOG_PAGE)) {
        size_t len;
        char *maps = mm_maps_text(&len);
        for (char *line = maps; line && *line; line += strcspn(line, "\n") + 1)
            log_printf("%.*s\n", (int)strcspn(line, "\n"), line);
        free(maps);
    }
    sys_hide_fd(log_fd());
    sys_hide_fd(stats_fd());
    sys_proc_publish();
    threads_init();
    sys_find_self();
    cc_cpu_add(&t->cpu);
    if (options.gdb)
        gdb_start(options.gdb, t);
    run_thread(t);
}

/* A low limit of the stack (ulimit -s) is the guest's affair; the VM has its own, like every other guest thread's. */
#define STACK_SIZE (512 << 10)
#define STACK_GUARD 4096

int main(int count, char **words)
{
    argc = count;
    argv = words;
    options_parse(argc, argv, environ);
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, STACK_GUARD, PROT_NONE) != 0)
        options_fatal("no memory for a stack: %m");
    __asm__ volatile("movq %0, %%rsp\n\txorl %%ebp, %%ebp\n\tcall *%1"
                     :
                     : "r"(stack + STACK_SIZE), "r"(start)
                     : "memory");
    __builtin_unreachable();
}
