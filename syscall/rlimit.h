/* The guest's own resource limits (see rlimit.c). Threading: any thread. */
#ifndef DRAGOMAN_SYSCALL_RLIMIT_H
#define DRAGOMAN_SYSCALL_RLIMIT_H

#include <stdbool.h>
#include <sys/resource.h>

/* The guest's limit on a resource of which the runtime keeps the guest's value: true and *v filled. False:
 * the host's value holds. */
bool sys_limit_get(int resource, struct rlimit64 *v);

/* Take over the inherited limits for the guest and free the runtime of them. Once, after mm_init. */
void sys_limit_init(void);

/* Around the host's execve: the guest's soft limits are the host's, so that the new program has them. */
void sys_limit_exec_begin(void);
void sys_limit_exec_failed(void);

#endif
