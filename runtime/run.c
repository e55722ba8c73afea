/* The run loop: see run.h.
 *
 * Invariants: between two turns of the loop the cpu is canonical, no engine runs and no block
 * pointer is held. Signals are delivered and pending invalidations done at the top of a turn only,
 * so a guest handler always starts at a block head or right after a system call.
 */
#include "runtime/run.h"
#include "base/log.h"
#include "base/report.h"
#include "bt/bt.h"
#include "bt/perf.h"
#include "codecache/blocks.h"
#include "codecache/unit.h"
#include "codecache/worth.h"
#include "exceptions/sig.h"
#include "exceptions/trace.h"
#include "guest/lift.h"
#include "host/x64/features.h"
#include "interp/interp.h"
#include "process/mm.h"
#include "runtime/gdb.h"
#include "runtime/options.h"
#include "runtime/stats.h"
#include "syscall/sys.h"
#include "uop/fp.h"
#include <signal.h>
#include <string.h>

/* Longest guest code of one block: the interpreter's blocks are small, and one never spans more
 * than two pages (struct block's page links). */
#define FETCH_MAX (BLOCK_MAX_INSNS * 4)
/* Most blocks are much shorter, and what is behind them has never been touched. */
#define FETCH_FIRST 64

static void log_block(const struct thread *t, const struct block *b)
{
    const struct guest *g = t->cpu.guest;
    if (log_at(LOG_IN_ASM, b->pc)) {
        struct log_line line;
        line.len = 0;
        log_line_add(&line, "block %#llx, %u instructions\n", (unsigned long long)b->pc, b->ninsns);
        for (uint64_t pc = b->pc; pc < b->pc + b->len;) {
            uint8_t code[16];
            char text[128];
            size_t n = b->pc + b->len - pc;
            n = n < sizeof(code) ? n : sizeof(code);
            unsigned len = 0;
            if (mm_read(code, pc, n) == 0)
                len = g->disasm(text, sizeof(text), code, n, pc);
            if (!len)
                break;
            log_line_add(&line, "%10llx:\t%s\n", (unsigned long long)pc, text);
            pc += len;
        }
        log_line_write(&line);
    }
    if (log_at(LOG_OP, b->pc)) {
        struct log_line line;
        line.len = 0;
        log_line_add(&line, "micro-ops of %#llx\n", (unsigned long long)b->pc);
        for (unsigned u = 0, i = 0; u < b->nuops; u++) {
            char text[128];
            if (i < b->ninsns && b->map[i].uop == u) {
                log_line_add(&line, "  ; %#llx\n", (unsigned long long)(b->pc + b->map[i].pcoff));
                i++;
            }
            uop_print(text, sizeof(text), &b->uops[u], g->slot_name);
            log_line_add(&line, "    %s\n", text);
        }
        log_line_write(&line);
    }
}

/* ---- the translator's side. A block is interpreted until it was entered HOT_LEVEL1 times, then the region behind it
 * is translated; the interpreter hands hot blocks back (hot_at), so that it never keeps a thread from better code. ---- */

#define HOT_LEVEL1 16
#define HOT_LEVEL2 \
    10000 /* guest instructions run at level 1 for each that level 2 would translate */

static bool translate;      /* the engine is not the interpreter alone */
static uint64_t hot_at;     /* entries after which a block is handed out */
static uint64_t hot_level2; /* as HOT_LEVEL2; 0: every unit is of level 2 */

void run_init(void)
{
    /* bt translates at first touch. */
    translate = options.engine != ENGINE_INTERP;
    fp_units_flush = x64_features() & X64_FBIT(X64_F_AVX);
    fp_host_fma = fp_host_fma && x64_features() & X64_FBIT(X64_F_FMA); /* may be masked */
    hot_at = options.hot ? options.hot_level1 : options.engine == ENGINE_BT ? 1 : HOT_LEVEL1;
    hot_at = translate ? hot_at : UINT64_MAX;
    hot_level2 = options.hot ? options.hot_level2 : options.engine == ENGINE_BT ? 64 : HOT_LEVEL2;
    perf_enable(options.perfmap, options.jitdump);
    bt_measure(options.stats);
    bt_check_addresses(options.check_addresses);
    if (options.code_cache && !cc_set_capacity(options.code_cache))
        options_fatal("--code-cache: give a size from %u KiB to %u MiB", CC_CAPACITY_MIN >> 10,
                      CC_CAPACITY_MAX >> 20);
}

