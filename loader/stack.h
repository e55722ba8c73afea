/* The initial stack of a guest program.
 *
 * Threading: used by the first thread before guest code runs.
 */
#ifndef DRAGOMAN_LOADER_STACK_H
#define DRAGOMAN_LOADER_STACK_H

#include "loader/image.h"
#include "loader/load.h"

struct load_stack {
    const struct guest *guest;
    const struct load_image *image;
    uint64_t interp_base; /* AT_BASE: the interpreter's bias, 0 without one */
    const char *execfn;
    int argc;
    char **argv, **envp;
    uint64_t size;        /* fixed size in bytes, or 0: grows up to RLIMIT_STACK */
    const uint64_t *seed; /* for AT_RANDOM, or NULL */
};

/* Would these strings be too much for execve? 0 or -E2BIG. */
int load_check_args(int argc, char **argv, char **envp, const struct load_why *why);

/* Map and fill the stack; fills process.{arg,env,auxv}_*, stack_start. Returns the initial stack
 * pointer, or -errno. process.vdso is set already. */
int64_t load_build_stack(const struct load_stack *s, const struct load_why *why);

#endif
