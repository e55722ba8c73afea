/* What Linux's arm64 port does otherwise than others, or refuses on a processor without BTI, MTE, PAC, SVE and 32-bit
 * programs (arch/arm64/kernel/{sys,process,signal,traps}.c, include/asm/mman.h of Linux 6.12). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#define PROT_BTI_ 0x10
#define PROT_MTE_ 0x20

static void refusals(void)
{
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED);
    EXPECT_ERR(mprotect(p, 4096, PROT_READ | PROT_EXEC | PROT_BTI_), EINVAL);
    EXPECT_ERR(mprotect(p, 4096, PROT_READ | PROT_MTE_), EINVAL);
    EXPECT_OK(mprotect(p, 4096, PROT_READ));
    munmap(p, 4096);
    EXPECT_ERR(prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(60 /* PR_PAC_SET_ENABLED_KEYS */, 1, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(61 /* PR_PAC_GET_ENABLED_KEYS */, 0, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(PR_SVE_GET_VL, 0, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(PR_SVE_SET_VL, 16, 0, 0, 0), EINVAL);
    EXPECT_ERR(prctl(64 /* PR_SME_GET_VL */, 0, 0, 0, 0), EINVAL);
    EXPECT_ERR(personality(PER_LINUX32), EINVAL);
    EXPECT_EQ(personality(0xffffffff), 0);
    verified("what is refused");
}

static void facts(void)
{
    struct utsname u;
    uint64_t hwcap = getauxval(AT_HWCAP);
    EXPECT_OK(uname(&u));
    EXPECT_EQ(strcmp(u.machine, "aarch64"), 0);
    EXPECT_EQ(strcmp((const char *)getauxval(AT_PLATFORM), "aarch64"), 0);
    EXPECT_EQ(hwcap & 3, 3);                             /* fp, asimd */
    EXPECT_EQ(hwcap & (1 << 22), 0);                     /* sve */
    EXPECT_EQ(getauxval(51 /* AT_MINSIGSTKSZ */), 4720); /* rt_sigframe, frame record, padding */
    /* open()'s flags that differ from other ports. */
    EXPECT_EQ(O_DIRECTORY, 040000);
    EXPECT_EQ(O_NOFOLLOW, 0100000);
    EXPECT_EQ(O_DIRECT, 0200000);
    EXPECT_ERR(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    EXPECT_ERR(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW), ELOOP);
    int fd = EXPECT_OK(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(fcntl(fd, F_GETFL) & (O_DIRECTORY | O_NOFOLLOW | O_DIRECT), O_DIRECTORY);
    close(fd);
    verified("machine, capabilities, flags");
}

/* Arm ARM, C5.2 (SSBS, DIT) and D23.2: what a capability says an ID register says too. */
static void capabilities(void)
{
    uint64_t isar1, pfr1, was, set, clear, dit;
    uint64_t hwcap = getauxval(AT_HWCAP), hwcap2 = getauxval(AT_HWCAP2);
    __asm__ volatile("mrs %0, s3_0_c0_c6_1\n mrs %1, s3_0_c0_c4_1" : "=r"(isar1), "=r"(pfr1));
    EXPECT_EQ(isar1 >> 44 & 15, hwcap2 >> 14 & 1);      /* bf16 */
    EXPECT_EQ(pfr1 >> 4 & 15, hwcap >> 28 & 1 ? 2 : 0); /* ssbs */
    if (hwcap >> 28 & 1) {
        __asm__ volatile("mrs %0, s3_3_c4_c2_6\n msr s0_3_c4_c1_1, xzr\n mrs %1, s3_3_c4_c2_6\n"
                         "mrs %3, s3_3_c4_c2_5\n"
                         "msr s3_3_c4_c2_6, xzr\n mrs %2, s3_3_c4_c2_6\n msr s3_3_c4_c2_6, %0"
                         : "=&r"(was), "=&r"(set), "=&r"(clear), "=&r"(dit));
        EXPECT_EQ(set, 1 << 12);
        EXPECT_EQ(clear, 0);
        EXPECT_EQ(dit, 0);
    }
    verified("capabilities and ID registers");
}

static sigjmp_buf back;
static siginfo_t seen;
static uint64_t seen_pc, seen_address, seen_syndrome;
static void on_signal(int signo, siginfo_t *si, void *uc)
{
    (void)signo;
    seen = *si;
    seen_pc = ((ucontext_t *)uc)->uc_mcontext.pc;
    seen_address = isa_fault_address(uc);
    seen_syndrome = isa_syndrome(uc);
    siglongjmp(back, 1);
}

static void catch (int signo)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    memset(&seen, 0, sizeof seen);
    EXPECT_OK(sigaction(signo, &sa, NULL));
}

