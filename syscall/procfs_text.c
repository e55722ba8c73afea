/* The files of /proc that tell the guest about itself: their texts.
 *
 * Owns: what in the host's text is about the runtime, and what stands there instead. Formats: proc(5)
 * and Documentation/filesystems/proc.rst.
 *
 * Threading: reentrant; the map is read under its own lock.
 */
#include "process/mm.h"
#include "syscall/procfs.h"
#include "syscall/rlimit.h"
#include "syscall/sys_int.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Bytes of address space that the guest has mapped. */
static uint64_t guest_vm_size(void)
{
    struct mm_stats s;

    mm_get_stats(&s);
    return s.total_pages * GUEST_PAGE_SIZE;
}

/* All of a host file, NUL-terminated. NULL with errno set. */
static char *read_host(int fd, size_t *len)
{
    size_t size = 4096, n = 0;
    char *buf = malloc(size);

    while (buf) {
        ssize_t got = read(fd, buf + n, size - n - 1);

        if (got < 0) {
            int err = errno;

            free(buf);
            errno = err;
            return NULL;
        }
        if (got == 0) {
            buf[n] = 0;
            *len = n;
            return buf;
        }
        n += got;
        if (size - n < 1024) {
            char *more = realloc(buf, size *= 2);

            if (!more)
                free(buf);
            buf = more;
        }
    }
    errno = ENOMEM;
    return NULL;
}

/* The bytes of guest memory from start to end, as the guest has them now. What cannot be read is left out. */
static char *guest_memory(uint64_t start, uint64_t end, size_t *len)
{
    char *buf;

    *len = end > start ? end - start : 0;
    buf = malloc(*len + 1);
    if (buf && mm_read(buf, start, *len))
        *len = 0;
    return buf;
}

/* A program that has overwritten its arguments for ps: when their last byte is no longer NUL, the text goes
 * on into the environment up to its first NUL (fs/proc/base.c: get_mm_cmdline). */
static char *cmdline(size_t *len)
{
    char *buf = guest_memory(process.arg_start, process.env_end, len);
    size_t args = process.arg_end - process.arg_start;

    if (!buf || *len < args || args == 0) {
        free(buf);
        return guest_memory(process.arg_start, process.arg_end, len);
    }
    *len = buf[args - 1] ? strnlen(buf, *len) : args;
    return buf;
}

/* --- addresses ------------------------------------------------------------------------------- */

/* A line of maps as the guest sees it. */
struct map_line {
    uint64_t start, end;
    char perms[5];
    const char *rest; /* offset, device, inode, name, without the newline */
    const char *name; /* "" for none */
};

/* The lines of maps, one after the other. */
struct map_text {
    char *text, *next;
};

/* The text of maps, allocated. Files below the sysroot have the names by which the guest knows them. */
static char *maps_text(size_t *len)
{
    char *text = mm_maps_text(len), *to = text;
    size_t root = process.sysroot ? strlen(process.sysroot) : 0;

    if (!text || root <= 1)
        return text;
    for (char *line = text, *end = text + *len; line < end;) {
        char *next = memchr(line, '\n', end - line);
        size_t before, rest;
        char *name;

        next = next ? next + 1 : end;
        name = memchr(line, '/', next - line); /* no field before the name has one */
        before = name ? name - line : next - line;
        if (name && (size_t)(next - name) > root && !memcmp(name, process.sysroot, root) &&
            name[root] == '/')
            name += root;
        rest = name ? next - name : 0;
        memmove(to, line, before);
        memmove(to + before, name ? name : line, rest);
        to += before + rest;
        line = next;
    }
    *len = to - text;
    return text;
}

static bool map_open(struct map_text *m)
{
    size_t len;

    m->next = m->text = maps_text(&len);
    if (m->text && len)
        m->text[len - 1] = 0; /* in place of the last newline */
    return m->text != NULL;
}

static bool map_next(struct map_text *m, struct map_line *l)
{
    char *line = m->next, *end;
    int rest = 0, name = 0;

    if (!line || !*line)
        return false;
    end = strchr(line, '\n');
    m->next = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %n%*s %*s %*s %n", &l->start, &l->end, l->perms,
               &rest, &name) != 3)
        return false;
    l->rest = line + rest;
    l->name = line + (name ? name : (int)strlen(line));
    return true;
}

