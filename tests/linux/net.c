/* Sockets: addresses, messages with control data, options, filters, netlink, errors. Loopback only. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int udp(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int s = EXPECT_OK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    EXPECT_OK(bind(s, (void *)at, sizeof *at));
    EXPECT_OK(getsockname(s, (void *)at, &len));
    EXPECT_EQ(len, sizeof *at);
    return s;
}

static void test_tcp(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in peer, name;
    socklen_t len = sizeof at;
    char buf[64];
    int one = 1;
    int l = EXPECT_OK(socket(AF_INET, SOCK_STREAM, 0));

    EXPECT_OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    EXPECT_OK(bind(l, (void *)&at, sizeof at));
    EXPECT_OK(listen(l, 5));
    EXPECT_OK(getsockname(l, (void *)&at, &len));
    int c = EXPECT_OK(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_OK(connect(c, (void *)&at, sizeof at));
    len = sizeof peer;
    int s = EXPECT_OK(accept4(l, (void *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
    EXPECT_EQ(len, sizeof peer);
    EXPECT_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    EXPECT(fcntl(s, F_GETFL) & O_NONBLOCK);
    len = sizeof name;
    EXPECT_OK(getsockname(c, (void *)&name, &len));
    EXPECT_EQ(name.sin_port, peer.sin_port);
    EXPECT_ERR(recv(s, buf, sizeof buf, 0), EAGAIN);
    EXPECT_EQ(send(c, "hello", 5, MSG_NOSIGNAL), 5);
    struct pollfd p = {.fd = s, .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, 5000), 1);
    EXPECT_EQ(recv(s, buf, sizeof buf, MSG_PEEK), 5);
    EXPECT_EQ(recv(s, buf, sizeof buf, 0), 5);
    EXPECT_EQ(memcmp(buf, "hello", 5), 0);
    struct tcp_info info;
    len = sizeof info;
    EXPECT_OK(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len));
    EXPECT_EQ(info.tcpi_state, TCP_ESTABLISHED);
    /* A short buffer is filled as far as it goes, and the real length is told. */
    memset(&peer, 0xee, sizeof peer);
    len = 4;
    EXPECT_OK(getpeername(c, (void *)&peer, &len));
    EXPECT_EQ(len, sizeof peer);
    EXPECT_EQ(peer.sin_port, at.sin_port);
    EXPECT_EQ(peer.sin_addr.s_addr, 0xeeeeeeee);
    EXPECT_OK(shutdown(c, SHUT_WR));
    EXPECT_EQ(poll(&p, 1, 5000), 1);
    EXPECT_EQ(recv(s, buf, sizeof buf, 0), 0);
    close(s);
    EXPECT_ERR(getpeername(l, (void *)&peer, &len), ENOTCONN);
    close(l);
    close(c);
    verified(
        "tcp over loopback: bind, listen, connect, accept4, getsockname, getpeername, shutdown");
}

