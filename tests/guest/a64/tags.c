/* Pointer tags: bits 63 to 56 of an address are ignored by loads, stores and branches (Arm ARM, D8.3.4 "Address tagging"),
 * and by system calls for a thread that asked for it (Linux Documentation/arch/arm64/tagged-address-abi.rst). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_TAGGED_ADDR_CTRL
#define PR_SET_TAGGED_ADDR_CTRL 55
#define PR_GET_TAGGED_ADDR_CTRL 56
#define PR_TAGGED_ADDR_ENABLE 1
#endif
#ifndef SA_EXPOSE_TAGBITS
#define SA_EXPOSE_TAGBITS 0x800
#endif

static void *tag(const void *p, unsigned t)
{
    uint64_t v = (uintptr_t)p | (uint64_t)t << 56;
    __asm__("" : "+r"(v));
    return (void *)v;
}

static uint64_t mem[1024] __attribute__((aligned(2048)));

static void plain(void)
{
    for (unsigned t = 1; t < 256; t += 2) {
        volatile uint64_t *p = tag(mem, t);
        p[1] = t;
        EXPECT_EQ(mem[1], t);
        EXPECT_EQ(p[1], t);
        ((volatile uint8_t *)p)[8 + 3] = 7;
        EXPECT_EQ(mem[1] >> 24, 7);
        EXPECT_EQ(*(volatile int16_t *)(p + 1), t);
    }
    verified("loads and stores");
}

static void others(void)
{
    uint64_t *p = tag(mem, 0x5a), a, b;
    mem[0] = 11;
    mem[1] = 22;
    __asm__ volatile("ldp %0, %1, [%2], #16" : "=r"(a), "=r"(b), "+r"(p)::"memory");
    EXPECT_EQ(a, 11);
    EXPECT_EQ(b, 22);
    EXPECT_EQ((uintptr_t)p,
              (uintptr_t)tag(mem + 2, 0x5a)); /* the written-back base keeps its tag */
    __asm__ volatile("stp %0, %1, [%2, #-16]!" : : "r"(b), "r"(a), "r"(p) : "memory");
    EXPECT_EQ(mem[0], 22);
    p = tag(mem, 0xff);
    __asm__ volatile(
        "ldr q0, [%0]\n str q0, [%0, #32]\n ld2 {v1.4s, v2.4s}, [%0]\n st2 {v1.4s, v2.4s}, [%1]\n"
        :
        : "r"(p), "r"(p + 8)
        : "v0", "v1", "v2", "memory");
    EXPECT_EQ(mem[4], 22);
    EXPECT_EQ(mem[8], 22);
    uint64_t dczid;
    __asm__("mrs %0, dczid_el0" : "=r"(dczid));
    int block = (4 << (dczid & 15)) / 8;
    p = tag(&mem[block], 0x80);
    for (int i = 0; i < 3 * block; i++)
        mem[i] = 99;
    __asm__ volatile("dc zva, %0" : : "r"(p) : "memory");
    for (int i = 0; i < 3 * block; i++)
        EXPECT_EQ(mem[i], i >= block && i < 2 * block ? 0 : 99);
    p = tag(mem, 3);
    EXPECT_EQ(__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST), 99);
    EXPECT_EQ(mem[0], 100);
    uint64_t want = 100;
    EXPECT(__atomic_compare_exchange_n(p, &want, 5, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    EXPECT_EQ(mem[0], 5);
    __asm__ volatile(".arch armv8.1-a\n ldadd %1, %0, [%2]\n swpal %1, xzr, [%2]"
                     : "=&r"(a)
                     : "r"(2ul), "r"(p)
                     : "memory");
    EXPECT_EQ(a, 5);
    EXPECT_EQ(mem[0], 2);
    /* Load-exclusive by one tag, store-exclusive by another. */
    uint32_t failed;
    __asm__ volatile("ldxr %0, [%2]\n stxr %w1, %4, [%3]"
                     : "=&r"(a), "=&r"(failed)
                     : "r"(p), "r"(tag(mem, 9)), "r"(77ul)
                     : "memory");
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(mem[0], 77);
    verified("pairs, vectors, DC ZVA, atomics, exclusives");
}

static __attribute__((noinline)) int callee(int x)
{
    __asm__ volatile("");
    return x + 1;
}

static void branches(void)
{
    uint64_t where;
    for (unsigned t = 0; t < 256; t += 5) {
        int (*f)(int) = tag(callee, t);
        EXPECT_EQ(f(t), t + 1);
        /* The tag does not come into the program counter. */
        __asm__ volatile("adr %0, 1f\n orr %0, %0, %1\n br %0\n1: adr %0, .\n"
                         : "=&r"(where)
                         : "r"((uint64_t)t << 56));
        EXPECT_EQ(where >> 56, 0);
    }
    verified("branches");
}

static sigjmp_buf back;
static uintptr_t seen_addr, seen_fault_address;

static void on_fault(int signo, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    (void)signo;
    seen_addr = (uintptr_t)si->si_addr;
    seen_fault_address = uc->uc_mcontext.fault_address;
    siglongjmp(back, 1);
}

static void faults(void)
{
    volatile char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    for (volatile int i = 0; i < 4; i++) {
        sa.sa_flags = SA_SIGINFO | (i & 1 ? SA_EXPOSE_TAGBITS : 0);
        sigaction(SIGSEGV, &sa, NULL);
        if (sigsetjmp(back, 1) == 0) {
            if (i & 2)
                (void)((volatile char *)tag((void *)none, 0x42))[5];
            else
                ((volatile char *)tag((void *)none, 0x42))[5] = 1;
            EXPECT(0);
        }
        /* With SA_EXPOSE_TAGBITS Linux gives the address as accessed; code that is known to use tags has it
         * without here (docs/guest-a64.md). */
        if (!(i & 1))
            EXPECT_EQ(seen_addr, (uintptr_t)none + 5);
        EXPECT_EQ(seen_addr & (UINT64_MAX >> 8), (uintptr_t)none + 5);
        EXPECT_EQ(seen_fault_address, (uintptr_t)none + 5);
    }
    signal(SIGSEGV, SIG_DFL);
    munmap((void *)none, 4096);
    verified("faults");
}

static int writes(const void *p)
{
    int fds[2], ok;
    EXPECT_EQ(pipe(fds), 0);
    errno = 0;
    ok = write(fds[1], p, 8) == 8;
    EXPECT(ok || errno == EFAULT);
    struct iovec v = {(void *)p, 8};
    errno = 0;
    EXPECT_EQ(writev(fds[1], &v, 1) == 8, ok);
    EXPECT(ok || errno == EFAULT);
    close(fds[0]);
    close(fds[1]);
    return ok;
}

static void *in_thread(void *arg)
{
    EXPECT_EQ(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), (long)arg);
    EXPECT_EQ(writes(tag(mem, 1)), (long)arg);
    return NULL;
}

