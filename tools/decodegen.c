/* Makes a guest's decoder from its table (guest/<isa>/<isa>.decode, which explains the format).
 *
 *   decodegen h TABLE >decode.h     operand struct, row struct, lifter prototypes
 *   decodegen c TABLE >decode.c     field extraction, decision tree, table of rows
 *
 * Owns: the grammar of the table and the checks on it. A table is refused, with file and line, when
 * it does not parse, names unknown fields, or has two rows that overlap without one strictly
 * containing the other. Rows of 16 and 32 bits make separate trees: PREFIX_decode16, _decode32.
 *
 * The decision tree tests, again and again, the widest run of bits that every remaining row fixes,
 * as a switch that the compiler makes a jump table of; where the rows have no such bit it splits on
 * the one fixed most often, and rows that are left to tell apart by containment are tested from the
 * narrowest to the widest.
 *
 * Threading: a build tool, single-threaded; memory is never freed.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS 2048
#define MAX_SHAPES 256
#define MAX_ARGS 16
#define MAX_PIECES 16

struct piece {
    int hi, lo;
};

/* How one operand field is computed from the instruction word. */
struct spec {
    bool used, constant, sign;
    int npieces, shift;
    long add;
    struct piece piece[MAX_PIECES];
};

struct shape {
    char *name;
    int line;
    bool used;
    struct spec arg[MAX_ARGS];
};

struct row {
    int line, width, index;
    uint32_t mask, match;
    char *mnemonic, *text, *lifter, *arg, *ext;
    struct shape *shape;
};

static const char *file;
static int line;
static char *prefix;
static char *arg_name[MAX_ARGS];
static bool arg_wide[MAX_ARGS];
static int nargs;
static struct shape shapes[MAX_SHAPES];
static int nshapes;
static struct row rows[MAX_ROWS];
static int nrows;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static char *copy(const char *s)
{
    char *p = strdup(s);
    if (!p)
        die("out of memory");
    return p;
}

static long number(const char *s, char **end)
{
    errno = 0;
    long v = strtol(s, end, 0);
    if (*end == s || errno)
        die("a number is expected at '%s'", s);
    return v;
}

static struct shape *find_shape(const char *name)
{
    for (int i = 0; i < nshapes; i++)
        if (!strcmp(shapes[i].name, name))
            return &shapes[i];
    return NULL;
}

static void parse_spec(struct spec *s, const char *text)
{
    char *p = (char *)text;
    s->used = true;
    if (*p == '#') {
        s->constant = true;
        s->add = number(p + 1, &p);
        if (*p)
            die("junk after the constant: '%s'", p);
        return;
    }
    if (*p == 's') {
        s->sign = true;
        p++;
    }
    for (;;) {
        if (s->npieces == MAX_PIECES)
            die("too many pieces in '%s'", text);
        struct piece *pc = &s->piece[s->npieces++];
        pc->hi = pc->lo = (int)number(p, &p);
        if (*p == ':')
            pc->lo = (int)number(p + 1, &p);
        if (pc->hi < pc->lo || pc->hi > 31 || pc->lo < 0)
            die("bad bit range in '%s'", text);
        if (*p != '.')
            break;
        p++;
    }
    if (p[0] == '<' && p[1] == '<')
        s->shift = (int)number(p + 2, &p);
    if (*p == '+')
        s->add = number(p + 1, &p);
    if (*p)
        die("junk in '%s': '%s'", text, p);
}

static void parse_fields(char **word, int n)
{
    if (n < 2)
        die("fields needs a name");
    if (find_shape(word[1]))
        die("fields %s is defined twice", word[1]);
    if (nshapes == MAX_SHAPES)
        die("too many fields lines: raise MAX_SHAPES");
    struct shape *sh = &shapes[nshapes++];
    sh->name = copy(word[1]);
    sh->line = line;
    for (int i = 2; i < n; i++) {
        char *eq = strchr(word[i], '=');
        if (!eq)
            die("FIELD=SPEC is expected, not '%s'", word[i]);
        *eq = 0;
        int a = 0;
        while (a < nargs && strcmp(arg_name[a], word[i]))
            a++;
        if (a == nargs)
            die("no such field: %s", word[i]);
        if (sh->arg[a].used)
            die("field %s is given twice", word[i]);
        parse_spec(&sh->arg[a], eq + 1);
    }
}

