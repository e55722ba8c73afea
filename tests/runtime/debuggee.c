/* What tests/runtime/gdb.tap debugs. Its expectations name functions and variables, and the lines that bear a mark. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile int calls, caught, stop;
static double half = 0.5;
static volatile int *nowhere;

__attribute__((noinline)) static int add(int a, int b)
{
    calls++;
    return a + b;
}

static void on_signal(int signo)
{
    caught += signo;
}

__attribute__((noinline)) static void *worker(void *arg)
{
    add(1, 2);
    return arg;
}

__attribute__((noinline)) static int fault(void)
{
    return *nowhere;
}

int main(int argc, char **argv)
{
    pthread_t t;
    int sum = 0;
    for (int i = 0; i < 2000; i++)
        sum = add(sum, i);
    half *= sum;
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    pthread_create(&t, NULL, worker, NULL);
    pthread_join(t, NULL);
    printf("sum %d, caught %d, half %.1f\n", sum, caught, half);
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "loop") == 0) {
        while (!stop)
            calls++;
    }
    if (argc > 1 && strcmp(argv[1], "fault") == 0)
        return fault();
    return 3;
}
