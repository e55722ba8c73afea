/* tests/guest/rv64/prog.c: see prog.h. The program's own code is assembled here by hand, so that
 * no cross compiler is needed. */
#include "tests/guest/rv64/prog.h"
#include "codecache/blocks.h"
#include "guest/rv64/rv64.h"
#include "interp/interp.h"
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA UINT64_C(0x20000000) /* a page for the signal stack's head, then scratch, results */
#define ACT (PROG_GP + 0x700)     /* struct sigaction, stack_t */
#define SS (PROG_GP + 0x740)
#define STATES (PROG_GP + 0x1000)
#define SIGSTACK UINT64_C(0x1ff00000)
#define SIGSTACKSZ 0x10000
#define COUNTER 0x7c0 /* from x3: times that the block will run again */
#define TRAPS offsetof(struct prog_result, traps)
#define FAULTS offsetof(struct prog_result, faults)

_Static_assert(offsetof(struct prog_result, x) == PROG_SCRATCH, "x3 points at the results");

struct prog {
    uint32_t *text; /* the program so far */
    size_t text_len, text_cap;
    struct prog_state *states;
    size_t nstates, cap;
    size_t out_at; /* offset of the routine that writes a result */
    size_t prologue_len;
    unsigned repeat;
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

/* ---- an assembler of a dozen instructions ---- */

static void put_bytes(struct prog *p, const void *bytes, size_t len)
{
    if (p->text_len + len > p->text_cap) {
        p->text_cap = 2 * (p->text_cap + len);
        p->text = realloc(p->text, p->text_cap);
        if (!p->text)
            die("out of memory");
    }
    memcpy((char *)p->text + p->text_len, bytes, len);
    p->text_len += len;
}

static void put(struct prog *p, uint32_t w)
{
    put_bytes(p, &w, 4);
}

static uint32_t itype(unsigned op, unsigned f3, unsigned rd, unsigned rs1, int imm)
{
    return op | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t stype(unsigned op, unsigned f3, unsigned rs2, unsigned rs1, int imm)
{
    return op | ((uint32_t)imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
           ((uint32_t)imm >> 5 & 127) << 25;
}

static uint32_t btype(unsigned f3, unsigned rs1, unsigned rs2, int imm)
{
    uint32_t i = (uint32_t)imm;
    return 0x63 | (i >> 11 & 1) << 7 | (i >> 1 & 15) << 8 | f3 << 12 | rs1 << 15 | rs2 << 20 |
           (i >> 5 & 63) << 25 | (i >> 12 & 1) << 31;
}

static uint32_t jal(unsigned rd, int imm)
{
    uint32_t i = (uint32_t)imm;
    return 0x6f | rd << 7 | (i >> 12 & 255) << 12 | (i >> 11 & 1) << 20 | (i >> 1 & 1023) << 21 |
           (i >> 20 & 1) << 31;
}

#define ADDI(rd, rs, imm) itype(0x13, 0, rd, rs, imm)
#define LD(rd, imm, rs) itype(0x03, 3, rd, rs, imm)
#define FLD(rd, imm, rs) itype(0x07, 3, rd, rs, imm)
#define SD(rt, imm, rs) stype(0x23, 3, rt, rs, imm)
#define FSD(rt, imm, rs) stype(0x27, 3, rt, rs, imm)
#define ECALL 0x73u

static void put_li(struct prog *p, unsigned rd, uint64_t v) /* 31 bits */
{
    uint32_t hi = ((uint32_t)v + 0x800) & 0xfffff000;
    put(p, 0x37 | rd << 7 | hi);
    put(p, itype(0x1b, 0, rd, rd, (int)((uint32_t)v - hi)));
}

static void put_call(struct prog *p, unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3)
{
    put_li(p, 10, a0);
    put_li(p, 11, a1);
    put_li(p, 12, a2);
    put_li(p, 13, a3);
    put_li(p, 17, nr);
    put(p, ECALL);
}

struct prog *prog_new(unsigned repeat)
{
    struct prog *p = calloc(1, sizeof *p);
    p->repeat = repeat;
    /* The handler: counts, steps over the instruction, returns through the trampoline. */
    put(p, itype(0x03, 3, 6, 12, 176)); /* ld t1, 176(a2): uc_mcontext's pc */
    put(p, itype(0x03, 5, 7, 6, 0));    /* lhu t2, 0(t1) */
    put(p, itype(0x13, 7, 7, 7, 3));    /* andi t2, t2, 3 */
    put(p, ADDI(28, 0, 3));
    put(p, ADDI(6, 6, 2));
    put(p, btype(1, 7, 28, 8)); /* bne t2, t3, . + 8 */
    put(p, ADDI(6, 6, 2));
    put(p, SD(6, 176, 12));
    put_li(p, 5, PROG_GP);
    put(p, LD(6, TRAPS - PROG_SCRATCH, 5));
    put(p, ADDI(6, 6, 1));
    put(p, SD(6, TRAPS - PROG_SCRATCH, 5));
    put(p, LD(6, FAULTS - PROG_SCRATCH, 5));
    put(p, itype(0x13, 1, 7, 6, 2)); /* slli t2, t1, 2 */
    put(p, 0x00730333);              /* add t1, t1, t2 */
    put(p, LD(7, 16, 11));           /* si_addr */
    put(p, 0x00730333);
    put(p, itype(0x03, 2, 7, 11, 8)); /* lw t2, 8(a1): si_code */
    put(p, itype(0x13, 1, 7, 7, 8));
    put(p, 0x00730333);
    put(p, 0x00a30333); /* add t1, t1, a0 */
    put(p, SD(6, FAULTS - PROG_SCRATCH, 5));
    put(p, itype(0x67, 0, 0, 1, 0)); /* ret */
    p->out_at = p->text_len;
    put(p, ADDI(17, 0, 64)); /* write(1, ...) */
    put(p, ADDI(10, 0, 1));
    put(p, ADDI(11, 3, -PROG_SCRATCH));
    put(p, ADDI(12, 0, sizeof(struct prog_result)));
    put(p, ECALL);
    put(p, itype(0x67, 0, 0, 1, 0));
    return p;
}

void prog_free(struct prog *p)
{
    free(p->text);
    free(p->states);
    free(p);
}

void prog_default_state(struct prog_state *s)
{
    uint64_t v = UINT64_C(0x123456789abcdef);
    for (unsigned i = 0; i < PROG_SCRATCH / 8; i++)
        s->scratch[i] = v = v * UINT64_C(6364136223846793005) + 1;
    for (unsigned i = 0; i < 32; i++) {
        s->x[i] = v = v * UINT64_C(6364136223846793005) + 1;
        s->f[i] = UINT64_C(0x4000000000000000) | i << 12;
    }
    s->fcsr = 0;
}

static uint64_t start_pc(const struct prog *p)
{
    return PROG_TEXT + p->out_at + 24;
}

static void put_start(struct prog *p)
{
    put_call(p, 132, SS, 0, 0, 0);              /* sigaltstack */
    static const int signals[] = {4, 5, 7, 11}; /* SIGILL, SIGTRAP, SIGBUS, SIGSEGV */
    for (int i = 0; i < 4; i++)
        put_call(p, 134, (uint64_t)signals[i], ACT, 0, 8); /* rt_sigaction */
}

static void put_prologue(struct prog *p, uint64_t state)
{
    put_li(p, 3, PROG_GP);
    put_li(p, 5, state);
    put(p, ADDI(7, 3, -PROG_SCRATCH));
    put(p, LD(6, 0, 5));
    put(p, SD(6, 0, 7));
    put(p, ADDI(5, 5, 8));
    put(p, ADDI(7, 7, 8));
    put(p, btype(1, 7, 3, -16));
    int at = 0; /* x5 is at .fcsr now */
    put(p, LD(6, at, 5));
    put(p, itype(0x73, 1, 0, 6, 3)); /* csrrw zero, fcsr, t1 */
    put(p, SD(0, TRAPS - PROG_SCRATCH, 3));
    put(p, SD(0, FAULTS - PROG_SCRATCH, 3));
    put(p, 0x1832b02f); /* sc.d zero, gp, (t0): drops a reservation, always fails */
    for (int i = 0; i < 32; i++)
        put(p, FLD((unsigned)i, at += 8, 5));
    at += 8;
    for (unsigned i = 1; i < 32; i++)
        if (i != 3 && i != 5)
            put(p, LD(i, at + 8 * (int)i, 5));
    put(p, LD(5, at + 8 * 5, 5));
}

/* `again` is the offset of the block's prologue. */
static void put_epilogue(struct prog *p, size_t again)
{
    int at = 0;
    for (unsigned i = 1; i < 32; i++, at += 8)
        put(p, SD(i, at, 3));
    for (unsigned i = 0; i < 32; i++, at += 8)
        put(p, FSD(i, at, 3));
    put(p, itype(0x73, 2, 6, 0, 3)); /* csrrs t1, fcsr, zero */
    put(p, SD(6, at, 3));
    if (p->repeat > 1) {
        put(p, LD(6, COUNTER, 3));
        put(p, ADDI(6, 6, -1));
        put(p, SD(6, COUNTER, 3));
        put(p, btype(5, 0, 6, 8)); /* bge zero, t1, . + 8 */
        put(p, jal(0, (int)again - (int)p->text_len));
    }
    put(p, jal(1, (int)p->out_at - (int)p->text_len));
}

uint64_t prog_next_pc(struct prog *p)
{
    if (!p->prologue_len) {
        put_start(p);
        size_t before = p->text_len;
        put_prologue(p, STATES);
        p->prologue_len = p->text_len - before + (p->repeat > 1 ? 5 * 4 : 0);
        p->text_len = before;
    }
    return PROG_TEXT + p->text_len + p->prologue_len;
}

void prog_add(struct prog *p, const struct prog_state *state, const void *code, size_t len)
{
    prog_next_pc(p);
    if (p->nstates == p->cap) {
        p->cap = 2 * p->cap + 16;
        p->states = realloc(p->states, p->cap * sizeof *p->states);
        if (!p->states)
            die("out of memory");
    }
    if (p->repeat > 1) {
        put_li(p, 3, PROG_GP);
        put_li(p, 6, p->repeat);
        put(p, SD(6, COUNTER, 3));
    }
    size_t again = p->text_len;
    put_prologue(p, STATES + p->nstates * sizeof *state);
    p->states[p->nstates++] = *state;
    put_bytes(p, code, len);
    if (p->text_len % 4) {
        uint16_t nop = 1;
        put_bytes(p, &nop, 2);
    }
    put_epilogue(p, again);
}

/* Text with the final exit, and the data before the states. */
static size_t finish_text(struct prog *p, uint32_t **text)
{
    size_t len = p->text_len;
    put_call(p, 94, 0, 0, 0, 0); /* exit_group */
    size_t whole = p->text_len;
    p->text_len = len;
    *text = p->text;
    return whole;
}

static void fill_data(unsigned char *data)
{
    memset(data, 0, STATES - DATA);
    uint64_t act[3] = {PROG_TEXT, 4 | 0x08000000, 0}; /* SA_SIGINFO | SA_ONSTACK */
    uint64_t ss[3] = {SIGSTACK, 0, SIGSTACKSZ};
    memcpy(data + (ACT - DATA), act, sizeof act);
    memcpy(data + (SS - DATA), ss, sizeof ss);
}

void prog_write(struct prog *p, const char *path)
{
    uint32_t *text;
    size_t text_len = finish_text(p, &text);
    size_t data_len = STATES - DATA + p->nstates * sizeof *p->states;
    size_t data_off = (4096 + text_len + 4095) & ~(size_t)4095;
    static unsigned char data[STATES - DATA];
    fill_data(data);
    Elf64_Ehdr e = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_entry = start_pc(p),
        .e_phoff = sizeof e,
        .e_flags = 5,
        .e_ehsize = sizeof e,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 3,
    };
    Elf64_Phdr ph[3] = {
        {PT_LOAD, PF_R | PF_X, 4096, PROG_TEXT, PROG_TEXT, text_len, text_len, 4096},
        {PT_LOAD, PF_R | PF_W, 0, SIGSTACK, SIGSTACK, 0, SIGSTACKSZ, 4096},
        {PT_LOAD, PF_R | PF_W, data_off, DATA, DATA, data_len, data_len, 4096},
    };
    FILE *f = fopen(path, "w");
    if (!f)
        die("cannot write %s: %s", path, strerror(errno));
    fwrite(&e, sizeof e, 1, f);
    fwrite(ph, sizeof ph, 1, f);
    fseek(f, 4096, SEEK_SET);
    fwrite(text, text_len, 1, f);
    fseek(f, (long)data_off, SEEK_SET);
    fwrite(data, sizeof data, 1, f);
    fwrite(p->states, sizeof *p->states, p->nstates, f);
    if (ferror(f) | fclose(f))
        die("cannot write %s", path);
}

/* ---- running ---- */

static void *map_at(uint64_t addr, size_t len)
{
    void *m = mmap((void *)(uintptr_t)addr, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (m != (void *)(uintptr_t)addr)
        die("cannot map guest memory at %llx", (unsigned long long)addr);
    return m;
}

void prog_run_here(struct prog *p, struct prog_result *out)
{
    uint32_t *text;
    size_t text_len = finish_text(p, &text), done = 0;
    size_t data_len = STATES - DATA + p->nstates * sizeof *p->states;
    uint8_t *guest_text = map_at(PROG_TEXT, text_len);
    memcpy(guest_text, text, text_len);
    unsigned char *data = map_at(DATA, data_len);
    fill_data(data);
    memcpy(data + (STATES - DATA), p->states, p->nstates * sizeof *p->states);

    struct cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = &guest_rv64;
    for (size_t i = 0; i < 1 << CPU_JCACHE_BITS; i++)
        cpu->jcache[i].pc = CPU_EMPTY_PC(i);
    guest_rv64.cpu_start(cpu, start_pc(p), 0);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    for (bool ended = false; !ended;) {
        uint64_t pc = cpu->r[RV64_PC], off = pc - PROG_TEXT;
        if (off >= text_len)
            die("the program went to %llx", (unsigned long long)pc);
        struct block *b = cc_lookup(cpu, pc);
        if (!b) {
            b = lift_block(&guest_rv64, pc, guest_text + off, text_len - off, 0);
            unsigned where;
            const char *wrong = block_verify(b, guest_rv64.nslots, &where);
            if (wrong)
                die("block at %llx, micro-op %u: %s", (unsigned long long)pc, where, wrong);
            b = cc_insert(cpu, b);
        }
        struct interp_exit e = interp_run(cpu, b);
        pc = cpu->r[RV64_PC];
        unsigned len = pc - PROG_TEXT < text_len && (guest_text[pc - PROG_TEXT] & 3) != 3 ? 2 : 4;
        switch (e.reason) {
        case EXIT_BLOCK:
            continue;
        case EXIT_SYSCALL:
            if (cpu->r[RV64_A7] == 94)
                ended = true;
            else if (cpu->r[RV64_A7] == 64 && done < p->nstates)
                memcpy(&out[done++], data + (PROG_GP - PROG_SCRATCH - DATA), sizeof *out);
            else if (cpu->r[RV64_A7] > 1000)
                cpu->r[RV64_A0] = (uint64_t)-ENOSYS;
            break;
        case EXIT_ILLEGAL: /* SIGILL with ILL_ILLOPC */
        case EXIT_BREAK: { /* SIGTRAP with TRAP_BRKPT */
            struct prog_result *r = (void *)(data + (PROG_GP - PROG_SCRATCH - DATA));
            r->traps++;
            r->faults = 5 * r->faults + pc + 256 + (e.reason == EXIT_ILLEGAL ? 4 : 5);
            break;
        }
        case EXIT_ICACHE:
            break;
        default:
            die("the interpreter stopped at %llx for reason %d", (unsigned long long)pc, e.reason);
        }
        cpu->r[RV64_PC] = pc + len;
    }
    if (done != p->nstates)
        die("only %zu of %zu results", done, p->nstates);
    cc_invalidate(0, UINT64_MAX);
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
    munmap(guest_text, text_len);
    munmap(data, data_len);
}

int prog_run_by(struct prog *p, const char *command, struct prog_result *out)
{
    char path[] = "/tmp/dragoman-prog-XXXXXX", line[1024];
    int fd = mkstemp(path);
    if (fd < 0)
        die("cannot make a file in /tmp: %s", strerror(errno));
    fchmod(fd, 0700);
    close(fd);
    prog_write(p, path);
    snprintf(line, sizeof line, "%s %s", command, path);
    FILE *f = popen(line, "r");
    size_t n = f ? fread(out, sizeof *out, p->nstates, f) : 0;
    int status = f ? pclose(f) : -1;
    unlink(path);
    if (n == p->nstates && status == 0)
        return 0;
    fprintf(stderr, "'%s' gave %zu of %zu results, status %d\n", line, n, p->nstates,
            WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return -1;
}

const char *prog_word_name(unsigned n)
{
    static char buf[32];
    if (n < PROG_SCRATCH / 8)
        snprintf(buf, sizeof buf, "memory %d", (int)n * 8 - PROG_SCRATCH);
    else if ((n -= PROG_SCRATCH / 8) < 31)
        snprintf(buf, sizeof buf, "x%u %s", n + 1, rv64_slot_name(n + 1));
    else if ((n -= 31) < 32)
        snprintf(buf, sizeof buf, "f%u %s", n, rv64_slot_name(RV64_F0 + n));
    else
        return n == 32 ? "fcsr" : n == 33 ? "traps" : "faults";
    return buf;
}
