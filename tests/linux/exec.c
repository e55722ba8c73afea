/* execve and execveat of this program, of scripts and of the host's programs: arguments, environment,
 * what a process keeps and what it loses, from threads and vfork children. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

extern char **environ;
static char self[PATH_MAX], original[PATH_MAX], dir[] = "/tmp/dragoman-exec-XXXXXX";

/* What the executed program does, by its argv[1]; it answers by its exit status. */
static int child_main(int argc, char **argv)
{
    const char *what = argv[1];
    sigset_t set;
    struct sigaction sa;
    if (!strcmp(what, "args"))
        return argc == 4 && !strcmp(argv[0], "zero") && !strcmp(argv[2], "") &&
                       !strcmp(argv[3], "-L /x\n") && getenv("EXEC_TEST") &&
                       !strcmp(getenv("EXEC_TEST"), "a=b") && !getenv("PATH") && !environ[1]
                   ? 40
                   : 1;
    if (!strcmp(what, "signals")) {
        sigprocmask(SIG_BLOCK, NULL, &set);
        int ok =
            sigismember(&set, SIGUSR1) && sigismember(&set, SIGSEGV) && !sigismember(&set, SIGHUP);
        sigaction(SIGUSR2, NULL, &sa);
        ok = ok && sa.sa_handler == SIG_IGN;
        sigaction(SIGSEGV, NULL, &sa);
        ok = ok && sa.sa_handler == SIG_IGN;
        sigaction(SIGHUP, NULL, &sa);
        ok = ok && sa.sa_handler == SIG_DFL;
        sigpending(&set);
        ok = ok && sigismember(&set, SIGUSR1);
        return ok ? 41 : 1;
    }
    if (!strcmp(what, "tid"))
        return gettid() == getpid() && atoi(argv[2]) == getpid() ? 42 : 1;
    if (!strcmp(what, "fds"))
        return fcntl(atoi(argv[2]), F_GETFD) == 0 && fcntl(atoi(argv[3]), F_GETFD) == -1 ? 43 : 1;
    if (!strcmp(what, "exe")) {
        char link[PATH_MAX] = "";
        if (readlink("/proc/self/exe", link, sizeof(link) - 1) < 0)
            return 2;
        return !strcmp(link, argv[2]) ? 44 : 1;
    }
    if (!strcmp(what, "linker"))
        return environ[0] && !strcmp(environ[0], "A=1") && environ[1] &&
                       !strcmp(environ[1], "LD_PRELOAD=/nonexistent/library.so") && environ[2] &&
                       !strcmp(environ[2], "LD_DEBUG=all") && environ[3] &&
                       strlen(environ[3]) == 99999 && !strncmp(environ[3], "LD_TEST_BIG=yy", 14) &&
                       environ[4] && !strcmp(environ[4], "LD_") && environ[5] &&
                       !strcmp(environ[5], "Z=2") && !environ[6]
                   ? 46
                   : 1;
    if (!strcmp(what, "none")) {
        /* No descriptor but those that were there is open. */
        for (int fd = 3; fd < 1024; fd++) {
            if (fcntl(fd, F_GETFD) == 0 && fd != atoi(argv[2])) {
                fprintf(stderr, "descriptor %d is open\n", fd);
                return 1;
            }
        }
        return 45;
    }
    return 2;
}

static int status_of(pid_t pid)
{
    int st = -1;
    if (waitpid(pid, &st, 0) != pid)
        return -1;
    return WIFEXITED(st) ? WEXITSTATUS(st) : -st;
}

#define IN_CHILD(...)       \
    ({                      \
        pid_t pid = fork(); \
        if (pid == 0) {     \
            __VA_ARGS__;    \
            _exit(errno);   \
        }                   \
        status_of(pid);     \
    })

