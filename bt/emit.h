/* Host code of a region, before it goes into the code cache.
 *
 * Owns: struct bt_code, what emission yields: position-independent bytes, side-table rows, exits that
 * can be linked, and relocations against the runtime's stubs.
 *
 * Conventions of the code (BT_CPU and the homes: bt/alloc.h). It is entered at offset 0 with the home slots in
 * their registers and all other slots in the cpu, and leaves in one of three ways, always with the state
 * like that again:
 *   - a link: a patchable jmp or jcc, which at first leads to a stub that loads rax with the address of the
 *     patched field and jumps to BT_STUB_LINK; the pc slot is not written;
 *   - an indirect jump: rax is the guest pc, jump to BT_STUB_INDIRECT after an inline look into the
 *     cpu's table failed;
 *   - an exit: the pc slot is written, eax is the enum exit_reason, jump to BT_STUB_EXIT.
 * rcx, rdx and xmm0..xmm3 are free at all of them.
 *
 * Threading: see bt/ir.h.
 */
#ifndef DRAGOMAN_BT_EMIT_H
#define DRAGOMAN_BT_EMIT_H

#include "bt/alloc.h"
#include "bt/ir.h"

enum bt_stub { BT_STUB_LINK, BT_STUB_INDIRECT, BT_STUB_EXIT };

/* Where a slot is while an access is under way. Slots without an entry are in the cpu if they have no home or
 * their home was saved, else in their home register. */
struct bt_row_entry {
    uint8_t slot;
    uint8_t place; /* enum bt_place */
    uint8_t n;     /* register or unit */
    uint8_t kind;  /* BT_XMM: UOP_K_S means that only the low 32 bits count */
    uint64_t imm;  /* BT_IMM */
};

struct bt_row {
    uint32_t host;     /* offset of the host instruction that may fault */
    uint64_t pc;       /* of the guest instruction */
    uint32_t first, n; /* entries */
};

struct bt_exit_link {
    uint32_t field; /* offset of the rel32 to patch */
    uint32_t stub;  /* offset where it leads while unlinked */
    uint64_t pc;    /* guest target */
    uint8_t jump;   /* enum uop_jump */
};

struct bt_code {
    uint8_t *bytes;
    uint32_t size;
    uint32_t hot_size;   /* stubs and slow paths lie behind */
    struct bt_row *rows; /* by ascending host offset */
    uint32_t nrows;
    struct bt_row_entry *entries;
    uint32_t nentries;
    struct bt_exit_link *links;
    uint32_t nlinks;
    struct x64_reloc *relocs; /* target: enum bt_stub */
    uint32_t nrelocs;
    uint32_t saved_gpr, saved_xmm; /* homes that the unit saved at its entry */
};

/* Emit the region; everything lies in its arena. NULL when done, else the name of what has no emitter
 * (a row of the bail-out counters). */
const char *bt_emit(const struct bt_region *r, uint64_t host_features, struct bt_code *out);

#endif
