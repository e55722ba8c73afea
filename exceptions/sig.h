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
 * No signal is lost against a system call: sig_syscall is an assembly sequence that tests whether a signal
 * is held and enters the kernel; a handler that interrupts between the test and the kernel entry, or finds
 * the kernel about to restart the call, moves the host pc to the sequence's abort exit, and the call
 * returns -SIG_RESTART: not done. With the guest's SA_RESTART copied to the host's action, the kernel's own
 * classification of restartable calls holds. Calls that change the mask also go through it, so a
 * signal that was caught before them is delivered before them.
 *
 * SIGSEGV, SIGBUS and SIGFPE are never blocked on the host, because traps of translated code's floating point and faults of guest memory that the VM itself
 * repairs arrive by them. One that was sent (not a fault) while the guest blocks it is kept in
 * thread->hidden until the guest unblocks it. Sent or fault: the si_code, and where the host pc is.
 *
 * Synchronous faults with the host pc in an engine become EXIT_FAULT, in an access function of process/
 * they return -EFAULT: the interrupted context is moved to an exit that the owner of the code names.
 * Elsewhere they are the VM's own bug and are reported as such.
 *
 * Threading: per thread, but dispositions (sighand lock; nothing else is locked inside it). Lock order:
 * sighand before thread_lock.
 */
#ifndef DRAGOMAN_EXCEPTIONS_SIG_H
#define DRAGOMAN_EXCEPTIONS_SIG_H

#include "process/thread.h"

/* The result of a call that was not performed because a signal must be delivered first; the caller
 * backs the guest's pc up to the system-call instruction and returns to the run loop. */
#define SIG_RESTART 512

/* Install the host handlers; reads the inherited dispositions into sh, and the inherited mask into the
 * calling thread's (thread_self). */
void sig_init(struct sighand *sh);

/* The calling host thread, with every signal blocked, becomes t's: the alternate host stack (size bytes at
 * altstack, which stay the caller's; NULL: mapped here). The guest's mask t->sigmask comes into force.
 * sig_thread_end is the inverse: blocks everything; after it thread_self may be NULL. */
void sig_thread_begin(struct thread *t, void *altstack, size_t size);
void sig_thread_end(struct thread *t);
/* The same in the child of a vfork, which runs with the parent's alternate host stack. */
void sig_vfork_begin(struct thread *t);
#define SIG_HOST_STACK (64 << 10) /* bytes of an alternate host stack */

/* The signal state of a new thread or process `t` that `from` starts by clone(flags): copied or reset as
 * the kernel does. The dispositions are not touched. */
void sig_clone(struct thread *t, const struct thread *from, uint64_t flags);
/* CLONE_CLEAR_SIGHAND, called in the child: handlers become default; ignored stays. */
void sig_clear_handlers(struct thread *t);

/* Around execve: give the host exactly the guest's mask and dispositions, and take that back when the
 * call has failed. */
void sig_exec_begin(struct thread *t);
void sig_exec_failed(struct thread *t);

/* Told of each fault, and of each signal for which a handler is about to be entered; NULL: nobody. Set
 * before guest code runs. */
extern void (*sig_trace)(struct thread *t, const siginfo_t *info);

/* Asked before each fault, and each signal for which a handler is about to be entered, is delivered; may wait,
 * and change registers and memory. False: it is not delivered. NULL: nobody. Set before guest code runs. */
extern bool (*sig_debug)(struct thread *t, const siginfo_t *info);

/* Perform a host system call, interruptible without a lost-signal race. Returns the kernel's
 * result (-errno), or -SIG_RESTART. */
int64_t sig_syscall(struct thread *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                    uint64_t a4, uint64_t a5);

/* In the run loop, with cpu->pending seen: deliver what is held, if anything, by building the guest's frame. After a
 * system call, `syscall_pc` is its address and the result -EINTR or -SIG_RESTART has been handled by the
 * caller. */
void sig_deliver(struct thread *t);

/* A synchronous exception of the guest at cpu's pc: deliver to its handler, or kill the process by
 * that signal when it is blocked, ignored or default. */
void sig_fault(struct thread *t, int signo, int code, uint64_t addr);

/* The same with a siginfo of other fields; fault_addr is for the frame. */
void sig_force(struct thread *t, const siginfo_t *info, uint64_t fault_addr);

/* A fault of the calling thread that is not tied to an instruction: SI_KERNEL SIGSEGV, as after a
 * malformed signal frame. */
void sig_force_segv(struct thread *t);

/* Kill the whole process by signo with the host's default action (WTERMSIG is right, core as allowed).
 * Does not return. */
_Noreturn void sig_die(int signo);

/* The guest's calls, arguments as passed. */
int64_t sig_sys_sigaction(struct thread *t, int signo, uint64_t act, uint64_t oact,
                          uint64_t setsize);
int64_t sig_sys_sigprocmask(struct thread *t, int how, uint64_t set, uint64_t oset,
                            uint64_t setsize);
int64_t sig_sys_sigaltstack(struct thread *t, uint64_t ss, uint64_t oss);
int64_t sig_sys_sigsuspend(struct thread *t, uint64_t set, uint64_t setsize);
int64_t sig_sys_sigpending(struct thread *t, uint64_t set, uint64_t setsize);
int64_t sig_sys_sigtimedwait(struct thread *t, uint64_t set, uint64_t info, uint64_t ts,
                             uint64_t setsize);
/* rt_sigreturn: replaces the registers. */
void sig_sys_sigreturn(struct thread *t);
/* For ppoll, pselect6, epoll_pwait: the mask for the call's duration, from guest address set (0: none;
 * then all these do nothing). The kernel itself is to install it: pass sig_mask_host's pointer and size 8 to the
 * host call, made by sig_syscall, and its result to sig_mask_end. begin: 0 or -errno. */
int sig_mask_begin(struct thread *t, uint64_t set, uint64_t setsize);
const uint64_t *sig_mask_host(struct thread *t); /* NULL when there is no temporary mask */
void sig_mask_end(struct thread *t, int64_t result);

/* Block all asynchronous signals on the host around clone/fork; restore the host mask as it was. */
void sig_block_all(uint64_t *saved);
void sig_restore(uint64_t saved);

#endif
