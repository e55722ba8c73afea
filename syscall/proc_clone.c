/* clone and clone3: threads, processes, and children that share memory.
 *
 * Owns: validation of the flags in the kernel's order, and the three ways:
 *   CLONE_THREAD  a host thread (hooks.start_thread); what it does not share it unshares itself
 *   CLONE_VM      a host process on our memory, with its own host stack. With CLONE_VFORK it borrows the rest of the
 *                 calling thread, which waits for its exec or exit; else it has thread-local storage of its own
 *   otherwise     a fork, by the C library where its flags are plain ones, so that its locks are whole
 *
 * Invariants: every signal is blocked from before the host's clone until both sides know who they
 * are. In a vfork child the host's thread-local storage is the waiting parent's.
 *
 * Threading: any thread. Lock order around a fork: runtime/, sighand, thread_lock, mm_lock, cc.
 */
#include "codecache/blocks.h"
#include "exceptions/trace.h"
#include "syscall/sys_int.h"
#include "syscall/tracee.h"
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define CLONE_DETACHED_FLAG 0x00400000
#define CLONE_CLEAR_SIGHAND_FLAG UINT64_C(0x100000000)
#define CLONE_INTO_CGROUP_FLAG UINT64_C(0x200000000)
#define CSIGNAL_MASK 0xff

#define NAMESPACES                                                                                 \
    (CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
     CLONE_NEWPID | CLONE_NEWNET)

/* What the host's clone is to do for a child process; the rest is done here. */
#define HOST_FLAGS                                                                    \
    (NAMESPACES | CLONE_FS | CLONE_FILES | CLONE_PIDFD | CLONE_PTRACE | CLONE_VFORK | \
     CLONE_PARENT | CLONE_SYSVSEM | CLONE_UNTRACED | CLONE_IO | CLONE_INTO_CGROUP_FLAG)

#define VFORK_STACK (256 << 10)
#define SET_TID_MAX 32 /* MAX_PID_NS_LEVEL */

/* struct clone_args of include/uapi/linux/sched.h; sizes of its versions. */
struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size;
    uint64_t cgroup;
};
#define CLONE3_SIZE_VER0 64
#define CLONE3_SIZE_VER2 88
_Static_assert(sizeof(struct clone3_args) == CLONE3_SIZE_VER2, "the newest version known");

/* proc_host_clone(nr, a0, a1, a2, fn, arg): the host's clone or clone3 with a stack of its own for
 * the child, which calls fn(arg) there. The child's registers other than these are the parent's. */
__asm__(".pushsection .text\n"
        ".type proc_host_clone, @function\n"
        "proc_host_clone:\n"
        "	.cfi_startproc\n"
        "	endbr64\n"
        "	mov %rdi, %rax\n"
        "	mov %rsi, %rdi\n"
        "	mov %rdx, %rsi\n"
        "	mov %rcx, %rdx\n"
        "	xor %r10d, %r10d\n"
        "	syscall\n"
        "	test %rax, %rax\n"
        "	jz 1f\n"
        "	ret\n"
        "1:	.cfi_undefined %rip\n"
        "	xor %ebp, %ebp\n"
        "	mov %r9, %rdi\n"
        "	call *%r8\n"
        "	ud2\n"
        "	.cfi_endproc\n"
        ".size proc_host_clone, . - proc_host_clone\n"
        ".popsection\n");
int64_t proc_host_clone(long nr, uint64_t a0, uint64_t a1, uint64_t a2, void (*fn)(void *),
                        void *arg);

