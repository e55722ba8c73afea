/* Single instructions with what they start from and what they must leave.
 *
 *   cases [FILE...]            through lifter and interpreter, in this process
 *   cases -o COMMAND [FILE...] by another emulator, which checks the cases themselves
 *
 * The files (cases.txt from the manual, cases-peer.txt recorded from another emulator) have a case a
 * line:    INSTRUCTION... | BEFORE... | AFTER...  # comment
 * Instructions are hexadecimal words of 4 or 8 digits; BEFORE and AFTER are NAME=VALUE, names x1..x31,
 * f0..f31, fcsr, traps, and m-512..m-8 for the 64-bit words of memory before x3; values hexadecimal,
 * or pc+N relative to the first instruction. What BEFORE does not name has the default state's value,
 * and what AFTER does not name must not change.
 *
 * Every row of the decode table must be reached by an instruction of some case.
 */
#include "guest/rv64/rv64.h"
#include "tests/guest/rv64/prog.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct test_case {
    const char *file;
    int line;
    struct prog_result want;
};

static struct test_case *cases;
static size_t ncases, cap;
static bool reached[RV64_NROWS];
static const char *file;
static int line;

static void die(const char *what, const char *where)
{
    fprintf(stderr, "%s:%d: %s: '%s'\n", file, line, what, where);
    exit(2);
}

/* Where NAME is kept, in a state or a result; NULL when there is no such thing in it. */
static uint64_t *place(const char *name, uint64_t *scratch, uint64_t *x1, uint64_t *f,
                       uint64_t *fcsr, uint64_t *traps)
{
    long n = strtol(name + 1, NULL, 10);
    if (!strcmp(name, "fcsr"))
        return fcsr;
    if (!strcmp(name, "traps"))
        return traps;
    if (name[0] == 'x' && n >= 1 && n < 32 && n != 3)
        return &x1[n - 1];
    if (name[0] == 'f' && n >= 0 && n < 32)
        return &f[n];
    if (name[0] == 'm' && n >= -PROG_SCRATCH && n <= -8 && n % 8 == 0)
        return &scratch[(n + PROG_SCRATCH) / 8];
    return NULL;
}

static void parse_line(struct prog *p, char *text)
{
    char *hash = strchr(text, '#');
    if (hash)
        *hash = 0;
    uint8_t code[64];
    size_t len = 0;
    int part = 0;
    uint64_t pc = prog_next_pc(p);
    struct prog_state s;
    prog_default_state(&s);
    struct prog_result want = {0};
    for (char *w = strtok(text, " \t\n"); w; w = strtok(NULL, " \t\n")) {
        if (!strcmp(w, "|")) {
            if (++part == 2) {
                memcpy(want.scratch, s.scratch, sizeof want.scratch);
                memcpy(want.x, &s.x[1], sizeof want.x);
                want.x[2] = PROG_GP;
                memcpy(want.f, s.f, sizeof want.f);
                want.fcsr = s.fcsr;
            }
            continue;
        }
        if (part == 0) {
            size_t n = strlen(w) / 2;
            char *end;
            uint32_t v = (uint32_t)strtoul(w, &end, 16);
            if (*end || (n != 2 && n != 4) || len + n > sizeof code)
                die("not an instruction", w);
            memcpy(code + len, &v, n);
            len += n;
            continue;
        }
        char *eq = strchr(w, '=');
        if (!eq)
            die("NAME=VALUE is expected", w);
        *eq++ = 0;
        uint64_t v =
            strncmp(eq, "pc+", 3) ? strtoull(eq, NULL, 16) : pc + strtoull(eq + 3, NULL, 16);
        uint64_t *at = part == 1 ? place(w, s.scratch, &s.x[1], s.f, &s.fcsr, NULL)
                                 : place(w, want.scratch, want.x, want.f, &want.fcsr, &want.traps);
        if (!at)
            die("no such register or memory", w);
        *at = v;
    }
    if (!len && !part)
        return;
    if (part != 2 || !len)
        die("a case has three parts", "");
    for (size_t at = 0; at < len;) {
        struct rv64_insn in;
        unsigned n = rv64_decode(&in, code + at, len - at);
        reached[in.row] = true;
        at += n ? n : len;
    }
    if (ncases == cap) {
        cap = 2 * cap + 256;
        cases = realloc(cases, cap * sizeof *cases);
    }
    cases[ncases++] = (struct test_case){file, line, want};
    prog_add(p, &s, code, len);
}

static void read_file(struct prog *p, const char *path)
{
    char buf[4096];
    FILE *f = fopen(path, "r");
    file = path;
    line = 0;
    if (!f)
        die("cannot open", strerror(errno));
    while (fgets(buf, sizeof buf, f)) {
        line++;
        parse_line(p, buf);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    const char *command = NULL;
    int at = 1;
    if (argc > 2 && !strcmp(argv[1], "-o")) {
        command = argv[2];
        at = 3;
    }
    struct prog *p = prog_new(1);
    if (at == argc) {
        const char *names[] = {"cases.txt", "cases-peer.txt"};
        const char *top = getenv("top_srcdir");
        for (int i = 0; i < 2; i++) {
            char *path = malloc(4096);
            snprintf(path, 4096, "%s/tests/guest/rv64/%s", top ? top : ".", names[i]);
            read_file(p, path);
        }
    }
    for (; at < argc; at++)
        read_file(p, argv[at]);

    struct prog_result *got = calloc(ncases, sizeof *got);
    if (!command)
        prog_run_here(p, got);
    else if (prog_run_by(p, command, got))
        return 2;
    unsigned failed = 0, unreached = 0;
    for (size_t i = 0; i < ncases; i++) {
        got[i].faults = 0; /* random.c compares it */
        if (!memcmp(&got[i], &cases[i].want, sizeof *got))
            continue;
        failed++;
        const uint64_t *g = (const uint64_t *)&got[i], *w = (const uint64_t *)&cases[i].want;
        for (unsigned n = 0; n < sizeof *got / 8; n++)
            if (g[n] != w[n])
                printf("%s:%d: %s is %llx, not %llx\n", cases[i].file, cases[i].line,
                       prog_word_name(n), (unsigned long long)g[n], (unsigned long long)w[n]);
    }
    for (unsigned row = 1; row < RV64_NROWS; row++) {
        if (!reached[row]) {
            unreached++;
            printf("rv64.decode:%d: no case for %s\n", rv64_rows[row].line,
                   rv64_rows[row].mnemonic);
        }
    }
    printf("%zu cases, %u failed; %d rows, %u without a case\n", ncases, failed, RV64_NROWS - 1,
           unreached);
    prog_free(p);
    return failed || unreached;
}
