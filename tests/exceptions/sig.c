/* exceptions/ without an engine: what the host handlers hold, the restartable call, delivery into the
 * registers of the RV64 guest and back, the alternate stack, faults of access functions and of the VM.
 *
 * Expected values: signal(7), sigaltstack(2), the layout of rt_sigframe in the kernel's
 * arch/riscv/kernel/signal.c (siginfo of 128 bytes, then the ucontext) and psABI register numbers. */
#include "tests/unit.h"

#include "exceptions/sig.h"
#include "process/mm.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct thread *t;
static uint64_t mem; /* a guest page for arguments, a stack behind it */
#define MEM_SIZE 0x20000
#define STACK (mem + MEM_SIZE - 64)
#define HANDLER 0x123456

/* Registers by their numbers in the psABI. */
enum { RA = 1, SP = 2, A0 = 10, A1 = 11, A2 = 12 };

/* Slot of x<n>: found by setting a register through a frame would be circular, so by its name. */
static uint64_t *reg(unsigned n)
{
    static const char *const names[] = {"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2",
                                        "s0",   "s1", "a0", "a1", "a2", "a3", "a4", "a5"};
    for (unsigned s = 0; s < t->cpu.guest->nslots; s++) {
        const char *name = t->cpu.guest->slot_name(s);
        if (name && strcmp(name, names[n]) == 0)
            return &t->cpu.r[s];
    }
    fail_msg("no slot is named %s", names[n]);
    return NULL;
}

static uint64_t *pc(void)
{
    return &t->cpu.r[t->cpu.guest->pc_slot];
}

static void code_changed(uint64_t addr, uint64_t len)
{
    (void)addr;
    (void)len;
}

static int start(void **state)
{
    (void)state;
    mm_init(false, code_changed);
    struct sighand *sh = sighand_new();
    t = thread_new(&guest_rv64, sh);
    thread_self = t;
    t->tid = gettid();
    thread_list_add(t);
    sig_init(sh);
    int64_t r = mm_mmap(0, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r < 0)
        return -1;
    mem = (uint64_t)r;
    return 0;
}

static uint64_t host_mask(void)
{
    uint64_t m = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &m, sizeof(m));
    return m;
}

#define BIT(signo) (UINT64_C(1) << ((signo)-1))

static void set_action(int signo, uint64_t handler, uint64_t flags, uint64_t mask)
{
    uint64_t w[3] = {handler, flags, mask};
    assert_int_equal(mm_write(mem, w, sizeof(w)), 0);
    assert_int_equal(sig_sys_sigaction(t, signo, mem, 0, 8), 0);
}

static int64_t set_mask(uint64_t mask)
{
    assert_int_equal(mm_write_u64(mem, mask), 0);
    return sig_sys_sigprocmask(t, SIG_SETMASK, mem, 0, 8);
}

/* The begin of each test. The test library has put its own handlers for faults in place of ours. */
static void fresh(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        set_action(faults[i], 0, 0, 0);
    *reg(SP) = STACK;
    *pc() = 0x1000;
    assert_int_equal(set_mask(0), 0);
}

