/* What guest_rv64 says about itself, its signal frame and vdso, and what lifting says beyond values.
 * Expected numbers are the kernel's (its uapi headers for riscv, Documentation/arch/riscv) and the
 * unprivileged manual's. */
#include "tests/unit.h"

#include "guest/rv64/rv64.h"
#include "guest/rv64/vdso_image.h"
#include "uop/fp.h"
#include <ctype.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void found_by_elf_and_name(void **state)
{
    (void)state;
    assert_ptr_equal(guest_by_elf(243), &guest_rv64);
    assert_null(guest_by_elf(0));
    assert_ptr_equal(guest_by_name("riscv64"), &guest_rv64);
    assert_null(guest_by_name("riscv32"));
}

/* A row belongs to a letter or to an advertised extension, and no extension is without rows. */
static void extensions_have_rows(void **state)
{
    (void)state;
    /* Parts of others: Zfhmin of Zfh, Zca and Zcd of C, Zicntr's registers of Zicsr's rows. */
    static const char *const parts[] = {"zfhmin", "zca", "zcd", "zicntr", NULL};
    for (unsigned i = 1; i < RV64_NROWS; i++) {
        const char *ext = rv64_rows[i].ext;
        bool ok = strlen(ext) == 1 ? strchr("IMAFDC", ext[0]) != NULL : !strcmp(ext, "Priv");
        bool refused = rv64_rows[i].lift == rv64_lift_illegal;
        for (const struct rv64_ext *e = rv64_exts; e->name; e++)
            ok |= !strcasecmp(e->name, ext);
        if (!ok && !refused)
            fail_msg("line %d: extension %s is not advertised", rv64_rows[i].line, ext);
    }
    for (const struct rv64_ext *e = rv64_exts; e->name; e++) {
        bool ok = false;
        for (const char *const *p = parts; *p; p++)
            ok |= !strcmp(*p, e->name);
        for (unsigned i = 1; i < RV64_NROWS; i++)
            ok |= !strcasecmp(e->name, rv64_rows[i].ext);
        if (!ok)
            fail_msg("%s is advertised and has no rows", e->name);
    }
}

static void hardware_description(void **state)
{
    (void)state;
    bool known;
    assert_int_equal(guest_rv64.hwcap, 0x112d); /* A C D F I M */
    assert_int_equal(guest_rv64.hwprobe(3, &known), 1);
    uint64_t bits = guest_rv64.hwprobe(4, &known);
    assert_true(known);
    /* FD C ZBA ZBB ZBS ZICBOZ; ZFH ZFHMIN ZIHINTNTL; ZFA ZACAS ZICOND ZIHINTPAUSE; ZIMOP ZCA ZCB ZCD
     * ZCMOP ZAWRS */
    assert_int_equal(bits & 0x3ffffff, 0x7b);
    assert_int_equal(bits >> 26 & 0x3f, 0xe);
    assert_int_equal(bits >> 32 & 0x3ff, 0x1d);
    assert_int_equal(bits >> 42, 0x6f);
    assert_int_equal(guest_rv64.hwprobe(5, &known), 3);
    assert_int_equal(guest_rv64.hwprobe(6, &known), 64);
    assert_int_equal(guest_rv64.hwprobe(8, &known), 1000000000);
    assert_int_equal(guest_rv64.hwprobe(9, &known), 3);
    guest_rv64.hwprobe(1000, &known);
    assert_false(known);

    char text[4096];
    size_t len = guest_rv64.cpuinfo(text, sizeof text, 2);
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "processor\t: 1\nhart\t\t: 1\nisa\t\t: rv64imafdc_zic"));
    assert_non_null(strstr(text, "\nmmu\t\t: sv48\n"));
    /* Canonical order: by the letter after z in the order of single letters, then by alphabet. */
    static const char order[] = "imafdqcbvh";
    for (const struct rv64_ext *e = rv64_exts; e[1].name; e++) {
        const char *a = strchr(order, e[0].name[1]), *b = strchr(order, e[1].name[1]);
        assert_true(a < b || (a == b && strcmp(e[0].name, e[1].name) < 0));
    }
    assert_true(guest_rv64.cpuinfo(text, 10, 100) > 10); /* a short buffer is not overrun */
}

static struct cpu *new_cpu(void)
{
    struct cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    guest_rv64.cpu_reset(cpu);
    return cpu;
}

