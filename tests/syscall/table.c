/* The rows of syscall.def hold together; layouts are the kernel's; dispatch gives errors where it should. */
#include "tests/unit.h"

#include "syscall/guest_abi.h"
#include "syscall/sys_int.h"
#include <ctype.h>
#include <fcntl.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The kernel's own header of the layout that guest_abi.h declares by hand. */
#undef st_atime
#undef st_mtime
#undef st_ctime
#define stat generic_stat
#include <asm-generic/stat.h>
#undef stat

static void check_row(const struct sys_row *r)
{
    unsigned n = 0;

    while (n < 6 && r->arg[n].kind != K_NONE)
        n++;
    for (unsigned i = n; i < 6; i++)
        assert_int_equal(r->arg[i].kind, K_NONE);
    for (unsigned i = 0; i < n; i++) {
        const struct sys_arg *g = &r->arg[i];

        assert_non_null(g->name);
        switch (g->kind) {
        case K_FLAGS:
        case K_ENUM:
            assert_non_null(g->flags);
            assert_non_null(g->flags[0].name);
            break;
        case K_IN:
        case K_OUT:
        case K_INA:
        case K_OUTA:
        case K_IOA:
        case K_IOVIN:
        case K_IOVOUT:
            /* a count, which is a number */
            assert_true(g->other < n && g->other != i);
            assert_true(r->arg[g->other].kind == K_INT || r->arg[g->other].kind == K_UINT ||
                        r->arg[g->other].kind == K_LONG || r->arg[g->other].kind == K_SIZE);
            break;
        case K_OUTV:
            assert_true(g->other < n);
            assert_int_equal(r->arg[g->other].kind, K_IOS);
            break;
        case K_PATHF:
        case K_PATHX:
            assert_true(g->other < n);
            assert_int_equal(r->arg[g->other].kind, K_FLAGS);
            break;
        case K_REFOUT:
            assert_true(g->size > 0);
            break;
        }
        assert_true(g->type < SYS_STRUCT_COUNT);
    }
    switch (r->how) {
    case HOW_PASS:
        assert_null(r->body);
        for (unsigned i = 0; i < n; i++) {
            /* Memory that nobody has checked must not reach the kernel. */
            if (r->arg[i].kind == K_NAME)
                fail_msg("%s: NAME in a passed call", r->name);
            if (r->arg[i].kind == K_ANY && strcmp(r->name, "kcmp"))
                fail_msg("%s: ANY in a passed call", r->name);
        }
        break;
    case HOW_CONVERT:
    case HOW_EMULATE:
        assert_non_null(r->body);
        break;
    case HOW_REFUSE:
        assert_true(r->error > 0);
        assert_int_equal(r->level, LEVEL_NONE);
        assert_true(r->note[0]);
        break;
    }
    if (r->level == LEVEL_PARTIAL && !r->note[0])
        fail_msg("%s: partial, and no note that says what is missing", r->name);
    if (r->how == HOW_LATER)
        fail_msg("%s has no body", r->name);
}

static void rows_are_consistent(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned nr = 0; nr < SYS_TABLE_SIZE; nr++) {
        const struct sys_row *r = &sys_table[nr];

        if (!r->name)
            continue;
        count++;
        check_row(r);
        if (r->how == HOW_PASS && nr >= 424)
            assert_int_equal(r->host_nr, nr);
        for (unsigned i = 0; i < nr; i++)
            if (sys_table[i].name && !strcmp(sys_table[i].name, r->name))
                fail_msg("%s has two rows", r->name);
    }
    for (const struct sys_row *r = sys_own_rows; r->name; r++)
        check_row(r);
    assert_true(count > 320);
}

static void own_calls_of_guest(void **state)
{
    (void)state;
    assert_string_equal(sys_row_of(&guest_rv64, 258)->name, "riscv_hwprobe");
    assert_string_equal(sys_row_of(&guest_rv64, 259)->name, "riscv_flush_icache");
    for (unsigned nr = 244; nr < 258; nr++)
        assert_null(sys_row_of(&guest_rv64, nr));
    assert_null(sys_row_of(&guest_rv64, 38)); /* renameat: not on riscv */
    assert_string_equal(sys_row_of(&guest_rv64, 63)->name, "read");
    assert_null(sys_row_of(&guest_rv64, 300));
    assert_null(sys_row_of(&guest_rv64, 100000));
    assert_null(sys_row_of(&guest_rv64, UINT64_MAX));
    for (const struct guest_syscall *s = guest_rv64.own_syscalls; s->name; s++)
        assert_non_null(sys_row_of(&guest_rv64, s->nr));
}

#define SAME(a, b) \
    assert_int_equal(offsetof(struct guest_stat, a), offsetof(struct generic_stat, b))

