/* Inside the construction of a region: what bt/region.c and bt/ssa.c say to each other. Not for others. */
#ifndef DRAGOMAN_BT_BUILD_H
#define DRAGOMAN_BT_BUILD_H

#include "bt/ir.h"

/* Region choice: fills r->blocks with the entry and the chosen guest blocks in layout order, with
 * edges, predecessors, dominators and loops. False with *bail when the head cannot be translated. */
bool bt_choose(struct bt_region *r, struct block *head, const char **bail);

/* Dominators, loop heads and depths from the edges; blocks must be in reverse postorder. */
void bt_analyse_cfg(struct bt_region *r);

/* What the region is told by the flags of a block of its. */
void bt_take_flags(struct bt_region *r, const struct block *b);

/* SSA construction over the chosen blocks. */
void bt_construct(struct bt_region *r);

/* Why a guest block cannot be translated, or NULL. */
const char *bt_cannot(const struct guest *g, const struct block *b);

#endif