struct layout {
    uint64_t code_start, code_end, data_start, data_end, brk_start;
    uint64_t stack_pages;
};

static void layout(struct layout *y)
{
    struct map_text m;
    struct map_line l;

    *y = (struct layout){0};
    if (!map_open(&m))
        return;
    while (map_next(&m, &l)) {
        if (!strcmp(l.name, "[heap]")) {
            y->brk_start = l.start;
        } else if (!strcmp(l.name, "[stack]")) {
            y->stack_pages = (l.end - l.start) / GUEST_PAGE_SIZE;
        } else if (process.exe_path && !strcmp(l.name, process.exe_path)) {
            if (l.perms[2] == 'x') {
                if (!y->code_start)
                    y->code_start = l.start;
                y->code_end = l.end;
            } else if (l.perms[1] == 'w') {
                if (!y->data_start)
                    y->data_start = l.start;
                y->data_end = l.end;
            }
        }
    }
    free(m.text);
}

/* Fields of stat by their number in proc(5); the first two are before the last ')'. */
static char *stat_text(char *host, size_t *len)
{
    struct layout y;
    char *rest = strrchr(host, ')');
    char *out = NULL, *save = NULL;
    FILE *f = open_memstream(&out, len);

    if (!f || !rest) {
        if (f)
            fclose(f);
        free(out);
        errno = ENOMEM;
        return NULL;
    }
    layout(&y);
    rest[1] = 0;
    fputs(host, f);
    int n = 3;
    for (char *s = strtok_r(rest + 2, " \n", &save); s; s = strtok_r(NULL, " \n", &save), n++) {
        switch (n) {
        case 23:
            fprintf(f, " %" PRIu64, guest_vm_size());
            break;
        case 26:
            fprintf(f, " %" PRIu64, y.code_start);
            break;
        case 27:
            fprintf(f, " %" PRIu64, y.code_end);
            break;
        case 28:
            fprintf(f, " %" PRIu64, process.stack_start);
            break;
        case 45:
            fprintf(f, " %" PRIu64, y.data_start);
            break;
        case 46:
            fprintf(f, " %" PRIu64, y.data_end);
            break;
        case 47:
            fprintf(f, " %" PRIu64, y.brk_start);
            break;
        case 48:
            fprintf(f, " %" PRIu64, process.arg_start);
            break;
        case 49:
            fprintf(f, " %" PRIu64, process.arg_end);
            break;
        case 50:
            fprintf(f, " %" PRIu64, process.env_start);
            break;
        case 51:
            fprintf(f, " %" PRIu64, process.env_end);
            break;
        default:
            fprintf(f, " %s", s);
        }
    }
    fputc('\n', f);
    fclose(f);
    return out;
}

/* Total size is the guest's; what is resident or shared stays the host's. */
static char *statm_text(const char *host, size_t *len)
{
    const char *rest = strchr(host, ' ');
    char *out = NULL;
    int n = asprintf(&out, "%" PRIu64 "%s", guest_vm_size() / GUEST_PAGE_SIZE, rest ? rest : "");

    *len = n < 0 ? 0 : n;
    return n < 0 ? NULL : out;
}

/* --- status and limits: the host's text with some lines replaced --------------------------------- */

/* The signals that the guest catches, or those that it ignores. */
static uint64_t signals(struct thread *t, bool caught)
{
    uint64_t set = 0;

    pthread_mutex_lock(&t->sighand->lock);
    for (int i = 0; i < 64; i++)
        if (caught ? t->sighand->action[i].handler > 1 : t->sighand->action[i].handler == 1)
            set |= UINT64_C(1) << i;
    pthread_mutex_unlock(&t->sighand->lock);
    return set;
}

static bool starts(const char *line, const char *with)
{
    return !strncmp(line, with, strlen(with));
}

