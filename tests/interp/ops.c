/* Every micro-op in the interpreter: the pure ones against uop_eval and the floating-point ones against
 * fp_soft (which have tests of their own against independent references), memory accesses and
 * atomics against C on the same bytes, and all the ways out. */
#include "tests/unit.h"

#include "codecache/blocks.h"
#include "guest/guest.h"
#include "interp/interp.h"
#include "tests/random.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PC_SLOT 32
#define PC 0x1000

static uint64_t helper_mix(struct cpu *cpu, uint64_t a, uint64_t b)
{
    cpu->r[40] = a;
    return a * 10 + b;
}

static const struct guest_helper helpers[] = {{"unused", NULL, false, false},
                                              {"mix", helper_mix, false, true}};
static const struct guest test_guest = {.name = "test",
                                        .nslots = 64,
                                        .zero_slot = 0,
                                        .pc_slot = PC_SLOT,
                                        .helpers = helpers,
                                        .nhelpers = 2};
static struct cpu *cpu;
static unsigned char *page;

static uint64_t rng = RANDOM_SEED;
static uint64_t rnd(void)
{
    return random_next(&rng);
}

static struct cpu *cpu_make(void)
{
    struct cpu *c = aligned_alloc(64, (sizeof *c + 63) & ~(size_t)63);
    memset(c, 0, sizeof *c);
    c->guest = &test_guest;
    c->res_addr = ~UINT64_C(0);
    cc_cpu_add(c);
    cc_enter(c);
    return c;
}

static int setup(void **state)
{
    (void)state;
    cpu = cpu_make();
    page = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    mprotect(page + 4096, 4096, PROT_NONE);
    return page == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    cc_cpu_remove(cpu);
    free(cpu);
    munmap(page, 8192);
    return 0;
}

static _Thread_local struct cpu *fault_cpu;

static void on_fault(int signo, siginfo_t *si, void *uc)
{
    struct cpu_fault f = {
        .addr = (uint64_t)(uintptr_t)si->si_addr, .signo = signo, .code = si->si_code};
    if (!interp_fault(fault_cpu, &f, uc))
        abort();
}

/* Run one micro-op followed by `exit syscall`, each an instruction of its own. */
static enum exit_reason run1(struct uop u)
{
    static struct block *b;
    if (!b)
        b = block_new(2, 2);
    b->pc = PC;
    b->len = 8;
    b->uops[0] = u;
    b->uops[1] = (struct uop){.op = UOP_exit, .imm = EXIT_SYSCALL};
    b->map[0] = (struct insn_map){0, 0};
    b->map[1] = (struct insn_map){1, 4};
    struct sigaction old, sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, &old);
    fault_cpu = cpu;
    enum exit_reason reason = interp_run(cpu, b).reason;
    sigaction(SIGSEGV, &old, NULL);
    assert_int_equal(cpu->r[PC_SLOT], PC + (reason == EXIT_SYSCALL ? 4 : 0));
    return reason;
}

static void pure(void **state)
{
    (void)state;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        const struct uop_info *info = &uop_info[op];
        if (!(info->flags & UOP_F_PURE) || info->flags & UOP_F_VECTOR)
            continue;
        for (int i = 0; i < 200; i++) {
            uint64_t v[3];
            for (int j = 0; j < 3; j++)
                v[j] = i < 100 ? rnd() >> rnd() % 64 : -(rnd() >> rnd() % 64);
            if (i % 8 == 0)
                v[1] = v[0];
            bool imm = info->flags & UOP_F_IMM;
            cpu->r[1] = v[0], cpu->r[200] = v[1], cpu->r[3] = v[2];
            /* the destination may be a source */
            uint8_t d = i % 3 == 0 ? 1 : i % 3 == 1 ? 200 : 5;
            assert_int_equal(run1((struct uop){.op = op,
                                               .d = d,
                                               .a = 1,
                                               .b = imm ? 0 : 200,
                                               .c = 3,
                                               .imm = imm ? (int64_t)v[1] : 0}),
                             EXIT_SYSCALL);
            uint64_t want = 0;
            assert_true(uop_eval(op, v[0], v[1], v[2], &want));
            if (cpu->r[d] != want)
                fail_msg("%s %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ": %#" PRIx64 ", not %#" PRIx64,
                         info->name, v[0], v[1], v[2], cpu->r[d], want);
        }
    }
}

