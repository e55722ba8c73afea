/* The guest's /proc/self/maps.
 *
 * File names, devices and offsets come from the host's own list, so they are exactly what the kernel
 * would print (deleted, renamed, escaped names); bounds and protection come from the map. Lines that
 * the host has split within a vma that has code are joined again: they are split for the protection of
 * single pages.
 *
 * Locks: mm_lock, while both lists are read.
 */
#include "process/mm_internal.h"
#include "process/thread.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line of the host's list. */
struct host_line {
    uint64_t start, end, offset;
    char perms[5];
    unsigned major, minor;
    unsigned long ino;
    const char *name; /* "" for none */
};

static char *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 1 << 16, len = 0;
    char *text = malloc(size);
    ssize_t n;

    if (fd < 0 || !text) {
        free(text);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    while ((n = read(fd, text + len, size - len - 1)) > 0) {
        len += n;
        if (size - len < 8192) {
            char *more = realloc(text, size *= 2);
            if (!more)
                break;
            text = more;
        }
    }
    close(fd);
    text[len] = 0;
    return text;
}

/* Parse the line at *p and step over it. */
static bool next_line(char **p, struct host_line *h)
{
    char *line = *p, *nl = strchr(line, '\n');
    int at = 0;

    if (!nl)
        return false;
    *nl = 0;
    *p = nl + 1;
    if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu%n", &h->start, &h->end, h->perms, &h->offset,
               &h->major, &h->minor, &h->ino, &at) < 7)
        return false;
    while (line[at] == ' ')
        at++;
    h->name = line + at;
    return true;
}

struct out {
    char *text;
    size_t len, size;
};

static void emit(struct out *o, const struct host_line *h, const struct vma *v)
{
    char head[128];
    int n = snprintf(head, sizeof head, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", h->start,
                     h->end, v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
                     v->prot & PROT_EXEC ? 'x' : '-', h->perms[3], h->offset, h->major, h->minor,
                     h->ino);
    size_t name = strlen(h->name), need = n + name + 80;

    if (o->size - o->len < need) {
        size_t size = (o->size + need) * 2;
        char *t = realloc(o->text, size);
        if (!t)
            return;
        o->text = t;
        o->size = size;
    }
    memcpy(o->text + o->len, head, n);
    o->len += n;
    if (name) {
        /* The kernel pads to column 73. */
        for (; n < 73; n++)
            o->text[o->len++] = ' ';
        memcpy(o->text + o->len, h->name, name);
        o->len += name;
    }
    o->text[o->len++] = '\n';
    o->text[o->len] = 0;
}

static const char *guest_name(const struct vma *v, const struct host_line *h, uint64_t brk_start,
                              uint64_t brk)
{
    if (v->ino)
        return h->name;
    if (v->name) {
        /* A stack that was cut keeps its name only where it began. */
        if (!strcmp(v->name, "[stack]") && process.stack_start &&
            (h->start > process.stack_start || h->end < process.stack_start))
            return "";
        return v->name;
    }
    if (!strncmp(h->name, "[anon", 5))
        return h->name;
    if (brk > brk_start && h->start <= brk && h->end >= brk_start)
        return "[heap]";
    return "";
}

char *mm_maps_text(size_t *len)
{
    struct out o = {.text = malloc(4096), .size = 4096};
    struct host_line h, held = {0};
    struct vma held_vma = {0};
    struct vma_node *n;
    char *host, *p;

    *len = 0;
    if (!o.text)
        return NULL;
    o.text[0] = 0;
    mm_lock();
    mm_sync_stacks(0, GUEST_ADDR_END);
    host = p = read_file("/proc/self/maps");
    n = mm_vma_from(0);
    while (p && n && next_line(&p, &h)) {
        while (n && n->v.start < h.end) {
            const struct vma *v = &n->v;
            struct host_line piece = h;

            if (v->end <= h.start) {
                n = mm_vma_from(v->end);
                continue;
            }
            if (v->start > piece.start) {
                if (h.ino)
                    piece.offset += v->start - piece.start;
                piece.start = v->start;
            }
            if (v->end < piece.end)
                piece.end = v->end;
            piece.name = guest_name(v, &piece, mm.brk_start, mm.brk);
            /* Next to a page that has, or had, code the host's lines may be split by us. */
            if (held.end == piece.start && held_vma.start == v->start && v->has_code &&
                held.ino == h.ino &&
                (mm_code_known(piece.start) || mm_code_known(piece.start - GUEST_PAGE_SIZE))) {
                held.end = piece.end;
                if (!held.name[0])
                    held.name = piece.name;
            } else {
                if (held.end)
                    emit(&o, &held, &held_vma);
                held = piece;
                held_vma = *v;
            }
            if (v->end > h.end)
                break;
            n = mm_vma_from(v->end);
        }
    }
    if (held.end)
        emit(&o, &held, &held_vma);
    mm_unlock();
    free(host);
    *len = o.len;
    return o.text;
}
