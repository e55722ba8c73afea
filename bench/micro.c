/* Single costs of control flow and of atomic operations.
 *
 * usage: micro KIND ROUNDS [WORK]; prints a checksum. KIND is
 *   call         recursion: direct calls and returns
 *   indirect     calls through a table
 *   switch       a dense switch on pseudo-random values
 *   interpreter  a bytecode loop
 *   static       jumps to and fro between two pages, WORK turns of a loop after each
 *   computed     the same by jumps through a table
 *   amo, lrsc    two threads add to one word by fetch-and-add or compare-and-swap
 *
 * The jumps between pages are sibling calls, which -O2 and above make jumps, of functions that are
 * placed in two sections aligned to a page. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

static APART unsigned fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t call(long rounds, long work)
{
    (void)work;
    uint32_t sum = 0;
    for (long n = 0; n < rounds; n++)
        sum = sum * 3 + fib(20 + (n & 1));
    return sum;
}

static APART uint32_t op_add(uint32_t a)
{
    return a + 0x9e3779b9u;
}
static APART uint32_t op_xor(uint32_t a)
{
    return a ^ a >> 15;
}
static APART uint32_t op_mul(uint32_t a)
{
    return a * 0x85ebca6bu;
}
static APART uint32_t op_rot(uint32_t a)
{
    return a << 7 | a >> 25;
}

static uint32_t (*volatile const table[])(uint32_t) = {op_add, op_xor, op_mul, op_rot};

static uint32_t indirect(long rounds, long work)
{
    (void)work;
    uint32_t sum = 1;
    for (long n = 0; n < rounds * 1000; n++)
        sum = table[n & 3](sum);
    return sum;
}

static uint32_t dense_switch(long rounds, long work)
{
    (void)work;
    static uint8_t kinds[4096];
    uint32_t sum = 1;
    for (unsigned i = 0; i < sizeof(kinds); i++) {
        sum = sum * 1664525 + 1013904223;
        kinds[i] = sum >> 28;
    }
    for (long n = 0; n < rounds; n++) {
        for (unsigned i = 0; i < sizeof(kinds); i++) {
            switch (kinds[i]) {
            case 0:
                sum += 17;
                break;
            case 1:
                sum ^= 0x55;
                break;
            case 2:
                sum = sum << 3 | sum >> 29;
                break;
            case 3:
                sum -= i;
                break;
            case 4:
                sum *= 5;
                break;
            case 5:
                sum ^= sum >> 7;
                break;
            case 6:
                sum = ~sum;
                break;
            case 7:
                sum += sum << 2;
                break;
            case 8:
                sum ^= i;
                break;
            case 9:
                sum = sum >> 5 | sum << 27;
                break;
            case 10:
                sum -= 3;
                break;
            case 11:
                sum |= 1;
                break;
            case 12:
                sum += i * 3;
                break;
            case 13:
                sum ^= sum << 9;
                break;
            case 14:
                sum = -sum;
                break;
            case 15:
                sum += 0x1234567;
                break;
            }
        }
    }
    return sum;
}

enum { HALT, LOAD, ADD, XOR, DECREMENT, JUMP_NOT_ZERO, SHIFT, MOVE };

static APART uint32_t bytecode(const uint8_t *code, uint32_t count)
{
    uint32_t r[4] = {count, 1, 7, 0};
    for (const uint8_t *pc = code;; pc += 3) {
        switch (pc[0]) {
        case HALT:
            return r[1] + r[3];
        case LOAD:
            r[pc[1]] = pc[2];
            break;
        case ADD:
            r[pc[1]] += r[pc[2]];
            break;
        case XOR:
            r[pc[1]] ^= r[pc[2]];
            break;
        case DECREMENT:
            r[pc[1]]--;
            break;
        case SHIFT:
            r[pc[1]] = r[pc[1]] << pc[2] | r[pc[1]] >> (32 - pc[2]);
            break;
        case MOVE:
            r[pc[1]] = r[pc[2]];
            break;
        case JUMP_NOT_ZERO:
            if (r[pc[1]])
                pc = code + pc[2] - 3;
            break;
        }
    }
}

static uint32_t interpreter(long rounds, long work)
{
    (void)work;
    static const uint8_t code[] = {LOAD,          3, 5, ADD,  1, 2, SHIFT, 1, 3,  XOR,       3, 1,
                                   ADD,           2, 3, MOVE, 3, 2, SHIFT, 3, 11, DECREMENT, 0, 0,
                                   JUMP_NOT_ZERO, 0, 3, HALT, 0, 0};
    uint32_t sum = 0;
    for (long n = 0; n < rounds; n++)
        sum = sum * 31 + bytecode(code, 1000);
    return sum;
}

#define PAGE(name) __attribute__((noinline, noclone, section(name), aligned(64)))
#define PAGE_TOP(name) __attribute__((noinline, noclone, section(name), aligned(4096)))

static inline uint32_t turn(uint32_t x, long work)
{
    for (long i = 0; i < work; i++) {
        x = (x >> 1 ^ x) + 1; /* nothing that one machine has a single instruction for */
        __asm__ volatile("" : "+r"(x));
    }
    return x + 1;
}