static uint64_t operand(enum uop_kind k)
{
    static const int width[] = {[UOP_K_I] = 64, [UOP_K_H] = 16, [UOP_K_S] = 32, [UOP_K_D] = 64};
    static const int mant[] = {[UOP_K_I] = 52, [UOP_K_H] = 10, [UOP_K_S] = 23, [UOP_K_D] = 52};
    uint64_t v = rnd();
    switch (rnd() % 8) {
    case 0: /* infinity, zero, one ... */
        v &= ~UINT64_C(0) << mant[k];
        break;
    case 1: /* NaNs */
        v |= (~UINT64_C(0) << mant[k]) & ~(UINT64_C(1) << (width[k] - 1));
        break;
    case 2: /* near small integers */
        v = ((uint64_t)(k == UOP_K_H   ? 15
                        : k == UOP_K_S ? 127
                                       : 1023) +
             rnd() % 66)
                << mant[k] |
            (v & rnd() & ((UINT64_C(1) << mant[k]) - 1));
        break;
    case 3:
        v = v >> rnd() % 64;
        break;
    }
    if (rnd() & 1)
        v ^= UINT64_C(1) << (width[k] - 1);
    return width[k] == 64 ? v : v & ((UINT64_C(1) << width[k]) - 1);
}

static bool any_nan(enum uop_kind k, uint64_t v)
{
    return k == UOP_K_D   ? fp_is_nan_f64(v)
           : k == UOP_K_S ? fp_is_nan_f32(v)
           : k == UOP_K_H ? (v & 0x7fff) > 0x7c00
                          : false;
}

/* Each FP micro-op under each dynamic mode, as dynamic and with a static mode. */
static void floating_point(void **state)
{
    (void)state;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        const struct uop_info *info = &uop_info[op];
        if (!(info->flags & UOP_F_FPENV) || info->a == UOP_K_V || op == UOP_fp_getflags ||
            op == UOP_fp_getraw || op == UOP_fp_setflags || op == UOP_fp_getid ||
            op == UOP_fp_setid || op == UOP_fp_setmode)
            continue;
        for (int i = 0; i < 1500; i++) {
            unsigned frm = rnd() % 8, imm = rnd() % 6;
            if (imm == 5)
                imm = FP_DYN;
            bool rounds = info->flags & UOP_F_RM;
            unsigned rm = !rounds ? FP_RNE : imm == FP_DYN ? frm : imm;
            uint64_t a = operand(info->a), b = info->b ? operand(info->b) : 0,
                     c = info->c ? operand(info->c) : 0;
            if (i % 16 == 0)
                b = a;
            cpu->r[1] = a, cpu->r[2] = b, cpu->r[3] = c, cpu->r[4] = 0x55;
            unsigned before = rnd() & rnd() & 31, want_flags = before;
            fp_env_set_mode(cpu, frm);
            fp_env_set_flags(cpu, before);
            enum exit_reason reason = run1((struct uop){
                .op = op, .d = 4, .a = 1, .b = 2, .c = 3, .imm = rounds ? (int64_t)imm : 0});
            uint64_t want = 0x55;
            if (rm > FP_RMM) {
                assert_int_equal(reason, EXIT_ILLEGAL);
            } else {
                assert_int_equal(reason, EXIT_SYSCALL);
                want = fp_soft(op, a, b, c, rm, &want_flags);
            }
            bool same =
                cpu->r[4] == want || (any_nan(info->d, cpu->r[4]) && any_nan(info->d, want));
            if (!same || fp_env_flags(cpu) != want_flags)
                fail_msg("%s rm %u frm %u %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ": %#" PRIx64
                         " flags %#x, not %#" PRIx64 " flags %#x",
                         info->name, imm, frm, a, b, c, cpu->r[4], fp_env_flags(cpu), want,
                         want_flags);
            assert_int_equal(cpu->frm, frm);
        }
    }
    fp_env_set_mode(cpu, FP_RNE);
}