static void test_args(void)
{
    char *argv[] = {"zero", "args", "", "-L /x\n", NULL};
    char *envp[] = {"EXEC_TEST=a=b", NULL};
    EXPECT_EQ(IN_CHILD(execve(self, argv, envp)), 40);
    EXPECT_ERR(execve(self, BAD, envp), EFAULT);
    EXPECT_ERR(execve(self, argv, BAD), EFAULT);
    char *bad[] = {"zero", BAD, NULL};
    EXPECT_ERR(execve(self, bad, envp), EFAULT);
    /* One string of more than 32 pages. */
    char *big = malloc(200000);
    memset(big, 'x', 200000);
    big[199999] = 0;
    char *too_big[] = {"zero", big, NULL};
    EXPECT_ERR(execve(self, too_big, envp), E2BIG);
    /* Many. */
    big[100000] = 0;
    char **many = calloc(1001, sizeof(*many));
    for (int i = 0; i < 1000; i++)
        many[i] = big;
    EXPECT_ERR(execve(self, many, envp), E2BIG);
    chmod(self, 0644);
    EXPECT_ERR(execve(self, argv, envp), EACCES);
    chmod(self, 0755);
    char slash[PATH_MAX + 8];
    snprintf(slash, sizeof(slash), "%s/", self);
    EXPECT_ERR(execve(slash, argv, envp), ENOTDIR);
    verified("arguments, environment, errors");
}

/* What speaks to the guest's dynamic linker says nothing to anybody else, and arrives as it was. */
static void test_linker_variables(void)
{
    char *argv[] = {"x", "linker", NULL};
    char *big = malloc(100000);
    memset(big, 'y', 99999);
    memcpy(big, "LD_TEST_BIG=", 12);
    big[99999] = 0;
    char *envp[] = {"A=1", "LD_PRELOAD=/nonexistent/library.so", "LD_DEBUG=all", big, "LD_", "Z=2",
                    NULL};
    int p[2];
    char out[4096];
    EXPECT_EQ(pipe(p), 0);
    EXPECT_EQ(IN_CHILD(dup2(p[1], 2); execve(self, argv, envp)), 46);
    close(p[1]);
    EXPECT_EQ(read(p[0], out, sizeof(out)), 0);
    close(p[0]);
    free(big);
    verified("LD_* variables are the guest's");
}

static void nothing(int sig)
{
    (void)sig;
}

static void test_kept(void)
{
    char *argv[] = {"x", "signals", NULL};
    EXPECT_EQ(IN_CHILD({
                  sigset_t set;
                  sigemptyset(&set);
                  sigaddset(&set, SIGUSR1);
                  sigaddset(&set, SIGSEGV);
                  sigprocmask(SIG_SETMASK, &set, NULL);
                  signal(SIGUSR2, SIG_IGN);
                  signal(SIGSEGV, SIG_IGN);
                  signal(SIGHUP, nothing);
                  kill(getpid(), SIGUSR1);
                  execve(self, argv, environ);
              }),
              41);
    int keep = dup(0), lose = fcntl(0, F_DUPFD_CLOEXEC, 0);
    char a[16], b[16];
    snprintf(a, sizeof(a), "%d", keep);
    snprintf(b, sizeof(b), "%d", lose);
    char *fds[] = {"x", "fds", a, b, NULL};
    EXPECT_EQ(IN_CHILD(execve(self, fds, environ)), 43);
    close(keep);
    close(lose);
    char *exe[] = {"x", "exe", self, NULL};
    EXPECT_EQ(IN_CHILD(execve(self, exe, environ)), 44);
    exe[2] = original;
    EXPECT_EQ(IN_CHILD(execve("/proc/self/exe", exe, environ)), 44);
    /* A failed one leaves everything as it was. */
    sigset_t set, now;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    EXPECT_ERR(execve("/nonexistent", exe, environ), ENOENT);
    sigprocmask(SIG_UNBLOCK, &set, &now);
    EXPECT_EQ(sigismember(&now, SIGSEGV), 1);
    verified("masks, dispositions, pending signals, descriptors, /proc/self/exe");
}

static void *exec_thread(void *arg)
{
    char **argv = arg;
    execve(self, argv, environ);
    _exit(99);
}

static void *wait_thread(void *arg)
{
    pause();
    return arg;
}

