/* tests/loader/fuzz: mutated ELF files are loaded or refused with one clear line; nothing else.
 *
 * FUZZ_COUNT files (default 10000), file number n made from n alone; FUZZ_FIRST is the first. With a
 * crash the number is shown: FUZZ_FIRST=n FUZZ_COUNT=1 does it again. Besides the files made by
 * make_elf.h, the programs named in FUZZ_FILES (separated by colons) are mutated; their interpreters
 * are looked for below SYSROOT_RISCV64.
 */
#include "tests/loader/loading.h"
#include "tests/loader/make_elf.h"
#include "tests/process/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include <cmocka.h>

#define BASES_MAX 8
#define BASE_MAX (1 << 20)

static struct base {
    uint8_t *bytes;
    size_t size;
} bases[BASES_MAX];
static unsigned nbases;
static uint8_t work[BASE_MAX + 8192];
static unsigned long current;
static uint64_t state;
static int interp_fd;

static uint64_t rnd64(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned rnd(unsigned n)
{
    return rnd64() % n;
}

static uint64_t odd_value(void)
{
    static const uint64_t values[] = {
        0,           1,          2,          7,
        8,           55,         56,         64,
        0xfff,       0x1000,     0x1001,     0x2000,
        0xffff,      0x10000,    0x7fffffff, 0x80000000,
        0xffffffff,  1ull << 32, 1ull << 38, (85ull << 40) - 0x1000,
        85ull << 40, 1ull << 47, 1ull << 62, (1ull << 63) - 1,
        1ull << 63,  -4096ull,   -1ull,      -2ull,
    };

    switch (rnd(4)) {
    case 0:
        return rnd64();
    case 1:
        return rnd64() >> rnd(64);
    default:
        return values[rnd(sizeof values / sizeof values[0])];
    }
}

static void set_field(size_t off, unsigned width, size_t size)
{
    uint64_t v = odd_value();

    if (off + width > size)
        return;
    if (rnd(3) == 0) {
        /* A small change of what is there. */
        uint64_t old = 0;
        memcpy(&old, work + off, width);
        v = old + (rnd(2) ? 1 : -1) * (uint64_t)(1ull << rnd(20));
    }
    memcpy(work + off, &v, width);
}

static void mutate(size_t *size)
{
    /* offset and width of the fields of Ehdr and Phdr */
    static const uint8_t eh[][2] = {{4, 1},  {5, 1},  {6, 1},  {7, 1},  {16, 2}, {18, 2},
                                    {20, 4}, {24, 8}, {32, 8}, {40, 8}, {48, 4}, {52, 2},
                                    {54, 2}, {56, 2}, {58, 2}, {60, 2}, {62, 2}};
    static const uint8_t ph[][2] = {{0, 4},  {4, 4},  {8, 8},  {16, 8},
                                    {24, 8}, {32, 8}, {40, 8}, {48, 8}};
    static const uint32_t types[] = {PT_NULL,   PT_LOAD, PT_DYNAMIC,
                                     PT_INTERP, PT_PHDR, PT_GNU_STACK};
    unsigned i;

    switch (rnd(10)) {
    case 0:
        i = rnd(sizeof eh / sizeof eh[0]);
        set_field(eh[i][0], eh[i][1], *size);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        i = rnd(sizeof ph / sizeof ph[0]);
        set_field(sizeof(Elf64_Ehdr) + rnd(6) * sizeof(Elf64_Phdr) + ph[i][0], ph[i][1], *size);
        break;
    case 5:
        i = sizeof(Elf64_Ehdr) + rnd(6) * sizeof(Elf64_Phdr);
        if (i + 4 <= *size)
            memcpy(work + i, &types[rnd(sizeof types / sizeof types[0])], 4);
        break;
    case 6:
        for (i = 1 + rnd(8); i && *size; i--)
            work[rnd(rnd(2) && *size > 600 ? 600 : *size)] = rnd(256);
        break;
    case 7:
        *size = rnd(2) ? rnd(700) : rnd(*size + 1);
        break;
    case 8: {
        /* Exchange two program headers, or double one. */
        size_t a = sizeof(Elf64_Ehdr) + rnd(5) * sizeof(Elf64_Phdr);
        size_t b = sizeof(Elf64_Ehdr) + rnd(5) * sizeof(Elf64_Phdr);
        Elf64_Phdr x, y;
        if (a + sizeof x > *size || b + sizeof y > *size)
            break;
        memcpy(&x, work + a, sizeof x);
        memcpy(&y, work + b, sizeof y);
        if (rnd(2))
            memcpy(work + a, &y, sizeof y);
        memcpy(work + b, &x, sizeof x);
        break;
    }
    case 9:
        if (*size + 4096 < sizeof work)
            *size += rnd(4096);
        break;
    }
}

static void die(int signo)
{
    char text[80];
    int n = snprintf(text, sizeof text, "file %lu: died of signal %d\n", current, signo);

    if (write(2, text, n) < 0 || signo != SIGABRT)
        signal(signo, SIG_DFL);
}

static void check_loaded(struct thread *t)
{
    uint64_t argc = 0, argv0 = 0;
    char name[32];

    assert_int_equal(mm_read_u64(process.stack_start, &argc), 0);
    assert_int_equal(argc, 1);
    assert_int_equal(process.stack_start & 15, 0);
    assert_int_equal(mm_read_u64(process.stack_start + 8, &argv0), 0);
    assert_int_equal(mm_read_str(name, sizeof name, argv0), 4);
    assert_string_equal(name, "fuzz");
    assert_true(t->cpu.r[t->cpu.guest->pc_slot] < GUEST_ADDR_END);
    assert_int_equal(t->cpu.r[t->cpu.guest->sp_slot], process.stack_start);
}

static void mutations(void **unused)
{
    const char *count = getenv("FUZZ_COUNT"), *first = getenv("FUZZ_FIRST");
    unsigned long n = count ? strtoul(count, NULL, 0) : 10000, loaded = 0;
    unsigned long from = first ? strtoul(first, NULL, 0) : 0;
    struct sighand *sh = sighand_new();
    struct thread *t = thread_new(NULL, sh);
    char *argv[] = {"fuzz", NULL}, *envp[] = {"A=1", NULL}, why[256];
    int fd = memfd_create("fuzz", 0);

    (void)unused;
    fault_install();
    signal(SIGABRT, die);
    for (current = from; current < from + n; current++) {
        state = current * UINT64_C(0x100000001b3);
        const struct base *b = &bases[rnd(nbases)];
        size_t size = b->size;
        struct load_probe p;

        memset(work + size, 0, sizeof work - size);
        memcpy(work, b->bytes, size);
        if (current) /* the first is as it was made */
            for (unsigned i = 1 + rnd(4); i; i--)
                mutate(&size);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, work, size, 0), size);
        load_probe_fd(fd, &p);
        if (p.kind == LOAD_ERROR) {
            if (p.error <= 0 || !p.why[0] || strchr(p.why, '\n'))
                fail_msg("file %lu: refused with error %d and the line \"%s\"", current, p.error,
                         p.why);
            continue;
        }
        if (p.kind != LOAD_GUEST)
            continue;
        int r = loading_load(t, fd, 1, argv, envp, why);
        if (r) {
            if (r > 0 || !why[0] || strchr(why, '\n'))
                fail_msg("file %lu: refused with result %d and the line \"%s\"", current, r, why);
        } else {
            loaded++;
            check_loaded(t);
        }
        const char *broken = mm_check();
        if (broken)
            fail_msg("file %lu: the map: %s", current, broken);
        loading_clear();
    }
    thread_free(t);
    sighand_put(sh);
    print_message("%lu files, %lu of them loaded, %u kinds of file to begin with\n", n, loaded,
                  nbases);
    /* A mutation often does no harm: that many are loaded shows that they were not all stopped
     * at the first check. */
    if (n >= 1000)
        assert_in_range(loaded, n / 20, n);
}

