/* Loading a program: scripts, image, interpreter, vdso, stack, registers. */
#include "loader/load.h"
#include "loader/image.h"
#include "loader/probe.h"
#include "loader/stack.h"
#include "process/mm.h"
#include "syscall/sys.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A program on the way from the script that was asked for to the ELF file that will run. */
struct target {
    int fd;          /* the caller's, or our own further on */
    char *host_path; /* malloc */
    int argc;
    char **argv; /* malloc: the array, and behind it the words that scripts put in front */
    int own;     /* how many those are */
};

static char *copy_string(const char *s)
{
    char *c = strdup(s);

    if (!c)
        abort();
    return c;
}

/* Copy a word to *room and step over it. */
static char *put_word(char **room, const char *word)
{
    char *at = *room;

    *room = stpcpy(at, word) + 1;
    return at;
}

/* Put the interpreter and its argument before the script's name and arguments. */
static int enter_script(struct target *t, const struct load_args *a, const struct load_probe *p,
                        int depth, const struct load_why *why)
{
    const char *script = depth ? t->argv[0] : a->guest_path;
    size_t array = (t->argc + 4) * sizeof(char *);
    size_t size = array + strlen(p->interp) + strlen(p->interp_arg) + strlen(script) + 3;
    char buf[PATH_MAX], **argv, *room;
    int n = 0, fd;

    for (int i = 1; i < t->own; i++)
        size += strlen(t->argv[i]) + 1;
    argv = calloc(1, size);
    if (!argv)
        return load_fail(why, ENOMEM, "no memory for its arguments");
    room = (char *)argv + array;
    argv[n++] = put_word(&room, p->interp);
    if (p->interp_arg[0])
        argv[n++] = put_word(&room, p->interp_arg);
    argv[n++] = put_word(&room, script);
    for (int i = 1; i < t->own; i++)
        argv[n++] = put_word(&room, t->argv[i]);
    int own = n;
    for (int i = t->own ? t->own : 1; i < t->argc; i++)
        argv[n++] = t->argv[i];
    free(t->argv);
    t->argv = argv;
    t->argc = n;
    t->own = own;
    const char *host = sys_host_path(buf, p->interp);
    fd = load_open(host);
    if (fd < 0)
        return load_fail(why, -fd, "its interpreter %s: %s", p->interp, strerror(-fd));
    if (t->fd != a->fd)
        close(t->fd);
    t->fd = fd;
    free(t->host_path);
    t->host_path = copy_string(host);
    return 0;
}

/* Follow #! lines. Returns the kind of what is at their end, or -errno. */
static int resolve(struct target *t, const struct load_args *a, const struct load_why *why)
{
    struct load_probe p;

    for (int depth = 0;; depth++) {
        load_probe_fd(t->fd, &p);
        if (p.kind == LOAD_ERROR)
            return load_fail(why, p.error, "%s", p.why);
        if (p.kind != LOAD_SCRIPT)
            return p.kind;
        if (depth >= LOAD_SCRIPT_DEPTH)
            return load_fail(why, ELOOP,
                             "scripts whose interpreters are scripts, more than %d deep",
                             LOAD_SCRIPT_DEPTH);
        int r = enter_script(t, a, &p, depth, why);
        if (r)
            return r;
    }
}

static int map_vdso(const struct guest *g, const struct load_why *why)
{
    uint64_t size = (g->vdso_size + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    int64_t r;

    if (!g->vdso_image)
        return 0;
    r = mm_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r < 0 || mm_write(r, g->vdso_image, g->vdso_size) ||
        mm_mprotect(r, size, PROT_READ | PROT_EXEC))
        return load_fail(why, ENOMEM, "no place for the vdso");
    mm_set_name(r, "[vdso]");
    process.vdso = r;
    return 0;
}

