# musl: programs linked with it, static, static-pie and dynamic: threads, cancellation, setuid of all threads, dlopen, spawn, aio, a multi-call program
# grade=medium group=musl time=120 memory=800
# (no outline atomics: libgcc's wants glibc's __getauxval)
cat >lib.c <<'C'
__thread int counter = 40; int bump(int n) { return counter += n; }
C
cat >t.c <<'C'
#define _GNU_SOURCE
#include <aio.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <iconv.h>
#include <locale.h>
#include <math.h>
#include <netdb.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>
extern char **environ; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t cond = PTHREAD_COND_INITIALIZER; static pthread_barrier_t bar; static int turn, total; static __thread int mine = 7; static volatile int ticks; static sigjmp_buf env; static volatile unsigned uids;
static void *ping(void *p) { for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&m); while (turn != (long)p) pthread_cond_wait(&cond, &m); turn = (turn + 1) % 4; total++; pthread_cond_broadcast(&cond); pthread_mutex_unlock(&m); } mine += (long)p; return (void *)(long)mine; }
static void *sleeper(void *p) { char c; return (void *)(read(*(int *)p, &c, 1)); }
static void *uid(void *p) { pthread_barrier_wait(&bar); pthread_barrier_wait(&bar); __sync_fetch_and_add(&uids, getuid() + (p != 0)); return 0; }
static void tick(union sigval v) { __sync_fetch_and_add(&ticks, v.sival_int); } static void segv(int s, siginfo_t *i, void *u) { siglongjmp(env, i->si_addr == (void *)16 && s == SIGSEGV && u ? 3 : 4); }
static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; } static int deep(int n) { volatile char b[512]; b[n & 511] = n; return n ? deep(n - 1) + b[n & 511] * 0 + 1 : 0; } static int files; static int see(const char *p, const struct stat *s, int t, struct FTW *f) { files += t == FTW_F && s && p && f; return 0; }
static void *big(void *p) { return (void *)(long)deep((long)p); }
int main(int argc, char **argv) { const char *name = strrchr(argv[0], '/'); name = name ? name + 1 : argv[0];
if (!strcmp(name, "rev")) { char l[99]; while (fgets(l, sizeof l, stdin)) { size_t n = strcspn(l, "\n"); while (n--) putchar(l[n]); putchar('\n'); } return 0; } if (!strcmp(name, "sum")) { double d, s = 0; while (scanf("%lf", &d) == 1) s += d; printf("%.17g %a\n", s, s); return 0; } if (argc > 1) { printf("child %s %s\n", name, argv[1]); return 5; }
pthread_t t[8]; void *r; long sum = 0; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, ping, (void *)i); for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); sum += (long)r; } printf("threads %d %ld %d\n", total, sum, mine);
int p[2], n = 0; if (pipe(p)) return 1; for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, sleeper, &p[0]); usleep(50000); for (int i = 0; i < 4; i++) { pthread_cancel(t[i]); pthread_join(t[i], &r); n += r == PTHREAD_CANCELED; } printf("cancelled %d\n", n);
pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstacksize(&a, 8 << 20); pthread_create(&t[0], &a, big, (void *)10000L); pthread_join(t[0], &r); printf("deep %ld\n", (long)r);
timer_t tm; struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick, .sigev_value.sival_int = 2}; printf("timer %d\n", timer_create(CLOCK_MONOTONIC, &ev, &tm)); struct itimerspec it = {{0, 3000000}, {0, 3000000}}; timer_settime(tm, 0, &it, 0); while (ticks < 20) usleep(1000); timer_delete(tm);
struct sigaction sa = {.sa_sigaction = segv, .sa_flags = SA_SIGINFO}; sigaction(SIGSEGV, &sa, 0); int j = sigsetjmp(env, 1); if (!j) *(volatile int *)16 = 1; printf("fault %d\n", j);
regex_t re; regmatch_t rm[3]; regcomp(&re, "([a-z]+)-([0-9]+)", REG_EXTENDED); printf("regex %d", regexec(&re, "xx abc-123 y", 3, rm, 0)); printf(" %d %d\n", (int)rm[1].rm_so, (int)rm[2].rm_eo); setlocale(LC_ALL, "C.UTF-8"); wchar_t w[20]; size_t wn = mbstowcs(w, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", 20); printf("wide %zu %d %ls\n", wn, wcwidth(w[5]), w); iconv_t ic = iconv_open("UTF-16BE", "UTF-8"); char in[] = "\xe2\x82\xac", out[8], *ip = in, *op = out; size_t il = 3, ol = 8; iconv(ic, &ip, &il, &op, &ol); printf("iconv %02x%02x %zu\n", (unsigned char)out[0], (unsigned char)out[1], ol);
int v[2000]; unsigned s = 1; for (int i = 0; i < 2000; i++) v[i] = (s = s * 1103515245u + 12345u) >> 16 & 32767; qsort(v, 2000, sizeof *v, cmp); printf("sorted %d %d %d\n", v[0], v[1000], v[1999]); printf("math %a %a %a %.17g %d\n", sin(1.0), exp(0.5), pow(2, 0.3), strtod("1.7976931348623157e308", 0), (int)lround(cbrt(27.0))); struct tm tt = {.tm_year = 124, .tm_mon = 1, .tm_mday = 29}; time_t sec = timegm(&tt); char ts[40]; strftime(ts, sizeof ts, "%A %j %U", gmtime(&sec)); printf("time %lld %s\n", (long long)sec, ts);
pid_t pid; char *av[] = {"spawned", "one", 0}; int st; fflush(stdout); posix_spawn_file_actions_t fa; posix_spawn_file_actions_init(&fa); posix_spawn_file_actions_adddup2(&fa, 1, 2); printf("spawn %d", posix_spawn(&pid, "/proc/self/exe", &fa, 0, av, environ)); waitpid(pid, &st, 0); printf(" %d", WEXITSTATUS(st)); printf(" %s\n", strerror(posix_spawnp(&pid, "no-such", 0, 0, av, environ))); fflush(stdout); FILE *f = popen("cat; echo tail; exit 3", "w"); fputs("to a pipe\n", f); printf("popen %d\n", WEXITSTATUS(pclose(f)));
int fd = open("aio", O_RDWR | O_CREAT | O_TRUNC, 0600); struct aiocb cb = {.aio_fildes = fd, .aio_buf = "asynchronous", .aio_nbytes = 12}; const struct aiocb *l[] = {&cb}; aio_write(&cb); while (aio_error(&cb) == EINPROGRESS) aio_suspend(l, 1, 0); printf("aio %d", (int)aio_return(&cb)); char *map = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0); printf(" %.12s\n", map); mkdir("d", 0700); for (int i = 0; i < 5; i++) { char b[9]; sprintf(b, "d/f%d", i); close(creat(b, 0600)); } nftw("d", see, 9, 0); glob_t g; glob("d/f[1-3]", 0, 0, &g); printf("files %d %d %s\n", files, (int)g.gl_pathc, g.gl_pathv[2]);
int sv[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, sv); if (!fork()) { struct msghdr mh = {0}; struct iovec io = {"x", 1}; union { char b[CMSG_SPACE(4)]; struct cmsghdr h; } u = {.h = {.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}}; memcpy(CMSG_DATA(&u.h), &fd, 4); mh.msg_iov = &io; mh.msg_iovlen = 1; mh.msg_control = u.b; mh.msg_controllen = sizeof u.b; _exit(sendmsg(sv[1], &mh, 0) != 1); } char c; struct iovec io = {&c, 1}; union { char b[CMSG_SPACE(4)]; struct cmsghdr h; } u; struct msghdr mh = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = u.b, .msg_controllen = sizeof u.b}; recvmsg(sv[0], &mh, 0); int got; memcpy(&got, CMSG_DATA(&u.h), 4); char b4[5] = ""; pread(got, b4, 4, 0); wait(&st); printf("passed %s %d\n", b4, st); struct addrinfo *ai, hint = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}; printf("lookup %d\n", getaddrinfo("127.0.0.1", "80", &hint, &ai));
void *h = dlopen("./lib.so", RTLD_NOW); if (h) { int (*bump)(int) = (int (*)(int))dlsym(h, "bump"); bump(1); pthread_create(&t[0], 0, (void *(*)(void *))(void *)bump, (void *)2L); pthread_join(t[0], &r); printf("dlopen %d %d\n", bump(1), (int)(long)r); } else printf("no dlopen\n"); FILE *o = open_memstream(&map, &wn); fprintf(o, "%5.2f|%-6s|%+d|%#x", 3.14159, "ab", 5, 255); fclose(o); printf("%s %zu\n", map, wn);
pthread_barrier_init(&bar, 0, 5); for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, uid, 0); pthread_barrier_wait(&bar); if (setuid(1234)) return 1; pthread_barrier_wait(&bar); for (int i = 0; i < 4; i++) pthread_join(t[i], 0); printf("uids %u\n", uids); return 0; }
C
cat >i.c <<'C'
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_SPRINTF_IMPLEMENTATION
#define XXH_INLINE_ALL
#include <stdio.h>
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#include <xxhash.h>
static unsigned char px[200 * 150 * 3], png[1 << 20]; static int n; static void put(void *c, void *d, int size) { (void)c; memcpy(png + n, d, size); n += size; }
int main(void) { for (int y = 0; y < 150; y++) for (int x = 0; x < 200; x++) { unsigned char *p = px + (y * 200 + x) * 3; p[0] = x * y; p[1] = x ^ y; p[2] = (x * x + y * y) >> 5; } stbi_write_png_to_func(put, 0, 200, 150, 3, px, 600); int w, h, c; unsigned char *q = stbi_load_from_memory(png, n, &w, &h, &c, 3); printf("png %d %d %d %d %016llx\n", w, h, c, q && !memcmp(q, px, sizeof px), (unsigned long long)XXH3_64bits(png, n)); n = 0; stbi_write_jpg_to_func(put, 0, 200, 150, 3, px, 80); printf("jpeg %d %016llx\n", n > 9999, (unsigned long long)XXH64(png, n, 1)); return 0; }
C
musl-gcc -O2 -fPIC -shared -o lib.so lib.c && musl-gcc -O1 -w -ffp-contract=off -fPIE -idirafter /usr/include -c i.c && musl-gcc -O2 -w -fPIE $([ $(uname -m) != aarch64 ] || echo -mno-outline-atomics) -c t.c || exit 1
for how in "-static -no-pie" -static-pie -pie; do
    echo "== $how"; musl-gcc $how -o t t.o && musl-gcc $how -o i i.o -lm || exit 1
    ./t; ./i; ln -sf t rev; ln -sf t sum; printf 'abc\ndef\n' | ./rev; printf '1.5 2.25 1e-9' | ./sum; LC_ALL=C ./t x; echo $?; rm -rf aio d
done
