/* bt/perf.c: perf map, jitdump, guest symbols. See perf.h.
 *
 * Facts: perf's map file has lines "START SIZE NAME" in hexadecimal (tools/perf/Documentation/jit-interface.txt);
 * the jitdump file's header and records are described in tools/perf/Documentation/jitdump-specification.txt.
 */
#include "bt/perf.h"
#include "base/report.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct symbol {
    uint64_t addr, size;
    char *name;
};

/* The functions of one ELF file; made once, never freed. */
struct image {
    struct image *next;
    char *path;
    GElf_Phdr load[16];
    unsigned nload;
    struct symbol *syms; /* ascending */
    size_t nsyms, cap;
};

/* A line of the host's /proc/self/maps that names a file. */
struct mapped {
    uint64_t start, end, off;
    char path[200];
};

static struct {
    pthread_mutex_t lock;
    bool map, jitdump;
    pid_t pid; /* that the files are of: a child makes its own */
    FILE *map_file;
    int dump_fd;
    uint64_t index;
    struct image *images;
    struct mapped *mapped;
    size_t nmapped;
} perf = {.lock = PTHREAD_MUTEX_INITIALIZER, .dump_fd = -1};

void perf_enable(bool map, bool jitdump)
{
    perf.map = map;
    perf.jitdump = jitdump;
}

/* ---- symbols ---- */

static void add_symbol(struct image *im, const GElf_Sym *s, const char *name)
{
    if (GELF_ST_TYPE(s->st_info) != STT_FUNC || !s->st_value || !name || !*name)
        return;
    if (im->nsyms == im->cap) {
        size_t cap = im->cap ? im->cap * 2 : 256;
        struct symbol *bigger = realloc(im->syms, cap * sizeof *bigger);
        if (!bigger)
            return;
        im->syms = bigger;
        im->cap = cap;
    }
    char *copy = strdup(name);
    if (copy)
        im->syms[im->nsyms++] = (struct symbol){s->st_value, s->st_size, copy};
}

static int by_addr(const void *x, const void *y)
{
    const struct symbol *a = x, *b = y;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void read_image(struct image *im, int fd)
{
    Elf *elf;
    size_t n = 0;
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    if (!elf)
        return;
    elf_getphdrnum(elf, &n);
    for (size_t i = 0; i < n && im->nload < 16; i++)
        if (gelf_getphdr(elf, (int)i, &im->load[im->nload]) &&
            im->load[im->nload].p_type == PT_LOAD)
            im->nload++;
    /* A stripped file has its dynamic symbols at least. */
    for (int want = SHT_SYMTAB; !im->nsyms; want = SHT_DYNSYM) {
        for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
            GElf_Shdr sh;
            Elf_Data *data;
            if (!gelf_getshdr(scn, &sh) || sh.sh_type != (GElf_Word)want || !sh.sh_entsize ||
                !(data = elf_getdata(scn, NULL)))
                continue;
            for (size_t i = 0; i < data->d_size / sh.sh_entsize; i++) {
                GElf_Sym s;
                if (gelf_getsym(data, (int)i, &s))
                    add_symbol(im, &s, elf_strptr(elf, sh.sh_link, s.st_name));
            }
        }
        if (want == SHT_DYNSYM)
            break;
    }
    if (im->nsyms)
        qsort(im->syms, im->nsyms, sizeof *im->syms, by_addr);
    elf_end(elf);
}

static struct image *image_of(const char *path)
{
    struct image *im = perf.images;
    while (im && strcmp(im->path, path))
        im = im->next;
    if (im)
        return im;
    im = calloc(1, sizeof *im);
    if (!im || !(im->path = strdup(path))) {
        free(im);
        return NULL;
    }
    im->next = perf.images;
    perf.images = im;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        read_image(im, fd);
        close(fd);
    }
    return im;
}

/* The last symbol that does not begin behind addr, if addr can belong to it. */
static const struct symbol *symbol_at(const struct image *im, uint64_t addr)
{
    size_t lo = 0, hi = im->nsyms;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (im->syms[mid].addr <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo)
        return NULL;
    const struct symbol *s = &im->syms[lo - 1];
    return !s->size || addr - s->addr < s->size ? s : NULL;
}

static void read_maps(void)
{
    char line[512];
    size_t cap = perf.nmapped = 0;
    FILE *f = fopen("/proc/self/maps", "re");
    while (f && fgets(line, sizeof line, f)) {
        struct mapped m;
        unsigned long start, end, off;
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %199[^\n]", &start, &end, &off, m.path) != 4 ||
            *m.path != '/')
            continue;
        m.start = start, m.end = end, m.off = off;
        if (perf.nmapped >= cap) {
            cap = cap ? cap * 2 : 64;
            struct mapped *bigger = realloc(perf.mapped, cap * sizeof *bigger);
            if (!bigger)
                break;
            perf.mapped = bigger;
        }
        perf.mapped[perf.nmapped++] = m;
    }
    if (f)
        fclose(f);
}