static void status_line(struct thread *t, FILE *f, const char *line)
{
    struct layout y;

    if (starts(line, "VmPeak:\t") || starts(line, "VmSize:\t")) {
        fprintf(f, "%.8s%8" PRIu64 " kB\n", line, guest_vm_size() / 1024);
    } else if (starts(line, "VmStk:\t")) {
        layout(&y);
        fprintf(f, "VmStk:\t%8" PRIu64 " kB\n", y.stack_pages * (GUEST_PAGE_SIZE / 1024));
    } else if (starts(line, "VmExe:\t")) {
        layout(&y);
        fprintf(f, "VmExe:\t%8" PRIu64 " kB\n", (y.code_end - y.code_start) / 1024);
    } else if (starts(line, "SigIgn:\t")) {
        fprintf(f, "SigIgn:\t%016" PRIx64 "\n", signals(t, false));
    } else if (starts(line, "SigCgt:\t")) {
        fprintf(f, "SigCgt:\t%016" PRIx64 "\n", signals(t, true));
    } else if (starts(line, "Seccomp:\t")) {
        fprintf(f, "Seccomp:\t%d\n", sys_seccomp_mode(t));
    } else if (starts(line, "Seccomp_filters:\t")) {
        fprintf(f, "Seccomp_filters:\t%u\n", sys_seccomp_filters(t));
    } else if (starts(line, "SigBlk:\t")) {
        fprintf(f, "SigBlk:\t%016" PRIx64 "\n", t->sigmask);
    } else if (!starts(line, "x86_")) {
        fprintf(f, "%s\n", line);
    }
}

static void limit_value(FILE *f, rlim64_t v)
{
    if (v == RLIM64_INFINITY)
        fprintf(f, "%-20s ", "unlimited");
    else
        fprintf(f, "%-20" PRIu64 " ", (uint64_t)v);
}

static void limits_line(struct thread *t, FILE *f, const char *line)
{
    static const struct {
        const char *name;
        int resource;
    } own[] = {
        {"Max stack size", RLIMIT_STACK},
        {"Max address space", RLIMIT_AS},
        {"Max data size", RLIMIT_DATA},
    };
    struct rlimit64 v;

    (void)t;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (starts(line, own[i].name) && sys_limit_get(own[i].resource, &v)) {
            fprintf(f, "%-25s ", own[i].name);
            limit_value(f, v.rlim_cur);
            limit_value(f, v.rlim_max);
            fprintf(f, "%-10s\n", "bytes");
            return;
        }
    }
    fprintf(f, "%s\n", line);
}

static char *edit_lines(struct thread *t, char *host, size_t *len,
                        void (*edit)(struct thread *t, FILE *f, const char *line))
{
    char *out = NULL;
    FILE *f = open_memstream(&out, len);

    if (!f)
        return NULL;
    for (char *line = host; *line;) {
        char *end = strchrnul(line, '\n');
        char *next = *end ? end + 1 : end;

        *end = 0;
        edit(t, f, line);
        line = next;
    }
    fclose(f);
    return out;
}

/* --- smaps ----------------------------------------------------------------------------------- */

/* The host's entries that lie in the guest's areas, under the guest's names and protections. The host may
 * have split an area of the guest where pages hold lifted code; then it shows in as many parts. */
static char *smaps_text(char *host, size_t *len)
{
    char *out = NULL;
    struct map_text m;
    struct map_line l = {0};
    bool more = map_open(&m) && map_next(&m, &l), keep = false;
    FILE *f = open_memstream(&out, len);

    while (f && *host) {
        char *end = strchrnul(host, '\n'), *next = *end ? end + 1 : end;
        uint64_t start, stop;
        char perms[8];

        *end =
            0; /* sscanf measures the whole of its text, which would be every line left, each time */
        if (sscanf(host, "%" SCNx64 "-%" SCNx64 " %7s ", &start, &stop, perms) == 3) {
            while (more && l.end <= start)
                more = map_next(&m, &l);
            keep = more && l.start <= start;
            if (keep)
                fprintf(f, "%08" PRIx64 "-%08" PRIx64 " %s %s\n", start, stop, l.perms, l.rest);
        } else if (keep) {
            fprintf(f, "%s\n", host);
        }
        host = next;
    }
    if (f)
        fclose(f);
    free(m.text);
    return out;
}