/* Caught: kept with its siginfo, everything blocked, the call not performed. */
static void test_hold(void **state)
{
    (void)state;
    fresh();
    int p[2];
    char c = 'x';
    assert_int_equal(pipe2(p, O_NONBLOCK), 0);
    set_action(SIGUSR1, HANDLER, SA_SIGINFO, BIT(SIGUSR2));
    assert_int_equal(sig_syscall(t, SYS_getpid, 0, 0, 0, 0, 0, 0), getpid());
    t->cpu.pending = 0;
    union sigval v = {.sival_int = 77};
    sigqueue(getpid(), SIGUSR1, v);
    assert_int_equal(t->held.signo, SIGUSR1);
    assert_int_equal(t->held.info.si_value.sival_int, 77);
    assert_true(t->cpu.pending);
    assert_int_equal(host_mask() & ~(BIT(SIGKILL) | BIT(SIGSTOP)),
                     ~(BIT(SIGKILL) | BIT(SIGSTOP) | BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE)));
    assert_int_equal(sig_syscall(t, SYS_write, p[1], (uintptr_t)&c, 1, 0, 0, 0), -SIG_RESTART);
    assert_int_equal(read(p[0], &c, 1), -1);
    assert_int_equal(set_mask(BIT(SIGHUP)), -SIG_RESTART);
    assert_int_equal(t->sigmask, 0);

    uint64_t ra = *reg(RA) = 0xabc;
    sig_deliver(t);
    assert_int_equal(t->held.signo, 0);
    assert_int_equal(*pc(), HANDLER);
    assert_int_equal(*reg(A0), SIGUSR1);
    assert_int_equal(*reg(SP) % 16, 0);
    assert_true(*reg(SP) < STACK);
    assert_int_equal(*reg(A1), *reg(SP)); /* siginfo is the frame's first part */
    assert_int_equal(*reg(A2), *reg(SP) + 128);
    siginfo_t info;
    assert_int_equal(mm_read(&info, *reg(A1), sizeof(info)), 0);
    assert_int_equal(info.si_signo, SIGUSR1);
    assert_int_equal(info.si_code, SI_QUEUE);
    assert_int_equal(info.si_value.sival_int, 77);
    assert_int_equal(t->sigmask, BIT(SIGUSR1) | BIT(SIGUSR2));
    assert_int_equal(host_mask(), BIT(SIGUSR1) | BIT(SIGUSR2));

    *reg(RA) = 0;
    sig_sys_sigreturn(t);
    assert_int_equal(*pc(), 0x1000);
    assert_int_equal(*reg(SP), STACK);
    assert_int_equal(*reg(RA), ra);
    assert_int_equal(host_mask(), 0);
    close(p[0]);
    close(p[1]);
}

/* The next one is caught and delivered on top before any guest instruction. */
static void test_next(void **state)
{
    (void)state;
    fresh();
    set_action(SIGUSR1, HANDLER, 0, 0);
    set_action(SIGUSR2, HANDLER + 2, 0, 0);
    assert_int_equal(set_mask(BIT(SIGUSR1) | BIT(SIGUSR2)), 0);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    assert_int_equal(t->held.signo, 0);
    assert_int_equal(set_mask(0), 0);
    assert_int_equal(t->held.signo, SIGUSR1);
    sig_deliver(t);
    assert_int_equal(*pc(), HANDLER);
    assert_int_equal(t->held.signo, SIGUSR2);
    sig_deliver(t);
    assert_int_equal(*pc(), HANDLER + 2);
    assert_int_equal(t->held.signo, 0);
    sig_sys_sigreturn(t);
    assert_int_equal(*pc(), HANDLER);
    sig_sys_sigreturn(t);
    assert_int_equal(*pc(), 0x1000);
    assert_int_equal(t->sigmask, 0);
}

static void alarm_us(int us)
{
    struct itimerval it = {.it_value = {0, us}};
    setitimer(ITIMER_REAL, &it, NULL);
}

/* A waiting call: EINTR, or with SA_RESTART not done. */
static void test_wait(void **state)
{
    (void)state;
    fresh();
    int p[2];
    char c;
    assert_int_equal(pipe(p), 0);
    for (int restart = 0; restart < 2; restart++) {
        set_action(SIGALRM, HANDLER, restart ? SA_RESTART : 0, 0);
        alarm_us(5000);
        assert_int_equal(sig_syscall(t, SYS_read, p[0], (uintptr_t)&c, 1, 0, 0, 0),
                         restart ? -SIG_RESTART : -EINTR);
        assert_int_equal(t->held.signo, SIGALRM);
        sig_deliver(t);
        sig_sys_sigreturn(t);
    }
    /* A sleep is never restarted. */
    struct timespec ts = {2, 0};
    alarm_us(5000);
    assert_int_equal(sig_syscall(t, SYS_nanosleep, (uintptr_t)&ts, 0, 0, 0, 0, 0), -EINTR);
    sig_deliver(t);
    sig_sys_sigreturn(t);
    close(p[0]);
    close(p[1]);
}