/* The checks that both calls share, in the order of copy_process. */
static int check_flags(uint64_t f)
{
    if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
        return -EINVAL;
    if ((f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
        return -EINVAL;
    if (f & CLONE_THREAD && !(f & CLONE_SIGHAND))
        return -EINVAL;
    if (f & CLONE_SIGHAND && !(f & CLONE_VM))
        return -EINVAL;
    if (f & CLONE_THREAD && f & (CLONE_NEWUSER | CLONE_NEWPID))
        return -EINVAL;
    if (f & CLONE_PIDFD && f & CLONE_DETACHED_FLAG)
        return -EINVAL;
    return 0;
}

/* The child's registers: the parent's, with what the flags change; and its filters. */
static void child_registers(struct thread *c, const struct thread *t, const struct clone3_args *ca)
{
    const struct guest *g = t->cpu.guest;
    if (c != t) {
        memcpy(c->cpu.r, t->cpu.r, g->nslots * sizeof(c->cpu.r[0]));
        c->cpu.mxcsr = t->cpu.mxcsr;
        c->cpu.fp_rules = t->cpu.fp_rules;
        c->cpu.fp_denormal = t->cpu.fp_denormal;
        c->cpu.frm = t->cpu.frm;
        c->seccomp = t->seccomp;
        c->tagged_addr = t->tagged_addr;
        c->group = t->group;
        c->apart = t->apart;
    }
    c->cpu.res_addr = UINT64_MAX;
    c->cpu.r[g->sysret_slot] = 0;
    if (ca->stack)
        c->cpu.r[g->sp_slot] = ca->stack;
    if (ca->flags & CLONE_SETTLS)
        c->cpu.r[g->tls_slot] = ca->tls;
}

/* --- threads ------------------------------------------------------------------------------------ */

static int64_t clone_thread(struct thread *t, const struct clone3_args *ca)
{
    struct sighand *sh = t->sighand;
    __atomic_add_fetch(&sh->refs, 1, __ATOMIC_SEQ_CST);
    struct thread *c = thread_new(t->cpu.guest, sh);
    if (!c) {
        sighand_put(sh);
        return -ENOMEM;
    }
    child_registers(c, t, ca);
    sig_clone(c, t, ca->flags);
    trace_clone(c, t, ca->flags, 0);
    c->clear_child_tid = ca->flags & CLONE_CHILD_CLEARTID ? ca->child_tid : 0;
    int64_t tid = sys_hooks.start_thread(c, ca->flags, ca->parent_tid, ca->child_tid);
    if (tid < 0) {
        sighand_put(sh);
        thread_free(c);
        return tid;
    }
    if (ca->flags & CLONE_PIDFD) {
        int64_t fd =
            host_call(SYS_pidfd_open, (uint64_t)tid, O_EXCL /* PIDFD_THREAD */, 0, 0, 0, 0);
        if (fd >= 0)
            mm_write_u32(ca->pidfd, (uint32_t)fd);
    }
    return tid;
}

/* --- children that share our memory ------------------------------------------------------------- */

struct sharing_start {
    struct thread *child;
    struct clone3_args args;
};

/* What the child does first, on its own host stack. */
static void sharing_begin(struct thread *c, const struct clone3_args *ca)
{
    thread_self = c;
    c->tid = (pid_t)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
    if (ca->flags & CLONE_CLEAR_SIGHAND_FLAG)
        sig_clear_handlers(c);
    if (ca->flags & CLONE_CHILD_SETTID)
        mm_write_u32(ca->child_tid, (uint32_t)c->tid);
    c->clear_child_tid = ca->flags & CLONE_CHILD_CLEARTID ? ca->child_tid : 0;
}

static void vfork_child(void *arg)
{
    struct sharing_start *s = arg;
    sharing_begin(s->child, &s->args);
    /* Other memory users remain, so the kernel does clear it. */
    if (s->args.flags & CLONE_CHILD_CLEARTID)
        host_call(SYS_set_tid_address, sys_out(s->args.child_tid, 4), 0, 0, 0, 0, 0);
    sig_vfork_begin(s->child);
    sys_hooks.run_vfork_child(s->child);
}

static void beside_child(void *arg)
{
    struct sharing_start s = *(struct sharing_start *)arg;
    free(arg);
    sharing_begin(s.child, &s.args);
    sys_hooks.run_process(s.child);
}

/* The host's clone for a child process: with fn, that runs on the stack given (and with the storage given, if there is
 * some); without, it returns twice. */
static int64_t host_clone(const struct clone3_args *ca, uint64_t flags,
                          const struct sys_process_room *room, int *pidfd, void (*fn)(void *),
                          void *arg)
{
    pid_t tids[SET_TID_MAX];
    uint64_t stack = room ? (uintptr_t)room->stack : 0, stack_size = room ? room->size : 0;
    if (!(flags >> 32 || ca->set_tid_size || flags & (CLONE_NEWTIME | CLONE_SETTLS))) {
        flags |= ca->exit_signal;
        return fn ? proc_host_clone(SYS_clone, flags, stack + stack_size, (uintptr_t)pidfd, fn, arg)
                  : host_call(SYS_clone, flags, 0, (uintptr_t)pidfd, 0, 0, 0);
    }
    if (ca->set_tid_size && mm_read(tids, ca->set_tid, ca->set_tid_size * sizeof(tids[0])) != 0)
        return -EFAULT;
    struct clone3_args h = {
        .flags = flags,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = ca->exit_signal,
        .child_tid = flags & CLONE_CHILD_CLEARTID ? (uintptr_t)room->left : 0,
        .tls = flags & CLONE_SETTLS ? room->tls : 0,
        .stack = stack,
        .stack_size = stack_size,
        .set_tid = ca->set_tid_size ? (uintptr_t)tids : 0,
        .set_tid_size = ca->set_tid_size,
        .cgroup = ca->cgroup,
    };
    return fn ? proc_host_clone(SYS_clone3, (uintptr_t)&h, sizeof(h), 0, fn, arg)
              : host_call(SYS_clone3, (uintptr_t)&h, sizeof(h), 0, 0, 0, 0);
}

static int64_t clone_vfork(struct thread *t, const struct clone3_args *ca)
{
    uint64_t saved;
    int pidfd = -1;
    uint64_t flags = (ca->flags & (HOST_FLAGS | CLONE_SIGHAND)) | CLONE_VM | CLONE_VFORK;

    void *stack =
        mmap(NULL, VFORK_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return -ENOMEM;
    sig_block_all(&saved);
    struct sighand *sh = t->sighand;
    if (ca->flags & CLONE_SIGHAND)
        __atomic_add_fetch(&sh->refs, 1, __ATOMIC_SEQ_CST);
    else
        sh = sighand_copy(sh);
    struct thread *c = thread_new(t->cpu.guest, sh);
    if (!c) {
        sighand_put(sh);
        munmap(stack, VFORK_STACK);
        sig_restore(saved);
        return -ENOMEM;
    }
    child_registers(c, t, ca);
    sig_clone(c, t, ca->flags);
    trace_clone(c, t, flags, (int)ca->exit_signal);
    c->vfork_parent = t;
    c->apart = true;
    cc_cpu_add(&c->cpu);
    thread_list_add(c);

    struct sharing_start start = {.child = c, .args = *ca};
    struct sys_process_room room = {.stack = stack, .size = VFORK_STACK};
    const char *sysroot = process.sysroot;
    int64_t pid = host_clone(ca, flags, &room, &pidfd, vfork_child, &start);

    /* The child has its own memory now, or is gone; or there is none. */
    thread_self = t;
    if (!(ca->flags & CLONE_FS))
        process.sysroot = sysroot; /* the child may have changed its root, which is not ours */
    thread_list_remove(c);
    cc_cpu_remove(&c->cpu);
    if (c->exec_args)
        munmap(c->exec_args, c->exec_args_size);
    sighand_put(sh);
    thread_free(c);
    munmap(stack, VFORK_STACK);
    sig_restore(saved);
    if (pid >= 0) {
        if (ca->flags & CLONE_PARENT_SETTID)
            mm_write_u32(ca->parent_tid, (uint32_t)pid);
        if (ca->flags & CLONE_PIDFD)
            mm_write_u32(ca->pidfd, (uint32_t)pidfd);
    }
    return pid;
}

/* Not CLONE_VFORK: both run. */
static int64_t clone_beside(struct thread *t, const struct clone3_args *ca)
{
    uint64_t saved, flags = (ca->flags & (HOST_FLAGS | CLONE_SIGHAND)) | CLONE_VM | CLONE_SETTLS |
                            CLONE_CHILD_CLEARTID;
    struct sys_process_room room;
    struct sharing_start *start = malloc(sizeof(*start));
    int64_t pid = -ENOMEM;
    int pidfd = -1;

    sig_block_all(&saved);
    struct sighand *sh = t->sighand;
    if (ca->flags & CLONE_SIGHAND)
        __atomic_add_fetch(&sh->refs, 1, __ATOMIC_SEQ_CST);
    else
        sh = sighand_copy(sh);
    struct thread *c = sh && start ? thread_new(t->cpu.guest, sh) : NULL;
    if (!c)
        goto no_thread;
    child_registers(c, t, ca);
    sig_clone(c, t, ca->flags);
    trace_clone(c, t, ca->flags, (int)ca->exit_signal);
    if (!sys_hooks.prepare_process(c, &room))
        goto no_room;
    *start = (struct sharing_start){.child = c, .args = *ca};
    cc_cpu_add(&c->cpu);
    thread_list_add(c);
    pid = host_clone(ca, flags, &room, &pidfd, beside_child, start);
    if (pid < 0) {
        thread_list_remove(c);
        cc_cpu_remove(&c->cpu);
        sys_hooks.unprepare_process(c);
        goto no_room;
    }
    /* c is the child's, and may be gone. */
    if (ca->flags & CLONE_PARENT_SETTID)
        mm_write_u32(ca->parent_tid, (uint32_t)pid);
    if (ca->flags & CLONE_PIDFD)
        mm_write_u32(ca->pidfd, (uint32_t)pidfd);
    sig_restore(saved);
    return pid;

no_room:
    thread_free(c);
no_thread:
    if (sh)
        sighand_put(sh);
    free(start);
    sig_restore(saved);
    return pid;
}

/* --- forks ----------------------------------------------------------------------------------------- */

static int64_t clone_fork(struct thread *t, const struct clone3_args *ca)
{
    uint64_t saved;
    int pidfd = -1;
    uint64_t flags = ca->flags & HOST_FLAGS;
    struct sighand *sh = t->sighand;

    sig_block_all(&saved);
    sys_hooks.fork_begin();
    pthread_mutex_lock(&sh->lock);
    thread_fork_begin();
    mm_fork_begin();
    cc_fork_begin();
    int64_t pid;
    if (flags == 0 && ca->exit_signal == SIGCHLD && !ca->set_tid_size) {
        pid = fork();
        pid = pid < 0 ? -errno : pid;
    } else {
        pid = host_clone(ca, flags, NULL, &pidfd, NULL, NULL);
    }
    cc_fork_end(pid == 0, &t->cpu);
    mm_fork_end(pid == 0);
    thread_fork_end(pid == 0);
    if (pid == 0)
        pthread_mutex_init(&sh->lock, NULL);
    else
        pthread_mutex_unlock(&sh->lock);
    sys_hooks.fork_end(pid == 0);
    if (pid != 0) {
        if (pid > 0) {
            if (ca->flags & CLONE_PARENT_SETTID)
                mm_write_u32(ca->parent_tid, (uint32_t)pid);
            if (ca->flags & CLONE_PIDFD)
                mm_write_u32(ca->pidfd, (uint32_t)pidfd);
        }
        sig_restore(saved);
        return pid;
    }

    tracee_forked();
    sh->refs = 1;
    t->tid = (pid_t)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
    t->vfork_parent = NULL;
    t->clear_child_tid = ca->flags & CLONE_CHILD_CLEARTID ? ca->child_tid : 0;
    sig_clone(t, t, ca->flags);
    trace_clone(t, t, ca->flags, (int)ca->exit_signal);
    if (ca->flags & CLONE_CLEAR_SIGHAND_FLAG)
        sig_clear_handlers(t);
    child_registers(t, t, ca);
    if (ca->flags & CLONE_CHILD_SETTID)
        mm_write_u32(ca->child_tid, (uint32_t)t->tid);
    sig_vfork_begin(t);
    return 0;
}

/* --- the calls --------------------------------------------------------------------------------------- */

static int64_t do_clone(struct thread *t, const struct clone3_args *ca)
{
    int rc = check_flags(ca->flags);
    if (rc)
        return rc;
    if (ca->flags & CLONE_THREAD)
        return clone_thread(t, ca);
    if (ca->flags & CLONE_VM)
        return ca->flags & CLONE_VFORK ? clone_vfork(t, ca) : clone_beside(t, ca);
    return clone_fork(t, ca);
}

int64_t sys_clone(struct thread *t, const uint64_t *a)
{
    bool tls_first = t->cpu.guest->clone_tls_before_ctid;
    struct clone3_args ca = {
        .flags = (uint32_t)a[0] & ~(uint64_t)CSIGNAL_MASK,
        .exit_signal = a[0] & CSIGNAL_MASK,
        .stack = a[1],
        .parent_tid = a[2],
        .pidfd = a[2],
        .tls = a[tls_first ? 3 : 4],
        .child_tid = a[tls_first ? 4 : 3],
    };
    /* Both would write to the same place. */
    if (ca.flags & CLONE_PIDFD && ca.flags & CLONE_PARENT_SETTID)
        return -EINVAL;
    return do_clone(t, &ca);
}

int64_t sys_clone3(struct thread *t, const uint64_t *a)
{
    struct clone3_args ca = {0};
    uint64_t addr = a[0], size = a[1];
    if (size > GUEST_PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE3_SIZE_VER0)
        return -EINVAL;
    if (mm_read(&ca, addr, size < sizeof(ca) ? size : sizeof(ca)) != 0)
        return -EFAULT;
    /* A longer struct is understood if what we do not know of is zero. */
    for (uint64_t i = sizeof(ca); i < size; i++) {
        uint8_t byte;
        if (mm_read(&byte, addr + i, 1) != 0)
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    if (ca.set_tid_size > SET_TID_MAX || !ca.set_tid != !ca.set_tid_size)
        return -EINVAL;
    if (ca.exit_signal & ~(uint64_t)CSIGNAL_MASK || ca.exit_signal > 64)
        return -EINVAL;
    if (ca.flags & CLONE_INTO_CGROUP_FLAG && (ca.cgroup > INT_MAX || size < CLONE3_SIZE_VER2))
        return -EINVAL;
    if (ca.flags >> 34 || ca.flags & (CLONE_DETACHED_FLAG | (CSIGNAL_MASK & ~CLONE_NEWTIME)))
        return -EINVAL;
    if (ca.flags & CLONE_SIGHAND && ca.flags & CLONE_CLEAR_SIGHAND_FLAG)
        return -EINVAL;
    if (ca.flags & (CLONE_THREAD | CLONE_PARENT) && ca.exit_signal)
        return -EINVAL;
    if (!ca.stack != !ca.stack_size || !mm_in_range(ca.stack, ca.stack_size))
        return -EINVAL;
    ca.stack += ca.stack_size;
    if (ca.flags & CLONE_PIDFD && ca.flags & CLONE_PARENT_SETTID && ca.pidfd == ca.parent_tid)
        return -EINVAL;
    return do_clone(t, &ca);
}