static void stat_is_asm_generic(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct guest_stat), sizeof(struct generic_stat));
    SAME(st_dev, st_dev);
    SAME(st_ino, st_ino);
    SAME(st_mode, st_mode);
    SAME(st_nlink, st_nlink);
    SAME(st_uid, st_uid);
    SAME(st_gid, st_gid);
    SAME(st_rdev, st_rdev);
    SAME(st_size, st_size);
    SAME(st_blksize, st_blksize);
    SAME(st_blocks, st_blocks);
    SAME(st_atime_sec, st_atime);
    SAME(st_atime_nsec, st_atime_nsec);
    SAME(st_mtime_sec, st_mtime);
    SAME(st_mtime_nsec, st_mtime_nsec);
    SAME(st_ctime_sec, st_ctime);
    SAME(st_ctime_nsec, st_ctime_nsec);
}

/* Sizes that rows state, against the host's structs where those are passed on. */
static void struct_sizes(void **state)
{
    (void)state;
    assert_int_equal(sys_struct_size[SYS_STRUCT_timespec], sizeof(struct timespec));
    assert_int_equal(sys_struct_size[SYS_STRUCT_timeval], sizeof(struct timeval));
    assert_int_equal(sys_struct_size[SYS_STRUCT_timezone], sizeof(struct timezone));
    assert_int_equal(sys_struct_size[SYS_STRUCT_itimerval], sizeof(struct itimerval));
    assert_int_equal(sys_struct_size[SYS_STRUCT_itimerspec], sizeof(struct itimerspec));
    assert_int_equal(sys_struct_size[SYS_STRUCT_rlimit], sizeof(struct rlimit));
    assert_int_equal(sys_struct_size[SYS_STRUCT_rusage], sizeof(struct rusage));
    assert_int_equal(sys_struct_size[SYS_STRUCT_statx], sizeof(struct statx));
    assert_int_equal(sys_struct_size[SYS_STRUCT_statfs], sizeof(struct statfs));
    assert_int_equal(sys_struct_size[SYS_STRUCT_utsname], sizeof(struct utsname));
    assert_int_equal(sys_struct_size[SYS_STRUCT_sysinfo], sizeof(struct sysinfo));
    assert_int_equal(sys_struct_size[SYS_STRUCT_tms], sizeof(struct tms));
    assert_int_equal(sys_struct_size[SYS_STRUCT_timex], sizeof(struct timex));
    assert_int_equal(sys_struct_size[SYS_STRUCT_siginfo], sizeof(siginfo_t));
    assert_int_equal(sys_struct_size[SYS_STRUCT_stack], sizeof(stack_t));
    assert_int_equal(sys_struct_size[SYS_STRUCT_msghdr], sizeof(struct msghdr));
    assert_int_equal(sys_struct_size[SYS_STRUCT_stat], sizeof(struct guest_stat));
    assert_int_equal(sys_struct_size[SYS_STRUCT_epoll_event], sizeof(struct guest_epoll_event));
}

/* asm-generic/fcntl.h and, for the other guest, arch/arm64/include/uapi/asm/fcntl.h. */
static void open_flags_move(void **state)
{
    static const struct guest_flagmap arm64[] = {
        {040000, O_DIRECTORY},
        {0100000, O_NOFOLLOW},
        {0200000, O_DIRECT},
        {0400000, 0100000},
        {0, 0},
    };
    struct guest g = guest_rv64;

    (void)state;
    for (unsigned bit = 0; bit < 24; bit++) {
        assert_int_equal(sys_open_flags_to_host(&guest_rv64, 1U << bit), 1U << bit);
        assert_int_equal(sys_open_flags_to_guest(&guest_rv64, 1U << bit), 1U << bit);
    }
    g.open_flags = arm64;
    assert_int_equal(sys_open_flags_to_host(&g, 040000 | 2), O_DIRECTORY | O_RDWR);
    assert_int_equal(sys_open_flags_to_host(&g, 0200000), O_DIRECT);
    assert_int_equal(sys_open_flags_to_host(&g, 0100000 | 02000000), O_NOFOLLOW | O_CLOEXEC);
    for (uint32_t f = 0; f < 0x1000000; f += 04000)
        assert_int_equal(sys_open_flags_to_guest(&g, sys_open_flags_to_host(&g, f)), f);
}

static void hidden_descriptors(void **state)
{
    (void)state;
    assert_false(sys_fd_is_hidden(1000));
    sys_hide_fd(-1);
    assert_int_equal(sys_hidden_floor, UINT32_MAX);
    sys_hide_fd(900);
    sys_hide_fd(800);
    assert_true(sys_fd_is_hidden(900));
    assert_true(sys_fd_is_hidden(800));
    assert_false(sys_fd_is_hidden(850));
    assert_false(sys_fd_is_hidden(3));
    assert_true(sys_fd_is_hidden(UINT64_C(0x100000384))); /* the kernel looks at the low half */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_consistent), cmocka_unit_test(own_calls_of_guest),
        cmocka_unit_test(stat_is_asm_generic), cmocka_unit_test(struct_sizes),
        cmocka_unit_test(open_flags_move),     cmocka_unit_test(hidden_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
