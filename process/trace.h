/* What a thread and its tracer know of each other, when one guest program traces another by ptrace.
 *
 * Owns: struct trace, a part of struct thread, and struct trace_root, by which another process of Dragoman finds
 * the threads of this one. docs/exceptions.md, "ptrace", has the design.
 *
 * Threading: a trace belongs to its thread while that runs. While the thread is stopped its tracer, in another
 * process, reads and writes it (process_vm_readv); `request` it may set at any time. The layout must be the same in both
 * programs: trace_root tells the sizes.
 */
#ifndef DRAGOMAN_PROCESS_TRACE_H
#define DRAGOMAN_PROCESS_TRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* How a stopped thread goes on: the request of ptrace that resumed it. */
enum trace_how { TRACE_CONT, TRACE_SYSCALL, TRACE_STEP, TRACE_SYSEMU };

/* What the thread is asked for, when it is next between two instructions: bits. */
enum trace_request {
    TRACE_FRESH = 1,     /* it is new and traced from its beginning: its first stop */
    TRACE_EXEC = 2,      /* a traced thread has executed this program: the stop of that */
    TRACE_SIGNAL = 4,    /* stop for each signal in `caught`, which the tracer has met on its way */
    TRACE_INTERRUPT = 8, /* PTRACE_INTERRUPT: stop */
    TRACE_GROUP = 16,    /* take part in the stop of the whole process, by the signal `group` */
};
#define TRACE_CAUGHT 4

/* Where in a system call a stop is: the values of struct ptrace_syscall_info's op. */
enum trace_op { TRACE_OP_NONE, TRACE_OP_ENTRY, TRACE_OP_EXIT, TRACE_OP_SECCOMP };

struct trace {
    uint32_t on; /* a guest program traces this thread */
    uint32_t seized;
    uint32_t options; /* PTRACE_O_* of the tracer */
    uint32_t how;     /* enum trace_how */
    uint32_t request; /* enum trace_request bits */
    uint32_t group, ncaught;
    siginfo_t caught[TRACE_CAUGHT];
    uint32_t fresh;   /* the host's own first stop is not shown */
    int32_t status;   /* of the stop: signal, and event << 8 */
    uint32_t stops;   /* so far */
    uint32_t lost;    /* the tracer went away during the stop */
    uint32_t calling; /* performs a system call, whose registers stand as they were before it */
    uint32_t at_rest; /* between two instructions, about to be stopped by the host's kernel */
    /* A signal that has had its stop: the tracer lets it through, the thread itself delivers it. */
    uint32_t skip_host, skip_guest;
    /* The tracer stopped the thread in a host call that waits, and has told of the call's end; has set registers,
     * which neither result nor restart shall change. */
    uint32_t told, regs_set;
    int32_t signo;    /* the tracer's: to be delivered after a stop */
    uint32_t op;      /* enum trace_op */
    uint64_t nr;      /* of a system call; the tracer may change it */
    int64_t ret;      /* what the call gives if the tracer has it skipped */
    uint64_t message; /* of the event */
    siginfo_t info;   /* of the signal */
};

/* Code that a tracer has written to, as [addr, addr + len). */
#define TRACE_WRITES 64
struct trace_root {
    uint64_t magic[2];
    uint32_t thread_size, root_size, machine, link_offset;
    const void *threads; /* the list */
    /* The bounds of the restartable host call (exceptions/sig_host.c): its test, behind its system-call
     * instruction, its way out. */
    uint64_t call_test, call_done, call_abort;
    /* A ring: the tracer adds at write_head, threads take at write_tail. */
    uint32_t write_head, write_tail;
    struct {
        uint64_t addr, len;
    } writes[TRACE_WRITES];
};
#define TRACE_MAGIC_0 UINT64_C(0xd7a60a4e8f3b1c52)
#define TRACE_MAGIC_1 UINT64_C(0x1b7e5c90a2463fd8)
extern struct trace_root trace_root;

/* Signals of the VM's own travel as SIGSEGV, which is never blocked on the host, with these codes. Stop: the thread
 * stops for its tracer, who never lets it through; its value is the struct thread. Wake: look at `request`. */
#define TRACE_CODE_STOP (-0x44524101)
#define TRACE_CODE_WAKE (-0x44524102)

#endif
