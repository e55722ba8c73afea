/* ptrace: the requests of a guest program that traces another.
 *
 * The host's ptrace is the mechanism: who may trace whom, stops, events of children, the tracer's death. Registers are those
 * in the tracee's struct thread, which is read and written in its process (tracee.c); how it stops, and what
 * is told of it, is in ptrace_stop.c and exceptions/trace.c. The host's side is always seized, with PTRACE_O_TRACEEXEC; only after
 * PTRACE_TRACEME it is not.
 *
 * Threading: tracee_lock. As on the host, a request comes from the thread that traces.
 */
#include "syscall/ptrace.h"
#include "exceptions/trace.h"
#include "syscall/sys_int.h"
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Requests that the host's <linux/ptrace.h> has only for other machines (arch/arm64/include/uapi/asm/ptrace.h). */
#define REQ_SYSEMU 31
#define REQ_SYSEMU_SINGLESTEP 32

#define HOST_OPTIONS                                                                            \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE | \
     PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)
#define KNOWN_OPTIONS \
    (HOST_OPTIONS | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP)

/* ---- registers ---- */

/* The part of struct cpu that has the guest's registers. */
#define CPU_COPY offsetof(struct cpu, jcache)

/* Registers as the tracer sees them, in a struct cpu of ours. */
struct view {
    struct cpu *cpu;
    uint64_t under; /* what the kernel hides at a stop in a system call */
    bool hides;
};

static bool view_read(const struct tracee *x, const struct trace *tr, struct view *v)
{
    static struct cpu *copy;
    const struct guest *g = x->guest;
    const struct guest_debug *d = g->debug;
    if (!copy)
        copy = calloc(1, sizeof(*copy));
    v->cpu = copy;
    if (!copy || !tracee_read(x, copy, x->thread + offsetof(struct thread, cpu), CPU_COPY))
        return false;
    copy->guest = g;
    uint64_t *r = copy->r;
    if ((x->stop == TRACEE_CALL || x->stop == TRACEE_CALL_EXIT) && !x->regs_set) {
        if (x->done || x->stop == TRACEE_CALL_EXIT)
            r[g->sysret_slot] = (uint64_t)x->result;
        else
            r[g->pc_slot] -= g->syscall_len; /* the call is taken back before anybody looks */
    }
    bool behind = tr->op == TRACE_OP_EXIT;
    v->hides = x->stop == TRACEE_SELF && tr->op && (!behind || d->call_slot_behind);
    if (v->hides) {
        v->under = r[d->call_slot];
        r[d->call_slot] = (uint64_t)d->call_value[behind];
        if (d->call_slot == g->sysret_slot)
            r[d->call_slot] = (uint64_t)tr->ret;
    }
    return true;
}

static bool view_write(struct tracee *x, struct trace *tr, struct view *v)
{
    const struct guest *g = x->guest;
    uint64_t *r = v->cpu->r;
    if (v->hides) {
        if (g->debug->call_slot == g->sysret_slot)
            tr->ret = (int64_t)r[g->sysret_slot];
        r[g->debug->call_slot] = v->under;
    }
    if ((tr->op == TRACE_OP_ENTRY || tr->op == TRACE_OP_SECCOMP) && !g->debug->call_note)
        tr->nr = r[g->sysnr_slot];
    if (x->stop == TRACEE_CALL || x->stop == TRACEE_CALL_EXIT)
        x->regs_set = true;
    uint64_t at = x->thread + offsetof(struct thread, cpu);
    /* The registers, and what says of their floating-point environment. */
    return tracee_write(x, at + offsetof(struct cpu, mxcsr), &v->cpu->mxcsr,
                        sizeof(v->cpu->mxcsr)) &&
           tracee_write(x, at + offsetof(struct cpu, frm), &v->cpu->frm,
                        offsetof(struct cpu, in_engine) - offsetof(struct cpu, frm)) &&
           tracee_write(x, at + offsetof(struct cpu, r), r, g->nslots * sizeof(*r)) &&
           tracee_put_trace(x, tr);
}

#define REGSET_MAX 1024

