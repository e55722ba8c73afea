/* uop/text.c: the text form of micro-ops and blocks.
 *
 * Owns: uop_print and its inverse uop_parse; block_print.
 *
 * A line is `D = NAME A, B, C, IMM` with the operands that the row has. Units print as the guest's
 * slot name (or rN), temporaries as tN; rounding modes, exit reasons and jump hints by name; other
 * immediates in decimal when small, else in hexadecimal; what there is beside a rounding mode follows it after a `+`. `!N` at the end is a non-zero aux field.
 *
 * Threading: reentrant.
 */
#include "base/text.h"
#include "uop/block.h"
#include "uop/cpu.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const rm_name[] = {
    [FP_RNE] = "rne", [FP_RTZ] = "rtz", [FP_RDN] = "rdn",
    [FP_RUP] = "rup", [FP_RMM] = "rmm", [FP_DYN] = "dyn",
};
static const char *const exit_name[] = {
    [EXIT_BLOCK] = "block",     [EXIT_SYSCALL] = "syscall", [EXIT_BREAK] = "break",
    [EXIT_ILLEGAL] = "illegal", [EXIT_ICACHE] = "icache",   [EXIT_FAULT] = "fault",
    [EXIT_SIGNAL] = "signal",   [EXIT_FP_TRAP] = "fp_trap", [EXIT_STALE] = "stale",
    [EXIT_DEBUG] = "debug",     [EXIT_RELIFT] = "relift",
};
static const char *const jump_name[] = {
    [JUMP_PLAIN] = "plain", [JUMP_CALL] = "call", [JUMP_RET] = "ret"};

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

/* The names that op's immediate has, and how many; NULL when it is a plain number. */
static const char *const *imm_names(unsigned op, size_t *n)
{
    if (uop_info[op].flags & UOP_F_RM) {
        *n = COUNT(rm_name);
        return rm_name;
    }
    if (op == UOP_exit) {
        *n = COUNT(exit_name);
        return exit_name;
    }
    return NULL;
}

static bool has_hint(unsigned op)
{
    return op == UOP_jmp || op == UOP_jmp_ind;
}

static void put_unit(struct text *o, unsigned n, uop_slot_name *slot_name)
{
    if (n >= CPU_TEMP_BASE) {
        text_put(o, "t%u", n - CPU_TEMP_BASE);
        return;
    }
    const char *name = slot_name ? slot_name(n) : NULL;
    if (name)
        text_put(o, "%s", name);
    else
        text_put(o, "r%u", n);
}

static void put_imm(struct text *o, const struct uop *u)
{
    size_t n;
    const char *const *names = imm_names(u->op, &n);
    uint64_t more = uop_info[u->op].flags & UOP_F_RM ? (uint64_t)u->imm & ~(uint64_t)FP_RM_MASK : 0;
    uint64_t named = (uint64_t)u->imm - more;
    if (names && named < n && names[named])
        text_put(o, more ? "%s+0x%" PRIx64 : "%s", names[named], more);
    else if (u->imm > -4096 && u->imm < 4096)
        text_put(o, "%" PRId64, u->imm);
    else
        text_put(o, "0x%" PRIx64, (uint64_t)u->imm);
}

size_t uop_print(char *buf, size_t size, const struct uop *u, uop_slot_name *slot_name)
{
    struct text o = {buf, size, 0};
    if (size)
        buf[0] = 0;
    if (u->op >= UOP_CODES) {
        text_put(&o, "?%u", u->op);
        return o.len;
    }
    const struct uop_info *info = &uop_info[u->op];
    if (info->d != UOP_K_N) {
        put_unit(&o, u->d, slot_name);
        text_put(&o, " = ");
    }
    text_put(&o, "%s", info->name);
    const uint8_t kind[3] = {info->a, info->b, info->c}, unit[3] = {u->a, u->b, u->c};
    const char *sep = " ";
    for (int i = 0; i < 3; i++)
        if (kind[i] != UOP_K_N) {
            text_put(&o, "%s", sep);
            put_unit(&o, unit[i], slot_name);
            sep = ", ";
        }
    if (info->flags & UOP_F_IMM) {
        text_put(&o, "%s", sep);
        put_imm(&o, u);
        sep = ", ";
    }
    if (has_hint(u->op) && u->c && u->c < COUNT(jump_name))
        text_put(&o, "%s%s", sep, jump_name[u->c]);
    if (u->aux)
        text_put(&o, " !%u", u->aux);
    return o.len;
}

/* ---- parsing ---- */

struct in {
    const char *p;
    uop_slot_name *slot_name;
    const char *wrong;
};

static void skip(struct in *in)
{
    while (*in->p == ' ' || *in->p == '\t')
        in->p++;
}

static bool eat(struct in *in, char c)
{
    skip(in);
    if (*in->p != c)
        return false;
    in->p++;
    return true;
}

static size_t word_len(const char *p)
{
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.')
        n++;
    return n;
}

