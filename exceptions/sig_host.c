/* The host's side of signals: handlers, dispositions, masks, and the restartable system call.
 *
 * Invariants: a thread with a held signal has every signal but SIGSEGV, SIGBUS and SIGFPE blocked on the
 * host, so it holds one at most. Everything reached from on_signal is fit for signal context: raw
 * system calls, no locks but what mm_fault_fixup says of itself, no allocation.
 *
 * Threading: on_signal runs on the thread concerned and touches that thread's state alone.
 */
#include "base/report.h"
#include "codecache/side.h"
#include "codecache/trap.h"
#include "exceptions/sig_internal.h"
#include "interp/interp.h"
#include "process/mm.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* The kernel's struct sigaction on x86-64 (arch/x86/include/uapi/asm/signal.h). */
struct host_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* sig_enter(&held.signo, nr, a0, ..., a5): see sig_syscall. The labels bound the instructions in
 * which a signal means that the call has not been performed: from the test up to and including the
 * system-call instruction, to which the kernel returns when it restarts a call. */
__asm__(".pushsection .text\n"
        ".type sig_enter, @function\n"
        "sig_enter:\n"
        "	.cfi_startproc\n"
        "	endbr64\n"
        "	mov %rdi, %r11\n"
        "	mov %rsi, %rax\n"
        "	mov %rdx, %rdi\n"
        "	mov %rcx, %rsi\n"
        "	mov %r8, %rdx\n"
        "	mov %r9, %r10\n"
        "	mov 8(%rsp), %r8\n"
        "	mov 16(%rsp), %r9\n"
        "sig_enter_test:\n"
        "	cmpq $0, (%r11)\n" /* signo, and wake behind it */
        "	jne sig_enter_abort\n"
        "	syscall\n"
        "sig_enter_done:\n"
        "	ret\n"
        "sig_enter_abort:\n"
        "	mov $-512, %rax\n" /* -SIG_RESTART */
        "	ret\n"
        "	.cfi_endproc\n"
        ".size sig_enter, . - sig_enter\n"
        ".type sig_restorer, @function\n"
        "sig_restorer:\n"
        "	mov $15, %eax\n" /* rt_sigreturn */
        "	syscall\n"
        ".size sig_restorer, . - sig_restorer\n"
        ".popsection\n");
_Static_assert(SIG_RESTART == 512, "sig_enter_abort returns it");
_Static_assert(offsetof(struct sigheld, wake) == 4 && sizeof(sig_atomic_t) == 4,
               "sig_enter tests both");

int64_t sig_enter(const volatile sig_atomic_t *held, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
                  uint64_t a3, uint64_t a4, uint64_t a5);
void sig_restorer(void);
extern const char sig_enter_test[], sig_enter_done[], sig_enter_abort[];

int64_t sig_syscall(struct thread *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                    uint64_t a4, uint64_t a5)
{
    return sig_enter(&t->held.signo, nr, a0, a1, a2, a3, a4, a5);
}

void sig_host_setmask(uint64_t mask)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

void sig_block_all(uint64_t *saved)
{
    uint64_t all = SIG_ALL & ~SIG_HOST_OPEN;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, saved, sizeof(all));
}

void sig_restore(uint64_t saved)
{
    sig_host_setmask(saved);
}

void sig_host_requeue(int signo, siginfo_t *info)
{
    syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signo, info);
}

/* The mask that the interrupted context gets back: the kernel's 8 bytes, not the C library's 128. */
static void set_return_mask(ucontext_t *uc, uint64_t mask)
{
    memcpy(&uc->uc_sigmask, &mask, sizeof(mask));
}

static uint64_t return_mask(const ucontext_t *uc)
{
    uint64_t mask;
    memcpy(&mask, &uc->uc_sigmask, sizeof(mask));
    return mask;
}

/* The thread shall leave its engine at the next block head, and not enter the kernel before. */
static void come_out(struct thread *t, ucontext_t *uc)
{
    greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
    cpu_ask_out(&t->cpu);
    if (*pc >= (greg_t)(uintptr_t)sig_enter_test && *pc < (greg_t)(uintptr_t)sig_enter_done)
        *pc = (greg_t)(uintptr_t)sig_enter_abort;
}

/* Keep an asynchronous signal for delivery at the next block head. */
static void hold(struct thread *t, int signo, const siginfo_t *info, ucontext_t *uc)
{
    if (SIG_BIT(signo) & SIG_HOST_OPEN) {
        /* Not blocked on the host, whatever the guest's mask and the held signal say. */
        if (t->held.signo || t->sigmask & SIG_BIT(signo)) {
            sig_hide(t, signo, info);
            return;
        }
    }
    if (t->held.signo)
        vm_bug_at(uc, "signal %d arrived while signal %d is held", signo, (int)t->held.signo);
    t->held.info = *info;
    t->held.signo = signo;
    set_return_mask(uc, SIG_ALL & ~SIG_HOST_OPEN);
    come_out(t, uc);
}