/* The unit to run at the block's pc; made when the block is hot enough. */
static struct unit *find_unit(struct cpu *cpu, struct block *b)
{
    if (b->count + 1 < b->hot_at)
        return NULL;
    struct unit *u = cc_unit_of_block(cpu, b);
    if (!u && (b->flags & BLOCK_NO_BT || b->code)) {
        b->hot_at = UINT64_MAX;
        return NULL;
    }
    if (!(u && u->level > 1) && cc_worth_resting()) {
        b->hot_at = b->count + CC_REST_ENTRIES;
        return NULL;
    }
    if (u) {
        b->hot_at = 0; /* from now on always ask */
        return u;
    }
    if (!b->hot_at) {
        /* It was evicted: the code cache is too small for what is hot. The block has to earn its next translation, or the
         * thread would do nothing but translate. */
        b->hot_at = b->count + (b->again ? b->again : HOT_LEVEL1);
        return NULL;
    }
    u = hot_level2 ? NULL : bt_compile(cpu, b, 2);
    if (!u)
        u = bt_compile(cpu, b, 1);
    if (u) {
        if (u->level == 1 && hot_level2)
            cc_unit_arm(u, (int32_t)hot_level2);
        b->hot_at = 0;
    } else {
        b->hot_at = b->flags & BLOCK_NO_BT ? UINT64_MAX : b->count + HOT_LEVEL1;
    }
    return u;
}

/* A unit of level 1 has counted down: translate what is around its head again, better, if that pays. Refused, it is asked again
 * after the longest count. */
static void promote(struct cpu *cpu, uint64_t pc)
{
    struct unit *u = cc_unit_lookup(cpu, pc);
    struct block *b = cc_lookup(cpu, pc);
    if (!u || u->level > 1)
        return;
    uint64_t missing = b ? bt_rounds_missing(cpu, b, hot_level2) : INT32_MAX;
    if (missing) {
        /* The rest of the region runs meanwhile too. */
        missing = missing / 2 > hot_level2 / 4 ? missing / 2 : hot_level2 / 4;
        cc_unit_arm(u, missing < INT32_MAX ? (int32_t)missing : INT32_MAX);
        return;
    }
    cc_unit_arm(u, INT32_MAX);
    u = bt_compile(cpu, b, 2);
    for (uint32_t i = 0; u && i < u->nranges; i++) {
        /* What they have done until now is paid for. */
        struct unit *part = cc_unit_lookup(cpu, u->ranges[i].pc);
        if (part && part->level == 1)
            cc_unit_settle(part);
    }
}

/* A unit's floating-point operations trap too often: it is replaced by one that looks at their results, and so will be what
 * is made of its blocks from now on. */
static void stop_trapping(struct cpu *cpu)
{
    struct unit *u = cc_unit_lookup(cpu, cpu->trapped);
    struct block *head = cc_lookup(cpu, cpu->trapped);
    cpu->trapped = 0;
    if (!u || !head || head->flags & BLOCK_FP_LOOK)
        return;
    for (uint32_t i = 0; i < u->nranges; i++) {
        struct block *b = cc_lookup(cpu, u->ranges[i].pc);
        if (b)
            __atomic_or_fetch(&b->flags, BLOCK_FP_LOOK, __ATOMIC_RELAXED);
    }
    u = bt_compile(cpu, head, u->level);
    if (u && u->level == 1 && hot_level2)
        *u->counter = hot_level2;
}