static bool word_is(const char *p, size_t n, const char *name)
{
    return name && strlen(name) == n && !memcmp(p, name, n);
}

static uint8_t parse_unit(struct in *in)
{
    skip(in);
    size_t n = word_len(in->p);
    const char *w = in->p;
    in->p += n;
    if (in->slot_name)
        for (unsigned i = 0; i < CPU_TEMP_BASE; i++)
            if (word_is(w, n, in->slot_name(i)))
                return i;
    if (n >= 2 && (*w == 't' || *w == 'r')) {
        char *end;
        unsigned long v = strtoul(w + 1, &end, 10);
        if (end == w + n && isdigit((unsigned char)w[1])) {
            if (*w == 'r' && v < CPU_TEMP_BASE)
                return v;
            if (*w == 't' && v < CPU_TEMPS)
                return CPU_TEMP_BASE + v;
        }
    }
    if (!in->wrong)
        in->wrong = "no such slot or temporary";
    return 0;
}

static int64_t parse_imm(struct in *in, unsigned op)
{
    skip(in);
    size_t n = word_len(in->p), count;
    const char *const *names = imm_names(op, &count);
    if (names)
        for (size_t i = 0; i < count; i++)
            if (word_is(in->p, n, names[i])) {
                in->p += n;
                return (int64_t)(eat(in, '+') ? i | (uint64_t)parse_imm(in, op) : i);
            }
    char *end;
    bool neg = *in->p == '-';
    uint64_t v = strtoull(in->p + neg, &end, 0);
    if (end == in->p + neg || !isdigit((unsigned char)in->p[neg])) {
        if (!in->wrong)
            in->wrong = "immediate expected";
        return 0;
    }
    in->p = end;
    return (int64_t)(neg ? -v : v);
}

int uop_parse(const char *text, struct uop *u, uop_slot_name *slot_name, const char **err)
{
    struct in in = {text, slot_name, NULL};
    *u = (struct uop){0};
    bool has_d = strchr(text, '=') != NULL;
    if (has_d) {
        u->d = parse_unit(&in);
        if (!eat(&in, '=') && !in.wrong)
            in.wrong = "'=' expected";
    }
    skip(&in);
    size_t n = word_len(in.p);
    unsigned op = 0;
    while (op < UOP_CODES && !word_is(in.p, n, uop_info[op].name))
        op++;
    if (op == UOP_CODES && !in.wrong)
        in.wrong = "no such micro-op";
    if (in.wrong) {
        *err = in.wrong;
        return -1;
    }
    in.p += n;
    u->op = op;
    const struct uop_info *info = &uop_info[op];
    if (has_d != (info->d != UOP_K_N))
        in.wrong = has_d ? "this micro-op has no result" : "result expected";
    const uint8_t kind[3] = {info->a, info->b, info->c};
    uint8_t *unit[3] = {&u->a, &u->b, &u->c};
    bool first = true;
    for (int i = 0; i < 3; i++)
        if (kind[i] != UOP_K_N) {
            if (!first && !eat(&in, ',') && !in.wrong)
                in.wrong = "',' expected";
            *unit[i] = parse_unit(&in);
            first = false;
        }
    if (info->flags & UOP_F_IMM) {
        if (!first && !eat(&in, ',') && !in.wrong)
            in.wrong = "',' expected";
        u->imm = parse_imm(&in, op);
        first = false;
    }
    if (has_hint(op) && (first || eat(&in, ','))) {
        skip(&in);
        n = word_len(in.p);
        size_t i = 0;
        while (i < COUNT(jump_name) && !word_is(in.p, n, jump_name[i]))
            i++;
        if (i == COUNT(jump_name)) {
            if (!in.wrong)
                in.wrong = "no such jump hint";
        } else {
            in.p += n;
            u->c = i;
        }
    }
    if (eat(&in, '!')) {
        char *end;
        u->aux = (uint16_t)strtoul(in.p, &end, 10);
        in.p = end;
    }
    skip(&in);
    if (*in.p && *in.p != '\n' && !in.wrong)
        in.wrong = "text after the end of the micro-op";
    if (in.wrong) {
        *err = in.wrong;
        return -1;
    }
    return 0;
}

size_t block_print(char *buf, size_t size, const struct block *b, uop_slot_name *slot_name)
{
    struct text o = {buf, size, 0};
    if (size)
        buf[0] = 0;
    text_put(&o, "block 0x%" PRIx64 " len %u count %" PRIu64 " taken %" PRIu64 "\n", b->pc, b->len,
             b->count, b->taken);
    unsigned insn = 0;
    for (unsigned i = 0; i < b->nuops; i++) {
        for (; insn < b->ninsns && b->map[insn].uop <= i; insn++)
            text_put(&o, "; 0x%" PRIx64 "\n", b->pc + b->map[insn].pcoff);
        char line[160];
        uop_print(line, sizeof line, &b->uops[i], slot_name);
        text_put(&o, "  %s\n", line);
    }
    return o.len;
}
