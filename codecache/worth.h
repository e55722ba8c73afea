/* What translations are worth in a cache that is too small, and when to do without them.
 *
 * Owns: the account of what evicted units cost and saved, and the rest that a loss is followed by.
 *
 * All is counted in guest instructions interpreted instead of translated, from the units' own counters: no clock, so a run
 * repeats. A unit that ran too rarely while it was there makes its block wait longer for the next one; a unit that did not,
 * hardly at all (again in struct block). When the units of evicted chunks have lost on the whole, entries from the interpreter included,
 * the cache rests: nothing is translated and no unit of level 1 is entered by C, until the interpreter alone has run many times as long
 * as the loss took. So losses are a small part of the time whatever the program does.
 *
 * Threading: cc_worth_judge and cc_worth_settle under the unit lock, the other by any cpu.
 */
#ifndef DRAGOMAN_CODECACHE_WORTH_H
#define DRAGOMAN_CODECACHE_WORTH_H

#include "codecache/unit.h"

/* Entries for which a block that asked during a rest is interpreted before it asks again. */
#define CC_REST_ENTRIES 256

/* The unit is about to be evicted. */
void cc_worth_judge(const struct unit *u);
/* A chunk's units have been. */
void cc_worth_settle(void);
/* A block is hot and asks for its unit: must it go on without? */
bool cc_worth_resting(void);
/* A child of fork begins with an empty cache. */
void cc_worth_after_fork(void);

#endif