static void parse_row(char **word, int n)
{
    if (n != 6)
        die("a row has six columns, not %d", n);
    if (nrows == MAX_ROWS)
        die("too many rows: raise MAX_ROWS");
    struct row *r = &rows[nrows++];
    r->line = line;
    for (const char *p = word[0]; *p; p++) {
        if (*p == '_')
            continue;
        r->mask = r->mask << 1 | (*p != '.');
        r->match = r->match << 1 | (*p == '1');
        r->width++;
    }
    if (r->width != 16 && r->width != 32)
        die("the pattern has %d bits, neither 16 nor 32", r->width);
    r->mnemonic = copy(word[1]);
    r->shape = find_shape(word[2]);
    if (!r->shape)
        die("no such fields: %s", word[2]);
    r->shape->used = true;
    r->text = copy(strcmp(word[3], "-") ? word[3] : "");
    char *colon = strchr(word[4], ':');
    if (colon)
        *colon = 0;
    r->lifter = copy(word[4]);
    r->arg = colon ? copy(colon + 1) : NULL;
    r->ext = copy(word[5]);
    for (int a = 0; a < nargs; a++) {
        const struct spec *s = &r->shape->arg[a];
        for (int i = 0; i < s->npieces; i++)
            if (s->piece[i].hi >= r->width)
                die("fields %s reach beyond the %d bits of the row", r->shape->name, r->width);
    }
}

static void parse(void)
{
    FILE *f = fopen(file, "r");
    if (!f) {
        fprintf(stderr, "decodegen: cannot open %s: %s\n", file, strerror(errno));
        exit(1);
    }
    char buf[1024];
    while (fgets(buf, sizeof buf, f)) {
        line++;
        if (!strchr(buf, '\n'))
            die("the line is too long or has no end");
        char *word[32];
        int n = 0;
        if (buf[0] == '#')
            continue;
        for (char *w = strtok(buf, " \t\n"); w; w = strtok(NULL, " \t\n")) {
            if (n == 32)
                die("too many words");
            word[n++] = w;
        }
        if (!n)
            continue;
        if (!strcmp(word[0], "prefix")) {
            if (n != 2 || prefix)
                die("one prefix with one name is expected");
            prefix = copy(word[1]);
        } else if (!strcmp(word[0], "reg") || !strcmp(word[0], "imm")) {
            for (int i = 1; i < n; i++) {
                if (nargs == MAX_ARGS)
                    die("too many operand fields: raise MAX_ARGS");
                arg_wide[nargs] = word[0][0] == 'i';
                arg_name[nargs++] = copy(word[i]);
            }
        } else if (!strcmp(word[0], "fields")) {
            parse_fields(word, n);
        } else if (strchr("01.", word[0][0])) {
            parse_row(word, n);
        } else {
            die("neither a row nor a known word: '%s'", word[0]);
        }
    }
    fclose(f);
    if (!prefix)
        die("the table has no prefix line");
    for (int i = 0; i < nshapes; i++) {
        line = shapes[i].line;
        if (!shapes[i].used)
            die("no row uses fields %s", shapes[i].name);
    }
}

/* Every row that a contains is one that b contains too. */
static bool inside(const struct row *a, const struct row *b)
{
    return (a->mask & b->mask) == b->mask && !((a->match ^ b->match) & b->mask);
}

static void check_overlaps(void)
{
    for (int i = 0; i < nrows; i++) {
        for (int j = 0; j < i; j++) {
            const struct row *a = &rows[i], *b = &rows[j];
            if (a->width != b->width || (a->match ^ b->match) & a->mask & b->mask)
                continue;
            line = a->line;
            if (a->mask == b->mask)
                die("%s has the same pattern as %s in line %d", a->mnemonic, b->mnemonic, b->line);
            if (!inside(a, b) && !inside(b, a))
                die("%s overlaps %s in line %d, and neither contains the other", a->mnemonic,
                    b->mnemonic, b->line);
        }
    }
}

/* ---- output ---- */

static void print_spec(const struct spec *s)
{
    if (!s->used) {
        printf("0");
        return;
    }
    if (s->constant) {
        printf("%ld", s->add);
        return;
    }
    int width = 0;
    for (int i = 0; i < s->npieces; i++)
        width += s->piece[i].hi - s->piece[i].lo + 1;
    if (s->sign)
        printf("(int64_t)((uint64_t)(");
    else
        printf("(");
    int at = width;
    for (int i = 0; i < s->npieces; i++) {
        const struct piece *p = &s->piece[i];
        int n = p->hi - p->lo + 1;
        at -= n;
        printf("%s", i ? " | " : "");
        if (at)
            printf("bits(w, %d, %d) << %d", p->hi, p->lo, at);
        else
            printf("bits(w, %d, %d)", p->hi, p->lo);
    }
    if (s->sign)
        printf(") << %d) >> %d", 64 - width, 64 - width - s->shift);
    else if (s->shift)
        printf(") << %d", s->shift);
    else
        printf(")");
    if (s->add)
        printf(" + %ld", s->add);
}