/* The sum of the entries' fields of smaps: the kernel's smaps_rollup has the same names. */
static char *rollup_text(size_t *len)
{
    struct {
        char name[32];
        uint64_t kb;
    } field[32];
    size_t nfields = 0, size;
    uint64_t first = 0, last = 0, start, stop, kb;
    char name[32], *out = NULL, *smaps;
    FILE *f, *in;
    char line[512];

    in = fopen("/proc/self/smaps", "re");
    if (!in)
        return NULL;
    smaps = read_host(fileno(in), &size);
    fclose(in);
    if (!smaps)
        return NULL;
    char *own = smaps_text(smaps, &size);
    free(smaps);
    if (!own)
        return NULL;
    in = fmemopen(own, size ? size : 1, "r");
    f = open_memstream(&out, len);
    while (in && f && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &stop) == 2) {
            first = first ? first : start;
            last = stop;
        } else if (sscanf(line, "%31[A-Za-z_]: %" SCNu64 " kB", name, &kb) == 2 &&
                   strcmp(name, "Size") && strcmp(name, "KernelPageSize") &&
                   strcmp(name, "MMUPageSize") && strcmp(name, "THPeligible")) {
            size_t i = 0;

            while (i < nfields && strcmp(field[i].name, name))
                i++;
            if (i == nfields && nfields < sizeof field / sizeof *field) {
                strcpy(field[nfields].name, name);
                field[nfields++].kb = 0;
            }
            if (i < nfields)
                field[i].kb += kb;
        }
    }
    if (f) {
        fprintf(f, "%" PRIx64 "-%" PRIx64 " ---p 00000000 00:00 0 %26s[rollup]\n", first, last, "");
        for (size_t i = 0; i < nfields; i++)
            fprintf(f, "%s:%*s%8" PRIu64 " kB\n", field[i].name, (int)(15 - strlen(field[i].name)),
                    "", field[i].kb);
        fclose(f);
    }
    if (in)
        fclose(in);
    free(own);
    return out;
}

/* --- what is not a process's ------------------------------------------------------------------ */

static char *cpuinfo_text(size_t *len)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t size = 1024 * (cpus > 0 ? cpus : 1) + 4096;
    char *buf = malloc(size);

    if (buf)
        *len = process.guest->cpuinfo(buf, size, cpus > 0 ? cpus : 1);
    return buf;
}

static char *one_line(const char *s, size_t *len)
{
    char *out = NULL;
    int n = asprintf(&out, "%s\n", s);

    *len = n < 0 ? 0 : n;
    return n < 0 ? NULL : out;
}

char *proc_text(struct thread *t, enum proc_file file, int host, size_t *len)
{
    char *text, *out = NULL;

    switch (file) {
    case PROC_AUXV:
        return guest_memory(process.auxv_start, process.auxv_end, len);
    case PROC_CMDLINE:
        return cmdline(len);
    case PROC_CPUINFO:
        return cpuinfo_text(len);
    case PROC_ENVIRON:
        return guest_memory(process.env_start, process.env_end, len);
    case PROC_KERNEL_ARCH:
        return one_line(process.guest->uname_machine, len);
    case PROC_MAPS:
        return maps_text(len);
    case PROC_KERNEL_RELEASE:
        if (process.uname_release)
            return one_line(process.uname_release, len);
        break;
    default:
        break;
    }
    text = read_host(host, len);
    if (!text)
        return NULL;
    switch (file) {
    case PROC_LIMITS:
        out = edit_lines(t, text, len, limits_line);
        break;
    case PROC_SMAPS:
        out = smaps_text(text, len);
        break;
    case PROC_SMAPS_ROLLUP:
        out = rollup_text(len);
        break;
    case PROC_STAT:
        out = stat_text(text, len);
        break;
    case PROC_STATM:
        out = statm_text(text, len);
        break;
    case PROC_STATUS:
        out = edit_lines(t, text, len, status_line);
        break;
    default:
        return text;
    }
    free(text);
    return out;
}
