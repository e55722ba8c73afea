/* Reads hexadecimal addresses, one a line, and tells of each whether a byte, a word behind an index and a store there fault, by
 * the address that the handler gets. What is looked at first is its own, so that the code is translated. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static sigjmp_buf back;
static volatile uintptr_t fault;
static uint64_t own[64];

static void on_fault(int signo, siginfo_t *si, void *uc)
{
    (void)signo, (void)uc;
    fault = (uintptr_t)si->si_addr;
    siglongjmp(back, 1);
}

static uint64_t __attribute__((noinline)) byte_at(volatile const unsigned char *p)
{
    return p[3];
}
static uint64_t __attribute__((noinline)) word_at(volatile const uint64_t *p, uint64_t i)
{
    return p[i];
}
static void __attribute__((noinline)) store_at(volatile uint64_t *p)
{
    p[-1] = 0;
}

static int try(unsigned how, uintptr_t at)
{
    fault = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (how == 0)
            byte_at((const unsigned char *)at - 3);
        else if (how == 1)
            word_at((const uint64_t *)(at - 16), 2);
        else
            store_at((uint64_t *)(at + 8));
        return 0;
    }
    return fault == at;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    char line[64];
    sigaction(SIGSEGV, &sa, NULL);
    for (unsigned i = 0; i < 3000; i++)
        try(i % 3, (uintptr_t)&own[i % 60 + 2]);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        unsigned long at = 0;
        sscanf(line, "%lx", &at);
        printf("%d%d%d\n", try(0, at), try(1, at), try(2, at));
        fflush(stdout);
    }
    return 0;
}