static void add_base(const void *bytes, size_t size)
{
    if (nbases == BASES_MAX || size > BASE_MAX)
        return;
    bases[nbases].bytes = malloc(size);
    memcpy(bases[nbases].bytes, bytes, size);
    bases[nbases++].size = size;
}

static int setup(void **unused)
{
    static struct elf_file f;
    char path[64], *files = getenv("FUZZ_FILES");

    (void)unused;
    mm_init(true, NULL);
    process.sysroot = getenv("SYSROOT_RISCV64");
    if (process.sysroot && !*process.sysroot)
        process.sysroot = NULL;
    elf_interp(&f);
    interp_fd = elf_write(&f, -1);
    add_base(f.bytes, f.size);
    elf_static(&f);
    add_base(f.bytes, f.size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", interp_fd);
    elf_dynamic(&f, path);
    add_base(f.bytes, f.size);
    files = files ? strdup(files) : NULL;
    for (char *name = files ? strtok(files, ":") : NULL; name; name = strtok(NULL, ":")) {
        static uint8_t buf[BASE_MAX];
        int fd = open(name, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);

        if (n <= 0) {
            print_error("FUZZ_FILES: cannot read %s\n", name);
            return -1;
        }
        add_base(buf, n);
        close(fd);
    }
    return interp_fd < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutations)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
