# io_uring by liburing: reads, writes, fixed buffers, polls, timeouts, sockets, links, thousands of requests
# grade=brutal group=system time=90 memory=600
cat >u.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static struct io_uring u; static struct io_uring_cqe *c; static int one(void) { int r = io_uring_submit_and_wait(&u, 1); if (r < 0 || io_uring_wait_cqe(&u, &c)) exit(3); r = c->res; io_uring_cqe_seen(&u, c); return r; }
int main(void) { int r = io_uring_queue_init(64, &u, 0); if (r) { fprintf(stderr, "io_uring_setup: %s\n", strerror(-r)); return r == -ENOSYS || r == -EPERM ? 5 : 1; } struct io_uring_sqe *s; int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644); char *b = malloc(1 << 16); memset(b, 'x', 1 << 16);
io_uring_prep_write(io_uring_get_sqe(&u), fd, b, 1 << 16, 0); printf("write %d\n", one()); struct iovec v[2] = {{b, 100}, {b + 200, 50}}; io_uring_prep_readv(io_uring_get_sqe(&u), fd, v, 2, 10); printf("readv %d\n", one()); io_uring_prep_read(io_uring_get_sqe(&u), fd, (void *)8, 10, 0); printf("bad %d\n", one() == -EFAULT); io_uring_prep_read(io_uring_get_sqe(&u), 99, b, 10, 0); printf("badfd %d\n", one() == -EBADF); io_uring_prep_nop(io_uring_get_sqe(&u)); printf("nop %d\n", one());
struct iovec reg = {b, 1 << 16}; printf("register %d\n", io_uring_register_buffers(&u, &reg, 1)); io_uring_prep_read_fixed(io_uring_get_sqe(&u), fd, b + 1000, 5000, 0, 0); printf("fixed %d\n", one()); int files[1] = {fd}; printf("files %d\n", io_uring_register_files(&u, files, 1)); s = io_uring_get_sqe(&u); io_uring_prep_read(s, 0, b, 77, 0); s->flags |= IOSQE_FIXED_FILE; printf("fixedfile %d\n", one());
struct __kernel_timespec t = {0, 20000000}; io_uring_prep_timeout(io_uring_get_sqe(&u), &t, 0, 0); printf("timeout %d\n", one() == -ETIME); int p[2]; pipe(p); io_uring_prep_poll_add(io_uring_get_sqe(&u), p[0], POLLIN); io_uring_submit(&u); write(p[1], "z", 1); io_uring_wait_cqe(&u, &c); printf("poll %d\n", c->res & POLLIN); io_uring_cqe_seen(&u, c);
int sv[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, sv); s = io_uring_get_sqe(&u); io_uring_prep_send(s, sv[0], "hello", 5, 0); s->flags |= IOSQE_IO_LINK; io_uring_prep_recv(io_uring_get_sqe(&u), sv[1], b, 100, 0); io_uring_submit(&u); int sum = 0; for (int i = 0; i < 2; i++) { io_uring_wait_cqe(&u, &c); sum += c->res; io_uring_cqe_seen(&u, c); } printf("linked %d %.5s\n", sum, b);
long got = 0; for (int k = 0; k < 200; k++) { for (int i = 0; i < 32; i++) { s = io_uring_get_sqe(&u); io_uring_prep_read(s, fd, b + i * 512, 512, i * 512); s->user_data = i; } io_uring_submit(&u); for (int i = 0; i < 32; i++) { io_uring_wait_cqe(&u, &c); got += c->res + c->user_data; io_uring_cqe_seen(&u, c); } } printf("many %ld\n", got); io_uring_prep_openat(io_uring_get_sqe(&u), AT_FDCWD, "f", O_RDONLY, 0); int o = one(); printf("open %d\n", o > 0); io_uring_prep_close(io_uring_get_sqe(&u), o); printf("close %d\n", one()); io_uring_queue_exit(&u); return 0; }
C
gcc -O1 -w -o u u.c -luring && ./u
