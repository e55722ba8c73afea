/* guest/rv64/vdso.c: the contents of the guest's vdso image.
 *
 * The image is one read-and-execute segment at address 0, its dynamic section included: symbols are
 * looked up through DT_HASH and the version. rt_sigreturn is, to the instruction, the sequence by
 * which unwinders recognise a signal frame.
 *
 * Threading: immutable data.
 */
#include "guest/rv64/vdso.h"

#define AT(member) offsetof(struct rv64_vdso, member)
#define STR(name) (AT(str.name) - AT(str))

#define INSN_LI_A7(nr) ((uint32_t)(nr) << 20 | 0x893)
#define INSN_ECALL 0x73
#define INSN_RET 0x8067

#define HASH_SONAME 0xdeebfa1 /* System V hash of the names in vdso.h */
#define HASH_VERSION 0xae77f75

_Alignas(4096) const struct rv64_vdso rv64_vdso = {
    .ehdr =
        {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_DYN,
            .e_machine = EM_RISCV,
            .e_version = EV_CURRENT,
            .e_phoff = AT(phdr),
            .e_flags = 5, /* EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE */
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 2,
            .e_shentsize = sizeof(Elf64_Shdr),
        },
    .phdr =
        {
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_filesz = sizeof(struct rv64_vdso),
                .p_memsz = sizeof(struct rv64_vdso),
                .p_align = 4096,
            },
            {
                .p_type = PT_DYNAMIC,
                .p_flags = PF_R,
                .p_offset = AT(dyn),
                .p_vaddr = AT(dyn),
                .p_paddr = AT(dyn),
                .p_filesz = sizeof rv64_vdso.dyn,
                .p_memsz = sizeof rv64_vdso.dyn,
                .p_align = 8,
            },
        },
    .dyn =
        {
            {DT_SONAME, {STR(soname)}},
            {DT_HASH, {AT(hash)}},
            {DT_STRTAB, {AT(str)}},
            {DT_SYMTAB, {AT(sym)}},
            {DT_STRSZ, {sizeof rv64_vdso.str}},
            {DT_SYMENT, {sizeof(Elf64_Sym)}},
            {DT_VERSYM, {AT(versym)}},
            {DT_VERDEF, {AT(verdef)}},
            {DT_VERDEFNUM, {2}},
            {DT_NULL, {0}},
        },
    .sym =
        {
#define F(fn, nr)                                                              \
    [RV64_VDSO_SYM_##fn + 1] = {                                               \
        .st_name = STR(fn),                                                    \
        .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),                        \
        .st_shndx = 1, /* defined; there are no section headers to point at */ \
        .st_value = AT(text.fn),                                               \
        .st_size = sizeof rv64_vdso.text.fn,                                   \
    },
            RV64_VDSO_FUNCTIONS(F)
#undef F
        },
    .hash = {1, RV64_VDSO_NSYMS, 1, /* the bucket; then each symbol's successor */
             0,
#define F(fn, nr) RV64_VDSO_SYM_##fn + 2 < RV64_VDSO_NSYMS ? RV64_VDSO_SYM_##fn + 2 : 0,
             RV64_VDSO_FUNCTIONS(F)
#undef F
    },
    .verdef =
        {
            {
                .def =
                    {
                        .vd_version = VER_DEF_CURRENT,
                        .vd_flags = VER_FLG_BASE,
                        .vd_ndx = 1,
                        .vd_cnt = 1,
                        .vd_hash = HASH_SONAME,
                        .vd_aux = sizeof(Elf64_Verdef),
                        .vd_next = sizeof rv64_vdso.verdef[0],
                    },
                .aux = {.vda_name = STR(soname)},
            },
            {
                .def =
                    {
                        .vd_version = VER_DEF_CURRENT,
                        .vd_ndx = 2,
                        .vd_cnt = 1,
                        .vd_hash = HASH_VERSION,
                        .vd_aux = sizeof(Elf64_Verdef),
                    },
                .aux = {.vda_name = STR(version)},
            },
        },
    .versym =
        {
#define F(fn, nr) [RV64_VDSO_SYM_##fn + 1] = 2,
            RV64_VDSO_FUNCTIONS(F)
#undef F
        },
    .str = {.soname = RV64_VDSO_SONAME,
            .version = RV64_VDSO_VERSION,
#define F(fn, nr) .fn = "__vdso_" #fn,
            RV64_VDSO_FUNCTIONS(F)
#undef F
    },
    .text =
        {
#define F(fn, nr) .fn = {INSN_LI_A7(nr), INSN_ECALL, INSN_RET},
            RV64_VDSO_FUNCTIONS(F)
#undef F
        },
};
