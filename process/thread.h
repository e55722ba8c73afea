/* Guest threads and what they share.
 *
 * Owns: struct thread (one per guest thread; each is a host thread of its own), struct sighand (signal
 * dispositions, shared by CLONE_SIGHAND), struct process (what the whole process shares), the list
 * of threads.
 *
 * Threading: a thread's fields belong to it, but for those said otherwise. The list has a lock
 * (thread_lock). Lock order: thread_lock before mm_lock before cc lock.
 */
#ifndef DRAGOMAN_PROCESS_THREAD_H
#define DRAGOMAN_PROCESS_THREAD_H

#include "base/list.h"
#include "guest/guest.h"
#include "process/trace.h"
#include "uop/cpu.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A guest signal action in the kernel's layout for 64-bit asm-generic guests. */
struct guest_sigaction {
    uint64_t handler; /* 0 SIG_DFL, 1 SIG_IGN, else a guest address */
    uint64_t flags;
    uint64_t mask;
    uint64_t restorer; /* where the guest's ABI has it; 0 otherwise */
};

struct sighand {
    unsigned refs; /* atomic */
    pthread_mutex_t lock;
    struct guest_sigaction action[64]; /* index signo - 1 */
};

/* A signal caught by the host handler and not yet delivered to the guest. While one is held every
 * asynchronous signal is blocked on the host for this thread, so there is never a second. */
struct sigheld {
    volatile sig_atomic_t signo; /* 0: none */
    volatile sig_atomic_t
        wake; /* of `held`: a tracer wants the thread out of its system call, too */
    siginfo_t info;
};

struct thread {
    struct cpu cpu;
    struct list link; /* of all threads, under thread_lock */
    pid_t tid;
    struct sighand *sighand;
    uint64_t sigmask;       /* the guest's blocked signals */
    uint64_t saved_sigmask; /* to be restored after sigsuspend & co. delivered their signal */
    bool restore_sigmask;
    stack_t altstack; /* guest addresses */
    struct sigheld held;
    struct sigheld hidden[3]; /* SIGSEGV, SIGBUS, SIGFPE: sent while the guest blocks it */
    uint64_t call_sigmask;    /* host form of the mask of a ppoll & co. under way */
    uint64_t clear_child_tid; /* guest address, 0 for none */
    bool tagged_addr; /* system calls take the tag away from addresses: PR_SET_TAGGED_ADDR_CTRL */
    bool exiting;
    const struct seccomp *seccomp; /* syscall/seccomp.c; NULL: no filter */
    struct thread *vfork_parent;   /* in a vfork child: who waits */
    bool
        apart; /* of a process of its own that shares our memory: a vfork child, or one that runs beside us */
    unsigned *group;           /* how many threads its process has, under thread_lock */
    struct host_stack *beside; /* the first thread of a process beside us: runtime/threads.c */
    void *exec_args;           /* of execve; a vfork child leaves it to its parent to unmap */
    size_t exec_args_size;
    int exit_status;
    struct trace trace;

    /* Of the debugger (runtime/gdb.c), under its lock. */
    struct {
        siginfo_t info; /* the event that it stopped for */
        bool stopped;   /* waits to be let go */
        bool reported;  /* the debugger knows the event */
        bool run;       /* may enter an engine although the world stands still */
        bool step;      /* shall execute one instruction and report; read by its own thread alone */
        uint64_t start, end; /* a step that ends in [start, end) goes on */
        int signo;           /* to be delivered, by the debugger's will */
    } debug;
};

/* What the whole process shares. */
struct process {
    const struct guest *guest;
    char *exe_path;      /* of the guest program, absolute, as the guest sees it */
    char *host_exe;      /* same, on the host (below the sysroot, say) */
    char **argv;         /* guest's, NULL-terminated */
    const char *sysroot; /* -L, or NULL */
    uint64_t arg_start, arg_end, env_start, env_end; /* guest addresses on its stack */
    uint64_t auxv_start, auxv_end;
    uint64_t vdso;
    uint64_t entry, phdr;
    uint64_t stack_start;
    bool strace;
    const char *uname_release; /* -r, or NULL */
};
extern struct process process;

/* The calling host thread's guest thread. */
extern _Thread_local struct thread *thread_self;

/* Allocate a thread with fresh registers (mmap'ed, aligned, zeroed); add/remove to the list. */
struct thread *thread_new(const struct guest *g, struct sighand *sh);
void thread_free(struct thread *t);
void thread_list_add(struct thread *t);
void thread_list_remove(struct thread *t);
/* Threads of the calling one's process. */
unsigned thread_count(void);
/* Visit all under thread_lock. */
void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg);
/* Ask every thread to leave the engine at its next block head. */
void thread_kick_all(void);
void thread_fork_begin(void);
void thread_fork_end(bool child);

struct sighand *sighand_new(void);
struct sighand *sighand_copy(struct sighand *sh);
void sighand_put(struct sighand *sh);

#endif
