/* tests/loader/program: what becomes of an ELF file, rule by rule: the errors are those of the kernel's
 * binfmt_elf, the memory and the stack those that a program finds.
 */
#include "tests/loader/loading.h"
#include "tests/loader/make_elf.h"
#include "tests/process/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct elf_file f;
static struct thread *t;
static char interp_path[64];
static char *default_argv[] = {"prog", "one", "", NULL}, *default_envp[] = {"A=1", "B=22", NULL};
static char why[256];

/* The result of loading f. */
static int load(void)
{
    int fd = elf_write(&f, -1), r;
    struct load_probe p;

    assert_true(fd >= 0);
    loading_clear();
    load_probe_fd(fd, &p);
    r = loading_load(t, fd, 3, default_argv, default_envp, why);
    close(fd);
    /* What execve refuses with an errno is known before anything is mapped. */
    if (p.kind == LOAD_ERROR) {
        assert_int_equal(r, -p.error);
        assert_string_equal(why, p.why);
    }
    assert_null(mm_check());
    return r;
}

static void refused(int error, const char *words)
{
    int r = load();

    if (r != -error || !strstr(why, words))
        fail_msg("result %d, \"%s\" instead of %d, \"...%s...\"", r, why, -error, words);
}

static uint8_t byte_at(uint64_t addr)
{
    uint8_t b = 0x55;

    assert_int_equal(mm_read(&b, addr, 1), 0);
    return b;
}

static int prot_at(uint64_t addr)
{
    struct vma v;

    return mm_find(addr, &v) ? v.prot : -1;
}

static void bad_headers(void **state)
{
    (void)state;
    elf_static(&f);
    f.size = 0;
    refused(ENOEXEC, "empty");
    elf_static(&f);
    f.bytes[0] = 'x';
    refused(ENOEXEC, "not a program");
    elf_static(&f);
    f.size = 10;
    refused(ENOEXEC, "not a program");
    elf_static(&f);
    f.size = 40;
    refused(ENOEXEC, "cut off");
    elf_static(&f);
    f.size = 60;
    refused(ENOEXEC, "cut off");
    elf_static(&f);
    f.size = 100;
    refused(ENOEXEC, "cut off");
    elf_static(&f);
    f.eh.e_ident[EI_CLASS] = ELFCLASS32;
    refused(ENOEXEC, "32-bit RISC-V");
    elf_static(&f);
    f.eh.e_ident[EI_DATA] = ELFDATA2MSB;
    f.eh.e_machine = __builtin_bswap16(EM_S390);
    refused(ENOEXEC, "big-endian s390");
    elf_static(&f);
    f.eh.e_machine = EM_PPC64;
    refused(ENOEXEC, "PowerPC");
    elf_static(&f);
    f.eh.e_machine = 4711;
    refused(ENOEXEC, "machine 4711");
    elf_static(&f);
    f.eh.e_type = ET_REL;
    refused(ENOEXEC, "object file");
    elf_static(&f);
    f.eh.e_phentsize = 32;
    refused(ENOEXEC, "program headers");
    elf_static(&f);
    f.eh.e_phnum = 0;
    refused(ENOEXEC, "program headers");
    elf_static(&f);
    f.eh.e_phoff = f.size - 8;
    refused(ENOEXEC, "cut off");
    elf_static(&f);
    f.eh.e_phoff = UINT64_MAX - 8;
    refused(ENOEXEC, "cut off");
}

