/* tests/loader/script: #! lines are cut up as the host kernel cuts them: the same files are executed
 * natively, with echo as the interpreter, and the arguments or the errno compared.
 */
#include "tests/loader/loading.h"
#include "tests/loader/make_elf.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char dir[] = "/tmp/dragoman-script-XXXXXX";
static char script[64];

static void write_file(const char *path, const char *text, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* Run it natively with arguments 1 and 2: its output, or "errno N". */
static void native(char *out, size_t size)
{
    int fds[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        close(fds[0]);
        execv(script, (char *[]){"zero", "1", "2", NULL});
        dprintf(1, "errno %d", errno);
        _exit(0);
    }
    close(fds[1]);
    while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
        len += n;
    close(fds[0]);
    waitpid(pid, &status, 0);
    while (len && out[len - 1] == '\n')
        len--;
    out[len] = 0;
}

static void probed(char *out, size_t size)
{
    struct load_probe p;
    int fd = load_open(script);

    if (fd < 0) {
        snprintf(out, size, "errno %d", -fd);
        return;
    }
    load_probe_fd(fd, &p);
    close(fd);
    if (p.kind == LOAD_ERROR)
        snprintf(out, size, "errno %d", p.error);
    else if (p.kind != LOAD_SCRIPT)
        snprintf(out, size, "kind %d", p.kind);
    else if (p.interp_arg[0])
        snprintf(out, size, "%s %s 1 2", p.interp_arg, script);
    else
        snprintf(out, size, "%s 1 2", script);
}

static void compare(const char *text, size_t len, mode_t mode)
{
    char a[2048], b[2048];

    write_file(script, text, len, mode);
    native(a, sizeof a);
    probed(b, sizeof b);
    if (strcmp(a, b))
        fail_msg("#! line \"%.*s\" (%zu bytes): natively \"%s\", here \"%s\"", (int)len, text, len,
                 a, b);
}

static void lines(void **state)
{
    static const char *const cases[] = {
        "#!/bin/echo\n",
        "#!/bin/echo",
        "#! /bin/echo\n",
        "#!\t /bin/echo \t\n",
        "#!/bin/echo one\n",
        "#!/bin/echo one two  three\n",
        "#!/bin/echo   one two \t \n",
        "#!/bin/echo one",
        "#!/bin/echo -x\n",
        "#!/bin/echo\none\n",
        "#!/bin/echo\r\n",
        "#!\n",
        "#!",
        "#! \t \n",
        "#!   ",
        "#!/no/such/file\n",
        "#!/tmp\n",
        "#!/etc/passwd\n",
        "#! /bin/echo\tone\ttwo\n",
        "x",
        "",
    };
    char text[600];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        compare(cases[i], strlen(cases[i]), 0700);
    compare("#!/bin/echo a\0b\n", 16, 0700);
    compare("#!/bin/echo\0 b\n", 15, 0700);
    compare("#!\0/bin/echo\n", 13, 0700);
    compare("#!/bin/echo\n", 12, 0600);
    /* Around the end of the 256 bytes that the kernel reads: the argument, then the name. */
    for (int n = 250; n < 262; n++) {
        for (int newline = 0; newline < 2; newline++) {
            memset(text, 'a', sizeof text);
            memcpy(text, "#!/bin/echo ", 12);
            if (newline)
                text[n - 1] = '\n';
            compare(text, n, 0700);
            memset(text, '/', sizeof text);
            memcpy(text, "#!/bin", 6);
            memcpy(text + n - 6, "echo\n\n", 6);
            compare(text, newline ? n : n - 2, 0700);
            memset(text, ' ', sizeof text);
            memcpy(text, "#!", 2);
            memcpy(text + n - 11, "/bin/echo\n\n", 11);
            compare(text, newline ? n : n - 2, 0700);
        }
    }
}

static void nesting(void **state)
{
    char path[100], text[200], a[256], b[256];

    (void)state;
    /* s0 is for echo, s1 for s0, ...: until the kernel says ELOOP. */
    snprintf(path, sizeof path, "%s/s0", dir);
    write_file(path, "#!/bin/echo\n", 12, 0700);
    for (int depth = 1; depth < 8; depth++) {
        snprintf(text, sizeof text, "#!%s/s%d\n", dir, depth - 1);
        snprintf(path, sizeof path, "%s/s%d", dir, depth);
        write_file(path, text, strlen(text), 0700);
        write_file(script, text, strlen(text), 0700);
        native(a, sizeof a);
        probed(b, sizeof b);
        bool fails = !strncmp(a, "errno", 5);
        assert_int_equal(fails, !strncmp(b, "errno", 5));
        if (fails)
            assert_string_equal(a, b);
    }
    assert_string_equal(a, "errno 40");
}

/* A script whose interpreter is a guest's program gets that loaded, with the right words. */
static void guest_interpreter(void **state)
{
    static struct elf_file f;
    char prog[100], text[200], word[128], why[256];
    const char *want[4] = {prog, "the argument", "/test/path", "1"};
    struct sighand *sh = sighand_new();
    struct thread *t = thread_new(NULL, sh);
    uint64_t argc, addr;

    (void)state;
    elf_static(&f);
    snprintf(prog, sizeof prog, "%s/prog", dir);
    write_file(prog, (char *)f.bytes, f.size, 0700);
    snprintf(text, sizeof text, "#! %s the argument\n", prog);
    write_file(script, text, strlen(text), 0700);
    int fd = load_open(script);
    assert_int_equal(loading_load(t, fd, 2, (char *[]){"zero", "1", NULL}, (char *[]){NULL}, why),
                     0);
    close(fd);
    assert_int_equal(mm_read_u64(process.stack_start, &argc), 0);
    assert_int_equal(argc, 4);
    for (int i = 0; i < 4; i++) {
        mm_read_u64(process.stack_start + 8 + i * 8, &addr);
        assert_true(mm_read_str(word, sizeof word, addr) > 0);
        assert_string_equal(word, want[i]);
    }
    assert_string_equal(process.exe_path, prog);
    loading_clear();
    thread_free(t);
    sighand_put(sh);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(script, sizeof script, "%s/script", dir);
    mm_init(true, NULL);
    return 0;
}

static int teardown(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(nesting),
        cmocka_unit_test(guest_interpreter),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
