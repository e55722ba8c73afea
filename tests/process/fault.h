/* tests/process: a host fault handler such as exceptions/ has, for the tests of safe access and code
 * pages. fault_guarded_write stores a byte as guest code would: false when it faults for good. */
#ifndef DRAGOMAN_TESTS_PROCESS_FAULT_H
#define DRAGOMAN_TESTS_PROCESS_FAULT_H

#include "process/mm.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static _Thread_local sigjmp_buf fault_out;
static _Thread_local volatile sig_atomic_t fault_guard;
static _Thread_local struct cpu_fault fault_last;

static void fault_handler(int signo, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
    bool write = uc->uc_mcontext.gregs[REG_ERR] & 2;
    uint64_t go = mm_access_fixup(*pc);

    if (!go && !fault_guard) {
        signal(signo, SIG_DFL);
        return;
    }
    if (signo == SIGSEGV && mm_fault_fixup((uintptr_t)info->si_addr, write, &fault_last))
        return;
    if (signo == SIGBUS)
        fault_last = (struct cpu_fault){.addr = (uintptr_t)info->si_addr,
                                        .signo = signo,
                                        .code = info->si_code,
                                        .write = write};
    if (go)
        *pc = go;
    else
        siglongjmp(fault_out, 1);
}

static void fault_install(void)
{
    struct sigaction sa = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}

static inline bool fault_guarded_write(uint64_t addr, uint8_t byte)
{
    fault_guard = 1;
    if (sigsetjmp(fault_out, 0)) {
        fault_guard = 0;
        return false;
    }
    *(volatile uint8_t *)mm_g2h(addr) = byte;
    fault_guard = 0;
    return true;
}

static inline bool fault_guarded_read(uint64_t addr, uint8_t *byte)
{
    fault_guard = 1;
    if (sigsetjmp(fault_out, 0)) {
        fault_guard = 0;
        return false;
    }
    *byte = *(volatile uint8_t *)mm_g2h(addr);
    fault_guard = 0;
    return true;
}

#endif
