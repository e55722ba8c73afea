/* System V shared memory, semaphores and messages; POSIX message queues. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

union arg {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
    void *any;
};

static void finish(pid_t pid)
{
    int status;

    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

static void test_shm(void)
{
    struct shmid_ds ds;
    int id = EXPECT_OK(shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0640));
    volatile int *p = shmat(id, NULL, 0);

    EXPECT(p != (void *)-1);
    EXPECT_EQ(p[0], 0);
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(ds.shm_segsz, 10000);
    EXPECT_EQ(ds.shm_nattch, 1);
    EXPECT_EQ(ds.shm_cpid, getpid());
    EXPECT_EQ(ds.shm_perm.mode & 0777, 0640);
    EXPECT_EQ(ds.shm_perm.uid, geteuid());
    EXPECT_EQ(ds.shm_perm.__key, IPC_PRIVATE);
    EXPECT(time(NULL) - ds.shm_ctime >= 0 && time(NULL) - ds.shm_ctime < 100);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        p[1] = 42;
        volatile int *q = shmat(id, NULL, SHM_RDONLY);
        _exit(q != (void *)-1 && q != p && q[1] == 42 && shmdt((void *)q) == 0 ? 0 : 1);
    }
    finish(pid);
    EXPECT_EQ(p[1], 42);
    /* A chosen address, then one that is taken. */
    char *at = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(at != MAP_FAILED);
    EXPECT_OK(munmap(at, 1 << 20));
    volatile int *q = shmat(id, at + 100, SHM_RND);
    EXPECT(q == (void *)at);
    EXPECT_EQ(q[1], 42);
    EXPECT_ERR((long)shmat(id, at, 0), EINVAL);
    EXPECT_ERR((long)shmat(id, at + 4196, 0), EINVAL);
    EXPECT(shmat(id, at, SHM_REMAP) == (void *)at);
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(ds.shm_nattch, 2);
    EXPECT_OK(shmdt(at));
    EXPECT_ERR(shmdt(at), EINVAL);
    ds.shm_perm.mode = 0600;
    EXPECT_OK(shmctl(id, IPC_SET, &ds));
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(ds.shm_perm.mode & 0777, 0600);
    struct shminfo info;
    EXPECT_OK(shmctl(0, IPC_INFO, (void *)&info));
    EXPECT(info.shmmax >= 10000 && info.shmmni >= 1);
    struct shm_info use;
    EXPECT_OK(shmctl(0, SHM_INFO, (void *)&use));
    EXPECT(use.used_ids >= 1);
    EXPECT_ERR(shmctl(id, IPC_STAT, BAD), EFAULT);
    EXPECT_ERR(shmctl(id, IPC_SET, BAD), EFAULT);
    EXPECT_ERR(shmctl(id, 999, &ds), EINVAL);
    EXPECT_OK(shmctl(id, IPC_RMID, NULL));
    EXPECT_OK(shmdt((void *)p));
    EXPECT_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
    EXPECT_ERR((long)shmat(id, NULL, 0), EINVAL);
    verified("shmget, shmat, shmdt, shmctl");
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void test_sem(void)
{
    enum { N = 5 };
    int id = EXPECT_OK(semget(IPC_PRIVATE, N, IPC_CREAT | 0600));
    unsigned short v[N] = {1, 2, 3, 4, 5}, got[N];
    struct semid_ds ds;
    struct seminfo info;

    EXPECT_OK(semctl(id, 0, SETALL, (union arg){.array = v}));
    EXPECT_OK(semctl(id, 2, SETVAL, (union arg){.val = 77}));
    EXPECT_OK(semctl(id, 0, GETALL, (union arg){.array = got}));
    EXPECT_EQ(got[0], 1);
    EXPECT_EQ(got[2], 77);
    EXPECT_EQ(got[4], 5);
    EXPECT_EQ(semctl(id, 2, GETVAL), 77);
    memset(&ds, 0xee, sizeof ds);
    EXPECT_OK(semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}));
    EXPECT_EQ(ds.sem_nsems, N);
    EXPECT_EQ(ds.sem_otime, 0);
    EXPECT(time(NULL) - ds.sem_ctime >= 0 && time(NULL) - ds.sem_ctime < 100);
    EXPECT_EQ(ds.sem_perm.mode & 0777, 0600);
    EXPECT_EQ(ds.sem_perm.cuid, geteuid());
    struct sembuf op[2] = {{0, -1, 0}, {1, 3, SEM_UNDO}};
    EXPECT_OK(semop(id, op, 2));
    EXPECT_EQ(semctl(id, 0, GETVAL), 0);
    EXPECT_EQ(semctl(id, 1, GETVAL), 5);
    EXPECT_EQ(semctl(id, 0, GETPID), getpid());
    EXPECT_OK(semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}));
    EXPECT(time(NULL) - ds.sem_otime >= 0 && time(NULL) - ds.sem_otime < 100);
    op[0].sem_flg = IPC_NOWAIT;
    EXPECT_ERR(semop(id, op, 1), EAGAIN);
    op[0].sem_flg = 0;
    struct timespec ts = {.tv_nsec = 30000000};
    EXPECT_ERR(semtimedop(id, op, 1, &ts), EAGAIN);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        usleep(30000);
        struct sembuf up = {0, 1, 0};
        _exit(semop(id, &up, 1) != 0);
    }
    EXPECT_OK(semop(id, op, 1));
    finish(pid);
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    alarm(1);
    EXPECT_ERR(semop(id, op, 1), EINTR);
    /* SEM_UNDO at the end of a process. */
    pid = EXPECT_OK(fork());
    if (pid == 0) {
        struct sembuf take = {4, -5, SEM_UNDO};
        _exit(semop(id, &take, 1) != 0);
    }
    finish(pid);
    EXPECT_EQ(semctl(id, 4, GETVAL), 5);

    ds.sem_perm.mode = 0640;
    EXPECT_OK(semctl(id, 0, IPC_SET, (union arg){.buf = &ds}));
    memset(&ds, 0, sizeof ds);
    EXPECT_OK(semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}));
    EXPECT_EQ(ds.sem_perm.mode & 0777, 0640);
    int top = EXPECT_OK(semctl(0, 0, IPC_INFO, (union arg){.info = &info}));
    EXPECT(info.semmsl >= N && info.semopm > 1);
    int found = 0;
    for (int i = 0; i <= top; i++)
        found |= semctl(i, 0, SEM_STAT, (union arg){.buf = &ds}) == id && ds.sem_nsems == N;
    EXPECT(found);
    EXPECT_ERR(semctl(id, 0, IPC_STAT, (union arg){.any = BAD}), EFAULT);
    EXPECT_ERR(semctl(id, 0, IPC_SET, (union arg){.any = BAD}), EFAULT);
    EXPECT_ERR(semctl(id, 0, GETALL, (union arg){.any = BAD}), EFAULT);
    EXPECT_ERR(semctl(id, 0, SETALL, (union arg){.any = BAD}), EFAULT);
    EXPECT_ERR(semctl(id, N, GETVAL), EINVAL);
    EXPECT_ERR(semctl(id, 0, SETVAL, (union arg){.val = 40000}), ERANGE);
    EXPECT_ERR(syscall(SYS_semop, id, BAD, 1), EFAULT);
    EXPECT_OK(semctl(id, 0, IPC_RMID));
    EXPECT_ERR(semctl(id, 0, GETVAL), EINVAL);
    EXPECT_ERR(semctl(id, 0, IPC_STAT, (union arg){.any = BAD}), EINVAL);
    verified("semget, semop, semtimedop, semctl with all its arguments");
}

