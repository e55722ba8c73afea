/* What a tracer knows of the threads that it traces, and its access to them in their own process.
 *
 * Threading: all under tracee_lock, which no other lock is taken in.
 */
#ifndef DRAGOMAN_SYSCALL_TRACEE_H
#define DRAGOMAN_SYSCALL_TRACEE_H

#include "base/list.h"
#include "process/thread.h"
#include <sys/user.h>

enum tracee_stop {
    TRACEE_RUNS,
    TRACEE_SELF,      /* it stopped itself (exceptions/trace.c) */
    TRACEE_REST,      /* the host's kernel stopped it between two instructions */
    TRACEE_CALL,      /* in a host call that waits, or right before or behind it */
    TRACEE_CALL_EXIT, /* the same, told as the end of the call; the stop for its reason comes next */
    TRACEE_EVENT,     /* an event that is the host's: fork, vfork, clone, exit */
};

struct tracee {
    struct list link;
    pid_t tid, tgid, tracer; /* tracer: a process, one of those that share this memory */
    uint64_t root, thread;   /* of its struct trace_root and struct thread, 0: not known */
    const struct guest *guest;
    uint64_t call_test, call_done, call_abort, threads;
    enum tracee_stop stop;
    int status;     /* as the guest is told: signal, and event << 8 */
    bool has_info;  /* a stop for a signal, */
    siginfo_t info; /* which the host has caught */
    int64_t result; /* of an interrupted call, or of one that has just been done: */
    bool done;      /* the thread is about to take its result */
    int next;       /* the status after TRACEE_CALL_EXIT */
    bool report;    /* wait has still to tell of this stop */
    bool regs_set;  /* the tracer has written registers during a stop in a call */
    uint64_t message;
};

void tracee_lock(void);
void tracee_unlock(void);
/* In the child of a fork: it traces nobody. */
void tracee_forked(void);
/* The calling process's tracee of that id; get makes one. */
struct tracee *tracee_find(pid_t tid);
struct tracee *tracee_get(pid_t tid);
void tracee_forget(pid_t tid);
/* Visit all until fn says true; the one it did it for. */
struct tracee *tracee_search(bool (*fn)(struct tracee *x, void *arg), void *arg);

/* Find its struct thread: false when it is no thread of a Dragoman like this one, or not yet. */
bool tracee_locate(struct tracee *x);
bool tracee_read(const struct tracee *x, void *to, uint64_t addr, size_t n);
bool tracee_write(const struct tracee *x, uint64_t addr, const void *from, size_t n);
bool tracee_get_trace(const struct tracee *x, struct trace *tr);
bool tracee_put_trace(const struct tracee *x, const struct trace *tr);

/* Somebody has written to [addr, addr + len) of the process of thread tid. */
void tracee_wrote(pid_t tid, uint64_t addr, uint64_t len);
/* Does that process run a guest in a Dragoman? By its program alone. */
bool tracee_is_ours(pid_t pid);

#endif
