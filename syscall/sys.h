/* System calls of the guest.
 *
 * Owns: the table (syscall.def: one row per call), dispatch, conversion of structs and flags, the
 * -strace text, and the files of /proc that tell the guest about itself.
 *
 * Threading: reentrant; state shared by the process is locked by its owner.
 */
#ifndef DRAGOMAN_SYSCALL_SYS_H
#define DRAGOMAN_SYSCALL_SYS_H

#include "process/thread.h"

/* Variables for the guest's dynamic linker would act on the host's, too, when a guest program is executed
 * by starting dragoman: they pass with this before their names, and dragoman takes it off. */
#define SYS_ENV_GUEST "DRAGOMAN_GUEST_"

/* What an executable file is, for execve. */
struct sys_program {
    enum { SYS_PROGRAM_GUEST, SYS_PROGRAM_SCRIPT, SYS_PROGRAM_HOST } kind;
    char interp[256], interp_arg[256]; /* of a script; the argument may be empty */
};

struct sys_process_room {
    void *stack;
    size_t size;
    uint64_t tls;
    uint32_t *left;
};

/* What only the run loop can do, registered by runtime/ at start-up. */
struct sys_hooks {
    /* Start a host thread that runs t (already set up: registers, sighand, masks) and writes its tid to
     * the guest addresses that the flags name. The tid, or -errno: then t is still the caller's. */
    int (*start_thread)(struct thread *t, uint64_t clone_flags, uint64_t parent_tid,
                        uint64_t child_tid);
    /* The calling guest thread ends. Does not return. */
    void (*thread_exit)(struct thread *t, int status);
    /* The whole process ends. Does not return. */
    void (*process_exit)(struct thread *t, int status);
    /* For a process that is going to run beside this one in the same memory: a host stack and thread-local storage of its own,
     * in *at, which live until the kernel clears at->left (CLONE_CHILD_CLEARTID). False: no memory. unprepare: it was not
     * started after all. run_process: the first thing that it does, on that stack. */
    bool (*prepare_process)(struct thread *t, struct sys_process_room *at);
    void (*unprepare_process)(struct thread *t);
    void (*run_process)(struct thread *t);
    /* Put away what such processes left that have ended or executed a program. Cheap when there are none. */
    void (*reap_processes)(void);
    /* Run the guest in the child of a vfork that shares our memory, until it execs or exits: called in the child. */
    void (*run_vfork_child)(struct thread *t);
    /* Around a fork: take and release the locks of runtime/; in the child only the caller is left. */
    void (*fork_begin)(void);
    void (*fork_end)(bool child);
    /* Look at an open program file: 0, or -errno as execve would give. */
    int (*probe)(int fd, struct sys_program *p);
    /* Options to pass on when a guest program is executed: a NULL-terminated array, constant. NULL: the
     * kernel runs such programs by itself, as it did this one. */
    char **(*exec_prefix)(void);
};
extern struct sys_hooks sys_hooks;

/* Perform the system call that the cpu's registers describe; pc is already behind the instruction.
 * Writes the result register unless the call replaced the registers (rt_sigreturn). On
 * -SIG_RESTART it puts pc back to the instruction. */
void sys_dispatch(struct thread *t);

struct sys_stats {
    uint64_t calls, errors;
};
void sys_get_stats(struct sys_stats *s);

/* Have signals traced along with the calls (-strace). Before guest code runs. */
void sys_trace_signals(void);

/* Hide a descriptor that the runtime keeps open (log_fd()) from the guest; -1 is ignored. Before guest
 * code runs. */
void sys_hide_fd(int fd);

/* The dragoman that executed us holds its own program open there, since its name leads nowhere in this root
 * (see sys_chroot): ours now. */
void sys_take_self(int fd);

/* Hold our own program where /proc, by which it is executed again for a child, does not show it. Before guest code runs
 * and may change the working directory. */
void sys_find_self(void);

/* The filters that sys_seccomp_save (proc_exec.c) left at fd become those of t, which has none. False: it holds
 * something else. */
bool sys_seccomp_restore(struct thread *t, int fd);

/* A guest path that may lie below the sysroot: writes the host path to use into buf (size PATH_MAX)
 * and returns buf, or path itself when it is not redirected. process.sysroot must be absolute. */
const char *sys_host_path(char *buf, const char *path);

#endif