/* Run translated code from u until it leaves for good, linking units on the way. */
static struct interp_exit run_unit(struct cpu *cpu, struct unit *u)
{
    struct interp_exit e = {.reason = EXIT_BLOCK};
    for (;;) {
        stats.unit_entries++;
        u->entered++;
        cc_unit_enter(cpu);
        cpu->fault.code = SI_KERNEL; /* unless the unit says more */
        cpu->in_engine = true;
        uint64_t left = cc_unit_run(cpu, u);
        cpu->in_engine = false;
        struct link *l;
        e.reason = cc_unit_left(cpu, left, &l);
        if (!l)
            return e;
        if (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) || log_enabled(LOG_NOCHAIN))
            return e;
        /* By its block: that says at once when there is no unit yet. */
        struct block *b = cc_lookup(cpu, l->pc);
        bool known = b && !b->hot_at;
        u = b ? find_unit(cpu, b) : NULL;
        if (!u)
            return e;
        if (!known)
            l = cc_link_by_ret(left); /* translation may have evicted it */
        if (l)
            cc_unit_link(l, u);
    }
}

/* Some thread's stack pointer was misaligned once: from then on accesses by it look (LIFT_STACK). Hardly any program does that. */
static bool odd_stacks;

/* Also where it does not come from an instruction: signal handlers' returns, new threads, debuggers. */
static bool has_odd_stack(const struct cpu *cpu)
{
    const struct guest *g = cpu->guest;
    return g->stack_align && cpu->r[g->sp_slot] & (g->stack_align - 1) &&
           !__atomic_load_n(&odd_stacks, __ATOMIC_RELAXED);
}

static void watch_stacks(struct cpu *cpu)
{
    if (__atomic_exchange_n(&odd_stacks, true, __ATOMIC_SEQ_CST))
        return;
    cc_leave(cpu);
    cc_invalidate(0, GUEST_ADDR_END);
    cc_enter(cpu);
}

/* What is known of the code's pages. */
static unsigned lift_how(uint64_t pc, uint64_t len)
{
    return (__atomic_load_n(&odd_stacks, __ATOMIC_SEQ_CST) ? LIFT_STACK : 0) |
           (mm_page_is_hot_written(pc, len) ? LIFT_CHECKED : 0) |
           (mm_page_has_tags(pc, len) ? LIFT_UNTAG : 0);
}

/* The block at the cpu's pc, lifted when it is new. NULL: the fetch faulted, cpu.fault says how. */
static struct block *find_block(struct thread *t)
{
    struct cpu *cpu = &t->cpu;
    const struct guest *g = cpu->guest;
    uint64_t pc = cpu->r[g->pc_slot];
    struct block *b = cc_lookup(cpu, pc);
    size_t max = FETCH_FIRST;
    while (!b) {
        uint8_t code[FETCH_MAX];
        struct mm_fetch_token token;
        bool odd = __atomic_load_n(&odd_stacks, __ATOMIC_SEQ_CST);
        if (pc & (g->insn_align - 1)) {
            cpu->fault = (struct cpu_fault){.addr = pc, .signo = SIGBUS, .code = BUS_ADRALN};
            return NULL;
        }
        size_t avail = mm_fetch(pc, code, max, &token, &cpu->fault);
        if (!avail && g->untag && g->untag(pc) != pc) {
            /* A branch takes the tag away; here, for the few that have one. */
            pc = cpu->r[g->pc_slot] = g->untag(pc);
            b = cc_lookup(cpu, pc);
            continue;
        }
        if (!avail)
            return NULL;
        if (gdb_on)
            avail = gdb_limit(pc, avail);
        if (!avail)
            b = lift_exit(g, pc, EXIT_DEBUG);
        else
            b = lift_block_as(g, pc, code, avail, BLOCK_MAX_INSNS, lift_how(pc, avail));
        if (!b) {
            /* The instruction's first part is there, the rest is not. */
            cpu->fault =
                (struct cpu_fault){.addr = pc + avail, .signo = SIGSEGV, .code = SEGV_MAPERR};
            uint8_t byte;
            struct cpu_fault f;
            if (mm_fetch(pc + avail, &byte, 1, &token, &f) == 0)
                cpu->fault = f;
            return NULL;
        }
        if (max < FETCH_MAX && avail == max && b->len + MM_FETCH_MIN > avail) {
            /* Perhaps cut off. */
            block_free(b);
            b = NULL;
            max = FETCH_MAX;
            continue;
        }
#ifdef DRAGOMAN_DEBUG
        unsigned where = 0;
        const char *wrong = block_verify(b, g->nslots, &where);
        if (wrong)
            vm_bug("block %#llx, micro-op %u: %s", (unsigned long long)pc, where, wrong);
#endif
        if (log_enabled(LOG_IN_ASM) || log_enabled(LOG_OP))
            log_block(t, b);
        b->hot_at = hot_at;
        b = cc_insert(cpu, b);
        if (!mm_code_lifted(&token) || (lift_how(pc, avail) & LIFT_STACK && !odd)) {
            /* Somebody wrote to the bytes between the fetch and the insertion, or has a misaligned stack by now. */
            cc_invalidate(pc, avail);
            b = NULL;
        }
    }
    return b;
}