static void traps(void)
{
    static uint32_t words[2] __attribute__((aligned(8)));
    catch (SIGBUS);
    /* A branch to an address that is not a multiple of four: pc and si_addr are that address. */
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(void))((uintptr_t)traps + 2))();
    EXPECT_EQ(seen.si_signo, SIGBUS);
    EXPECT_EQ(seen.si_code, BUS_ADRALN);
    EXPECT_EQ((uintptr_t)seen.si_addr, (uintptr_t)traps + 2);
    EXPECT_EQ(seen_pc, (uintptr_t)traps + 2);
    catch (SIGTRAP);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("brk #0x123");
    EXPECT_EQ(seen.si_signo, SIGTRAP);
    EXPECT_EQ(seen.si_code, TRAP_BRKPT);
    EXPECT_EQ((uintptr_t)seen.si_addr, seen_pc);
    catch (SIGILL);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("hvc #0");
    EXPECT_EQ(seen.si_signo, SIGILL);
    EXPECT_EQ(seen.si_code, ILL_ILLOPC);
    EXPECT_EQ((uintptr_t)seen.si_addr, seen_pc);
    catch (SIGSEGV);
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(void))(uintptr_t)words)();
    EXPECT_EQ(seen.si_signo, SIGSEGV);
    EXPECT_EQ(seen.si_code, SEGV_ACCERR);
    EXPECT_EQ((uintptr_t)seen.si_addr, (uintptr_t)words);
    EXPECT_EQ(seen_pc, (uintptr_t)words);
    verified("misaligned pc, BRK, undefined instructions, data that is run");
}

/* ESR_EL1: exception class, IL, and what the class has (Arm ARM, D17.2.37). */
#define SYNDROME(class, iss) (UINT64_C(class) << 26 | 1 << 25 | (iss))

static void expect_frame(uint64_t address, uint64_t syndrome)
{
    EXPECT_EQ(seen_address, address);
    EXPECT_EQ(seen_syndrome, syndrome);
}

/* Raised for this thread alone; no fault, whatever its siginfo says. */
static void by_kill(int signo)
{
    catch (signo);
    if (sigsetjmp(back, 1) == 0)
        raise(signo);
    EXPECT_EQ(seen.si_signo, signo);
}

static void *in_thread(void *unused)
{
    by_kill(SIGUSR1);
    return unused;
}

/* thread.fault_address and fault_code (arch/arm64/kernel/{signal,traps}.c, mm/fault.c): an abort's stay in the frames of all later
 * signals, those of threads that are made then too; misaligned PC and SP leave no address, an undefined instruction nothing. */
static void old_faults(void)
{
    volatile char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t read = SYNDROME(0x24, 0x0f), write = SYNDROME(0x24, 0x40 | 0x0f);
    pthread_t thread;
    catch (SIGSEGV);
    if (sigsetjmp(back, 1) == 0)
        none[5] = 1;
    expect_frame((uintptr_t)none + 5, write);
    by_kill(SIGUSR1);
    expect_frame((uintptr_t)none + 5, write);
    if (sigsetjmp(back, 1) == 0)
        (void)none[7];
    by_kill(SIGSEGV);
    EXPECT_EQ(seen.si_code, SI_TKILL);
    expect_frame((uintptr_t)none + 7, read);
    catch (SIGTRAP);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("brk #1");
    expect_frame((uintptr_t)none + 7, read);
    seen_address = seen_syndrome = 0;
    EXPECT_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
    EXPECT_EQ(pthread_join(thread, NULL), 0);
    expect_frame((uintptr_t)none + 7, read);
    catch (SIGBUS);
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(void))((uintptr_t)traps + 2))();
    expect_frame(0, SYNDROME(0x22, 0));
    by_kill(SIGUSR1);
    expect_frame(0, SYNDROME(0x22, 0));
    catch (SIGSEGV);
    if (sigsetjmp(back, 1) ==
        0) /* beyond what user space can have: no level, but whether it was a write */
        *(volatile char *)(UINT64_C(1) << 52) = 1;
    expect_frame(UINT64_C(1) << 52, SYNDROME(0x24, 0x44));
    catch (SIGILL);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("hvc #0");
    expect_frame(0, 0);
    by_kill(SIGUSR1);
    expect_frame(0, 0);
    verified("faults that frames tell of");
}

/* An access by a stack pointer that is no multiple of 16 faults (Arm ARM, D1.8.2; SCTLR_EL1.SA0 is set under Linux): si_addr is the
 * stack pointer, pc the access. Until there is one such a stack pointer does no harm. */
