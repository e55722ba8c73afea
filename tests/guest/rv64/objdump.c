/* Compares the decode table with binutils' objdump, instruction by instruction.
 *
 *   objdump 'OBJDUMP COMMAND' elf FILE...        every executable section of the files
 *   objdump 'OBJDUMP COMMAND' compressed         all 16-bit encodings
 *   objdump 'OBJDUMP COMMAND' random SEED COUNT  32-bit encodings: half of them any word, half rows
 *                                                of the table with random operands
 *   objdump 'AS COMMAND' assemble SEED COUNT     the other way: our text of random rows, assembled,
 *                                                must give back the same bytes
 *
 * What is compared is put into an ELF file of its own, which names exactly our extensions in its
 * attributes: so objdump knows no more and no fewer instructions than we do, and prints .insn for all
 * others, which our text must then say too. The text is that of -M no-aliases, where each row has its
 * own mnemonic. Nothing else is left out but objdump's symbols and comments, and in random words
 * privileged CSRs, whose names we do not list.
 *
 * Prints what was compared and the first differences; status 1 when there is one.
 */
#include "guest/rv64/rv64.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SHOWN 30

static const char *objdump;
static uint64_t compared, different, undefined;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* ---- the file given to objdump ---- */

/* Our extensions as an ISA string, with their ratified versions or without. Zicbom is known by name,
 * though not advertised. */
static const char *isa(bool versions)
{
    static char arch[1024];
    size_t n = (size_t)snprintf(arch, sizeof arch, "%s",
                                versions ? "rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicbom1p0"
                                         : "rv64imafdc_zicbom");
    for (const struct rv64_ext *e = rv64_exts; e->name; e++) {
        bool two = !strcmp(e->name, "zicsr") || !strcmp(e->name, "zifencei") ||
                   !strcmp(e->name, "zihintpause") || !strcmp(e->name, "zicntr");
        n += (size_t)snprintf(arch + n, sizeof arch - n, "_%s%s", e->name,
                              !versions ? ""
                              : two     ? "2p0"
                                        : "1p0");
    }
    return arch;
}

/* .riscv.attributes with the one tag that names the ISA; returns its size. */
static size_t attributes(unsigned char *buf)
{
    const char *arch = isa(true);
    size_t n = strlen(arch);
    uint32_t file_len = 1 + 4 + 1 + (uint32_t)n + 1, all_len = 4 + 6 + file_len;
    unsigned char *p = buf;
    *p++ = 'A';
    memcpy(p, &all_len, 4);
    memcpy(p + 4, "riscv", 6);
    p += 10;
    *p++ = 1; /* Tag_File */
    memcpy(p, &file_len, 4);
    p += 4;
    *p++ = 5; /* Tag_RISCV_arch */
    memcpy(p, arch, n + 1);
    return (size_t)(p - buf) + n + 1;
}

static void write_elf(const char *path, uint64_t addr, const uint8_t *code, size_t len)
{
    static const char names[] = "\0.text\0.riscv.attributes\0.shstrtab";
    unsigned char attr[2048];
    size_t attr_len = attributes(attr);
    Elf64_Ehdr e = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_flags = 5,
        .e_ehsize = sizeof e,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = 4,
        .e_shstrndx = 3,
        .e_shoff = sizeof e,
    };
    size_t at = sizeof e + 4 * sizeof(Elf64_Shdr);
    Elf64_Shdr s[4] = {
        {0},
        {1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, addr, at, len, 0, 0, 2, 0},
        {7, 0x70000003, 0, 0, at + len, attr_len, 0, 0, 1, 0},
        {25, SHT_STRTAB, 0, 0, at + len + attr_len, sizeof names, 0, 0, 1, 0},
    };
    FILE *f = fopen(path, "w");
    if (!f)
        die("cannot write %s: %s", path, strerror(errno));
    fwrite(&e, sizeof e, 1, f);
    fwrite(s, sizeof s, 1, f);
    fwrite(code, len, 1, f);
    fwrite(attr, attr_len, 1, f);
    fwrite(names, sizeof names, 1, f);
    if (ferror(f) | fclose(f))
        die("cannot write %s", path);
}

/* ---- comparison ---- */

/* Cut symbols, comments and blanks at the end. */
static void clean(char *s)
{
    static const char *const ends[] = {" <", "\t#", " #", "\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *p = strstr(s, ends[i]);
        if (p)
            *p = 0;
    }
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        s[--n] = 0;
}