/* The instruction at the cpu's pc alone, as a block that the caller frees; NULL as find_block. */
static struct block *find_insn(struct thread *t)
{
    struct cpu *cpu = &t->cpu;
    const struct guest *g = cpu->guest;
    uint64_t pc = cpu->r[g->pc_slot];
    uint8_t code[FETCH_MAX];
    struct mm_fetch_token token;
    size_t avail = mm_fetch(pc, code, sizeof(code), &token, &cpu->fault);
    struct block *b = avail ? lift_block_as(g, pc, code, avail, 1, lift_how(pc, avail)) : NULL;
    if (b) {
        b->flags |= BLOCK_ONCE;
        b->hot_at = UINT64_MAX;
    } else if (avail) {
        cpu->fault = (struct cpu_fault){.addr = pc + avail, .signo = SIGSEGV, .code = SEGV_MAPERR};
    }
    return b;
}

/* The access that faulted has a tag in its address: code of its page is lifted anew, with tags taken away before each
 * access, after which no fault's address has one. True when the instruction is to run again. */
static bool untag_accesses(struct cpu *cpu)
{
    const struct guest *g = cpu->guest;
    uint64_t addr = cpu->fault.addr, pc = cpu->r[g->pc_slot];
    if (!g->untag || g->untag(addr) == addr)
        return false;
    mm_page_set_tags(pc);
    cc_leave(cpu);
    cc_invalidate(pc & ~(uint64_t)GUEST_PAGE_MASK, GUEST_PAGE_SIZE);
    cc_enter(cpu);
    return true;
}

/* What other threads and signals asked for while the engine ran. */
static void serve_pending(struct thread *t)
{
    __atomic_store_n(&t->cpu.pending, 0, __ATOMIC_SEQ_CST);
    if (mm_code_dirty())
        mm_run_dirty();
    if (trace_wanted(t))
        trace_serve(t);
    if (t->held.signo)
        sig_deliver(t);
    if (gdb_on)
        gdb_gate(t);
}

static void system_call(struct thread *t)
{
    struct cpu *cpu = &t->cpu;
    cpu->r[cpu->guest->pc_slot] += cpu->guest->syscall_len;
    stats.syscalls++;
    cc_leave(cpu);
    sys_dispatch(t);
    cc_enter(cpu);
}

/* Did the kernel do an undefined instruction's work, or make that possible? */
static bool emulated(struct cpu *cpu)
{
    const struct guest *g = cpu->guest;
    uint8_t code[4];
    return g->emulate && mm_read(code, cpu->r[g->pc_slot], sizeof code) == 0 &&
           g->emulate(cpu, code);
}

