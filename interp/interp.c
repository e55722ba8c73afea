/* interp/interp.c: entry to and exit from the dispatch loop, and the way out after a fault.
 *
 * Owns: interp_run, the switch of MXCSR around guest code, interp_fault.
 *
 * The loop is entered through a few lines of assembly that save the callee-saved registers and the
 * stack pointer (in cpu->recover). A fault resumes behind the loop's call with that stack
 * pointer: no setjmp on the way in, and the handler's sigreturn restores the mask.
 *
 * Threading: reentrant; one call per cpu.
 */
#include "interp/interp.h"
#include "guest/guest.h"
#include "interp/loop.h"
#include "uop/fp.h"
#include <ucontext.h>

/* interp_enter(cpu, b, out, &cpu->recover): calls interp_loop(cpu, b, out). */
enum exit_reason interp_enter(struct cpu *cpu, struct block *b, struct loop_exit *out,
                              void **recover);
extern const char interp_faulted[];

__asm__(".text\n"
        ".p2align 4\n"
        ".type interp_enter, @function\n"
        "interp_enter:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %rbp, 0\n"
        "    pushq %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %rbx, 0\n"
        "    pushq %r12\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %r12, 0\n"
        "    pushq %r13\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %r13, 0\n"
        "    pushq %r14\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %r14, 0\n"
        "    pushq %r15\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset %r15, 0\n"
        "    subq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    movq %rsp, (%rcx)\n"
        "    call interp_loop\n"
        "interp_faulted:\n"
        "    addq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r15\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r14\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r13\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r12\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rbp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size interp_enter, . - interp_enter\n");

/* The bounds of the loop's section, by the linker. */
extern const char __start_interp_text[], __stop_interp_text[];

bool interp_owns_pc(uintptr_t host_pc)
{
    return host_pc >= (uintptr_t)__start_interp_text && host_pc < (uintptr_t)__stop_interp_text;
}

bool interp_fault(struct cpu *cpu, const struct cpu_fault *fault, void *ucontext)
{
    ucontext_t *uc = ucontext;
    greg_t *g = uc->uc_mcontext.gregs;
    if (!cpu->in_engine || !interp_owns_pc((uintptr_t)g[REG_RIP]))
        return false;
    if (!cpu->in_mem)
        cpu->at = (const struct uop *)g[REG_RBX];
    cpu->in_mem = false;
    cpu->fault = *fault;
    /* The direction flag and the like are as the compiled code keeps them; MXCSR is restored by
     * sigreturn and so stays the guest's until interp_run takes it. */
    g[REG_RIP] = (greg_t)(uintptr_t)interp_faulted;
    g[REG_RSP] = (greg_t)(uintptr_t)cpu->recover;
    g[REG_RAX] = EXIT_FAULT;
    return true;
}

static uint64_t insn_pc(const struct block *b, const struct uop *u)
{
    return b->pc + b->map[block_insn_of(b, (unsigned)(u - b->uops))].pcoff;
}

struct interp_exit interp_run(struct cpu *cpu, struct block *b)
{
    struct loop_exit out = {0};
    uint32_t host_mxcsr = fp_get_mxcsr();
    /* Whoever set frm or mxcsr need not have known the rest. */
    fp_env_set_mode(cpu, cpu->frm | cpu->fp_rules);
    fp_set_mxcsr(cpu->mxcsr);
    cpu->in_engine = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    enum exit_reason reason = interp_enter(cpu, b, &out, &cpu->recover);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    cpu->in_engine = false;
    cpu->mxcsr = fp_get_mxcsr();
    fp_set_mxcsr(host_mxcsr);

    uint64_t pc = out.pc;
    if (reason == EXIT_FAULT || reason == EXIT_ILLEGAL || reason == EXIT_SYSCALL ||
        reason == EXIT_BREAK || reason == EXIT_ICACHE || reason == EXIT_FP_TRAP ||
        reason == EXIT_DEBUG || reason == EXIT_RELIFT)
        pc = insn_pc(cpu->block, cpu->at);
    cpu->r[cpu->guest->pc_slot] = pc;
    return (struct interp_exit){.reason = reason, .from = out.from, .edge = out.edge};
}
