# threads: condition variables, robust and priority-inheriting mutexes, cancellation, TLS, barriers, rwlocks, semaphores, timers
# grade=medium group=system time=120 memory=600
cat >t.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, rob, pi; static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER; static pthread_barrier_t bar; static sem_t sem; static int turn, total, cleaned; static __thread int tls = 5; static volatile int fired;
static void *ping(void *p) { long me = (long)p; for (int i = 0; i < 2000; i++) { pthread_mutex_lock(&m); while (turn != me) pthread_cond_wait(&c, &m); turn = (turn + 1) % 4; total++; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m); } tls += me; return (void *)(long)tls; }
static void *die(void *p) { pthread_mutex_lock(&rob); return p; } static void undo(void *p) { cleaned += *(int *)p; } static void *sleeper(void *p) { pthread_cleanup_push(undo, p); sleep(100); pthread_cleanup_pop(0); return 0; }
static void *reader(void *p) { long s = 0; for (int i = 0; i < 3000; i++) { if (i % 50 == 0) { pthread_rwlock_wrlock(&rw); total++; pthread_rwlock_unlock(&rw); } else { pthread_rwlock_rdlock(&rw); s += total > 0; pthread_rwlock_unlock(&rw); } } pthread_barrier_wait(&bar); pthread_mutex_lock(&pi); total++; pthread_mutex_unlock(&pi); sem_post(&sem); return p; }
static void on(int s, siginfo_t *i, void *u) { fired += i->si_value.sival_int; (void)s; (void)u; }
int main(void) { pthread_t t[8]; void *r; long sum = 0; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, ping, (void *)i); for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); sum += (long)r; } printf("%d %ld %d\n", total, sum, tls);
pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST); pthread_mutex_init(&rob, &a); pthread_create(&t[0], 0, die, 0); pthread_join(t[0], 0); int e = pthread_mutex_lock(&rob); printf("%s\n", e == EOWNERDEAD ? "dead" : strerror(e)); pthread_mutex_consistent(&rob); pthread_mutex_unlock(&rob); pthread_mutexattr_init(&a); pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT); printf("%d\n", pthread_mutex_init(&pi, &a));
int one = 1; for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, sleeper, &one); usleep(100000); for (int i = 0; i < 4; i++) { pthread_cancel(t[i]); pthread_join(t[i], &r); if (r != PTHREAD_CANCELED) return 1; } printf("%d\n", cleaned); total = 0; pthread_barrier_init(&bar, 0, 8); sem_init(&sem, 0, 0); for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, reader, 0); for (int i = 0; i < 8; i++) sem_wait(&sem); for (int i = 0; i < 8; i++) pthread_join(t[i], 0); printf("%d\n", total);
struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO}; sigaction(SIGRTMIN, &sa, 0); timer_t tm; struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 3}; timer_create(CLOCK_MONOTONIC, &ev, &tm); struct itimerspec it = {{0, 5000000}, {0, 5000000}}; timer_settime(tm, 0, &it, 0); while (fired < 30) pause(); timer_delete(tm); printf("%d\n", fired >= 30); struct timespec ts; clock_gettime(CLOCK_REALTIME, &ts); ts.tv_nsec += 20000000; if (ts.tv_nsec > 999999999) ts.tv_sec++, ts.tv_nsec -= 1000000000; printf("%d\n", sem_timedwait(&sem, &ts) == -1 && errno == ETIMEDOUT); return 0; }
C
gcc -O2 -pthread -o t t.c && ./t && ./t | md5sum