static void fp_environment(void **state)
{
    (void)state;
    fp_env_init(cpu);
    cpu->r[1] = FP_NX | FP_DZ;
    assert_int_equal(run1((struct uop){.op = UOP_fp_setflags, .a = 1}), EXIT_SYSCALL);
    assert_int_equal(fp_env_flags(cpu), FP_NX | FP_DZ);
    assert_int_equal(run1((struct uop){.op = UOP_fp_getflags, .d = 2}), EXIT_SYSCALL);
    assert_int_equal(cpu->r[2], FP_NX | FP_DZ);
    for (unsigned m = 0; m < 8; m++) {
        cpu->r[1] = m;
        assert_int_equal(run1((struct uop){.op = UOP_fp_setmode, .a = 1}), EXIT_SYSCALL);
        assert_int_equal(cpu->frm, m);
        assert_int_equal(fp_env_flags(cpu), FP_NX | FP_DZ);
        /* MXCSR's rounding control: nearest, down, up, truncate; the others have no host mode */
        static const unsigned rc[8] = {0, 3, 1, 2};
        assert_int_equal(cpu->mxcsr >> 13 & 3, rc[m]);
        assert_int_equal(cpu->fp_special, m > 3);
    }
    fp_env_init(cpu);
}

static void loads_and_stores(void **state)
{
    (void)state;
    static const struct {
        uint16_t op;
        int size;
        bool sign;
    } loads[] = {{UOP_ld_s8, 1, true},   {UOP_ld_u8, 1, false}, {UOP_ld_s16, 2, true},
                 {UOP_ld_u16, 2, false}, {UOP_ld_s32, 4, true}, {UOP_ld_u32, 4, false},
                 {UOP_ld_64, 8, false}};
    static const struct {
        uint16_t op;
        int size;
    } stores[] = {{UOP_st_8, 1}, {UOP_st_16, 2}, {UOP_st_32, 4}, {UOP_st_64, 8}};
    for (int i = 0; i < 4096; i++)
        page[i] = (unsigned char)rnd();
    for (int i = 0; i < 2000; i++) {
        unsigned at = rnd() % 4000;
        int64_t disp = (int64_t)(rnd() % 4096) - 2048;
        cpu->r[1] = (uint64_t)(uintptr_t)page + at - (uint64_t)disp;
        unsigned k = i % 7;
        assert_int_equal(run1((struct uop){.op = loads[k].op, .d = 1 + i % 2, .a = 1, .imm = disp}),
                         EXIT_SYSCALL);
        uint64_t want = 0;
        memcpy(&want, page + at, (size_t)loads[k].size);
        if (loads[k].sign)
            want =
                (uint64_t)((int64_t)(want << (64 - 8 * loads[k].size)) >> (64 - 8 * loads[k].size));
        assert_int_equal(cpu->r[1 + i % 2], want);

        unsigned char expected[32];
        memcpy(expected, page + at, 32);
        k = i % 4;
        cpu->r[1] = (uint64_t)(uintptr_t)page + at - (uint64_t)disp;
        cpu->r[2] = rnd();
        memcpy(expected, &cpu->r[2], (size_t)stores[k].size);
        assert_int_equal(run1((struct uop){.op = stores[k].op, .a = 1, .b = 2, .imm = disp}),
                         EXIT_SYSCALL);
        assert_memory_equal(page + at, expected, 32);
    }
    for (unsigned at = 0; at < 40; at++) {
        cpu->r[1] = (uint64_t)(uintptr_t)page + at;
        assert_int_equal(run1((struct uop){.op = UOP_ld_v128, .d = 40, .a = 1, .imm = 3}),
                         EXIT_SYSCALL);
        assert_memory_equal(&cpu->r[40], page + at + 3, 16);
        cpu->r[40]++;
        assert_int_equal(run1((struct uop){.op = UOP_st_v128, .b = 40, .a = 1, .imm = 90}),
                         EXIT_SYSCALL);
        assert_memory_equal(&cpu->r[40], page + at + 90, 16);
    }
}

