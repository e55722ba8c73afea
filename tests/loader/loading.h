/* tests/loader: load a file into this process and take it away again. */
#ifndef DRAGOMAN_TESTS_LOADER_LOADING_H
#define DRAGOMAN_TESTS_LOADER_LOADING_H

#include "loader/load.h"
#include "process/mm.h"
#include <stdlib.h>

static inline int loading_collect(const struct vma *v, void *arg)
{
    uint64_t *range = arg;

    if (!range[1])
        range[0] = v->start;
    range[1] = v->end;
    return 0;
}

/* Unmap all that the guest has, and forget what `process` knows of the program. */
static inline void loading_clear(void)
{
    uint64_t range[2] = {0, 0};
    const char *sysroot = process.sysroot;

    mm_for_each(loading_collect, range);
    if (range[1])
        mm_munmap(range[0], range[1] - range[0]);
    free(process.exe_path);
    free(process.host_exe);
    free(process.argv);
    process = (struct process){.sysroot = sysroot};
}

static inline int loading_load(struct thread *t, int fd, int argc, char **argv, char **envp,
                               char why[256])
{
    struct load_args a = {.path = "/test/host/path",
                          .guest_path = "/test/path",
                          .fd = fd,
                          .argc = argc,
                          .argv = argv,
                          .envp = envp};

    return load_program(t, &a, why, 256);
}

#endif
