/* For the programs of tests/linux: each runs the same on a real machine and under Dragoman, says what it has
 * verified, and fails with the place and the values where something is otherwise. */
#ifndef DRAGOMAN_TESTS_LINUX_EXPECT_H
#define DRAGOMAN_TESTS_LINUX_EXPECT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An address that is never mapped, one that is the kernel's; unknown to the compiler, which would warn. */
#define BAD expect_pointer(8)
#define KERNEL expect_pointer(-4096)

static inline void *expect_pointer(long v)
{
    __asm__("" : "+r"(v));
    return (void *)v;
}

/* A value that must be exactly so. */
#define EXPECT_EQ(have, want) expect_eq(__FILE__, __LINE__, #have, (long)(have), (long)(want))
/* A call that must fail with -1 and this errno. */
#define EXPECT_ERR(call, err)                                      \
    do {                                                           \
        errno = 0;                                                 \
        long ret_ = (long)(call);                                  \
        expect_err(__FILE__, __LINE__, #call, ret_, errno, (err)); \
    } while (0)
/* A call that must not fail; its value. */
#define EXPECT_OK(call) expect_ok(__FILE__, __LINE__, #call, (long)(call))
#define EXPECT(cond) expect_eq(__FILE__, __LINE__, #cond, !!(cond), 1)

static inline void expect_fail(const char *file, int line)
{
    printf("FAIL %s:%d: ", file, line);
}

static inline void expect_eq(const char *file, int line, const char *what, long have, long want)
{
    if (have != want) {
        int err = errno;
        expect_fail(file, line);
        printf("%s is %ld (0x%lx), should be %ld (0x%lx); errno %d\n", what, have, have, want, want,
               err);
        fflush(stdout);
        exit(1);
    }
}

static inline void expect_err(const char *file, int line, const char *what, long ret, int err,
                              int want)
{
    if (ret != -1 || err != want) {
        expect_fail(file, line);
        printf("%s gives %ld, errno %d (%s), should be -1, %d (%s)\n", what, ret, err,
               strerror(err), want, strerror(want));
        fflush(stdout);
        exit(1);
    }
}

static inline long expect_ok(const char *file, int line, const char *what, long ret)
{
    if (ret == -1) {
        int err = errno;
        expect_fail(file, line);
        printf("%s fails: %s\n", what, strerror(err));
        fflush(stdout);
        exit(1);
    }
    return ret;
}

/* Says what has been verified so far. */
static inline void verified(const char *what)
{
    printf("ok %s\n", what);
    fflush(stdout);
}

#endif
