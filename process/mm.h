/* The guest's address space.
 *
 * Owns: the vma map of the process, every mapping operation with Linux's semantics for the guest,
 * safe access to guest memory from the runtime, and the protection of pages that hold translated code.
 *
 * Guest address = host address (base 0). The guest lives in [mm.lo, GUEST_ADDR_END); the runtime's
 * own mappings lie above, are never in the map and never reached by an operation here. A host page
 * has the guest's protection, except that execute permission is kept in the vma only (PROT_EXEC without
 * PROT_READ is readable on the host) and that writable pages that hold lifted code are read-only on
 * the host until written.
 *
 * Results: an address or 0 on success, -errno as the kernel would give (as int64_t).
 *
 * Threading: every function is safe to call from any thread; one lock (mm_lock), which is never held
 * while guest code runs and is never taken in signal context, except by mm_fault_fixup, see there.
 */
#ifndef DRAGOMAN_PROCESS_MM_H
#define DRAGOMAN_PROCESS_MM_H

#include "uop/cpu.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define GUEST_PAGE_SIZE UINT64_C(4096)
#define GUEST_PAGE_MASK (GUEST_PAGE_SIZE - 1)

struct vma {
    uint64_t start, end; /* page-aligned, [start, end) */
    int prot;            /* PROT_* as the guest asked */
    int flags;           /* MAP_SHARED/PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_NORESERVE ... */
    uint64_t offset;     /* file offset of start */
    dev_t dev;
    ino_t ino;        /* 0 for anonymous */
    const char *name; /* "[heap]", "[stack]", "[vdso]" or NULL. Paths of files are
                       * only in mm_maps_text, which asks the kernel. */
    bool has_code;    /* some page of it has lifted code */
};

/* Called under no lock when guest code in [addr, addr+len) is no longer what was lifted. */
typedef void mm_code_changed(uint64_t addr, uint64_t len);

/* Set up the map; pages with execute but no read permission are readable here. random: guest ASLR on. on_code may be called from any thread outside the engines. */
void mm_init(bool random, mm_code_changed *on_code);

/* The mapping calls, arguments as the guest passed them. */
int64_t mm_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t off);
int64_t mm_munmap(uint64_t addr, uint64_t len);
int64_t mm_mprotect(uint64_t addr, uint64_t len, int prot);
int64_t mm_mremap(uint64_t old, uint64_t oldlen, uint64_t newlen, int flags, uint64_t newaddr);
int64_t mm_madvise(uint64_t addr, uint64_t len, int advice);
int64_t mm_msync(uint64_t addr, uint64_t len, int flags);
int64_t mm_mincore(uint64_t addr, uint64_t len, uint64_t vec);
int64_t mm_mlock(uint64_t addr, uint64_t len, int flags); /* mlock2 */
int64_t mm_munlock(uint64_t addr, uint64_t len);
int64_t mm_mlockall(int flags);
int64_t mm_munlockall(void);
int64_t mm_brk(uint64_t brk);
int64_t mm_shmat(int shmid, uint64_t addr, int flags);
int64_t mm_shmdt(uint64_t addr);
/* The kernel has mapped [host, host+len) for the guest where it liked: move it into the guest's range. Its
 * address there, or -errno and nothing has changed. mm_abandon: the kernel has unmapped what is there. */
int64_t mm_adopt(uint64_t host, uint64_t len, int prot);
void mm_abandon(uint64_t addr);
/* The loader's: set where brk begins; name a mapping made by mm_mmap ("[stack]"), by a string that
 * lives as long as the process. */
void mm_set_brk(uint64_t start);
void mm_get_brk(uint64_t *start, uint64_t *end);
void mm_set_name(uint64_t addr, const char *name);
/* Random placement for a PIE / interpreter / stack, honouring ASLR. */
uint64_t mm_pie_base(uint64_t len);
uint64_t mm_stack_top(void);

/* Where, at addr or above, the next thing of the host's begins (addr itself, within one), or
 * GUEST_ADDR_END: usually there is none in the guest's range. */
extern unsigned mm_host_places;
uint64_t mm_next_host(uint64_t addr);

/* Is [addr, addr+len) inside the guest's address range at all (mapped or not), and nothing of it the host's? */
static inline bool mm_in_range(uint64_t addr, uint64_t len)
{
    return addr < GUEST_ADDR_END && len <= GUEST_ADDR_END - addr &&
           (__builtin_expect(!mm_host_places, 1) || mm_next_host(addr) - addr >= len);
}

/* An address that a system call was given: without its tag, for a thread that asked for that
 * (PR_SET_TAGGED_ADDR_CTRL). The access functions below do it by themselves. */
uint64_t mm_user_tagged(uint64_t addr);
static inline uint64_t mm_user(uint64_t addr)
{
    return __builtin_expect(addr < GUEST_ADDR_END, 1) ? addr : mm_user_tagged(addr);
}

/* The host pointer for a guest address. Do not dereference: pass to the kernel, after mm_in_range. */
static inline void *mm_g2h(uint64_t addr)
{
    return (void *)(uintptr_t)addr;
}

/* Fault-safe access. 0 or -EFAULT; nothing or a prefix is transferred on failure. Writing to a page
 * with lifted code invalidates it. */