static void test_threads(void)
{
    EXPECT_EQ(IN_CHILD({
                  char pid[16];
                  pthread_t th;
                  snprintf(pid, sizeof(pid), "%d", getpid());
                  char *argv[] = {"x", "tid", pid, NULL};
                  pthread_create(&th, NULL, wait_thread, NULL);
                  pthread_create(&th, NULL, exec_thread, argv);
                  for (;;)
                      pause();
              }),
              42);
    verified("execve in a thread ends the others; the pid stays");
}

static void test_spawn(void)
{
    char *argv[] = {"zero", "args", "", "-L /x\n", NULL};
    char *envp[] = {"EXEC_TEST=a=b", NULL};
    pid_t pid;
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(posix_spawn(&pid, self, NULL, NULL, argv, envp), 0);
        EXPECT_EQ(status_of(pid), 40);
    }
    pid = vfork();
    if (pid == 0) {
        execve("/nonexistent", argv, envp);
        execve(self, argv, envp);
        _exit(99);
    }
    EXPECT_EQ(status_of(pid), 40);
    verified("posix_spawn and vfork with execve");
}

static void test_at(void)
{
    char *argv[] = {"zero", "args", "", "-L /x\n", NULL};
    char *envp[] = {"EXEC_TEST=a=b", NULL};
    int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int f = open(self, O_RDONLY | O_CLOEXEC), g = open(self, O_RDONLY);
    int p = open(self, O_PATH | O_CLOEXEC);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, d, "program", argv, envp, 0)), 40);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, f, "", argv, envp, AT_EMPTY_PATH)), 40);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, g, "", argv, envp, AT_EMPTY_PATH)), 40);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, p, "", argv, envp, AT_EMPTY_PATH)), 40);
    EXPECT_EQ(IN_CHILD(fexecve(f, argv, envp)), 40);
    /* By the descriptor's name, which is gone with the exec. */
    char by_fd[40];
    int gone = EXPECT_OK(fcntl(f, F_DUPFD_CLOEXEC, 60));
    snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", gone);
    EXPECT_EQ(IN_CHILD(execve(by_fd, argv, envp)), 40);
    snprintf(by_fd, sizeof(by_fd), "/dev/fd/%d", gone);
    EXPECT_EQ(IN_CHILD(execve(by_fd, argv, envp)), 40);
    EXPECT_OK(close(gone));
    EXPECT_ERR(syscall(SYS_execveat, f, "", argv, envp, 0), ENOENT);
    EXPECT_ERR(syscall(SYS_execveat, f, "x", argv, envp, 0), ENOTDIR);
    EXPECT_EQ(symlinkat("program", d, "link"), 0);
    EXPECT_ERR(syscall(SYS_execveat, d, "link", argv, envp, AT_SYMLINK_NOFOLLOW), ELOOP);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, d, "link", argv, envp, 0)), 40);
    EXPECT_EQ(IN_CHILD(fchdir(d); execve("./program", argv, envp)), 40);
    EXPECT_EQ(IN_CHILD(fchdir(d); execve("program", argv, envp)), 40);

    /* The descriptor that the program came from is closed when it says so. */
    char *none[] = {"x", "none", "-1", NULL};
    close(g);
    EXPECT_EQ(IN_CHILD(syscall(SYS_execveat, f, "", none, environ, AT_EMPTY_PATH)), 45);
    EXPECT_EQ(IN_CHILD(execve(self, none, environ)), 45);

    /* A program that has no name. */
    int m = memfd_create("prog", MFD_CLOEXEC);
    char buf[65536];
    ssize_t n;
    lseek(f, 0, SEEK_SET);
    while ((n = read(f, buf, sizeof(buf))) > 0)
        EXPECT_EQ(write(m, buf, (size_t)n), n);
    EXPECT_EQ(IN_CHILD(fexecve(m, argv, envp)), 40);
    close(m);
    close(p);
    close(f);
    close(d);
    verified("execveat, fexecve");
}

static void script(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    chmod(path, 0755);
}

