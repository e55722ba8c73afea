/* Guest threads; see thread.h.
 *
 * Locks: thread_mutex (thread_lock) guards the list. It comes before mm_lock and is never taken in
 * signal context.
 */
#include "process/thread.h"
#include "base/report.h"
#include <stdlib.h>
#include <sys/mman.h>

struct process process;
_Thread_local struct thread *thread_self;

static pthread_mutex_t thread_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list threads = LIST_INIT(threads);
static unsigned main_group; /* threads of this process, but for those beside it */

struct trace_root trace_root = {
    .magic = {TRACE_MAGIC_0, TRACE_MAGIC_1},
    .thread_size = sizeof(struct thread),
    .root_size = sizeof(struct trace_root),
    .link_offset = offsetof(struct thread, link),
    .threads = &threads,
};

static size_t thread_size(void)
{
    return (sizeof(struct thread) + 4095) & ~(size_t)4095;
}

struct thread *thread_new(const struct guest *g, struct sighand *sh)
{
    struct thread *t =
        mmap(NULL, thread_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (t == MAP_FAILED)
        return NULL;
    /* A fork's child starts with an empty table of entries (codecache/unit.c), so it gets zeroes and not a copy. */
    uintptr_t first = ((uintptr_t)t->cpu.ucache + 4095) & ~(uintptr_t)4095;
    uintptr_t last = ((uintptr_t)t->cpu.ucache + sizeof(t->cpu.ucache)) & ~(uintptr_t)4095;
    (void)madvise((void *)first, last - first, MADV_WIPEONFORK);
    list_init(&t->link);
    t->group = &main_group;
    t->cpu.guest = g;
    t->cpu.thread = t;
    t->cpu.res_addr = UINT64_MAX;
    t->sighand = sh;
    t->altstack.ss_flags = SS_DISABLE;
    if (g && g->cpu_reset)
        g->cpu_reset(&t->cpu);
    return t;
}

void thread_free(struct thread *t)
{
    if (!list_empty(&t->link))
        vm_bug("a thread is freed that is still in the list");
    munmap(t, thread_size());
}

void thread_list_add(struct thread *t)
{
    pthread_mutex_lock(&thread_mutex);
    list_add_tail(&threads, &t->link);
    ++*t->group;
    pthread_mutex_unlock(&thread_mutex);
}

void thread_list_remove(struct thread *t)
{
    pthread_mutex_lock(&thread_mutex);
    if (!list_empty(&t->link)) {
        list_remove(&t->link);
        --*t->group;
    }
    pthread_mutex_unlock(&thread_mutex);
}

unsigned thread_count(void)
{
    pthread_mutex_lock(&thread_mutex);
    unsigned n = thread_self ? *thread_self->group : main_group;
    pthread_mutex_unlock(&thread_mutex);
    return n;
}

void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg)
{
    pthread_mutex_lock(&thread_mutex);
    list_for_each(t, &threads, struct thread, link)
    {
        fn(t, arg);
    }
    pthread_mutex_unlock(&thread_mutex);
}

static void kick(struct thread *t, void *arg)
{
    (void)arg;
    cpu_ask_out(&t->cpu);
}

void thread_kick_all(void)
{
    thread_for_each(kick, NULL);
}

void thread_fork_begin(void)
{
    pthread_mutex_lock(&thread_mutex);
}

void thread_fork_end(bool child)
{
    if (!child) {
        pthread_mutex_unlock(&thread_mutex);
        return;
    }
    pthread_mutex_init(&thread_mutex, NULL);
    /* Only the caller lives on; the others' memory is its to give back. */
    list_for_each_safe(t, &threads, struct thread, link)
    {
        if (t == thread_self)
            continue;
        list_remove(&t->link);
        munmap(t, thread_size());
    }
    main_group = thread_self != NULL;
    if (thread_self) {
        thread_self->group = &main_group;
        thread_self->apart = false;
        thread_self->beside = NULL;
    }
}

/* --- signal dispositions ---------------------------------------------------------------------------- */

struct sighand *sighand_new(void)
{
    struct sighand *sh = calloc(1, sizeof *sh);

    if (!sh)
        return NULL;
    sh->refs = 1;
    pthread_mutex_init(&sh->lock, NULL);
    return sh;
}

struct sighand *sighand_copy(struct sighand *sh)
{
    struct sighand *copy = sighand_new();

    if (!copy)
        return NULL;
    pthread_mutex_lock(&sh->lock);
    for (int i = 0; i < 64; i++)
        copy->action[i] = sh->action[i];
    pthread_mutex_unlock(&sh->lock);
    return copy;
}

void sighand_put(struct sighand *sh)
{
    if (__atomic_sub_fetch(&sh->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        pthread_mutex_destroy(&sh->lock);
        free(sh);
    }
}
