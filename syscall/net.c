/* Socket calls.
 *
 * Owns: the calls whose arguments point at further pointers; the others are PASS rows.
 *
 * All structs here are laid out alike for every 64-bit Linux (asserted below), control messages included:
 * their headers are two 64-bit-aligned words and their payloads are made of fixed-width members,
 * 64-bit time or file descriptors. So headers and iovecs are copied in, their pointers
 * checked one by one, and the copy is passed; payloads never move.
 *
 * AF_UNIX addresses are passed as they are: a path socket is not looked for below the sysroot, since
 * its peer is as often a host program as a guest's.
 *
 * Threading: reentrant.
 */
#include "syscall/sys_int.h"
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MSG_IOV_MAX 1024 /* UIO_MAXIOV; also the most messages of one sendmmsg */
#define MSG_IOV_FAST 8

_Static_assert(sizeof(struct msghdr) == 56 && offsetof(struct msghdr, msg_namelen) == 8 &&
                   offsetof(struct msghdr, msg_iov) == 16 &&
                   offsetof(struct msghdr, msg_iovlen) == 24 &&
                   offsetof(struct msghdr, msg_control) == 32 &&
                   offsetof(struct msghdr, msg_controllen) == 40 &&
                   offsetof(struct msghdr, msg_flags) == 48,
               "msghdr is that of asm-generic");
_Static_assert(sizeof(struct mmsghdr) == 64 && offsetof(struct mmsghdr, msg_len) == 56,
               "mmsghdr is that of asm-generic");
_Static_assert(sizeof(struct iovec) == 16 && sizeof(struct cmsghdr) == 16, "64-bit words");
_Static_assert(sizeof(struct sock_fprog) == 16 && offsetof(struct sock_fprog, filter) == 8,
               "sock_fprog is that of asm-generic");

/* --- options --------------------------------------------------------------------------------- */

/* Options whose value holds a pointer: a classic BPF program. */
static bool option_is_filter(int level, int name)
{
    return (level == SOL_SOCKET &&
            (name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF)) ||
           (level == SOL_PACKET && name == PACKET_FANOUT_DATA);
}

int64_t sys_setsockopt(struct thread *t, const uint64_t *a)
{
    struct sock_fprog prog;
    uint64_t value = a[3];

    if (option_is_filter((int)a[1], (int)a[2]) && (uint32_t)a[4] == sizeof prog &&
        mm_read(&prog, a[3], sizeof prog) == 0) {
        prog.filter = mm_g2h(sys_in((uintptr_t)prog.filter, prog.len * sizeof *prog.filter));
        value = (uintptr_t)&prog;
    }
    return sig_syscall(t, SYS_setsockopt, a[0], a[1], a[2], value, a[4], 0);
}

int64_t sys_getsockopt(struct thread *t, const uint64_t *a)
{
    uint64_t value = a[3];
    uint32_t len;

    /* This one counts instructions where all others count bytes. */
    if ((int)a[1] == SOL_SOCKET && (int)a[2] == SO_GET_FILTER && mm_read_u32(a[4], &len) == 0)
        value = sys_out(value, (uint64_t)len * sizeof(struct sock_filter));
    return sig_syscall(t, SYS_getsockopt, a[0], a[1], a[2], value, a[4], 0);
}

/* --- messages -------------------------------------------------------------------------------- */

/* A message header with its pointers checked. */
struct msg_in {
    struct iovec fast[MSG_IOV_FAST];
    struct iovec *slow; /* malloc'ed, or NULL */
};

static void msg_free(struct msg_in *m)
{
    free(m->slow);
}

/* Check the pointers of h, which was read from the guest; its iovec is copied into m. out: the
 * kernel will write to them. 0, or -ENOMEM. */
