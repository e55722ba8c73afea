/* seccomp: filters of system calls, run on the guest's calls.
 *
 * Owns: the filters of each thread (thread->seccomp, newest first), their validation, the machine that
 * runs them, and their way through execve.
 *
 * On the host a filter would see the runtime's calls, under the host's numbers. So it is kept here and judges
 * what the guest asks for: its numbers, its AUDIT_ARCH, its registers. The rules are those of
 * kernel/seccomp.c and net/core/filter.c. Listeners are the kernel's: seccomp_notify.c.
 * A program of the host's kind that the guest executes runs unfiltered.
 *
 * Invariants: a filter is constant and stays mapped until the process executes or ends, since threads and
 * children of vfork share the chain.
 *
 * Threading: a thread adds to its own chain; with SECCOMP_FILTER_FLAG_TSYNC to those of all others too,
 * under thread_lock: chains of others are only ever replaced by longer ones.
 */
#include "exceptions/trace.h"
#include "syscall/sys_int.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PATH_INSNS_MAX (32768 / sizeof(struct sock_filter)) /* MAX_INSNS_PER_PATH */
#define PATH_PENALTY 4
#define CODE_SECCOMP 1 /* SYS_SECCOMP of asm-generic/siginfo.h */
#define FLAG_TSYNC (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)
#define FLAG_LISTENER (SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
#define FLAG_KNOWN \
    (FLAG_TSYNC | FLAG_LISTENER | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW)

/* One filter. `strict` is mode 1, which has no program and nothing before it; `listens`: it has a listener. */
struct seccomp {
    const struct seccomp *prev;
    uint16_t strict, listens;
    uint32_t len;
    struct sock_filter insn[];
};

/* The generic numbers, the same for all guests: read, write, exit, rt_sigreturn. */
static bool strict_allows(uint64_t nr)
{
    return nr == 63 || nr == 64 || nr == 93 || nr == 139;
}

/* ---- running a filter ---- */

static uint32_t alu(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return a / b;
    case BPF_AND:
        return a & b;
    case BPF_OR:
        return a | b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return a << (b & 31);
    case BPF_RSH:
        return a >> (b & 31);
    default: /* BPF_NEG: validation lets no other through */
        return -a;
    }
}

static bool jumps(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default: /* BPF_JSET */
        return a & b;
    }
}

static uint32_t run_filter(const struct seccomp *f, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};

    for (const struct sock_filter *i = f->insn;; i++) {
        uint32_t b = BPF_SRC(i->code) == BPF_X ? x : i->k;

        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            if (BPF_MODE(i->code) == BPF_ABS)
                memcpy(&a, (const char *)data + i->k, sizeof(a));
            else
                a = BPF_MODE(i->code) == BPF_MEM   ? mem[i->k]
                    : BPF_MODE(i->code) == BPF_LEN ? sizeof(*data)
                                                   : i->k;
            break;
        case BPF_LDX:
            x = BPF_MODE(i->code) == BPF_MEM   ? mem[i->k]
                : BPF_MODE(i->code) == BPF_LEN ? sizeof(*data)
                                               : i->k;
            break;
        case BPF_ST:
            mem[i->k] = a;
            break;
        case BPF_STX:
            mem[i->k] = x;
            break;
        case BPF_ALU:
            if (BPF_OP(i->code) == BPF_DIV && b == 0)
                return 0; /* as the kernel's translation of it ends */
            a = alu(i->code, a, b);
            break;
        case BPF_JMP:
            i += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i->code, a, b) ? i->jt : i->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(i->code) == BPF_A ? a : i->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(i->code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        }
    }
}

static void die(struct thread *t, int signo)
{
    if (thread_count() == 1 || t->vfork_parent)
        sig_die(signo);
    sys_hooks.thread_exit(t, signo);
}

