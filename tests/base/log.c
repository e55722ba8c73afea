/* The log: choosing categories, one write per line, the file and its name. */
#include "tests/unit.h"

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/dragoman-log-XXXXXX";

static char *read_file(const char *path)
{
    static char buf[256 * 1024];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(buf, 1, sizeof(buf) - 1, f);
    fclose(f);
    buf[n] = 0;
    return buf;
}

static void test_enable(void **state)
{
    (void)state;
    log_mask = 0;
    assert_null(log_enable("in_asm,strace"));
    assert_true(log_enabled(LOG_IN_ASM));
    assert_true(log_enabled(LOG_STRACE));
    assert_false(log_enabled(LOG_OP));
    const char *names = "op,nonsense,int";
    assert_ptr_equal(log_enable(names), names + 3);
    assert_false(log_enabled(LOG_OP)); /* nothing of a bad list is taken */
    assert_string_equal(log_enable(""), "");
    assert_non_null(log_enable("in_as"));
    assert_non_null(log_enable("in_asmx"));
    log_mask = 0;
    assert_null(log_enable("all"));
    assert_true(log_enabled(LOG_UNIMP));
    assert_false(log_enabled(LOG_NOCHAIN)); /* it changes how the VM runs, so only by name */
    assert_null(log_enable("nochain"));
    assert_true(log_enabled(LOG_NOCHAIN));
    log_mask = 0;
}

static void test_file(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/log.%d", dir, (int)getpid());
    char pattern[128];
    snprintf(pattern, sizeof(pattern), "%s/log.%%d", dir);
    assert_int_equal(log_open(pattern, false), 0);
    assert_true(log_fd() > 15);
    assert_int_equal(fcntl(log_fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    errno = E2BIG;
    log_printf("one %d\n", 1);
    assert_int_equal(errno, E2BIG);
    struct log_line l = {.len = 0};
    log_line_add(&l, "open(");
    log_line_add(&l, "%s, %#x", "\"file\"", 255);
    assert_string_equal(read_file(path), "one 1\n"); /* parts are not written */
    log_line_add(&l, ") = %d\n", -2);
    log_line_write(&l);
    assert_string_equal(read_file(path), "one 1\nopen(\"file\", 0xff) = -2\n");
    assert_int_equal(l.len, 0);

    assert_int_equal(log_open(path, true), 0);
    log_printf("kept\n");
    assert_string_equal(read_file(path), "one 1\nopen(\"file\", 0xff) = -2\nkept\n");
    assert_int_equal(log_open(path, false), 0);
    assert_string_equal(read_file(path), "");
    assert_int_equal(log_open("/nonexistent/dir/file", false), -ENOENT);
}

static void test_overlong_is_cut(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/long", dir);
    assert_int_equal(log_open(path, false), 0);
    static char text[3 * LOG_LINE_MAX];
    memset(text, 'x', sizeof(text) - 1);
    log_printf("%s\n", text);
    char *got = read_file(path);
    assert_int_equal(strlen(got), LOG_LINE_MAX - 1);
    assert_string_equal(got + strlen(got) - 6, "[...]\n");
    struct log_line l = {.len = 0};
    for (int i = 0; i < 1000; i++)
        log_line_add(&l, "0123456789");
    assert_int_equal(l.len, LOG_LINE_MAX - 1);
    log_line_write(&l);
}

/* Many processes write at once; each line must come out whole. */
static void test_lines_do_not_mix(void **state)
{
    (void)state;
    enum { PROCS = 4, LINES = 300 };
    char path[128];
    snprintf(path, sizeof(path), "%s/mix", dir);
    assert_int_equal(log_open(path, false), 0);
    for (int p = 0; p < PROCS; p++) {
        if (fork() == 0) {
            for (int i = 0; i < LINES; i++)
                log_printf("<%c%c%c%c %s>\n", 'a' + p, 'a' + p, 'a' + p, 'a' + p,
                           "a line of some length that says nothing at all");
            _exit(0);
        }
    }
    for (int p = 0; p < PROCS; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    unsigned count[PROCS] = {0};
    for (char *line = strtok(read_file(path), "\n"); line; line = strtok(NULL, "\n")) {
        unsigned p = (unsigned)(line[1] - 'a');
        assert_true(p < PROCS);
        char want[80];
        snprintf(want, sizeof(want), "<%c%c%c%c a line of some length that says nothing at all>",
                 line[1], line[1], line[1], line[1]);
        assert_string_equal(line, want);
        count[p]++;
    }
    for (int p = 0; p < PROCS; p++)
        assert_int_equal(count[p], LINES);
}

/* The forms are those of qemu-user's -dfilter: docs/devel/testing, and its manual page. */
static void test_filter(void **state)
{
    (void)state;
    assert_true(log_in_range(0) && log_in_range(UINT64_MAX));
    static const char *const bad[] = {"",
                                      "x",
                                      "5",
                                      "5..",
                                      "5..4",
                                      "5.6",
                                      "1..2,",
                                      "1+0",
                                      "1-0",
                                      "2-4",
                                      "1..2x",
                                      "1..2,zz",
                                      "1..2;3..4",
                                      "1..99999999999999999999999",
                                      "0xffffffffffffffff+2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(log_filter(bad[i]));
    assert_string_equal(log_filter("1..2,zz,4..5"), "zz,4..5");
    assert_true(log_in_range(77)); /* nothing was changed */
    assert_null(log_filter("0x1000..0x1fff,0x8000+0x10,0x9000-4,0xffffffffffffffff+1"));
    static const struct {
        uint64_t pc;
        bool in;
    } cases[] = {{0xfff, false},     {0x1000, true}, {0x1fff, true}, {0x2000, false},
                 {0x7fff, false},    {0x8000, true}, {0x800f, true}, {0x8010, false},
                 {0x8ffc, false},    {0x8ffd, true}, {0x9000, true}, {0x9001, false},
                 {UINT64_MAX, true}, {0, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(log_in_range(cases[i].pc), cases[i].in);
    assert_false(log_at(LOG_IN_ASM, 0x1000)); /* not on */
    assert_null(log_filter("0..0xffffffffffffffff"));
}

static void test_list(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/list", dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    log_list(fd);
    close(fd);
    char *text = read_file(path);
    assert_non_null(strstr(text, "in_asm "));
    assert_non_null(strstr(text, "nochain "));
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char cmd[64];
    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    return system(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enable),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_overlong_is_cut),
        cmocka_unit_test(test_lines_do_not_mix),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_filter),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
