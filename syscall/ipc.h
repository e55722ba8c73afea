/* struct semid64_ds of asm-generic, and its conversion (see ipc.c). */
#ifndef DRAGOMAN_SYSCALL_IPC_H
#define DRAGOMAN_SYSCALL_IPC_H

#include <asm/sembuf.h>
#include <linux/ipc.h>
#include <stdint.h>

struct guest_semid64_ds {
    struct ipc64_perm sem_perm;
    int64_t sem_otime;
    int64_t sem_ctime;
    uint64_t sem_nsems;
    uint64_t unused3, unused4;
};

void ipc_semid_to_guest(struct guest_semid64_ds *g, const struct semid64_ds *h);
void ipc_semid_to_host(struct semid64_ds *h, const struct guest_semid64_ds *g);

#endif