static void test_udp(void)
{
    struct sockaddr_in a, b, from;
    int sa = udp(&a), sb = udp(&b);
    char buf[64];
    socklen_t len = sizeof from;

    EXPECT_EQ(sendto(sa, "datagram", 8, 0, (void *)&b, sizeof b), 8);
    EXPECT_EQ(recvfrom(sb, buf, 4, MSG_TRUNC, (void *)&from, &len), 8);
    EXPECT_EQ(len, sizeof from);
    EXPECT_EQ(from.sin_port, a.sin_port);
    EXPECT_EQ(memcmp(buf, "data", 4), 0);
    EXPECT_ERR(sendto(sa, BAD, 8, 0, (void *)&b, sizeof b), EFAULT);
    EXPECT_ERR(sendto(sa, buf, 8, 0, BAD, sizeof b), EFAULT);
    EXPECT_ERR(sendto(-1, BAD, 8, 0, BAD, sizeof b), EBADF);
    EXPECT_ERR(sendto(sa, buf, 8, 0, (void *)&b, 500), EINVAL);

    struct timeval tv = {.tv_usec = 30000}, got;
    EXPECT_OK(setsockopt(sb, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    len = sizeof got;
    EXPECT_OK(getsockopt(sb, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    EXPECT_EQ(len, sizeof got);
    EXPECT(got.tv_sec == 0 && got.tv_usec >= 30000 && got.tv_usec < 60000);
    EXPECT_ERR(recv(sb, buf, sizeof buf, 0), EAGAIN);
    len = 1;
    unsigned char small = 0xee;
    EXPECT_OK(getsockopt(sb, SOL_SOCKET, SO_TYPE, &small, &len));
    EXPECT_EQ(small, SOCK_DGRAM);
    EXPECT_EQ(len, 1);
    int type = 0;
    len = sizeof type;
    EXPECT_ERR(getsockopt(sb, SOL_SOCKET, SO_TYPE, BAD, &len), EFAULT);
    EXPECT_ERR(getsockopt(sb, SOL_SOCKET, SO_TYPE, &type, BAD), EFAULT);
    EXPECT_ERR(getsockopt(-1, SOL_SOCKET, SO_TYPE, BAD, KERNEL), EBADF);
    EXPECT_ERR(setsockopt(sb, SOL_SOCKET, SO_KEEPALIVE, BAD, 4), EFAULT);
    EXPECT_ERR(setsockopt(sb, SOL_SOCKET, SO_KEEPALIVE, KERNEL, 4), EFAULT);
    EXPECT_ERR(setsockopt(sb, SOL_SOCKET, 0x7777, &type, 4), ENOPROTOOPT);
    close(sa);
    close(sb);
    verified("udp: sendto, recvfrom, truncation, options, timeouts, EFAULT in the kernel's order");
}

/* Receive one message with control data; returns the first header of the wanted type. */
static struct cmsghdr *receive(int s, struct msghdr *h, int level, int type, int flags)
{
    EXPECT(recvmsg(s, h, flags) >= 0);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
        if (c->cmsg_level == level && c->cmsg_type == type)
            return c;
    return NULL;
}

static void test_rights(void)
{
    int sv[2], pfd[2], got[3];
    union {
        char buf[256];
        struct cmsghdr align;
    } u;
    char text[2][8];
    struct iovec iov[2] = {{"ab", 2}, {"cdef", 4}};
    struct iovec in[2] = {{text[0], 3}, {text[1], 8}};
    struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = u.buf};
    struct cmsghdr *c;

    EXPECT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
    EXPECT_OK(pipe(pfd));
    h.msg_controllen = CMSG_SPACE(3 * sizeof(int));
    c = CMSG_FIRSTHDR(&h);
    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(3 * sizeof(int))};
    memcpy(CMSG_DATA(c), (int[]){pfd[0], pfd[1], sv[0]}, 3 * sizeof(int));
    EXPECT_EQ(sendmsg(sv[0], &h, 0), 6);

    memset(u.buf, 0xee, sizeof u.buf);
    h = (struct msghdr){.msg_iov = in,
                        .msg_iovlen = 2,
                        .msg_control = u.buf,
                        .msg_controllen = sizeof u.buf,
                        .msg_flags = 0x77};
    c = receive(sv[1], &h, SOL_SOCKET, SCM_RIGHTS, MSG_CMSG_CLOEXEC);
    EXPECT(c != NULL);
    EXPECT_EQ(c->cmsg_len, CMSG_LEN(3 * sizeof(int)));
    EXPECT_EQ(h.msg_controllen, CMSG_SPACE(3 * sizeof(int)));
    EXPECT_EQ(h.msg_flags & ~MSG_CMSG_CLOEXEC, 0);
    EXPECT_EQ(memcmp(text[0], "abc", 3), 0);
    EXPECT_EQ(memcmp(text[1], "def", 3), 0);
    memcpy(got, CMSG_DATA(c), sizeof got);
    EXPECT_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(write(got[1], "x", 1), 1);
    EXPECT_EQ(read(pfd[0], text[0], 8), 1);

    /* Too little room: what fits, and MSG_CTRUNC. */
    h = (struct msghdr){.msg_iov = iov,
                        .msg_iovlen = 1,
                        .msg_control = u.buf,
                        .msg_controllen = CMSG_SPACE(2 * sizeof(int))};
    c = CMSG_FIRSTHDR(&h);
    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(c), (int[]){pfd[0], pfd[1]}, 2 * sizeof(int));
    EXPECT_EQ(sendmsg(sv[0], &h, 0), 2);
    h = (struct msghdr){.msg_iov = in,
                        .msg_iovlen = 1,
                        .msg_control = u.buf,
                        .msg_controllen = CMSG_LEN(sizeof(int))};
    c = receive(sv[1], &h, SOL_SOCKET, SCM_RIGHTS, 0);
    EXPECT(c != NULL);
    EXPECT_EQ(c->cmsg_len, CMSG_LEN(sizeof(int)));
    EXPECT_EQ(h.msg_flags, MSG_CTRUNC);

    EXPECT_ERR(sendmsg(sv[0], BAD, 0), EFAULT);
    EXPECT_ERR(recvmsg(sv[0], BAD, MSG_DONTWAIT), EFAULT);
    EXPECT_ERR(sendmsg(-1, BAD, 0), EBADF);
    h = (struct msghdr){.msg_iov = BAD, .msg_iovlen = 1};
    EXPECT_ERR(sendmsg(sv[0], &h, 0), EFAULT);
    h.msg_iovlen = 1025;
    EXPECT_ERR(sendmsg(sv[0], &h, 0), EMSGSIZE);
    struct iovec bad = {BAD, 4};
    h = (struct msghdr){.msg_iov = &bad, .msg_iovlen = 1};
    EXPECT_ERR(sendmsg(sv[0], &h, 0), EFAULT);
    bad.iov_base = KERNEL;
    EXPECT_ERR(sendmsg(sv[0], &h, 0), EFAULT);
    h = (struct msghdr){.msg_iov = iov, .msg_iovlen = 1, .msg_control = BAD, .msg_controllen = 32};
    EXPECT_ERR(sendmsg(sv[0], &h, 0), EFAULT);
    /* Many parts. */
    static char big[1024][16];
    static struct iovec many[1024];
    for (int i = 0; i < 1024; i++)
        many[i] = (struct iovec){big[i], 3};
    memset(big, 'z', sizeof big);
    h = (struct msghdr){.msg_iov = many, .msg_iovlen = 1024};
    EXPECT_EQ(sendmsg(sv[0], &h, 0), 3072);
    memset(big, 0, sizeof big);
    EXPECT_EQ(recvmsg(sv[1], &h, MSG_WAITALL), 3072);
    EXPECT_EQ(big[1023][2], 'z');
    EXPECT_EQ(big[1023][3], 0);
    close(sv[0]);
    close(sv[1]);
    verified("sendmsg, recvmsg: vectors, SCM_RIGHTS, MSG_CTRUNC, EFAULT, EMSGSIZE");
}

static void test_credentials(void)
{
    int sv[2], one = 1;
    char buf[256] __attribute__((aligned(8))), b;
    struct iovec iov = {&b, 1};
    struct msghdr h = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf, .msg_controllen = sizeof buf};
    struct ucred cred;
    socklen_t len = sizeof cred;

    EXPECT_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
    EXPECT_OK(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
    EXPECT_EQ(write(sv[0], "c", 1), 1);
    struct cmsghdr *c = receive(sv[1], &h, SOL_SOCKET, SCM_CREDENTIALS, 0);
    EXPECT(c != NULL);
    memcpy(&cred, CMSG_DATA(c), sizeof cred);
    EXPECT_EQ(cred.pid, getpid());
    EXPECT_EQ(cred.uid, getuid());
    EXPECT_EQ(cred.gid, getgid());
    EXPECT_OK(getsockopt(sv[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
    EXPECT_EQ(cred.pid, getpid());
    close(sv[0]);
    close(sv[1]);
    verified("SCM_CREDENTIALS and SO_PEERCRED");
}

static void test_timestamps(void)
{
    struct sockaddr_in a;
    int s = udp(&a), one = 1;
    char buf[256] __attribute__((aligned(8))), b[4];
    struct iovec iov = {b, 4};
    struct sockaddr_in from;
    struct msghdr h = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = buf,
                       .msg_controllen = sizeof buf};
    struct timespec ts, now;
    struct timeval tv;
    struct cmsghdr *c;

    EXPECT_OK(setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one));
    EXPECT_EQ(sendto(s, "t", 1, 0, (void *)&a, sizeof a), 1);
    c = receive(s, &h, SOL_SOCKET, SCM_TIMESTAMPNS, 0);
    EXPECT(c != NULL);
    EXPECT_EQ(h.msg_namelen, sizeof from);
    EXPECT_EQ(from.sin_port, a.sin_port);
    memcpy(&ts, CMSG_DATA(c), sizeof ts);
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT(now.tv_sec - ts.tv_sec >= 0 && now.tv_sec - ts.tv_sec <= 5);
    EXPECT_OK(setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof one));
    EXPECT_EQ(sendto(s, "t", 1, 0, (void *)&a, sizeof a), 1);
    h.msg_controllen = sizeof buf;
    c = receive(s, &h, SOL_SOCKET, SCM_TIMESTAMP, 0);
    EXPECT(c != NULL);
    memcpy(&tv, CMSG_DATA(c), sizeof tv);
    EXPECT(now.tv_sec - tv.tv_sec >= -5 && now.tv_sec - tv.tv_sec <= 5);
    close(s);
    verified("control data with timestamps");
}

static void test_mmsg(void)
{
    enum { N = 20 };
    struct sockaddr_in a, from[N];
    int s = udp(&a);
    char out[N], in[N][4];
    struct iovec io[N], ii[N];
    struct mmsghdr m[N];

    memset(m, 0, sizeof m);
    for (int i = 0; i < N; i++) {
        out[i] = 'a' + i;
        io[i] = (struct iovec){&out[i], 1};
        ii[i] = (struct iovec){in[i], 4};
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &io[i], .msg_iovlen = 1};
    }
    EXPECT_EQ(sendmmsg(s, m, N, 0), N);
    EXPECT_EQ(m[N - 1].msg_len, 1);
    memset(m, 0, sizeof m);
    for (int i = 0; i < N; i++)
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof *from,
                                       .msg_iov = &ii[i],
                                       .msg_iovlen = 1,
                                       .msg_flags = 0x7f};
    struct timespec ts = {.tv_nsec = 200000000};
    EXPECT_EQ(recvmmsg(s, m, N, MSG_WAITFORONE, &ts), N);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ(in[i][0], 'a' + i);
        EXPECT_EQ(m[i].msg_len, 1);
        EXPECT_EQ(m[i].msg_hdr.msg_flags, 0);
        EXPECT_EQ(m[i].msg_hdr.msg_namelen, sizeof a);
        EXPECT_EQ(from[i].sin_port, a.sin_port);
    }
    EXPECT_ERR(recvmmsg(s, m, N, MSG_DONTWAIT, NULL), EAGAIN);
    /* The first bad message ends the list. */
    for (int i = 0; i < 4; i++)
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &io[i], .msg_iovlen = 1};
    m[2].msg_hdr.msg_iov = BAD;
    EXPECT_EQ(sendmmsg(s, m, 4, 0), 2);
    m[0].msg_hdr.msg_iov = BAD;
    EXPECT_ERR(sendmmsg(s, m, 4, 0), EFAULT);
    EXPECT_ERR(sendmmsg(s, BAD, 4, 0), EFAULT);
    EXPECT_ERR(sendmmsg(-1, BAD, 4, 0), EBADF);
    EXPECT_EQ(sendmmsg(s, m, 0, 0), 0);
    close(s);
    verified("sendmmsg and recvmmsg, with a bad message among good ones");
}

