/* Reading and mapping one ELF file; see image.h.
 *
 * The checks, their order and their errors are those of the kernel's binfmt_elf: ENOEXEC for what is
 * no program, EINVAL for segments that cannot be, ENOMEM for those that do not fit, ELIBBAD for a bad
 * interpreter.
 */
#include "loader/image.h"
#include "process/mm.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PHDRS_MAX 65536 /* bytes of program headers that the kernel reads */

static uint64_t page_down(uint64_t a)
{
    return a & ~GUEST_PAGE_MASK;
}

static uint64_t page_up(uint64_t a)
{
    return (a + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
}

int load_fail(const struct load_why *why, int error, const char *fmt, ...)
{
    va_list ap;

    if (why && why->size) {
        va_start(ap, fmt);
        vsnprintf(why->text, why->size, fmt, ap);
        va_end(ap);
        /* Names come out of the file: no new lines, no escape sequences. */
        for (char *p = why->text; *p; p++)
            if ((unsigned char)*p < ' ' || *p == 0x7f)
                *p = '?';
    }
    return -error;
}

static const char *machine_name(unsigned m)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {
        {EM_386, "i386"},
        {EM_X86_64, "x86-64"},
        {EM_ARM, "ARM"},
        {EM_AARCH64, "AArch64"},
        {EM_RISCV, "RISC-V"},
        {EM_PPC, "PowerPC"},
        {EM_PPC64, "64-bit PowerPC"},
        {EM_MIPS, "MIPS"},
        {EM_S390, "s390"},
        {EM_SPARC, "SPARC"},
        {EM_SPARCV9, "SPARC"},
        {EM_IA_64, "IA-64"},
        {EM_68K, "m68k"},
        {EM_SH, "SuperH"},
        {EM_PARISC, "PA-RISC"},
        {EM_ALPHA, "Alpha"},
        {258, "LoongArch"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].machine == m)
            return names[i].name;
    return NULL;
}

int load_classify(const uint8_t *head, size_t n, const struct guest **g, const struct load_why *why)
{
    Elf64_Ehdr eh;

    if (n < EI_NIDENT || memcmp(head, ELFMAG, SELFMAG))
        return load_fail(why, ENOEXEC, "not a program: neither ELF nor a #! script");
    if (n < sizeof(Elf32_Ehdr))
        return load_fail(why, ENOEXEC, "the ELF header is cut off after %zu bytes", n);
    memset(&eh, 0, sizeof eh);
    memcpy(&eh, head, n < sizeof eh ? n : sizeof eh);
    /* e_machine and e_type are at the same place in both classes. */
    const char *name = machine_name(
        eh.e_ident[EI_DATA] == ELFDATA2MSB ? __builtin_bswap16(eh.e_machine) : eh.e_machine);
    char number[32];
    if (!name) {
        snprintf(number, sizeof number, "machine %u", eh.e_machine);
        name = number;
    }
    if (eh.e_ident[EI_DATA] == ELFDATA2MSB)
        return load_fail(why, ENOEXEC, "a big-endian %s program, which is not supported", name);
    if (eh.e_ident[EI_DATA] != ELFDATA2LSB)
        return load_fail(why, ENOEXEC, "an ELF file of unknown byte order (%u)",
                         eh.e_ident[EI_DATA]);
    if (eh.e_ident[EI_CLASS] != ELFCLASS64 && eh.e_ident[EI_CLASS] != ELFCLASS32)
        return load_fail(why, ENOEXEC, "an ELF file of unknown class (%u)", eh.e_ident[EI_CLASS]);
    if (eh.e_machine == EM_X86_64 || (eh.e_machine == EM_386 && eh.e_ident[EI_CLASS] == ELFCLASS32))
        return 1;
    *g = guest_by_elf(eh.e_machine);
    if (eh.e_ident[EI_CLASS] == ELFCLASS32)
        return load_fail(why, ENOEXEC, "a 32-bit %s program, which is not supported", name);
    if (!*g)
        return load_fail(why, ENOEXEC, "a program for %s, which is not supported", name);
    if (n < sizeof eh)
        return load_fail(why, ENOEXEC, "the ELF header is cut off after %zu bytes", n);
    if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
        return load_fail(why, ENOEXEC, "an ELF file but no program (%s)",
                         eh.e_type == ET_REL    ? "an object file"
                         : eh.e_type == ET_CORE ? "a core dump"
                                                : "unknown type");
    return 0;
}

