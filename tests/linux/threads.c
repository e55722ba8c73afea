/* Threads: creation and end, tids, join by CLEARTID, robust mutexes, cancellation, signals to threads,
 * exit of the first thread, exit_group. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Thread_local long own = 42;
static long total;

static void *add(void *arg)
{
    own += (long)(intptr_t)arg;
    __atomic_add_fetch(&total, own, __ATOMIC_SEQ_CST);
    return (void *)own;
}

static void test_storm(void)
{
    long want = 0;
    for (int i = 0; i < 500; i++) {
        pthread_t th[4];
        for (int k = 0; k < 4; k++) {
            EXPECT_EQ(pthread_create(&th[k], NULL, add, (void *)(intptr_t)(i + k)), 0);
            want += 42 + i + k;
        }
        for (int k = 0; k < 4; k++) {
            void *r;
            pthread_join(th[k], &r);
            EXPECT_EQ((long)r, 42 + i + k);
        }
    }
    EXPECT_EQ(total, want);
    verified("2000 threads created and joined");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counter, turns;

static void *work(void *arg)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        __atomic_add_fetch(&total, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_lock(&lock);
    while (turns != (intptr_t)arg)
        pthread_cond_wait(&cond, &lock);
    turns++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void test_sync(void)
{
    pthread_t th[8];
    total = counter = 0;
    pthread_barrier_init(&barrier, NULL, 8);
    for (int i = 0; i < 8; i++)
        pthread_create(&th[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < 8; i++)
        pthread_join(th[i], NULL);
    EXPECT_EQ(counter, 16000);
    EXPECT_EQ(total, 16000);
    EXPECT_EQ(turns, 8);
    verified("mutex, condition, barrier, atomics");
}

static pthread_mutex_t robust;

static void *die_with_lock(void *arg)
{
    pthread_mutex_lock(&robust);
    return arg;
}

static void test_robust(void)
{
    pthread_mutexattr_t at;
    pthread_t th;
    pthread_mutexattr_init(&at);
    pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &at);
    for (int i = 0; i < 50; i++) {
        pthread_create(&th, NULL, die_with_lock, NULL);
        pthread_join(th, NULL);
        /* The owner's death is known as soon as it can be joined. */
        EXPECT_EQ(pthread_mutex_trylock(&robust), EOWNERDEAD);
        EXPECT_EQ(pthread_mutex_consistent(&robust), 0);
        EXPECT_EQ(pthread_mutex_unlock(&robust), 0);
    }
    /* Between processes, by death from a signal. */
    pthread_mutex_t *m =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &at);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(m);
        kill(getpid(), SIGKILL);
    }
    EXPECT_EQ(waitpid(pid, NULL, 0), pid);
    EXPECT_EQ(pthread_mutex_lock(m), EOWNERDEAD);
    verified("robust mutexes of the dead");
}

static sem_t sem;
static volatile int handled_by;
static volatile int cleaned;

static void on_usr1(int sig)
{
    (void)sig;
    handled_by = gettid();
    sem_post(&sem);
}

static void cleanup(void *arg)
{
    (void)arg;
    cleaned++;
}

static volatile pid_t sleeper_tid;

static void *sleeper(void *arg)
{
    (void)arg;
    pthread_cleanup_push(cleanup, NULL);
    sleeper_tid = gettid();
    sem_post(&sem);
    for (;;)
        sleep(10);
    pthread_cleanup_pop(0);
    return NULL;
}

