/* Access to traced threads in their own process: see tracee.h.
 *
 * Their VM is the same program as this one, or its static twin at another address: its struct trace_root is found by
 * its magic number in the program's writable pages, and leads to the list of threads. The list is read while others may change
 * it: what cannot be read or has no end is tried again.
 *
 * Threading: see tracee.h.
 */
#include "syscall/tracee.h"
#include "base/host.h"
#include "syscall/host_nr.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct list tracees = LIST_INIT(tracees);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void tracee_lock(void)
{
    pthread_mutex_lock(&lock);
}

void tracee_forked(void)
{
    pthread_mutex_init(&lock, NULL); /* other threads may have held it */
    while (!list_empty(&tracees)) {
        struct tracee *x = list_first(&tracees, struct tracee, link);
        list_remove(&x->link);
        free(x);
    }
}

void tracee_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct tracee *tracee_search(bool (*fn)(struct tracee *x, void *arg), void *arg)
{
    pid_t self = getpid();
    list_for_each(x, &tracees, struct tracee, link)
    {
        if (x->tracer == self && fn(x, arg))
            return x;
    }
    return NULL;
}

static bool has_tid(struct tracee *x, void *arg)
{
    return x->tid == *(const pid_t *)arg;
}

struct tracee *tracee_find(pid_t tid)
{
    return tracee_search(has_tid, &tid);
}

struct tracee *tracee_get(pid_t tid)
{
    struct tracee *x = tracee_find(tid);
    if (x)
        return x;
    x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->tid = tid;
    x->tracer = getpid();
    list_init(&x->link);
    list_add_tail(&tracees, &x->link);
    return x;
}

void tracee_forget(pid_t tid)
{
    struct tracee *x = tracee_find(tid);
    if (!x)
        return;
    list_remove(&x->link);
    free(x);
}

static bool transfer(long nr, pid_t tid, void *here, uint64_t there, size_t n)
{
    struct iovec local = {here, n}, remote = {(void *)(uintptr_t)there, n};
    return host_call(nr, (uint64_t)tid, (uintptr_t)&local, 1, (uintptr_t)&remote, 1, 0) ==
           (int64_t)n;
}

bool tracee_read(const struct tracee *x, void *to, uint64_t addr, size_t n)
{
    return transfer(SYS_process_vm_readv, x->tid, to, addr, n);
}

bool tracee_write(const struct tracee *x, uint64_t addr, const void *from, size_t n)
{
    return transfer(SYS_process_vm_writev, x->tid, (void *)(uintptr_t)from, addr, n);
}

bool tracee_get_trace(const struct tracee *x, struct trace *tr)
{
    return x->thread && tracee_read(x, tr, x->thread + offsetof(struct thread, trace), sizeof(*tr));
}

bool tracee_put_trace(const struct tracee *x, const struct trace *tr)
{
    return tracee_write(x, x->thread + offsetof(struct thread, trace), tr, sizeof(*tr));
}

/* ---- finding a thread ---- */

/* The struct trace_root among the pages [start, end). */
static uint64_t scan(pid_t tid, uint64_t start, uint64_t end)
{
    const uint64_t magic[2] = {TRACE_MAGIC_0, TRACE_MAGIC_1};
    size_t n = end - start;
    uint64_t found = 0;
    char *copy = n < 64 << 20 ? malloc(n) : NULL;
    if (copy && transfer(SYS_process_vm_readv, tid, copy, start, n)) {
        for (size_t i = 0; i + sizeof(struct trace_root) <= n && !found; i += 8)
            if (!memcmp(copy + i, magic, sizeof(magic)))
                found = start + i;
    }
    free(copy);
    return found;
}

/* In the pages of the program that the process runs, whatever it is. */
static uint64_t find_root(pid_t tid)
{
    char name[40], line[PATH_MAX + 128];
    struct stat st;
    uint64_t start, end, root = 0;
    unsigned long ino;
    char perms[5];

    snprintf(name, sizeof(name), "/proc/%d/exe", (int)tid);
    if (stat(name, &st) != 0)
        return 0;
    snprintf(name, sizeof(name), "/proc/%d/maps", (int)tid);
    FILE *f = fopen(name, "re");
    while (f && !root && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %lu", &start, &end, perms,
                   &ino) == 4 &&
            perms[1] == 'w' && perms[0] == 'r' && ino == st.st_ino)
            root = scan(tid, start, end);
    }
    if (f)
        fclose(f);
    return root;
}