static void test_scripts(void)
{
    char path[PATH_MAX], text[2 * PATH_MAX];
    /* #!program args: argv = program, "args", the script's path, the arguments. */
    snprintf(text, sizeof(text), "#! %s  exe \nx", self);
    script("s1", text);
    snprintf(path, sizeof(path), "%s/s1", dir);
    char *argv[] = {"ignored", NULL};
    /* "exe" compares /proc/self/exe with argv[2], which is the script: not equal. */
    EXPECT_EQ(IN_CHILD(execve(path, argv, environ)), 1);
    snprintf(text, sizeof(text), "#!%s/link2 one arg\n", dir);
    script("s2", text);
    snprintf(text, sizeof(text),
             "#!/bin/sh\n[ \"$1\" = 'one arg' ] && [ \"$2\" = %s/s2 ] && [ \"$3\" "
             "= A ] && [ $# = 3 ] && [ \"$0\" = %s/link2 ] && exit 47\nexit 1\n",
             dir, dir);
    script("link2", text);
    snprintf(path, sizeof(path), "%s/s2", dir);
    char *args[] = {"ignored", "A", NULL};
    EXPECT_EQ(IN_CHILD(execve(path, args, environ)), 47); /* a script's interpreter is a script */
    script("s3", "#!/nonexistent/interpreter\n");
    snprintf(path, sizeof(path), "%s/s3", dir);
    EXPECT_ERR(execve(path, args, environ), ENOENT);
    for (int i = 0; i < 7; i++) {
        char name[16];
        snprintf(name, sizeof(name), "deep%d", i);
        snprintf(text, sizeof(text), "#!%s/deep%d\n", dir, i + 1);
        script(name, text);
    }
    snprintf(path, sizeof(path), "%s/deep0", dir);
    EXPECT_ERR(execve(path, args, environ), ELOOP);
    script("s4", "just text\n");
    snprintf(path, sizeof(path), "%s/s4", dir);
    EXPECT_ERR(execve(path, args, environ), ENOEXEC);
    /* The interpreter could not open a script known by a close-on-exec descriptor alone. */
    snprintf(path, sizeof(path), "%s/s1", dir);
    int f = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT_ERR(syscall(SYS_execveat, f, "", args, environ, AT_EMPTY_PATH), ENOENT);
    close(f);
    verified("scripts");
}

/* Rights that end with the exec are enough for it: a file that only root may touch, executed by a user that
 * has kept root's capabilities. */
static void test_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];
    if (getuid() != 0 || syscall(SYS_capget, &head, caps) != 0 || !(caps[0].effective & 2)) {
        printf("capabilities: not root, not tested\n");
        return;
    }
    EXPECT_OK(chmod(self, 0700));
    EXPECT_OK(chmod(dir, 0755));
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {"zero", "exe", self, NULL};
        EXPECT_OK(prctl(PR_SET_KEEPCAPS, 1));
        EXPECT_OK(setresuid(65534, 65534, 65534));
        EXPECT_OK(syscall(SYS_capset, &head, caps));
        execv(self, argv);
        _exit(3);
    }
    EXPECT_EQ(status_of(pid), 44);
    EXPECT_OK(chmod(self, 0755));
}

static void cleanup(void)
{
    char cmd[PATH_MAX + 16];
    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    if (system(cmd) != 0)
        fprintf(stderr, "could not remove %s\n", dir);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child_main(argc, argv);
    /* A copy, whose mode may be changed. */
    char buf[65536];
    ssize_t n;
    if (!mkdtemp(dir))
        return 1;
    closefrom(3); /* what the test's own caller left open */
    EXPECT(readlink("/proc/self/exe", original, sizeof(original) - 1) > 0);
    snprintf(self, sizeof(self), "%s/program", dir);
    int in = open("/proc/self/exe", O_RDONLY), out = open(self, O_WRONLY | O_CREAT, 0755);
    while ((n = read(in, buf, sizeof(buf))) > 0)
        EXPECT_EQ(write(out, buf, (size_t)n), n);
    close(in);
    close(out);
    test_args();
    test_linker_variables();
    test_kept();
    test_threads();
    test_spawn();
    test_at();
    test_scripts();
    test_capabilities();
    cleanup();
    return 0;
}