/* Every memory micro-op at an address that is not there, misaligned, beyond the guest's range. */
static void faults(void **state)
{
    (void)state;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        const struct uop_info *info = &uop_info[op];
        if (!(info->flags & (UOP_F_LOAD | UOP_F_STORE)) || op == UOP_check_code ||
            op == UOP_align || op == UOP_undefined_if || op == UOP_relift_if ||
            info->flags & UOP_F_BULK)
            continue;
        bool atomic = info->flags & UOP_F_ATOMIC, store = info->flags & UOP_F_STORE;
        struct uop u = {.op = op, .d = 40, .a = 1, .b = 42, .c = 44};
        static const struct {
            uint64_t addr;
            int signo, code;
        } rows[] = {
            {0x10001000, SIGSEGV, SEGV_ACCERR},
            {0, SIGSEGV, SEGV_MAPERR},
            {GUEST_ADDR_END, SIGSEGV, SEGV_MAPERR},
            {0x7ffffffff000, SIGSEGV, SEGV_MAPERR},
            {UINT64_C(0x8000000000000000), SIGSEGV, SEGV_MAPERR},
            {UINT64_C(0xfffffffffffffff0), SIGSEGV, SEGV_MAPERR},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            cpu->r[1] = rows[i].addr;
            cpu->r[40] = 7, cpu->r[41] = 8;
            /* Let sc get as far as the access. */
            cpu->res_addr = rows[i].addr;
            assert_int_equal(run1(u), EXIT_FAULT);
            assert_int_equal(cpu->fault.signo, rows[i].signo);
            assert_int_equal(cpu->fault.code, rows[i].code);
            assert_int_equal(cpu->fault.addr, rows[i].addr);
            assert_int_equal(cpu->r[40], 7);
            assert_int_equal(cpu->r[41], 8);
            assert_false(cpu->in_mem);
            if (rows[i].addr >= GUEST_ADDR_END)
                assert_int_equal(cpu->fault.write, store);
        }
        if (atomic && !strstr(info->name, "_8")) {
            cpu->r[1] = (uint64_t)(uintptr_t)page + 1;
            assert_int_equal(run1(u), EXIT_FAULT);
            assert_int_equal(cpu->fault.signo, SIGBUS);
            assert_int_equal(cpu->fault.code, BUS_ADRALN);
            assert_int_equal(cpu->fault.addr, cpu->r[1]);
        }
    }
    cpu->res_addr = ~UINT64_C(0);

    cpu->r[1] = 0x7fe8, cpu->r[2] = 7;
    assert_int_equal(run1((struct uop){.op = UOP_align, .a = 1, .b = 2}), EXIT_SYSCALL);
    cpu->r[2] = 15;
    assert_int_equal(run1((struct uop){.op = UOP_align, .a = 1, .b = 2}), EXIT_FAULT);
    assert_int_equal(cpu->fault.signo, SIGBUS);
    assert_int_equal(cpu->fault.code, BUS_ADRALN);
    assert_int_equal(cpu->fault.addr, 0x7fe8);
}

