/* Structs as 64-bit guests of the asm-generic ABI have them in memory.
 *
 * Owns: the layouts that differ from the host's, declared by hand, and the proof, by static assertion, that
 * those which are passed on as they are do not differ. The source is include/uapi/asm-generic of
 * Linux; x86-64 has its own stat, epoll_event (packed), sigaction, and IPC structs.
 *
 * Threading: declarations only.
 */
#ifndef DRAGOMAN_SYSCALL_GUEST_ABI_H
#define DRAGOMAN_SYSCALL_GUEST_ABI_H

#include <linux/ipc.h>
#include <stdint.h>

/* asm-generic/stat.h. x86-64 has st_nlink before st_mode, and wider. */
struct guest_stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint32_t st_mode;
    uint32_t st_nlink;
    uint32_t st_uid;
    uint32_t st_gid;
    uint64_t st_rdev;
    uint64_t pad1;
    int64_t st_size;
    int32_t st_blksize;
    int32_t pad2;
    int64_t st_blocks;
    int64_t st_atime_sec;
    uint64_t st_atime_nsec;
    int64_t st_mtime_sec;
    uint64_t st_mtime_nsec;
    int64_t st_ctime_sec;
    uint64_t st_ctime_nsec;
    uint32_t unused[2];
};
_Static_assert(sizeof(struct guest_stat) == 128, "asm-generic struct stat");

/* linux/eventpoll.h: packed only where __x86_64__ is defined. */
struct guest_epoll_event {
    uint32_t events;
    uint32_t pad;
    uint64_t data;
};
_Static_assert(sizeof(struct guest_epoll_event) == 16, "asm-generic struct epoll_event");

/* asm-generic/sembuf.h. x86-64 has a spare word after each time. */
struct guest_semid64_ds {
    struct ipc64_perm sem_perm;
    int64_t sem_otime;
    int64_t sem_ctime;
    uint64_t sem_nsems;
    uint64_t unused3, unused4;
};
_Static_assert(sizeof(struct guest_semid64_ds) == 88, "asm-generic struct semid64_ds");

/* Sizes of what is passed on. Layouts are compared member by member, against the guest's own headers,
 * by tests/syscall. */

#endif
