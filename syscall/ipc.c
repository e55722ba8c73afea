/* System V IPC and POSIX message queues.
 *
 * Owns: struct semid64_ds, the only IPC struct that x86-64 lays out otherwise (it has a spare word after each
 * time), and the sizes of what each command of the ctl calls writes. The other structs are those
 * of asm-generic on both sides: ipc64_perm (asm-generic/ipcbuf.h), shmid64_ds, msqid64_ds, mq_attr,
 * sigevent. The commands never carry IPC_64: no 64-bit kernel looks for it.
 *
 * Threading: reentrant.
 */
#include "syscall/ipc.h"
#include "syscall/sys_int.h"
#include <asm/msgbuf.h>
#include <asm/sembuf.h>
#include <asm/shmbuf.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <mqueue.h>
#include <string.h>

_Static_assert(sizeof(struct ipc64_perm) == 48, "ipc64_perm is that of asm-generic");
_Static_assert(sizeof(struct shmid64_ds) == 112 && offsetof(struct shmid64_ds, shm_atime) == 56 &&
                   offsetof(struct shmid64_ds, shm_nattch) == 88,
               "shmid64_ds is that of asm-generic");
_Static_assert(sizeof(struct msqid64_ds) == 120 && offsetof(struct msqid64_ds, msg_stime) == 48 &&
                   offsetof(struct msqid64_ds, msg_qbytes) == 88,
               "msqid64_ds is that of asm-generic");
_Static_assert(sizeof(struct semid64_ds) == 104, "the host's semid64_ds");
_Static_assert(sizeof(struct mq_attr) == 64, "mq_attr is that of asm-generic");

#define SEM_MAX 32000    /* SEMMSL's default: the most semaphores of one set is found by asking */
#define NOTIFY_COOKIE 32 /* what SIGEV_THREAD sends through its socket */

/* --- shared memory --------------------------------------------------------------------------- */

int64_t sys_shmctl(struct thread *t, const uint64_t *a)
{
    uint64_t buf = a[2];

    switch ((int)a[1]) {
    case IPC_SET:
        buf = sys_in(buf, sizeof(struct shmid64_ds));
        break;
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        buf = sys_out(buf, sizeof(struct shmid64_ds));
        break;
    case IPC_INFO:
        buf = sys_out(buf, sizeof(struct shminfo64));
        break;
    case SHM_INFO:
        buf = sys_out(buf, sizeof(struct shm_info));
        break;
    }
    return sig_syscall(t, SYS_shmctl, a[0], a[1], buf, 0, 0, 0);
}

/* --- semaphores ------------------------------------------------------------------------------ */

void ipc_semid_to_guest(struct guest_semid64_ds *g, const struct semid64_ds *h)
{
    *g = (struct guest_semid64_ds){
        .sem_perm = h->sem_perm,
        .sem_otime = h->sem_otime,
        .sem_ctime = h->sem_ctime,
        .sem_nsems = h->sem_nsems,
    };
}

void ipc_semid_to_host(struct semid64_ds *h, const struct guest_semid64_ds *g)
{
    *h = (struct semid64_ds){
        .sem_perm = g->sem_perm,
        .sem_otime = g->sem_otime,
        .sem_ctime = g->sem_ctime,
        .sem_nsems = g->sem_nsems,
    };
}

/* How many semaphores set id has; SEM_MAX when we may not know. */
static uint64_t sem_count(uint64_t id)
{
    struct semid64_ds h;

    if (host_call(SYS_semctl, id, 0, IPC_STAT, (uintptr_t)&h, 0, 0) < 0)
        return SEM_MAX;
    return h.sem_nsems;
}

int64_t sys_semctl(struct thread *t, const uint64_t *a)
{
    struct guest_semid64_ds g;
    struct semid64_ds h;
    uint64_t arg = a[3];
    int64_t ret;

    switch ((int)a[2]) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        ret = sig_syscall(t, SYS_semctl, a[0], a[1], a[2], (uintptr_t)&h, 0, 0);
        if (ret < 0)
            return ret;
        ipc_semid_to_guest(&g, &h);
        return mm_write(a[3], &g, sizeof g) ? -EFAULT : ret;
    case IPC_SET:
        if (mm_read(&g, a[3], sizeof g)) {
            arg = SYS_BAD_PTR;
        } else {
            ipc_semid_to_host(&h, &g);
            arg = (uintptr_t)&h;
        }
        break;
    case IPC_INFO:
    case SEM_INFO:
        arg = sys_out(arg, sizeof(struct seminfo));
        break;
    case GETALL:
        arg = sys_out(arg, sem_count(a[0]) * sizeof(uint16_t));
        break;
    case SETALL:
        arg = sys_in(arg, sem_count(a[0]) * sizeof(uint16_t));
        break;
    }
    return sig_syscall(t, SYS_semctl, a[0], a[1], a[2], arg, 0, 0);
}

/* --- message queues -------------------------------------------------------------------------- */

int64_t sys_msgctl(struct thread *t, const uint64_t *a)
{
    uint64_t buf = a[2];

    switch ((int)a[1]) {
    case IPC_SET:
        buf = sys_in(buf, sizeof(struct msqid64_ds));
        break;
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        buf = sys_out(buf, sizeof(struct msqid64_ds));
        break;
    case IPC_INFO:
    case MSG_INFO:
        buf = sys_out(buf, sizeof(struct msginfo));
        break;
    }
    return sig_syscall(t, SYS_msgctl, a[0], a[1], buf, 0, 0, 0);
}

/* A message is a 64-bit type, then its text. */
int64_t sys_msgsnd(struct thread *t, const uint64_t *a)
{
    uint64_t len = a[2] < SYS_RW_MAX ? a[2] : SYS_RW_MAX;

    return sig_syscall(t, SYS_msgsnd, a[0], sys_in(a[1], 8 + len), a[2], a[3], 0, 0);
}

int64_t sys_msgrcv(struct thread *t, const uint64_t *a)
{
    uint64_t len = a[2] < SYS_RW_MAX ? a[2] : SYS_RW_MAX;

    return sig_syscall(t, SYS_msgrcv, a[0], sys_out(a[1], 8 + len), a[2], a[3], a[4], 0);
}

/* --- POSIX message queues -------------------------------------------------------------------- */

int64_t sys_mq_notify(struct thread *t, const uint64_t *a)
{
    struct sigevent ev;
    uint64_t p = a[1];

    if (p) {
        if (mm_read(&ev, p, sizeof ev)) {
            p = SYS_BAD_PTR;
        } else {
            if (ev.sigev_notify == SIGEV_THREAD)
                ev.sigev_value.sival_ptr =
                    mm_g2h(sys_in((uintptr_t)ev.sigev_value.sival_ptr, NOTIFY_COOKIE));
            p = (uintptr_t)&ev;
        }
    }
    return sig_syscall(t, SYS_mq_notify, a[0], p, 0, 0, 0, 0);
}