/* Between the VMs of a tracer and of the thread that it traces: see exceptions/trace.c. */
static bool trace_message(struct thread *t, const siginfo_t *info, ucontext_t *uc)
{
    if (info->si_code == TRACE_CODE_STOP && t && info->si_pid == getpid()) {
        /* Nobody took it: the tracer is gone. */
        t->trace.lost = 1;
        t->trace.on = 0;
        return true;
    }
    if (info->si_code != TRACE_CODE_WAKE)
        return false;
    if (t) {
        t->held.wake = 1;
        come_out(t, uc);
    }
    return true;
}

/* A fault of a memory access that the host's code made. True when it has been dealt with. */
static bool memory_fault(struct thread *t, int signo, const siginfo_t *info, ucontext_t *uc)
{
    struct cpu *cpu = &t->cpu;
    greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
    uint64_t go_on = mm_access_fixup((uint64_t)*pc);
    bool in_unit = !go_on && cpu->in_engine && cc_owns_pc((uintptr_t)*pc);
    if (!go_on && !in_unit && !(cpu->in_engine && interp_owns_pc((uintptr_t)*pc)))
        return false;

    bool known = info->si_code != SI_KERNEL;
    if (in_unit && known && cc_frames_fault(cpu, (uintptr_t)info->si_addr, uc))
        return true;
    struct cpu_fault f = {
        .addr = known ? (uint64_t)(uintptr_t)info->si_addr : 0,
        .signo = known ? signo
                       : SIGSEGV, /* SIGBUS when the host's base register was rbp: a stack fault */
        .code = known ? info->si_code : SEGV_MAPERR,
        .write = uc->uc_mcontext.gregs[REG_ERR] & 2, /* page-fault error code, SDM vol. 3, 4.7 */
    };
    if (signo == SIGSEGV && known && mm_fault_fixup(f.addr, f.write, &f))
        return true;
    if (go_on) {
        *pc = (greg_t)go_on;
        return true;
    }
    if (in_unit) {
        /* An address that the host does not tell: the interpreter shall repeat the access (runtime/run.c). */
        if (!known)
            f.code = SI_KERNEL;
        cpu->fault = f;
        return cc_fault(cpu, uc);
    }
    if (!interp_fault(cpu, &f, uc))
        return false;
    if (!known) {
        /* A non-canonical address is a general-protection fault, of which the host tells no
         * address: it is the micro-op's. */
        cpu->fault.addr = cpu->r[cpu->at->a] + (uint64_t)cpu->at->imm;
        cpu->fault.write = uop_info[cpu->at->op].flags & UOP_F_STORE;
    }
    return true;
}

/* A trap of a floating-point operation in translated code. */
static bool float_trap(struct thread *t, ucontext_t *uc)
{
    return t->cpu.in_engine && cc_owns_pc((uintptr_t)uc->uc_mcontext.gregs[REG_RIP]) &&
           cc_trap(&t->cpu, uc);
}

/* Did the kernel interrupt right behind a system-call instruction? Then it did not raise a fault
 * there: the signal was sent, with a si_code as of a fault (crash reporters do that to themselves). */
static bool behind_syscall(const ucontext_t *uc)
{
    const uint8_t *pc = (const uint8_t *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    return pc[-2] == 0x0f && pc[-1] == 0x05;
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    struct thread *t = thread_self;
    int saved_errno = errno;
    bool fault = info->si_code > 0 && SIG_BIT(signo) & SIG_ALWAYS;

    if (fault && t &&
        (signo == SIGFPE ? float_trap(t, uc)
                         : SIG_BIT(signo) & SIG_HOST_OPEN && memory_fault(t, signo, info, uc))) {
        errno = saved_errno;
        return;
    }
    if (signo == SIGSEGV && trace_message(t, info, uc)) {
        errno = saved_errno;
        return;
    }
    if (fault && !behind_syscall(uc))
        vm_bug_at(uc, "signal %d, code %d, address %p in the VM's own code", signo, info->si_code,
                  info->si_addr);
    if (!t) {
        /* A host thread that runs no guest: give the signal to one that does. */
        set_return_mask(uc, return_mask(uc) | SIG_BIT(signo));
        if (!(SIG_BIT(signo) & SIG_HOST_OPEN))
            syscall(SYS_rt_sigqueueinfo, getpid(), signo, info);
    } else {
        hold(t, signo, info, uc);
    }
    errno = saved_errno;
}

void sig_host_action(int signo, const struct guest_sigaction *act)
{
    struct host_sigaction host = {.flags = SIG_SA_RESTORER, .restorer = sig_restorer};
    bool caught = act->handler != GUEST_SIG_DFL && act->handler != GUEST_SIG_IGN;
    if (SIG_BIT(signo) & SIG_NEVER)
        return;
    if (caught || SIG_BIT(signo) & SIG_ALWAYS) {
        host.handler = on_signal;
        host.mask = SIG_ALL;
        host.flags |= SA_SIGINFO | SA_ONSTACK;
        if (!caught || act->flags & SA_RESTART)
            host.flags |= SA_RESTART;
        if (SIG_BIT(signo) & SIG_HOST_OPEN) {
            /* A fault in the handler itself gets its report. */
            host.mask &= ~SIG_HOST_OPEN;
            host.flags |= SA_NODEFER;
        }
    } else {
        host.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)act->handler;
    }
    /* What SIGCHLD's flags say holds for any disposition. */
    host.flags |= act->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
    if (syscall(SYS_rt_sigaction, signo, &host, NULL, sizeof(host.mask)) != 0)
        vm_bug("cannot set the host's action for signal %d: errno %d", signo, errno);
}

