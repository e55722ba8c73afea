/* Reports: the form of an error, and how the VM dies by its own bugs, in a child each time. */
#include "tests/unit.h"

#include "base/report.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[64 * 1024];

/* Run fn in a child; its standard error goes to `text`. Returns the wait status. */
static int run(void (*fn)(void))
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(20);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        fn();
        _exit(42);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = 0;
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_aborted(int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void say_error(void)
{
    report_error("cannot open %s: %s", "x", "No such file or directory");
}

static void lack_memory(void)
{
    report_no_memory("%d bytes", 5);
}

/* No bug, so no report. */
static void test_no_memory(void **state)
{
    (void)state;
    assert_aborted(run(lack_memory));
    assert_memory_equal(text, "dragoman: no memory for 5 bytes, which the host refuses; raise ",
                        63);
    assert_null(strstr(text, "bug"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_error(void **state)
{
    (void)state;
    int status = run(say_error);
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_string_equal(text, "dragoman: cannot open x: No such file or directory\n");
}

static void say_guest(void *arg)
{
    report_line("guest pc 0x%x", *(int *)arg);
}

static int guest_pc = 0x1234;

__attribute__((noinline)) static void function_with_the_bug(void)
{
    vm_bug("slot %d of %d", 9, 8);
}

static void plain_bug(void)
{
    /* Neither handlers nor masks keep it from dying. */
    signal(SIGABRT, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    report_add_callback(say_guest, &guest_pc);
    function_with_the_bug();
}

static void test_bug(void **state)
{
    (void)state;
    assert_aborted(run(plain_bug));
    assert_ptr_equal(strstr(text, "dragoman: bug in dragoman: slot 9 of 8\n"), text);
    assert_non_null(strstr(text, "tests/base/report.c:"));
    assert_non_null(strstr(text, "guest pc 0x1234\n"));
    assert_non_null(strstr(text, "plain_bug"));
    for (char *p = text; *p; p = strchr(p, '\n') + 1)
        assert_int_equal(strncmp(p, "dragoman: ", 10), 0);
}

__attribute__((noinline)) static void faulting_function(void)
{
    int *volatile nowhere = (int *)16;
    *(volatile int *)nowhere = 1;
}

static void on_fault(int signo, siginfo_t *info, void *uc)
{
    vm_bug_at(uc, "host signal %d at %p", signo, info->si_addr);
}

static void bug_in_signal(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &act, NULL);
    static char stack[64 * 1024];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&alt, NULL);
    faulting_function();
}

static void test_bug_in_signal(void **state)
{
    (void)state;
    assert_aborted(run(bug_in_signal));
    assert_non_null(strstr(text, "host signal 11 at 0x10\n"));
    char *at = strstr(text, "#0 ");
    assert_non_null(at);
    assert_ptr_equal(strstr(strstr(at, " 0x"), "faulting_function"),
                     strchr(strchr(at, 'x'), ' ') + 1);
}

static void crash(void *arg)
{
    (void)arg;
    faulting_function();
}

static void bug_with_bad_callback(void)
{
    report_add_callback(crash, NULL);
    vm_bug("the first");
}

static void bug_in_callback(void *arg)
{
    (void)arg;
    vm_bug("the second");
}

static void bug_with_buggy_callback(void)
{
    report_add_callback(bug_in_callback, NULL);
    vm_bug("the first");
}

static void test_broken_callbacks(void **state)
{
    (void)state;
    assert_aborted(run(bug_with_bad_callback));
    assert_non_null(strstr(text, "bug in dragoman: the first\n"));
    assert_non_null(strstr(text, "the report broke off by signal 11\n"));
    assert_aborted(run(bug_with_buggy_callback));
    assert_non_null(strstr(text, "another bug while reporting the first: the second\n"));
}

static void *bug_thread(void *arg)
{
    pthread_barrier_wait(arg);
    vm_bug("of a thread");
}

static void bugs_of_threads(void)
{
    static pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 4);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, bug_thread, &barrier);
    for (;;)
        pause();
}

static void test_threads(void **state)
{
    (void)state;
    assert_aborted(run(bugs_of_threads));
    char *first = strstr(text, "bug in dragoman");
    assert_non_null(first);
    assert_null(strstr(first + 1, "bug in dragoman")); /* one report only */
    assert_non_null(strstr(first, "please report"));
}

static void die_by_term(void)
{
    signal(SIGTERM, SIG_IGN);
    report_die(SIGTERM);
}

static void test_die(void **state)
{
    (void)state;
    int status = run(die_by_term);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_bug),
        cmocka_unit_test(test_bug_in_signal),
        cmocka_unit_test(test_broken_callbacks),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_die),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