static void test_msg(void)
{
    struct {
        long type;
        char text[100];
    } m = {7, "message"}, got;
    struct msqid_ds ds;
    struct msginfo info;
    int id = EXPECT_OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));

    EXPECT_OK(msgsnd(id, &m, 8, 0));
    m.type = 9;
    EXPECT_OK(msgsnd(id, &m, 100, 0));
    EXPECT_OK(msgctl(id, IPC_STAT, &ds));
    EXPECT_EQ(ds.msg_qnum, 2);
    EXPECT_EQ(ds.__msg_cbytes, 108);
    EXPECT_EQ(ds.msg_lspid, getpid());
    EXPECT(time(NULL) - ds.msg_stime >= 0 && time(NULL) - ds.msg_stime < 100);
    EXPECT_EQ(msgrcv(id, &got, 100, 9, 0), 100);
    EXPECT_EQ(got.type, 9);
    EXPECT_ERR(msgrcv(id, &got, 4, 0, 0), E2BIG);
    EXPECT_EQ(msgrcv(id, &got, 4, 0, MSG_NOERROR), 4);
    EXPECT_EQ(got.type, 7);
    EXPECT_ERR(msgrcv(id, &got, 100, 0, IPC_NOWAIT), ENOMSG);
    EXPECT_ERR(msgsnd(id, BAD, 8, 0), EFAULT);
    m.type = 0;
    EXPECT_ERR(msgsnd(id, &m, 8, 0), EINVAL);
    m.type = 3;
    EXPECT_OK(msgsnd(id, &m, 8, 0));
    EXPECT_ERR(msgrcv(id, BAD, 100, 0, 0), EFAULT);
    EXPECT_OK(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes /= 2;
    EXPECT_OK(msgctl(id, IPC_SET, &ds));
    unsigned long half = ds.msg_qbytes;
    EXPECT_OK(msgctl(id, IPC_STAT, &ds));
    EXPECT_EQ(ds.msg_qbytes, half);
    EXPECT_OK(msgctl(0, IPC_INFO, (void *)&info));
    EXPECT(info.msgmax >= 100);
    EXPECT_ERR(msgctl(id, IPC_STAT, BAD), EFAULT);
    EXPECT_OK(msgctl(id, IPC_RMID, NULL));
    EXPECT_ERR(msgctl(id, IPC_STAT, &ds), EINVAL);
    verified("msgget, msgsnd, msgrcv, msgctl");
}