/* A signal at every point of the way into the call: either EINTR or not done, never waiting for
 * longer than the signal. The pipe stays empty, so a lost signal would hang (the second timer). */
static void test_race(void **state)
{
    (void)state;
    fresh();
    int p[2], seen[2] = {0, 0};
    char c;
    assert_int_equal(pipe(p), 0);
    set_action(SIGUSR1, HANDLER, 0, 0);
    timer_t timer;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
    for (int i = 0; i < 3000; i++) {
        struct itimerspec it = {.it_value = {0, 1 + i * 7 % 9000}};
        timer_settime(timer, 0, &it, NULL);
        for (volatile int spin = i % 1000; spin; spin--)
            ;
        int64_t r = sig_syscall(t, SYS_read, p[0], (uintptr_t)&c, 1, 0, 0, 0);
        assert_true(r == -EINTR || r == -SIG_RESTART);
        seen[r == -EINTR]++;
        assert_int_equal(t->held.signo, SIGUSR1);
        sig_deliver(t);
        sig_sys_sigreturn(t);
    }
    timer_delete(timer);
    assert_true(seen[0] + seen[1] == 3000);
    close(p[0]);
    close(p[1]);
}

/* sigsuspend & co.: the handler's frame restores the old mask, the handler has the temporary one. */
static void test_temporary_mask(void **state)
{
    (void)state;
    fresh();
    set_action(SIGUSR1, HANDLER, 0, 0);
    assert_int_equal(set_mask(BIT(SIGUSR1)), 0);
    kill(getpid(), SIGUSR1);
    assert_int_equal(mm_write_u64(mem, BIT(SIGHUP)), 0);
    assert_int_equal(sig_sys_sigsuspend(t, mem, 8), -EINTR);
    assert_int_equal(t->held.signo, SIGUSR1);
    sig_deliver(t);
    assert_int_equal(t->sigmask, BIT(SIGHUP) | BIT(SIGUSR1));
    assert_int_equal(host_mask(), BIT(SIGHUP) | BIT(SIGUSR1));
    sig_sys_sigreturn(t);
    assert_int_equal(t->sigmask, BIT(SIGUSR1));

    assert_null(sig_mask_host(t));
    assert_int_equal(sig_mask_begin(t, 0, 8), 0);
    assert_null(sig_mask_host(t));
    assert_int_equal(sig_mask_begin(t, mem, 4), -EINVAL);
    assert_int_equal(sig_mask_begin(t, 8, 8), -EFAULT);
    assert_int_equal(mm_write_u64(mem, BIT(SIGHUP) | BIT(SIGSEGV)), 0);
    assert_int_equal(sig_mask_begin(t, mem, 8), 0);
    assert_int_equal(*sig_mask_host(t), BIT(SIGHUP));
    sig_mask_end(t, 1);
    assert_null(sig_mask_host(t));
    assert_int_equal(t->sigmask, BIT(SIGUSR1));
}

/* SIGSEGV, SIGBUS and SIGFPE: never blocked on the host, held back for a guest that blocks them. */
static void hide(int signo, const volatile sig_atomic_t *hidden)
{
    fresh();
    set_action(signo, HANDLER, SA_SIGINFO, 0);
    assert_int_equal(set_mask(BIT(signo) | BIT(SIGUSR1)), 0);
    assert_int_equal(host_mask(), BIT(SIGUSR1));
    kill(getpid(), signo);
    assert_int_equal(t->held.signo, 0);
    assert_int_equal(sig_sys_sigpending(t, mem, 8), 0);
    uint64_t pending = 0;
    mm_read_u64(mem, &pending);
    assert_int_equal(pending, BIT(signo));
    assert_int_equal(set_mask(0), 0);
    assert_int_equal(t->held.signo, signo);
    sig_deliver(t);
    assert_int_equal(*pc(), HANDLER);
    siginfo_t info;
    mm_read(&info, *reg(A1), sizeof(info));
    assert_int_equal(info.si_code, SI_USER);
    sig_sys_sigreturn(t);
    /* sigtimedwait takes it, too. */
    assert_int_equal(set_mask(BIT(signo)), 0);
    kill(getpid(), signo);
    mm_write_u64(mem, BIT(signo));
    assert_int_equal(sig_sys_sigtimedwait(t, mem, mem + 256, 0, 8), signo);
    assert_int_equal(*hidden, 0);
    set_action(signo, 0, 0, 0);
}

