/* The initial stack; see stack.h. From the top of the stack down:
 *
 *     8 zero bytes, the program's file name, environment strings, argument strings,
 *     (random gap) platform name, 16 random bytes, padding,
 *     auxiliary vector, NULL, envp[], NULL, argv[], argc   <- stack pointer, 16-aligned
 *
 * as the kernel's create_elf_tables and the psABI have it.
 */
#include "loader/stack.h"
#include "process/mm.h"
#include "syscall/rlimit.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define STRING_MAX (UINT64_C(32) * GUEST_PAGE_SIZE) /* MAX_ARG_STRLEN */
#define ARGS_MIN (UINT64_C(128) << 10)              /* ARG_MAX */
#define ARGS_MAX (UINT64_C(6) << 20)                /* three quarters of _STK_LIM */
#define STACK_HEADROOM (UINT64_C(128) << 10)        /* setup_arg_pages' stack_expand */
#define AUX_MAX 32

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static int count(char **list)
{
    int n = 0;

    while (list[n])
        n++;
    return n;
}

static uint64_t stack_limit(void)
{
    struct rlimit64 rl;

    if (!sys_limit_get(RLIMIT_STACK, &rl) && getrlimit64(RLIMIT_STACK, &rl))
        return UINT64_MAX;
    return rl.rlim_cur; /* RLIM64_INFINITY is UINT64_MAX */
}

static int add_strings(char **list, uint64_t *total)
{
    for (; *list; list++) {
        size_t len = strlen(*list) + 1;

        if (len > STRING_MAX)
            return -E2BIG;
        *total += len;
    }
    return 0;
}

int load_check_args(int argc, char **argv, char **envp, const struct load_why *why)
{
    uint64_t limit = stack_limit() / 4, total = 0, pointers;

    if (limit > ARGS_MAX)
        limit = ARGS_MAX;
    if (limit < ARGS_MIN)
        limit = ARGS_MIN;
    pointers = ((argc > 1 ? argc : 1) + (uint64_t)count(envp)) * 8;
    if (add_strings(argv, &total) || add_strings(envp, &total))
        return load_fail(why, E2BIG, "an argument or variable is longer than %lu bytes",
                         (unsigned long)STRING_MAX - 1);
    if (limit <= pointers || total > limit - pointers)
        return load_fail(why, E2BIG,
                         "arguments and environment take %lu bytes, and %lu are allowed",
                         (unsigned long)(total + pointers), (unsigned long)limit);
    return 0;
}

/* A copy of the upper end of the stack, filled from the top down. */
struct frame {
    uint8_t *buf;
    uint64_t top, sp, low; /* guest addresses: buf is [low, top) */
};

static void *at(struct frame *f, uint64_t addr)
{
    return f->buf + (addr - f->low);
}

static uint64_t push(struct frame *f, const void *data, size_t len)
{
    f->sp -= len;
    memcpy(at(f, f->sp), data, len);
    return f->sp;
}

/* Push the strings so that they lie in order; where the first begins. */
static uint64_t push_strings(struct frame *f, char **list)
{
    for (int i = count(list) - 1; i >= 0; i--)
        push(f, list[i], strlen(list[i]) + 1);
    return f->sp;
}

static unsigned fill_auxv(uint64_t (*aux)[2], const struct load_stack *s, uint64_t execfn,
                          uint64_t random, uint64_t platform)
{
    const struct guest *g = s->guest;
    unsigned n = 0;

#define AUX(type, value)                 \
    do {                                 \
        aux[n][0] = (type);              \
        aux[n++][1] = (uint64_t)(value); \
    } while (0)
    if (process.vdso)
        AUX(AT_SYSINFO_EHDR, process.vdso);
    if (g->sigframe_size)
        AUX(AT_MINSIGSTKSZ, g->sigframe_size() + g->sigframe_pad);
    AUX(AT_HWCAP, g->hwcap);
    AUX(AT_PAGESZ, GUEST_PAGE_SIZE);
    AUX(AT_CLKTCK, sysconf(_SC_CLK_TCK));
    AUX(AT_PHDR, s->image->phdr);
    AUX(AT_PHENT, sizeof(Elf64_Phdr));
    AUX(AT_PHNUM, s->image->eh.e_phnum);
    AUX(AT_BASE, s->interp_base);
    AUX(AT_FLAGS, 0);
    AUX(AT_ENTRY, s->image->entry);
    AUX(AT_UID, getuid());
    AUX(AT_EUID, geteuid());
    AUX(AT_GID, getgid());
    AUX(AT_EGID, getegid());
    AUX(AT_SECURE, getauxval(AT_SECURE));
    AUX(AT_RANDOM, random);
    AUX(AT_HWCAP2, g->hwcap2);
    AUX(AT_EXECFN, execfn);
    if (platform)
        AUX(AT_PLATFORM, platform);
    AUX(AT_NULL, 0);
#undef AUX
    return n;
}