static void print_shape(const struct shape *sh)
{
    printf("static inline unsigned fields_%s(struct %s_insn *in, uint32_t w, unsigned row)\n{\n",
           sh->name, prefix);
    printf("    *in = (struct %s_insn){\n        .row = row,\n        .word = w,\n", prefix);
    for (int a = 0; a < nargs; a++) {
        if (!sh->arg[a].used)
            continue;
        printf("        .%s = ", arg_name[a]);
        print_spec(&sh->arg[a]);
        printf(",\n");
    }
    printf("    };\n    return row;\n}\n\n");
}

static void indent(int depth)
{
    for (int i = 0; i < depth; i++)
        printf("    ");
}

static void print_leaf(const struct row *r, int depth)
{
    indent(depth);
    printf("return fields_%s(in, w, %d); /* %s */\n", r->shape->name, r->index, r->mnemonic);
}

static int popcount(uint32_t v)
{
    return __builtin_popcount(v);
}

static int narrower_first(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int n = popcount(y->mask) - popcount(x->mask);
    return n ? n : x->index - y->index;
}

/* Tell the n rows apart; `known` are the bits tested already. */
static void print_tree(struct row **set, int n, uint32_t known, int depth)
{
    uint32_t common = ~known;
    for (int i = 0; i < n; i++)
        common &= set[i]->mask;

    if (n == 1 || !common) {
        int best = -1, best_fixed = 0;
        for (int b = 0; b < 32 && n > 6; b++) {
            int ones = 0, zeros = 0;
            for (int i = 0; i < n; i++) {
                if (known >> b & 1 || !(set[i]->mask >> b & 1))
                    continue;
                if (set[i]->match >> b & 1)
                    ones++;
                else
                    zeros++;
            }
            if (ones && zeros && ones + zeros > best_fixed) {
                best = b;
                best_fixed = ones + zeros;
            }
        }
        if (best >= 0) {
            struct row *half[MAX_ROWS];
            for (int v = 1; v >= 0; v--) {
                int m = 0;
                for (int i = 0; i < n; i++)
                    if (!(set[i]->mask >> best & 1) || (set[i]->match >> best & 1) == (uint32_t)v)
                        half[m++] = set[i];
                indent(depth);
                printf(v ? "if (bits(w, %d, %d)) {\n" : "} else {\n", best, best);
                print_tree(half, m, known | 1u << best, depth + 1);
            }
            indent(depth);
            printf("}\n");
            return;
        }
        struct row *order[MAX_ROWS];
        memcpy(order, set, sizeof *set * n);
        qsort(order, n, sizeof *order, narrower_first);
        for (int i = 0; i < n; i++) {
            uint32_t left = order[i]->mask & ~known;
            if (!left) {
                print_leaf(order[i], depth);
                return;
            }
            indent(depth);
            printf("if ((w & 0x%x) == 0x%x)\n", left, order[i]->match & left);
            print_leaf(order[i], depth + 1);
        }
        indent(depth);
        printf("return %d;\n", 0);
        return;
    }

    int hi = 0, lo = 0, most = 0;
    for (int b = 0; b < 32; b++) {
        if (!(common >> b & 1))
            continue;
        int e = b;
        while (e < 31 && common >> (e + 1) & 1 && e - b < 7)
            e++;
        uint32_t field = (e - b == 31 ? ~0u : (1u << (e - b + 1)) - 1) << b;
        int values = 0;
        for (int i = 0; i < n; i++) {
            int j = 0;
            while (j < i && ((set[i]->match ^ set[j]->match) & field))
                j++;
            values += j == i;
        }
        if (values > most || (values == most && e - b > hi - lo)) {
            most = values;
            hi = e;
            lo = b;
        }
    }
    uint32_t field = ((1u << (hi - lo + 1)) - 1) << lo;
    indent(depth);
    printf("switch (bits(w, %d, %d)) {\n", hi, lo);
    bool *done = calloc(n, sizeof *done);
    struct row **part = calloc(n, sizeof *part);
    for (int i = 0; i < n; i++) {
        if (done[i])
            continue;
        int m = 0;
        for (int j = i; j < n; j++) {
            if (!((set[i]->match ^ set[j]->match) & field)) {
                done[j] = true;
                part[m++] = set[j];
            }
        }
        indent(depth);
        printf("case 0x%x:\n", (set[i]->match & field) >> lo);
        print_tree(part, m, known | field, depth + 1);
    }
    free(done);
    free(part);
    indent(depth);
    printf("}\n");
    indent(depth);
    printf("return 0;\n");
}

