/* The binary translator: hot guest code becomes units of the code cache.
 *
 * Owns: the pipeline (bt_compile, a flat list) and the counts of what it refused.
 *
 * Threading: reentrant; each call has an arena of its own. The caller has entered (cc_enter).
 */
#ifndef DRAGOMAN_BT_BT_H
#define DRAGOMAN_BT_BT_H

#include "codecache/unit.h"

/* Translate the region headed by `head` at level 1 or 2 and install it. NULL when it was refused or there is
 * no room now; a refusal that will not change is noted in the block (BLOCK_NO_BT), so that nobody asks
 * again. A unit of level 1 counts its data cell down at its entry and in its loops and leaves with EXIT_PROMOTE when
 * it is negative; the caller sets it. */
struct unit *bt_compile(struct cpu *cpu, struct block *head, int level);

/* Does the region that level 2 would make for `head` pay? Its code of level 1 must have run `rate` guest instructions for each
 * one that is to be translated, not counting what other regions of level 2 have taken over since. 0: yes, else how many
 * more rounds of the head's unit would do. */
uint64_t bt_rounds_missing(struct cpu *cpu, struct block *head, uint64_t rate);

struct bt_stats {
    uint64_t units[3]; /* by level */
    uint64_t insns[3]; /* guest instructions translated */
    uint64_t ns[3];    /* processor time, when bt_measure asked for it */
    uint64_t bytes[3]; /* host code */
    uint64_t refused;
};
void bt_get_stats(struct bt_stats *s);
/* Have the time measured. Not without being asked: two looks at a thread's clock cost as much as some instructions' translation. */
void bt_measure(bool on);
/* Compare each access's address with the end of the guest's range. Before the first translation. */
void bt_check_addresses(bool on);
/* Refusals by reason: fn is called with each reason met and how often. */
void bt_for_each_bail(void (*fn)(const char *reason, uint64_t n, void *arg), void *arg);

#endif
