/* Blocks written in the micro-ops' text form, run by the interpreter. Expected values are worked out
 * by hand or with C's operators. */
#include "tests/unit.h"

#include "codecache/blocks.h"
#include "guest/guest.h"
#include "interp/interp.h"
#include "uop/fp.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PC_SLOT 32
#define NSLOTS 64

static uint64_t helper_sum(struct cpu *cpu, uint64_t a, uint64_t b)
{
    cpu->r[40] = 7;
    return a + b;
}

static const struct guest_helper helpers[] = {{"sum", helper_sum, false, true}};
static const struct guest test_guest = {.name = "test",
                                        .nslots = NSLOTS,
                                        .zero_slot = 0,
                                        .pc_slot = PC_SLOT,
                                        .helpers = helpers,
                                        .nhelpers = 1};

static struct cpu *cpu;
static void *page;

/* A block at pc from lines of text; each line starting with "+" begins a new instruction of 4
 * bytes. It is verified and put into the code cache. */
static struct block *make(uint64_t pc, const char *const *lines)
{
    struct uop uops[BLOCK_MAX_UOPS];
    struct insn_map map[BLOCK_MAX_INSNS];
    unsigned n = 0, ninsns = 0;
    for (; lines[n]; n++) {
        const char *line = lines[n], *err = NULL;
        if (*line == '+' || n == 0) {
            map[ninsns] = (struct insn_map){.uop = n, .pcoff = 4 * ninsns};
            ninsns++;
            line += *line == '+';
        }
        if (uop_parse(line, &uops[n], NULL, &err))
            fail_msg("%s: %s", lines[n], err);
    }
    struct block *b = block_new(n, ninsns);
    b->pc = pc;
    b->len = 4 * ninsns;
    memcpy(b->uops, uops, n * sizeof *uops);
    memcpy(b->map, map, ninsns * sizeof *map);
    unsigned where;
    const char *wrong = block_verify(b, NSLOTS, &where);
    if (wrong)
        fail_msg("%s: %s", lines[where], wrong);
    return cc_insert(cpu, b);
}
#define BLOCK(pc, ...) make(pc, (const char *const[]){__VA_ARGS__, NULL})

static void on_fault(int signo, siginfo_t *si, void *uc)
{
    struct cpu_fault f = {
        .addr = (uint64_t)(uintptr_t)si->si_addr, .signo = signo, .code = si->si_code};
    if (!interp_fault(cpu, &f, uc))
        abort();
}

static int setup(void **state)
{
    (void)state;
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = &test_guest;
    cpu->res_addr = ~UINT64_C(0);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    page = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    mprotect((char *)page + 4096, 4096, PROT_NONE);
    return page == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    cc_invalidate(0, UINT64_MAX);
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
    munmap(page, 8192);
    return 0;
}

static struct interp_exit run(struct block *b)
{
    /* Here, as cmocka sets handlers of its own around every test. */
    struct sigaction old, sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, &old);
    struct interp_exit e = interp_run(cpu, b);
    sigaction(SIGSEGV, &old, NULL);
    assert_false(cpu->in_engine);
    return e;
}

static void loop_and_counters(void **state)
{
    (void)state;
    struct block *head = BLOCK(0x1000, "+r1 = movi 10", "+r2 = movi 0", "jmp 0x1008");
    struct block *body =
        BLOCK(0x1008, "+r2 = add_64 r2, r1", "+r1 = sub_64_i r1, 1", "+br_ne r1, r0, 0x1008");
    struct block *end = BLOCK(0x1014, "+exit syscall");
    struct interp_exit e = run(head);
    assert_int_equal(e.reason, EXIT_SYSCALL);
    assert_int_equal(cpu->r[2], 55);
    assert_int_equal(cpu->r[PC_SLOT], 0x1014);
    assert_int_equal(head->count, 1);
    assert_int_equal(body->count, 10);
    assert_int_equal(body->taken, 9);
    assert_int_equal(end->count, 1);
    assert_ptr_equal(body->succ[1], body);
    assert_ptr_equal(body->succ[0], end);
    assert_ptr_equal(head->succ[0], body);
}

static void unknown_successor(void **state)
{
    (void)state;
    struct block *b = BLOCK(0x1000, "+r1 = movi 1", "+br_eq r1, r0, 0x2000");
    struct interp_exit e = run(b);
    assert_int_equal(e.reason, EXIT_BLOCK);
    assert_ptr_equal(e.from, b);
    assert_int_equal(e.edge, 0);
    assert_int_equal(cpu->r[PC_SLOT], 0x1008);
    struct block *c = BLOCK(0x3000, "+r5 = movi 0x4444", "jmp_ind r5");
    e = run(c);
    assert_int_equal(e.reason, EXIT_BLOCK);
    assert_null(e.from);
    assert_int_equal(cpu->r[PC_SLOT], 0x4444);
    assert_int_equal(c->target, 0x4444);
}

static void fault_is_precise(void **state)
{
    (void)state;
    struct block *b = BLOCK(0x1000, "+r1 = movi 0x10000ffc", "+r2 = movi 5", "+t0 = add_64_i r1, 4",
                            "r2 = ld_64 t0, 0", "+r3 = movi 9", "+exit syscall");
    struct interp_exit e = run(b);
    assert_int_equal(e.reason, EXIT_FAULT);
    assert_int_equal(cpu->r[PC_SLOT], 0x1008);
    assert_int_equal(cpu->r[2], 5);
    assert_int_equal(cpu->r[3], 0);
    assert_int_equal(cpu->fault.addr, 0x10001000);
    assert_int_equal(cpu->fault.signo, SIGSEGV);
    assert_int_equal(cpu->fault.code, SEGV_ACCERR);
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    assert_false(sigismember(&set, SIGSEGV));
}

/* A fault keeps the flags and the rounding mode that the guest had. */
static void fault_keeps_fp(void **state)
{
    (void)state;
    struct block *c = BLOCK(0x2000, "+r1 = movi 2", "+fp_setmode r1",
                            "+r2 = movi 0x3ff0000000000000", "+r3 = movi 0x4008000000000000",
                            "+r4 = fdiv_f64 r2, r3, dyn", "+r5 = ld_64 r0, 8", "+exit syscall");
    uint32_t host = fp_get_mxcsr();
    struct interp_exit e = run(c);
    assert_int_equal(e.reason, EXIT_FAULT);
    assert_int_equal(cpu->r[4], 0x3fd5555555555555);
    assert_int_equal(fp_env_flags(cpu), FP_NX);
    assert_int_equal(cpu->mxcsr & FP_MXCSR_RC, 0x2000);
    assert_int_equal(fp_get_mxcsr(), host);
    assert_int_equal(cpu->r[PC_SLOT], 0x2014);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loop_and_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(fault_is_precise, setup, teardown),
        cmocka_unit_test_setup_teardown(fault_keeps_fp, setup, teardown),
    };
    return cmocka_run_group_tests_name("interp/run", tests, NULL, NULL);
}
