/* The host threads that guest threads run on: see threads.h.
 *
 * A guest thread is a detached host thread on a stack of ours, apart from the guest's own stack. At its end
 * the kernel itself does what the guest waits for: robust futexes, then clearing *clear_child_tid
 * with a wake. So the host's clear_child_tid is set to the guest's, the C library cannot know by its own
 * when the stack is free, and we do: when the kernel says that the tid is no more.
 *
 * The first thread of the process is not returned from: it ends by the raw call, and stays a zombie
 * until the others have ended, as on the kernel.
 *
 * Invariants: a thread that has no thread_self has every signal blocked.
 *
 * Threading: the list of stacks has a lock, stacks_lock, held for list operations alone.
 */
#include "runtime/threads.h"
#include "base/list.h"
#include "base/report.h"
#include "codecache/blocks.h"
#include "exceptions/sig.h"
#include "exceptions/trace.h"
#include "loader/load.h"
#include "process/mm.h"
#include "runtime/gdb.h"
#include "runtime/options.h"
#include "runtime/run.h"
#include "runtime/stats.h"
#include "syscall/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUARD 4096
#define STACK_SIZE (256 << 10)
/* guard, alternate signal stack, guard, stack */
#define STACK_TOTAL (GUARD + SIG_HOST_STACK + GUARD + STACK_SIZE)
#define FREE_STACKS 16 /* kept mapped at most */
#define REAP 8         /* how many ended threads to look for at a time */

/* A host stack: in use by tid, or free when tid is 0. The struct lies at the stack's upper end. */
struct host_stack {
    struct list link;
    char *base;
    pid_t tid;
    bool ending;                   /* tid is on its way out */
    struct process_stack *process; /* NULL: a thread's */
};

/* What else a process beside us has: at the lower end of its stack. Thread-local storage is made by the C library alone, for its
 * own threads; so a thread is started, leaves its storage behind and is gone, and one process after the other uses that. */
struct process_stack {
    uint32_t left;         /* 0: nobody uses the stack; cleared by the kernel */
    unsigned threads;      /* of that process: struct thread.group */
    struct thread *thread; /* its first, until somebody has put it away */
    uint64_t tls, top;
};

static struct list stacks = LIST_INIT(stacks); /* all, free ones first */
static unsigned free_stacks;
static unsigned nprocesses; /* stacks with a process that was not put away; atomic */
static pthread_mutex_t stacks_lock = PTHREAD_MUTEX_INITIALIZER;

/* Of the running host thread: its stack (NULL on the process's first one), and the way out of it. */
static _Thread_local struct host_stack *own_stack;
static _Thread_local sigjmp_buf *way_out;

static void stack_unmap(struct host_stack *s)
{
    list_remove(&s->link);
    munmap(s->base, STACK_TOTAL);
}

/* Find ended threads' stacks. Called with the lock. */
static void stacks_reap(void)
{
    struct list *next;
    unsigned looked = 0;
    for (struct list *l = stacks.next; l != &stacks && looked < REAP; l = next) {
        struct host_stack *s = list_entry(l, struct host_stack, link);
        next = l->next;
        if (!s->ending || s->process)
            continue;
        looked++;
        /* Not tgkill: a vfork child's threads are of another process. */
        if (syscall(SYS_tkill, s->tid, 0) == 0 || errno != ESRCH)
            continue;
        s->tid = 0;
        s->ending = false;
        if (free_stacks >= FREE_STACKS) {
            stack_unmap(s);
        } else {
            free_stacks++;
            list_remove(&s->link);
            list_add(&stacks, &s->link);
        }
    }
}

static struct host_stack *stack_get(void)
{
    pthread_mutex_lock(&stacks_lock);
    stacks_reap();
    struct host_stack *s = NULL;
    if (free_stacks) {
        s = list_first(&stacks, struct host_stack, link);
        free_stacks--;
        list_remove(&s->link);
        list_add_tail(&stacks, &s->link);
        s->tid = -1;
    }
    pthread_mutex_unlock(&stacks_lock);
    if (s)
        return s;