bool sys_seccomp_refuses(struct thread *t, uint64_t nr, const uint64_t *args, int64_t *ret)
{
    const struct guest *g = t->cpu.guest;
    const struct seccomp *decider = NULL;
    uint32_t verdict = SECCOMP_RET_ALLOW;
    struct seccomp_data data = {.nr = (int)nr,
                                .arch = sys_seccomp_arch(g->elf_machine),
                                .instruction_pointer = t->cpu.r[g->pc_slot]};

    if (t->seccomp->strict) {
        if (!strict_allows(nr))
            die(t, SIGKILL);
        return false;
    }
    memcpy(data.args, args, sizeof(data.args));
    /* The gravest wins, the newest of equals; as a signed number the gravest is the least. */
    for (const struct seccomp *f = t->seccomp; f; f = f->prev) {
        uint32_t one = run_filter(f, &data);
        if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) <
            (int32_t)(verdict & SECCOMP_RET_ACTION_FULL)) {
            verdict = one;
            decider = f;
        }
    }
    uint32_t extra = verdict & SECCOMP_RET_DATA;
    switch (verdict & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return false;
    case SECCOMP_RET_ERRNO:
        *ret = -(int64_t)(extra < 4095 ? extra : 4095);
        return true;
    case SECCOMP_RET_TRAP: {
        siginfo_t info = {.si_signo = SIGSYS, .si_errno = (int)extra, .si_code = CODE_SECCOMP};
        info.si_call_addr = mm_g2h(data.instruction_pointer);
        info.si_syscall = data.nr;
        info.si_arch = data.arch;
        *ret = SYS_NO_RESULT;
        sig_force(t, &info, 0);
        return true;
    }
    case SECCOMP_RET_TRACE:
        if (t->trace.on && t->trace.options & PTRACE_O_TRACESECCOMP) {
            *ret = -ENOSYS;
            return !trace_seccomp(t, nr, extra, ret);
        }
        *ret = -ENOSYS; /* there is no tracer */
        return true;
    case SECCOMP_RET_USER_NOTIF:
        *ret = -ENOSYS;
        return !decider->listens || sys_seccomp_ask(t, nr, args, ret);
    case SECCOMP_RET_KILL_THREAD:
        die(t, SIGSYS);
        return true;
    default: /* SECCOMP_RET_KILL_PROCESS, and what is not known */
        sig_die(SIGSYS);
    }
}

/* ---- accepting a filter ---- */

/* Loads from data only whole words of it; no other packet access; arithmetic that cannot trap; jumps
 * forwards and inside; a return at the end. */
static bool valid_insn(const struct sock_filter *i, uint32_t left)
{
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return i->k < sizeof(struct seccomp_data) && !(i->k & 3);
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
        return true;
    case BPF_ALU | BPF_DIV | BPF_K:
        return i->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return i->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return i->k < BPF_MEMWORDS;
    case BPF_JMP | BPF_JA:
        return i->k < left;
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
        return i->jt < left && i->jf < left;
    default:
        return false;
    }
}

static bool valid(const struct seccomp *f)
{
    for (uint32_t i = 0; i < f->len; i++)
        if (!valid_insn(&f->insn[i], f->len - i - 1))
            return false;
    return BPF_CLASS(f->insn[f->len - 1].code) == BPF_RET;
}

static struct seccomp *new_filter(uint32_t len)
{
    size_t size = sizeof(struct seccomp) + len * sizeof(struct sock_filter);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void drop_filter(struct seccomp *f)
{
    munmap(f, sizeof(*f) + f->len * sizeof(f->insn[0]));
}

/* Only who could not gain rights by an execve, or has them all, may restrict what he executes. */
static bool may_filter(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];

    if (host_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1)
        return true;
    return host_call(SYS_capget, (uintptr_t)&head, (uintptr_t)caps, 0, 0, 0, 0) == 0 &&
           caps[0].effective & 1u << CAP_SYS_ADMIN;
}

struct sync {
    const struct thread *from;
    const struct seccomp *chain; /* new; NULL: only look */
    pid_t different;
};

static void sync_thread(struct thread *t, void *arg)
{
    struct sync *s = arg;
    const struct seccomp *f = s->from->seccomp;

    if (t == s->from)
        return;
    if (s->chain) {
        __atomic_store_n(&t->seccomp, s->chain, __ATOMIC_RELEASE);
        return;
    }
    while (f && f != t->seccomp)
        f = f->prev;
    if (f != t->seccomp)
        s->different = t->tid;
}

static int64_t add_filter(struct thread *t, uint64_t flags, uint64_t addr)
{
    struct {
        uint16_t len;
        uint64_t insns;
    } prog; /* struct sock_fprog */
    struct sync sync = {.from = t};
    uint64_t total;
    int64_t listener = 0;
    struct seccomp *f;

    if (flags & ~(uint64_t)FLAG_KNOWN ||
        (flags & FLAG_LISTENER) == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
        return -EINVAL;
    /* Is what comes back a descriptor or the thread that is different? */
    if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER &&
        (flags & FLAG_TSYNC) == SECCOMP_FILTER_FLAG_TSYNC)
        return -EINVAL;
    if (mm_read(&prog, addr, sizeof(prog)))
        return -EFAULT;
    if (prog.len == 0 || prog.len > BPF_MAXINSNS)
        return -EINVAL;
    if (!may_filter())
        return -EACCES;
    f = new_filter(prog.len);
    if (!f)
        return -ENOMEM;
    f->len = prog.len;
    f->prev = t->seccomp;
    if (mm_read(f->insn, prog.insns, prog.len * sizeof(f->insn[0]))) {
        drop_filter(f);
        return -EFAULT;
    }
    if (!valid(f) || (t->seccomp && t->seccomp->strict)) {
        drop_filter(f);
        return -EINVAL;
    }
    total = f->len;
    for (const struct seccomp *p = f->prev; p; p = p->prev)
        total += p->len + PATH_PENALTY;
    if (total > PATH_INSNS_MAX) {
        drop_filter(f);
        return -ENOMEM;
    }
    if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
        thread_for_each(sync_thread, &sync);
        if (sync.different) {
            drop_filter(f);
            return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : sync.different;
        }
    }
    if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
        listener = sys_seccomp_listen(flags & (FLAG_TSYNC | FLAG_LISTENER));
        if (listener < 0) {
            drop_filter(f);
            return listener;
        }
        f->listens = 1;
    }
    if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
        sync.chain = f;
        thread_for_each(sync_thread, &sync);
    }
    t->seccomp = f;
    return listener;
}

