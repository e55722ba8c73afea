# gcc's address, undefined-behaviour and tagging sanitizers find what is wrong, leaks too, with shadow memory of terabytes
# grade=hard group=system time=120 memory=1000 guests="arm64"
cat >t.c <<'C'
#include <pthread.h>
#include <setjmp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
volatile int zero; volatile char *volatile keep; char global[10]; static jmp_buf jb;
static void *thread(void *x) { char *p = malloc(1000); memset(p, 1, 1000); keep = p; free(p); return x; }
static int deep(int n) { char a[100]; keep = a; a[n % 100] = n; if (n == 0) longjmp(jb, 1); return deep(n - 1) + a[n % 100]; }
static __attribute__((noinline)) void leak(void) { for (int i = 0; i < 100; i++) *(volatile char *)malloc(77) = 1; }
int main(int argc, char **argv)
{
    char a[10], *p = malloc(10); keep = a; keep = p; (void)argc;
    switch (argv[1][0]) {
    case 'h': p[10 + zero] = 1; break;
    case 'f': free(p); printf("%d\n", p[3 + zero]); break;
    case 'd': free(p); free((void *)keep); break;
    case 's': a[17 + zero] = 1; break;
    case 'g': global[11 + zero] = 1; break;
    case 'l': leak(); break;
    case 'n': *(volatile int *)(long)zero = 1; break;
    case 'u': printf("%d %d\n", 1 << (33 + zero), INT_MAX + (1 + zero)); printf("%d\n", 1 / zero); break;
    default:
        for (int i = 0; i < 4; i++) { pthread_t t; pthread_create(&t, 0, thread, 0); pthread_join(t, 0); }
        if (!setjmp(jb)) deep(500);
        for (int i = 0; i < 5; i++) if (!fork()) { p = realloc(p, 100000); memset(p, 5, 100000); free(p); _exit(i); } else { int s; wait(&s); printf("%d ", WEXITSTATUS(s)); }
        free(p);
        puts("fine");
    }
    return 0;
}
C
gcc -g -O1 -fsanitize=address -pthread -w -o a t.c; gcc -g -O1 -fsanitize=undefined -pthread -w -o u t.c
# (a pointer or two may still lie on the stack)
leaks() { echo "$1 $(sed -n 's/^\(SUMMARY: [A-Za-z]*Sanitizer: \).* byte(s) leaked in 9[0-9] .*/\1/p; s/^\(SUMMARY: [A-Za-z]*Sanitizer: \).* byte(s) leaked in 100 .*/\1/p' err)"; }
./a leak 2>err; leaks $?
for c in ok heap free double stack global null; do ./a $c >out 2>err; echo "$c $?"; cat out; grep -o 'ERROR: AddressSanitizer: [a-zA-Z-]*' err; grep -o 'of size [0-9]* at\|[0-9]* bytes .* of 10-byte region\|t.c:[0-9]*:[0-9]* in main' err | sed 's/ at$//; s/^[0-9]* bytes/bytes/' | head -n 2; done
./u undefined 2>&1 | sed 's/^t.c:[0-9:]* //' | grep runtime | sort; ./u ok
[ "$(uname -m)" != aarch64 ] || { gcc -g -O1 -fsanitize=hwaddress -pthread -w -o h t.c && ./h ok | grep -q fine && { ./h leak 2>err; leaks $? | grep -q '^[1-9][0-9]* .*HWAddress' || echo 'hwasan: no leaks'; } && for c in heap free stack; do ./h $c 2>&1 | grep -q 'HWAddressSanitizer: tag-mismatch' || echo "no tag-mismatch: $c"; done || echo 'hwasan failed'; }
true
