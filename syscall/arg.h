/* How guest pointers reach the host kernel.
 *
 * Owns: the one rule for pointer arguments. Guest address = host address, so a pointer is passed as
 * it is, and the kernel's own copy functions give EFAULT for what is not mapped, at exactly the
 * place in the order of checks where Linux gives it. Only two things are left to do: a pointer that could
 * reach the runtime's own memory is replaced by one that always faults, and memory that the
 * kernel will write is prepared, so that pages which hold lifted code are writable on the host.
 *
 * Threading: reentrant.
 */
#ifndef DRAGOMAN_SYSCALL_ARG_H
#define DRAGOMAN_SYSCALL_ARG_H

#include "base/host.h"
#include "exceptions/sig.h"
#include "process/mm.h"
#include "syscall/host_nr.h"
#include <errno.h>

/* Not canonical, so that every access by the kernel fails. */
#define SYS_BAD_PTR (UINT64_C(1) << 63)

/* What the kernel clamps one transfer to (MAX_RW_COUNT). */
#define SYS_RW_MAX UINT64_C(0x7ffff000)

/* A pointer to len bytes that the kernel reads. */
static inline uint64_t sys_in(uint64_t addr, uint64_t len)
{
    addr = mm_user(addr);
    return mm_in_range(addr, len) ? addr : SYS_BAD_PTR;
}

/* A pointer to len bytes that the kernel writes, or also reads. NULL stays NULL. */
static inline uint64_t sys_out(uint64_t addr, uint64_t len)
{
    if (addr == 0 || len == 0)
        return sys_in(addr, 0);
    addr = mm_user(addr);
    return mm_prepare_write(addr, len) ? SYS_BAD_PTR : addr;
}

/* As sys_out where the kernel writes at most max bytes however large a len the guest claims. */
static inline uint64_t sys_out_max(uint64_t addr, uint64_t len, uint64_t max)
{
    return sys_out(addr, len < max ? len : max);
}

#endif
