/* The ordered set of vmas: an AVL tree by start address that also knows its largest gap.
 *
 * Invariants: vmas do not overlap. Every node carries the lowest guarded start, the highest end
 * and the largest gap of its subtree, so the highest gap that fits is found in O(log n). A grows-down
 * vma keeps VMA_GUARD_GAP bytes below it free from placement, as the kernel does.
 *
 * Threading: none; mm.c holds mm_lock around every call.
 */
#ifndef DRAGOMAN_PROCESS_VMATREE_H
#define DRAGOMAN_PROCESS_VMATREE_H

#include "process/mm.h"
#include <sys/mman.h>

#define VMA_GUARD_GAP (256 * GUEST_PAGE_SIZE) /* the kernel's default stack_guard_gap */

struct vma_node {
    struct vma_node *left, *right;
    int height;
    uint64_t sub_lo, sub_hi; /* of the subtree: lowest guarded start, highest end */
    uint64_t sub_gap;        /* largest gap between neighbours within the subtree */
    struct vma v;
};

struct vma_tree {
    struct vma_node *root;
    size_t count;
};

/* Where placement must stop below v. */
static inline uint64_t vma_guard_start(const struct vma *v)
{
    if (!(v->flags & MAP_GROWSDOWN))
        return v->start;
    return v->start > VMA_GUARD_GAP ? v->start - VMA_GUARD_GAP : 0;
}

/* The first vma that ends above addr (it may begin above addr too), or NULL. */
struct vma_node *vma_find(const struct vma_tree *t, uint64_t addr);
/* The last vma that ends at or below addr, or NULL. */
struct vma_node *vma_find_before(const struct vma_tree *t, uint64_t addr);
/* The vma that holds addr, or NULL. */
struct vma_node *vma_at(const struct vma_tree *t, uint64_t addr);
static inline struct vma_node *vma_next(const struct vma_tree *t, const struct vma_node *n)
{
    return vma_find(t, n->v.end);
}

/* Add a copy of v, which overlaps nothing. NULL when there is no memory. */
struct vma_node *vma_insert(struct vma_tree *t, const struct vma *v);
/* Remove and free the node. */
void vma_erase(struct vma_tree *t, struct vma_node *n);
/* Move a node's bounds; its order among the others must not change. */
void vma_resize(struct vma_tree *t, struct vma_node *n, uint64_t start, uint64_t end);
/* The node's flags changed: bring the gap data up to date. */
void vma_touch(struct vma_tree *t, struct vma_node *n);

/* Make sure that the next n insertions cannot fail. */
bool vma_reserve(unsigned n);

/* The highest address, a multiple of align, with len free bytes within [lo, hi); 0 when there is none. */
uint64_t vma_gap_down(const struct vma_tree *t, uint64_t lo, uint64_t hi, uint64_t len,
                      uint64_t align);
/* Is [addr, addr+len) free, guard gaps respected? */
bool vma_is_free(const struct vma_tree *t, uint64_t addr, uint64_t len);

/* NULL when the tree's invariants hold, else what is broken (for tests and debug builds). */
const char *vma_tree_check(const struct vma_tree *t);

#endif