static void test_filter(void)
{
    struct sockaddr_in a;
    int s = udp(&a);
    char b[8];
    /* Pass datagrams whose first payload byte (8 behind the UDP header) is 'y'. */
    struct sock_filter code[] =
        {
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
            BPF_STMT(BPF_RET | BPF_K, 0xffff),
            BPF_STMT(BPF_RET | BPF_K, 0),
        },
                       got[8];
    struct sock_fprog prog = {.len = 4, .filter = code};
    socklen_t len = 8;

    EXPECT_OK(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog));
    EXPECT_EQ(sendto(s, "n", 1, 0, (void *)&a, sizeof a), 1);
    EXPECT_EQ(sendto(s, "y", 1, 0, (void *)&a, sizeof a), 1);
    EXPECT_EQ(recv(s, b, 8, 0), 1);
    EXPECT_EQ(b[0], 'y');
    EXPECT_ERR(recv(s, b, 8, MSG_DONTWAIT), EAGAIN);
    EXPECT_OK(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &len));
    EXPECT_EQ(len, 4);
    EXPECT_EQ(memcmp(got, code, sizeof code), 0);
    prog.filter = BAD;
    EXPECT_ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog), EFAULT);
    EXPECT_OK(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &len, sizeof len));
    close(s);
    verified("SO_ATTACH_FILTER and SO_GET_FILTER");
}

