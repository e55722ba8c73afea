/* tests/loader: small ELF files made by hand, so that the tests need no cross compiler.
 *
 * elf_static: ET_EXEC at 0x10000, text and a writable segment with bss. elf_dynamic: ET_DYN with the same
 * and a PT_INTERP. elf_interp: ET_DYN without. The text is one `ecall`.
 */
#ifndef DRAGOMAN_TESTS_LOADER_MAKE_ELF_H
#define DRAGOMAN_TESTS_LOADER_MAKE_ELF_H

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ELF_SIZE 0x3000
#define ELF_PHDRS 6
#define ELF_BSS 0x2800 /* memory size of the data segment */
#define ELF_DATA 0x800 /* its size in the file */
#define ELF_ENTRY 0x1000
#define ELF_STATIC_BASE 0x10000

struct elf_file {
    union {
        uint8_t bytes[ELF_SIZE + 4096];
        struct {
            Elf64_Ehdr eh;
            Elf64_Phdr ph[ELF_PHDRS];
            char interp[256];
        };
    };
    size_t size;
};

static inline Elf64_Phdr *elf_segment(struct elf_file *f, unsigned i, uint32_t type, uint32_t flags,
                                      uint64_t off, uint64_t addr, uint64_t filesz, uint64_t memsz)
{
    f->ph[i] = (Elf64_Phdr){.p_type = type,
                            .p_flags = flags,
                            .p_offset = off,
                            .p_vaddr = addr,
                            .p_paddr = addr,
                            .p_filesz = filesz,
                            .p_memsz = memsz,
                            .p_align = type == PT_LOAD ? 4096 : 1};
    return &f->ph[i];
}

static inline void elf_make(struct elf_file *f, int type, uint64_t base, const char *interp)
{
    memset(f, 0, sizeof *f);
    f->size = 0x2000 + ELF_DATA;
    memset(f->bytes + 0x2000, 0xda, ELF_DATA);
    memcpy(f->bytes + 0x1000, "\x73\x00\x00\x00", 4);
    memcpy(f->eh.e_ident, ELFMAG, SELFMAG);
    f->eh.e_ident[EI_CLASS] = ELFCLASS64;
    f->eh.e_ident[EI_DATA] = ELFDATA2LSB;
    f->eh.e_ident[EI_VERSION] = EV_CURRENT;
    f->eh.e_type = type;
    f->eh.e_machine = EM_RISCV;
    f->eh.e_version = EV_CURRENT;
    f->eh.e_entry = base + ELF_ENTRY;
    f->eh.e_phoff = offsetof(struct elf_file, ph);
    f->eh.e_flags = 5;
    f->eh.e_ehsize = sizeof f->eh;
    f->eh.e_phentsize = sizeof f->ph[0];
    f->eh.e_phnum = interp ? 4 : 3;
    elf_segment(f, 0, PT_LOAD, PF_R | PF_X, 0, base, 0x2000, 0x2000);
    elf_segment(f, 1, PT_LOAD, PF_R | PF_W, 0x2000, base + 0x2000, ELF_DATA, ELF_BSS);
    elf_segment(f, 2, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
    if (interp) {
        strcpy(f->interp, interp);
        elf_segment(f, 3, PT_INTERP, PF_R, offsetof(struct elf_file, interp),
                    base + offsetof(struct elf_file, interp), strlen(interp) + 1,
                    strlen(interp) + 1);
    }
}

static inline void elf_static(struct elf_file *f)
{
    elf_make(f, ET_EXEC, ELF_STATIC_BASE, NULL);
}

static inline void elf_interp(struct elf_file *f)
{
    elf_make(f, ET_DYN, 0, NULL);
}

static inline void elf_dynamic(struct elf_file *f, const char *interp)
{
    elf_make(f, ET_DYN, 0, interp);
}

/* Write the file to fd (a new memfd when -1) and return the descriptor. */
static inline int elf_write(const struct elf_file *f, int fd)
{
    if (fd < 0)
        fd = memfd_create("test-elf", 0);
    if (ftruncate(fd, 0) || pwrite(fd, f->bytes, f->size, 0) != (ssize_t)f->size)
        return -1;
    return fd;
}

#endif