/* The program's own name, on the host and for the guest. */
static void set_exe(int fd, const char *fallback)
{
    char link[64], path[PATH_MAX];
    const char *guest = path;
    size_t root = process.sysroot ? strlen(process.sysroot) : 0;
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        n = snprintf(path, sizeof path, "%s", fallback);
    path[n] = 0;
    while (root && process.sysroot[root - 1] == '/')
        root--;
    if (root && !strncmp(path, process.sysroot, root) && path[root] == '/')
        guest = path + root;
    process.host_exe = copy_string(path);
    process.exe_path = copy_string(guest);
}

static int load_elf(struct thread *t, const struct target *g, const struct load_args *a,
                    const struct load_why *why)
{
    struct load_image im = {0}, in = {0};
    char buf[PATH_MAX];
    int fd = -1, r;

    r = load_image_read(&im, g->fd, NULL, NULL, why);
    if (r)
        return r;
    process.guest = im.guest;
    t->cpu.guest = im.guest;
    if (im.interp[0]) {
        fd = load_open(sys_host_path(buf, im.interp));
        if (fd < 0) {
            r = load_fail(why, -fd, "its interpreter %s: %s", im.interp, strerror(-fd));
            goto out;
        }
        r = load_image_read(&in, fd, im.interp, im.guest, why);
        if (r)
            goto out;
    }
    r = load_image_map(&im, false, why);
    if (r)
        goto out;
    /* A static PIE's heap would lie among the libraries: give it the place that a PIE has. */
    if (im.eh.e_type == ET_DYN && !im.interp[0])
        mm_set_brk(mm_pie_base(GUEST_PAGE_SIZE));
    else
        mm_set_brk(im.bias + im.high);
    if (fd >= 0 && (r = load_image_map(&in, true, why)))
        goto out;
    r = map_vdso(im.guest, why);
    if (r)
        goto out;
    struct load_stack s = {
        .guest = im.guest,
        .image = &im,
        .interp_base = fd >= 0 ? in.bias : 0,
        .execfn = a->guest_path,
        .argc = g->argc,
        .argv = g->argv,
        .envp = a->envp,
        .size = a->stack_size,
        .seed = a->seed,
    };
    int64_t sp = load_build_stack(&s, why);
    if (sp < 0) {
        r = sp;
        goto out;
    }
    process.argv = g->argv;
    process.entry = im.entry;
    process.phdr = im.phdr;
    set_exe(g->fd, g->host_path);
    im.guest->cpu_reset(&t->cpu);
    im.guest->cpu_start(&t->cpu, fd >= 0 ? in.entry : im.entry, sp);
out:
    load_image_free(&im);
    load_image_free(&in);
    if (fd >= 0)
        close(fd);
    return r;
}

int load_program(struct thread *t, const struct load_args *a, char *why_text, size_t why_size)
{
    const struct load_why why = {why_text, why_size};
    struct target g = {.fd = a->fd, .argc = a->argc};
    int r;

    if (why_size)
        why_text[0] = 0;
    /* Without arguments the kernel gives an empty argv[0]. */
    g.argv = calloc(a->argc + 2, sizeof *g.argv);
    if (!g.argv)
        return load_fail(&why, ENOMEM, "no memory for its arguments");
    for (int i = 0; i < a->argc; i++)
        g.argv[i] = a->argv[i];
    if (!g.argc)
        g.argv[g.argc++] = (char *)"";
    g.host_path = copy_string(a->path);
    r = resolve(&g, a, &why);
    if (r >= 0) {
        int e = load_check_args(g.argc, g.argv, a->envp, &why);
        if (e)
            r = e;
    }
    if (r == LOAD_HOST) {
        /* The interpreter of a script is a program of the host's: it takes this process over. */
        execve(g.host_path, g.argv, a->envp);
        r = load_fail(&why, errno, "%s: %s", g.host_path, strerror(errno));
    } else if (r == LOAD_GUEST) {
        r = load_elf(t, &g, a, &why);
    }
    if (g.fd != a->fd)
        close(g.fd);
    free(g.host_path);
    if (r)
        free(g.argv);
    return r;
}
