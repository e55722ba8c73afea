/* The guest's own resource limits (see rlimit.c). Threading: any thread. */
#ifndef DRAGOMAN_SYSCALL_RLIMIT_H
#define DRAGOMAN_SYSCALL_RLIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* The limit that the guest has set on a resource of which the runtime keeps the guest's value: true
 * and *v filled. False: the host's value holds. */
bool sys_limit_get(int resource, struct rlimit64 *v);

/* May the guest map `more` bytes of address space, private and writable ones when `data`? 0 or
 * -ENOMEM. Costs nothing until the guest has set a limit. */
int sys_limit_check(uint64_t more, bool data);

/* Bytes of address space that the guest has mapped. */
uint64_t sys_guest_vm_size(void);

#endif