static void bad_segments(void **state)
{
    (void)state;
    fault_install();
    elf_static(&f);
    f.ph[1].p_filesz = f.ph[1].p_memsz + 1;
    refused(EINVAL, "segment 1");
    elf_static(&f);
    f.ph[1].p_vaddr = GUEST_ADDR_END;
    refused(EINVAL, "segment 1");
    elf_static(&f);
    f.ph[1].p_vaddr = UINT64_MAX - 4095;
    refused(EINVAL, "segment 1");
    elf_static(&f);
    f.ph[1].p_memsz = UINT64_MAX;
    refused(EINVAL, "segment 1");
    elf_static(&f);
    f.ph[1].p_offset += 8;
    refused(EINVAL, "differ within the page");
    elf_static(&f);
    f.ph[1].p_offset = UINT64_C(0x7ffffffffffff000);
    refused(EINVAL, "beyond");
    elf_static(&f);
    f.ph[0].p_type = f.ph[1].p_type = PT_NULL;
    refused(EINVAL, "nothing to load");
    /* Lower than anybody may map, and where the stack must go. */
    elf_make(&f, ET_EXEC, 0x1000, NULL);
    refused(EPERM, "mmap_min_addr");
    elf_make(&f, ET_EXEC, mm_stack_top() - 0x10000, NULL);
    refused(ENOMEM, "stack");
    elf_static(&f);
    f.eh.e_entry = GUEST_ADDR_END;
    refused(EINVAL, "entry point");
    /* The data's last page lies beyond the file's end: it cannot be zeroed. */
    elf_static(&f);
    f.ph[1].p_filesz = 0x1800;
    refused(EFAULT, "cut off");
}

static void static_program(void **state)
{
    uint64_t base = ELF_STATIC_BASE, data = base + 0x2000, brk, end;

    (void)state;
    fault_install();
    elf_static(&f);
    assert_int_equal(load(), 0);
    assert_int_equal(process.entry, base + ELF_ENTRY);
    assert_int_equal(t->cpu.r[t->cpu.guest->pc_slot], base + ELF_ENTRY);
    assert_int_equal(process.phdr, base + offsetof(struct elf_file, ph));
    assert_int_equal(prot_at(base), PROT_READ | PROT_EXEC);
    assert_int_equal(byte_at(base + ELF_ENTRY), 0x73);
    assert_int_equal(prot_at(data), PROT_READ | PROT_WRITE);
    assert_int_equal(byte_at(data + ELF_DATA - 1), 0xda);
    /* bss: the rest of the page, and pages that are not in the file. */
    for (uint64_t a = data + ELF_DATA; a < data + ELF_BSS; a++)
        assert_int_equal(byte_at(a), 0);
    assert_int_equal(prot_at(data + 0x2000), PROT_READ | PROT_WRITE);
    assert_int_equal(prot_at(data + 0x3000), -1);
    mm_get_brk(&brk, &end);
    assert_int_equal(brk, end);
    assert_true(brk >= data + 0x3000 && brk < data + 0x3000 + (UINT64_C(1) << 30));
    assert_int_equal(brk & GUEST_PAGE_MASK, 0);
}

static void odd_segments(void **state)
{
    (void)state;
    fault_install();
    /* In no order. */
    elf_static(&f);
    Elf64_Phdr first = f.ph[0];
    f.ph[0] = f.ph[1];
    f.ph[1] = first;
    assert_int_equal(load(), 0);
    assert_int_equal(byte_at(ELF_STATIC_BASE + ELF_ENTRY), 0x73);
    assert_int_equal(byte_at(ELF_STATIC_BASE + 0x2000), 0xda);
    /* Overlapping: the later one is on top. */
    elf_static(&f);
    f.ph[1].p_vaddr = ELF_STATIC_BASE + 0x1000;
    assert_int_equal(load(), 0);
    assert_int_equal(byte_at(ELF_STATIC_BASE + 0x1000), 0xda);
    assert_int_equal(byte_at(ELF_STATIC_BASE), 0x7f);
    /* Nothing but bss. */
    elf_static(&f);
    f.ph[1].p_filesz = 0;
    assert_int_equal(load(), 0);
    assert_int_equal(byte_at(ELF_STATIC_BASE + 0x2000), 0);
    /* bss after a page that may not be written: what is in the file stays. */
    elf_static(&f);
    f.ph[1].p_flags = PF_R;
    assert_int_equal(load(), 0);
    assert_int_equal(prot_at(ELF_STATIC_BASE + 0x2000), PROT_READ);
    /* Zero-sized segment. */
    elf_static(&f);
    f.ph[1].p_filesz = f.ph[1].p_memsz = 0;
    assert_int_equal(load(), 0);
    assert_int_equal(prot_at(ELF_STATIC_BASE + 0x2000), -1);
    /* A hole between segments belongs to nobody. */
    elf_static(&f);
    f.ph[1].p_vaddr += 0x100000;
    assert_int_equal(load(), 0);
    assert_int_equal(prot_at(ELF_STATIC_BASE + 0x3000), -1);
    assert_int_equal(byte_at(ELF_STATIC_BASE + 0x102000), 0xda);
    /* Program headers in no segment. */
    elf_static(&f);
    f.ph[0].p_offset += 0x1000;
    f.ph[0].p_filesz = 0x1000;
    f.ph[0].p_vaddr += 0x1000;
    f.ph[0].p_memsz = 0x1000;
    assert_int_equal(load(), 0);
    assert_int_equal(process.phdr, 0);
}

