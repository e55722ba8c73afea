/* Host signals and guest signals.
 *
 * Owns: the host signal handlers, the restartable host system call, precise delivery to guest
 * handlers, and the guest's signal system calls' semantics.
 *
 * How it works. The host's signal mask of a thread equals the guest's, the host's disposition of a signal is
 * SIG_DFL or SIG_IGN where the guest's is, and our handler where the guest has one (always, for the
 * synchronous ones). So the kernel itself does the queueing, the default actions, job control, stop
 * and core. Our handler, for an asynchronous signal, only keeps the siginfo in thread->held,
 * sets cpu->pending and blocks all further asynchronous signals in the interrupted context; delivery
 * happens at the next block head, in the run loop (sig_deliver), which then sets the host mask to the guest's.
 *
 * No signal is lost against a system call: sig_syscall is an assembly sequence that tests pending
 * and enters the kernel; a handler that interrupts between the test and the kernel entry, or finds
 * the kernel about to restart the call, moves the host pc to the sequence's abort exit, and the call
 * returns -SIG_RESTART: not done. With the guest's SA_RESTART copied to the host's action, the kernel's own
 * classification of restartable calls holds.
 *
 * Synchronous faults with the host pc in an engine become EXIT_FAULT; in an access function they
 * return -EFAULT; elsewhere they are the VM's own bug and are reported as such.
 *
 * Threading: per thread, but dispositions (sighand lock).
 */
#ifndef DRAGOMAN_EXCEPTIONS_SIG_H
#define DRAGOMAN_EXCEPTIONS_SIG_H

#include "process/thread.h"

/* The result of a call that was not performed because a signal must be delivered first; the caller
 * backs the guest's pc up to the system-call instruction and returns to the run loop. */
#define SIG_RESTART 512

/* Install the host handlers; reads the inherited dispositions into sh. */
void sig_init(struct sighand *sh);

/* Perform a host system call, interruptible without a lost-signal race. Returns the kernel's
 * result (-errno), or -SIG_RESTART. */
int64_t sig_syscall(struct thread *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                    uint64_t a4, uint64_t a5);

/* In the run loop, with cpu->pending seen: deliver what is held by building the guest's frame. After a
 * system call, `syscall_pc` is its address and the result -EINTR or -SIG_RESTART has been handled by the
 * caller. */
void sig_deliver(struct thread *t);

/* A synchronous exception of the guest at cpu's pc: deliver to its handler, or kill the process by
 * that signal when it is blocked, ignored or default. */
void sig_fault(struct thread *t, int signo, int code, uint64_t addr);

/* Kill the whole process by signo with the host's default action (WTERMSIG is right, core as allowed).
 * Does not return. */
_Noreturn void sig_die(int signo);

/* The guest's calls, arguments as passed. */
int64_t sig_sys_sigaction(struct thread *t, int signo, uint64_t act, uint64_t oact, uint64_t setsize);
int64_t sig_sys_sigprocmask(struct thread *t, int how, uint64_t set, uint64_t oset, uint64_t setsize);
int64_t sig_sys_sigaltstack(struct thread *t, uint64_t ss, uint64_t oss);
int64_t sig_sys_sigsuspend(struct thread *t, uint64_t set, uint64_t setsize);
int64_t sig_sys_sigpending(struct thread *t, uint64_t set, uint64_t setsize);
int64_t sig_sys_sigtimedwait(struct thread *t, uint64_t set, uint64_t info, uint64_t ts, uint64_t setsize);
/* rt_sigreturn: replaces the registers. */
void sig_sys_sigreturn(struct thread *t);
/* For ppoll, pselect6, epoll_pwait: set the mask for the call's duration. 0 or -errno. */
int sig_mask_begin(struct thread *t, uint64_t set, uint64_t setsize);
void sig_mask_end(struct thread *t, int64_t result);

/* Block all asynchronous signals on the host around clone/fork; restore to the guest's. */
void sig_block_all(uint64_t *saved);
void sig_restore(uint64_t saved);

#endif