_Noreturn void run_thread(struct thread *t)
{
    struct cpu *cpu = &t->cpu;
    const uint8_t pc_slot = cpu->guest->pc_slot;

    cc_enter(cpu);
    struct interp_exit link = {.from = NULL};
    for (;;) {
        if (cpu->trapped)
            stop_trapping(cpu);
        if (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) || mm_code_dirty()) {
            cc_leave(cpu);
            serve_pending(t);
            cc_enter(cpu);
            link.from = NULL;
        }
        if (has_odd_stack(cpu)) {
            watch_stacks(cpu);
            link.from = NULL;
        }
        if (cc_other_rules(cpu)) {
            cc_take_rules(cpu);
            link.from = NULL;
        }
        bool step = t->debug.step || trace_steps(t);
        uint32_t stops = t->trace.stops;
        struct block *b = step ? find_insn(t) : find_block(t);
        if (!b) {
            stats.faults++;
            cc_leave(cpu);
            sig_fault(t, cpu->fault.signo, cpu->fault.code, cpu->fault.addr);
            cc_enter(cpu);
            continue;
        }
        if (link.from && !log_enabled(LOG_NOCHAIN))
            cc_link(link.from, link.edge, b);
        if (log_at(LOG_EXEC, b->pc))
            log_printf("enter %#llx\n", (unsigned long long)b->pc);
        if (log_at(LOG_CPU, b->pc)) {
            char text[LOG_LINE_MAX];
            size_t n = cpu->guest->cpu_print(cpu, text, sizeof(text) - 1);
            log_printf("%.*s", (int)n, text);
        }

        if (step)
            cpu_ask_out(cpu); /* leave behind it */
        struct unit *u = translate && !cpu->fp_special && !step ? find_unit(cpu, b) : NULL;
        struct interp_exit e = u ? run_unit(cpu, u) : interp_run(cpu, b);
        if (u && e.reason == EXIT_FAULT && cpu->fault.code == SI_KERNEL) {
            /* A non-canonical address, of which the host tells nothing, or a misaligned one. The interpreter meets it
             * again and knows. */
            b = find_block(t);
            if (b)
                e = interp_run(cpu, b);
        }
        link.from = NULL;
        if (step) {
            block_free(b);
            e.from = NULL;
        }
        switch (e.reason) {
        case EXIT_BLOCK:
            link = e;
            break;
        case EXIT_SIGNAL:
            break;
        case EXIT_PROMOTE:
            promote(cpu, cpu->exit_arg);
            break;
        case EXIT_STALE:
            cc_leave(cpu);
            cc_invalidate(cpu->r[pc_slot], 1);
            cc_enter(cpu);
            break;
        case EXIT_RELIFT:
            watch_stacks(cpu);
            break;
        case EXIT_SYSCALL:
            system_call(t);
            break;
        case EXIT_ICACHE:
            /* Writes to code pages have been seen already; what other threads queued is done now.
             */
            cc_leave(cpu);
            mm_run_dirty();
            cc_enter(cpu);
            cpu->r[pc_slot] += cpu->guest->syscall_len;
            break;
        case EXIT_FAULT:
            if (untag_accesses(cpu))
                break;
            stats.faults++;
            cc_leave(cpu);
            sig_fault(t, cpu->fault.signo, cpu->fault.code, cpu->fault.addr);
            cc_enter(cpu);
            break;
        case EXIT_BREAK:
            cc_leave(cpu);
            sig_fault(t, SIGTRAP, TRAP_BRKPT, cpu->r[pc_slot]);
            cc_enter(cpu);
            break;
        case EXIT_ILLEGAL:
            if (emulated(cpu))
                break;
            cc_leave(cpu);
            sig_fault(t, SIGILL, ILL_ILLOPC, cpu->r[pc_slot]);
            cc_enter(cpu);
            break;
        case EXIT_DEBUG:
            cc_leave(cpu);
            t->debug.step = gdb_breakpoint(t) || t->debug.step;
            cc_enter(cpu);
            continue;
        case EXIT_FP_TRAP:
            vm_bug("the interpreter left for a floating-point trap, which no guest here has");
        }
        if (step) {
            cc_leave(cpu);
            if (t->debug.step)
                gdb_stepped(t);
            if (trace_steps(t) && t->trace.stops == stops)
                trace_stepped(t);
            cc_enter(cpu);
        }
    }
}