void sig_init(struct sighand *sh)
{
    struct thread *t = thread_self;
    uint64_t mask = 0;
    trace_root.call_test = (uintptr_t)sig_enter_test;
    trace_root.call_done = (uintptr_t)sig_enter_done;
    trace_root.call_abort = (uintptr_t)sig_enter_abort;
    sig_block_all(&mask);
    for (int signo = 1; signo <= SIG_COUNT; signo++) {
        struct host_sigaction host;
        struct guest_sigaction *act = &sh->action[signo - 1];
        memset(act, 0, sizeof(*act));
        if (syscall(SYS_rt_sigaction, signo, NULL, &host, sizeof(host.mask)) == 0 &&
            host.handler == (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN)
            act->handler = GUEST_SIG_IGN;
        if (SIG_BIT(signo) & SIG_ALWAYS)
            sig_host_action(signo, act);
    }
    t->sigmask = mask & ~SIG_NEVER;
    t->altstack = (stack_t){.ss_flags = SS_DISABLE};
    sig_thread_begin(t, NULL, 0);
}

/* What sigaltstack said before ours: the sanitizers have one of their own. */
static _Thread_local stack_t old_stack;

void sig_thread_begin(struct thread *t, void *altstack, size_t size)
{
    if (!altstack) {
        size = SIG_HOST_STACK;
        altstack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (altstack == MAP_FAILED)
            report_no_memory("a signal stack");
    }
    stack_t ss = {.ss_sp = altstack, .ss_size = size};
    if (sigaltstack(&ss, &old_stack) != 0)
        vm_bug("sigaltstack: errno %d", errno);
    sig_host_setmask(t->sigmask & ~SIG_HOST_OPEN);
}

void sig_vfork_begin(struct thread *t)
{
    sig_host_setmask(t->sigmask & ~SIG_HOST_OPEN);
}

void sig_thread_end(struct thread *t)
{
    sig_host_setmask(SIG_ALL);
    /* What was sent to the process is another thread's to handle now. */
    for (size_t i = 0; i <= SIG_HIDDEN; i++) {
        struct sigheld *h = i == SIG_HIDDEN ? &t->held : &t->hidden[i];
        if (h->signo && h->info.si_code != SI_TKILL)
            syscall(SYS_rt_sigqueueinfo, getpid(), (int)h->signo, &h->info);
        h->signo = 0;
    }
    old_stack.ss_flags &= SS_DISABLE;
    sigaltstack(&old_stack, NULL);
}

void sig_exec_begin(struct thread *t)
{
    /* Only these may differ from the guest's: what is ignored stays so across execve. */
    for (int signo = 1; signo <= SIG_COUNT; signo++) {
        if (SIG_BIT(signo) & SIG_ALWAYS && t->sighand->action[signo - 1].handler == GUEST_SIG_IGN)
            signal(signo, SIG_IGN);
    }
    /* With a signal held the call will not be performed, and all stays blocked. */
    uint64_t saved;
    sig_block_all(&saved);
    if (!t->held.signo)
        sig_host_setmask(t->sigmask);
}

void sig_exec_failed(struct thread *t)
{
    sig_set_mask(t, t->sigmask);
    for (int signo = 1; signo <= SIG_COUNT; signo++) {
        if (SIG_BIT(signo) & SIG_ALWAYS && t->sighand->action[signo - 1].handler == GUEST_SIG_IGN)
            sig_host_action(signo, &t->sighand->action[signo - 1]);
    }
}
