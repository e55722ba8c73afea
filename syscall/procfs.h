/* The files of /proc that tell the guest about itself (see procfs.c).
 *
 * Threading: reentrant.
 */
#ifndef DRAGOMAN_SYSCALL_PROCFS_H
#define DRAGOMAN_SYSCALL_PROCFS_H

#include "process/thread.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The answer for a path that the host serves rightly. Neither a descriptor nor an -errno. */
#define SYS_PROC_NOT_OURS (-4096)

/* Open path (a host path, relative to dirfd) for reading with open flags of the host: a new
 * descriptor whose content is what the guest shall see, -errno, or SYS_PROC_NOT_OURS. */
int sys_proc_open(struct thread *t, int dirfd, const char *path, int flags);

/* readlinkat: bytes written to buf (not terminated), -errno or SYS_PROC_NOT_OURS. */
ssize_t sys_proc_readlink(struct thread *t, int dirfd, const char *path, char *buf, size_t size);

/* Is path, followed to its end, a guest's program by way of /proc/self/exe or another process's? Then
 * the host's name of it is written to host (PATH_MAX bytes), for stat, access, execve and the like. */
bool sys_proc_exe(int dirfd, const char *path, char *host);

/* Give the thread the program's name, and let other processes see the guest's arguments, environment and
 * addresses in our /proc entry. Called once after a program has been loaded. */
void sys_proc_publish(void);

/* --- between procfs.c and procfs_text.c -------------------------------------------------------- */

enum proc_file {
    PROC_NONE,
    PROC_EXE, /* a symbolic link */
    PROC_AUXV,
    PROC_CMDLINE,
    PROC_CPUINFO,
    PROC_ENVIRON,
    PROC_KERNEL_ARCH,
    PROC_KERNEL_RELEASE,
    PROC_LIMITS,
    PROC_MAPS,
    PROC_SMAPS,
    PROC_SMAPS_ROLLUP,
    PROC_STAT,
    PROC_STATM,
    PROC_STATUS,
};

/* The text of a file, made from the host's own text where it has one (open at host). Allocated, *len
 * bytes; NULL with errno set when it fails. */
char *proc_text(struct thread *t, enum proc_file file, int host, size_t *len);

/* The kind of file that an absolute path below /proc names, for this process; exported for tests. */
enum proc_file proc_classify(const char *path);

#endif
