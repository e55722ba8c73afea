/* What is special about a guest ISA under Linux, as data and function pointers.
 *
 * Owns: struct guest. Nothing outside guest/<isa>/ may test which guest it has.
 *
 * Threading: const data; the functions are reentrant.
 */
#ifndef DRAGOMAN_GUEST_GUEST_H
#define DRAGOMAN_GUEST_GUEST_H

#include "uop/block.h"
#include "uop/cpu.h"
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct lift; /* guest/lift.h: the block under construction */

#define GUEST_NO_SLOT 255
#define GUEST_HOME_GPRS 11
#define GUEST_HOME_XMMS 12

/* A helper row for UOP_helper: d = fn(cpu, a, b). Slots it touches beyond its operands are declared
 * so that the translator knows what to write back. A helper never touches guest memory and never
 * fails. */
struct guest_helper {
    const char *name;
    uint64_t (*fn)(struct cpu *cpu, uint64_t a, uint64_t b);
    bool reads_slots, writes_slots;
};

/* What a signal handler frame needs besides the registers in the cpu. */
struct sigframe_in {
    int signo;
    const siginfo_t *info; /* already in guest layout (all 64-bit guests: the host's) */
    uint64_t handler;      /* guest address of the handler */
    uint64_t restorer;     /* SA_RESTORER address, 0 if none; else the vdso's sigreturn */
    uint64_t flags;        /* SA_* of the action */
    uint64_t mask;         /* the mask to restore */
    stack_t altstack;      /* to be stored in uc_stack */
    uint64_t sp;           /* stack pointer to build below (already switched to the altstack) */
};

/* A system call that has a number only with this guest, by the name of its row in syscall.def. */
struct guest_syscall {
    unsigned nr;
    const char *name;
};

/* A bit of open()'s flags that the guest's ABI has elsewhere than the host's. */
struct guest_flagmap {
    uint32_t guest, host;
};

/* A register as a debugger names it, in the order of its numbers. */
struct guest_debug_reg {
    const char *feature; /* that it belongs to, of gdb's standard target features */
    const char *name;
    const char *type; /* of gdb's predefined types */
    uint8_t bits;
    uint8_t slot; /* 128 bits: and the next; GUEST_NO_SLOT: by get and set */
};

/* A set of registers as the kernel's ptrace lays it out, by its note type (NT_PRSTATUS ...). */
struct guest_regset {
    unsigned type;
    unsigned size; /* bytes; 0 ends the list */
    unsigned unit; /* of which a request takes a number */
    void (*get)(const struct cpu *cpu, void *buf);
    void (*set)(struct cpu *cpu, const void *buf);
};

/* What a debugger is told about the registers. */
struct guest_debug {
    const char *architecture; /* by gdb's name */
    const struct guest_debug_reg *regs;
    unsigned nregs;
    uint64_t (*get)(const struct cpu *cpu, unsigned reg);
    void (*set)(struct cpu *cpu, unsigned reg, uint64_t v);
    const struct guest_regset *regsets;
    /* At its stops before and behind a system call the kernel shows these values in call_slot, whatever is in it. */
    uint8_t call_slot;
    bool call_slot_behind; /* behind it, too */
    int64_t call_value[2];
    unsigned
        call_note; /* a register set that is the number of the call alone; 0: it is in sysnr_slot */
    bool steps;    /* PTRACE_SINGLESTEP exists */
};

struct guest {
    const char *name;     /* "riscv64" */
    uint16_t elf_machine; /* EM_RISCV */
    const char *uname_machine;
    const char *platform; /* AT_PLATFORM, or NULL */
    const char *ldso_env; /* documentation of the usual PT_INTERP */

    /* Slots. */
    unsigned nslots;
    uint8_t zero_slot; /* always reads 0, never written; or GUEST_NO_SLOT */
    uint8_t pc_slot, sp_slot, tls_slot;
    uint8_t sysnr_slot, sysret_slot, sysarg_slot[6];
    unsigned syscall_len; /* bytes of the system-call instruction */
    unsigned insn_align;  /* alignment of instructions */
    unsigned
        stack_align; /* accesses by the stack pointer fault when it is no multiple of this; 0: none do */
    /* The address without a tag that accesses ignore; NULL: all bits count. */
    uint64_t (*untag)(uint64_t addr);
    uop_slot_name *slot_name;

