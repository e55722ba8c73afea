/* Units: translations, how they are found, linked, invalidated and evicted.
 *
 * Owns: struct unit, struct link, the hash of units by guest pc, the index by guest page, back-links, the
 * generation that per-cpu tables are checked against.
 *
 * A unit is live from cc_unit_install until it is killed by invalidation or eviction: then nothing
 * finds it any more, every jump to it leads back to its own unit's exit stub, the generation advances and
 * all cpus in the engines are asked to leave. A cpu that runs in it stays in it, or in the units that it is
 * linked to, until its next poll of `pending`. Its memory is used again once all have left.
 *
 * Threading: one lock (unit lock), taken before the cc lock. Without it: cc_unit_by_host (signal context),
 * and reads of a unit's constant fields by a cpu that has entered (cc_enter) since it got the pointer.
 */
#ifndef DRAGOMAN_CODECACHE_UNIT_H
#define DRAGOMAN_CODECACHE_UNIT_H

#include "codecache/code.h"

/* A direct exit of a unit: a rel32 that leads to the unit's own stub, or is patched to lead to another unit. The stub is a
 * call of X64_STUB_LINK, by whose return address the link is found again. */
#define CC_LINK_STUB_SIZE 5
struct link {
    struct unit *from;
    uint64_t pc;                      /* guest address to go on at */
    uint32_t field;                   /* offset in the unit of the rel32 */
    uint32_t stub;                    /* offset that an unlinked field leads to */
    uint8_t jump;                     /* enum uop_jump */
    struct unit *to;                  /* NULL: unlinked */
    struct link *in_next, **in_pprev; /* in to's list */
};

struct unit_range {
    uint64_t pc;
    uint32_t len;
};

struct unit_page {
    uint64_t number;
    struct unit *unit;
    struct unit_page *next, **pprev;
};

struct unit {
    uint64_t pc;
    const uint8_t *code; /* executable address */
    uint32_t size, hot_size;
    uint32_t entry; /* offset of the entry for links and C */
    uint32_t leave; /* offset of the stub by which it leaves at its head; 0: none */
    uint8_t level;
    uint8_t rules; /* struct block's */
    bool dead;
    uint16_t chunk;
    uint32_t ninsns;   /* guest instructions */
    uint64_t *counter; /* its data cell, of which the low half counts down: */
    int32_t armed;     /* what it was set to last, */
    uint64_t entered;  /* by C; one of two threads' may get lost */
    uint64_t rounds;   /* counted before, */
    uint64_t settled;  /* and of all of them those that cc_unit_settle has seen */
    struct link *links;
    uint32_t nlinks;
    struct unit_range *ranges; /* guest code that it came from */
    uint32_t nranges;
    struct unit_page *pages;
    uint32_t npages;
    const uint8_t *side; /* side table: codecache/side.h */
    uint32_t side_len;
    const uint8_t *traps; /* operations that may trap: codecache/trap.h */
    uint32_t traps_len;
    uint32_t
        trapped; /* how often they did, and since when: by the handler of any thread, a lost count does no harm */
    uint64_t trapped_since;
    struct unit *hash_next;
    struct link *in_first;
};

/* What the translator hands over. The entry's offset is a multiple of 8, and the first instruction there has 5 bytes or more: a jump
 * will replace it while cpus run. All arrays are copied. Links' `from`, `to` and list fields are ignored. */
struct unit_draft {
    uint64_t pc;
    const struct guest *guest;
    const uint8_t *code;
    uint32_t size, hot_size, entry, leave;
    uint8_t level, rules;
    uint32_t ninsns;
    const struct x64_reloc *relocs; /* target: enum x64_stub, or CC_RELOC_COUNTER */
    uint32_t nrelocs;
    const struct link *links;
    uint32_t nlinks;
    const struct unit_range *ranges;
    uint32_t nranges;
    const uint8_t *side;
    uint32_t side_len;
    const uint8_t *traps;
    uint32_t traps_len;
    uint64_t
        seq; /* cc_unit_seq() before the guest code was read: refused if it was invalidated since */
};
#define CC_RELOC_COUNTER 0x100 /* the unit's data cell */

