/* tests/process/thread: the list of guest threads, through fork too, and shared signal dispositions. */
#include "process/thread.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void count(struct thread *t, void *arg)
{
    unsigned *n = arg;

    *n += t->cpu.pending ? 100 : 1;
}

static unsigned counted(void)
{
    unsigned n = 0;

    thread_for_each(count, &n);
    return n;
}

static void fresh(void **state)
{
    struct sighand *sh = sighand_new();
    struct thread *t = thread_new(&guest_rv64, sh);

    (void)state;
    assert_ptr_equal(t->cpu.thread, t);
    assert_ptr_equal(t->cpu.guest, &guest_rv64);
    assert_ptr_equal(t->sighand, sh);
    assert_int_equal((uintptr_t)&t->cpu % 64, 0);
    assert_int_equal(t->cpu.res_addr, UINT64_MAX);
    assert_int_equal(t->altstack.ss_flags, SS_DISABLE);
    assert_int_equal(t->sigmask, 0);
    for (unsigned i = 0; i < guest_rv64.nslots; i++)
        assert_int_equal(t->cpu.r[i], 0);
    thread_free(t);
    sighand_put(sh);
}

static void list(void **state)
{
    struct sighand *sh = sighand_new();
    struct thread *t[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        t[i] = thread_new(&guest_rv64, sh);
        thread_list_add(t[i]);
    }
    assert_int_equal(thread_count(), 5);
    assert_int_equal(counted(), 5);
    thread_kick_all();
    assert_int_equal(counted(), 500);
    thread_list_remove(t[2]);
    thread_list_remove(t[2]); /* harmless */
    assert_int_equal(thread_count(), 4);
    thread_free(t[2]);
    /* In a forked child only the caller is left, and the lock is free. */
    thread_self = t[3];
    thread_fork_begin();
    pid_t pid = fork();
    thread_fork_end(pid == 0);
    if (pid == 0)
        _exit(thread_count() == 1 && counted() == 100 ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(thread_count(), 4);
    thread_self = NULL;
    for (int i = 0; i < 5; i++) {
        if (i == 2)
            continue;
        thread_list_remove(t[i]);
        thread_free(t[i]);
    }
    assert_int_equal(thread_count(), 0);
    sighand_put(sh);
}

static void dispositions(void **state)
{
    struct sighand *a = sighand_new(), *b;

    (void)state;
    for (int i = 0; i < 64; i++)
        assert_int_equal(a->action[i].handler, 0);
    a->action[10].handler = 0x1234;
    a->action[10].mask = 5;
    b = sighand_copy(a);
    assert_int_equal(b->action[10].handler, 0x1234);
    assert_int_equal(b->action[10].mask, 5);
    b->action[10].handler = 1;
    assert_int_equal(a->action[10].handler, 0x1234);
    /* The last one to let go frees it; the sanitizer build would tell. */
    a->refs++;
    sighand_put(a);
    assert_int_equal(a->refs, 1);
    sighand_put(a);
    sighand_put(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh),
        cmocka_unit_test(list),
        cmocka_unit_test(dispositions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
