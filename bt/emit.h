/* Host code of a region, before it goes into the code cache.
 *
 * Owns: struct bt_code, what emission yields: position-independent bytes, links, the side table, and relocations against the runtime's stubs.
 *
 * The code is entered at BT_ENTRY_OFFSET with the home slots in their registers and all other slots in the cpu
 * (host/x64/stubs.h), and leaves with the state like that again: by a link (codecache/unit.h) or with the
 * guest pc of an indirect jump that the cpu's table does not know.
 *
 * Threading: see bt/ir.h.
 */
#ifndef DRAGOMAN_BT_EMIT_H
#define DRAGOMAN_BT_EMIT_H

#include "bt/alloc.h"
#include "bt/ir.h"
#include "codecache/unit.h"

#define BT_ENTRY_OFFSET 8

struct bt_code {
    uint8_t *bytes;
    uint32_t size;
    uint32_t leave;    /* offset of the stub for leaving at the head */
    uint32_t hot_size; /* stubs and slow paths lie behind */
    struct link *links;
    uint32_t nlinks;
    struct x64_reloc *relocs; /* target: enum x64_stub */
    uint32_t nrelocs;
    uint8_t *side; /* the side table */
    uint32_t side_len;
    uint8_t *traps; /* codecache/trap.h */
    uint32_t traps_len;
};

/* Emit the region with its values where alloc says; everything lies in its arena. NULL when done, else the name of what
 * has no emitter (a row of the bail-out counters). */
const char *bt_emit(const struct bt_region *r, const struct bt_alloc *alloc,
                    const struct x64_homes *homes, uint64_t host_features, struct bt_code *out);

#endif
