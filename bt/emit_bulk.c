/* Emission of memory copy and set: many bytes of the guest's by one operation.
 *
 * Owns: copy_short and fill_short, which are host code in place, and the calls behind copy_step to fill_page. Up to UOP_SHORT bytes
 * that begin at least as many before a page's end need no loop: everything is read before anything is written, by accesses that
 * may overlap and may read more than is copied, all within one page. So the first of them alone can fault, and names the
 * first byte, as the interpreter does. Longer ones are calls of process/mm_bulk.c; when these fault the interpreter meets
 * that again.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* To `elsewhere` unless v is an address of which UOP_SHORT bytes lie within a page; in rax. */
static void within_page(struct bt_emitter *m, const struct bt_op *o, uint32_t v, unsigned elsewhere)
{
    bt_load_gpr(m, RAX, v);
    if (bt_checks_addresses)
        bt_check_end(m, o, RAX);
    x64_alu_ri(&m->e, X64_AND, 4, RAX, UOP_PAGE - 1);
    x64_alu_ri(&m->e, X64_CMP, 4, RAX, UOP_PAGE - UOP_SHORT);
    x64_jcc(&m->e, X64_A, elsewhere);
}

/* A short operation that is being emitted. Its size is known, or in rdx. */
struct small {
    struct bt_emitter *m;
    const struct bt_op *o;
    unsigned to, from; /* registers; from: X64_NONE when rax, and xmm0, have what is to be set */
    bool known;
    int32_t size;
};

static void touch(const struct small *s, unsigned op, unsigned reg, struct x64_mem mem)
{
    bt_row(s->m, s->o->snap);
    if (op == X64_MOVD || op == X64_MOVD_ST)
        x64_v_gm(&s->m->e, op, 4, reg, mem);
    else
        x64_v_rm(&s->m->e, op, reg, mem);
}

/* So many bytes before the end. */
static struct x64_mem from_end(const struct small *s, unsigned base, int32_t bytes)
{
    return s->known ? x64_mem(base, s->size - bytes) : x64_mem_idx(base, RDX, 1, -bytes);
}

/* `bytes` from the beginning on, and as many up to the end. */
static void both_ends(const struct small *s, unsigned op, int32_t bytes, unsigned base,
                      unsigned first, unsigned last)
{
    touch(s, op, first, x64_mem(base, 0));
    if (!s->known || s->size > bytes)
        touch(s, op, last, from_end(s, base, bytes));
}

/* Does the code that follows have to be emitted, for sizes of which bit `bit` is set? If that is not known it is jumped over otherwise. */
static bool begin_if(const struct small *s, unsigned bit, unsigned otherwise)
{
    if (s->known)
        return (unsigned)s->size & bit;
    x64_test_ri(&s->m->e, 4, RDX, (int32_t)bit);
    x64_jcc8(&s->m->e, X64_E, otherwise);
    return true;
}

/* Less than 4 bytes. */
static void few(const struct small *s, unsigned done)
{
    struct x64_emit *e = &s->m->e;
    unsigned value = RAX, one = x64_label(e), none = x64_label(e);
    if (s->from != X64_NONE) {
        value = RCX;
        if (!s->known) {
            x64_test_rr(e, 4, RDX, RDX);
            x64_jcc8(e, X64_E, done);
        }
        bt_row(s->m, s->o->snap);
        x64_mov_rm(e, 4, value, x64_mem(s->from, 0));
    }
    if (begin_if(s, 2, one)) {
        bt_row(s->m, s->o->snap);
        x64_mov_mr(e, 2, x64_mem(s->to, 0), value);
        if (s->from != X64_NONE)
            x64_shift_ri(e, X64_SHR, 4, value, 16);
    }
    x64_bind(e, one);
    if (begin_if(s, 1, none)) {
        bt_row(s->m, s->o->snap);
        x64_mov_mr(e, 1, from_end(s, s->to, 1), value);
    }
    x64_bind(e, none);
}