/* GETREGSET and SETREGSET: addr is the set's type, data an iovec. */
static int64_t regset(struct tracee *x, struct trace *tr, unsigned type, uint64_t data, bool set)
{
    struct view v;
    struct iovec iov;
    _Alignas(16) unsigned char buf[REGSET_MAX] = {0}, before[REGSET_MAX];
    const struct guest_regset *s = x->guest->debug->regsets;
    bool number = x->guest->debug->call_note && type == x->guest->debug->call_note;
    size_t size = sizeof(int32_t), unit = sizeof(int32_t);

    if (mm_read(&iov, data, sizeof(iov)))
        return -EFAULT;
    while (s->size && s->type != type)
        s++;
    if (!s->size && !number)
        return -EINVAL;
    size = s->size ? s->size : size;
    unit = s->size ? s->unit : unit;
    if (iov.iov_len % unit)
        return -EINVAL;
    size_t n = iov.iov_len < size ? iov.iov_len : size;
    if (!view_read(x, tr, &v))
        return -ESRCH;
    if (number) {
        int32_t nr = tr->op ? (int32_t)tr->nr : -1;
        memcpy(buf, &nr, sizeof(nr));
    } else {
        s->get(v.cpu, buf);
    }
    if (!set) {
        if (mm_write((uintptr_t)iov.iov_base, buf, n))
            return -EFAULT;
    } else {
        memcpy(before, buf, size);
        if (mm_read(buf, (uintptr_t)iov.iov_base, n))
            return -EFAULT;
        if (number) {
            int32_t nr;
            memcpy(&nr, buf, sizeof(nr));
            tr->nr = (uint64_t)(int64_t)nr;
            tracee_put_trace(x, tr);
        } else if (memcmp(before, buf, size)) {
            s->set(v.cpu, buf);
            if (!view_write(x, tr, &v))
                return -ESRCH;
        }
    }
    return mm_write_u64(data + offsetof(struct iovec, iov_len), n);
}

/* struct ptrace_syscall_info of linux/ptrace.h. */
struct call_info {
    uint8_t op, pad[3];
    uint32_t arch;
    uint64_t pc, sp;
    union {
        struct {
            uint64_t nr, args[6];
            uint32_t ret_data;
        } entry;
        struct {
            int64_t value;
            uint8_t is_error;
        } exit;
    };
};
_Static_assert(sizeof(struct call_info) == 88 && offsetof(struct call_info, entry) == 24,
               "struct ptrace_syscall_info");

static int64_t call_info(struct tracee *x, struct trace *tr, uint64_t size, uint64_t data)
{
    const struct guest *g = x->guest;
    struct call_info c;
    struct view v;
    size_t have = offsetof(struct call_info, entry);
    if (!view_read(x, tr, &v))
        return -ESRCH;
    memset(&c, 0, sizeof(c));
    c.op = x->stop == TRACEE_SELF        ? (uint8_t)tr->op
           : x->stop == TRACEE_CALL_EXIT ? TRACE_OP_EXIT
                                         : TRACE_OP_NONE;
    c.arch = g->elf_machine | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE;
    c.pc = v.cpu->r[g->pc_slot];
    c.sp = v.cpu->r[g->sp_slot];
    if (v.hides)
        v.cpu->r[g->debug->call_slot] = v.under;
    switch (c.op) {
    case TRACE_OP_ENTRY:
    case TRACE_OP_SECCOMP:
        c.entry.nr = tr->nr;
        for (unsigned i = 0; i < 6; i++)
            c.entry.args[i] = v.cpu->r[g->sysarg_slot[i]];
        have = offsetof(struct call_info, entry.ret_data);
        if (c.op == TRACE_OP_SECCOMP) {
            c.entry.ret_data = (uint32_t)tr->message;
            have += sizeof(c.entry.ret_data);
        }
        break;
    case TRACE_OP_EXIT:
        c.exit.value = (int64_t)v.cpu->r[g->sysret_slot];
        c.exit.is_error = c.exit.value < 0 && c.exit.value >= -4095;
        have = offsetof(struct call_info, exit.is_error) + 1;
        break;
    }
    return mm_write(data, &c, size < have ? size : have) ? -EFAULT : (int64_t)have;
}

