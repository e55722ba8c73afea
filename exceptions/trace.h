/* The traced side of ptrace: a guest thread's stops for another guest program that traces it.
 *
 * Owns: which stops there are and in what order, and what the tracer's answer does. The tracing side is
 * syscall/ptrace.c; docs/exceptions.md, "ptrace", has the design.
 *
 * Threading: each function is called by the thread concerned, outside the engines and with canonical registers.
 */
#ifndef DRAGOMAN_EXCEPTIONS_TRACE_H
#define DRAGOMAN_EXCEPTIONS_TRACE_H

#include "process/thread.h"

/* Is there something for trace_serve? */
static inline bool trace_wanted(const struct thread *t)
{
    return t->trace.request || t->held.wake || trace_root.write_head != trace_root.write_tail;
}
/* Do what was asked for, and forget the code that a tracer has written to. */
void trace_serve(struct thread *t);

/* The signal is about to act on the traced t: false when the tracer takes it away. It may exchange it. */
bool trace_signal(struct thread *t, siginfo_t *info);

/* The traced t is at a system call: stop if the tracer wants to know. False when the call is to be skipped;
 * its result is trace.ret then. The tracer may have changed registers; *nr is the call's number. */
bool trace_syscall_enter(struct thread *t, uint64_t *nr);
/* Behind the call; restart: it is going to be made again. False: the registers stand as they are. */
bool trace_syscall_leave(struct thread *t, bool restart);

/* A filter wants the tracer to be asked about the call nr: false when it is to be skipped; its result is in *result. */
bool trace_seccomp(struct thread *t, uint64_t nr, uint32_t data, int64_t *result);

/* One instruction has been executed, or a handler entered, by a thread that is to be stopped then. */
void trace_stepped(struct thread *t);
static inline bool trace_steps(const struct thread *t)
{
    return t->trace.how == TRACE_STEP;
}

/* t ends by itself, by exit: its struct thread is gone when the host's kernel tells of that. */
void trace_exit(struct thread *t, int status);

/* What a thread or process that `from` starts gets; traced: the host's kernel attaches the tracer to it. */
void trace_clone(struct thread *t, const struct thread *from, uint64_t flags, int exit_signal);

/* The state of the calling thread for the program that it is going to execute (size bytes at text), and
 * taking it over there: false when that is no such text. */
void trace_save(const struct thread *t, char *text, size_t size);
bool trace_restore(struct thread *t, const char *text);

#endif
