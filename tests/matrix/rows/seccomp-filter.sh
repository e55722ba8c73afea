# seccomp: filters by libseccomp, inherited by fork and exec: errno, kill, trap with the right numbers; no_new_privs; strict mode
# grade=hard group=system time=60 memory=500
cat >s.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static int run(void (*f)(void)) { fflush(stdout); pid_t p = fork(); if (!p) { f(); fflush(stdout); _exit(0); } int s; waitpid(p, &s, 0); return WIFSIGNALED(s) ? -WTERMSIG(s) : WEXITSTATUS(s); }
static void load(scmp_filter_ctx c) { int r = seccomp_load(c); if (r) { printf("load: %s\n", strerror(-r)); fflush(stdout); _exit(9); } }
static void with_errno(void) { scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW); seccomp_rule_add(c, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_INET)); load(c); errno = 0; int a = socket(AF_INET, SOCK_STREAM, 0); int e = errno; int b = socket(AF_UNIX, SOCK_STREAM, 0); printf("errno %d %s %d\n", a, strerror(e), b >= 0); if (!fork()) { execl("/bin/sh", "sh", "-c", "echo exec works; perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0) or print \"perl: $!\\n\"'", NULL); } wait(0); }
static void with_kill(void) { scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW); seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(getppid), 0); load(c); getpid(); getppid(); printf("alive\n"); }
static void on(int s, siginfo_t *i, void *u) { (void)u; printf("trap %d %d %d\n", s == SIGSYS, i->si_syscall == __NR_getppid, i->si_errno); }
static void with_trap(void) { struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO}; sigaction(SIGSYS, &a, 0); scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW); seccomp_rule_add(c, SCMP_ACT_TRAP, SCMP_SYS(getppid), 0); load(c); getppid(); printf("after\n"); }
static void allow_list(void) { scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM)); int ok[] = {SCMP_SYS(write), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(rt_sigprocmask)}; for (unsigned i = 0; i < sizeof ok / sizeof *ok; i++) seccomp_rule_add(c, SCMP_ACT_ALLOW, ok[i], 0); load(c); int r = open("/etc/passwd", O_RDONLY); printf("list %d %d\n", r, errno == EPERM); }
static void strict(void) { printf("strict\n"); fflush(stdout); prctl(PR_SET_SECCOMP, 1); write(1, "w\n", 2); syscall(SYS_getpid); write(1, "alive\n", 6); }
int main(void) { printf("%d\n", run(with_errno)); printf("%d\n", run(with_kill)); printf("%d\n", run(with_trap)); printf("%d\n", run(allow_list)); printf("%d\n", run(strict)); printf("%d\n", prctl(PR_GET_SECCOMP)); prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); return 0; }
C
gcc -O1 -o s s.c -lseccomp && ./s
