# gcc's leak sanitizer: a process beside the program, with its memory, stops its threads and looks through registers, stacks and thread-local storage
# grade=hard group=system time=120 memory=1000
cat >t.c <<'C'
#include <pthread.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *global; static __thread void *local; static pthread_barrier_t bar; static volatile int depth;
static __attribute__((noinline)) void leak(int n) { for (int i = 0; i < n; i++) *(volatile char *)malloc(77) = 1; }
static __attribute__((noinline)) void wipe(void) { volatile char b[4096]; memset((char *)b, 0, sizeof b); depth = b[7]; }
/* One block by thread-local storage, one by the stack, one by nothing but another block. */
static void *holds(void *p) { void **q = malloc(60); *q = malloc(61); local = malloc(62); void *volatile s = q; pthread_barrier_wait(&bar); pthread_barrier_wait(&bar); if (s == p) abort(); free(*q); free(q); free(local); return p; }
int main(int c, char **v)
{
    pthread_t t[4]; pthread_barrier_init(&bar, 0, 5); global = malloc(63);
    for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, holds, 0);
    pthread_barrier_wait(&bar);
    if (c > 1) leak(100);
    wipe();
    printf("found %d\n", __lsan_do_recoverable_leak_check()); fflush(stdout);
    pthread_barrier_wait(&bar);
    for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
    printf("joined\n"); return 0;
}
C
gcc -g -O1 -fsanitize=leak -pthread -w -o l t.c; for c in '' leak; do ./l $c 2>err; echo $?; grep -c '^Direct leak' err; sed -n 's/.*\(leak of\) [0-9]* byte(s) in \(9[0-9]\|100\) object.*/\1/p; s/.* \(LeakSanitizer: [a-z ]*\).*/\1/p; s/.*in \(leak\|malloc\) .*t.c:\([0-9]*\)$/\1 \2/p' err; done