static void signal_frame(void **state)
{
    (void)state;
    struct cpu *cpu = new_cpu();
    for (unsigned i = 1; i < 32; i++)
        cpu->r[i] = 0x100 + i;
    cpu->r[RV64_PC] = 0x5000;
    for (unsigned i = 0; i < 32; i++)
        cpu->r[RV64_F0 + i] = 0xf00 + i;
    cpu->r[RV64_FRM] = FP_RUP;
    fp_env_set_mode(cpu, FP_RUP);
    fp_env_set_flags(cpu, FP_NX | FP_DZ);
    siginfo_t info = {.si_signo = SIGUSR1};
    struct sigframe_in in = {
        .signo = SIGUSR1,
        .info = &info,
        .handler = 0x6000,
        .restorer = 0x7000,
        .mask = 0x1234,
        .altstack = {.ss_sp = (void *)0x8000, .ss_flags = 2, .ss_size = 0x9000},
        .sp = 0x10008,
    };
    unsigned char *buf = malloc(guest_rv64.sigframe_max);
    uint64_t sp, word;
    size_t size = guest_rv64.sigframe_build(cpu, &in, buf, &sp);
    assert_int_equal(size, 1088);
    assert_int_equal(guest_rv64.sigframe_size(), size);
    assert_int_equal(guest_rv64.sigframe_max, size);
    assert_int_equal(sp, (0x10008 - 1088) & ~15);
    assert_int_equal(cpu->r[RV64_SP], sp);
    assert_int_equal(cpu->r[RV64_PC], 0x6000);
    assert_int_equal(cpu->r[RV64_RA], 0x7000);
    assert_int_equal(cpu->r[RV64_A0], SIGUSR1);
    assert_int_equal(cpu->r[RV64_A0 + 1], sp);
    assert_int_equal(cpu->r[RV64_A0 + 2], sp + 128);
#define WORD(offset) (memcpy(&word, buf + (offset), 8), word)
    assert_int_equal(WORD(0) & 0xffffffff, SIGUSR1);
    assert_int_equal(WORD(128 + 16), 0x8000);            /* uc_stack */
    assert_int_equal(WORD(128 + 40), 0x1234);            /* uc_sigmask */
    assert_int_equal(WORD(128 + 176), 0x5000);           /* pc */
    assert_int_equal(WORD(128 + 176 + 8 * 31), 0x11f);   /* x31 */
    assert_int_equal(WORD(128 + 176 + 256), 0xf00);      /* f0 */
    assert_int_equal(WORD(128 + 176 + 512), 3 << 5 | 9); /* fcsr */

    struct cpu *back = new_cpu();
    uint64_t mask;
    stack_t ss;
    assert_int_equal(guest_rv64.sigframe_parse(back, buf, size, &mask, &ss), 0);
    assert_int_equal(mask, 0x1234);
    assert_int_equal(ss.ss_size, 0x9000);
    assert_int_equal(back->r[RV64_PC], 0x5000);
    assert_int_equal(back->r[RV64_SP], 0x102);
    assert_int_equal(back->r[31], 0x11f);
    assert_int_equal(back->r[0], 0);
    assert_int_equal(back->r[RV64_F0 + 31], 0xf1f);
    assert_int_equal(back->r[RV64_FRM], FP_RUP);
    assert_int_equal(back->frm, FP_RUP);
    assert_int_equal(fp_env_flags(back), FP_NX | FP_DZ);

    assert_int_equal(guest_rv64.sigframe_parse(back, buf, size - 1, &mask, &ss), -1);
    buf[128 + 176 + 256 + 516] = 1; /* reserved */
    assert_int_equal(guest_rv64.sigframe_parse(back, buf, size, &mask, &ss), -1);
    free(buf);
    free(cpu);
    free(back);
}

/* System V ABI, "Hash Table". */
static uint32_t elf_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (unsigned char)*s;
        h = (h ^ (h & 0xf0000000) >> 24) & 0x0fffffff;
    }
    return h;
}