static uint64_t mask(int size)
{
    return ~UINT64_C(0) >> (64 - 8 * size);
}
static int64_t sext(uint64_t v, int size)
{
    return (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
}

static uint64_t amo_result(int what, uint64_t old, uint64_t b, int size)
{
    uint64_t m = mask(size);
    bool less = sext(old, size) < sext(b, size), lessu = (old & m) < (b & m);
    switch (what) {
    case 0:
        return b & m;
    case 1:
        return (old + b) & m;
    case 2:
        return old & b & m;
    case 3:
        return (old | b) & m;
    case 4:
        return (old ^ b) & m;
    case 5:
        return (less ? old : b) & m;
    case 6:
        return (less ? b : old) & m;
    case 7:
        return (lessu ? old : b) & m;
    default:
        return (lessu ? b : old) & m;
    }
}

static void atomics(void **state)
{
    (void)state;
    static const uint16_t first[] = {UOP_amo_swap_8, UOP_amo_add_8,  UOP_amo_and_8,
                                     UOP_amo_or_8,   UOP_amo_xor_8,  UOP_amo_min_8,
                                     UOP_amo_max_8,  UOP_amo_minu_8, UOP_amo_maxu_8};
    for (int i = 0; i < 4000; i++) {
        int what = i % 9, lg = i / 9 % 4, size = 1 << lg;
        uint64_t old = rnd(), b = rnd() % 4 ? rnd() : old, got, next = rnd();
        memcpy(page, &old, 8);
        memcpy(page + 8, &next, 8);
        cpu->r[1] = (uint64_t)(uintptr_t)page, cpu->r[2] = b;
        assert_int_equal(run1((struct uop){.op = first[what] + lg, .d = 3, .a = 1, .b = 2}),
                         EXIT_SYSCALL);
        memcpy(&got, page, 8);
        assert_int_equal(cpu->r[3], old & mask(size));
        assert_int_equal(got, (old & ~mask(size)) | amo_result(what, old, b, size));
        assert_memory_equal(page + 8, &next, 8);

        /* compare and swap: only the low bytes are compared */
        uint64_t expected = rnd() % 2 ? old : old ^ (UINT64_C(1) << rnd() % 64);
        memcpy(page, &old, 8);
        cpu->r[2] = expected, cpu->r[4] = b;
        assert_int_equal(run1((struct uop){.op = UOP_cas_8 + lg, .d = 2, .a = 1, .b = 2, .c = 4}),
                         EXIT_SYSCALL);
        memcpy(&got, page, 8);
        bool equal = !((old ^ expected) & mask(size));
        assert_int_equal(cpu->r[2], old & mask(size));
        assert_int_equal(got, equal ? (old & ~mask(size)) | (b & mask(size)) : old);

        uint64_t pair[2] = {old, next}, seen[2];
        memcpy(page + 16, pair, 16);
        cpu->r[1] = (uint64_t)(uintptr_t)page + 16;
        cpu->r[40] = old ^ (i % 3 == 0), cpu->r[41] = next ^ (i % 5 == 0);
        cpu->r[42] = b, cpu->r[43] = ~b;
        equal = cpu->r[40] == old && cpu->r[41] == next;
        assert_int_equal(run1((struct uop){.op = UOP_cas_128, .d = 40, .a = 1, .b = 40, .c = 42}),
                         EXIT_SYSCALL);
        memcpy(seen, page + 16, 16);
        assert_int_equal(cpu->r[40], old);
        assert_int_equal(cpu->r[41], next);
        assert_int_equal(seen[0], equal ? b : old);
        assert_int_equal(seen[1], equal ? ~b : next);
    }
}

static void reservations(void **state)
{
    (void)state;
    for (int lg = 0; lg < 4; lg++) {
        struct uop ll = {.op = UOP_ll_8 + lg, .d = 3, .a = 1},
                   sc = {.op = UOP_sc_8 + lg, .d = 4, .a = 1, .b = 2};
        uint64_t v = UINT64_C(0xf1f2f3f4f5f6f7f8), got;
        memcpy(page, &v, 8);
        cpu->r[1] = (uint64_t)(uintptr_t)page;
        cpu->r[2] = 0x1122334455667788;
        run1(ll);
        assert_int_equal(cpu->r[3], v & mask(1 << lg));
        run1(sc);
        assert_int_equal(cpu->r[4], 0);
        memcpy(&got, page, 8);
        assert_int_equal(got, (v & ~mask(1 << lg)) | (cpu->r[2] & mask(1 << lg)));
        run1(sc); /* the reservation is gone */
        assert_int_equal(cpu->r[4], 1);
        run1(ll);
        page[0] ^= 1; /* somebody writes */
        run1(sc);
        assert_int_equal(cpu->r[4], 1);
        run1(ll);
        cpu->r[1] += 8; /* another address */
        run1(sc);
        assert_int_equal(cpu->r[4], 1);
        cpu->r[1] -= 8;
        run1(sc); /* a failed sc gives the reservation up */
        assert_int_equal(cpu->r[4], 1);
    }
}

static void misc(void **state)
{
    (void)state;
    cpu->r[1] = 4, cpu->r[2] = 2;
    run1((struct uop){.op = UOP_helper, .d = 3, .a = 1, .b = 2, .imm = 1});
    assert_int_equal(cpu->r[3], 42);
    assert_int_equal(cpu->r[40], 4);
    run1((struct uop){.op = UOP_movi, .d = 3, .imm = INT64_MIN});
    assert_int_equal(cpu->r[3], UINT64_C(1) << 63);
    run1((struct uop){.op = UOP_rdtime, .d = 3, .imm = CLOCK_MONOTONIC});
    run1((struct uop){.op = UOP_rdtime, .d = 4, .imm = CLOCK_MONOTONIC});
    assert_true(cpu->r[4] > cpu->r[3]);
    run1((struct uop){.op = UOP_fence, .imm = 1});
    for (int reason = EXIT_SYSCALL; reason <= EXIT_ICACHE; reason++)
        if (reason != EXIT_SYSCALL)
            assert_int_equal(run1((struct uop){.op = UOP_exit, .imm = reason}), reason);
}

static void branches(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint64_t a = rnd() >> rnd() % 64, b = i % 4 == 0 ? a : rnd() >> rnd() % 64;
        if (i % 3 == 0)
            a = -a;
        cpu->r[1] = a, cpu->r[2] = b;
        const bool taken[] = {a == b, a != b, (int64_t)a < (int64_t)b, (int64_t)a >= (int64_t)b,
                              a < b,  a >= b};
        for (unsigned k = 0; k < 6; k++) {
            struct block *br = block_new(1, 1);
            br->pc = PC;
            br->len = 4;
            br->uops[0] = (struct uop){.op = UOP_br_eq + k, .a = 1, .b = 2, .imm = 0x2000};
            br->map[0] = (struct insn_map){0, 0};
            struct interp_exit e = interp_run(cpu, br);
            assert_int_equal(e.reason, EXIT_BLOCK);
            assert_ptr_equal(e.from, br);
            assert_int_equal(e.edge, taken[k]);
            assert_int_equal(cpu->r[PC_SLOT], taken[k] ? 0x2000 : PC + 4);
            assert_int_equal(br->taken, taken[k]);
            assert_int_equal(br->count, 1);
            block_free(br);
        }
    }
}