static void test_hidden(void **state)
{
    (void)state;
    hide(SIGSEGV, &t->hidden[0].signo);
    hide(SIGBUS, &t->hidden[1].signo);
    hide(SIGFPE, &t->hidden[2].signo);
}

/* A synchronous fault enters its handler with address and code; a signal held meanwhile that the
 * handler blocks goes back to where it is pending. */
static void test_fault(void **state)
{
    (void)state;
    fresh();
    set_action(SIGSEGV, HANDLER, SA_SIGINFO, ~UINT64_C(0));
    set_action(SIGUSR1, HANDLER + 2, 0, 0);
    raise(SIGUSR1);
    assert_int_equal(t->held.signo, SIGUSR1);
    sig_fault(t, SIGSEGV, SEGV_ACCERR, 0xdead000);
    assert_int_equal(*pc(), HANDLER);
    siginfo_t info;
    assert_int_equal(mm_read(&info, *reg(A1), sizeof(info)), 0);
    assert_int_equal(info.si_code, SEGV_ACCERR);
    assert_ptr_equal(info.si_addr, (void *)0xdead000);
    sig_deliver(t);
    assert_int_equal(*pc(), HANDLER); /* not on top */
    assert_int_equal(t->held.signo, 0);
    sig_sys_sigreturn(t); /* unblocks it */
    assert_int_equal(*pc(), 0x1000);
    assert_int_equal(t->held.signo, SIGUSR1);
    sig_deliver(t);
    assert_int_equal(*pc(), HANDLER + 2);
    sig_sys_sigreturn(t);
    set_action(SIGSEGV, 0, 0, 0);
}

static void test_altstack(void **state)
{
    (void)state;
    fresh();
    stack_t ss, old;
    uint64_t base = mem + 0x8000;
    memset(&ss, 0, sizeof(ss));
    ss.ss_sp = (void *)base;
    ss.ss_size = 0x2000;
    mm_write(mem, &ss, sizeof(ss));
    assert_int_equal(sig_sys_sigaltstack(t, mem, 0), 0);
    set_action(SIGUSR1, HANDLER, SA_ONSTACK, 0);
    raise(SIGUSR1);
    sig_deliver(t);
    assert_true(*reg(SP) >= base && *reg(SP) < base + 0x2000);
    assert_int_equal(sig_sys_sigaltstack(t, 0, mem), 0);
    mm_read(&old, mem, sizeof(old));
    assert_int_equal(old.ss_flags, SS_ONSTACK);
    mm_write(mem, &ss, sizeof(ss));
    assert_int_equal(sig_sys_sigaltstack(t, mem, 0), -EPERM);
    sig_sys_sigreturn(t);
    ss.ss_size = 2047; /* MINSIGSTKSZ of asm-generic is 2048 */
    mm_write(mem, &ss, sizeof(ss));
    assert_int_equal(sig_sys_sigaltstack(t, mem, 0), -ENOMEM);
    ss.ss_flags = SS_DISABLE;
    mm_write(mem, &ss, sizeof(ss));
    assert_int_equal(sig_sys_sigaltstack(t, mem, 0), 0);
    assert_int_equal(sig_sys_sigaltstack(t, 8, 0), -EFAULT);
}

