/* For hwasan.tap: lists and blocks in memory with tagged addresses; with an argument, a use after free. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    int v;
};

int main(int argc, char **argv)
{
    struct node *list = NULL;
    long sum = 0;
    (void)argv;
    for (int i = 0; i < 1000; i++) {
        struct node *n = malloc(sizeof *n);
        n->v = i;
        n->next = list;
        list = n;
    }
    for (int r = 0; r < 200; r++)
        for (struct node *n = list; n; n = n->next)
            sum += n->v++;
    char *block = malloc(10000);
    for (int r = 0; r < 50; r++) {
        memset(block, r, 10000);
        sum += block[r];
    }
    printf("%ld %s\n", sum, (uintptr_t)list >> 56 ? "tagged" : "untagged");
    if (argc > 1) {
        char *p = malloc(16);
        free(p);
        p[argc] = 1;
    }
    return 0;
}