    /* The busiest slots, which the translator keeps in host registers between units (host/x64
     * says which register each place stands for). GUEST_NO_SLOT where there is none. fp_first..fp_last
     * are the slots that hold floating point; vec_first..vec_end - 1 those of vector registers, two
     * each: the first of a pair stands for both in home_xmm. */
    uint8_t home_gpr[GUEST_HOME_GPRS];
    uint8_t home_xmm[GUEST_HOME_XMMS];
    bool fp_env; /* its floating-point micro-ops have FP_ENV */
    uint8_t fp_first, fp_last;
    uint8_t vec_first, vec_end;

    /* Lift one guest instruction at l->pc from code[0..avail). Emits micro-ops with lift_*() of
     * guest/lift.h. Returns the instruction's length in bytes, or 0 when avail is too short. An
     * undefined encoding emits exit EXIT_ILLEGAL and returns its length. */
    unsigned (*lift)(struct lift *l, const uint8_t *code, size_t avail);

    /* Disassemble one instruction in objdump's style: "mnemonic\toperands". Returns its length, or 0
     * when avail is too short. */
    unsigned (*disasm)(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc);

    /* The instruction at pc is undefined. What the kernel does in its stead, if it does something: then true. */
    bool (*emulate)(struct cpu *cpu, const uint8_t code[4]);

    const struct guest_helper *helpers;
    unsigned nhelpers;

    /* A new thread's or program's registers. */
    void (*cpu_reset)(struct cpu *cpu);
    void (*cpu_start)(struct cpu *cpu, uint64_t entry, uint64_t sp);
    /* A FATAL report's register dump: lines of text into buf. */
    size_t (*cpu_print)(const struct cpu *cpu, char *buf, size_t size);
    const struct guest_debug *debug;

    /* Signal frames. build fills buf (at most sigframe_max bytes, 16-aligned) with the frame that
     * is to lie at guest address *sp_out, and sets the cpu to enter the handler; returns its size.
     * parse reads such a frame (the bytes at the sp of a sigreturn) back into cpu, mask and altstack:
     * 0, or -1 when it is malformed. AT_MINSIGSTKSZ is sigframe_size and sigframe_pad. */
    size_t sigframe_max, sigframe_min_stack, sigframe_pad;
    /* A synchronous exception has happened (cpu->fault has more when the signal is SIGSEGV or SIGBUS): what it leaves to frames. NULL:
     * nothing. */
    void (*note_fault)(struct cpu *cpu, int signo, int code, uint64_t addr);
    size_t (*sigframe_build)(struct cpu *cpu, const struct sigframe_in *in, void *buf,
                             uint64_t *sp_out);
    size_t (*sigframe_size)(void);
    int (*sigframe_parse)(struct cpu *cpu, const void *buf, size_t size, uint64_t *mask,
                          stack_t *ss);

    /* Hardware description. */
    uint64_t hwcap, hwcap2;
    const unsigned char *vdso_image; /* ELF image of the vdso, mapped by the loader */
    size_t vdso_size;
    uint64_t vdso_sigreturn; /* offset of rt_sigreturn's trampoline in the image */
    size_t (*cpuinfo)(char *buf, size_t size, unsigned ncpus); /* text of /proc/cpuinfo */

    /* System calls. The generic table of syscall/ serves all guests with the asm-generic numbers;
     * these are the guest's own (riscv_hwprobe, riscv_flush_icache). NULL-terminated by name. */
    const struct guest_syscall *own_syscalls;
    const struct guest_flagmap *open_flags;        /* ends with {0, 0}; NULL: all alike */
    uint64_t (*hwprobe)(int64_t key, bool *known); /* values for riscv_hwprobe; NULL if none */
    bool clone_tls_before_ctid;                    /* argument order of clone */
    bool no_linux32;  /* personality() refuses PER_LINUX32: no 32-bit programs */
    bool sa_restorer; /* struct sigaction has the restorer field, between flags and mask */
};

/* Is the slot half of a vector register? */
static inline bool guest_vector_slot(const struct guest *g, unsigned slot)
{
    return slot >= g->vec_first && slot < g->vec_end;
}

extern const struct guest guest_rv64;
extern const struct guest guest_a64;

/* The guest for an ELF e_machine, or NULL. */
const struct guest *guest_by_elf(unsigned e_machine);
const struct guest *guest_by_name(const char *name);

/* The guests one by one; NULL after the last. */
const struct guest *guest_at(size_t i);

#endif
