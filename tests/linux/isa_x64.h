/* tests/linux/isa.h for x86-64, on which some of the programs prove themselves. */
#include <elf.h>
#include <stdint.h>
#include <string.h>

#define ISA_MACHINE EM_X86_64
#define ISA_UNAME "x86_64"

#define ISA_CODE_SIZE 6
/* int f(void) { return n; }: mov $n, %eax; ret */
static __attribute__((noinline, unused)) void isa_put_code(void *at, unsigned n)
{
    unsigned char code[6] = {0xb8, (unsigned char)n, (unsigned char)(n >> 8), 0, 0, 0xc3};
    memcpy(at, code, sizeof code);
}

/* ---- for ptrace.c: the words of NT_PRSTATUS, a breakpoint, where it leaves the pc ---- */
#define ISA_GREGS 27
#define ISA_GREG_PC 16
#define ISA_GREG_SP 19
#define ISA_GREG_RESULT 10
#define ISA_BREAKPOINT 0xcc
#define ISA_BREAKPOINT_SIZE 1
#define ISA_BREAKPOINT_PC 1
#define ISA_STEPS 1
