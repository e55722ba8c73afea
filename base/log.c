/* The log: categories, destination, and writing; see log.h. */
#include "base/log.h"
#include "base/host.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t log_mask;
static int destination = STDERR_FILENO;

static const struct {
    const char *name, *text;
} categories[LOG_CATEGORY_COUNT] = {
#define X(id, name, text) [LOG_##id] = {#name, text},
    LOG_CATEGORIES(X)
#undef X
};

void log_enable_one(enum log_category c)
{
    log_mask |= UINT32_C(1) << c;
}

/* The bits of one name of n characters; 0 when there is no such name. */
static uint32_t bits_of(const char *name, size_t n)
{
    if (n == 3 && !memcmp(name, "all", 3))
        return ((UINT32_C(1) << LOG_CATEGORY_COUNT) - 1) & ~(UINT32_C(1) << LOG_NOCHAIN);
    for (unsigned i = 0; i < LOG_CATEGORY_COUNT; i++) {
        if (strlen(categories[i].name) == n && !memcmp(categories[i].name, name, n))
            return UINT32_C(1) << i;
    }
    return 0;
}

const char *log_enable(const char *names)
{
    uint32_t bits = 0;
    for (const char *p = names;;) {
        size_t n = strcspn(p, ",");
        uint32_t b = bits_of(p, n);
        if (!b)
            return p;
        bits |= b;
        p += n;
        if (!*p++)
            break;
    }
    log_mask |= bits;
    return NULL;
}

static struct {
    uint64_t first, last;
} ranges[LOG_RANGES_MAX];
static unsigned nranges; /* 0: all */

bool log_in_range(uint64_t pc)
{
    for (unsigned i = 0; i < nranges; i++)
        if (pc >= ranges[i].first && pc <= ranges[i].last)
            return true;
    return nranges == 0;
}

/* The range that ends at a comma or with the text; false: there is none. */
static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
    char *end, how;
    uint64_t length;
    errno = 0;
    *first = strtoull(text, &end, 0);
    if (end == text || !(how = *end))
        return false;
    if (how == '.' && *++end != '.')
        return false;
    text = end + 1;
    *last = strtoull(text, &end, 0);
    if (end == text || (*end && *end != ',') || errno)
        return false;
    switch (how) {
    case '+':
        length = *last;
        *last = *first + length - 1;
        return length && *last >= *first;
    case '-':
        length = *last;
        *last = *first;
        *first -= length - 1;
        return length && *first <= *last;
    default:
        return how == '.' && *last >= *first;
    }
}

const char *log_filter(const char *text)
{
    unsigned n = 0;
    struct {
        uint64_t first, last;
    } found[LOG_RANGES_MAX];
    for (const char *one = text; one; one = strchr(one, ',') ? strchr(one, ',') + 1 : NULL) {
        if (n == LOG_RANGES_MAX || !parse_range(one, &found[n].first, &found[n].last))
            return one;
        n++;
    }
    memcpy(ranges, found, sizeof(found));
    nranges = n;
    return NULL;
}

void log_list(int fd)
{
    for (unsigned i = 0; i < LOG_CATEGORY_COUNT; i++) {
        char line[160];
        int n = snprintf(line, sizeof(line), "%-10s %s\n", categories[i].name, categories[i].text);
        host_write_all(fd, line, (size_t)n);
    }
}

/* The path with each "%d" replaced. -ENAMETOOLONG when it does not fit. */
static int expand_path(const char *path, char *buf, size_t size)
{
    size_t len = 0;
    for (const char *p = path; *p; p++) {
        char one[2] = {*p, 0}, pid[16];
        const char *add = one;
        if (p[0] == '%' && p[1] == 'd') {
            snprintf(pid, sizeof(pid), "%d", (int)getpid());
            add = pid;
            p++;
        }
        size_t n = strlen(add);
        if (len + n >= size)
            return -ENAMETOOLONG;
        memcpy(buf + len, add, n);
        len += n;
    }
    buf[len] = 0;
    return 0;
}

int log_open(const char *path, bool append)
{
    char name[4096];
    int err = expand_path(path, name, sizeof(name));
    if (err)
        return err;
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
    if (fd < 0)
        return -errno;
    fd = host_fd_high(fd);
    if (destination != STDERR_FILENO)
        close(destination);
    destination = fd;
    return 0;
}

int log_fd(void)
{
    return destination == STDERR_FILENO ? -1 : destination;
}

static void line_vadd(struct log_line *l, const char *fmt, va_list ap)
{
    size_t room = sizeof(l->text) - l->len;
    int n = vsnprintf(l->text + l->len, room, fmt, ap);
    if (n < 0)
        return;
    if ((size_t)n < room) {
        l->len += (size_t)n;
        return;
    }
    static const char mark[] = "[...]\n";
    l->len = sizeof(l->text) - 1;
    memcpy(l->text + sizeof(l->text) - sizeof(mark), mark, sizeof(mark));
}

void log_line_add(struct log_line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    line_vadd(l, fmt, ap);
    va_end(ap);
}

void log_line_write(struct log_line *l)
{
    host_write_all(destination, l->text, l->len);
    l->len = 0;
}

void log_vprintf(const char *fmt, va_list ap)
{
    struct log_line l;
    l.len = 0;
    line_vadd(&l, fmt, ap);
    log_line_write(&l);
}

void log_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_vprintf(fmt, ap);
    va_end(ap);
}