static bool read_at(int fd, void *buf, size_t len, uint64_t off)
{
    size_t done = 0;

    if (off > INT64_MAX - len)
        return false;
    while (done < len) {
        ssize_t n = pread(fd, (char *)buf + done, len - done, off + done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += n;
    }
    return true;
}

void load_image_free(struct load_image *im)
{
    free(im->ph);
    im->ph = NULL;
}

/* The PT_LOADs' extent, or an error that the kernel would find when mapping them. */
static int check_segments(struct load_image *im, const struct load_why *why)
{
    im->low = UINT64_MAX;
    im->high = 0;
    im->align = GUEST_PAGE_SIZE;
    im->nload = 0;
    for (unsigned i = 0; i < im->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &im->ph[i];

        if (p->p_type == PT_GNU_STACK)
            im->exec_stack = p->p_flags & PF_X;
        if (p->p_type != PT_LOAD)
            continue;
        if (p->p_filesz > p->p_memsz || p->p_memsz > GUEST_ADDR_END ||
            p->p_vaddr > GUEST_ADDR_END - p->p_memsz)
            return load_fail(why, EINVAL,
                             "segment %u cannot be: address %#lx, %#lx bytes of the file, %#lx in "
                             "memory",
                             i, (unsigned long)p->p_vaddr, (unsigned long)p->p_filesz,
                             (unsigned long)p->p_memsz);
        if (p->p_filesz && ((p->p_offset ^ p->p_vaddr) & GUEST_PAGE_MASK))
            return load_fail(why, EINVAL,
                             "segment %u cannot be mapped: address %#lx and file offset %#lx "
                             "differ within the page",
                             i, (unsigned long)p->p_vaddr, (unsigned long)p->p_offset);
        if (p->p_filesz && p->p_offset > INT64_MAX - p->p_filesz - GUEST_PAGE_SIZE)
            return load_fail(why, EINVAL, "segment %u lies beyond any file's end", i);
        im->nload++;
        if (page_down(p->p_vaddr) < im->low)
            im->low = page_down(p->p_vaddr);
        if (p->p_vaddr + p->p_memsz > im->high)
            im->high = p->p_vaddr + p->p_memsz;
        /* As maximum_alignment(): what is no power of two does not count. */
        if (p->p_align > im->align && !(p->p_align & (p->p_align - 1)) &&
            p->p_align < GUEST_ADDR_END)
            im->align = p->p_align;
    }
    if (!im->nload)
        return load_fail(why, EINVAL, "nothing to load: the program has no segments");
    if (page_up(im->high) == im->low)
        return load_fail(why, EINVAL, "nothing to load: its segments are empty");
    return 0;
}

static int read_interp(struct load_image *im, const struct load_why *why)
{
    for (unsigned i = 0; i < im->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &im->ph[i];

        if (p->p_type != PT_INTERP)
            continue;
        if (p->p_filesz < 2 || p->p_filesz > PATH_MAX)
            return load_fail(why, ENOEXEC, "the name of its interpreter is %lu bytes long",
                             (unsigned long)p->p_filesz);
        if (!read_at(im->fd, im->interp, p->p_filesz, p->p_offset)) {
            im->interp[0] = 0;
            return load_fail(why, EIO, "the name of its interpreter lies beyond the file's end");
        }
        if (im->interp[p->p_filesz - 1]) {
            im->interp[0] = 0;
            return load_fail(why, ENOEXEC, "the name of its interpreter has no end");
        }
        break;
    }
    return 0;
}

int load_image_read(struct load_image *im, int fd, const char *interp, const struct guest *g,
                    const struct load_why *why)
{
    uint8_t head[sizeof(Elf64_Ehdr)];
    size_t size;
    ssize_t n;
    int r;

    *im = (struct load_image){.fd = fd};
    n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return load_fail(why, errno, "cannot read it: %s", strerror(errno));
    if (interp && n < (ssize_t)sizeof head)
        return load_fail(why, EIO, "its interpreter %s is cut off", interp);
    r = load_classify(head, n, &im->guest, why);
    if (interp && (r || im->guest != g))
        return load_fail(why, ELIBBAD,
                         "its interpreter %s is no program for %s: give the directory "
                         "that holds the guest's libraries with -L",
                         interp, g->name);
    if (r)
        return r < 0 ? r : load_fail(why, ENOEXEC, "a program for the host");
    memcpy(&im->eh, head, sizeof im->eh);
    size = im->eh.e_phnum * sizeof *im->ph;
    if (im->eh.e_phentsize != sizeof *im->ph || !size || size > PHDRS_MAX)
        return load_fail(why, interp ? ELIBBAD : ENOEXEC,
                         "%s%s has no usable program headers (%u of %u bytes)",
                         interp ? "its interpreter " : "it", interp ? interp : "", im->eh.e_phnum,
                         im->eh.e_phentsize);
    im->ph = malloc(size);
    if (!im->ph)
        return load_fail(why, ENOMEM, "no memory for its program headers");
    if (!read_at(fd, im->ph, size, im->eh.e_phoff)) {
        r = load_fail(why, interp ? ELIBBAD : ENOEXEC,
                      "%s%s is cut off: its program headers lie beyond the file's end",
                      interp ? "its interpreter " : "it", interp ? interp : "");
        goto bad;
    }
    r = interp ? 0 : read_interp(im, why);
    if (!r)
        r = check_segments(im, why);
    if (!r)
        return 0;
bad:
    load_image_free(im);
    return r;
}

/* Zero [from, to). Where the segment is not writable that fails, and does not matter. */
static int zero(uint64_t from, uint64_t to, bool writable)
{
    static const uint8_t zeros[GUEST_PAGE_SIZE];

    if (from < to && mm_write(from, zeros, to - from) && writable)
        return -EFAULT;
    return 0;
}

static int map_segment(const struct load_image *im, const Elf64_Phdr *p)
{
    int prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
               (p->p_flags & PF_X ? PROT_EXEC : 0);
    uint64_t addr = p->p_vaddr + im->bias, start = page_down(addr), file_end = addr + p->p_filesz;
    uint64_t mem_end = page_up(addr + p->p_memsz), bss = start;
    int64_t r;

    if (p->p_filesz) {
        bss = page_up(file_end);
        r = mm_mmap(start, bss - start, prot, MAP_PRIVATE | MAP_FIXED, im->fd,
                    p->p_offset - (addr - start));
        if (r < 0)
            return r;
        if (p->p_memsz > p->p_filesz && zero(file_end, bss, prot & PROT_WRITE))
            return -EFAULT;
    }
    if (p->p_memsz > p->p_filesz && mem_end > bss) {
        /* The kernel's vm_brk_flags: always writable. */
        r = mm_mmap(bss, mem_end - bss, PROT_READ | PROT_WRITE | (prot & PROT_EXEC),
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Choose the bias. The place is free afterwards. */
static int place(struct load_image *im, bool is_interp, const struct load_why *why)
{
    uint64_t total = page_up(im->high) - im->low, slack = im->align - GUEST_PAGE_SIZE;
    uint64_t want = im->low;
    int64_t r;

    if (im->eh.e_type == ET_DYN) {
        if (total > GUEST_ADDR_END - slack)
            return load_fail(why, ENOMEM, "no place for %#lx bytes of address space",
                             (unsigned long)total);
        if (!is_interp && im->interp[0]) {
            want = mm_pie_base(total + slack);
        } else {
            /* A loader, or a static PIE: where libraries go. */
            r = mm_mmap(0, total + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
            if (r > 0)
                mm_munmap(r, total + slack);
            want = r > 0 ? r : 0;
        }
        if (!want)
            return load_fail(why, ENOMEM, "no place for %#lx bytes of address space",
                             (unsigned long)total);
        /* Addresses stay congruent to p_vaddr modulo the alignment. */
        want += (im->low - want) & (im->align - 1);
    }
    r = mm_mmap(want, total, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (r == -EPERM)
        return load_fail(why, EPERM,
                         "it wants address %#lx, lower than programs may use here (see "
                         "/proc/sys/vm/mmap_min_addr)",
                         (unsigned long)want);
    if (r < 0)
        return load_fail(why, -r, "it wants addresses %#lx to %#lx, which it cannot have",
                         (unsigned long)want, (unsigned long)(want + total));
    mm_munmap(want, total);
    im->bias = want - im->low;
    return 0;
}

int load_image_map(struct load_image *im, bool is_interp, const struct load_why *why)
{
    int r = place(im, is_interp, why);

    if (r)
        return r;
    im->phdr = im->bias;
    for (unsigned i = 0; i < im->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &im->ph[i];

        if (p->p_type != PT_LOAD)
            continue;
        r = map_segment(im, p);
        if (r)
            return load_fail(why, -r, "cannot map segment %u%s: %s", i,
                             is_interp ? " of its interpreter" : "",
                             r == -EFAULT ? "the file is cut off" : strerror(-r));
        if (p->p_offset <= im->eh.e_phoff && im->eh.e_phoff - p->p_offset < p->p_filesz)
            im->phdr = im->eh.e_phoff - p->p_offset + p->p_vaddr + im->bias;
    }
    im->entry = im->eh.e_entry + im->bias;
    if (im->entry >= GUEST_ADDR_END)
        return load_fail(why, EINVAL, "its entry point %#lx is no address",
                         (unsigned long)im->eh.e_entry);
    return 0;
}
