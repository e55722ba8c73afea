/* The calls that change the map: mmap, munmap, mprotect, mremap, shmat, shmdt.
 *
 * Each checks what only the guest's view knows (its range, the host's own places, execute permission,
 * limits), in the order in which the kernel checks, has the kernel do the rest, and mirrors what
 * the kernel did. New ranges are taken by MAP_FIXED_NOREPLACE or over the guest's own mappings, so
 * nothing of the host's is ever overwritten.
 *
 * Locks: every function takes mm_lock; mm.on_code is called after it is released.
 */
#include "process/mm_internal.h"
#include <linux/magic.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define MAP_HOST_ONLY 0xc0 /* MAP_32BIT and MAP_ABOVE4G: no such flags outside x86 */
#ifndef PROT_SEM
#define PROT_SEM 0x8
#endif
#define ST_NOEXEC_BIT 8 /* statfs.f_flags */
#define DEFAULT_HUGE (UINT64_C(2) << 20)

static bool page_align(uint64_t *len)
{
    uint64_t l = (*len + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;

    if (!l || l > GUEST_ADDR_END)
        return false;
    *len = l;
    return true;
}

static uint64_t overlap_pages(uint64_t start, uint64_t end)
{
    uint64_t n = 0;

    for (struct vma_node *v = mm_vma_from(start); v && v->v.start < end; v = mm_vma_from(v->v.end))
        n += ((v->v.end < end ? v->v.end : end) - (v->v.start > start ? v->v.start : start)) /
             GUEST_PAGE_SIZE;
    return n;
}

/* For files that say themselves where they are mapped and refuse any address (io_uring's rings): the kernel
 * chooses, in the first 2 GiB, which are the guest's. */
static int64_t host_chosen(uint64_t len, int prot, int flags, int fd, uint64_t off)
{
    int64_t r = host_call(SYS_mmap, 0, len, prot, flags | MAP_32BIT, fd, off);

    if (r >= 0 && !vma_is_free(&mm.map, (uint64_t)r, len)) {
        host_call(SYS_munmap, (uint64_t)r, len, 0, 0, 0, 0);
        r = -EINVAL;
    }
    return r;
}

/* Have the kernel map at exactly addr. What the guest has there is replaced when `replace`. */
static int64_t host_map(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t off,
                        bool replace)
{
    int64_t r;

    if (replace) {
        r = host_call(SYS_mmap, addr, len, prot, flags | MAP_FIXED, fd, off);
        if (r < 0)
            mm_resync(addr, addr + len);
        return r;
    }
    if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE) {
        /* It allows MAP_FIXED but not MAP_FIXED_NOREPLACE: take the place first. */
        r = host_call(SYS_mmap, addr, len, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (r != (int64_t)addr)
            return r < 0 ? r : -EEXIST;
        r = host_call(SYS_mmap, addr, len, prot, flags | MAP_FIXED, fd, off);
        if (r < 0)
            host_call(SYS_munmap, addr, len, 0, 0, 0, 0);
        return r;
    }
    r = host_call(SYS_mmap, addr, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
    if (r >= 0 && r != (int64_t)addr) {
        /* A kernel that does not know MAP_FIXED_NOREPLACE takes the address for a hint. */
        host_call(SYS_munmap, r, len, 0, 0, 0, 0);
        r = -EEXIST;
    }
    return r;
}

int64_t mm_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t off)
{
    struct vma v = {.prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC)};
    int type = flags & MAP_TYPE, host_flags = flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE);
    bool anon = flags & MAP_ANONYMOUS, fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    bool code = false, replace = false;
    uint64_t align = GUEST_PAGE_SIZE, asked = addr;
    int64_t r;

    if (off & GUEST_PAGE_MASK)
        return -EINVAL;
    if (!anon) {
        struct stat st;
        struct statfs fs;

        if (fstat(fd, &st) || fstatfs(fd, &fs))
            return -EBADF;
        v.dev = st.st_dev;
        v.ino = st.st_ino;
        v.offset = off;
        if (fs.f_flags & ST_NOEXEC_BIT)
            v.flags |= VMA_NOEXEC;
        if (fs.f_type == HUGETLBFS_MAGIC) {
            align = fs.f_bsize;
            len = (len + align - 1) & -align;
            v.flags |= MAP_HUGETLB;
        } else if (flags & MAP_HUGETLB) {
            return -EINVAL;
        }
    } else if (flags & MAP_HUGETLB) {
        unsigned shift = (unsigned)flags >> MAP_HUGE_SHIFT & 63;

        align = shift ? UINT64_C(1) << shift : DEFAULT_HUGE;
        if (align < GUEST_PAGE_SIZE || align > GUEST_ADDR_END / 2)
            return -EINVAL;
        len = (len + align - 1) & -align;
    }
    if (!len)
        return -EINVAL;
    if (!page_align(&len))
        return -ENOMEM;
    if (type == MAP_SHARED_VALIDATE && !anon && (flags & (MAP_HOST_ONLY | MAP_FIXED_NOREPLACE)))
        return -EOPNOTSUPP;
    host_flags &= ~MAP_HOST_ONLY;

    mm_lock();
    if (fixed) {
        if (addr & GUEST_PAGE_MASK) {
            r = -EINVAL;
            goto out;
        }
        if (addr > GUEST_ADDR_END - len) {
            r = -ENOMEM;
            goto out;
        }
        if (addr < mm.lo) {
            r = -EPERM;
            goto out;
        }
        if (mm_touches_host(addr, addr + len)) {
            r = flags & MAP_FIXED_NOREPLACE ? -EEXIST : -ENOMEM;
            goto out;
        }
        mm_sync_stacks(addr, addr + len);
        struct vma_node *n = vma_find(&mm.map, addr);
        replace = n && n->v.start < addr + len;
        if (replace && (flags & MAP_FIXED_NOREPLACE)) {
            r = -EEXIST;
            goto out;
        }
    } else {
        /* Like thp_get_unmapped_area: what can be huge pages begins at one. */
        if (anon && align == GUEST_PAGE_SIZE && !addr && !(len & (DEFAULT_HUGE - 1)))
            align = DEFAULT_HUGE;
        addr = mm_place(addr, len, align);
        if (!addr && align == DEFAULT_HUGE && !(flags & MAP_HUGETLB))
            addr = mm_place(0, len, align = GUEST_PAGE_SIZE);
        if (!addr) {
            r = -ENOMEM;
            goto out;
        }
    }
    if (!anon && (v.flags & VMA_NOEXEC) && (prot & PROT_EXEC)) {
        r = -EPERM;
        goto out;
    }
    if (!mm_may_expand(len / GUEST_PAGE_SIZE - (replace ? overlap_pages(addr, addr + len) : 0),
                       prot, flags)) {
        r = -ENOMEM;
        goto out;
    }
    if (mm.lock_future)
        host_flags |= MAP_LOCKED | (mm.lock_onfault ? MAP_NONBLOCK : 0);
    for (int tries = 0;; tries++) {
        r = host_map(addr, len, mm_host_prot(v.prot), host_flags, fd, off, replace);
        if (r == -EINVAL && !anon && !asked && !fixed) {
            r = host_chosen(len, mm_host_prot(v.prot), host_flags, fd, off);
            if (r >= 0)
                addr = (uint64_t)r;
        }
        if (r != -EEXIST || tries == 3)
            break;
        /* Something of the host's that we did not know. */
        mm_scan_host();
        if (fixed) {
            r = flags & MAP_FIXED_NOREPLACE ? -EEXIST : -ENOMEM;
            break;
        }
        addr = mm_place(0, len, align);
        if (!addr) {
            r = -ENOMEM;
            break;
        }
    }
    if (r < 0)
        goto out;
    code = mm_code_forget(addr, addr + len);
    mm_map_remove(addr, addr + len);
    v.start = addr;
    v.end = addr + len;
    v.flags |= (type == MAP_SHARED_VALIDATE ? MAP_SHARED : type) |
               (flags & (MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_HUGETLB));
    if (anon && type == MAP_SHARED) {
        /* The kernel makes an unnamed file for it; so do we, for its identity. */
        v.dev = (dev_t)-1;
        v.ino = ++mm.next_anon_ino;
    }
    mm_map_add(&v);
    mm_code_new_view(&v);