/* ---- signals ---- */

static bool is_signal_stop(const struct tracee *x, const struct trace *tr)
{
    return x->stop == TRACEE_SELF ? !(x->status >> 8) && !tr->op
                                  : x->has_info && x->stop == TRACEE_CALL;
}

static int64_t get_siginfo(struct tracee *x, struct trace *tr, uint64_t data)
{
    siginfo_t info;
    if (is_signal_stop(x, tr)) {
        info = x->stop == TRACEE_SELF ? tr->info : x->info;
    } else if (!(x->status >> 8) && (x->stop == TRACEE_REST || x->stop == TRACEE_CALL)) {
        return -EINVAL; /* the process is stopped */
    } else {
        memset(&info, 0, sizeof(info));
        info.si_signo = x->status & 0x7f;
        info.si_code = x->status;
        info.si_pid = x->tid;
        info.si_uid = (uid_t)host_call(SYS_getuid, 0, 0, 0, 0, 0, 0);
    }
    return mm_write(data, &info, sizeof(info)) ? -EFAULT : 0;
}

static int64_t set_siginfo(struct tracee *x, struct trace *tr, uint64_t data)
{
    siginfo_t info;
    if (mm_read(&info, data, sizeof(info)))
        return -EFAULT;
    if (!is_signal_stop(x, tr))
        return -EINVAL;
    if (x->stop == TRACEE_CALL) {
        x->info = info;
        return ptrace_host(PTRACE_SETSIGINFO, x->tid, 0, (uintptr_t)&info);
    }
    tr->info = info;
    return tracee_put_trace(x, tr) ? 0 : -ESRCH;
}

static int64_t signal_mask(struct tracee *x, uint64_t size, uint64_t data, bool set)
{
    uint64_t mask, at = x->thread + offsetof(struct thread, sigmask);
    if (size != sizeof(mask))
        return -EINVAL;
    if (!set)
        return !tracee_read(x, &mask, at, sizeof(mask)) ? -ESRCH : mm_write_u64(data, mask);
    if (mm_read_u64(data, &mask))
        return -EFAULT;
    mask &= ~(UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1));
    return tracee_write(x, at, &mask, sizeof(mask)) ? 0 : -ESRCH;
}

/* ---- going on ---- */

/* Have the host call that x is in left undone: sig_syscall returns -SIG_RESTART. */
static void abort_call(struct tracee *x)
{
    struct user_regs_struct r;
    if (ptrace_host(PTRACE_GETREGS, x->tid, 0, (uintptr_t)&r) != 0)
        return;
    r.rip = x->call_abort;
    r.orig_rax = (unsigned long)-1; /* nothing to restart */
    ptrace_host(PTRACE_SETREGS, x->tid, 0, (uintptr_t)&r);
}

/* The end of the call was told; now the stop for what ended it. */
static int64_t next_stop(struct tracee *x, struct trace *tr, int signo)
{
    x->stop = TRACEE_CALL;
    x->status = x->next;
    x->report = true;
    if (!tracee_put_trace(x, tr))
        return -ESRCH;
    if (signo)
        host_call(SYS_tgkill, (uint64_t)x->tgid, (uint64_t)x->tid, (uint64_t)signo, 0, 0, 0);
    host_call(SYS_tgkill, (uint64_t)getpid(), (uint64_t)gettid(), SIGCHLD, 0, 0, 0);
    return 0;
}

static int64_t resume(struct tracee *x, struct trace *tr, enum trace_how how, int signo,
                      bool detach)
{
    int request = detach ? PTRACE_DETACH : PTRACE_CONT, host_signo = 0;
    if (signo < 0 || signo > 64)
        return -EIO;
    tr->how = how;
    tr->on = !detach;
    if (x->stop == TRACEE_SELF) {
        tr->signo = signo;
    } else if (x->stop == TRACEE_CALL_EXIT && !detach) {
        return next_stop(x, tr, signo);
    } else if (x->stop == TRACEE_CALL || x->stop == TRACEE_CALL_EXIT) {
        bool caught = signo && ptrace_caught(x, signo);
        tr->told = 1; /* or its beginning was not: the kernel's exit work comes before such stops */
        tr->regs_set = x->regs_set;
        tr->skip_guest = caught && !detach ? (uint32_t)signo : 0;
        if (!x->done && (x->regs_set || (how != TRACE_CONT && !caught)))
            abort_call(x);
        host_signo = signo;
    }
    if (x->thread && !tracee_put_trace(x, tr))
        return -ESRCH;
    x->stop = TRACEE_RUNS;
    x->report = false;
    int64_t rc = ptrace_host(request, x->tid, 0, (uint64_t)host_signo);
    if (detach)
        tracee_forget(x->tid);
    return rc;
}