    char *base = mmap(NULL, STACK_TOTAL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    if (mprotect(base + GUARD, SIG_HOST_STACK, PROT_READ | PROT_WRITE) != 0 ||
        mprotect(base + STACK_TOTAL - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) != 0) {
        munmap(base, STACK_TOTAL);
        return NULL;
    }
    s = (struct host_stack *)(void *)(base + STACK_TOTAL) - 1;
    s->base = base;
    s->tid = -1;
    pthread_mutex_lock(&stacks_lock);
    list_init(&s->link);
    list_add_tail(&stacks, &s->link);
    pthread_mutex_unlock(&stacks_lock);
    return s;
}

/* A stack on which no thread was started after all. */
static void stack_put(struct host_stack *s)
{
    pthread_mutex_lock(&stacks_lock);
    stack_unmap(s);
    pthread_mutex_unlock(&stacks_lock);
}

/* --- the start ------------------------------------------------------------------------------------ */

struct start {
    struct thread *t;
    struct host_stack *stack;
    uint64_t flags, parent_tid, child_tid;
    int result;    /* tid or -errno, */
    uint32_t done; /* valid when this is 1: a futex */
};

static void answer(struct start *s, int result)
{
    s->result = result;
    __atomic_store_n(&s->done, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &s->done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    /* s is gone. */
}

/* Everything of the ending thread that others can see; the kernel does the rest. */
static void leave(struct thread *t)
{
    sig_thread_end(t);
    uint64_t ctid = t->clear_child_tid;
    if (ctid && mm_prepare_write(ctid, 4) != 0)
        ctid = 0;
    if (t->beside) {
        /* The kernel has another word to clear. */
        if (ctid && mm_write_u32(ctid, 0) == 0)
            syscall(SYS_futex, mm_g2h(ctid), FUTEX_WAKE, 1, NULL, NULL, 0);
        t->beside->process->thread = NULL;
        __atomic_sub_fetch(&nprocesses, 1, __ATOMIC_RELAXED);
    }
    bool beside = t->beside, others = thread_count() > 1;
    thread_list_remove(t);
    cc_leave(&t->cpu);
    cc_cpu_remove(&t->cpu);
    thread_self = NULL;
    sighand_put(t->sighand);
    thread_free(t);
    if (beside) {
        if (others)
            syscall(SYS_set_tid_address, NULL); /* they count in the stack's memory */
        return;
    }
    syscall(SYS_set_tid_address, ctid);
    if (own_stack) {
        pthread_mutex_lock(&stacks_lock);
        own_stack->ending = true;
        pthread_mutex_unlock(&stacks_lock);
    }
}

static void *thread_main(void *arg)
{
    struct start *s = arg;
    struct thread *t = s->t;
    struct host_stack *stack = s->stack;
    pid_t tid = gettid();
    sigjmp_buf out;

    own_stack = stack;
    stack->tid = tid;
    /* A host thread shares what most guest threads do; what this one shall not share goes now. */
    uint64_t shared = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
    uint64_t alone = ~s->flags & shared;
    alone |=
        s->flags & (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET);
    if (alone && unshare((int)alone) != 0) {
        pthread_mutex_lock(&stacks_lock);
        stack->ending = true;
        pthread_mutex_unlock(&stacks_lock);
        int error = errno;
        syscall(SYS_set_tid_address, NULL);
        answer(s, -error);
        return NULL;
    }
    t->tid = tid;
    thread_self = t;
    cc_cpu_add(&t->cpu);
    thread_list_add(t);
    if (s->flags & CLONE_PARENT_SETTID)
        mm_write_u32(s->parent_tid, (uint32_t)tid);
    if (s->flags & CLONE_CHILD_SETTID)
        mm_write_u32(s->child_tid, (uint32_t)tid);
    answer(s, tid);
    sig_thread_begin(t, stack->base + GUARD, SIG_HOST_STACK);

    if (sigsetjmp(out, 0) == 0) {
        way_out = &out;
        run_thread(t);
    }
    leave(thread_self);
    return NULL;
}

/* The C library takes signal 33 for itself with the first thread; it is the guest's. */
#define SIGNAL_SETXID 33
struct raw_action {
    uint64_t word[4];
};

/* A detached host thread on a stack of ours, with every signal blocked (the caller has them blocked); 0 or an errno. */
static int host_thread(struct host_stack *stack, void *(*fn)(void *), void *arg)
{
    pthread_t host;
    pthread_attr_t attr;
    struct raw_action setxid;
    static bool library_ready;

    syscall(SYS_rt_sigaction, SIGNAL_SETXID, NULL, &setxid, 8);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* The struct host_stack at the end is not part of it. */
    pthread_attr_setstack(&attr, stack->base + STACK_TOTAL - STACK_SIZE, STACK_SIZE - 64);
    int rc = pthread_create(&host, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    if (!library_ready) {
        syscall(SYS_rt_sigaction, SIGNAL_SETXID, &setxid, NULL, 8);
        library_ready = true;
    }
    return rc;
}

static int start_thread(struct thread *t, uint64_t flags, uint64_t parent_tid, uint64_t child_tid)
{
    struct start s = {.t = t, .flags = flags, .parent_tid = parent_tid, .child_tid = child_tid};
    s.stack = stack_get();
    if (!s.stack)
        return -EAGAIN;

    uint64_t saved;
    sig_block_all(&saved);
    int rc = host_thread(s.stack, thread_main, &s);
    if (rc == 0) {
        while (!__atomic_load_n(&s.done, __ATOMIC_SEQ_CST))
            syscall(SYS_futex, &s.done, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        rc = s.result;
    } else {
        stack_put(s.stack);
        rc = -EAGAIN;
    }
    sig_restore(saved);
    return rc;
}
_Static_assert(sizeof(struct host_stack) <= 64, "start_thread leaves out so much of a stack");

/* --- processes beside us --------------------------------------------------------------------------- */

/* A thread that only leaves its thread-local storage. Every signal is blocked. */
static void *leave_storage(void *arg)
{
    struct process_stack *p = arg;
    p->tls = (uintptr_t)__builtin_thread_pointer();
    p->top = ((uintptr_t)__builtin_frame_address(0) - 256) & ~(uint64_t)15;
    syscall(SYS_set_tid_address, &p->left);
    syscall(SYS_exit, 0); /* the C library believes that it lives */
    return NULL;
}

static bool make_storage(struct host_stack *s)
{
    struct process_stack *p = (void *)(s->base + STACK_TOTAL - STACK_SIZE);
    uint32_t left;

    *p = (struct process_stack){.left = 1};
    if (host_thread(s, leave_storage, p) != 0)
        return false;
    while ((left = __atomic_load_n(&p->left, __ATOMIC_SEQ_CST)) != 0)
        syscall(SYS_futex, &p->left, FUTEX_WAIT, left, NULL, NULL, 0);
    s->process = p;
    return true;
}

/* The threads of a process that is no more. Under thread_lock. */
struct group_search {
    const unsigned *group;
    struct thread *found;
};

static void is_of_group(struct thread *t, void *arg)
{
    struct group_search *search = arg;
    if (t->group == search->group)
        search->found = t;
}

static void put_away(struct thread *t)
{
    if (t->beside && t->clear_child_tid) {
        /* Not ended by itself; or the guest's word would be clear. */
        mm_write_u32(t->clear_child_tid, 0);
        syscall(SYS_futex, mm_g2h(t->clear_child_tid), FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    thread_list_remove(t);
    cc_cpu_remove(&t->cpu);
    if (t->exec_args)
        munmap(t->exec_args, t->exec_args_size);
    sighand_put(t->sighand);
    thread_free(t);
}

static void reap_processes(void)
{
    if (!__atomic_load_n(&nprocesses, __ATOMIC_RELAXED))
        return;
    for (;;) {
        struct host_stack *dead = NULL;
        pthread_mutex_lock(&stacks_lock);
        list_for_each(s, &stacks, struct host_stack, link)
        {
            struct process_stack *p = s->process;
            if (p && p->thread && !__atomic_load_n(&p->left, __ATOMIC_SEQ_CST)) {
                dead = s;
                p->left = 1; /* until all is put away */
                break;
            }
        }
        pthread_mutex_unlock(&stacks_lock);
        if (!dead)
            return;
        struct group_search search = {.group = &dead->process->threads};
        do {
            search.found = NULL;
            thread_for_each(is_of_group, &search);
            if (search.found)
                put_away(search.found);
        } while (search.found);
        dead->process->thread = NULL;
        __atomic_sub_fetch(&nprocesses, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&dead->process->left, 0, __ATOMIC_SEQ_CST);
    }
}

static bool prepare_process(struct thread *t, struct sys_process_room *at)
{
    struct host_stack *s = NULL;

    reap_processes();
    pthread_mutex_lock(&stacks_lock);
    list_for_each(other, &stacks, struct host_stack, link)
    {
        struct process_stack *p = other->process;
        if (p && !p->thread && !__atomic_load_n(&p->left, __ATOMIC_SEQ_CST)) {
            s = other;
            p->left = 1;
            break;
        }
    }
    pthread_mutex_unlock(&stacks_lock);
    if (!s) {
        s = stack_get();
        if (!s)
            return false;
        if (!make_storage(s)) {
            stack_put(s);
            return false;
        }
        s->process->left = 1;
    }
    struct process_stack *p = s->process;
    p->threads = 0;
    p->thread = t;
    t->beside = s;
    t->group = &p->threads;
    t->apart = true;
    __atomic_add_fetch(&nprocesses, 1, __ATOMIC_RELAXED);
    char *bottom = (char *)(p + 1);
    *at = (struct sys_process_room){
        .stack = bottom, .size = p->top - (uintptr_t)bottom, .tls = p->tls, .left = &p->left};
    return true;
}

static void unprepare_process(struct thread *t)
{
    struct process_stack *p = t->beside->process;
    p->thread = NULL;
    __atomic_sub_fetch(&nprocesses, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&p->left, 0, __ATOMIC_SEQ_CST);
}

static void run_process(struct thread *t)
{
    own_stack = t->beside;
    sig_thread_begin(t, own_stack->base + GUARD, SIG_HOST_STACK);
    run_thread(t);
}

/* --- the end ------------------------------------------------------------------------------------- */

static void thread_exit(struct thread *t, int status)
{
    if (t->vfork_parent) {
        /* What belongs to the child its parent puts away; the kernel clears the tid. */
        syscall(SYS_exit, status);
    }
    trace_exit(t, status);
    bool last = thread_count() == 1;
    if (last && !t->apart) {
        stats_report();
        gdb_exiting(status);
    }
    /* The last one's status may be the process's. */
    if (!last && own_stack && t->tid != getpid())
        siglongjmp(*way_out, 1);
    leave(t);
    syscall(SYS_exit, status);
}

static void process_exit(struct thread *t, int status)
{
    if (!t->apart) {
        stats_report();
        gdb_exiting(status);
    }
    if (t->beside && thread_count() == 1)
        leave(t);
    syscall(SYS_exit_group, status);
}

static void run_vfork_child(struct thread *t)
{
    run_thread(t);
}

static void fork_begin(void)
{
    gdb_fork_begin();
    pthread_mutex_lock(&stacks_lock);
}

/* In the child there is one thread: all other stacks are free. */
static void fork_end(bool child)
{
    struct list *next;
    gdb_fork_end(child);
    if (!child) {
        pthread_mutex_unlock(&stacks_lock);
        return;
    }
    pthread_mutex_init(&stacks_lock, NULL);
    for (struct list *l = stacks.next; l != &stacks; l = next) {
        struct host_stack *s = list_entry(l, struct host_stack, link);
        next = l->next;
        if (s->process) {
            /* The C library knows it; nobody uses it here. */
            s->process->left = s == own_stack;
            s->process->thread = NULL;
        } else if (s != own_stack) {
            stack_unmap(s);
        }
    }
    free_stacks = nprocesses = 0;
}

static int probe(int fd, struct sys_program *p)
{
    struct load_probe l;
    load_probe_fd(fd, &l);
    switch (l.kind) {
    case LOAD_GUEST:
        p->kind = SYS_PROGRAM_GUEST;
        return 0;
    case LOAD_HOST:
        p->kind = SYS_PROGRAM_HOST;
        return 0;
    case LOAD_SCRIPT:
        p->kind = SYS_PROGRAM_SCRIPT;
        _Static_assert(sizeof(p->interp) == sizeof(l.interp), "the words fit");
        memcpy(p->interp, l.interp, sizeof(l.interp));
        memcpy(p->interp_arg, l.interp_arg, sizeof(l.interp_arg));
        return 0;
    case LOAD_ERROR:
        break;
    }
    return -l.error;
}

/* Is our own program, by the name that leads to it, a guest's? Then somebody stands between us and the kernel who starts
 * programs as binfmt_misc does: proot -q. */
static bool started_by_proot(void)
{
    static signed char known; /* 0: not yet */
    if (!known) {
        struct load_probe l = {.kind = LOAD_ERROR};
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            load_probe_fd(fd, &l);
            close(fd);
        }
        known = l.kind == LOAD_GUEST ? 1 : -1;
    }
    return known > 0;
}

static char **exec_prefix(void)
{
    char **prefix = options_forward();
    return prefix && started_by_proot() ? NULL : prefix;
}

void threads_init(void)
{
    sys_hooks = (struct sys_hooks){
        .start_thread = start_thread,
        .thread_exit = thread_exit,
        .process_exit = process_exit,
        .prepare_process = prepare_process,
        .unprepare_process = unprepare_process,
        .run_process = run_process,
        .reap_processes = reap_processes,
        .run_vfork_child = run_vfork_child,
        .fork_begin = fork_begin,
        .fork_end = fork_end,
        .probe = probe,
        .exec_prefix = exec_prefix,
    };
}