static void dynamic_program(void **state)
{
    uint64_t aux_base = 0, aux_phdr = 0, word[2];

    (void)state;
    elf_dynamic(&f, interp_path);
    f.ph[1].p_align = 0x200000;
    assert_int_equal(load(), 0);
    uint64_t bias = process.entry - ELF_ENTRY;
    assert_int_equal(bias & 0x1fffff, 0);
    assert_true(bias > GUEST_ADDR_END / 2 && bias < GUEST_ADDR_END);
    for (uint64_t a = process.auxv_start; a < process.auxv_end; a += 16) {
        assert_int_equal(mm_read(word, a, 16), 0);
        if (word[0] == AT_BASE)
            aux_base = word[1];
        if (word[0] == AT_PHDR)
            aux_phdr = word[1];
    }
    assert_true(aux_base && aux_base != bias);
    assert_int_equal(aux_phdr, bias + offsetof(struct elf_file, ph));
    assert_int_equal(byte_at(aux_base), 0x7f);
    /* It starts in the interpreter. */
    assert_int_equal(t->cpu.r[t->cpu.guest->pc_slot], aux_base + ELF_ENTRY);

    elf_dynamic(&f, "/no/such/interpreter");
    refused(ENOENT, "-L");
    elf_dynamic(&f, "/dev/null");
    refused(EACCES, "/dev/null");
    elf_dynamic(&f, "/bin/sh");
    refused(ELIBBAD, "/bin/sh");
    elf_dynamic(&f, interp_path);
    f.ph[3].p_filesz = 1;
    refused(ENOEXEC, "interpreter");
    elf_dynamic(&f, interp_path);
    f.ph[3].p_filesz = 5000;
    refused(ENOEXEC, "interpreter");
    elf_dynamic(&f, interp_path);
    f.ph[3].p_filesz--;
    refused(ENOEXEC, "has no end");
    elf_dynamic(&f, interp_path);
    f.ph[3].p_offset = 1 << 20;
    refused(EIO, "interpreter");
    /* Without one it is a static PIE. */
    elf_interp(&f);
    assert_int_equal(load(), 0);
    assert_int_equal(t->cpu.r[t->cpu.guest->pc_slot], process.entry);
}

