/* The virtual processor of one guest thread.
 *
 * Owns: struct cpu, the register file that micro-op operands number, and the reasons for which an
 * engine returns. At every block head and whenever an engine has returned, the guest slots are
 * canonical; inside a block the translator may hold them elsewhere.
 *
 * Threading: a cpu belongs to its thread. Others may only set `pending` (atomically).
 */
#ifndef DRAGOMAN_UOP_CPU_H
#define DRAGOMAN_UOP_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_TEMP_BASE 192 /* first block-local temporary */
#define CPU_UNITS 256     /* slots and temporaries together */
#define CPU_TEMPS (CPU_UNITS - CPU_TEMP_BASE)
#define CPU_JCACHE_BITS 12 /* entries of the per-thread jump cache */

/* Guest addresses end here, at 85 TiB. The host places its own executables (from two thirds of 2^47, 0x555555554000),
 * libraries and stacks above, so base 0 works and a runtime address is never a guest address; below lie the places
 * that programs take for granted, the sanitizers' allocators at 0x500000000000 being the highest. */
#define GUEST_ADDR_END UINT64_C(0x550000000000)

struct block;
struct thread;

/* Why an engine returned. The pc slot holds the address of the instruction concerned; the state is
 * that before it, as if it had not begun. */
enum exit_reason {
    EXIT_BLOCK,   /* no block known at pc: lift one (or promote), then go on */
    EXIT_SYSCALL, /* system-call instruction at pc */
    EXIT_BREAK,   /* breakpoint instruction at pc */
    EXIT_ILLEGAL, /* undefined instruction, or an invalid rounding mode, at pc */
    EXIT_ICACHE,  /* instruction-cache synchronisation at pc */
    EXIT_FAULT,   /* memory access at pc faulted: see cpu.fault */
    EXIT_SIGNAL,  /* cpu.pending was seen at the block head pc */
    EXIT_FP_TRAP, /* reserved for guests with trapping floating point */
    EXIT_PROMOTE, /* translated code: the unit at exit_arg has become hot; go on at pc */
    EXIT_STALE,   /* the block at pc is not what memory holds now: invalidate it and lift anew */
    EXIT_DEBUG,   /* a debugger's breakpoint at pc */
    EXIT_RELIFT,  /* the instruction at pc makes the stack pointer misaligned: see LIFT_STACK */
};

/* A fault of guest memory, in the guest's terms. */
struct cpu_fault {
    uint64_t addr; /* guest address accessed */
    int signo;     /* SIGSEGV, SIGBUS, ... */
    int code;      /* si_code: SEGV_MAPERR, SEGV_ACCERR, BUS_ADRALN, BUS_ADRERR ... */
    bool write;
    bool stack; /* BUS_ADRALN for the sake of the stack pointer that the access is by */
};

/* The jump cache: blocks by guest pc. Empty entry i has the pc CPU_EMPTY_PC(i), which belongs elsewhere:
 * so no jump target, whatever it is, finds an empty entry. */
struct jcache_entry {
    uint64_t pc;
    struct block *block;
};
#define CPU_EMPTY_PC(i) ((uint64_t)((i) ^ 1) << 1)
#define CPU_JCACHE_INDEX(pc) ((pc) >> 1 & ((1u << CPU_JCACHE_BITS) - 1))

/* The same for translated code, searched by it: the unit to jump to. Empty as above. */
struct ucache_entry {
    uint64_t pc;
    const void *host;
};
#define CPU_UCACHE_BITS 14
#define CPU_UCACHE_INDEX(pc) ((pc) >> 1 & ((1u << CPU_UCACHE_BITS) - 1))

struct cpu {
    /* First what translated code uses at every turn, so that it is in reach of short displacements like the
     * first slots (host/x64/stubs.h). */

    /* Set by anyone who wants this thread out of the engine at the next block head: an
     * asynchronous signal, an invalidation, a stop request (cpu_ask_out). 0 or UINT32_MAX: a poll that compares it with the
     * low half of any aligned address, rbp's, finds it above only if it is set, and a comparison with a register fuses with its
     * jump where one with a constant does not. Cleared by the run loop. */
    _Alignas(64) uint32_t pending;

    uint32_t mxcsr; /* guest rounding mode and sticky flags in host form, while outside an engine */
    /* The reservation of ll/sc. res_addr is ~0 when there is none; res_high is the upper half of 128 bits. */
    uint64_t res_addr;
    uint64_t res_val;
    uint64_t exit_arg; /* more about the exit, e.g. the illegal instruction's bits */
    void *host_rsp;    /* host/x64/: stack pointer of the entry stub's frame */
    void *frames;      /* host/x64/: stack pointer of translated code while outside of it */
    uint8_t frm;       /* enum fp_rm set by fp_setmode; more than FP_RMM is invalid */
    uint8_t fp_rules;  /* enum fp_rule, set by fp_setmode too */
    bool
        fp_special; /* frm is FP_RMM or invalid, or translated code cannot flush here: it does otherwise */
    bool fp_denormal; /* sticky FP_ID */
    uint16_t
        fp_direct;  /* bit n: rounding-mode operand n is what the host's MXCSR does (uop/fp.h) */
    bool in_engine; /* an engine runs: host MXCSR is the guest's, faults are the guest's */
    bool in_mem;    /* interpreter: an access that says by `at` where it is (interp/access.h) */

    /* Guest slots, then temporaries; operand n of a micro-op is r[n]. */
    _Alignas(64) uint64_t r[CPU_UNITS];

    /* Where the interpreter is: its block, and after an exit the micro-op concerned. */
    struct block *block;
    const struct uop *at;

    struct cpu_fault fault;
    uint64_t
        trapped; /* codecache/: pc of a unit whose floating-point operations trap too often; 0: none */
    void *recover; /* interp/: stack pointer to resume with after a fault */
    uint8_t
        code_rules;    /* codecache/: the FP_CODE_RULES of the code that jcache and ucache are of */
    uint64_t cc_epoch; /* codecache/: epoch in which the cpu entered, 0 while outside */
    uint64_t cc_flushed;       /* codecache/: epoch for which the jump cache is good */
    struct cpu *cc_next;       /* codecache/: list of registered cpus */
    const struct guest *guest; /* the ISA */
    struct thread *thread;     /* the thread that this cpu belongs to */
    uint64_t res_high;
    /* Operands a, b, c of uop_call (uop/sem.h), its vector result, and the immediate of a vector operation */
    _Alignas(16) uint64_t call_arg[3][2], call_result[2];
    int64_t call_imm;
    /* For translated code: uop_fp_flags by MXCSR's sticky bits, and its inverse. */
    uint8_t fp_flags[64], fp_sticky[32];
    void *frames_base; /* codecache/: its value with no frame on it */
    void *frames_map;  /* codecache/: the mapping, guard page first */
    uint64_t unit_gen; /* codecache/: generation of units for which ucache is good */

    struct jcache_entry jcache[1 << CPU_JCACHE_BITS];
    struct ucache_entry ucache[1 << CPU_UCACHE_BITS];
};

/* Any thread, signal handlers too. */
static inline void cpu_ask_out(struct cpu *c)
{
    __atomic_store_n(&c->pending, UINT32_MAX, __ATOMIC_SEQ_CST);
}

#endif
