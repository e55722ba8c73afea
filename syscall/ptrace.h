/* Between the files of ptrace's tracing side.
 *
 * Threading: under tracee_lock (syscall/tracee.h).
 */
#ifndef DRAGOMAN_SYSCALL_PTRACE_H
#define DRAGOMAN_SYSCALL_PTRACE_H

#include "syscall/tracee.h"

/* The host's ptrace: result or -errno. */
int64_t ptrace_host(long request, pid_t tid, uint64_t addr, uint64_t data);
/* Has x's process a handler for the signal? */
bool ptrace_caught(const struct tracee *x, int signo);

#endif