static uint64_t random_below(uint64_t n)
{
    uint32_t r;

    if ((personality(0xffffffff) & ADDR_NO_RANDOMIZE) ||
        getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        return 0;
    return r % n;
}

/* The same for each seed: splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
static void seeded_bytes(uint64_t seed, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof seed) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(to + i, &z, sizeof z);
    }
}

/* Map [top - size, top) as a stack. */
static int64_t map_stack(uint64_t top, uint64_t size, bool grows, bool exec)
{
    return mm_mmap(top - size, size, PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0),
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_STACK |
                       (grows ? MAP_GROWSDOWN : 0),
                   -1, 0);
}

int64_t load_build_stack(const struct load_stack *s, const struct load_why *why)
{
    uint64_t top = mm_stack_top(), aux[AUX_MAX][2], strings = 0, limit, need, size, *word;
    const char *platform_name = s->guest->platform;
    int envc = count(s->envp);
    uint8_t random[16];
    int64_t r;

    add_strings(s->argv, &strings);
    add_strings(s->envp, &strings);
    need = strings + strlen(s->execfn) + 1 + 8 + (platform_name ? strlen(platform_name) + 1 : 0) +
           sizeof random + sizeof aux + ((uint64_t)s->argc + envc + 3) * 8 + GUEST_PAGE_SIZE + 64;
    need = (need + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    limit = s->size ? (s->size + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK : stack_limit();
    size = s->size ? limit : need + STACK_HEADROOM;
    if (size > limit)
        size = limit & ~GUEST_PAGE_MASK;
    if (size < need)
        return load_fail(why, E2BIG, "a stack of %lu bytes has no room for its arguments",
                         (unsigned long)limit);
    if (size > top / 2)
        return load_fail(why, ENOMEM, "a stack of %lu bytes does not fit", (unsigned long)size);
    r = map_stack(top, size, !s->size, s->image->exec_stack);
    if (r < 0)
        return load_fail(why, r == -EEXIST ? ENOMEM : -r, "no place for a stack of %lu bytes: %s",
                         (unsigned long)size, strerror(r == -EEXIST ? ENOMEM : -r));
    mm_set_name(top - size, "[stack]");

    struct frame f = {.buf = calloc(1, need), .top = top, .sp = top, .low = top - need};
    if (!f.buf)
        return load_fail(why, ENOMEM, "no memory for its arguments");
    f.sp -= 8;
    uint64_t execfn = push(&f, s->execfn, strlen(s->execfn) + 1);
    process.env_end = f.sp;
    process.env_start = push_strings(&f, s->envp);
    process.arg_end = f.sp;
    process.arg_start = push_strings(&f, s->argv);
    f.sp = (f.sp - random_below(GUEST_PAGE_SIZE)) & ~UINT64_C(15);
    uint64_t platform = platform_name ? push(&f, platform_name, strlen(platform_name) + 1) : 0;
    if (s->seed)
        seeded_bytes(*s->seed, random, sizeof random);
    else if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
        memcpy(random, (const void *)getauxval(AT_RANDOM), sizeof random);
    uint64_t random_at = push(&f, random, sizeof random);
    unsigned naux = fill_auxv(aux, s, execfn, random_at, platform);

    f.sp = (f.sp - ((uint64_t)s->argc + envc + 3) * 8 - naux * sizeof aux[0]) & ~UINT64_C(15);
    word = at(&f, f.sp);
    *word++ = s->argc;
    uint64_t string = process.arg_start;
    for (int i = 0; i < s->argc; i++) {
        *word++ = string;
        string += strlen(s->argv[i]) + 1;
    }
    *word++ = 0;
    string = process.env_start;
    for (int i = 0; i < envc; i++) {
        *word++ = string;
        string += strlen(s->envp[i]) + 1;
    }
    *word++ = 0;
    memcpy(word, aux, naux * sizeof aux[0]);
    process.auxv_start = f.sp + ((uint8_t *)word - (uint8_t *)at(&f, f.sp));
    process.auxv_end = process.auxv_start + naux * sizeof aux[0];
    process.stack_start = f.sp;
    r = mm_write(f.sp, at(&f, f.sp), top - f.sp);
    free(f.buf);
    if (r)
        return load_fail(why, -r, "cannot write to its stack: %s", strerror(-r));
    return f.sp;
}