static struct block *loop_block(uint64_t pc)
{
    struct block *b = block_new(2, 2);
    b->pc = pc;
    b->len = 8;
    b->uops[0] = (struct uop){.op = UOP_add_64_i, .d = 1, .a = 1, .imm = 1};
    b->uops[1] = (struct uop){.op = UOP_jmp, .imm = (int64_t)pc};
    b->map[0] = (struct insn_map){0, 0};
    b->map[1] = (struct insn_map){1, 4};
    return cc_insert(cpu, b);
}

static void *set_pending(void *arg)
{
    struct cpu *c = arg;
    while (!__atomic_load_n(&c->in_engine, __ATOMIC_RELAXED))
        sched_yield();
    __atomic_store_n(&c->pending, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* An endless loop is left when pending is set from outside, and when it gets hot. */
static void pending_and_hot(void **state)
{
    (void)state;
    struct block *b = loop_block(0x5000);
    cpu->r[1] = 0;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, set_pending, cpu), 0);
    struct interp_exit e = interp_run(cpu, b);
    pthread_join(t, NULL);
    assert_int_equal(e.reason, EXIT_SIGNAL);
    assert_int_equal(cpu->r[PC_SLOT], 0x5000);
    cpu->pending = 0;

    uint64_t count = b->count, value = cpu->r[1];
    b->hot_at = count + 1000;
    e = interp_run(cpu, b);
    assert_int_equal(e.reason, EXIT_BLOCK);
    assert_null(e.from);
    assert_int_equal(b->count, count + 1000);
    assert_int_equal(cpu->r[1], value + 999);
    assert_int_equal(cpu->r[PC_SLOT], 0x5000);
    b->hot_at = UINT64_MAX;
    cc_invalidate(0, UINT64_MAX);
    cpu->pending = 0;
    cc_quiesce(cpu);
}

