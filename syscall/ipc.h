/* Conversion of struct semid64_ds (see ipc.c). */
#ifndef DRAGOMAN_SYSCALL_IPC_H
#define DRAGOMAN_SYSCALL_IPC_H

#include "syscall/guest_abi.h"
#include <asm/sembuf.h>

void ipc_semid_to_guest(struct guest_semid64_ds *g, const struct semid64_ds *h);
void ipc_semid_to_host(struct semid64_ds *h, const struct guest_semid64_ds *g);

#endif