/* LINK(from, to): `from` works and goes on at `to`; in the static chain and in the computed one. */
typedef uint32_t stop(uint32_t x, long work, long left);
static stop *volatile stops[8];
static stop a0, a1, a2, a3, b0, b1, b2, b3, ca0, ca1, ca2, ca3, cb0, cb1, cb2, cb3;
#define LINK(attribute, from, to, number)                               \
    attribute static uint32_t from(uint32_t x, long work, long left)    \
    {                                                                   \
        return to(turn(x, work), work, left);                           \
    }                                                                   \
    attribute static uint32_t c##from(uint32_t x, long work, long left) \
    {                                                                   \
        return stops[number](turn(x, work), work, left);                \
    }
LINK(PAGE_TOP(".text.page_a"), a0, b0, 1)
LINK(PAGE_TOP(".text.page_b"), b0, a1, 2)
LINK(PAGE(".text.page_a"), a1, b1, 3)
LINK(PAGE(".text.page_b"), b1, a2, 4)
LINK(PAGE(".text.page_a"), a2, b2, 5)
LINK(PAGE(".text.page_b"), b2, a3, 6)
LINK(PAGE(".text.page_a"), a3, b3, 7)
PAGE(".text.page_b") static uint32_t b3(uint32_t x, long work, long left)
{
    return left ? a0(turn(x, work), work, left - 1) : x;
}
PAGE(".text.page_b") static uint32_t cb3(uint32_t x, long work, long left)
{
    return left ? stops[0](turn(x, work), work, left - 1) : x;
}

static uint32_t weave_static(long rounds, long work)
{
    return a0(1, work, rounds * 1000);
}

static uint32_t weave_computed(long rounds, long work)
{
    stop *const all[8] = {ca0, cb0, ca1, cb1, ca2, cb2, ca3, cb3};
    for (int i = 0; i < 8; i++)
        stops[i] = all[i];
    return ca0(1, work, rounds * 1000);
}

static uint32_t shared __attribute__((aligned(64)));
static long turns;

static void *amo_thread(void *unused)
{
    uint32_t seen = 0;
    for (long i = 0; i < turns; i++)
        seen ^= __atomic_fetch_add(&shared, 3, __ATOMIC_SEQ_CST);
    *(volatile uint32_t *)&seen;
    return unused;
}

static void *lrsc_thread(void *unused)
{
    for (long i = 0; i < turns; i++) {
        uint32_t old = __atomic_load_n(&shared, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&shared, &old, old * 5 + 1, 0, __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST))
            ;
    }
    return unused;
}

static uint32_t two_threads(void *(*run)(void *))
{
    pthread_t other;
    if (pthread_create(&other, NULL, run, NULL)) {
        fprintf(stderr, "micro: cannot make a thread\n");
        exit(1);
    }
    run(NULL);
    pthread_join(other, NULL);
    return shared;
}

static uint32_t amo(long rounds, long work)
{
    (void)work;
    turns = rounds * 1000;
    return two_threads(amo_thread);
}

static uint32_t lrsc(long rounds, long work)
{
    (void)work;
    turns = rounds * 1000;
    return two_threads(lrsc_thread);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t (*run)(long, long);
    } kinds[] = {{"call", call},
                 {"indirect", indirect},
                 {"switch", dense_switch},
                 {"interpreter", interpreter},
                 {"static", weave_static},
                 {"computed", weave_computed},
                 {"amo", amo},
                 {"lrsc", lrsc}};
    for (unsigned i = 0; argc >= 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(argv[1], kinds[i].name)) {
            uint32_t sum = kinds[i].run(atol(argv[2]), argc > 3 ? atol(argv[3]) : 0);
            printf("%08x\n", (unsigned)sum);
            return 0;
        }
    }
    fprintf(stderr, "usage: micro KIND ROUNDS [WORK]; see the top of micro.c\n");
    return 2;
}