int mm_read(void *dst, uint64_t addr, size_t len);
int mm_write(uint64_t addr, const void *src, size_t len);
/* Copy a NUL-terminated string into buf: its length without the NUL, -EFAULT, or -ENAMETOOLONG when
 * it does not fit size. */
ssize_t mm_read_str(char *buf, size_t size, uint64_t addr);
int mm_read_u32(uint64_t addr, uint32_t *v);
int mm_read_u64(uint64_t addr, uint64_t *v);
int mm_write_u32(uint64_t addr, uint32_t v);
int mm_write_u64(uint64_t addr, uint64_t v);
/* Write `to` where `from` is found, atomically; addr is a multiple of 8. 0 also when something else was found. */
int mm_cas_u64(uint64_t addr, uint64_t from, uint64_t to);

/* One step of the micro-ops copy_step and fill_step (uop/uop.def), for the engines: what is left, in and out. False: it faulted,
 * and nothing was changed. The routines themselves are for translated code (process/mm_bulk.c says how they are called). */
bool mm_copy_step(uint64_t to, uint64_t from, int64_t *left);
bool mm_fill_step(uint64_t to, uint64_t data, int64_t *left);
extern const char mm_asm_copy_step[], mm_asm_fill_step[];

/* For the host's SIGSEGV and SIGBUS handlers, in signal context: when host_pc is an access function's
 * access to guest memory, where to go on so that the function returns -EFAULT (after mm_fault_fixup has
 * said no; SIGBUS goes there at once). 0: not one of ours. */
uint64_t mm_access_fixup(uint64_t host_pc);

/* Before the kernel writes to guest memory [addr, addr+len) on our behalf: code in it is invalidated and its
 * pages made writable on the host, so that the kernel sees the guest's protection. Out of range: -EFAULT.
 * Cheap when there is no writable code page in the process. */
int mm_prepare_write(uint64_t addr, uint64_t len);
int mm_prepare_write_iov(const struct iovec *iov, int n);

/* Instruction fetch: copies the bytes from pc on that are mapped executable (at most max) into buf
 * and returns how many; 0 with *fault filled when not even one. Stops at the end of the page when at
 * least MM_FETCH_MIN bytes come before it, so that a block touches a second page only by its last
 * instructions. The pages are noted as holding code: writable ones become read-only on the host.
 * After the block made of the bytes can be found by cc_invalidate, mm_code_lifted(&token) says
 * whether nobody wrote in between; if it is false the block must be invalidated and lifted anew. */
#define MM_FETCH_MIN 16
struct mm_fetch_token {
    uint64_t pc, len;
    uint64_t generation; /* of code changes, when the bytes were copied */
};
size_t mm_fetch(uint64_t pc, void *buf, size_t max, struct mm_fetch_token *token,
                struct cpu_fault *fault);
bool mm_code_lifted(const struct mm_fetch_token *token);

/* Does [pc, pc+len) touch a page that is written so often that it is no longer protected? A block
 * from there must keep a copy of its bytes, compare it with memory each time it is entered, and when they
 * differ be invalidated and lifted anew. Ask after mm_fetch and before inserting. When a page becomes
 * hot its earlier blocks are invalidated as by any write. */
bool mm_page_is_hot_written(uint64_t pc, uint64_t len);
/* Code that has accessed memory by tagged addresses, by page of code: noted by set, asked for when its bytes are
 * lifted. Forgotten when the page is. */
void mm_page_set_tags(uint64_t pc);
bool mm_page_has_tags(uint64_t pc, uint64_t len);

/* A host SIGSEGV at guest address addr happened in guest code or in an access function. Decides,
 * in signal context: true when the page was read-only only because it holds lifted code, and is
 * writable now (retry; the invalidation itself is queued, see mm_code_dirty), or when a
 * grows-down stack was extended. False: the guest's fault, *fault filled (MAPERR or ACCERR). */
bool mm_fault_fixup(uint64_t addr, bool write, struct cpu_fault *fault);
/* Is code-change work queued by mm_fault_fixup? The run loop calls mm_run_dirty outside the engines. */
bool mm_code_dirty(void);
void mm_run_dirty(void);

/* Find the vma that holds addr; copies it out. */
bool mm_find(uint64_t addr, struct vma *out);
/* Visit all in order, under the lock. */
void mm_for_each(int (*fn)(const struct vma *v, void *arg), void *arg);
/* /proc/self/maps as the guest shall see it: allocated text, *len bytes; caller frees. */
char *mm_maps_text(size_t *len);

/* The guest's RLIMIT_AS and RLIMIT_DATA, in bytes (UINT64_MAX: none). They count the guest's memory
 * alone, so they must not be set on the host, where the runtime's memory counts too. */
void mm_set_limits(uint64_t as, uint64_t data);

struct mm_stats {
    uint64_t vmas, total_pages, code_pages, protected_pages, hot_pages, write_traps;
};
void mm_get_stats(struct mm_stats *s);
/* Verify the map's invariants: NULL, or what is broken. */
const char *mm_check(void);

/* Fork: hold the lock across fork so that the child's map is whole. */
void mm_fork_begin(void);
void mm_fork_end(bool child);

#endif
