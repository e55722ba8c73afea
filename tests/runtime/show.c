/* For tests/runtime/options.tap: shows what the options change, as the guest sees it.
 *
 * usage: show args | env NAME... | uname | stack KIB | exit STATUS | kill SIGNAL | exec PATH ARG...
 *        | provoke (what the log's categories report) */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    } else if (!strcmp(what, "exec")) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
        return 1;
    } else if (!strcmp(what, "provoke")) {
        return provoke();
    }
    return 0;
}
