/* The tree of vmas; see vmatree.h.
 *
 * Nodes come from a free list that grows by mapped chunks, so that the map does not depend on malloc
 * (a vfork child works on it too) and a reserved insertion cannot fail half-way through an operation.
 */
#include "process/vmatree.h"

static struct vma_node *free_nodes; /* linked through left */
static struct vma_node *fresh,
    *fresh_end;        /* never used: most processes touch few of a chunk's pages */
static unsigned nfree; /* of both kinds */

#define CHUNK_BYTES (64 * 1024)

bool vma_reserve(unsigned n)
{
    while (nfree < n) {
        struct vma_node *c =
            mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (c == MAP_FAILED)
            return false;
        for (; fresh < fresh_end; fresh++) {
            fresh->left = free_nodes;
            free_nodes = fresh;
        }
        fresh = c;
        fresh_end = c + CHUNK_BYTES / sizeof *c;
        nfree += CHUNK_BYTES / sizeof *c;
    }
    return true;
}

static int height(const struct vma_node *n)
{
    return n ? n->height : 0;
}

static void update(struct vma_node *n)
{
    struct vma_node *l = n->left, *r = n->right;
    uint64_t lo = vma_guard_start(&n->v), gap = 0;

    if (l) {
        /* The guard gap may reach below the left neighbour's end. */
        gap = l->sub_gap;
        if (lo > l->sub_hi && lo - l->sub_hi > gap)
            gap = lo - l->sub_hi;
        n->sub_lo = l->sub_lo;
    } else {
        n->sub_lo = lo;
    }
    if (r) {
        if (r->sub_gap > gap)
            gap = r->sub_gap;
        if (r->sub_lo > n->v.end && r->sub_lo - n->v.end > gap)
            gap = r->sub_lo - n->v.end;
        n->sub_hi = r->sub_hi;
    } else {
        n->sub_hi = n->v.end;
    }
    n->sub_gap = gap;
    n->height = 1 + (height(l) > height(r) ? height(l) : height(r));
}

static struct vma_node *rotate_right(struct vma_node *n)
{
    struct vma_node *l = n->left;

    n->left = l->right;
    l->right = n;
    update(n);
    update(l);
    return l;
}

static struct vma_node *rotate_left(struct vma_node *n)
{
    struct vma_node *r = n->right;

    n->right = r->left;
    r->left = n;
    update(n);
    update(r);
    return r;
}

static struct vma_node *balance(struct vma_node *n)
{
    int d = height(n->left) - height(n->right);

    if (d > 1) {
        if (height(n->left->left) < height(n->left->right))
            n->left = rotate_left(n->left);
        return rotate_right(n);
    }
    if (d < -1) {
        if (height(n->right->right) < height(n->right->left))
            n->right = rotate_right(n->right);
        return rotate_left(n);
    }
    update(n);
    return n;
}

static struct vma_node *insert(struct vma_node *n, struct vma_node *add)
{
    if (!n)
        return add;
    if (add->v.start < n->v.start)
        n->left = insert(n->left, add);
    else
        n->right = insert(n->right, add);
    return balance(n);
}

struct vma_node *vma_insert(struct vma_tree *t, const struct vma *v)
{
    if (!vma_reserve(1))
        return NULL;
    struct vma_node *n = free_nodes ? free_nodes : fresh++;
    if (n == free_nodes)
        free_nodes = n->left;
    nfree--;
    n->left = n->right = NULL;
    n->v = *v;
    update(n);
    t->root = insert(t->root, n);
    t->count++;
    return n;
}

static struct vma_node *take_min(struct vma_node *n, struct vma_node **min)
{
    if (!n->left) {
        *min = n;
        return n->right;
    }
    n->left = take_min(n->left, min);
    return balance(n);
}

static struct vma_node *erase(struct vma_node *n, const struct vma_node *which)
{
    if (which == n) {
        struct vma_node *m, *right;

        if (!n->right)
            return n->left;
        right = take_min(n->right, &m);
        m->right = right;
        m->left = n->left;
        return balance(m);
    }
    if (which->v.start < n->v.start)
        n->left = erase(n->left, which);
    else
        n->right = erase(n->right, which);
    return balance(n);
}

