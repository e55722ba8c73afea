/* Logging by category: what -d and -D on the command line choose.
 *
 * Owns: the table of categories, which are on, and where the text goes.
 *
 * Invariants: one log_printf is one write(2), so lines of threads and of forked children never
 * mix; whoever makes a line out of parts collects it in a struct log_line first. Nothing is
 * written and nothing formatted unless the caller found the category on.
 *
 * Threading: options are set before the first guest thread starts and not changed later; the rest
 * may be called from any thread, and from signal context as far as the formats are plain
 * (integers and strings).
 */
#ifndef DRAGOMAN_BASE_LOG_H
#define DRAGOMAN_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name on the command line, what it shows */
#define LOG_CATEGORIES(X)                                                                   \
    X(IN_ASM, in_asm, "guest instructions of each block when it is lifted")                 \
    X(OP, op, "micro-ops of each block when it is lifted")                                  \
    X(OP_OPT, op_opt, "micro-ops of each region after the translator's passes")             \
    X(OUT_ASM, out_asm, "host code of each translation")                                    \
    X(EXEC, exec,                                                                           \
      "blocks entered from the run loop (with nochain, all but targets of indirect jumps)") \
    X(CPU, cpu, "guest registers before each block entered from the run loop")              \
    X(INT, int, "signals and faults that the guest gets")                                   \
    X(STRACE, strace, "system calls, decoded")                                              \
    X(PAGE, page, "the guest's memory map when its program is loaded")                      \
    X(MM, mm, "writes to pages that held code")                                             \
    X(CACHE, cache, "code cache: what is invalidated and evicted")                          \
    X(UNIMP, unimp, "system calls that are not implemented")                                \
    X(NOCHAIN, nochain, "no output: blocks and translations are not linked to each other")

enum log_category {
#define X(id, name, text) LOG_##id,
    LOG_CATEGORIES(X)
#undef X
        LOG_CATEGORY_COUNT
};

/* Bit per category. Only log.c writes it. */
extern uint32_t log_mask;

static inline bool log_enabled(enum log_category c)
{
    return __builtin_expect(log_mask >> c & 1, 0);
}

/* On, and not for other guest addresses alone (log_filter): for what is said of code at pc. */
bool log_in_range(uint64_t pc);
static inline bool log_at(enum log_category c, uint64_t pc)
{
    return log_enabled(c) && log_in_range(pc);
}

/* Turn on the categories of a comma-separated list of names ("all" is every one but nochain).
 * Returns NULL, or the first unknown name (its start within `names`, running to a comma or the
 * end), in which case nothing was changed. */
const char *log_enable(const char *names);
void log_enable_one(enum log_category c);

/* Restrict what is said of code to ranges of guest addresses, separated by commas: START..END (the last one that
 * belongs to it), START+LENGTH, or START-LENGTH for so many up to START. NULL, or the range that is none, in which case nothing
 * was changed. */
#define LOG_RANGES_MAX 16
const char *log_filter(const char *ranges);

/* Write the list of categories to fd, a line each (for -d help). */
void log_list(int fd);

/* Send the log to a file instead of standard error. "%d" in the path stands for the process id.
 * With `append` an existing file is kept, else emptied. The descriptor is close-on-exec and out of
 * the way of the small numbers. 0, or a negative errno. */
int log_open(const char *path, bool append);

/* The log's descriptor, which the guest must not close: -1 while it is standard error. */
int log_fd(void);

/* Write formatted text, which should end in a newline, by one write(2). Longer than LOG_LINE_MAX
 * it is cut off, and marked so. */
#define LOG_LINE_MAX 4096
void log_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* A line made out of parts. Needs no set-up but len = 0, and nothing is to be freed. */
struct log_line {
    size_t len; /* < LOG_LINE_MAX */
    char text[LOG_LINE_MAX];
};
void log_line_add(struct log_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_line_write(struct log_line *l); /* as it is, then empties it */

#endif