static void stack_words(void **state)
{
    uint64_t sp, word, seen = 0, random = 0, execfn = 0, pair[2];
    char text[64];

    (void)state;
    elf_static(&f);
    assert_int_equal(load(), 0);
    sp = process.stack_start;
    assert_int_equal(sp & 15, 0);
    assert_int_equal(t->cpu.r[t->cpu.guest->sp_slot], sp);
    mm_read_u64(sp, &word);
    assert_int_equal(word, 3);
    const char *want[] = {"prog", "one", "", NULL, "A=1", "B=22", NULL};
    uint64_t a = sp + 8;
    for (int i = 0; i < 7; i++, a += 8) {
        mm_read_u64(a, &word);
        if (!want[i]) {
            assert_int_equal(word, 0);
            continue;
        }
        assert_int_equal(mm_read_str(text, sizeof text, word), strlen(want[i]));
        assert_string_equal(text, want[i]);
        if (i == 0)
            assert_int_equal(word, process.arg_start);
        if (i == 4) {
            assert_int_equal(word, process.env_start);
            assert_int_equal(word, process.arg_end);
        }
    }
    assert_int_equal(process.env_end - process.env_start, 4 + 5);
    assert_int_equal(a, process.auxv_start);
    for (;; a += 16) {
        assert_int_equal(mm_read(pair, a, 16), 0);
        if (pair[0] < 64) {
            assert_false(seen >> pair[0] & 1);
            seen |= UINT64_C(1) << pair[0];
        }
        switch (pair[0]) {
        case AT_PAGESZ:
            assert_int_equal(pair[1], 4096);
            break;
        case AT_PHENT:
            assert_int_equal(pair[1], 56);
            break;
        case AT_PHNUM:
            assert_int_equal(pair[1], 3);
            break;
        case AT_UID:
        case AT_EUID:
        case AT_GID:
        case AT_EGID:
        case AT_SECURE:
        case AT_CLKTCK:
            /* The same process, so what the host kernel says of it. */
            assert_int_equal(pair[1], getauxval(pair[0]));
            break;
        case AT_BASE:
        case AT_FLAGS:
            assert_int_equal(pair[1], 0);
            break;
        case AT_RANDOM:
            random = pair[1];
            break;
        case AT_EXECFN:
            execfn = pair[1];
            break;
        case AT_SYSINFO_EHDR:
            assert_int_equal(pair[1], process.vdso);
            assert_int_equal(byte_at(pair[1]), 0x7f);
            assert_int_equal(prot_at(pair[1]), PROT_READ | PROT_EXEC);
            break;
        case AT_HWCAP:
            /* I, M, A, F, D, C at least: bit n is the extension's n-th letter. */
            assert_int_equal(pair[1] & 0x112d, 0x112d);
            break;
        }
        if (pair[0] == AT_NULL)
            break;
    }
    assert_int_equal(a + 16, process.auxv_end);
    const int needed[] = {AT_PHDR,   AT_PHENT,        AT_PHNUM,      AT_PAGESZ, AT_BASE,
                          AT_FLAGS,  AT_ENTRY,        AT_UID,        AT_EUID,   AT_GID,
                          AT_EGID,   AT_HWCAP,        AT_CLKTCK,     AT_SECURE, AT_RANDOM,
                          AT_EXECFN, AT_SYSINFO_EHDR, AT_MINSIGSTKSZ};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (needed[i] < 64 && !(seen >> needed[i] & 1))
            fail_msg("no auxiliary vector entry %d", needed[i]);
    assert_int_equal(mm_read_str(text, sizeof text, execfn), 10);
    assert_string_equal(text, "/test/path");
    uint8_t bytes[16], zero[16] = {0};
    assert_int_equal(mm_read(bytes, random, 16), 0);
    assert_true(memcmp(bytes, zero, 16));
    /* Nothing above the file name but the zero word. */
    assert_int_equal(execfn + 11 + 8, mm_stack_top());
}

