/* What Dragoman says to its user about itself: errors, and reports of its own bugs.
 *
 * Owns: the form of a message (`dragoman: ...`, one line, one write(2) to standard error) and how
 * the VM dies by a bug of its own: a report (message, host registers' backtrace, what the
 * registered callbacks know about the guest), then SIGABRT with its default action, so that a
 * parent sees it and a core can be had.
 *
 * Invariants: nothing here allocates or takes a lock of the VM's, so all of it may be called from
 * signal context.
 *
 * Threading: any thread. Of several threads that meet a bug at once, the first reports and the
 * others stop.
 */
#ifndef DRAGOMAN_BASE_REPORT_H
#define DRAGOMAN_BASE_REPORT_H

#include <stdarg.h>

/* Tell the user. The text says what went wrong, with what, and what to do; no newline. */
void report_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void report_verror(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* The VM found itself wrong. Does not return. */
#define vm_bug(...) report_bug(__FILE__, __LINE__, (void *)0, __VA_ARGS__)

/* The same, from a host signal handler for a fault in the VM's own code: `ucontext` is the
 * handler's third argument, and the backtrace starts from there. */
#define vm_bug_at(ucontext, ...) report_bug(__FILE__, __LINE__, (ucontext), __VA_ARGS__)

_Noreturn void report_bug(const char *file, int line, void *ucontext, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The host refuses memory that the VM cannot do without: a limit or a full machine, no bug. What it was for; says so, and
 * what to do, and dies by SIGABRT. */
_Noreturn void report_no_memory(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A check that only debug builds (--enable-debug) make. */
#ifdef DRAGOMAN_DEBUG
#define vm_assert(cond)                            \
    do {                                           \
        if (!(cond))                               \
            vm_bug("assertion failed: %s", #cond); \
    } while (0)
#else
#define vm_assert(cond) ((void)sizeof(!(cond)))
#endif

/* Have fn(arg) called in each report of a bug, to add lines by report_line: guest registers, a
 * guest backtrace. It must be fit for signal context and expect anything to be broken; a crash in
 * it ends the report but not the dying. Up to 8, never removed; call before threads start. */
void report_add_callback(void (*fn)(void *arg), void *arg);

/* Write text as a line of the report under way (a newline is added). */
void report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The host's call chain, a line per frame, from `ucontext`, or from the caller where NULL. */
void report_host_backtrace(void *ucontext);

/* Die by the given signal with its default action, whatever handlers and masks are set. */
_Noreturn void report_die(int signo);

#endif
