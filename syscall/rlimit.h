/* The guest's own resource limits (see rlimit.c). Threading: any thread. */
#ifndef DRAGOMAN_SYSCALL_RLIMIT_H
#define DRAGOMAN_SYSCALL_RLIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* The limit that the guest has set on a resource of which the runtime keeps the guest's value: true
 * and *v filled. False: the host's value holds. */
bool sys_limit_get(int resource, struct rlimit64 *v);

#endif