/* Look a function up as a C library does: DT_HASH, and a version by its own hash. */
static const Elf64_Sym *vdso_symbol(const unsigned char *image, const char *name)
{
    const Elf64_Ehdr *eh = (const void *)image;
    const Elf64_Phdr *ph = (const void *)(image + eh->e_phoff);
    const Elf64_Dyn *dyn = NULL;
    uint64_t tag[64] = {0}, versym = 0, verdef = 0;

    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_DYNAMIC)
            dyn = (const void *)(image + ph[i].p_vaddr);
    assert_non_null(dyn);
    for (; dyn->d_tag; dyn++) {
        if (dyn->d_tag < 64)
            tag[dyn->d_tag] = dyn->d_un.d_val;
        versym = dyn->d_tag == DT_VERSYM ? dyn->d_un.d_val : versym;
        verdef = dyn->d_tag == DT_VERDEF ? dyn->d_un.d_val : verdef;
    }
    const uint32_t *hash = (const void *)(image + tag[DT_HASH]);
    const Elf64_Sym *sym = (const void *)(image + tag[DT_SYMTAB]);
    const char *str = (const char *)image + tag[DT_STRTAB];
    assert_string_equal(str + tag[DT_SONAME], "linux-vdso.so.1");
    for (uint32_t i = hash[2 + elf_hash(name) % hash[0]]; i; i = hash[2 + hash[0] + i]) {
        if (strcmp(str + sym[i].st_name, name))
            continue;
        uint16_t version = ((const uint16_t *)(image + versym))[i];
        const unsigned char *d = image + verdef;
        for (;;) {
            const Elf64_Verdef *def = (const void *)d;
            const Elf64_Verdaux *aux = (const void *)(d + def->vd_aux);
            if (def->vd_ndx == version) {
                assert_string_equal(str + aux->vda_name, "LINUX_4.15");
                assert_int_equal(def->vd_hash, elf_hash("LINUX_4.15"));
                return &sym[i];
            }
            assert_int_not_equal(def->vd_next, 0);
            d += def->vd_next;
        }
    }
    return NULL;
}

static void vdso(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned nr; /* asm-generic/unistd.h */
    } functions[] = {
        {"__vdso_rt_sigreturn", 139}, {"__vdso_clock_gettime", 113}, {"__vdso_clock_getres", 114},
        {"__vdso_getcpu", 168},       {"__vdso_gettimeofday", 169},  {"__vdso_riscv_hwprobe", 258},
        {"__vdso_flush_icache", 259},
    };
    const unsigned char *image = guest_rv64.vdso_image;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        /* li a7, nr; ecall somewhere in it: the clocks that the host's vdso has do without */
        const uint32_t code[] = {functions[i].nr << 20 | 0x893, 0x73};
        const Elf64_Sym *s = vdso_symbol(image, functions[i].name);
        assert_non_null(s);
        assert_true(s->st_value + s->st_size <= guest_rv64.vdso_size);
        assert_non_null(memmem(image + s->st_value, s->st_size, code, sizeof code));
    }
    assert_int_equal(guest_rv64.vdso_sigreturn,
                     vdso_symbol(image, "__vdso_rt_sigreturn")->st_value);
}

static struct block *lift(const uint32_t *code, size_t len)
{
    struct block *b = lift_block(&guest_rv64, 0x1000, (const uint8_t *)code, len, 0);
    unsigned where;
    assert_non_null(b);
    assert_null(block_verify(b, guest_rv64.nslots, &where));
    return b;
}

/* The manual's table of return-address stack hints for jalr, and jal. */
static void call_and_return_hints(void **state)
{
    (void)state;
    static const struct {
        uint32_t insn;
        enum uop_code op;
        enum uop_jump hint;
    } rows[] = {
        {0x008000ef, UOP_jmp, JUMP_CALL},      /* jal ra */
        {0x008002ef, UOP_jmp, JUMP_CALL},      /* jal t0 */
        {0x0080006f, UOP_jmp, JUMP_PLAIN},     /* jal zero */
        {0x00008067, UOP_jmp_ind, JUMP_RET},   /* jalr zero, 0(ra) */
        {0x00028067, UOP_jmp_ind, JUMP_RET},   /* jalr zero, 0(t0) */
        {0x00050067, UOP_jmp_ind, JUMP_PLAIN}, /* jalr zero, 0(a0) */
        {0x000500e7, UOP_jmp_ind, JUMP_CALL},  /* jalr ra, 0(a0) */
        {0x000080e7, UOP_jmp_ind, JUMP_CALL},  /* jalr ra, 0(ra) */
        {0x000282e7, UOP_jmp_ind, JUMP_CALL},  /* jalr t0, 0(t0) */
        {0x8082, UOP_jmp_ind, JUMP_RET},       /* c.jr ra */
        {0x9002, UOP_exit, 0},                 /* c.ebreak */
        {0x9082, UOP_jmp_ind, JUMP_CALL},      /* c.jalr ra */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct block *b = lift(&rows[i].insn, 4);
        const struct uop *u = &b->uops[b->nuops - 1];
        assert_int_equal(u->op, rows[i].op);
        assert_int_equal(u->c, rows[i].hint);
        block_free(b);
    }
}

