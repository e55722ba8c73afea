/* Loading guest programs.
 *
 * Owns: reading ELF images (headers are checked by hand, hostile files included), mapping them, PT_INTERP in the sysroot, shebang scripts, the initial
 * stack with auxv, the vdso.
 *
 * Threading: used by the first thread before guest code runs; load_probe from any.
 */
#ifndef DRAGOMAN_LOADER_LOAD_H
#define DRAGOMAN_LOADER_LOAD_H

#include "process/thread.h"

enum load_kind {
    LOAD_GUEST,  /* an ELF program of a guest that we run */
    LOAD_SCRIPT, /* #! interpreter */
    LOAD_HOST,   /* the host's own ISA: execute natively */
    LOAD_ERROR,  /* errno says why (ENOENT, EACCES, ENOEXEC, ...) */
};

struct load_probe {
    enum load_kind kind;
    int error;                         /* LOAD_ERROR: errno as execve would give */
    char why[160];                     /* LOAD_ERROR: one line for a person */
    const struct guest *guest;         /* LOAD_GUEST */
    char interp[256], interp_arg[256]; /* LOAD_SCRIPT */
    char sysroot
        [64]; /* the guest's libraries are below this directory, though nobody said so; or empty */
};

/* Open a program file for reading: fd or -errno. Never waits, whatever kind of file it is. */
int load_open(const char *host_path);

/* The file open at fd may be executed, as who opened it has found (the kernel, a dragoman before its exec): perhaps
 * by rights that this process has no longer. */
void load_grant(int fd);

/* Look at an open program file, as execve would: not only at its first bytes, but at everything for which
 * execve fails with an errno (permissions, headers, the interpreter and its headers). fd is left open. */
void load_probe_fd(int fd, struct load_probe *p);

struct load_args {
    const char *path;       /* host path of the program */
    const char *guest_path; /* as the guest shall see it (AT_EXECFN, /proc/self/exe) */
    int fd;                 /* open for reading */
    int argc;
    char **argv;
    char **envp;
    uint64_t stack_size;  /* 0: RLIMIT_STACK */
    const uint64_t *seed; /* AT_RANDOM's bytes come from it; NULL: from the kernel */
};

/* Follow #! lines, map the program and its interpreter, build the stack, fill `process` and set up t->cpu.
 * 0, or -errno with a line in why. When the program is a script whose interpreter is the host's, that
 * is executed in place of this process, and only a failure returns. */
int load_program(struct thread *t, const struct load_args *a, char *why, size_t why_size);

#endif
