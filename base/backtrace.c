/* The host's call chain in a report; declared in report.h.
 *
 * Frames come from the compiler's own unwinder (libgcc), which a static program has too; names from the
 * symbol table of the file that a frame's code is from, mapped for as long as a name is looked for.
 * Nothing allocates. A frame outside of every loaded file (translated code, a wild jump) ends the
 * chain: the unwinder would read instructions there.
 *
 * Threading: any thread, signal context included; dl_iterate_phdr's lock is all that is taken.
 */
#include "base/report.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define MAX_FRAMES 64

/* The loaded file that an address lies in. */
struct object {
    uintptr_t pc, bias;
    const char *file;
};

static int match_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct object *o = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_LOAD && o->pc - info->dlpi_addr - ph->p_vaddr < ph->p_memsz) {
            o->bias = info->dlpi_addr;
            o->file = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
            return 1;
        }
    }
    return 0;
}

/* Print the function of the file's symbol table that has the address, with the offset in it. */
static bool print_name(const uint8_t *file, size_t size, uintptr_t addr, char *out, size_t room)
{
    const Elf64_Ehdr *eh = (const void *)file;
    if (size < sizeof(*eh) || eh->e_shoff > size ||
        eh->e_shnum > (size - eh->e_shoff) / sizeof(Elf64_Shdr))
        return false;
    const Elf64_Shdr *sh = (const void *)(file + eh->e_shoff);
    for (unsigned i = 0; i < eh->e_shnum; i++) {
        if ((sh[i].sh_type != SHT_SYMTAB && sh[i].sh_type != SHT_DYNSYM) ||
            sh[i].sh_link >= eh->e_shnum)
            continue;
        const Elf64_Shdr *strings = &sh[sh[i].sh_link];
        if (sh[i].sh_offset + sh[i].sh_size > size || strings->sh_offset + strings->sh_size > size)
            continue;
        const Elf64_Sym *sym = (const void *)(file + sh[i].sh_offset);
        for (size_t n = sh[i].sh_size / sizeof(*sym); n--; sym++) {
            if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || addr - sym->st_value >= sym->st_size ||
                sym->st_name >= strings->sh_size)
                continue;
            snprintf(out, room, "%.*s+0x%llx", (int)(strings->sh_size - sym->st_name),
                     (const char *)file + strings->sh_offset + sym->st_name,
                     (unsigned long long)(addr - sym->st_value));
            return true;
        }
    }
    return false;
}

static void find_name(const struct object *o, char *out, size_t room)
{
    int fd = open(o->file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    *out = 0;
    if (fd < 0)
        return;
    void *map = fstat(fd, &st) == 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                                    : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED)
        return;
    print_name(map, (size_t)st.st_size, o->pc - o->bias, out, room);
    munmap(map, (size_t)st.st_size);
}

struct chain {
    uintptr_t from; /* the frame to begin with; 0: reached */
    int n;
};

static _Unwind_Reason_Code one_frame(struct _Unwind_Context *context, void *arg)
{
    struct chain *c = arg;
    int exact = 0; /* the pc is an instruction's, not a return address */
    uintptr_t pc = _Unwind_GetIPInfo(context, &exact);
    if (!pc || c->n == MAX_FRAMES)
        return _URC_NORMAL_STOP;
    struct object o = {.pc = exact ? pc : pc - 1};
    bool known = dl_iterate_phdr(match_object, &o);
    if (!c->from || pc == c->from) {
        char name[160] = "";
        c->from = 0;
        if (known)
            find_name(&o, name, sizeof(name));
        report_line("  #%-2d 0x%012llx%s%s", c->n++, (unsigned long long)pc, *name ? " " : "",
                    name);
    }
    return known ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

void report_host_backtrace(void *ucontext)
{
    extern const char __executable_start[]; /* the linker's: where the program is loaded */
    const ucontext_t *uc = ucontext;
    struct chain c = {.from = uc ? (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]
                                 : (uintptr_t)__builtin_return_address(0)};
    report_line("host call chain (program loaded at %p):", (const void *)__executable_start);
    _Unwind_Backtrace(one_frame, &c);
}