static void test_unix(void)
{
    char dir[] = "/tmp/dragoman-net-XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX}, from;
    socklen_t len = sizeof from;
    char b[4];

    EXPECT(mkdtemp(dir) != NULL);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", dir);
    int l = EXPECT_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_OK(bind(l, (void *)&at, sizeof at));
    EXPECT_OK(listen(l, 1));
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect(c, (void *)&at, sizeof at) == 0 && write(c, "hi", 2) == 2 ? 0 : 1);
    }
    int s = EXPECT_OK(accept(l, (void *)&from, &len));
    EXPECT_EQ(len, offsetof(struct sockaddr_un, sun_path));
    EXPECT_EQ(read(s, b, 4), 2);
    int status;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    struct stat st;
    EXPECT_OK(stat(at.sun_path, &st));
    EXPECT(S_ISSOCK(st.st_mode));
    EXPECT_OK(unlink(at.sun_path));
    EXPECT_OK(rmdir(dir));
    close(s);
    close(l);
    /* An abstract name, seen again by getsockname. */
    memset(&at, 0, sizeof at);
    at.sun_family = AF_UNIX;
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "dragoman-%d", getpid());
    socklen_t alen = offsetof(struct sockaddr_un, sun_path) + 1 + n;
    l = EXPECT_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_OK(bind(l, (void *)&at, alen));
    len = sizeof from;
    EXPECT_OK(getsockname(l, (void *)&from, &len));
    EXPECT_EQ(len, alen);
    EXPECT_EQ(memcmp(&from, &at, len), 0);
    close(l);
    verified("unix sockets: path and abstract names, between processes");
}

