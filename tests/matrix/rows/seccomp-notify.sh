# seccomp's listeners by libseccomp: a supervisor answers for a shell, perl and threads: mkdir by name, a descriptor put in, errno, go on
# grade=hard group=system time=60 memory=500
cat >n.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/seccomp.h>
static void must(int bad, const char *what) { if (bad) { printf("%s: %s\n", what, strerror(errno)); fflush(stdout); _exit(9); } }
/* The filter in the child, its listener over a socket: as container runtimes do it. */
static pid_t start(char **argv, int *listener) {
    int pair[2]; must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
    fflush(stdout); pid_t pid = fork();
    union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } u = {0}; char c = 0; struct iovec v = {&c, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u};
    if (!pid) {
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
        seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(mkdirat), 0); seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(mkdir), 0); /* the older one on x86 alone */
        seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_INET));
        seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(sethostname), 0);
        seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(uname), 0);
        int r = seccomp_load(ctx); if (r) { printf("load: %s\n", strerror(-r)); fflush(stdout); _exit(9); }
        int fd = seccomp_notify_fd(ctx); u.h = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}; memcpy(CMSG_DATA(&u.h), &fd, sizeof fd);
        must(sendmsg(pair[0], &m, 0) != 1, "sendmsg"); close(fd); execvp(argv[0], argv); _exit(8);
    }
    close(pair[0]); must(recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC) != 1, "recvmsg"); memcpy(listener, CMSG_DATA(&u.h), sizeof(int)); close(pair[1]); return pid;
}
static void text_of(pid_t pid, unsigned long at, char *to, size_t n) { char name[40]; snprintf(name, sizeof name, "/proc/%d/mem", pid); int fd = open(name, O_RDONLY | O_CLOEXEC); must(fd < 0, name); memset(to, 0, n); must(pread(fd, to, n - 1, at) < 1, "pread"); close(fd); }
int main(int argc, char **argv) {
    int fd, counts[4] = {0}; (void)argc; pid_t pid = start(argv + 1, &fd);
    struct seccomp_notif *q; struct seccomp_notif_resp *r; must(seccomp_notify_alloc(&q, &r), "alloc");
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN}; must(poll(&p, 1, 20000) != 1, "poll");
        if (!(p.revents & POLLIN)) { printf("hangup %d\n", !!(p.revents & POLLHUP)); break; }
        memset(q, 0, sizeof *q); must(seccomp_notify_receive(fd, q), "receive"); memset(r, 0, sizeof *r); r->id = q->id;
        if (q->data.arch != seccomp_arch_native()) printf("arch %x\n", q->data.arch);
        if (q->data.nr == SCMP_SYS(mkdirat) || q->data.nr == SCMP_SYS(mkdir)) { /* the supervisor's directory, with another name */
            unsigned i = q->data.nr == SCMP_SYS(mkdirat); char name[200], other[220]; text_of(q->pid, q->data.args[i], name, sizeof name); must(seccomp_notify_id_valid(fd, q->id), "valid");
            snprintf(other, sizeof other, "%s.made", name); if (strstr(name, "never")) r->error = -EDQUOT; else if (mkdir(other, q->data.args[i + 1] & 07777)) r->error = -errno; counts[0]++;
        } else if (q->data.nr == SCMP_SYS(socket)) { /* a pipe with something in it instead */
            int s[2]; must(socketpair(AF_UNIX, SOCK_STREAM, 0, s), "socketpair"); must(write(s[1], "from the supervisor\n", 20) != 20, "write"); close(s[1]);
            struct seccomp_notif_addfd a = {.id = q->id, .srcfd = s[0]}; int got = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a); must(got < 0, "addfd"); close(s[0]); r->val = got; counts[1]++;
        } else if (q->data.nr == SCMP_SYS(sethostname)) { counts[2]++; } /* "done" */
        else { r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE; counts[3]++; }
        must(seccomp_notify_respond(fd, r), "respond");
    }
    int s; waitpid(pid, &s, 0); printf("status %d, asked %d %d %d, uname %d\n", WIFSIGNALED(s) ? -WTERMSIG(s) : WEXITSTATUS(s), counts[0], counts[1], counts[2], counts[3] > 0); return 0;
}
C
gcc -O1 -o n n.c -lseccomp || exit 1
cat >work.pl <<'P'
use Socket; use threads;
socket(S, PF_INET, SOCK_STREAM, 0) or die "socket: $!"; print scalar <S>;
mkdir "never" or print "never: $!\n"; mkdir "p", 0700 or print "p: $!\n";
my @t = map { my $i = $_; threads->create(sub { mkdir("t$i") ? 1 : 0 }) } 1 .. 8; my $ok = 0; $ok += $_->join for @t; print "threads $ok\n";
print defined((POSIX::uname())[0]) ? "uname\n" : "no uname\n" if require POSIX;
P
./n sh -c 'mkdir one two one && echo made; mkdir one 2>/dev/null || echo again; perl work.pl; hostname another-name && echo named; exit 7'
ls -d *.made