/* A block with a copy of its code runs while memory agrees with it, to the last byte. */
static void checked_code(void **state)
{
    (void)state;
    for (uint32_t len = 2; len < 20; len += 2) {
        uint64_t pc = (uint64_t)(uintptr_t)page + 100;
        struct block *b = block_new_checked(2, 1, page + 100, len);
        b->pc = pc;
        b->uops[0] = (struct uop){.op = UOP_check_code};
        b->uops[1] = (struct uop){.op = UOP_exit, .imm = EXIT_BREAK};
        b->map[0] = (struct insn_map){0, 0};
        assert_null(block_verify(b, 64, NULL));
        assert_int_equal(interp_run(cpu, b).reason, EXIT_BREAK);
        page[100 + len] ^= 1; /* beyond it */
        assert_int_equal(interp_run(cpu, b).reason, EXIT_BREAK);
        for (uint32_t i = 0; i < len; i++) {
            page[100 + i] ^= 1;
            assert_int_equal(interp_run(cpu, b).reason, EXIT_STALE);
            assert_int_equal(cpu->r[PC_SLOT], pc);
            page[100 + i] ^= 1;
        }
        assert_int_equal(interp_run(cpu, b).reason, EXIT_BREAK);
        block_free(b);
    }
}

/* Threads increment one word by ll/sc loops and by amo: none is lost. */
enum { THREADS = 4, INCREMENTS = 100000 };

static void *increment(void *arg)
{
    struct block **b = arg;
    struct cpu *c = cpu_make();
    c->r[1] = (uint64_t)(uintptr_t)page;
    c->r[2] = INCREMENTS;
    c->r[5] = 1;
    interp_run(c, b[0]);
    bool ok = c->r[PC_SLOT] == 0x7100;
    cc_cpu_remove(c);
    free(c);
    return ok ? arg : NULL;
}

static void contention(void **state)
{
    (void)state;
    memset(page, 0, 64);
    /* 7000: ll; add; sc; failed: again.  7010: amo; count; again until 0 */
    struct block *retry = block_new(4, 4), *rest = block_new(3, 3), *end = block_new(1, 1);
    retry->pc = 0x7000, retry->len = 16;
    retry->uops[0] = (struct uop){.op = UOP_ll_32, .d = 3, .a = 1};
    retry->uops[1] = (struct uop){.op = UOP_add_64_i, .d = 3, .a = 3, .imm = 1};
    retry->uops[2] = (struct uop){.op = UOP_sc_32, .d = 4, .a = 1, .b = 3};
    retry->uops[3] = (struct uop){.op = UOP_br_ne, .a = 4, .b = 0, .imm = 0x7000};
    rest->pc = 0x7010, rest->len = 12;
    rest->uops[0] = (struct uop){.op = UOP_amo_add_32, .d = 6, .a = 1, .b = 5};
    rest->uops[1] = (struct uop){.op = UOP_sub_64_i, .d = 2, .a = 2, .imm = 1};
    rest->uops[2] = (struct uop){.op = UOP_br_ne, .a = 2, .b = 0, .imm = 0x7000};
    end->pc = 0x701c, end->len = 4;
    end->uops[0] = (struct uop){.op = UOP_jmp, .imm = 0x7100};
    for (uint16_t i = 0; i < 4; i++)
        retry->map[i] = (struct insn_map){i, 4 * i};
    for (uint16_t i = 0; i < 3; i++)
        rest->map[i] = (struct insn_map){i, 4 * i};
    end->map[0] = (struct insn_map){0, 0};
    struct block *b[1] = {cc_insert(cpu, retry)};
    cc_insert(cpu, rest);
    cc_insert(cpu, end);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, increment, b), 0);
    for (int i = 0; i < THREADS; i++) {
        void *ok;
        pthread_join(t[i], &ok);
        assert_non_null(ok);
    }
    uint32_t sum;
    memcpy(&sum, page, 4);
    assert_int_equal(sum, 2 * THREADS * INCREMENTS);
    cc_invalidate(0, UINT64_MAX);
    cpu->pending = 0;
    cc_quiesce(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pure),           cmocka_unit_test(floating_point),
        cmocka_unit_test(fp_environment), cmocka_unit_test(loads_and_stores),
        cmocka_unit_test(faults),         cmocka_unit_test(atomics),
        cmocka_unit_test(reservations),   cmocka_unit_test(misc),
        cmocka_unit_test(branches),       cmocka_unit_test(pending_and_hot),
        cmocka_unit_test(checked_code),   cmocka_unit_test(contention),
    };
    return cmocka_run_group_tests_name("interp/ops", tests, setup, teardown);
}