/* The file mapping that pc is in. The list is read again when it knows none: libraries come and seldom go. */
static const struct mapped *mapping_of(uint64_t pc)
{
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < perf.nmapped; i++)
            if (pc >= perf.mapped[i].start && pc < perf.mapped[i].end)
                return &perf.mapped[i];
        if (!again)
            read_maps();
    }
    return NULL;
}

static void name_of(uint64_t pc, char *buf, size_t size)
{
    const struct mapped *v = mapping_of(pc);
    if (!v) {
        snprintf(buf, size, "guest_%llx", (unsigned long long)pc);
        return;
    }
    uint64_t off = pc - v->start + v->off;
    const struct image *im = image_of(v->path);
    for (unsigned i = 0; im && i < im->nload; i++) {
        const GElf_Phdr *p = &im->load[i];
        if (off < p->p_offset || off - p->p_offset >= p->p_filesz)
            continue;
        uint64_t addr = off - p->p_offset + p->p_vaddr;
        const struct symbol *s = symbol_at(im, addr);
        if (s && s->addr == addr)
            snprintf(buf, size, "%s", s->name);
        else if (s)
            snprintf(buf, size, "%s+0x%llx", s->name, (unsigned long long)(addr - s->addr));
        if (s)
            return;
    }
    const char *base = strrchr(v->path, '/') + 1;
    snprintf(buf, size, "%s+0x%llx", base, (unsigned long long)off);
}

void perf_symbol(uint64_t pc, char *buf, size_t size)
{
    pthread_mutex_lock(&perf.lock);
    name_of(pc, buf, size);
    pthread_mutex_unlock(&perf.lock);
}

/* ---- files ---- */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct dump_header {
    uint32_t magic, version, total_size, elf_mach, pad1, pid;
    uint64_t timestamp, flags;
};

struct dump_load {
    uint32_t id, total_size;
    uint64_t timestamp;
    uint32_t pid, tid;
    uint64_t vma, code_addr, code_size, code_index;
};

static void open_dump(void)
{
    char path[64];
    struct dump_header h = {0x4a695444, 1, sizeof h, EM_X86_64, 0, (uint32_t)perf.pid, now_ns(), 0};
    snprintf(path, sizeof path, "jit-%d.dump", (int)perf.pid);
    perf.dump_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (perf.dump_fd < 0 || write(perf.dump_fd, &h, sizeof h) != (ssize_t)sizeof h) {
        report_error("--jitdump: cannot write %s: %m", path);
        perf.jitdump = false;
        return;
    }
    /* perf finds the file by the mapping that it sees. */
    mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE, perf.dump_fd, 0);
}

static void open_files(void)
{
    char path[64];
    perf.pid = getpid();
    if (perf.map_file)
        fclose(perf.map_file); /* the parent's; flushed after each line */
    if (perf.dump_fd >= 0)
        close(perf.dump_fd);
    perf.map_file = NULL;
    perf.dump_fd = -1;
    if (perf.map) {
        snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)perf.pid);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0 || !(perf.map_file = fdopen(fd, "w"))) {
            report_error("--perfmap: cannot write %s: %m", path);
            perf.map = false;
        }
    }
    if (perf.jitdump)
        open_dump();
}

static void write_all(const void *data, size_t len)
{
    if (perf.dump_fd >= 0 && write(perf.dump_fd, data, len) != (ssize_t)len) {
        report_error("--jitdump: cannot write: %m");
        close(perf.dump_fd);
        perf.dump_fd = -1;
    }
}

void perf_unit(const struct unit *u)
{
    char name[300], sym[256];
    if (!perf.map && !perf.jitdump)
        return;
    pthread_mutex_lock(&perf.lock);
    if (perf.pid != getpid())
        open_files();
    name_of(u->pc, sym, sizeof sym);
    size_t len = (size_t)snprintf(name, sizeof name, "%s [%u]", sym, u->level) + 1;
    if (perf.map_file) {
        fprintf(perf.map_file, "%lx %x %s\n", (unsigned long)(uintptr_t)u->code, u->size, name);
        fflush(perf.map_file);
    }
    if (perf.dump_fd >= 0) {
        struct dump_load l = {0,
                              (uint32_t)(sizeof l + len + u->size),
                              now_ns(),
                              (uint32_t)perf.pid,
                              (uint32_t)syscall(SYS_gettid),
                              (uintptr_t)u->code,
                              (uintptr_t)u->code,
                              u->size,
                              perf.index++};
        write_all(&l, sizeof l);
        write_all(name, len);
        write_all(u->code, u->size);
    }
    pthread_mutex_unlock(&perf.lock);
}