static void stack_kinds(void **state)
{
    struct vma v;

    (void)state;
    fault_install();
    elf_static(&f);
    assert_int_equal(load(), 0);
    assert_true(mm_find(process.stack_start, &v));
    assert_int_equal(v.prot, PROT_READ | PROT_WRITE);
    assert_true(v.flags & MAP_GROWSDOWN);
    assert_string_equal(v.name, "[stack]");
    /* It grows. */
    assert_true(fault_guarded_write(v.start - 5 * 4096, 1));
    struct vma grown;
    assert_true(mm_find(process.stack_start, &grown));
    assert_int_equal(grown.start, v.start - 5 * 4096);
    elf_static(&f);
    f.ph[2].p_flags |= PF_X;
    assert_int_equal(load(), 0);
    assert_int_equal(prot_at(process.stack_start), PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void stack_limit(void **state)
{
    struct rlimit old, rl;
    struct vma v;

    (void)state;
    fault_install();
    getrlimit(RLIMIT_STACK, &old);
    rl = old;
    rl.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_STACK, &rl), 0);
    elf_static(&f);
    assert_int_equal(load(), 0);
    assert_true(mm_find(process.stack_start, &v));
    assert_true(fault_guarded_write(v.end - (1 << 20), 1));
    assert_false(fault_guarded_write(v.end - (1 << 20) - 1, 1));
    assert_int_equal(fault_last.code, SEGV_MAPERR);
    setrlimit(RLIMIT_STACK, &old);
}

/* --- limits of arguments, as the host's execve has them --------------------------------------------- */

static int native_exec(char **argv)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open("/dev/null", O_WRONLY);
        dup2(fd, 1);
        execve("/bin/true", argv, (char *[]){NULL});
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -999;
}

static int guest_exec(int argc, char **argv)
{
    int fd = elf_write(&f, -1), r;

    loading_clear();
    r = loading_load(t, fd, argc, argv, (char *[]){NULL}, why);
    close(fd);
    return r;
}

static void argument_limits(void **state)
{
    static char *many[70000], big[140000];
    const size_t lengths[] = {131070, 131071, 131072, 139999};
    struct rlimit old, rl;

    (void)state;
    elf_static(&f);
    memset(big, 'x', sizeof big);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *argv[] = {"true", big, NULL};
        big[lengths[i]] = 0;
        assert_int_equal(guest_exec(2, argv), native_exec(argv));
        big[lengths[i]] = 'x';
    }
    /* The sum, for stack limits with their lower and upper bounds. */
    getrlimit(RLIMIT_STACK, &old);
    const rlim_t limits[] = {256 << 10, 1 << 20, 8 << 20, 64 << 20};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        rl = old;
        rl.rlim_cur = limits[i];
        assert_int_equal(setrlimit(RLIMIT_STACK, &rl), 0);
        uint64_t bound = limits[i] / 4 < 131072 ? 131072 : limits[i] / 4;
        if (bound > 6 << 20)
            bound = 6 << 20;
        /* Strings of 1000 bytes take 1001 and a pointer of 8; the name of the program counts natively. */
        for (int less = 0; less < 2; less++) {
            char *text = big + sizeof big - 1001;
            int n = bound / 1009 + (less ? -1 : 2);
            if (n > 69990)
                continue;
            big[sizeof big - 1] = 0;
            for (int k = 0; k < n; k++)
                many[k] = text;
            many[n] = NULL;
            int native = native_exec(many), guest = guest_exec(n, many);
            if (native != guest)
                fail_msg("stack limit %lu, %d arguments: %d, natively %d", (unsigned long)limits[i],
                         n, guest, native);
        }
    }
    setrlimit(RLIMIT_STACK, &old);
    /* No argument at all becomes an empty one. */
    uint64_t argc;
    assert_int_equal(guest_exec(0, (char *[]){NULL}), 0);
    mm_read_u64(process.stack_start, &argc);
    assert_int_equal(argc, 1);
}

static int setup(void **state)
{
    (void)state;
    mm_init(true, NULL);
    elf_interp(&f);
    snprintf(interp_path, sizeof interp_path, "/proc/self/fd/%d", elf_write(&f, -1));
    t = thread_new(NULL, sighand_new());
    return t ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loading_clear();
    sighand_put(t->sighand);
    thread_free(t);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_headers),     cmocka_unit_test(bad_segments),
        cmocka_unit_test(static_program),  cmocka_unit_test(odd_segments),
        cmocka_unit_test(dynamic_program), cmocka_unit_test(stack_words),
        cmocka_unit_test(stack_kinds),     cmocka_unit_test(stack_limit),
        cmocka_unit_test(argument_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
