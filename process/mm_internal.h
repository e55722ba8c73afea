/* What the mm*.c files share and nobody else includes.
 *
 * Locks: mm_mutex (mm_lock) guards everything here. It is a leaf for the other folders, and no guest
 * memory is touched while it is held, since a fault there takes it in mm_fault_fixup.
 */
#ifndef DRAGOMAN_PROCESS_MM_INTERNAL_H
#define DRAGOMAN_PROCESS_MM_INTERNAL_H

#include "base/host.h"
#include "process/vmatree.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* Bits of vma.flags that are not MAP_*. */
#define VMA_HOST \
    (1 << 30) /* something of the host's: no vma of the guest's, only keeps the place */
#define VMA_NOEXEC (1 << 29) /* file on a noexec mount: never PROT_EXEC */
#define VMA_SHM (1 << 28)    /* from shmat */

struct mm {
    uint64_t lo;        /* lowest guest address */
    uint64_t mmap_base; /* placement goes down from here */
    uint64_t stack_top;
    uint64_t brk_start, brk;
    bool random;
    bool lock_future; /* mlockall(MCL_FUTURE) */
    bool lock_onfault;
    mm_code_changed *on_code;
    struct vma_tree map;
    uint64_t total_pages, data_pages; /* as RLIMIT_AS and RLIMIT_DATA count them */
    uint64_t limit_as, limit_data;    /* in bytes */
    unsigned nhost;                   /* VMA_HOST nodes */
    unsigned nstacks;                 /* grows-down vmas */
    unsigned nshared_writable;        /* vmas through which a shared page can be written */
    unsigned ncode_shared;            /* shared vmas that have code */
    uint64_t next_anon_ino;           /* identities of shared anonymous memory */
};
extern struct mm mm;

void mm_lock(void);
void mm_unlock(void);

/* The host's protection for a guest protection: execution is reading. */
static inline int mm_host_prot(int prot)
{
    int hp = prot & (PROT_READ | PROT_WRITE);

    return prot & PROT_EXEC ? hp | PROT_READ : hp;
}

/* Shared pages have an identity by which their other views are found. */
static inline bool mm_is_shared(const struct vma *v)
{
    return (v->flags & MAP_TYPE) != MAP_PRIVATE && v->ino && !(v->flags & VMA_HOST);
}

/* --- mm.c: the map ---------------------------------------------------------------------------- */

/* Bring the mirror of grows-down vmas up to date around [start, end). */
void mm_sync_stacks(uint64_t start, uint64_t end);
/* The guest's vma at addr, or NULL. */
struct vma_node *mm_vma_at(uint64_t addr);
/* The first vma of the guest that ends above addr. */
struct vma_node *mm_vma_from(uint64_t addr);
/* Does [start, end) touch anything of the host's? */
bool mm_touches_host(uint64_t start, uint64_t end);
/* Find what the host has mapped in the guest's range and keep it out of the map. */
void mm_scan_host(void);
/* Forget the guest's vmas in [start, end), splitting those that reach out. */
void mm_map_remove(uint64_t start, uint64_t end);
/* Enter a vma, merging it with its neighbours where the kernel would. */
void mm_map_add(const struct vma *v);
/* Set the protection of [start, end), which lies within one vma. */
void mm_map_protect(uint64_t start, uint64_t end, int prot);
/* Would npages more, of the given kind, exceed a limit? */
bool mm_may_expand(uint64_t npages, int prot, int flags);
/* A place for len bytes: near hint if that is free, else top down. 0: none. */
uint64_t mm_place(uint64_t hint, uint64_t len, uint64_t align);
/* After a failed host operation that may have unmapped part of [start, end). */
void mm_resync(uint64_t start, uint64_t end);

/* --- mm_code.c: pages with lifted code ---------------------------------------------------------- */

/* Forget all code pages in [start, end). True when there was code: call mm.on_code after unlocking. */
bool mm_code_forget(uint64_t start, uint64_t end);
/* The host's protection of [start, end) was set anew to that of prot: protect what must be. */
void mm_code_reprotect(uint64_t start, uint64_t end, int prot);
/* Give the code pages in [start, end) the guest's protection on the host, but keep them noted. */
void mm_code_unprotect(uint64_t start, uint64_t end);
/* Has page an entry: was it ever noted or protected since it was mapped? */
bool mm_code_known(uint64_t page);
/* Around fork, outside of mm_lock. */
void mm_code_fork_begin(void);
void mm_code_fork_end(bool child);
/* A writable view of shared memory was mapped: protect it where other views have code. */
void mm_code_new_view(const struct vma *v);
/* Writable on the host now, its code forgotten. True when there was code (in [start, end)). */
bool mm_code_write(uint64_t start, uint64_t end);

/* --- mm_access.c -------------------------------------------------------------------------------- */

/* Copy with recovery from faults: how many bytes were not copied. */
size_t mm_asm_copy(void *dst, const void *src, size_t n);

/* --- mm_bulk.c ---------------------------------------------------------------------------------- */

/* Where to go on after a fault at host_pc; 0: it is in none of the routines. */
uint64_t mm_bulk_fixup(uint64_t host_pc);

#endif
