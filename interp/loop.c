/* interp/loop.c: the dispatch loop.
 *
 * Owns: the handlers of all micro-ops, expanded from uop.def.
 *
 * Threaded code: every handler ends in its own indirect jump through a table by the next micro-op's
 * code. u (the micro-op) is wanted in rbx by every guest access, so it lives there. Between
 * micro-ops all slots and temporaries are in the cpu.
 *
 * Threading: reentrant. Profile counters are incremented without atomicity.
 */
#include "interp/loop.h"
#include "base/log.h"
#include "codecache/blocks.h"
#include "guest/guest.h"
#include "interp/access.h"
#include "interp/interp.h"
#include "process/mm.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include "uop/vec.h"
#include <signal.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The widest access is 16 bytes: none that begins below this reaches the runtime's memory. */
#define ACCESS_LIMIT (GUEST_ADDR_END - 15)

/* A fault that is found without touching memory. */
static void __attribute__((noinline, cold))
own_fault(struct cpu *cpu, const struct uop *u, uint64_t addr, int signo, int code)
{
    cpu->at = u;
    cpu->fault = (struct cpu_fault){
        .addr = addr, .signo = signo, .code = code, .write = uop_info[u->op].flags & UOP_F_STORE};
}

/* The block that the edge leads to, when it is known already; links it. */
static struct block *__attribute__((noinline, cold))
find_successor(struct cpu *cpu, struct block *b, unsigned edge, uint64_t pc)
{
    struct block *next = cc_lookup(cpu, pc);
    if (next)
        cc_link(b, edge, next);
    return next;
}

/* An FP micro-op that the host does not do in its current mode. The caller has checked the mode. */
static uint64_t __attribute__((noinline)) slow_fp(struct cpu *cpu, const struct uop *u)
{
    return fp_do(cpu, u->op, (unsigned)u->imm, cpu->r[u->a], cpu->r[u->b], cpu->r[u->c]);
}

#define A (cpu->r[u->a])
#define B (cpu->r[u->b])
#define C (cpu->r[u->c])
#define D (cpu->r[u->d])
#define IMM ((uint64_t)u->imm)

#define DISPATCH() goto *table[u->op]
#define NEXT()      \
    do {            \
        u++;        \
        DISPATCH(); \
    } while (0)

/* Go on in block nb: the poll, the count, its first micro-op. */
#define ENTER(nb)                                          \
    do {                                                   \
        b = (nb);                                          \
        u = b->uops;                                       \
        if (UNLIKELY(++b->count >= b->hot_at))             \
            goto promote;                                  \
        cpu->block = b;                                    \
        if (UNLIKELY(*(volatile uint32_t *)&cpu->pending)) \
            goto interrupted;                              \
        DISPATCH();                                        \
    } while (0)

/* Leave b through edge e to guest address pc. */
#define FOLLOW(e, target)                                                  \
    do {                                                                   \
        struct block *nb = __atomic_load_n(&b->succ[e], __ATOMIC_ACQUIRE); \
        if (UNLIKELY(!nb)) {                                               \
            out->edge = (e);                                               \
            out->pc = (target);                                            \
            goto unlinked;                                                 \
        }                                                                  \
        ENTER(nb);                                                         \
    } while (0)

#define CHECK_ADDR(addr)                 \
    do {                                 \
        if (UNLIKELY((addr) >= limit)) { \
            fault_addr = (addr);         \
            goto out_of_range;           \
        }                                \
    } while (0)

#define CHECK_ATOMIC(addr, size)             \
    do {                                     \
        CHECK_ADDR(addr);                    \
        if (UNLIKELY((addr) & ((size)-1))) { \
            fault_addr = (addr);             \
            goto misaligned;                 \
        }                                    \
    } while (0)

/* What has FP_FBITS is more than a shift may be by, and is software. */
#define CHECK_MODE()                                                  \
    do {                                                              \
        if (UNLIKELY(u->imm > 15 || !(cpu->fp_direct >> u->imm & 1))) \
            goto fp_other_mode;                                       \
    } while (0)