static void test_clone_state(void **state)
{
    (void)state;
    fresh();
    struct thread *c = thread_new(&guest_rv64, t->sighand);
    t->altstack = (stack_t){.ss_sp = (void *)mem, .ss_size = 0x1000};
    assert_int_equal(set_mask(BIT(SIGHUP)), 0);
    sig_clone(c, t, CLONE_VM | CLONE_THREAD);
    assert_int_equal(c->sigmask, BIT(SIGHUP));
    assert_int_equal(c->altstack.ss_flags, SS_DISABLE);
    sig_clone(c, t, CLONE_VM | CLONE_VFORK);
    assert_int_equal(c->altstack.ss_size, 0x1000);
    sig_clone(c, t, 0);
    assert_int_equal(c->altstack.ss_size, 0x1000);
    t->altstack = (stack_t){.ss_flags = SS_DISABLE};
    thread_free(c);
}

/* Access functions fail, they do not kill; nor do they when the page is behind a file's end. */
static void test_access(void **state)
{
    (void)state;
    fresh();
    uint64_t v;
    char text[8];
    assert_int_equal(mm_read(&v, 8, 8), -EFAULT);
    assert_int_equal(mm_write_u32(8, 1), -EFAULT);
    assert_int_equal(mm_read_u64(UINT64_C(1) << 63, &v), -EFAULT);
    assert_int_equal(mm_read_str(text, sizeof(text), 8), -EFAULT);
    int fd = memfd_create("short", 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    int64_t p = mm_mmap(0, 8192, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(p > 0);
    assert_int_equal(mm_read_u64((uint64_t)p, &v), 0);
    assert_int_equal(mm_read_u64((uint64_t)p + 4096, &v), -EFAULT);
    assert_int_equal(mm_munmap((uint64_t)p, 8192), 0);
    close(fd);
    assert_int_equal(host_mask(), 0);
}

static int child(void (*fn)(void), char *err, size_t size)
{
    int p[2], st;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 2);
        close(p[0]);
        close(p[1]);
        t->tid = getpid();
        fn();
        _exit(0);
    }
    close(p[1]);
    size_t n = 0;
    ssize_t r;
    while (n < size - 1 && (r = read(p[0], err + n, size - 1 - n)) > 0)
        n += (size_t)r;
    err[n] = 0;
    close(p[0]);
    assert_int_equal(waitpid(pid, &st, 0), pid);
    return st;
}

static void vm_fault(void)
{
    volatile int *volatile nowhere = (int *)16;
    *nowhere = 1;
}
static void fault_blocked(void)
{
    set_mask(BIT(SIGILL));
    sig_fault(t, SIGILL, ILL_ILLOPC, 0x1000);
}
static void fault_default(void)
{
    sig_fault(t, SIGFPE, FPE_INTDIV, 0x1000);
}
static void fault_no_stack(void)
{
    set_action(SIGTRAP, HANDLER, 0, 0);
    *reg(SP) = 0x100;
    sig_fault(t, SIGTRAP, TRAP_BRKPT, 0x1000);
}
static void return_nowhere(void)
{
    *reg(SP) = 0x100;
    sig_sys_sigreturn(t);
}
static void sent_default(void)
{
    raise(SIGBUS);
    sig_deliver(t);
}
static void forged(void)
{
    /* A crash reporter sends itself the signal that it got, with the si_code of a fault. */
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGSEGV, &info);
    _exit(t->held.signo == SIGSEGV ? 55 : 1);
}

static void test_deaths(void **state)
{
    (void)state;
    fresh();
    char err[8192];
    int st = child(vm_fault, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT);
    assert_non_null(strstr(err, "bug in dragoman: signal 11"));
    assert_non_null(strstr(err, "0x10"));
    st = child(fault_blocked, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGILL);
    assert_string_equal(err, "");
    st = child(fault_default, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGFPE);
    st = child(fault_no_stack, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
    st = child(return_nowhere, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
    st = child(sent_default, err, sizeof(err));
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGBUS);
    st = child(forged, err, sizeof(err));
    assert_int_equal(st, 55 << 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold),           cmocka_unit_test(test_next),
        cmocka_unit_test(test_wait),           cmocka_unit_test(test_race),
        cmocka_unit_test(test_temporary_mask), cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_fault),          cmocka_unit_test(test_altstack),
        cmocka_unit_test(test_clone_state),    cmocka_unit_test(test_access),
        cmocka_unit_test(test_deaths),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
