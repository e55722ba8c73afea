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

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#define MAP_HOST_ONLY 0xc0 /* MAP_32BIT and MAP_ABOVE4G: no such flags outside x86 */
#ifndef PROT_SEM
#define PROT_SEM 0x8
#endif
#define ST_NOEXEC_BIT 8    /* statfs.f_flags */
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

/* Have the kernel map at exactly addr. What the guest has there is replaced when `replace`. */
static int64_t host_map(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t off,
                        bool replace)
{
    int64_t r;

    if (replace) {
        r = mm_host_call(SYS_mmap, addr, len, prot, flags | MAP_FIXED, fd, off);
        if (r < 0)
            mm_resync(addr, addr + len);
        return r;
    }
    r = mm_host_call(SYS_mmap, addr, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
    if (r >= 0 && r != (int64_t)addr) {
        /* A kernel that does not know MAP_FIXED_NOREPLACE takes the address for a hint. */
        mm_host_call(SYS_munmap, r, len, 0, 0, 0, 0);
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
    uint64_t align = GUEST_PAGE_SIZE;
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
    if (type == MAP_SHARED_VALIDATE && !anon && (flags & MAP_HOST_ONLY))
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
        r = mm_host_call(SYS_munmap, addr, len, 0, 0, 0, 0);
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

            r = mm_host_call(SYS_munmap, s, e - s, 0, 0, 0, 0);
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
        if ((prot & PROT_WRITE) && !(n->v.prot & PROT_WRITE) &&
            (n->v.flags & MAP_TYPE) == MAP_PRIVATE && !mm_may_expand(0, prot, n->v.flags)) {
            r = -ENOMEM;
            break;
        }
        if (n->v.prot != prot) {
            r = mm_host_call(SYS_mprotect, p, e - p, mm_host_prot(prot), 0, 0, 0);
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

/* Mirror a move of [old, old+len) to new with the new length. Keeps the old range's vmas if keep. */
static void mirror_move(uint64_t old, uint64_t oldlen, uint64_t new, uint64_t newlen, bool keep)
{
    struct vma pieces[16];
    unsigned n = 0;
    uint64_t span = oldlen ? oldlen : GUEST_PAGE_SIZE;

    for (struct vma_node *v = mm_vma_from(old); v && v->v.start < old + span && n < 16;
         v = mm_vma_from(v->v.end)) {
        struct vma *p = &pieces[n++];

        *p = v->v;
        p->has_code = false;
        if (p->start < old) {
            if (p->ino)
                p->offset += old - p->start;
            p->start = old;
        }
        if (p->end > old + span)
            p->end = old + span;
    }
    if (!keep && oldlen)
        mm_map_remove(old, old + oldlen);
    mm_map_remove(new, new + newlen);
    for (unsigned i = 0; i < n; i++) {
        struct vma *p = &pieces[i];
        uint64_t at = p->start - old + new;

        if (at >= new + newlen)
            break;
        p->end = i == n - 1 ? new + newlen : p->end - old + new;
        p->start = at;
        mm_map_add(p);
        mm_code_new_view(p);
    }
}

int64_t mm_mremap(uint64_t old, uint64_t oldlen, uint64_t newlen, int flags, uint64_t newaddr)
{
    bool fixed = flags & MREMAP_FIXED, dontunmap = flags & MREMAP_DONTUNMAP;
    bool may_move = flags & MREMAP_MAYMOVE, code_old = false, code_new = false;
    struct vma_node *n, *last;
    uint64_t align = GUEST_PAGE_SIZE, asked = oldlen;
    int64_t r;

    if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((fixed || dontunmap) && !may_move)
        return -EINVAL;
    if (dontunmap && oldlen != newlen)
        return -EINVAL;
    if (old & GUEST_PAGE_MASK)
        return -EINVAL;
    oldlen = (oldlen + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    newlen = (newlen + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (!newlen || (asked && !oldlen))
        return -EINVAL;
    if (fixed) {
        if ((newaddr & GUEST_PAGE_MASK) || newlen > GUEST_ADDR_END ||
            newaddr > GUEST_ADDR_END - newlen)
            return -EINVAL;
        if (old + oldlen > newaddr && newaddr + newlen > old)
            return -EINVAL;
    }
    mm_lock();
    if (old >= GUEST_ADDR_END || oldlen > GUEST_ADDR_END - old) {
        r = old < GUEST_ADDR_END && mm_vma_at(old) && newlen > oldlen ? -EFAULT : -EFAULT;
        goto out;
    }
    mm_sync_stacks(old, old + oldlen);
    n = mm_vma_at(old);
    if (!n) {
        r = -EFAULT;
        goto out;
    }
    if (n->v.flags & MAP_HUGETLB)
        align = DEFAULT_HUGE;
    if (!oldlen && !mm_is_shared(&n->v)) {
        r = -EINVAL;
        goto out;
    }
    /* Shrinking works over any vmas; the rest needs one, but a pure move where the kernel allows it. */
    if (newlen > oldlen || (oldlen == newlen && may_move && !fixed) ||
        (fixed && oldlen != newlen)) {
        uint64_t need = fixed && newlen < oldlen ? newlen : oldlen;
        if (old + need > n->v.end) {
            r = -EFAULT;
            goto out;
        }
    }
    if (newlen > oldlen &&
        (newlen > GUEST_ADDR_END ||
         !mm_may_expand((newlen - oldlen) / GUEST_PAGE_SIZE, n->v.prot, n->v.flags))) {
        r = -ENOMEM;
        goto out;
    }
    mm_code_unprotect(old, old + oldlen);
    if (!fixed && !dontunmap) {
        if (oldlen && newlen <= oldlen) {
            r = mm_host_call(SYS_mremap, old, oldlen, newlen, 0, 0, 0);
            if (r >= 0) {
                code_old = mm_code_forget(old + newlen, old + oldlen);
                mm_map_remove(old + newlen, old + oldlen);
            }
            mm_code_reprotect(old, old + newlen, -1);
            goto out;
        }
        /* In place, when the vma ends there and what follows is free. */
        r = -ENOMEM;
        if (oldlen && n->v.end == old + oldlen && newlen <= GUEST_ADDR_END - old) {
            mm_sync_stacks(n->v.end, old + newlen);
            if (vma_is_free(&mm.map, n->v.end, newlen - oldlen))
                r = mm_host_call(SYS_mremap, old, oldlen, newlen, 0, 0, 0);
        }
        if (r >= 0) {
            struct vma v = n->v;

            v.has_code = false;
            if (v.ino)
                v.offset += v.end - v.start;
            v.start = old + oldlen;
            v.end = old + newlen;
            mm_map_add(&v);
            mm_code_new_view(&v);
            mm_code_reprotect(old, old + oldlen, -1);
            goto out;
        }
        if (r != -ENOMEM || !may_move) {
            mm_code_reprotect(old, old + oldlen, -1);
            goto out;
        }
    }
    if (fixed) {
        if (newaddr < mm.lo) {
            r = -EPERM;
            goto undo;
        }
        if (mm_touches_host(newaddr, newaddr + newlen)) {
            r = -ENOMEM;
            goto undo;
        }
        mm_sync_stacks(newaddr, newaddr + newlen);
    } else {
        /* Without MREMAP_FIXED, MREMAP_DONTUNMAP takes newaddr as a hint. */
        newaddr = mm_place(dontunmap ? newaddr : 0, newlen, align);
        if (!newaddr) {
            r = -ENOMEM;
            goto undo;
        }
    }
    last = vma_find(&mm.map, newaddr);
    if (!last || last->v.start >= newaddr + newlen) {
        /* MREMAP_FIXED would overwrite: take the place in a way that cannot. */
        r = mm_host_call(SYS_mmap, newaddr, newlen, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (r != (int64_t)newaddr) {
            if (r == -EEXIST)
                mm_scan_host();
            r = -ENOMEM;
            goto undo;
        }
        r = mm_host_call(SYS_mremap, old, oldlen, newlen, flags | MREMAP_FIXED | MREMAP_MAYMOVE,
                         newaddr, 0);
        if (r < 0)
            mm_host_call(SYS_munmap, newaddr, newlen, 0, 0, 0, 0);
    } else {
        r = mm_host_call(SYS_mremap, old, oldlen, newlen, flags | MREMAP_FIXED | MREMAP_MAYMOVE,
                         newaddr, 0);
        if (r < 0)
            mm_resync(newaddr, newaddr + newlen);
    }
    if (r >= 0) {
        code_old = oldlen && mm_code_forget(old, old + oldlen);
        code_new = mm_code_forget(newaddr, newaddr + newlen);
        mirror_move(old, oldlen, newaddr, newlen, dontunmap || !oldlen);
    } else {
        mm_resync(old, old + oldlen);
    }
undo:
    if (r < 0)
        mm_code_reprotect(old, old + oldlen, -1);
out:
    mm_unlock();
    if (code_old)
        mm.on_code(old, oldlen);
    if (code_new)
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
    r = mm_host_call(SYS_shmat, shmid, addr, flags & (SHM_RDONLY | SHM_REMAP), 0, 0, 0);
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
        r = mm_host_call(SYS_shmdt, addr, 0, 0, 0, 0, 0);
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