out:
    mm_unlock();
    if (code)
        mm.on_code(addr, len);
    return r;
}

int64_t mm_munmap(uint64_t addr, uint64_t len)
{
    bool code = false;
    int64_t r = 0;

    if ((addr & GUEST_PAGE_MASK) || addr > GUEST_ADDR_END || len > GUEST_ADDR_END - addr)
        return -EINVAL;
    len = (len + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (!len)
        return -EINVAL;
    mm_lock();
    mm_sync_stacks(addr, addr + len);
    if (!mm_touches_host(addr, addr + len) && mm_vma_from(addr)) {
        r = host_call(SYS_munmap, addr, len, 0, 0, 0, 0);
        if (!r) {
            code = mm_code_forget(addr, addr + len);
            mm_map_remove(addr, addr + len);
        }
    } else {
        struct vma_node *n;
        uint64_t p = addr;

        while (!r && (n = mm_vma_from(p)) && n->v.start < addr + len) {
            uint64_t s = n->v.start > addr ? n->v.start : addr;
            uint64_t e = n->v.end < addr + len ? n->v.end : addr + len;

            r = host_call(SYS_munmap, s, e - s, 0, 0, 0, 0);
            if (!r) {
                code |= mm_code_forget(s, e);
                mm_map_remove(s, e);
            }
            p = e;
        }
    }
    mm_unlock();
    if (code)
        mm.on_code(addr, len);
    return r;
}

int64_t mm_mprotect(uint64_t addr, uint64_t len, int prot)
{
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    struct vma_node *n;
    bool code = false;
    uint64_t start, end;
    int64_t r = 0;

    prot &= ~(PROT_GROWSDOWN | PROT_GROWSUP);
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (addr & GUEST_PAGE_MASK))
        return -EINVAL;
    if (!len)
        return 0;
    len = (len + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    end = addr + len;
    if (end <= addr)
        return -ENOMEM;
    if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    prot &= ~PROT_SEM;
    mm_lock();
    if (end <= GUEST_ADDR_END)
        mm_sync_stacks(addr, end);
    n = mm_vma_from(addr);
    start = addr;
    if (!n) {
        r = -ENOMEM;
    } else if (grows & PROT_GROWSDOWN) {
        if (n->v.start >= end)
            r = -ENOMEM;
        else if (!(n->v.flags & MAP_GROWSDOWN))
            r = -EINVAL;
        else
            start = n->v.start;
    } else if (n->v.start > start) {
        r = -ENOMEM;
    } else if (grows & PROT_GROWSUP) {
        r = -EINVAL;
    }
    /* Piece by piece, as the kernel does: what comes before a hole or a refusal is changed. */
    for (uint64_t p = start; !r && p < end;) {
        n = mm_vma_at(p);
        if (!n) {
            r = -ENOMEM;
            break;
        }
        uint64_t e = n->v.end < end ? n->v.end : end;
        bool has_code = n->v.has_code;

        if ((prot & PROT_EXEC) && (n->v.flags & VMA_NOEXEC)) {
            r = -EACCES;
            break;
        }
        /* RLIMIT_DATA, where the pages begin to count for it. */
        if (!mm_may_expand((e - p) / GUEST_PAGE_SIZE, prot, n->v.flags) &&
            mm_may_expand((e - p) / GUEST_PAGE_SIZE, n->v.prot, n->v.flags)) {
            r = -ENOMEM;
            break;
        }
        if (n->v.prot != prot) {
            r = host_call(SYS_mprotect, p, e - p, mm_host_prot(prot), 0, 0, 0);
            if (r)
                break;
            bool was_view = mm_is_shared(&n->v) && (n->v.prot & PROT_WRITE);
            mm_map_protect(p, e, prot);
            if (has_code && !(prot & PROT_EXEC))
                code |= mm_code_forget(p, e);
            else
                mm_code_reprotect(p, e, prot);
            n = mm_vma_at(p);
            if (!was_view)
                mm_code_new_view(&n->v);
        }
        p = e;
    }
    mm_unlock();
    if (code)
        mm.on_code(start, end - start);
    return r;
}

/* --- mremap ---------------------------------------------------------------------------------------- */

struct moved {
    bool old_code, new_code; /* code was forgotten there */
};

/* Move [old, old+oldlen), which lies within one vma, to exactly `new` with length newlen, replacing what
 * the guest has there. Without oldlen: another view of the shared page at old. */
static int64_t move(uint64_t old, uint64_t oldlen, uint64_t new, uint64_t newlen, int flags,
                    struct moved *m)
{
    struct vma v = vma_at(&mm.map, old)->v;
    struct vma_node *n = vma_find(&mm.map, new);
    bool reserve = !n || n->v.start >= new + newlen;
    int64_t r;

    if (reserve) {
        /* MREMAP_FIXED would overwrite: take the place in a way that cannot. */
        r = host_call(SYS_mmap, new, newlen, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (r != (int64_t) new) {
            if (r == -EEXIST)
                mm_scan_host();
            return -ENOMEM;
        }
    }
    mm_code_unprotect(old, old + oldlen);
    r = host_call(SYS_mremap, old, oldlen, newlen, flags | MREMAP_FIXED | MREMAP_MAYMOVE, new, 0);
    if (r < 0) {
        if (reserve)
            host_call(SYS_munmap, new, newlen, 0, 0, 0, 0);
        else
            mm_resync(new, new + newlen);
        /* With a length to cut off the kernel does that first. */
        mm_resync(old, old + oldlen);
        mm_code_reprotect(old, old + oldlen, -1);
        return r;
    }
    if (oldlen)
        m->old_code |= mm_code_forget(old, old + oldlen);
    m->new_code |= mm_code_forget(new, new + newlen);
    if (v.ino)
        v.offset += old - v.start;
    v.start = new;
    v.end = new + newlen;
    v.has_code = false;
    if (oldlen && !(flags & MREMAP_DONTUNMAP))
        mm_map_remove(old, old + oldlen);
    else if (newlen < oldlen)
        mm_map_remove(old + newlen, old + oldlen);
    mm_map_remove(new, new + newlen);
    mm_map_add(&v);
    mm_code_new_view(&v);
    return r;
}

/* Does the host's kernel move several vmas in one call (since Linux 6.17)? Found out when first asked. */
static bool moves_many(void)
{
    static int known; /* under mm_lock */

    if (!known) {
        int64_t p = host_call(SYS_mmap, 0, 4 * GUEST_PAGE_SIZE, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p < 0)
            return false;
        host_call(SYS_mprotect, p, GUEST_PAGE_SIZE, PROT_READ, 0, 0, 0);
        int64_t r = host_call(SYS_mremap, p, 2 * GUEST_PAGE_SIZE, 2 * GUEST_PAGE_SIZE,
                              MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * GUEST_PAGE_SIZE, 0);
        known = r < 0 ? -1 : 1;
        host_call(SYS_munmap, p, 4 * GUEST_PAGE_SIZE, 0, 0, 0, 0);
    }
    return known > 0;
}

/* Move all vmas of [old, old+len) to new, the gaps between them kept (what is there stays). */
static int64_t move_all(uint64_t old, uint64_t len, uint64_t new, int flags, struct moved *m)
{
    struct vma_node *n;
    int64_t r = 0;

    for (uint64_t p = old, e; !r && p < old + len && (n = mm_vma_from(p)); p = e) {
        if (n->v.start > p)
            p = n->v.start;
        e = n->v.end < old + len ? n->v.end : old + len;
        if (p >= old + len)
            break;
        r = move(p, e - p, new + (p - old), e - p, flags, m);
        if (r > 0)
            r = 0;
    }
    return r ? r : (int64_t) new;
}

/* Shrink or grow the vma n where it is. -ENOMEM: there is no room. */
static int64_t resize(struct vma_node *n, uint64_t old, uint64_t oldlen, uint64_t newlen,
                      struct moved *m)
{
    struct vma v = n->v;
    int64_t r = -ENOMEM;

    mm_code_unprotect(old, old + oldlen);
    if (newlen <= oldlen) {
        r = host_call(SYS_mremap, old, oldlen, newlen, 0, 0, 0);
        if (r >= 0) {
            m->old_code = mm_code_forget(old + newlen, old + oldlen);
            mm_map_remove(old + newlen, old + oldlen);
            oldlen = newlen;
        }
    } else if (v.end == old + oldlen && newlen <= GUEST_ADDR_END - old) {
        mm_sync_stacks(v.end, old + newlen);
        if (vma_is_free(&mm.map, v.end, newlen - oldlen))
            r = host_call(SYS_mremap, old, oldlen, newlen, 0, 0, 0);
        if (r >= 0) {
            v.has_code = false;
            if (v.ino)
                v.offset += v.end - v.start;
            v.start = old + oldlen;
            v.end = old + newlen;
            mm_map_add(&v);
            mm_code_new_view(&v);
        }
    }
    mm_code_reprotect(old, old + oldlen, -1);
    return r;
}

static int64_t mremap_locked(uint64_t old, uint64_t oldlen, uint64_t newlen, int flags,
                             uint64_t *newaddr, struct moved *m)
{
    bool fixed = flags & MREMAP_FIXED, dontunmap = flags & MREMAP_DONTUNMAP;
    uint64_t align = GUEST_PAGE_SIZE;
    struct vma_node *n;
    int64_t r;

    if (old >= GUEST_ADDR_END)
        return -EFAULT;
    mm_sync_stacks(old, old + oldlen);
    n = mm_vma_at(old);
    if (!n)
        return -EFAULT;
    if (n->v.flags & MAP_HUGETLB)
        align = DEFAULT_HUGE;
    if (!oldlen && !mm_is_shared(&n->v))
        return -EINVAL;
    if (fixed) {
        if (*newaddr < mm.lo)
            return -EPERM;
        if (mm_touches_host(*newaddr, *newaddr + newlen))
            return -ENOMEM;
        mm_sync_stacks(*newaddr, *newaddr + newlen);
        /* A pure move takes any number of vmas, where the kernel does that. */
        if (oldlen == newlen && old + oldlen > n->v.end)
            return old + oldlen > GUEST_ADDR_END || !moves_many()
                       ? -EFAULT
                       : move_all(old, oldlen, *newaddr, flags, m);
    }
    /* Shrinking in place takes any number as well; what is moved or grown lies in one. */
    if (newlen > oldlen || fixed || dontunmap) {
        uint64_t need = newlen < oldlen ? newlen : oldlen;
        if (need > n->v.end - old)
            return -EFAULT;
    }
    if (newlen > oldlen &&
        (newlen > GUEST_ADDR_END ||
         !mm_may_expand((newlen - oldlen) / GUEST_PAGE_SIZE, n->v.prot, n->v.flags)))
        return -ENOMEM;
    if (!fixed && !dontunmap) {
        if (newlen <= oldlen && oldlen > GUEST_ADDR_END - old)
            return -EINVAL;
        r = oldlen ? resize(n, old, oldlen, newlen, m) : -ENOMEM;
        if (r != -ENOMEM || !(flags & MREMAP_MAYMOVE))
            return r;
    }
    if (!fixed) {
        /* Without MREMAP_FIXED, MREMAP_DONTUNMAP takes newaddr as a hint. */
        *newaddr = mm_place(dontunmap ? *newaddr : 0, newlen, align);
        if (!*newaddr)
            return -ENOMEM;
    }
    if (newlen < oldlen) {
        /* The kernel unmaps the rest first, whatever it consists of. */
        r = host_call(SYS_munmap, old + newlen, oldlen - newlen, 0, 0, 0, 0);
        if (r)
            return r;
        m->old_code |= mm_code_forget(old + newlen, old + oldlen);
        mm_map_remove(old + newlen, old + oldlen);
        oldlen = newlen;
    }
    return move(old, oldlen, *newaddr, newlen, flags & MREMAP_DONTUNMAP, m);
}

int64_t mm_mremap(uint64_t old, uint64_t oldlen, uint64_t newlen, int flags, uint64_t newaddr)
{
    bool fixed = flags & MREMAP_FIXED, dontunmap = flags & MREMAP_DONTUNMAP;
    struct moved m = {false, false};
    uint64_t asked = oldlen;
    int64_t r;

    if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((fixed || dontunmap) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if (old & GUEST_PAGE_MASK)
        return -EINVAL;
    oldlen = (oldlen + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    newlen = (newlen + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (!newlen || (asked && !oldlen) || (dontunmap && oldlen != newlen))
        return -EINVAL;
    if (newlen > GUEST_ADDR_END || oldlen > GUEST_ADDR_END)
        return fixed ? -EINVAL : newlen > oldlen ? -ENOMEM : -EINVAL;
    if (fixed && ((newaddr & GUEST_PAGE_MASK) || newaddr > GUEST_ADDR_END - newlen ||
                  (old + oldlen > newaddr && newaddr + newlen > old)))
        return -EINVAL;
    mm_lock();
    r = mremap_locked(old, oldlen, newlen, flags, &newaddr, &m);
    mm_unlock();
    if (m.old_code)
        mm.on_code(old, oldlen);
    if (m.new_code)
        mm.on_code(newaddr, newlen);
    return r;
}

/* --- System V shared memory -------------------------------------------------------------------------- */

int64_t mm_shmat(int shmid, uint64_t addr, int flags)
{
    struct vma v = {.flags = MAP_SHARED | VMA_SHM, .dev = (dev_t)-2};
    struct shmid_ds ds;
    bool code = false;
    uint64_t len;
    int64_t r;

    if (shmid < 0)
        return -EINVAL;
    if (addr & GUEST_PAGE_MASK) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        addr &= ~GUEST_PAGE_MASK;
        if (!addr && (flags & SHM_REMAP))
            return -EINVAL;
    } else if (!addr && (flags & SHM_REMAP)) {
        return -EINVAL;
    }
    if (shmctl(shmid, IPC_STAT, &ds))
        return -errno;
    len = (ds.shm_segsz + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    v.prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    v.ino = (ino_t)shmid + 1;
    mm_lock();
    if (addr) {
        if (addr < mm.lo) {
            r = -EPERM;
            goto out;
        }
        if (!mm_in_range(addr, len) || mm_touches_host(addr, addr + len)) {
            r = flags & SHM_REMAP ? -ENOMEM : -EINVAL;
            goto out;
        }
        mm_sync_stacks(addr, addr + len);
    } else {
        addr = mm_place(0, len, GUEST_PAGE_SIZE);
        if (!addr) {
            r = -ENOMEM;
            goto out;
        }
    }
    if (!mm_may_expand(len / GUEST_PAGE_SIZE, v.prot, v.flags)) {
        r = -ENOMEM;
        goto out;
    }
    r = host_call(SYS_shmat, shmid, addr, flags & (SHM_RDONLY | SHM_REMAP), 0, 0, 0);
    if (r < 0)
        goto out;
    code = mm_code_forget(addr, addr + len);
    mm_map_remove(addr, addr + len);
    v.start = addr;
    v.end = addr + len;
    mm_map_add(&v);
    mm_code_new_view(&v);
out:
    mm_unlock();
    if (code)
        mm.on_code(addr, len);
    return r;
}

int64_t mm_shmdt(uint64_t addr)
{
    struct vma_node *n;
    uint64_t end = addr;
    bool code = false, found = false;
    int64_t r = -EINVAL;

    if ((addr & GUEST_PAGE_MASK) || addr >= GUEST_ADDR_END)
        return -EINVAL;
    mm_lock();
    /* Its pieces all lie at their own offset from addr; the first may be gone. */
    n = mm_vma_from(addr);
    while (n && !((n->v.flags & VMA_SHM) && n->v.start - n->v.offset == addr)) {
        if (n->v.start - addr > (UINT64_C(1) << 42))
            break;
        n = mm_vma_from(n->v.end);
    }
    if (n && (n->v.flags & VMA_SHM) && n->v.start - n->v.offset == addr)
        r = host_call(SYS_shmdt, addr, 0, 0, 0, 0, 0);
    if (!r) {
        ino_t id = n->v.ino;

        for (; n; n = mm_vma_from(end)) {
            end = n->v.end;
            if (!(n->v.flags & VMA_SHM) || n->v.ino != id || n->v.start - n->v.offset != addr) {
                if (found)
                    break;
                continue;
            }
            found = true;
            uint64_t s = n->v.start;
            code |= mm_code_forget(s, end);
            mm_map_remove(s, end);
        }
    }
    mm_unlock();
    if (code)
        mm.on_code(addr, end - addr);
    return r;
}

/* --- mappings that the kernel makes by itself ------------------------------------------------------------ */

int64_t mm_adopt(uint64_t host, uint64_t len, int prot)
{
    struct vma v = {.prot = prot, .flags = MAP_SHARED};
    int64_t r = -ENOMEM;

    mm_lock();
    if (page_align(&len) && (v.start = mm_place(0, len, GUEST_PAGE_SIZE)) != 0)
        /* Over a place that is taken in a way that cannot overwrite. */
        r = host_map(v.start, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0,
                     false);
    if (r >= 0) {
        r = host_call(SYS_mremap, host, len, len, MREMAP_FIXED | MREMAP_MAYMOVE, v.start, 0);
        if (r < 0) {
            host_call(SYS_munmap, v.start, len, 0, 0, 0, 0);
        } else {
            v.end = v.start + len;
            v.dev = (dev_t)-1; /* so that it stays a vma of its own */
            v.ino = ++mm.next_anon_ino;
            mm_map_add(&v);
        }
    }
    mm_unlock();
    return r;
}

void mm_abandon(uint64_t addr)
{
    mm_lock();
    struct vma_node *n = mm_vma_at(addr);
    if (n)
        mm_map_remove(n->v.start, n->v.end);
    mm_unlock();
}
