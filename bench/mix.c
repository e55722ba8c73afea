/* A mix of integer work as embedded benchmarks have it: lists, matrices, a state machine over text,
 * CRCs.
 *
 * usage: mix NAME ROUNDS; NAME is of no account. Prints a checksum that depends on every result. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t seed = 1;

static uint32_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static uint32_t crc32_step(uint32_t crc, uint32_t word)
{
    for (int i = 0; i < 4; i++, word >>= 8) {
        crc ^= word & 0xff;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return crc;
}

struct node {
    struct node *next;
    int16_t key, value;
};

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;
    while (a && b) {
        struct node **least = a->key <= b->key ? &a : &b;
        tail->next = *least;
        tail = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list)
{
    if (!list || !list->next)
        return list;
    struct node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct node *half = slow->next;
    slow->next = NULL;
    return merge(sort(list), sort(half));
}

static uint32_t lists(uint32_t crc)
{
    enum { N = 500 };
    static struct node nodes[N];
    for (int i = 0; i < N; i++) {
        nodes[i].key = (int16_t)next_random();
        nodes[i].value = (int16_t)i;
        nodes[i].next = i + 1 < N ? &nodes[i + 1] : NULL;
    }
    struct node *list = sort(nodes);
    for (struct node *n = list; n; n = n->next)
        crc = crc * 31 + (uint32_t)(uint16_t)n->value;
    for (int i = 0; i < 50; i++) { /* searches that mostly run to the end */
        int16_t key = (int16_t)next_random();
        uint32_t steps = 0;
        struct node *n = list;
        while (n && n->key != key) {
            n = n->next;
            steps++;
        }
        crc += steps;
    }
    return crc32_step(crc, crc);
}

static uint32_t matrices(uint32_t crc)
{
    enum { N = 24 };
    static int16_t a[N][N], b[N][N];
    static int32_t c[N][N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (int16_t)(next_random() & 0xfff);
            b[i][j] = (int16_t)(next_random() & 0xfff);
        }
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    }
    for (int i = 0; i < N; i++)
        crc = crc32_step(crc, (uint32_t)c[i][i] ^ (uint32_t)c[i][N - 1 - i]);
    return crc;
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, BAD };

static enum state next_state(enum state s, char c)
{
    int digit = c >= '0' && c <= '9';
    switch (s) {
    case START:
        return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : BAD;
    case SIGN:
        return digit ? INTEGER : c == '.' ? POINT : BAD;
    case INTEGER:
        return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : BAD;
    case POINT:
    case FRACTION:
        return digit ? FRACTION : c == 'e' && s == FRACTION ? EXPONENT : BAD;
    case EXPONENT:
        return digit ? EXPONENT : BAD;
    default:
        return BAD;
    }
}

static uint32_t states(uint32_t crc)
{
    static const char *const words[] = {"512,", "-3.25,", "+.5e3,", "1e10,", "x1,", "77.,", "-,"};
    uint32_t counts[BAD + 1] = {0};
    for (int i = 0; i < 300; i++) {
        enum state s = START;
        for (const char *p = words[next_random() % 7]; *p != ','; p++)
            s = next_state(s, *p);
        counts[s]++;
    }
    for (int i = 0; i <= BAD; i++)
        crc = crc32_step(crc, counts[i]);
    return crc;
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 1000;
    uint32_t crc = 0;
    for (int i = 0; i < rounds; i++)
        crc = states(matrices(lists(crc)));
    printf("%08x\n", (unsigned)crc);
    return 0;
}