/* Place a translation. A live unit at the same pc is replaced (its links go to the new one) when the new level
 * is at least its own. NULL when there is no room now, when guest code changed meanwhile, or when a better one is
 * there. The caller has entered (cc_enter). */
struct unit *cc_unit_install(const struct unit_draft *d);

/* The live unit at pc, or NULL; enters it into the cpu's table. */
struct unit *cc_unit_lookup(struct cpu *cpu, uint64_t pc);
/* The same by the block there, which remembers it: without the lock as long as no unit dies. The cpu has entered. */
struct unit *cc_unit_of_block(struct cpu *cpu, struct block *b);

/* Before translated code is run: empties the cpu's table if units died since it was filled. The cpu has
 * entered. */
void cc_unit_enter(struct cpu *cpu);

/* In the fault handler: a fault at host address addr with the pc in code memory. True when it was the end of the stack of
 * frames: only the newest frames are kept then, and the instruction is to be repeated. */
bool cc_frames_fault(struct cpu *cpu, uintptr_t addr, void *ucontext);
/* Give the stack of frames back; the cpu's thread ends. */
void cc_frames_free(struct cpu *cpu);

/* Run from a unit's entry until translated code leaves. Returns as x64_enter_fn says. */
uint64_t cc_unit_run(struct cpu *cpu, const struct unit *u);

/* A unit of level 1 counts its rounds (entries and turns of its loops) down and leaves with EXIT_PROMOTE after the number
 * that it was armed with. Those of threads that run at once may get lost. */
void cc_unit_arm(struct unit *u, int32_t rounds);
uint64_t cc_unit_rounds(const struct unit *u);     /* since it was installed */
uint64_t cc_unit_new_rounds(const struct unit *u); /* since cc_unit_settle */
void cc_unit_settle(struct unit *u);

/* The link whose stub was left through, by what cc_unit_run returned. The unit may be dead meanwhile. NULL: none. */
struct link *cc_link_by_ret(uint64_t ret);

/* What cc_unit_run's result means: why translated code left, with the cpu's pc (and exit_arg) set. EXIT_BLOCK with *link
 * set: through that link. A unit that leaves at its head, before it did anything, does so by one stub for
 * both reasons: it has counted down to below 0 (EXIT_PROMOTE) or was asked to
 * leave (EXIT_SIGNAL). */
enum exit_reason cc_unit_left(struct cpu *cpu, uint64_t left, struct link **link);

/* Patch the link to lead to `to`. Nothing happens when either is dead or it is linked. */
void cc_unit_link(struct link *l, struct unit *to);

/* Kill the units that came from guest bytes [addr, addr+len). Part of cc_invalidate (blocks.h). */
void cc_unit_invalidate(uint64_t addr, uint64_t len);
/* Kill all units. */
void cc_unit_flush(void);

/* The unit that host_pc lies in, or NULL. Lock-free; signal context. */
struct unit *cc_unit_by_host(uintptr_t host_pc);

/* Advances with each invalidation. */
uint64_t cc_unit_seq(void);

/* For cc_fork_begin and cc_fork_end (blocks.h). In the child no unit is left. */
void cc_unit_fork_begin(void);
void cc_unit_fork_end(bool child);

void cc_unit_for_each(void (*fn)(const struct unit *u, void *arg), void *arg);

struct cc_unit_stats {
    uint64_t units;                                     /* live now */
    uint64_t installed, replaced, invalidated, evicted; /* so far */
    uint64_t evictions;                                 /* chunks */
    uint64_t no_room; /* installations refused because nothing had drained */
    uint64_t links, unlinks;
    uint64_t hits, misses; /* lookups */
    uint64_t bytes;        /* code installed so far */
    uint64_t insns;        /* guest instructions in it */
    uint64_t side_bytes;
};
void cc_unit_get_stats(struct cc_unit_stats *s);

#endif