void vma_erase(struct vma_tree *t, struct vma_node *n)
{
    t->root = erase(t->root, n);
    t->count--;
    n->left = free_nodes;
    free_nodes = n;
    nfree++;
}

static void update_path(struct vma_node *n, const struct vma_node *to)
{
    if (n != to)
        update_path(to->v.start < n->v.start ? n->left : n->right, to);
    update(n);
}

void vma_touch(struct vma_tree *t, struct vma_node *n)
{
    update_path(t->root, n);
}

void vma_resize(struct vma_tree *t, struct vma_node *n, uint64_t start, uint64_t end)
{
    n->v.start = start;
    n->v.end = end;
    update_path(t->root, n);
}

struct vma_node *vma_find(const struct vma_tree *t, uint64_t addr)
{
    struct vma_node *n = t->root, *best = NULL;

    while (n) {
        if (n->v.end > addr) {
            best = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

struct vma_node *vma_find_before(const struct vma_tree *t, uint64_t addr)
{
    struct vma_node *n = t->root, *best = NULL;

    while (n) {
        if (n->v.end <= addr) {
            best = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return best;
}

struct vma_node *vma_at(const struct vma_tree *t, uint64_t addr)
{
    struct vma_node *n = vma_find(t, addr);

    return n && n->v.start <= addr ? n : NULL;
}

bool vma_is_free(const struct vma_tree *t, uint64_t addr, uint64_t len)
{
    struct vma_node *n = vma_find(t, addr);

    return !n || vma_guard_start(&n->v) >= addr + len;
}

/* Search the subtree n, whose free surroundings reach from lo (the end of what is below) to hi. */
static uint64_t gap_down(const struct vma_node *n, uint64_t lo, uint64_t hi, uint64_t min,
                         uint64_t max, uint64_t len, uint64_t align)
{
    if (hi > max)
        hi = max;
    if (lo < min)
        lo = min;
    if (hi <= lo || hi - lo < len)
        return 0;
    if (!n) {
        uint64_t a = (hi - len) & -align;
        return a >= lo && a ? a : 0;
    }
    if (n->sub_gap < len && (hi <= n->sub_hi || hi - n->sub_hi < len) &&
        (n->sub_lo <= lo || n->sub_lo - lo < len))
        return 0;
    uint64_t a = gap_down(n->right, n->v.end, hi, min, max, len, align);
    if (a)
        return a;
    /* The guard gap may reach below the left neighbour, which then bounds its own gap. */
    uint64_t below = vma_guard_start(&n->v);
    if (n->left && n->left->sub_hi > below)
        below = n->left->sub_hi;
    return gap_down(n->left, lo, below, min, max, len, align);
}

uint64_t vma_gap_down(const struct vma_tree *t, uint64_t lo, uint64_t hi, uint64_t len,
                      uint64_t align)
{
    return gap_down(t->root, lo, hi, lo, hi, len, align);
}

static const char *check(const struct vma_node *n, uint64_t *prev_end, size_t *count)
{
    if (!n)
        return NULL;
    const char *e = check(n->left, prev_end, count);
    if (e)
        return e;
    if (n->v.start >= n->v.end || ((n->v.start | n->v.end) & GUEST_PAGE_MASK))
        return "empty or misaligned vma";
    if (n->v.start < *prev_end)
        return "vmas overlap or are out of order";
    *prev_end = n->v.end;
    ++*count;
    e = check(n->right, prev_end, count);
    if (e)
        return e;
    int d = height(n->left) - height(n->right);
    if (d < -1 || d > 1)
        return "unbalanced";
    struct vma_node copy = *n;
    update(&copy);
    if (copy.height != n->height || copy.sub_lo != n->sub_lo || copy.sub_hi != n->sub_hi ||
        copy.sub_gap != n->sub_gap)
        return "stale subtree data";
    return NULL;
}

const char *vma_tree_check(const struct vma_tree *t)
{
    uint64_t prev_end = 0;
    size_t count = 0;
    const char *e = check(t->root, &prev_end, &count);

    return e ? e : count != t->count ? "wrong count" : NULL;
}
