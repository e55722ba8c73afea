/* What the files of exceptions/ share. See sig.h for the design. */
#ifndef DRAGOMAN_EXCEPTIONS_SIG_INTERNAL_H
#define DRAGOMAN_EXCEPTIONS_SIG_INTERNAL_H

#include "exceptions/sig.h"

#define SIG_COUNT 64
#define SIG_BIT(signo) (UINT64_C(1) << ((signo)-1))
#define SIG_ALL (~UINT64_C(0))

/* Blocked by nobody. */
#define SIG_NEVER (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
/* Never blocked on the host: see sig.h. */
#define SIG_HOST_OPEN (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGFPE))
#define SIG_HIDDEN (sizeof(((struct thread *)0)->hidden) / sizeof(struct sigheld))
/* Our handler is there whatever the guest's disposition is: raised by the VM's own code these are bugs. */
#define SIG_ALWAYS (SIG_HOST_OPEN | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP))
/* Default action: nothing, or stopping. */
#define SIG_DFL_IGNORED (SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGURG))

#define GUEST_SIG_DFL 0
#define GUEST_SIG_IGN 1

/* Flag values of the kernel's generic ABI that the host's headers lack. */
#define SIG_SA_RESTORER UINT64_C(0x04000000)
#define SIG_SA_EXPOSE_TAGBITS UINT64_C(0x00000800)

/* In sig_host.c: all are raw system calls, free of the C library's view of signals 32 and 33. */
void sig_host_setmask(uint64_t mask);
void sig_host_action(int signo, const struct guest_sigaction *act);
/* Queue a signal with its siginfo to the calling thread. */
void sig_host_requeue(int signo, siginfo_t *info);

/* In sig_deliver.c: make mask the guest's, on the host too unless a signal is held (then all stays
 * blocked until its delivery); shows hidden signals that have become deliverable. */
void sig_set_mask(struct thread *t, uint64_t mask);
/* Keep a signal of SIG_HOST_OPEN that cannot be delivered now, unless such a one is kept already. */
void sig_hide(struct thread *t, int signo, const siginfo_t *info);
bool sig_any_hidden(const struct thread *t);
/* Hidden signals that the guest now has unblocked become held. True when one did. */
bool sig_unhide(struct thread *t);

/* In sig_stack.c: SS_DISABLE, SS_ONSTACK or 0 for a stack pointer. */
int sig_altstack_state(const struct thread *t, uint64_t sp);
/* Make ss the alternate stack, as the system call does: 0 or -errno. */
int sig_altstack_set(struct thread *t, const stack_t *ss, uint64_t sp);

#endif