/* A host fence only where a store must come before a load. */
static void fences(void **state)
{
    (void)state;
    static const uint32_t insns[][2] = {
        {0x0ff0000f, 1}, /* fence iorw, iorw */
        {0x0330000f, 1}, /* fence rw, rw */
        {0x0120000f, 1}, /* fence w, r */
        {0x0480000f, 1}, /* fence o, i */
        {0x0230000f, 0}, /* fence r, rw */
        {0x0310000f, 0}, /* fence rw, w */
        {0x0110000f, 0}, /* fence w, w */
        {0x8330000f, 0}, /* fence.tso */
    };
    for (size_t i = 0; i < sizeof insns / sizeof insns[0]; i++) {
        struct block *b = lift(insns[i], 4);
        assert_int_equal(b->uops[0].op, UOP_fence);
        assert_int_equal(b->uops[0].imm, insns[i][1]);
        block_free(b);
    }
}

/* What is cut off or too long; blocks end where the bytes do. */
static void lengths(void **state)
{
    (void)state;
    static const uint8_t addi[] = {0x13, 0x05, 0x15, 0x00, 0x13, 0x05};
    struct rv64_insn in;
    assert_int_equal(rv64_decode(&in, addi, 1), 0);
    assert_int_equal(rv64_decode(&in, addi, 2), 0);
    assert_int_equal(rv64_decode(&in, addi, 3), 0);
    assert_int_equal(rv64_decode(&in, addi, 4), 4);
    static const uint8_t nop[] = {0x01, 0x00};
    assert_int_equal(rv64_decode(&in, nop, 2), 2);
    static const uint8_t long48[6] = {0x1f}, long64[8] = {0x3f}, long80[10] = {0x7f};
    assert_int_equal(rv64_decode(&in, long48, 6), 6);
    assert_int_equal(in.row, 0);
    assert_int_equal(rv64_decode(&in, long64, 8), 8);
    assert_int_equal(rv64_decode(&in, long80, 10), 10);
    assert_null(lift_block(&guest_rv64, 0x1000, addi, 2, 0));
    struct block *b = lift_block(&guest_rv64, 0x1000, addi, 6, 0);
    assert_int_equal(b->len, 4);
    assert_int_equal(b->uops[b->nuops - 1].op, UOP_jmp);
    assert_int_equal(b->uops[b->nuops - 1].imm, 0x1004);
    block_free(b);
}

/* Every encoding that is not in the table leaves by EXIT_ILLEGAL, alone. */
static void undefined(void **state)
{
    (void)state;
    static const uint32_t words[] = {0x00000000, 0xffffffff, 0x0000707b, 0x00002057 /* vector */,
                                     0xffff001f};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t code[6] = {words[i], words[i]};
        struct block *b = lift(code, sizeof code);
        assert_int_equal(b->nuops, 1);
        assert_int_equal(b->uops[0].op, UOP_exit);
        assert_int_equal(b->uops[0].imm, EXIT_ILLEGAL);
        block_free(b);
    }
}

/* Whatever the bytes, the block that comes out keeps the verifier's rules and never writes x0. */
static void all_blocks_verify(void **state)
{
    (void)state;
    uint64_t rng = 1;
    for (unsigned n = 0; n < 65536 + 400000; n++) {
        uint32_t w[2] = {n, 0};
        if (n >= 65536) {
            rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const struct rv64_row *r = &rv64_rows[1 + (rng >> 33) % (RV64_NROWS - 1)];
            w[0] = ((uint32_t)(rng >> 20) & ~r->mask) | r->match;
        } else if ((n & 3) == 3) {
            continue;
        }
        struct block *b = lift_block(&guest_rv64, UINT64_C(0x7ffffffffffe), (uint8_t *)w, 4, 1);
        unsigned where;
        const char *wrong = block_verify(b, guest_rv64.nslots, &where);
        for (where = 0; !wrong && where < b->nuops; where++)
            if (uop_info[b->uops[where].op].d != UOP_K_N && b->uops[where].d == RV64_X0)
                wrong = "x0 written";
        if (wrong)
            fail_msg("%08x: %s", w[0], wrong);
        block_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_elf_and_name),
        cmocka_unit_test(extensions_have_rows),
        cmocka_unit_test(hardware_description),
        cmocka_unit_test(signal_frame),
        cmocka_unit_test(vdso),
        cmocka_unit_test(call_and_return_hints),
        cmocka_unit_test(fences),
        cmocka_unit_test(lengths),
        cmocka_unit_test(undefined),
        cmocka_unit_test(all_blocks_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