static int64_t set_strict(struct thread *t)
{
    struct seccomp *f;

    if (t->seccomp)
        return t->seccomp->strict ? 0 : -EINVAL;
    f = new_filter(0);
    if (!f)
        return -ENOMEM;
    f->strict = 1;
    t->seccomp = f;
    return 0;
}

int64_t sys_seccomp(struct thread *t, const uint64_t *a)
{
    uint32_t action;

    switch ((unsigned)a[0]) {
    case SECCOMP_SET_MODE_STRICT:
        return (unsigned)a[1] || a[2] ? -EINVAL : set_strict(t);
    case SECCOMP_SET_MODE_FILTER:
        return add_filter(t, (unsigned)a[1], a[2]);
    case SECCOMP_GET_ACTION_AVAIL:
        if ((unsigned)a[1])
            return -EINVAL;
        if (mm_read_u32(a[2], &action))
            return -EFAULT;
        switch (action) {
        case SECCOMP_RET_KILL_PROCESS:
        case SECCOMP_RET_KILL_THREAD:
        case SECCOMP_RET_TRAP:
        case SECCOMP_RET_ERRNO:
        case SECCOMP_RET_USER_NOTIF:
        case SECCOMP_RET_TRACE:
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_ALLOW:
            return 0;
        }
        return -EOPNOTSUPP;
    case SECCOMP_GET_NOTIF_SIZES:
        return host_call(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, (unsigned)a[1],
                         sys_out(a[2], sizeof(struct seccomp_notif_sizes)), 0, 0, 0);
    default:
        return -EINVAL;
    }
}

int64_t sys_seccomp_prctl(struct thread *t, uint64_t mode, uint64_t filter)
{
    switch (mode) {
    case SECCOMP_MODE_STRICT:
        return set_strict(t);
    case SECCOMP_MODE_FILTER:
        return add_filter(t, 0, filter);
    default:
        return -EINVAL;
    }
}

int sys_seccomp_mode(const struct thread *t)
{
    return !t->seccomp          ? SECCOMP_MODE_DISABLED
           : t->seccomp->strict ? SECCOMP_MODE_STRICT
                                : SECCOMP_MODE_FILTER;
}

unsigned sys_seccomp_filters(const struct thread *t)
{
    unsigned n = 0;
    for (const struct seccomp *f = t->seccomp; f && !f->strict; f = f->prev)
        n++;
    return n;
}

/* ---- through execve ---- */

/* The oldest first, so that who reads can put each before what it has. */
static bool write_chain(int fd, const struct seccomp *f)
{
    ssize_t size;
    if (!f)
        return true;
    size = (ssize_t)(sizeof(*f) + f->len * sizeof(f->insn[0]));
    return write_chain(fd, f->prev) && write(fd, f, (size_t)size) == size;
}

int sys_seccomp_save(const struct thread *t)
{
    int fd;
    if (!t->seccomp)
        return -1;
    fd = memfd_create("seccomp", 0);
    if (fd < 0 || !write_chain(fd, t->seccomp)) {
        if (fd >= 0)
            close(fd);
        return -ENOMEM;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

bool sys_seccomp_restore(struct thread *t, int fd)
{
    struct seccomp head;
    bool whole = true;
    ssize_t n;

    while (whole && (n = read(fd, &head, sizeof(head))) > 0) {
        struct seccomp *f;
        whole = n == sizeof(head) && head.len <= BPF_MAXINSNS && (f = new_filter(head.len));
        if (!whole)
            break;
        size_t size = head.len * sizeof(f->insn[0]);
        *f = head;
        f->prev = t->seccomp;
        whole = read(fd, f->insn, size) == (ssize_t)size && (f->strict || (f->len && valid(f)));
        t->seccomp = f;
    }
    close(fd);
    return whole;
}