static volatile sig_atomic_t noticed;
static volatile int noticed_value, noticed_code;
static void on_notice(int sig, siginfo_t *info, void *uc)
{
    (void)uc;
    noticed = sig;
    noticed_value = info->si_value.sival_int;
    noticed_code = info->si_code;
}

static volatile int thread_value;
static void on_thread(union sigval v)
{
    thread_value = v.sival_int;
}

static void test_mq(void)
{
    char name[64], buf[64];
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64}, got;
    unsigned prio;

    snprintf(name, sizeof name, "/dragoman-%d", getpid());
    mqd_t q = EXPECT_OK(mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr));
    EXPECT_ERR(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr), EEXIST);
    EXPECT_OK(mq_getattr(q, &got));
    EXPECT_EQ(got.mq_maxmsg, 4);
    EXPECT_EQ(got.mq_msgsize, 64);
    EXPECT_EQ(got.mq_flags, O_NONBLOCK);
    EXPECT_ERR(mq_receive(q, buf, 64, &prio), EAGAIN);
    EXPECT_OK(mq_send(q, "low", 3, 1));
    EXPECT_OK(mq_send(q, "high", 4, 30));
    EXPECT_EQ(mq_receive(q, buf, 64, &prio), 4);
    EXPECT_EQ(prio, 30);
    EXPECT_EQ(mq_receive(q, buf, 64, NULL), 3);
    EXPECT_ERR(mq_receive(q, buf, 63, &prio), EMSGSIZE);
    EXPECT_ERR(syscall(SYS_mq_timedsend, q, BAD, 4, 0, NULL), EFAULT);
    EXPECT_ERR(mq_send(q, buf, 65, 0), EMSGSIZE);
    EXPECT_ERR(mq_send(q, buf, 4, 1 << 20), EINVAL);
    got.mq_flags = 0;
    EXPECT_OK(mq_setattr(q, &got, NULL));
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    EXPECT_ERR(mq_timedreceive(q, buf, 64, NULL, &ts), ETIMEDOUT);

    struct sigaction act = {.sa_sigaction = on_notice, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigevent ev = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99};
    EXPECT_OK(sigaction(SIGUSR1, &act, NULL));
    EXPECT_OK(mq_notify(q, &ev));
    EXPECT_ERR(mq_notify(q, &ev), EBUSY);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0)
        _exit(mq_send(q, "wake", 4, 0) != 0);
    finish(pid);
    EXPECT_EQ(noticed, SIGUSR1);
    EXPECT_EQ(noticed_value, 99);
    EXPECT_EQ(noticed_code, SI_MESGQ);
    EXPECT_EQ(mq_receive(q, buf, 64, NULL), 4);
    ev = (struct sigevent){.sigev_notify = SIGEV_THREAD,
                           .sigev_notify_function = on_thread,
                           .sigev_value.sival_int = 55};
    EXPECT_OK(mq_notify(q, &ev));
    EXPECT_OK(mq_send(q, "wake", 4, 0));
    for (int i = 0; i < 300 && !thread_value; i++)
        usleep(10000);
    EXPECT_EQ(thread_value, 55);
    EXPECT_ERR(syscall(SYS_mq_notify, q, BAD), EFAULT);
    EXPECT_OK(mq_close(q));
    EXPECT_OK(mq_unlink(name));
    EXPECT_ERR(mq_unlink(name), ENOENT);
    verified("POSIX message queues, notification by signal and thread");
}

int main(void)
{
    test_shm();
    test_sem();
    test_msg();
    test_mq();
    return 0;
}