/* ---- the beginning ---- */

static int64_t trace_me(struct thread *t)
{
    /* A debugger of the host's would be shown the runtime. */
    if (!tracee_is_ours(getppid()))
        return -EPERM;
    int64_t rc = ptrace_host(PTRACE_TRACEME, 0, 0, 0);
    if (rc == 0)
        t->trace = (struct trace){.on = 1};
    return rc;
}

static uint64_t host_options(uint64_t options)
{
    return (options & HOST_OPTIONS) | PTRACE_O_TRACEEXEC;
}

static int64_t attach(pid_t tid, bool seize, uint64_t options)
{
    struct tracee *x = tracee_get(tid);
    struct trace tr, old;
    if (!x)
        return -ENOMEM;
    x->tgid = 0;
    x->root = x->thread = x->threads = 0;
    x->stop = TRACEE_RUNS;
    x->report = false;
    int64_t rc = ptrace_host(PTRACE_SEIZE, tid, 0, host_options(options));
    if (rc == 0 && !tracee_locate(x)) {
        /* A program of the host's own kind, or another Dragoman: a tracee has to be stopped to be let go. */
        int status;
        ptrace_host(PTRACE_INTERRUPT, tid, 0, 0);
        host_call(SYS_wait4, (uint64_t)tid, (uintptr_t)&status, 0x40000000 /* __WALL */, 0, 0, 0);
        ptrace_host(PTRACE_DETACH, tid, 0, 0);
        rc = -EPERM;
    }
    if (rc == 0 && tracee_get_trace(x, &old)) {
        tr = (struct trace){.on = 1,
                            .seized = seize,
                            .options = (uint32_t)options,
                            .calling = old.calling,
                            .at_rest = old.at_rest};
        rc = tracee_put_trace(x, &tr) ? 0 : -ESRCH;
    }
    if (rc == 0 && !seize)
        host_call(SYS_tgkill, (uint64_t)x->tgid, (uint64_t)tid, SIGSTOP, 0, 0, 0);
    if (rc)
        tracee_forget(tid);
    return rc;
}

/* ---- memory ---- */

static int64_t peek(struct tracee *x, uint64_t addr, uint64_t data)
{
    uint64_t word;
    if (!mm_in_range(addr, sizeof(word)) && addr + sizeof(word) > GUEST_ADDR_END)
        return -EIO;
    int64_t rc = ptrace_host(PTRACE_PEEKDATA, x->tid, addr, (uintptr_t)&word);
    return rc ? rc : mm_write_u64(data, word);
}

static int64_t poke(struct tracee *x, uint64_t addr, uint64_t word)
{
    if (addr + sizeof(word) > GUEST_ADDR_END || addr > GUEST_ADDR_END)
        return -EIO;
    int64_t rc = ptrace_host(PTRACE_POKEDATA, x->tid, addr, word);
    if (rc == 0)
        tracee_wrote(x->tid, addr, sizeof(word));
    return rc;
}

/* ---- the call ---- */

static int64_t event_message(struct tracee *x, struct trace *tr, uint64_t data)
{
    uint64_t message = 0;
    if (x->stop == TRACEE_EVENT)
        ptrace_host(PTRACE_GETEVENTMSG, x->tid, 0, (uintptr_t)&message);
    else if (x->stop == TRACEE_SELF && x->status >> 8 == PTRACE_EVENT_EXEC)
        message = x->message;
    else if (x->stop == TRACEE_SELF &&
             (x->status >> 8 == PTRACE_EVENT_SECCOMP || x->status >> 8 == PTRACE_EVENT_EXIT))
        message = tr->message;
    else if (x->stop == TRACEE_SELF && (tr->op == TRACE_OP_ENTRY || tr->op == TRACE_OP_EXIT))
        message = tr->op; /* PTRACE_EVENTMSG_SYSCALL_ENTRY, _EXIT */
    return mm_write_u64(data, message);
}