static pid_t process_of(pid_t tid)
{
    char name[40], line[256];
    int tgid = 0;
    snprintf(name, sizeof(name), "/proc/%d/status", (int)tid);
    FILE *f = fopen(name, "re");
    while (f && !tgid && fgets(line, sizeof(line), f))
        (void)sscanf(line, "Tgid: %d", &tgid);
    if (f)
        fclose(f);
    return tgid;
}

/* Visit the threads of x's process; stops and says true when fn does. */
static bool for_each_thread(struct tracee *x, bool (*fn)(struct tracee *x, uint64_t at, pid_t tid))
{
    struct {
        uint64_t prev, next;
        pid_t tid;
    } node;
    _Static_assert(offsetof(struct thread, tid) ==
                       offsetof(struct thread, link) + sizeof(struct list),
                   "both are read at once");
    uint64_t at = x->threads;
    for (unsigned i = 0; i < 100000; i++) {
        if (!tracee_read(x, &node, at, i ? sizeof(node) : sizeof(struct list)))
            return false;
        if (i && fn(x, at - offsetof(struct thread, link), node.tid))
            return true;
        at = node.next;
        if (at == x->threads)
            return false;
    }
    return false;
}

static bool is_it(struct tracee *x, uint64_t at, pid_t tid)
{
    if (tid != x->tid)
        return false;
    x->thread = at;
    return true;
}

static bool read_root(struct tracee *x)
{
    struct trace_root r;
    if (!x->root)
        x->root = find_root(x->tid);
    if (!x->root || !tracee_read(x, &r, x->root, sizeof(r)) || r.magic[0] != TRACE_MAGIC_0 ||
        r.thread_size != sizeof(struct thread) || r.root_size != sizeof(r) ||
        r.link_offset != offsetof(struct thread, link) || !r.machine)
        return false;
    x->guest = guest_by_elf(r.machine);
    x->threads = (uintptr_t)r.threads;
    x->call_test = r.call_test;
    x->call_done = r.call_done;
    x->call_abort = r.call_abort;
    return x->guest != NULL;
}

bool tracee_locate(struct tracee *x)
{
    if (x->thread)
        return true;
    if (!x->tgid)
        x->tgid = process_of(x->tid);
    if (!read_root(x))
        return false;
    for (unsigned i = 0; i < 5; i++)
        if (for_each_thread(x, is_it))
            return true;
    return false;
}

static bool kick(struct tracee *x, uint64_t at, pid_t tid)
{
    const uint32_t one = 1;
    (void)tid;
    tracee_write(x, at + offsetof(struct thread, cpu.pending), &one, sizeof(one));
    return false;
}

void tracee_wrote(pid_t tid, uint64_t addr, uint64_t len)
{
    struct tracee *known = tracee_find(tid), other = {.tid = tid};
    struct tracee *x = known ? known : &other;
    struct {
        uint64_t addr, len;
    } write = {addr, len};
    uint32_t head;
    if ((!x->threads && !read_root(x)) ||
        !tracee_read(x, &head, x->root + offsetof(struct trace_root, write_head), sizeof(head)))
        return;
    tracee_write(x, x->root + offsetof(struct trace_root, writes[head % TRACE_WRITES]), &write,
                 sizeof(write));
    head++;
    tracee_write(x, x->root + offsetof(struct trace_root, write_head), &head, sizeof(head));
    for_each_thread(x, kick);
}

bool tracee_is_ours(pid_t pid)
{
    char name[40], link[PATH_MAX];
    struct stat theirs, ours;
    snprintf(name, sizeof(name), "/proc/%d/exe", (int)pid);
    if (stat(name, &theirs) != 0 || stat("/proc/self/exe", &ours) != 0)
        return false;
    if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
        return true;
    ssize_t n = readlink(name, link, sizeof(link) - 1);
    if (n <= 0)
        return false;
    link[n] = 0;
    const char *last = strrchr(link, '/');
    return last && (!strcmp(last, "/dragoman") || !strcmp(last, "/dragoman-static"));
}
