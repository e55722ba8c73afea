/* Synchronous signals: exact address, code and pc; continuing after them; register and floating-point
 * state in the ucontext; what kills when it cannot be handled. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
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
static volatile uint64_t a7_seen;
static void *unprotect;

static volatile enum { SKIP, RETRY } mode;

/* Bytes of the instruction at pc. */
static unsigned insn_len(uint64_t pc)
{
    return (*(uint16_t *)pc & 3) == 3 ? 4 : 2;
}

static void on_fault(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    (void)sig;
    memcpy((void *)&last, si, sizeof(last));
    last_pc = uc->uc_mcontext.__gregs[REG_PC];
    last_sp = (uintptr_t)&uc;
    a7_seen = uc->uc_mcontext.__gregs[17];
    count++;
    if (mode == RETRY)
        mprotect(unprotect, 4096, PROT_READ | PROT_WRITE);
    else
        uc->uc_mcontext.__gregs[REG_PC] += insn_len(last_pc);
}

static void install(int sig, int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | flags;
    sigaction(sig, &sa, NULL);
}

/* A load whose pc is known. Returns a0 as it was before when the load is skipped. */
extern char load_pc[], store_pc[], amo_pc[], ill_pc[], brk_pc[], fld_pc[], lr_pc[];
uint64_t do_load(uint64_t addr);
void do_store(uint64_t addr, uint64_t v);
uint64_t do_amo(uint64_t addr);
uint64_t do_lr(uint64_t addr);
void do_ill(void);
void do_brk(void);
void do_fld(uint64_t addr);
__asm__(".text\n"
        "do_load:\n li a7, 0x1234\n load_pc: ld a0, 0(a0)\n ret\n"
        "do_store:\n li a7, 0x1234\n store_pc: sd a1, 0(a0)\n ret\n"
        "do_amo:\n li a7, 0x1234\n amo_pc: amoadd.d a0, zero, (a0)\n ret\n"
        "do_lr:\n lr_pc: lr.d a0, (a0)\n ret\n"
        "do_ill:\n ill_pc: .4byte 0x0000007f\n ret\n"
        "do_brk:\n .option push\n .option norvc\n brk_pc: ebreak\n .option pop\n ret\n"
        "do_fld:\n fld_pc: fld ft0, 0(a0)\n ret\n");

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
    EXPECT_EQ(a7_seen, 0x1234);

    do_load((uintptr_t)none + 4096 + 24);
    EXPECT_EQ(last.si_code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)none + 4096 + 24);

    do_store((uintptr_t)ro + 40, 1);
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)ro + 40);
    EXPECT_EQ(last_pc, (uintptr_t)store_pc);

    do_amo((uintptr_t)ro + 48);
    EXPECT_EQ(last.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)ro + 48);
    EXPECT_EQ(last_pc, (uintptr_t)amo_pc);

    do_fld((uintptr_t)none + 8);
    EXPECT_EQ((uintptr_t)last.si_addr, (uintptr_t)none + 8);
    EXPECT_EQ(last_pc, (uintptr_t)fld_pc);
    do_lr((uintptr_t)none + 8);
    EXPECT_EQ(last_pc, (uintptr_t)lr_pc);

    do_load(8);
    EXPECT_EQ(last.si_code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)last.si_addr, 8);
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
        EXPECT_EQ((uintptr_t)last.si_addr, far[i]);
        EXPECT_EQ(last.si_code, SEGV_MAPERR);
        EXPECT_EQ(last_pc, (uintptr_t)load_pc);
        do_store(far[i], 3);
        EXPECT_EQ((uintptr_t)last.si_addr, far[i]);
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
    last_pc = uc->uc_mcontext.__gregs[REG_PC];
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
static volatile uint32_t fcsr_seen;

static void on_fp(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    (void)sig;
    (void)si;
    uint64_t bits = uc->uc_mcontext.__fpregs.__d.__f[8]; /* fs0 */
    double seen;
    memcpy(&seen, &bits, 8);
    f_seen = seen;
    fcsr_seen = uc->uc_mcontext.__fpregs.__d.__fcsr;
    double d = 2.5;
    memcpy(&bits, &d, 8);
    uc->uc_mcontext.__fpregs.__d.__f[8] = bits;
    uc->uc_mcontext.__fpregs.__d.__fcsr = 0x41; /* rounding down, inexact */
    uc->uc_mcontext.__gregs[18] = 0x77777777;   /* s2 */
    /* The handler's own use of them does not matter. */
    __asm__ volatile("fmv.d.x fs0, zero\n fscsr zero" ::: "fs0");
}

static void test_fp(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_fp;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &sa, NULL);
    double in = 1.25, out;
    uint64_t s2, fcsr;
    pid_t pid = getpid();
    __asm__ volatile("fmv.d fs0, %3\n li s2, 5\n li t0, 0x65\n fscsr t0\n"
                     "mv a0, %4\n li a1, 10\n li a7, 129\n ecall\n"
                     "fmv.d %0, fs0\n mv %1, s2\n frcsr %2\n"
                     : "=&f"(out), "=&r"(s2), "=&r"(fcsr)
                     : "f"(in), "r"(pid)
                     : "a0", "a1", "a7", "t0", "s2", "fs0", "memory");
    EXPECT(f_seen == 1.25);
    EXPECT_EQ(fcsr_seen, 0x65);
    EXPECT(out == 2.5);
    EXPECT_EQ(s2, 0x77777777);
    EXPECT_EQ(fcsr, 0x41);
    __asm__ volatile("fscsr zero");
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
                __asm__ volatile("li sp, 16\n li a7, 139\n ecall");
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
