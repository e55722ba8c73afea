/* Calls and jumps: recursion, calls through tables, a bytecode interpreter with a switch, qsort.
 *
 * usage: calls [ROUNDS]. Prints a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t op_add(uint32_t a)
{
    return a + 0x9e3779b9u;
}
static uint32_t op_xor(uint32_t a)
{
    return a ^ a >> 15;
}
static uint32_t op_mul(uint32_t a)
{
    return a * 0x85ebca6bu;
}
static uint32_t op_rot(uint32_t a)
{
    return a << 7 | a >> 25;
}

static uint32_t (*const table[])(uint32_t) = {op_add, op_xor, op_mul, op_rot};

enum { PUSH, ADD, SUB, DUP, SWAP, JNZ, POP, HALT };

/* Counts down from `n` on a stack machine, summing as it goes. */
static uint32_t machine(uint32_t n)
{
    static const uint8_t code[] = {PUSH, 0,    SWAP, DUP, JNZ, 9,    POP, HALT,
                                   HALT, DUP,  PUSH, 1,   SUB, SWAP, JNZ, 17,
                                   HALT, SWAP, PUSH, 3,   ADD, SWAP, JNZ, 3 + 6};
    uint32_t stack[16] = {0}, sum = 0;
    int sp = 0;
    stack[sp++] = n;
    for (unsigned pc = 0, steps = 0; pc < sizeof(code) && steps < 400; steps++) {
        switch (code[pc++]) {
        case PUSH:
            stack[sp & 15] = code[pc++];
            sp++;
            break;
        case ADD:
            sp--;
            stack[(sp - 1) & 15] += stack[sp & 15];
            break;
        case SUB:
            sp--;
            stack[(sp - 1) & 15] -= stack[sp & 15];
            break;
        case DUP:
            stack[sp & 15] = stack[(sp - 1) & 15];
            sp++;
            break;
        case SWAP: {
            uint32_t t = stack[(sp - 1) & 15];
            stack[(sp - 1) & 15] = stack[(sp - 2) & 15];
            stack[(sp - 2) & 15] = t;
            break;
        }
        case JNZ:
            sum += stack[(sp - 1) & 15];
            pc = stack[(sp - 1) & 15] ? code[pc] : pc + 1;
            break;
        case POP:
            sp--;
            break;
        case HALT:
            return sum;
        }
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    uint32_t sum = 1;
    static uint32_t numbers[1000];
    for (int n = 0; n < rounds; n++) {
        sum += fib(15);
        for (int i = 0; i < 5000; i++)
            sum = table[(sum ^ (uint32_t)i) & 3](sum);
        for (uint32_t i = 0; i < 10; i++)
            sum += machine(20 + i);
        for (int i = 0; i < 1000; i++)
            numbers[i] = sum = op_mul(op_add(sum));
        qsort(numbers, 1000, sizeof(numbers[0]), compare);
        sum ^= numbers[500];
    }
    printf("%08x\n", (unsigned)sum);
    return 0;
}