static void test_signals(void)
{
    pthread_t th;
    struct timespec soon;
    sem_init(&sem, 0, 0);
    signal(SIGUSR1, on_usr1);
    pthread_create(&th, NULL, sleeper, NULL);
    sem_wait(&sem);
    EXPECT(sleeper_tid != getpid());
    EXPECT_EQ(syscall(SYS_tgkill, getpid(), sleeper_tid, 0), 0);
    pthread_kill(th, SIGUSR1);
    while (sem_wait(&sem) != 0)
        ;
    EXPECT_EQ(handled_by, sleeper_tid);

    /* To the process while only the other thread lets it through. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    handled_by = 0;
    kill(getpid(), SIGUSR1);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 5;
    EXPECT_EQ(sem_timedwait(&sem, &soon), 0);
    EXPECT_EQ(handled_by, sleeper_tid);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);

    EXPECT_EQ(pthread_cancel(th), 0);
    void *r;
    EXPECT_EQ(pthread_join(th, &r), 0);
    EXPECT(r == PTHREAD_CANCELED);
    EXPECT_EQ(cleaned, 1);
    verified("signals to threads, cancellation");
}

/* The kernel's own protocol of the end: *ctid becomes 0 and is woken; the tid is gone. */
static int ctid_word;
static char thread_stack[65536] __attribute__((aligned(16)));

static int raw_thread(void *arg)
{
    *(int *)arg = (int)syscall(SYS_gettid);
    return 0;
}

static void test_raw_clone(void)
{
    int seen = 0, parent_tid = 0;
    ctid_word = 1;
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    int tid = clone(raw_thread, thread_stack + sizeof(thread_stack), flags, &seen, &parent_tid,
                    NULL, &ctid_word);
    EXPECT(tid > 0);
    EXPECT_EQ(parent_tid, tid);
    for (;;) {
        int v = __atomic_load_n(&ctid_word, __ATOMIC_SEQ_CST);
        if (v == 0)
            break;
        EXPECT(v == tid || v == 1); /* 1: it has not run yet */
        syscall(SYS_futex, &ctid_word, FUTEX_WAIT, v, NULL, NULL, 0);
    }
    EXPECT_EQ(seen, tid);
    verified("clone with PARENT_SETTID, CHILD_SETTID, CHILD_CLEARTID");
}

static int closer(void *arg)
{
    close(*(int *)arg);
    return 0;
}

static void test_unshared(void)
{
    int fd = dup(0), parent_tid;
    int base = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
               CLONE_CHILD_CLEARTID;
    for (int share = 0; share < 2; share++) {
        ctid_word = 1;
        int tid = clone(closer, thread_stack + sizeof(thread_stack),
                        base | (share ? CLONE_FILES : 0), &fd, &parent_tid, NULL, &ctid_word);
        EXPECT(tid > 0);
        while (__atomic_load_n(&ctid_word, __ATOMIC_SEQ_CST))
            sched_yield();
        EXPECT_EQ(dup2(fd, fd) == fd, !share);
    }
    verified("threads with and without CLONE_FILES");
}

static void *exit_later(void *arg)
{
    usleep(50000);
    if (arg)
        _exit(33);
    syscall(SYS_exit, 9);
    return NULL;
}

static void *exit_group_now(void *arg)
{
    (void)arg;
    exit(5);
}

static void test_ends(void)
{
    int st;
    pthread_t th;
    /* The first thread ends first: the process lives until the others end. */
    pid_t pid = fork();
    if (pid == 0) {
        pthread_create(&th, NULL, exit_later, (void *)1);
        pthread_exit(NULL);
    }
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 33 << 8);
    pid = fork();
    if (pid == 0) {
        pthread_create(&th, NULL, exit_later, NULL);
        syscall(SYS_exit, 9);
    }
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 9 << 8); /* Linux before 5.18: of the first thread; since then: of the last */
    pid = fork();
    if (pid == 0) {
        pthread_create(&th, NULL, exit_group_now, NULL);
        for (;;)
            pause();
    }
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    EXPECT_EQ(st, 5 << 8);
    verified("the ends of a process with threads");
}

static void *forker(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    pid_t pid = fork();
    if (pid == 0) {
        /* A single thread, whose tid is the pid; threads can be made again. */
        pthread_t th;
        void *r = NULL;
        if (gettid() != getpid())
            _exit(1);
        if (pthread_create(&th, NULL, add, (void *)1) || pthread_join(th, &r) || (long)r != 43)
            _exit(2);
        _exit(11);
    }
    pthread_mutex_unlock(&lock);
    int st;
    waitpid(pid, &st, 0);
    return (void *)(intptr_t)st;
}

static volatile int spin_stop;
static void *spinner(void *arg)
{
    (void)arg;
    while (!spin_stop) {
        void *p = malloc(100);
        free(p);
    }
    return NULL;
}

static void test_fork(void)
{
    pthread_t th, busy[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&busy[i], NULL, spinner, NULL);
    for (int i = 0; i < 20; i++) {
        void *r;
        pthread_create(&th, NULL, forker, NULL);
        pthread_join(th, &r);
        EXPECT_EQ((intptr_t)r, 11 << 8);
    }
    spin_stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(busy[i], NULL);
    verified("fork from a thread");
}

int main(void)
{
    test_storm();
    test_sync();
    test_robust();
    test_signals();
    test_raw_clone();
    test_unshared();
    test_ends();
    test_fork();
    return 0;
}
