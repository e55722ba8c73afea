/* The short way to code of level 1: see bt/quick.c. */
#ifndef DRAGOMAN_BT_QUICK_H
#define DRAGOMAN_BT_QUICK_H

#include "bt/alloc.h"

/* The region of a block and of what follows it without a choice, with the places of all values: ready for emission.
 * NULL when it takes the long way to make good code of it, or any. */
struct bt_region *bt_quick(struct arena *arena, struct cpu *cpu, struct block *head,
                           const struct x64_homes *homes, struct bt_alloc *alloc);

#endif
