/* The command line and the environment variables of dragoman.
 *
 * Owns: the table of options (options.c), its help text and what was chosen.
 *
 * Threading: options_parse runs once, before any other thread; the result is constant after that.
 */
#ifndef DRAGOMAN_RUNTIME_OPTIONS_H
#define DRAGOMAN_RUNTIME_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum engine { ENGINE_AUTO, ENGINE_INTERP, ENGINE_BT };

struct options {
    const char *sysroot;    /* -L */
    const char *argv0;      /* -0, or NULL */
    const char *uname;      /* -r, or NULL */
    uint64_t stack_size;    /* -s, bytes; 0: as RLIMIT_STACK says */
    const uint64_t *seed;   /* -seed, or NULL */
    const char *gdb;        /* -g, or NULL */
    bool strace;            /* -strace */
    const char *log;        /* -d */
    const char *log_file;   /* -D */
    enum engine engine;     /* --engine */
    bool hot;               /* --hot was given: */
    uint32_t hot_level1;    /* entries before a block is translated, 1 at least */
    uint32_t hot_level2;    /* rounds before level 2 replaces level 1; 0: level 2 at once */
    bool stats;             /* --stats */
    const char *stats_file; /* --stats=FILE, or NULL for stderr */
    uint64_t code_cache;    /* --code-cache, bytes; 0: the default */
    bool check_addresses;   /* --check-addresses */
    bool perfmap, jitdump;  /* --perfmap, --jitdump */
    bool by_kernel;         /* the kernel's binfmt_misc started us */
    int exec_fd;            /* --exec-fd or AT_EXECFD: the program is open there; -1: by name */
    int seccomp_fd;         /* --seccomp-fd: filters of who executed us; -1: none */
    const char *traced;     /* --traced: how the thread that executed us is (trace_save), or NULL */
    const char *execfn;     /* what the guest finds as AT_EXECFN, or NULL: the program's name */
    char **envp;            /* the guest's environment, after -E and -U; NULL-terminated */
    int program;            /* index in argv of the guest program */
};
extern struct options options;

/* Where the kernel started us through binfmt_misc, argv is the program's and not parsed. Else:
 * parse the environment's variables, then argv, which overrides them. Prints help or version and
 * exits 0 where asked; on a bad option prints one line and exits 1. */
void options_parse(int argc, char **argv, char **envp);

/* As if -L had been given. */
void options_set_sysroot(const char *dir);

/* A bad option or one that cannot be honoured: one line, exit status 1. */
_Noreturn void options_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The options that a dragoman started by this one for a child program must get to act alike,
 * without argv[0] of dragoman itself and without -0: a NULL-terminated array, constant after
 * parsing. NULL where the kernel started us: it starts children, too. */
char **options_forward(void);

#endif