static void calls(void)
{
    pthread_t th;
    struct stat st;
    EXPECT_EQ(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 0);
    EXPECT_EQ(writes(mem), 1);
    EXPECT_EQ(writes(tag(mem, 1)), 0);
    EXPECT_ERR(open(tag("/dev/null", 4), O_RDONLY), EFAULT);
    EXPECT_ERR(prctl(PR_SET_TAGGED_ADDR_CTRL, 2, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 1, 0, 0), EINVAL);
    EXPECT_ERR(prctl(PR_GET_TAGGED_ADDR_CTRL, 1, 0, 0, 0), EINVAL);

    /* Memory management takes tags away in any case, but for addresses that it is to place something at. */
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(mprotect(tag(p, 7), 4096, PROT_READ), 0);
    EXPECT_EQ(madvise(tag(p, 7), 4096, MADV_DONTNEED), 0);
    EXPECT_ERR(mmap(tag(p, 7), 4096, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
               ENOMEM);
    EXPECT_EQ(munmap(tag(p, 9), 8192), 0);
    EXPECT_ERR(mprotect(p, 4096, PROT_READ), ENOMEM);

    EXPECT_EQ(prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 0, 0, 0), 0);
    EXPECT_EQ(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 1);
    EXPECT_EQ(writes(tag(mem, 1)), 1);
    EXPECT_EQ(close(open(tag("/dev/null", 4), O_RDONLY)), 0);
    EXPECT_EQ(stat(tag("/", 4), tag(&st, 8)), 0);
    EXPECT(S_ISDIR(st.st_mode));
    EXPECT_EQ(pthread_create(&th, NULL, in_thread, (void *)1), 0);
    pthread_join(th, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        in_thread((void *)1);
        _exit(0);
    }
    int status;
    EXPECT_EQ(waitpid(pid, tag(&status, 2), 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(prctl(PR_SET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 0);
    EXPECT_EQ(writes(tag(mem, 1)), 0);
    verified("system calls");
}

/* A linked list of tagged pointers, hot. */
static void hot(void)
{
    struct node {
        struct node *next;
        uint64_t v;
    } *list = NULL;
    static struct node nodes[1000];
    for (unsigned i = 0; i < 1000; i++) {
        nodes[i] = (struct node){list, i};
        list = tag(&nodes[i], i & 255);
    }
    uint64_t sum = 0;
    for (int r = 0; r < 3000; r++)
        for (struct node *n = list; n; n = n->next)
            sum += n->v++;
    EXPECT_EQ(sum, UINT64_C(3000) * 499500 + UINT64_C(1000) * (3000 * 2999 / 2));
    verified("a hot loop");
}

int main(int argc, char **argv)
{
    (void)argv;
    plain();
    others();
    branches();
    hot();
    faults();
    if (argc == 1)
        calls();
    return 0;
}
