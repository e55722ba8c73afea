/* Synchronous signals: exact address, code and pc; continuing after them; register and floating-point
 * state in the ucontext; what kills when it cannot be handled. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile siginfo_t last;
static volatile uint64_t last_pc, last_sp;
static volatile int count;
static volatile uint64_t kept_seen, fault_address, syndrome;
static void *unprotect;

static volatile enum { SKIP, RETRY } mode;

static void on_fault(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    (void)sig;
    memcpy((void *)&last, si, sizeof(last));
    last_pc = ISA_PC(uc);
    last_sp = (uintptr_t)&uc;
    kept_seen = ISA_KEPT(uc);
    fault_address = isa_fault_address(uc);
    syndrome = isa_syndrome(uc);
    count++;
    if (mode == RETRY)
        mprotect(unprotect, 4096, PROT_READ | PROT_WRITE);
    else
        ISA_PC(uc) += isa_insn_len(last_pc);
}

static void install(int sig, int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | flags;
    sigaction(sig, &sa, NULL);
}

/* Each with one instruction whose pc is known (isa_*.h). do_load returns its argument when the load is skipped. */
extern char load_pc[], store_pc[], amo_pc[], ill_pc[], brk_pc[], fp_load_pc[], ll_pc[];
uint64_t do_load(uint64_t addr);
void do_store(uint64_t addr, uint64_t v);
uint64_t do_amo(uint64_t addr);
uint64_t do_ll(uint64_t addr);
void do_ill(void);
void do_brk(void);
void do_fp_load(uint64_t addr);

static void test_addresses(void)
{
    install(SIGSEGV, 0);
    mode = SKIP;
    char *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(none + 4096, 4096);

    count = 0;
    EXPECT_EQ(do_load((uintptr_t)none + 16), (uintptr_t)none + 16);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(last.si_signo, SIGSEGV);
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)none + 16);
    EXPECT_EQ(last_pc, (uintptr_t)load_pc);
    EXPECT_EQ(kept_seen, 0x1234);
    EXPECT_EQ(fault_address, ISA_HAS_SYNDROME ? (uintptr_t)none + 16 : 0);
    EXPECT_EQ(syndrome, ISA_HAS_SYNDROME ? 0x9200000f : 0);

    do_load((uintptr_t)none + 4096 + 24);
    EXPECT_EQ(last.si_code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)none + 4096 + 24);

    do_store((uintptr_t)ro + 40, 1);
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)ro + 40);
    EXPECT_EQ(last_pc, (uintptr_t)store_pc);
    EXPECT_EQ(syndrome, ISA_HAS_SYNDROME ? 0x9200004f : 0);

    do_amo((uintptr_t)ro + 48);
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)ro + 48);
    EXPECT_EQ(last_pc, (uintptr_t)amo_pc);

    do_fp_load((uintptr_t)none + 8);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)none + 8);
    EXPECT_EQ(last_pc, (uintptr_t)fp_load_pc);
    do_ll((uintptr_t)none + 8);
    EXPECT_EQ(last_pc, (uintptr_t)ll_pc);

    do_load(8);
    EXPECT_EQ(last.si_code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)last.si_addr, 8);
    EXPECT_EQ(syndrome & ~3,
              ISA_HAS_SYNDROME ? 0x92000004 : 0); /* the level of the tables may be any */
    EXPECT_EQ(count, 7);

    /* Continue with the access allowed. */
    mode = RETRY;
    unprotect = ro;
    do_store((uintptr_t)ro + 8, 0x55aa);
    EXPECT_EQ(*(uint64_t *)(ro + 8), 0x55aa);
    EXPECT_EQ(count, 8);
    mode = SKIP;
    munmap(none, 4096);
    munmap(ro, 4096);
    verified("SIGSEGV: address, code, pc, skipping and retrying");
}

/* Addresses that the host cannot even name. The kernel there reports a page fault, MAPERR. */
static void test_far(void)
{
    static const uint64_t far[] = {UINT64_C(1) << 63, UINT64_C(0x00ffff0000000000),
                                   UINT64_C(0xfffffffffffff000), UINT64_C(1) << 47};
    count = 0;
    for (int i = 0; i < 4; i++) {
        do_load(far[i]);
        EXPECT_EQ((uintptr_t)last.si_addr, isa_si_addr(far[i]));
        EXPECT_EQ(last.si_code, SEGV_MAPERR);
        EXPECT_EQ(last_pc, (uintptr_t)load_pc);
        do_store(far[i], 3);
        EXPECT_EQ((uintptr_t)last.si_addr, isa_si_addr(far[i]));
        EXPECT_EQ(last_pc, (uintptr_t)store_pc);
    }
    EXPECT_EQ(count, 8);
    verified("SIGSEGV at addresses beyond the address space");
}

/* A jump to nowhere: pc and address are the target. */
static sigjmp_buf back;

static void on_exec(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    (void)sig;
    memcpy((void *)&last, si, sizeof(last));
    last_pc = ISA_PC(uc);
    siglongjmp(back, 1);
}

static void test_jump(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_exec;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &sa, NULL);
    char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*fn)(void) = (void (*)(void))(data + 64);
    if (sigsetjmp(back, 1) == 0)
        fn();
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)data + 64);
    EXPECT_EQ(last_pc, (uintptr_t)data + 64);
    munmap(data, 4096);
    if (sigsetjmp(back, 1) == 0)
        fn();
    EXPECT_EQ(last.si_code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)data + 64);
    verified("jumps to what cannot be executed");
}

