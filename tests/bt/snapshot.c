/* Host code that the translator makes of the functions of a guest's program: for snapshot.tap.
 *
 *   snapshot GUEST PROGRAM    writes to standard error (where the log goes), for each global function of the static ELF file PROGRAM in order
 *                             of address, its guest code and the host code of its head's unit
 *
 * A name's end says the level: "_1" or "_2". Profile: a backward branch is taken nine times in ten, a forward one
 * once. The host's features are those of x86-64-v3, the vector extensions that this level has not are off, so that the text does not depend on
 * the machine. Code is shown as the translator hands it over: links lead to their own stubs, fields that are relocated are
 * as drafted.
 */
#include "base/log.h"
#include "bt/bt.h"
#include "codecache/blocks.h"
#include "guest/lift.h"
#include "host/x64/disasm.h"
#include "host/x64/features.h"
#include "uop/fp.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMES = 1000, MAX_FUNCTIONS = 200 };

struct function {
    uint64_t pc, end;
    const char *name;
};

static struct function functions[MAX_FUNCTIONS];
static unsigned nfunctions;
static const uint8_t *text;
static uint64_t text_pc, text_len;
static struct cpu *cpu;

static void give_up(const char *what)
{
    fprintf(stderr, "snapshot: %s\n", what);
    exit(1);
}

static int by_pc(const void *a, const void *b)
{
    const struct function *f = a, *g = b;
    return f->pc < g->pc ? -1 : f->pc > g->pc;
}

static void read_program(Elf *elf)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr sh;
    size_t names;
    if (elf_getshdrstrndx(elf, &names))
        give_up("not an ELF file");
    while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &sh)) {
        Elf_Data *data = elf_getdata(scn, NULL);
        if (sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_EXECINSTR) {
            text = data->d_buf;
            text_pc = sh.sh_addr;
            text_len = data->d_size;
        }
        for (int i = 0; sh.sh_type == SHT_SYMTAB && i < (int)(sh.sh_size / sh.sh_entsize); i++) {
            GElf_Sym sym;
            if (gelf_getsym(data, i, &sym) && GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
                nfunctions < MAX_FUNCTIONS)
                functions[nfunctions++] = (struct function){
                    .pc = sym.st_value, .name = elf_strptr(elf, sh.sh_link, sym.st_name)};
        }
    }
    if (!text || !nfunctions)
        give_up("no code, or no functions");
    qsort(functions, nfunctions, sizeof functions[0], by_pc);
    for (unsigned i = 0; i < nfunctions; i++)
        functions[i].end = i + 1 < nfunctions ? functions[i + 1].pc : text_pc + text_len;
}

static void show_guest(const struct function *f)
{
    log_printf("== %s\n", f->name);
    for (uint64_t pc = f->pc; pc < f->end;) {
        char line[192];
        unsigned len =
            cpu->guest->disasm(line, sizeof line, text + (pc - text_pc), f->end - pc, pc);
        if (!len)
            break;
        log_printf("%8llx  %s\n", (unsigned long long)(pc - f->pc), line);
        pc += len;
    }
}

/* The blocks that can be reached without an indirect jump, with their profile. */
static void insert_from(uint64_t pc)
{
    if (pc < text_pc || pc >= text_pc + text_len || cc_lookup(cpu, pc))
        return;
    struct block *b =
        lift_block(cpu->guest, pc, text + (pc - text_pc), text_pc + text_len - pc, BLOCK_MAX_INSNS);
    if (!b)
        give_up("code that cannot be lifted");
    const struct uop *end = &b->uops[b->nuops - 1];
    bool branch = uop_info[end->op].flags & UOP_F_BRANCH;
    b->count = TIMES;
    if (branch)
        b->taken = (uint64_t)end->imm <= pc ? TIMES / 10 * 9 : TIMES / 10;
    b = cc_insert(cpu, b);
    if (branch || (end->op == UOP_jmp && end->c == JUMP_CALL))
        insert_from(b->pc + b->len);
    if (branch || end->op == UOP_jmp)
        insert_from((uint64_t)end->imm);
}

static void show(const struct function *f)
{
    size_t n = strlen(f->name);
    int level = f->name[n - 1] - '0';
    if (n < 3 || f->name[n - 2] != '_' || level < 1 || level > 2)
        give_up("a function's name does not end in _1 or _2");
    show_guest(f);
    insert_from(f->pc);
    if (!bt_compile(cpu, cc_lookup(cpu, f->pc), level))
        log_printf("refused\n");
    cc_unit_invalidate(0, UINT64_MAX);
    cc_invalidate(0, UINT64_MAX);
    cc_quiesce(cpu);
}

int main(int argc, char **argv)
{
    const char *bad = NULL;
    if (argc != 3 || !guest_by_name(argv[1]))
        give_up("usage: snapshot GUEST PROGRAM");
    if (!x64_disasm_available())
        return 77;
    if (!x64_features_init("x86-64-v3", &bad))
        give_up("x86-64-v3 is not a set of features");
    if (x64_features() != (x64_features_cpu() & x64_features()) ||
        !(x64_features() & X64_FBIT(X64_F_BMI2)))
        return 77;
    int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    if (!elf)
        give_up("the program cannot be read");
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = guest_by_name(argv[1]);
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    read_program(elf);
    log_enable_one(LOG_OUT_ASM);
    log_printf("disassembler %#x\n", x64_disasm_version());
    for (unsigned i = 0; i < nfunctions; i++)
        show(&functions[i]);
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
    elf_end(elf);
    close(fd);
    return 0;
}