/* For rows that do not round. */
#define CHECK_RULES()                        \
    do {                                     \
        if (UNLIKELY(cpu->fp_rules & FP_FZ)) \
            goto fp_soft_here;               \
    } while (0)
/* The host's value, unless FP_ENV asks for another. */
#define HOST_RESULT(T, value)                            \
    do {                                                 \
        uint64_t v_ = (value);                           \
        if (UNLIKELY(u->imm & FP_ENV && fp_odd_##T(v_))) \
            goto fp_soft_here;                           \
        D = v_;                                          \
        NEXT();                                          \
    } while (0)

/* A host form per row; rows without one (all of f16, and the rare conversions) are software. */
#define HOST_F_f16(what, ...) goto fp_other_mode
#define HOST_F_f32(what, ...) \
    CHECK_MODE();             \
    HOST_RESULT(f32, fp_host_##what##_f32(__VA_ARGS__))
#define HOST_F_f64(what, ...) \
    CHECK_MODE();             \
    HOST_RESULT(f64, fp_host_##what##_f64(__VA_ARGS__))
#define F1_sqrt(T) HOST_F_##T(sqrt, A)
#define F2_add(T) HOST_F_##T(add, A, B)
#define F2_sub(T) HOST_F_##T(sub, A, B)
#define F2_mul(T) HOST_F_##T(mul, A, B)
#define F2_div(T) HOST_F_##T(div, A, B)
#define MINMAX_f16(lt) goto fp_soft_here
#define MINMAX_f32(lt)                                  \
    CHECK_RULES();                                      \
    if (UNLIKELY(fp_is_nan_f32(A) || fp_is_nan_f32(B))) \
        goto fp_soft_here;                              \
    D = fp_order_f32(A) lt fp_order_f32(B) ? A : B;     \
    NEXT()
#define MINMAX_f64(lt)                                  \
    CHECK_RULES();                                      \
    if (UNLIKELY(fp_is_nan_f64(A) || fp_is_nan_f64(B))) \
        goto fp_soft_here;                              \
    D = fp_order_f64(A) lt fp_order_f64(B) ? A : B;     \
    NEXT()
#define F2_min(T) MINMAX_##T(<)
#define F2_max(T) MINMAX_##T(>)
#define F2_minimum(T) F2_min(T)
#define F2_maximum(T) F2_max(T)
#define F1_round(T) goto fp_other_mode
#define F1_roundx(T) goto fp_other_mode
#define F1_round32(T) goto fp_other_mode
#define F1_round64(T) goto fp_other_mode
#define F1_flush(T)                                  \
    if (UNLIKELY(cpu->fp_rules & (FP_FZ | FP_FZ16))) \
        goto fp_soft_here;                           \
    D = A;                                           \
    NEXT()
#define F1_recpe(T) goto fp_other_mode
#define F1_recpx(T) goto fp_other_mode
#define F1_rsqrte(T) goto fp_other_mode
#define F2_mulx(T) goto fp_other_mode
#define F2_recps(T) goto fp_other_mode
#define F2_rsqrts(T) goto fp_other_mode
#define F3_fmah(T) goto fp_other_mode
#define F3_fma_f16() goto fp_other_mode
#define F3_FMA(T)                          \
    CHECK_MODE();                          \
    if (UNLIKELY(!fp_host_fma))            \
        goto fp_soft_here;                 \
    uint64_t v = fp_host_fma_##T(A, B, C); \
    if (UNLIKELY(fp_is_nan_##T(v)))        \
        goto fp_soft_here;                 \
    HOST_RESULT(T, v)
#define F3_fma_f32() F3_FMA(f32)
#define F3_fma_f64() F3_FMA(f64)
#define F3_fma(T) F3_fma_##T()
#define FC_f16(what) goto fp_soft_here
#define FC_f32(what)                \
    CHECK_RULES();                  \
    D = fp_host_##what##_f32(A, B); \
    NEXT()
#define FC_f64(what)                \
    CHECK_RULES();                  \
    D = fp_host_##what##_f64(A, B); \
    NEXT()

/* To integers. The host says "out of range" by the most negative value (and raises NV in just the
 * cases in which software does); unsigned ones go to the host only where the 64-bit signed
 * conversion has the same result. Truncation needs no mode. */
#define TRUNCATES() ((u->imm & ~(int64_t)FP_ENV) == FP_RTZ && !(cpu->fp_rules & FP_FZ))
#define TOINT_SIGNED(S, I, T, indefinite)  \
    T v;                                   \
    if (TRUNCATES()) {                     \
        v = (T)fp_host_##S##_##I##_rtz(A); \
    } else {                               \
        CHECK_MODE();                      \
        v = (T)fp_host_##S##_##I(A);       \
    }                                      \
    if (UNLIKELY(v == indefinite))         \
        goto fp_soft_here;                 \
    D = (uint64_t)(int64_t)v;              \
    NEXT()
#define TOINT_UNSIGNED(S, below)      \
    if (UNLIKELY(A >= (below)))       \
        goto fp_other_mode;           \
    if (TRUNCATES()) {                \
        D = fp_host_##S##_s64_rtz(A); \
    } else {                          \
        CHECK_MODE();                 \
        D = fp_host_##S##_s64(A);     \
    }                                 \
    NEXT()
#define TOINT_s16_f16() goto fp_other_mode
#define TOINT_u16_f16() goto fp_other_mode
#define TOINT_s32_f16() goto fp_other_mode
#define TOINT_u32_f16() goto fp_other_mode
#define TOINT_s64_f16() goto fp_other_mode
#define TOINT_u64_f16() goto fp_other_mode
#define TOINT_s32_f32() TOINT_SIGNED(f32, s32, int32_t, INT32_MIN)
#define TOINT_s64_f32() TOINT_SIGNED(f32, s64, int64_t, INT64_MIN)
#define TOINT_s32_f64() TOINT_SIGNED(f64, s32, int32_t, INT32_MIN)
#define TOINT_s64_f64() TOINT_SIGNED(f64, s64, int64_t, INT64_MIN)
#define TOINT_u32_f32() TOINT_UNSIGNED(f32, 0x4f800000)                   /* 2^32 */
#define TOINT_u64_f32() TOINT_UNSIGNED(f32, 0x5f000000)                   /* 2^63 */
#define TOINT_u32_f64() TOINT_UNSIGNED(f64, UINT64_C(0x41efffffffe00001)) /* above 2^32 - 1 */
#define TOINT_u64_f64() TOINT_UNSIGNED(f64, UINT64_C(0x43e0000000000000)) /* 2^63 */
#define CV_toint(D, S) TOINT_##D##_##S()

#define FROMINT_f16(S) goto fp_other_mode
#define FROMINT_f32(S) FROMINT(f32, S)
#define FROMINT_f64(S) FROMINT(f64, S)
#define FROMINT(F, S) \
    CHECK_MODE();     \
    FROM_##S(F);      \
    NEXT()
#define FROM_s32(F) D = fp_host_s32_##F(A)
#define FROM_u32(F) D = fp_host_s64_##F((uint32_t)A)
#define FROM_s64(F) D = fp_host_s64_##F(A)
/* Halved with the lowest bit kept sticky, converted, doubled: one rounding. */
#define FROM_u64(F)                                        \
    if (LIKELY((int64_t)A >= 0)) {                         \
        D = fp_host_s64_##F(A);                            \
    } else {                                               \
        uint64_t half = fp_host_s64_##F(A >> 1 | (A & 1)); \
        D = fp_host_add_##F(half, half);                   \
    }
#define CV_fromint(D, S) FROMINT_##D(S)

#define FPTOFP_f64_f32() FPTOFP(f64, f32_f64)
#define FPTOFP_f32_f64() FPTOFP(f32, f64_f32)
#define FPTOFP(T, what) \
    CHECK_MODE();       \
    HOST_RESULT(T, fp_host_##what(A))
#define FPTOFP_f32_f16() goto fp_other_mode
#define FPTOFP_f64_f16() goto fp_other_mode
#define FPTOFP_f16_f32() goto fp_other_mode
#define FPTOFP_bf16_f32() goto fp_other_mode
#define FPTOFP_f16_f64() goto fp_other_mode
#define CV_fptofp(D, S) FPTOFP_##D##_##S()
#define CV_fptofp_odd(D, S) goto fp_other_mode
#define CV_tomod(D, S) goto fp_other_mode

/* Atomics beyond the read-modify-write rows; T is the type. */
#define ATOM_cas(T) D = ACCESS_CAS(T, addr, (T)B, (T)C)
#define ATOM_ll(T)             \
    T v = ACCESS_GET(T, addr); \
    cpu->res_addr = addr;      \
    cpu->res_val = v;          \
    D = v
#define ATOM_sc(T)                                                              \
    bool failed = true;                                                         \
    if (cpu->res_addr == addr)                                                  \
        failed = ACCESS_CAS(T, addr, (T)cpu->res_val, (T)B) != (T)cpu->res_val; \
    cpu->res_addr = ~UINT64_C(0);                                               \
    D = failed

/* The address in cpu->at and in_mem: see ACCESS_CAS_128. */
#define CAS_128(addr, old, new)                  \
    do {                                         \
        cpu->at = u;                             \
        cpu->in_mem = true;                      \
        __atomic_signal_fence(__ATOMIC_SEQ_CST); \
        ACCESS_CAS_128(addr, old, new);          \
        __atomic_signal_fence(__ATOMIC_SEQ_CST); \
        cpu->in_mem = false;                     \
    } while (0)

__attribute__((section("interp_text"), noinline,
               no_sanitize("address", "undefined"))) enum exit_reason
interp_loop(struct cpu *cpu, struct block *b, struct loop_exit *out)
{
    static const void *const handler[UOP_CODES] = {
#define UOP_P1(name, ...) [UOP_##name] = &&do_##name,
#define UOP_P2(name, ...) [UOP_##name] = &&do_##name, [UOP_##name##_i] = &&do_##name##_i,
#define UOP_P3(name, ...) [UOP_##name] = &&do_##name,
#define UOP_LOAD(name, ...) [UOP_##name] = &&do_##name,
#define UOP_STORE(name, ...) [UOP_##name] = &&do_##name,
#define UOP_AMO(name, ...) [UOP_##name] = &&do_##name,
#define UOP_ATOM(name, ...) [UOP_##name] = &&do_##name,
#define UOP_F1(name, ...) [UOP_##name] = &&do_##name,
#define UOP_F2(name, ...) [UOP_##name] = &&do_##name,
#define UOP_F3(name, ...) [UOP_##name] = &&do_##name,
#define UOP_FC(name, ...) [UOP_##name] = &&do_##name,
#define UOP_CV(name, ...) [UOP_##name] = &&do_##name,
#define UOP_V1(name, ...) [UOP_##name] = &&do_##name,
#define UOP_V2(name, ...) [UOP_##name] = &&do_##name,
#define UOP_VX(name, ...) [UOP_##name] = &&do_##name,
#define UOP_VF1(name, ...) [UOP_##name] = &&do_vector_fp,
#define UOP_VF2(name, ...) [UOP_##name] = &&do_vector_fp,
#define UOP_VF3(name, ...) [UOP_##name] = &&do_vector_fp,
#define UOP_VFC(name, ...) [UOP_##name] = &&do_vector_fp,
#define UOP_SYS(name, ...) [UOP_##name] = &&do_##name,
#define UOP_TERM(name, ...) [UOP_##name] = &&do_##name,
#include "uop/uop_all.h"
    };
    uint64_t limit = ACCESS_LIMIT, fault_addr, target;
    const void *const *table = handler;
    register const struct uop *u __asm__("rbx");
    /* Registers, not constants to be made again in every handler. */
    __asm__("" : "+r"(limit), "+r"(table));
    u = b->uops;
    b->count++;
    cpu->block = b;
    if (UNLIKELY(*(volatile uint32_t *)&cpu->pending))
        goto interrupted;
    DISPATCH();

#define UOP_P1(name, ...)                    \
    do_##name : D = uop_sem_##name(A, 0, 0); \
    NEXT();
#define UOP_P2(name, ...)                          \
    do_##name : D = uop_sem_##name(A, B, 0);       \
    NEXT();                                        \
    do_##name##_i : D = uop_sem_##name(A, IMM, 0); \
    NEXT();
#define UOP_P3(name, ...)                    \
    do_##name : D = uop_sem_##name(A, B, C); \
    NEXT();
#define UOP_LOAD(name, ...)      \
    do_##name:                   \
    {                            \
        uint64_t addr = A + IMM; \
        CHECK_ADDR(addr);        \
        D = ACCESS_##name(addr); \
        NEXT();                  \
    }
#define UOP_STORE(name, ...)     \
    do_##name:                   \
    {                            \
        uint64_t addr = A + IMM; \
        CHECK_ADDR(addr);        \
        ACCESS_##name(addr, B);  \
        NEXT();                  \
    }
#define UOP_AMO(name, T, op)            \
    do_##name:                          \
    {                                   \
        uint64_t addr = A;              \
        CHECK_ATOMIC(addr, sizeof(T));  \
        D = ACCESS_##op(T, addr, (T)B); \
        NEXT();                         \
    }
#define UOP_ATOM(name, T, what)        \
    do_##name:                         \
    {                                  \
        uint64_t addr = A;             \
        CHECK_ATOMIC(addr, sizeof(T)); \
        ATOM_##what(T);                \
        NEXT();                        \
    }
#define UOP_F1(name, T, what) \
    do_##name:                \
    {                         \
        F1_##what(T);         \
    }
#define UOP_F2(name, T, what) \
    do_##name:                \
    {                         \
        F2_##what(T);         \
    }
#define UOP_F3(name, T, what) \
    do_##name:                \
    {                         \
        F3_##what(T);         \
    }
#define UOP_FC(name, T, what) \
    do_##name:                \
    {                         \
        FC_##T(what);         \
    }
#define UOP_CV(name, D, S, what) \
    do_##name:                   \
    {                            \
        CV_##what(D, S);         \
    }
#define UOP_V1(name, ...)                             \
    do_##name : uop_vec_##name(&D, &A, (int64_t)IMM); \
    NEXT();
#define UOP_V2(name, ...)                   \
    do_##name : uop_vec_##name(&D, &A, &B); \
    NEXT();
#define UOP_VX(name, ...)                                     \
    do_##name : uop_vec_##name(&D, &A, &B, &C, (int64_t)IMM); \
    NEXT();
#include "uop/uop_all.h"

do_vector_fp:
    if (UNLIKELY(((u->imm & FP_RM_MASK) == FP_DYN ? cpu->frm : 0) > FP_RMM))
        goto no_such_mode;
    uop_vec_fp(cpu, u->op, (unsigned)u->imm, &D, &A, &B, &C);
    NEXT();
do_ld_v128 : {
    uint64_t addr = A + IMM;
    CHECK_ADDR(addr);
    ACCESS_ld_v128(addr, &D);
    NEXT();
}
do_st_v128 : {
    uint64_t addr = A + IMM;
    CHECK_ADDR(addr);
    ACCESS_st_v128(addr, &B);
    NEXT();
}
do_cas_128 : {
    uint64_t addr = A, old[2] = {(&B)[0], (&B)[1]}, new[2] = {(&C)[0], (&C)[1]};
    CHECK_ATOMIC(addr, 16);
    CAS_128(addr, old, new);
    (&D)[0] = old[0];
    (&D)[1] = old[1];
    NEXT();
}
/* The two halves need not have been there at the same time: then sc_128 fails. */
do_ll_128 : {
    uint64_t addr = A;
    CHECK_ATOMIC(addr, 16);
    uint64_t low = ACCESS_GET(uint64_t, addr), high = ACCESS_GET(uint64_t, addr + 8);
    cpu->res_addr = addr;
    (&D)[0] = cpu->res_val = low;
    (&D)[1] = cpu->res_high = high;
    NEXT();
}
do_sc_128 : {
    uint64_t addr = A, old[2] = {cpu->res_val, cpu->res_high}, new[2] = {(&B)[0], (&B)[1]};
    bool reserved = cpu->res_addr == addr;
    CHECK_ATOMIC(addr, 16);
    cpu->res_addr = ~UINT64_C(0);
    if (reserved)
        CAS_128(addr, old, new);
    D = !reserved || old[0] != cpu->res_val || old[1] != cpu->res_high;
    NEXT();
}
do_align : {
    uint64_t addr = A;
    if (UNLIKELY(addr & B)) {
        own_fault(cpu, u, addr, SIGBUS, BUS_ADRALN);
        cpu->fault.stack = u->a == cpu->guest->sp_slot;
        return EXIT_FAULT;
    }
    NEXT();
}
do_undefined_if:
    if (UNLIKELY(A))
        goto no_such_mode;
    NEXT();
do_relift_if:
    if (UNLIKELY(A)) {
        cpu->at = u;
        return EXIT_RELIFT;
    }
    NEXT();
do_copy_short : {
    if (!uop_is_short(A, C) || !uop_is_short(B, C)) {
        D = C;
        NEXT();
    }
    int64_t left = -(int64_t)C;
    while (left && !mm_copy_step(A + C, B + C, &left)) {
        if (UNLIKELY(B >= limit)) {
            fault_addr = B;
            goto unreadable;
        }
        ACCESS_ld_u8(B);
        CHECK_ADDR(A);
        ACCESS_TOUCH(A);
    }
    D = 0;
    NEXT();
}
do_copy_page:
    if (uop_less_than_page((int64_t)C)) {
        D = C;
        NEXT();
    }
do_copy_step : {
    int64_t left = (int64_t)C;
    /* After a fault the first byte tells of it, or the page is there by now. */
    while (left && !mm_copy_step(A, B, &left)) {
        uint64_t first = left < 0 ? C : C - 1;
        if (UNLIKELY(B + first >= limit)) {
            fault_addr = B + first;
            goto unreadable;
        }
        ACCESS_ld_u8(B + first);
        CHECK_ADDR(A + first);
        ACCESS_TOUCH(A + first);
    }
    D = (uint64_t)left;
    NEXT();
}
do_fill_short : {
    if (!uop_is_short(A, C)) {
        D = C;
        NEXT();
    }
    int64_t left = -(int64_t)C;
    while (left && !mm_fill_step(A + C, B, &left)) {
        CHECK_ADDR(A);
        ACCESS_TOUCH(A);
    }
    D = 0;
    NEXT();
}
do_fill_page:
    if (uop_less_than_page((int64_t)C)) {
        D = C;
        NEXT();
    }
do_fill_step : {
    int64_t left = (int64_t)C;
    while (left && !mm_fill_step(A, B, &left)) {
        CHECK_ADDR(A + C);
        ACCESS_TOUCH(A + C);
    }
    D = (uint64_t)left;
    NEXT();
}
do_fence:
    if (u->imm)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();
do_fp_getflags:
    D = fp_flags_from_mxcsr(fp_get_mxcsr());
    NEXT();
do_fp_getraw:
    D = fp_get_mxcsr();
    NEXT();
do_fp_setflags:
    fp_set_mxcsr((fp_get_mxcsr() & ~FP_MXCSR_FLAGS) | fp_flags_to_mxcsr((unsigned)A));
    NEXT();
do_fp_getid:
    D = cpu->fp_denormal;
    NEXT();
do_fp_setid:
    cpu->fp_denormal = A & 1;
    NEXT();
do_fp_setmode:
    cpu->mxcsr = fp_get_mxcsr();
    fp_env_set_mode(cpu, (unsigned)A);
    fp_set_mxcsr(cpu->mxcsr);
    if ((cpu->fp_rules & FP_CODE_RULES) != cpu->code_rules) /* what follows is other blocks */
        cpu_ask_out(cpu);
    NEXT();
do_movi:
    D = IMM;
    NEXT();
do_helper:
    D = cpu->guest->helpers[u->imm].fn(cpu, A, B);
    NEXT();
do_rdtime:
    D = uop_rdtime((int)IMM);
    NEXT();

do_check_code : {
    uint32_t i = 0;
    for (; i + 8 <= b->len; i += 8) {
        uint64_t have;
        __builtin_memcpy(&have, b->code + i, 8);
        if (UNLIKELY(ACCESS_ld_64(b->pc + i) != have))
            goto stale;
    }
    for (; i < b->len; i++)
        if (UNLIKELY(ACCESS_ld_u8(b->pc + i) != b->code[i]))
            goto stale;
    NEXT();
}

do_jmp:
    FOLLOW(0, IMM);
do_jmp_ind : {
    target = A;
    if (b->target == target)
        b->taken++;
    else
        b->target = target;
    const struct jcache_entry *e = &cpu->jcache[CPU_JCACHE_INDEX(target)];
    if (UNLIKELY(e->pc != target))
        goto indirect_miss;
    ENTER(e->block);
}
#define BRANCH(name, cond) \
    do_##name : if (cond)  \
    {                      \
        b->taken++;        \
        FOLLOW(1, IMM);    \
    }                      \
    FOLLOW(0, b->pc + b->len);
    BRANCH(br_eq, A == B)
    BRANCH(br_ne, A != B)
    BRANCH(br_lt, (int64_t)A < (int64_t)B)
    BRANCH(br_ge, (int64_t)A >= (int64_t)B)
    BRANCH(br_ltu, A < B)
    BRANCH(br_geu, A >= B)
    BRANCH(br_eq_32, (uint32_t)A == (uint32_t)B)
    BRANCH(br_ne_32, (uint32_t)A != (uint32_t)B)
    BRANCH(br_lt_32, (int32_t)A < (int32_t)B)
    BRANCH(br_ge_32, (int32_t)A >= (int32_t)B)
    BRANCH(br_ltu_32, (uint32_t)A < (uint32_t)B)
    BRANCH(br_geu_32, (uint32_t)A >= (uint32_t)B)
#undef BRANCH

do_exit:
    cpu->at = u;
    return (enum exit_reason)u->imm;

fp_other_mode:
    if (((u->imm & FP_RM_MASK) == FP_DYN ? cpu->frm : 0) > FP_RMM)
        goto no_such_mode;
fp_soft_here:
    D = slow_fp(cpu, u);
    NEXT();
no_such_mode: /* as the dynamic one: an illegal instruction */
    cpu->at = u;
    return EXIT_ILLEGAL;

unlinked : {
    bool alone = log_enabled(LOG_NOCHAIN) || b->flags & BLOCK_ONCE;
    struct block *nb = alone ? NULL : find_successor(cpu, b, out->edge, out->pc);
    if (nb)
        ENTER(nb);
    out->from = b;
    return EXIT_BLOCK;
}
indirect_miss : {
    struct block *nb = log_enabled(LOG_NOCHAIN) ? NULL : cc_lookup(cpu, target);
    if (nb)
        ENTER(nb);
    out->from = NULL;
    out->pc = target;
    return EXIT_BLOCK;
}
promote:
    out->from = NULL;
    out->pc = b->pc;
    return EXIT_BLOCK;
stale:
    out->pc = b->pc;
    return EXIT_STALE;
interrupted:
    if (b->flags & BLOCK_ONCE)
        DISPATCH();
    out->pc = b->pc;
    return EXIT_SIGNAL;
unreadable:
    own_fault(cpu, u, fault_addr, SIGSEGV, SEGV_MAPERR);
    cpu->fault.write = false;
    return EXIT_FAULT;
out_of_range:
    own_fault(cpu, u, fault_addr, SIGSEGV, SEGV_MAPERR);
    return EXIT_FAULT;
misaligned:
    own_fault(cpu, u, fault_addr, SIGBUS, BUS_ADRALN);
    return EXIT_FAULT;
}