static void compare(const char *what, uint64_t addr, const uint8_t *code, size_t len)
{
    char path[] = "/tmp/dragoman-objdump-XXXXXX", command[1024], line[1024];
    int fd = mkstemp(path);
    if (fd < 0)
        die("cannot make a file in /tmp: %s", strerror(errno));
    close(fd);
    write_elf(path, addr, code, len);
    snprintf(command, sizeof command, "LC_ALL=C %s -d -z -M no-aliases --no-show-raw-insn %s",
             objdump, path);
    FILE *f = popen(command, "r");
    if (!f)
        die("cannot run %s", objdump);
    size_t off = 0;
    while (fgets(line, sizeof line, f)) {
        char *end, ours[128], *theirs;
        uint64_t at = strtoull(line, &end, 16);
        if (end == line || end[0] != ':' || end[1] != '\t')
            continue;
        theirs = end + 2;
        clean(theirs);
        unsigned n =
            off < len ? rv64_disasm(ours, sizeof ours, code + off, len - off, addr + off) : 0;
        if (!n) { /* cut off by the end of the section: objdump shows bytes */
            off = len;
            continue;
        }
        if (at != addr + off || strcmp(ours, theirs)) {
            if (different++ < MAX_SHOWN) {
                uint32_t w = 0;
                memcpy(&w, code + off, n < 4 ? n : 4);
                printf("# %s at %llx (%08x): ours '%s', at %llx objdump '%s'\n", what,
                       (unsigned long long)(addr + off), w, ours, (unsigned long long)at, theirs);
            }
            if (at != addr + off)
                break;
        }
        undefined += !strncmp(ours, ".insn", 5);
        compared++;
        off += n;
    }
    if (off < len) {
        different++;
        printf("# %s: objdump's output ends at %llx, not at the section's end\n", what,
               (unsigned long long)(addr + off));
    }
    if (pclose(f))
        die("objdump failed: %s", command);
    unlink(path);
}

static void compare_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        die("cannot open %s: %s", path, strerror(errno));
    const uint8_t *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        die("cannot map %s: %s", path, strerror(errno));
    const Elf64_Ehdr *e = (const void *)p;
    if (memcmp(p, ELFMAG, SELFMAG) || e->e_machine != EM_RISCV || !e->e_shnum)
        die("%s is not a riscv64 ELF file with sections", path);
    const Elf64_Shdr *s = (const void *)(p + e->e_shoff);
    for (int i = 0; i < e->e_shnum; i++)
        if (s[i].sh_type == SHT_PROGBITS && s[i].sh_flags & SHF_EXECINSTR)
            compare(path, s[i].sh_addr, p + s[i].sh_offset, s[i].sh_size);
    munmap((void *)p, (size_t)st.st_size);
}

/* ---- generated words ---- */

static uint64_t rng;

static uint32_t random32(void)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng >> 32) ^ (uint32_t)(rng >> 13);
}

/* ---- back through the assembler ---- */

/* Write the instruction as source; false when its text has no exact source form. */
static bool put_source(FILE *f, uint32_t w)
{
    char text[128];
    struct rv64_insn in;
    unsigned n = rv64_disasm(text, sizeof text, (const uint8_t *)&w, 4, 0);
    rv64_decode(&in, (const uint8_t *)&w, 4);
    /* What binutils shows as a mere number; reserved rounding modes and empty fence sets; and
     * c.addi16sp sp,0, which is reserved, which objdump shows and the assembler refuses. */
    if (!strncmp(text, ".insn", 5) || strstr(text, "unknown") || (n == 2 && (w & 0xffff) == 0x6101))
        return false;
    if (strchr(rv64_rows[in.row].text, 'a')) {
        char *last = strrchr(text, ',');
        last = last ? last : strchr(text, '\t');
        snprintf(last + 1, 32, ".%+lld", (long long)in.imm);
    }
    fprintf(f, ".option %s\n%s\n", n == 2 ? "rvc" : "norvc", text);
    return true;
}