static uint64_t odd_access(int how)
{
    static uint64_t sp, pc;
    memset(&seen, 0, sizeof seen);
#define ODD(make, access)                                                                       \
    __asm__ volatile("mov x9, sp\n str x9, %0\n adr x10, 1f\n str x10, %1\n mov x11, #8\n" make \
                     "\n mov x10, sp\n str x10, %0\n1: " access "\n mov sp, x9"                 \
                     : "=m"(sp), "=m"(pc)                                                       \
                     :                                                                          \
                     : "x9", "x10", "x11", "v0", "memory")
    if (sigsetjmp(back, 1) == 0) {
        switch (how) {
        case 0:
            ODD("sub sp, sp, #24", "ldr x10, [sp]");
            break;
        case 1:
            ODD("sub x10, x9, #40\n mov sp, x10", "str x10, [sp, #8]");
            break;
        case 2:
            ODD("sub sp, sp, x11", "ldr x10, [sp, x11]");
            break;
        case 3:
            ODD("orr x10, x9, #8\n sub x10, x10, #64\n and sp, x10, #-8", "ldp x10, x11, [sp]");
            break;
        case 4:
            ODD("str x10, [sp, #-8]!", "ldr q0, [sp], #16");
            break;
        case 5:
            ODD("sub sp, sp, #64\n ld1 {v0.8b}, [sp], #8", "st1 {v0.b}[3], [sp]");
            break;
        case 6:
            ODD("sub sp, sp, #64\n ld1 {v0.8b}, [sp], x11", "ldxr x10, [sp]\n clrex");
            break;
        case 7: /* no access by it */
            ODD("sub sp, sp, #24",
                "ldr x10, [x9]\n prfm pldl1keep, [sp]\n add sp, sp, #8\n ldr x10, [sp]");
            break;
        }
        return 0;
    }
    EXPECT_EQ(seen.si_signo, SIGBUS);
    EXPECT_EQ(seen.si_code, BUS_ADRALN);
    EXPECT_EQ((uintptr_t)seen.si_addr, sp);
    EXPECT_EQ(seen_pc, pc);
    EXPECT_EQ(seen_address, 0);
    EXPECT_EQ(seen_syndrome, SYNDROME(0x26, 0));
    return sp % 16;
}

static void odd_stack(void)
{
    catch (SIGBUS);
    for (int round = 0; round < 3; round++) {
        for (int how = 0; how < 7; how++)
            EXPECT_EQ(odd_access(how), 8);
        EXPECT_EQ(odd_access(7), 0);
    }
    verified("misaligned stack pointers");
}

/* Pointer authentication is not advertised: its hints do nothing, its other instructions are undefined (Arm ARM, C3.1.9). */
static void authentication(void)
{
    register uint64_t x30 __asm__("x30") = 0x1234567, x17 __asm__("x17") = 0x1234567;
    __asm__ volatile(
        "hint #25\n hint #27\n hint #29\n hint #31\n hint #8\n hint #10\n hint #12\n hint #14\n"
        "hint #24\n hint #26\n hint #28\n hint #30\n hint #7\n hint #34"
        : "+r"(x30), "+r"(x17)
        :
        : "x16");
    EXPECT_EQ(x30, 0x1234567);
    EXPECT_EQ(x17, 0x1234567);
    catch (SIGILL);
#define UNDEFINED(word)                                                     \
    seen.si_signo = 0;                                                      \
    if (sigsetjmp(back, 1) == 0)                                            \
        __asm__ volatile("mov x0, sp\n .inst " #word : : : "x0", "memory"); \
    EXPECT_EQ(seen.si_signo, SIGILL)
    UNDEFINED(0xdac10000); /* pacia x0, x0 */
    UNDEFINED(0xdac11000); /* autia x0, x0 */
    UNDEFINED(0xdac123e0); /* paciza x0 */
    UNDEFINED(0xdac143e0); /* xpaci x0 */
    UNDEFINED(0x9ac03000); /* pacga x0, x0, x0 */
    UNDEFINED(0xf8200400); /* ldraa x0, [x0] */
    UNDEFINED(0xf8a00c00); /* ldrab x0, [x0]! */
    UNDEFINED(0xd71f0800); /* braa x0, x0 */
    UNDEFINED(0xd61f081f); /* braaz x0 */
    UNDEFINED(0xd63f081f); /* blraaz x0 */
    UNDEFINED(0xd65f0bff); /* retaa */
    verified("pointer authentication");
}

int main(void)
{
    facts();
    capabilities();
    refusals();
    traps();
    old_faults();
    authentication();
    odd_stack();
    return 0;
}