static void print_decoder(int width)
{
    struct row *set[MAX_ROWS];
    int n = 0;
    for (int i = 0; i < nrows; i++)
        if (rows[i].width == width)
            set[n++] = &rows[i];
    if (!n)
        return;
    printf("unsigned %s_decode%d(uint%d_t w, struct %s_insn *in)\n{\n", prefix, width, width,
           prefix);
    print_tree(set, n, width == 16 ? 0xffff0000 : 0, 1);
    printf("}\n\n");
}

static void print_arg(const struct row *r)
{
    if (!r->arg)
        printf("0");
    else if (r->arg[0] == '=')
        printf("%s", r->arg + 1);
    else
        printf("UOP_%s", r->arg);
}

static bool first_use(int i)
{
    for (int j = 0; j < i; j++)
        if (!strcmp(rows[i].lifter, rows[j].lifter))
            return false;
    return true;
}

static void print_upper(const char *s)
{
    for (; *s; s++)
        putchar(toupper((unsigned char)*s));
}

static void print_header(void)
{
    printf("/* Generated by tools/decodegen.c from the table of %s instructions. */\n", prefix);
    printf("#ifndef DRAGOMAN_");
    print_upper(prefix);
    printf("_DECODE_H\n#define DRAGOMAN_");
    print_upper(prefix);
    printf("_DECODE_H\n\n#include \"guest/lift.h\"\n#include <stdint.h>\n\n");
    printf("/* A decoded instruction: its row and the operand fields that the row has. */\n");
    printf("struct %s_insn {\n    unsigned row;\n    uint32_t word;\n", prefix);
    for (int a = 0; a < nargs; a++)
        printf("    %s %s;\n", arg_wide[a] ? "int64_t" : "uint8_t", arg_name[a]);
    printf("};\n\n");
    printf("typedef void %s_lifter(struct lift *l, const struct %s_insn *in, int arg);\n\n", prefix,
           prefix);
    printf("struct %s_row {\n    const char *mnemonic, *text, *ext;\n    %s_lifter *lift;\n",
           prefix, prefix);
    printf("    int arg;\n    uint32_t mask, match;\n    unsigned bits;\n    int line; /* in the "
           "table */\n};\n\n");
    printf("/* Row 0 stands for an undefined encoding. */\n#define ");
    print_upper(prefix);
    printf("_NROWS %d\n", nrows + 1);
    printf("extern const struct %s_row %s_rows[", prefix, prefix);
    print_upper(prefix);
    printf("_NROWS];\n\n/* The row of an instruction word, with *in filled; 0 (and *in untouched) "
           "when "
           "undefined. */\n");
    for (int width = 16; width <= 32; width += 16)
        for (int i = 0; i < nrows; i++)
            if (rows[i].width == width) {
                printf("unsigned %s_decode%d(uint%d_t w, struct %s_insn *in);\n", prefix, width,
                       width, prefix);
                break;
            }
    printf("\n/* One macro a lifter, so that the definition of one that no row names fails. */\n");
    for (int i = 0; i < nrows; i++) {
        if (!first_use(i))
            continue;
        printf("%s_lifter %s_lift_%s;\n#define ", prefix, prefix, rows[i].lifter);
        print_upper(prefix);
        printf("_HAS_%s 1\n", rows[i].lifter);
    }
    printf("\n#endif\n");
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "h") && strcmp(argv[1], "c"))) {
        fprintf(stderr, "usage: decodegen h|c TABLE\n");
        return 1;
    }
    file = argv[2];
    parse();
    check_overlaps();
    for (int i = 0; i < nrows; i++)
        rows[i].index = i + 1;
    if (argv[1][0] == 'h') {
        print_header();
        return 0;
    }
    printf("/* Generated by tools/decodegen.c from the table of %s instructions. */\n", prefix);
    printf("#include \"guest/%s/%s.h\"\n\n", prefix, prefix);
    printf(
        "#define bits(w, hi, lo) ((uint32_t)(w) >> (lo) & (UINT32_MAX >> (31 - (hi) + (lo))))\n\n");
    for (int i = 0; i < nshapes; i++)
        print_shape(&shapes[i]);
    print_decoder(16);
    print_decoder(32);
    printf("const struct %s_row %s_rows[] = {\n    {0},\n", prefix, prefix);
    for (int i = 0; i < nrows; i++) {
        const struct row *r = &rows[i];
        printf("    {\"%s\", \"%s\", \"%s\", %s_lift_%s, ", r->mnemonic, r->text, r->ext, prefix,
               r->lifter);
        print_arg(r);
        printf(", 0x%x, 0x%x, %d, %d},\n", r->mask, r->match, r->width, r->line);
    }
    printf("};\n");
    return 0;
}