static void assemble(const char *as, const uint32_t *code, size_t count)
{
    char source[] = "/tmp/dragoman-as-XXXXXX", object[64], command[1024];
    int fd = mkstemp(source);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        die("cannot make a file in /tmp: %s", strerror(errno));
    uint8_t *want = malloc(count * 4), *got = malloc(count * 4);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned n = (code[i] & 3) == 3 ? 4 : 2;
        if (!put_source(f, code[i]))
            continue;
        memcpy(want + len, &code[i], n);
        len += n;
        compared++;
    }
    fclose(f);
    snprintf(object, sizeof object, "%s.o", source);
    snprintf(command, sizeof command, "%s -mno-relax -mno-arch-attr -march=%s -o %s %s", as,
             isa(false), object, source);
    if (system(command))
        die("the assembler failed: %s", command);
    f = fopen(object, "r");
    Elf64_Ehdr e;
    Elf64_Shdr s = {0};
    if (!f || fread(&e, sizeof e, 1, f) != 1)
        die("cannot read %s", object);
    for (int i = 0; i < e.e_shnum && !(s.sh_type == SHT_PROGBITS && s.sh_flags & SHF_EXECINSTR);
         i++) {
        fseek(f, (long)(e.e_shoff + (unsigned)i * sizeof s), SEEK_SET);
        if (fread(&s, sizeof s, 1, f) != 1)
            die("cannot read %s", object);
    }
    fseek(f, (long)s.sh_offset, SEEK_SET);
    size_t got_len = fread(got, 1, s.sh_size < len ? s.sh_size : len, f);
    if (got_len != len || s.sh_size != len) {
        printf("# assembled to %zu bytes, not %zu\n", (size_t)s.sh_size, len);
        different++;
    }
    for (size_t at = 0; at < got_len;) {
        char text[128];
        unsigned n = rv64_disasm(text, sizeof text, want + at, len - at, 0);
        if (memcmp(want + at, got + at, n)) {
            if (different++ < MAX_SHOWN)
                printf("# '%s' assembled differently\n", text);
        }
        at += n;
    }
    fclose(f);
    unlink(source);
    unlink(object);
    free(want);
    free(got);
}

/* A random instance of a row, of either length. */
static uint32_t random_row(void)
{
    const struct rv64_row *r = &rv64_rows[1 + random32() % (RV64_NROWS - 1)];
    return (random32() & ~r->mask & (r->bits == 16 ? 0xffff : ~0u)) | r->match;
}

static uint32_t random_word(void)
{
    static const uint32_t known_csrs[] = {0x001, 0x002, 0x003, 0xc00, 0xc01,
                                          0xc02, 0x008, 0x00a, 0xc22, 0x015};
    for (;;) {
        uint32_t w = random32();
        if (random32() & 1) {
            const struct rv64_row *r = &rv64_rows[1 + random32() % (RV64_NROWS - 1)];
            if (r->bits != 32)
                continue;
            w = (w & ~r->mask) | r->match;
        }
        w |= 3;
        if ((w & 0x1c) == 0x1c) /* longer encodings */
            continue;
        if ((w & 0x7f) == 0x73 && w & 0x3000) /* CSR instructions: only numbers with our names */
            w = (w & 0xfffff) | known_csrs[random32() % 10] << 20;
        return w;
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: objdump OBJDUMP elf FILE...|compressed|random SEED COUNT|\n"
                        "       objdump AS assemble SEED COUNT\n");
        return 2;
    }
    objdump = argv[1];
    if (!strcmp(argv[2], "elf")) {
        for (int i = 3; i < argc; i++)
            compare_file(argv[i]);
    } else if (!strcmp(argv[2], "compressed")) {
        static uint16_t code[65536];
        size_t n = 0;
        for (unsigned w = 0; w < 65536; w++)
            if ((w & 3) != 3)
                code[n++] = (uint16_t)w;
        compare("compressed", 0x10000, (const uint8_t *)code, n * 2);
    } else if (!strcmp(argv[2], "random") && argc == 5) {
        rng = strtoull(argv[3], NULL, 0);
        size_t n = strtoull(argv[4], NULL, 0);
        uint32_t *code = malloc(n * 4);
        for (size_t i = 0; i < n; i++)
            code[i] = random_word();
        compare("random", 0x10000, (const uint8_t *)code, n * 4);
        free(code);
    } else if (!strcmp(argv[2], "assemble") && argc == 5) {
        rng = strtoull(argv[3], NULL, 0);
        size_t n = strtoull(argv[4], NULL, 0);
        uint32_t *code = malloc(n * 4);
        for (size_t i = 0; i < n; i++)
            code[i] = random_row();
        assemble(objdump, code, n);
        free(code);
    } else {
        fprintf(stderr, "objdump: what is '%s'?\n", argv[2]);
        return 2;
    }
    printf("# %llu instructions compared (%llu undefined in both), %llu differences\n",
           (unsigned long long)compared, (unsigned long long)undefined,
           (unsigned long long)different);
    return different || !compared;
}
