/* What a program of tests/linux uses to report: it prints what it verified and exits 0 only when all of
 * that held. A program that cannot test here prints why and exits 77 (SKIP). */
#ifndef TESTS_LINUX_CHECK_H
#define TESTS_LINUX_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int checks_failed, checks_made;

#define CHECK(cond)                                                                              \
    do {                                                                                         \
        __atomic_add_fetch(&checks_made, 1, __ATOMIC_RELAXED);                                   \
        if (!(cond)) {                                                                           \
            __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);                   \
        }                                                                                        \
    } while (0)

/* Numbers, shown when they differ. */
#define CHECK_EQ(got, want)                                                                      \
    do {                                                                                         \
        long long got_ = (long long)(got), want_ = (long long)(want);                            \
        __atomic_add_fetch(&checks_made, 1, __ATOMIC_RELAXED);                                   \
        if (got_ != want_) {                                                                     \
            __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);                             \
            fprintf(stderr, "%s:%d: %s is %lld (%#llx), not %lld (%#llx)\n", __FILE__, __LINE__, \
                    #got, got_, got_, want_, want_);                                             \
        }                                                                                        \
    } while (0)

/* A call that fails with this errno. */
#define CHECK_ERR(call, err)                                                                     \
    do {                                                                                         \
        errno = 0;                                                                               \
        long long ret_ = (long long)(call);                                                      \
        int errno_ = errno;                                                                      \
        __atomic_add_fetch(&checks_made, 1, __ATOMIC_RELAXED);                                   \
        if (ret_ != -1 || errno_ != (err)) {                                                     \
            __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);                             \
            fprintf(stderr, "%s:%d: %s gives %lld, errno %d (%s), not %s\n", __FILE__, __LINE__, \
                    #call, ret_, errno_, strerror(errno_), #err);                                \
        }                                                                                        \
    } while (0)

/* The end of a group of checks. */
static inline void verified(const char *what)
{
    static int failed_before;
    int failed = checks_failed - failed_before;
    failed_before = checks_failed;
    printf("%s: %s\n", what, failed ? "WRONG" : "ok");
    fflush(stdout);
}

static inline int checks_done(void)
{
    printf("%d checks, %d failed\n", checks_made, checks_failed);
    return checks_failed ? 1 : 0;
}

static inline int skip_all(const char *why)
{
    printf("%s\n", why);
    return 77;
}

#endif