static int msg_check(struct msg_in *m, struct msghdr *h, bool out)
{
    struct iovec *iov = m->fast;

    m->slow = NULL;
    /* The kernel takes at most a sockaddr_storage, and refuses a negative length. */
    if (out)
        h->msg_name = mm_g2h(sys_out_max((uintptr_t)h->msg_name, h->msg_namelen, 128));
    else
        h->msg_name =
            mm_g2h(sys_in((uintptr_t)h->msg_name, h->msg_namelen < 128 ? h->msg_namelen : 128));
    if (out)
        h->msg_control = mm_g2h(sys_out((uintptr_t)h->msg_control, h->msg_controllen));
    else
        h->msg_control = mm_g2h(sys_in((uintptr_t)h->msg_control, h->msg_controllen));

    if (h->msg_iovlen > MSG_IOV_MAX)
        return 0; /* EMSGSIZE before the vector is looked at */
    if (h->msg_iovlen > MSG_IOV_FAST) {
        iov = m->slow = malloc(h->msg_iovlen * sizeof *iov);
        if (!iov)
            return -ENOMEM;
    }
    if (mm_read(iov, (uintptr_t)h->msg_iov, h->msg_iovlen * sizeof *iov)) {
        h->msg_iov = mm_g2h(SYS_BAD_PTR);
        return 0;
    }
    h->msg_iov = iov;
    for (size_t i = 0; i < h->msg_iovlen; i++) {
        uint64_t base = (uintptr_t)iov[i].iov_base;
        uint64_t len = iov[i].iov_len < SYS_RW_MAX ? iov[i].iov_len : SYS_RW_MAX;

        iov[i].iov_base = mm_g2h(out ? sys_out(base, len) : sys_in(base, len));
    }
    return 0;
}

/* What recvmsg tells through the header. */
static int msg_result(uint64_t addr, const struct msghdr *h)
{
    uint64_t controllen = h->msg_controllen;

    if (mm_write_u32(addr + offsetof(struct msghdr, msg_namelen), h->msg_namelen) ||
        mm_write_u64(addr + offsetof(struct msghdr, msg_controllen), controllen) ||
        mm_write_u32(addr + offsetof(struct msghdr, msg_flags), (uint32_t)h->msg_flags))
        return -EFAULT;
    return 0;
}

static int64_t message(struct thread *t, long nr, const uint64_t *a, bool out)
{
    struct msghdr h;
    struct msg_in m;
    int64_t ret;

    if (mm_read(&h, a[1], sizeof h))
        return sig_syscall(t, nr, a[0], SYS_BAD_PTR, a[2], 0, 0, 0);
    ret = msg_check(&m, &h, out);
    if (ret == 0)
        ret = sig_syscall(t, nr, a[0], (uintptr_t)&h, a[2], 0, 0, 0);
    msg_free(&m);
    if (out && ret >= 0 && msg_result(a[1], &h))
        return -EFAULT;
    return ret;
}

int64_t sys_sendmsg(struct thread *t, const uint64_t *a)
{
    return message(t, SYS_sendmsg, a, false);
}

int64_t sys_recvmsg(struct thread *t, const uint64_t *a)
{
    return message(t, SYS_recvmsg, a, true);
}

/* Many messages: the kernel stops at the first that fails and reports how many went before, so a header that
 * cannot be read ends the list there; when it is the first, the kernel gets a bad pointer for it. At most
 * MSG_IOV_MAX are taken, as sendmmsg itself does and recvmmsg may. */
static int64_t messages(struct thread *t, long nr, const uint64_t *a, bool out, uint64_t timeout)
{
    uint32_t vlen = (uint32_t)a[2] < MSG_IOV_MAX ? (uint32_t)a[2] : MSG_IOV_MAX;
    struct mmsghdr *h = NULL;
    struct msg_in *m = NULL;
    uint32_t n = 0;
    int64_t ret = 0;

    if (vlen) {
        h = malloc(vlen * sizeof *h);
        m = malloc(vlen * sizeof *m);
        if (!h || !m)
            ret = -ENOMEM;
    }
    while (ret == 0 && n < vlen && mm_read(&h[n], a[1] + n * sizeof *h, sizeof *h) == 0) {
        ret = msg_check(&m[n], &h[n].msg_hdr, out);
        n++;
    }
    if (ret == 0)
        ret = sig_syscall(t, nr, a[0], n || !vlen ? (uintptr_t)h : SYS_BAD_PTR, n ? n : vlen, a[3],
                          timeout, 0);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = a[1] + i * sizeof *h;

        msg_free(&m[i]);
        if (ret > i && (mm_write_u32(at + offsetof(struct mmsghdr, msg_len), h[i].msg_len) ||
                        (out && msg_result(at, &h[i].msg_hdr))))
            ret = i ? (int64_t)i : -EFAULT;
    }
    free(h);
    free(m);
    return ret;
}

int64_t sys_sendmmsg(struct thread *t, const uint64_t *a)
{
    return messages(t, SYS_sendmmsg, a, false, 0);
}

int64_t sys_recvmmsg(struct thread *t, const uint64_t *a)
{
    return messages(t, SYS_recvmmsg, a, true, a[4]);
}
