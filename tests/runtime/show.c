/* For tests/runtime's scripts: shows what options and the way of starting change, as the guest sees it.
 *
 * usage: show args | env NAME... | uname | stack KIB | exit STATUS | kill SIGNAL | crash | exec PATH ARG...
 *        | fexec PATH ARG... (by a descriptor that is closed) | auxv | random | fds | chroot DIRECTORY PATH ARG...
 *        | provoke (what the log's categories report) */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static void handler(int signo)
{
    (void)signo;
}

/* A signal, a system call that does not exist, code that is written over. */
static int provoke(void)
{
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    syscall(999);
    uint32_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    long sum = 0;
    for (uint32_t i = 1; i <= 3; i++) {
        code[0] = i << 20 | 0x513; /* li a0, i */
        code[1] = 0x8067;          /* ret */
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        sum += ((long (*)(void))(uintptr_t)code)();
    }
    return sum != 6;
}

/* Touch the stack that many KiB deep, from the top down as calls do. */
static int use_stack(int kib)
{
    volatile char page[1024];
    page[0] = (char)kib;
    return kib > 1 ? use_stack(kib - 1) + page[0] * 2 : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "args";
    if (!strcmp(what, "args")) {
        for (int i = 0; i < argc; i++)
            printf("[%s]", argv[i]);
        puts("");
    } else if (!strcmp(what, "env")) {
        for (int i = 2; i < argc; i++)
            printf("%s=%s\n", argv[i], getenv(argv[i]) ? getenv(argv[i]) : "(unset)");
    } else if (!strcmp(what, "uname")) {
        struct utsname u;
        uname(&u);
        printf("%s %s %s\n", u.sysname, u.release, u.machine);
    } else if (!strcmp(what, "stack")) {
        return use_stack(atoi(argv[2])) & 1;
    } else if (!strcmp(what, "exit")) {
        return atoi(argv[2]);
    } else if (!strcmp(what, "kill")) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        raise(atoi(argv[2]));
    } else if (!strcmp(what, "crash")) {
        raise(SIGSEGV);
    } else if (!strcmp(what, "exec")) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
        return 1;
    } else if (!strcmp(what, "fexec")) {
        fexecve(open(argv[2], O_PATH | O_CLOEXEC), argv + 2, environ);
        perror(argv[2]);
        return 1;
    } else if (!strcmp(what, "chroot")) {
        if (chroot(argv[2]) || chdir("/"))
            perror("chroot");
        execv(argv[3], argv + 3);
        perror(argv[3]);
        return 1;
    } else if (!strcmp(what, "auxv")) {
        printf(
            "flags %lu secure %lu uid %lu euid %lu gid %lu egid %lu, by getuid %d %d %d %d, %s\n",
            getauxval(AT_FLAGS), getauxval(AT_SECURE), getauxval(AT_UID), getauxval(AT_EUID),
            getauxval(AT_GID), getauxval(AT_EGID), getuid(), geteuid(), getgid(), getegid(),
            (char *)getauxval(AT_EXECFN));
    } else if (!strcmp(what, "random")) {
        const uint64_t *r = (const uint64_t *)getauxval(AT_RANDOM);
        printf("%016llx%016llx\n", (unsigned long long)r[0], (unsigned long long)r[1]);
    } else if (!strcmp(what, "fds")) {
        for (int fd = 0; fd < 1100; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                fprintf(stderr, "%d ", fd);
        fputs("open\n", stderr);
    } else if (!strcmp(what, "provoke")) {
        return provoke();
    }
    return 0;
}
