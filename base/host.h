/* The host's kernel, without the C library between: raw system calls.
 *
 * Threading: reentrant; fit for signal context.
 */
#ifndef DRAGOMAN_BASE_HOST_H
#define DRAGOMAN_BASE_HOST_H

#include <stddef.h>
#include <stdint.h>

/* The host's call nr: its result, or -errno. Not restarted, errno untouched. Arguments that the call does not take are
 * ignored by the kernel. */
static inline int64_t host_call(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                uint64_t a4, uint64_t a5)
{
    int64_t ret;
    register uint64_t r10 __asm__("r10") = a3;
    register uint64_t r8 __asm__("r8") = a4;
    register uint64_t r9 __asm__("r9") = a5;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

/* Write all of text, going on after interruptions. What cannot be written is lost: reports and logs have nobody to
 * tell. Keeps errno. */
void host_write_all(int fd, const char *text, size_t n);

/* A descriptor of the runtime's own out of the guest's way: a copy of fd, closed by execve, as high as the soft limit allows, so
 * that the guest's own keep their numbers. Closes fd; it is fd itself when there is no room. */
int host_fd_high(int fd);

/* size bytes at `at`, fresh from malloc, are about to be used, and what is behind them soon: the kernel is asked for the heap's next
 * pages in one go, a third of what a page fault for each costs. Does nothing elsewhere, or where it was done. */
void host_heap_ahead(uintptr_t at, size_t size);

#endif