static void test_bus(void)
{
    char name[] = "/tmp/dragoman-faults-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    EXPECT_EQ(ftruncate(fd, 4096), 0);
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    install(SIGBUS, 0);
    count = 0;
    do_load((uintptr_t)p + 4096 + 16);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(last.si_signo, SIGBUS);
    EXPECT_EQ(last.si_code, BUS_ADRERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)p + 4096 + 16);
    EXPECT_EQ(last_pc, (uintptr_t)load_pc);
    munmap(p, 8192);
    close(fd);
    verified("SIGBUS behind the end of a file");
}

static void test_instructions(void)
{
    install(SIGILL, 0);
    install(SIGTRAP, 0);
    count = 0;
    do_ill();
    EXPECT_EQ(count, 1);
    EXPECT_EQ(fault_address, 0);
    EXPECT_EQ(syndrome, 0);
    EXPECT_EQ(last.si_signo, SIGILL);
    EXPECT_EQ(last.si_code, ILL_ILLOPC);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)ill_pc);
    EXPECT_EQ(last_pc, (uintptr_t)ill_pc);
    do_brk();
    EXPECT_EQ(count, 2);
    EXPECT_EQ(last.si_signo, SIGTRAP);
    EXPECT_EQ(last.si_code, TRAP_BRKPT);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)brk_pc);
    EXPECT_EQ(last_pc, (uintptr_t)brk_pc);
    verified("SIGILL and SIGTRAP");
}

/* Floating-point state goes through the ucontext. */
static volatile double f_seen;
static volatile uint64_t fcsr_seen;

static void on_fp(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    (void)sig;
    (void)si;
    f_seen = isa_kept_fp(uc);
    fcsr_seen = isa_fcsr_of(uc);
    isa_set_kept(uc, 2.5, 0x77777777);
    /* The handler's own use of them does not matter. */
    isa_clobber_fp();
}

static void test_fp(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_fp;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &sa, NULL);
    double out;
    uint64_t kept, fcsr;
    isa_kill_with_state(1.25, getpid(), &out, &kept, &fcsr);
    EXPECT(f_seen == 1.25);
    EXPECT_EQ(fcsr_seen, ISA_FCSR_SENT);
    EXPECT(out == 2.5);
    EXPECT_EQ(kept, 0x77777777);
    EXPECT_EQ(fcsr, ISA_FCSR_BACK);
    verified("registers and floating-point state in the ucontext");
}

/* The main stack overflows; the handler runs on the alternate one. */
static char alt[65536];
static volatile uintptr_t overflow_addr;

static void on_overflow(int sig, siginfo_t *si, void *uc)
{
    (void)sig;
    (void)uc;
    overflow_addr = (uintptr_t)si->si_addr;
    last_sp = (uintptr_t)&sig;
    siglongjmp(back, 1);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion" /* that is its purpose */
static __attribute__((noinline)) int recurse(volatile char *p)
{
    volatile char block[16384];
    block[0] = p ? p[0] : 0;
    return recurse(block) + block[0];
}

static void test_overflow(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
        struct sigaction sa;
        sigaltstack(&ss, NULL);
        memset(&sa, 0, sizeof(sa));
        sa.sa_sigaction = on_overflow;
        sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaction(SIGSEGV, &sa, NULL);
        static volatile int twice;
        if (sigsetjmp(back, 1) == 0 || twice++ < 1)
            recurse(NULL);
        _exit(overflow_addr && last_sp > (uintptr_t)alt && last_sp < (uintptr_t)alt + sizeof(alt)
                  ? 0
                  : 1);
    }
    int st;
    waitpid(pid, &st, 0);
    EXPECT_EQ(st, 0);

    /* Without an alternate stack the frame cannot be written. */
    pid = fork();
    if (pid == 0) {
        install(SIGSEGV, 0);
        recurse(NULL);
        _exit(0);
    }
    waitpid(pid, &st, 0);
    EXPECT(WIFSIGNALED(st));
    EXPECT_EQ(WTERMSIG(st), SIGSEGV);
    verified("stack overflow, with and without an alternate stack");
}

/* A fault while the signal is blocked or ignored kills by it. */
static void test_unhandled(void)
{
    for (int how = 0; how < 4; how++) {
        pid_t pid = fork();
        if (pid == 0) {
            sigset_t set;
            sigfillset(&set);
            if (how == 0)
                sigprocmask(SIG_BLOCK, &set, NULL);
            if (how == 1)
                signal(SIGSEGV, SIG_IGN);
            if (how == 2)
                signal(SIGSEGV, SIG_DFL);
            if (how == 3) {
                /* A malformed frame: sigreturn with a stack that is not there. */
                signal(SIGSEGV, SIG_DFL);
                ISA_BAD_SIGRETURN();
            }
            do_load(8);
            _exit(0);
        }
        int st;
        waitpid(pid, &st, 0);
        EXPECT(WIFSIGNALED(st));
        EXPECT_EQ(WTERMSIG(st), SIGSEGV);
    }
    verified("faults that cannot be handled");
}

int main(void)
{
    test_addresses();
    test_far();
    test_jump();
    test_bus();
    test_instructions();
    test_fp();
    test_overflow();
    test_unhandled();
    return 0;
}