static void test_netlink(void)
{
    int s = EXPECT_OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    struct {
        struct nlmsghdr h;
        struct rtgenmsg g;
    } req = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = 7},
             .g = {.rtgen_family = AF_UNSPEC}};
    static char buf[65536] __attribute__((aligned(8)));
    int found = 0, done = 0;

    EXPECT_EQ(send(s, &req, req.h.nlmsg_len, 0), req.h.nlmsg_len);
    while (!done) {
        int len = EXPECT_OK(recv(s, buf, sizeof buf, 0));
        for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, (unsigned)len); h = NLMSG_NEXT(h, len)) {
            EXPECT_EQ(h->nlmsg_seq, 7);
            done |= h->nlmsg_type == NLMSG_DONE;
            if (h->nlmsg_type == RTM_NEWLINK)
                found |= ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_flags & IFF_LOOPBACK;
        }
    }
    EXPECT(found);
    close(s);

    struct ifreq ifs[16], r;
    struct ifconf conf = {.ifc_len = sizeof ifs, .ifc_req = ifs};
    s = EXPECT_OK(socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_OK(ioctl(s, SIOCGIFCONF, &conf));
    EXPECT(conf.ifc_len >= (int)sizeof *ifs && conf.ifc_len % sizeof *ifs == 0);
    int lo = 0;
    for (int i = 0; i < conf.ifc_len / (int)sizeof *ifs; i++)
        lo |= !strcmp(ifs[i].ifr_name, "lo");
    EXPECT(lo);
    memset(&r, 0, sizeof r);
    strcpy(r.ifr_name, "lo");
    EXPECT_OK(ioctl(s, SIOCGIFINDEX, &r));
    EXPECT_EQ(r.ifr_ifindex, if_nametoindex("lo"));
    EXPECT_OK(ioctl(s, SIOCGIFADDR, &r));
    EXPECT_EQ(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    strcpy(r.ifr_name, "nosuch0");
    EXPECT_ERR(ioctl(s, SIOCGIFINDEX, &r), ENODEV);
    conf = (struct ifconf){.ifc_len = sizeof ifs, .ifc_buf = BAD};
    EXPECT_ERR(ioctl(s, SIOCGIFCONF, &conf), EFAULT);
    EXPECT_ERR(ioctl(s, SIOCGIFCONF, BAD), EFAULT);
    close(s);
    verified("netlink dump of links; interface ioctls");
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void test_interrupt(void)
{
    struct sockaddr_in a;
    int s = udp(&a);
    char b;
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval it = {.it_value.tv_usec = 30000};

    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    EXPECT_ERR(recv(s, &b, 1, 0), EINTR);
    /* With SA_RESTART it goes on until the datagram that the child sends. */
    act.sa_flags = SA_RESTART;
    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        usleep(120000);
        _exit(sendto(s, "r", 1, 0, (void *)&a, sizeof a) == 1 ? 0 : 1);
    }
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    EXPECT_EQ(recv(s, &b, 1, 0), 1);
    int status;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    close(s);
    verified("EINTR and SA_RESTART of recv");
}

int main(void)
{
    test_tcp();
    test_udp();
    test_rights();
    test_credentials();
    test_timestamps();
    test_mmsg();
    test_filter();
    test_unix();
    test_netlink();
    test_interrupt();
    return 0;
}