static int64_t stopped_request(struct tracee *x, struct trace *tr, long request, uint64_t addr,
                               uint64_t data)
{
    bool steps = x->guest && x->guest->debug->steps;
    switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
        return peek(x, addr, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return poke(x, addr, data);
    case PTRACE_CONT:
        return resume(x, tr, TRACE_CONT, (int)data, false);
    case PTRACE_SYSCALL:
        return resume(x, tr, TRACE_SYSCALL, (int)data, false);
    case PTRACE_SINGLESTEP:
        return steps ? resume(x, tr, TRACE_STEP, (int)data, false) : -EIO;
    case REQ_SYSEMU:
        return steps ? resume(x, tr, TRACE_SYSEMU, (int)data, false) : -EIO;
    case PTRACE_DETACH:
        return resume(x, tr, TRACE_CONT, (int)data, true);
    case PTRACE_LISTEN:
        if (x->status >> 8 != 128 || (x->stop != TRACEE_REST && x->stop != TRACEE_CALL))
            return -EIO;
        x->stop = TRACEE_RUNS;
        return ptrace_host(PTRACE_LISTEN, x->tid, 0, 0);
    case PTRACE_SETOPTIONS:
        if (data & ~(uint64_t)KNOWN_OPTIONS)
            return -EINVAL;
        tr->options = (uint32_t)data;
        return tracee_put_trace(x, tr)
                   ? ptrace_host(PTRACE_SETOPTIONS, x->tid, 0, host_options(data))
                   : -ESRCH;
    case PTRACE_GETEVENTMSG:
        return event_message(x, tr, data);
    case PTRACE_GETSIGINFO:
        return get_siginfo(x, tr, data);
    case PTRACE_SETSIGINFO:
        return set_siginfo(x, tr, data);
    case PTRACE_GETSIGMASK:
    case PTRACE_SETSIGMASK:
        return signal_mask(x, addr, data, request == PTRACE_SETSIGMASK);
    case PTRACE_PEEKSIGINFO:
        return ptrace_host(request, x->tid, sys_in(addr, 16), sys_out(data, sizeof(siginfo_t)));
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
        return x->thread ? regset(x, tr, (unsigned)addr, data, request == PTRACE_SETREGSET) : -EIO;
    case PTRACE_GET_SYSCALL_INFO:
        return x->thread ? call_info(x, tr, addr, data) : -EIO;
    default:
        return -EIO;
    }
}

int64_t sys_ptrace(struct thread *t, const uint64_t *a)
{
    long request = (long)a[0];
    pid_t tid = (pid_t)a[1];
    struct trace tr = {.on = 0};
    int64_t rc = -ESRCH;

    if (request == PTRACE_TRACEME)
        return trace_me(t);
    tracee_lock();
    struct tracee *x = tracee_find(tid);
    switch (request) {
    case PTRACE_ATTACH:
        rc = attach(tid, false, 0);
        break;
    case PTRACE_SEIZE:
        rc = a[2] || a[3] & ~(uint64_t)KNOWN_OPTIONS ? -EIO : attach(tid, true, a[3]);
        break;
    case PTRACE_KILL:
        rc = ptrace_host(PTRACE_KILL, tid, 0, 0);
        break;
    case PTRACE_INTERRUPT:
        if (x && x->thread && tracee_get_trace(x, &tr))
            rc = !tr.seized ? -EIO : ptrace_host(PTRACE_INTERRUPT, tid, 0, 0);
        break;
    default:
        if (x && x->stop && (!x->thread || tracee_get_trace(x, &tr)))
            rc = stopped_request(x, &tr, request, a[2], a[3]);
    }
    tracee_unlock();
    return rc;
}