static void by_size(const struct small *s, unsigned done)
{
    struct x64_emit *e = &s->m->e;
    static const struct {
        int32_t least, bytes;
        unsigned load, store;
    } rows[] = {{33, 16, X64_MOVUPS, X64_MOVUPS_ST},
                {16, 16, X64_MOVUPS, X64_MOVUPS_ST},
                {8, 8, X64_MOVQ_X, X64_MOVQ_X_ST},
                {4, 4, X64_MOVD, X64_MOVD_ST}};
    bool copy = s->from != X64_NONE;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (s->known && s->size < rows[i].least)
            continue;
        unsigned less = x64_label(e);
        bool four = rows[i].least > 2 * rows[i].bytes;
        if (!s->known) {
            x64_alu_ri(e, X64_CMP, 4, RDX, rows[i].least);
            x64_jcc8(e, X64_B, less);
        }
        if (copy)
            both_ends(s, rows[i].load, rows[i].bytes, s->from, XMM0, XMM1);
        if (copy && four) {
            touch(s, X64_MOVUPS, XMM2, x64_mem(s->from, 16));
            touch(s, X64_MOVUPS, XMM3, from_end(s, s->from, 32));
        }
        both_ends(s, rows[i].store, rows[i].bytes, s->to, XMM0, copy ? XMM1 : XMM0);
        if (four) {
            touch(s, X64_MOVUPS_ST, copy ? XMM2 : XMM0, x64_mem(s->to, 16));
            touch(s, X64_MOVUPS_ST, copy ? XMM3 : XMM0, from_end(s, s->to, 32));
        }
        if (s->known)
            return;
        x64_jmp(e, done);
        x64_bind(e, less);
    }
    if (!s->known || s->size)
        few(s, done);
}

static void small(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned many = x64_label(e), done = x64_label(e);
    struct small s = {.m = m, .o = o, .from = X64_NONE};
    bt_load_gpr(m, RDX, o->c);
    s.known = bt_loc(m, o->c).place == BT_IMM && bt_imm(m, o->c) <= UOP_SHORT;
    if (s.known) {
        s.size = (int32_t)bt_imm(m, o->c);
    } else {
        x64_alu_ri(e, X64_CMP, 8, RDX, UOP_SHORT);
        x64_jcc(e, X64_A, many);
    }
    within_page(m, o, o->a, many);
    if (o->op == UOP_copy_short) {
        within_page(m, o, o->b, many);
        s.to = bt_gpr(m, o->a, RAX);
        s.from = bt_gpr(m, o->b, RCX);
    } else {
        bt_load_gpr(m, RAX, o->b);
        x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
        x64_imul_rri(e, 4, RAX, RAX, 0x01010101);
        x64_v_gr(e, X64_MOVD, 4, XMM0, RAX);
        x64_v_rri(e, X64_PSHUFD, XMM0, XMM0, 0);
        s.to = bt_gpr(m, o->a, RCX);
    }
    by_size(&s, done);
    x64_bind(e, done);
    x64_alu_rr(e, X64_XOR, 4, RDX, RDX);
    x64_bind(e, many);
    bt_done(m, v, RDX);
}

/* Nothing to do is seen here; else the routine does it, and when it faults the interpreter meets that again. */
static void call(struct bt_emitter *m, uint32_t v, enum x64_stub stub, bool page)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned done = x64_label(e);
    bt_load_gpr(m, RDX, o->c);
    if (page) {
        x64_lea(e, 8, RAX, x64_mem(RDX, UOP_PAGE - 1));
        x64_alu_ri(e, X64_CMP, 8, RAX, 2 * UOP_PAGE - 2);
        x64_jcc(e, X64_BE, done);
    } else {
        x64_test_rr(e, 8, RDX, RDX);
        x64_jcc(e, X64_E, done);
    }
    bt_load_gpr(m, RAX, o->a);
    bt_load_gpr(m, RCX, o->b);
    x64_call_ext(e, stub);
    x64_jcc(e, X64_B, bt_leave(m, o->snap, EXIT_FAULT));
    x64_bind(e, done);
    bt_done(m, v, RDX);
}

bool bt_emit_bulk(struct bt_emitter *m, uint32_t v)
{
    unsigned op = m->r->ops[v].op;
    switch (op) {
    case UOP_copy_short:
    case UOP_fill_short:
        small(m, v);
        return true;
    case UOP_copy_step:
    case UOP_copy_page:
        call(m, v, X64_STUB_COPY, op == UOP_copy_page);
        return true;
    case UOP_fill_step:
    case UOP_fill_page:
        call(m, v, X64_STUB_FILL, op == UOP_fill_page);
        return true;
    default:
        return false;
    }
}
