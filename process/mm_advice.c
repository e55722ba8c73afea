/* The calls that do not change the map: madvise, msync, mincore, mlock and its kin.
 *
 * The kernel knows all about them; here the guest's range is cut out of what is asked for, so that
 * an address above it is a hole, as beyond TASK_SIZE.
 *
 * Locks: mm_lock where pages that hold code are concerned or the map is walked; never across a call
 * that may wait for a device.
 */
#include "process/mm_internal.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* Round [addr, addr+len) to pages. 0 and *end, or the error: EINVAL for the alignment when `strict`. */
static int round_range(uint64_t *addr, uint64_t len, bool strict, int overflow, uint64_t *end)
{
    if (strict) {
        if (*addr & GUEST_PAGE_MASK)
            return -EINVAL;
    } else {
        len += *addr & GUEST_PAGE_MASK;
        *addr &= ~GUEST_PAGE_MASK;
    }
    uint64_t l = (len + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;

    if (len && !l)
        return overflow;
    *end = *addr + l;
    return *end < *addr ? overflow : 0;
}

/* Run a host call (start, len, arg) over the guest's part of [start, end); what lies above it is a
 * hole: -ENOMEM at last. The host's own places are skipped, as holes too. */
static int64_t over_range(long nr, uint64_t start, uint64_t end, uint64_t arg)
{
    uint64_t stop = end < GUEST_ADDR_END ? end : GUEST_ADDR_END, p = start;
    bool hole = end > GUEST_ADDR_END;
    int64_t r = 0;

    if (start >= GUEST_ADDR_END)
        return end > start ? -ENOMEM : host_call(nr, 0, 0, arg, 0, 0, 0);
    while (p < stop || p == end) {
        uint64_t e = stop;

        if (mm.nhost) {
            mm_lock();
            struct vma_node *n = vma_find(&mm.map, p);
            while (n && n->v.start < stop && !(n->v.flags & VMA_HOST))
                n = vma_next(&mm.map, n);
            if (n && n->v.start < stop && (n->v.flags & VMA_HOST)) {
                hole = true;
                if (n->v.start <= p) {
                    p = n->v.end;
                    mm_unlock();
                    if (p >= stop)
                        break;
                    continue;
                }
                e = n->v.start;
            }
            mm_unlock();
        }
        r = host_call(nr, p, e - p, arg, 0, 0, 0);
        if (r == -ENOMEM && e < stop)
            hole = true;
        else if (r)
            return r;
        if (e == stop)
            break;
        p = e;
    }
    return hole ? -ENOMEM : r;
}

int64_t mm_madvise(uint64_t addr, uint64_t len, int advice)
{
    uint64_t end;
    bool code = false;
    int64_t r = round_range(&addr, len, true, -EINVAL, &end);

    if (r)
        return r;
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
#ifdef MADV_DONTNEED_LOCKED
    case MADV_DONTNEED_LOCKED:
#endif
    case 102: /* MADV_GUARD_INSTALL */
        /* The contents change. The pages get the guest's protection back first. */
        if (addr < GUEST_ADDR_END) {
            uint64_t stop = end < GUEST_ADDR_END ? end : GUEST_ADDR_END;

            mm_lock();
            mm_code_unprotect(addr, stop);
            code = mm_code_forget(addr, stop);
            mm_unlock();
        }
        r = over_range(SYS_madvise, addr, end, advice);
        if (code)
            mm.on_code(addr, end - addr);
        return r;
    default:
        return over_range(SYS_madvise, addr, end, advice);
    }
}

int64_t mm_msync(uint64_t addr, uint64_t len, int flags)
{
    uint64_t end;
    int64_t r;

    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    r = round_range(&addr, len, true, -ENOMEM, &end);
    if (r || addr == end)
        return r;
    return over_range(SYS_msync, addr, end, flags);
}

int64_t mm_mincore(uint64_t addr, uint64_t len, uint64_t vec)
{
    uint64_t pages = len / GUEST_PAGE_SIZE + ((len & GUEST_PAGE_MASK) != 0);

    if (addr & GUEST_PAGE_MASK)
        return -EINVAL;
    if (!mm_in_range(addr, len))
        return -ENOMEM;
    vec = mm_user(vec);
    if (!mm_in_range(vec, pages) || mm_prepare_write(vec, pages))
        return -EFAULT;
    return host_call(SYS_mincore, addr, len, vec, 0, 0, 0);
}

int64_t mm_mlock(uint64_t addr, uint64_t len, int flags)
{
    uint64_t end;
    int64_t r;

    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    r = round_range(&addr, len, false, -EINVAL, &end);
    return r ? r : over_range(flags ? SYS_mlock2 : SYS_mlock, addr, end, flags);
}

int64_t mm_munlock(uint64_t addr, uint64_t len)
{
    uint64_t end;
    int64_t r = round_range(&addr, len, false, -EINVAL, &end);

    return r ? r : over_range(SYS_munlock, addr, end, 0);
}

int64_t mm_mlockall(int flags)
{
    uint64_t p = 0, start;
    int64_t r;

    if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    /* May this process lock anything at all? The kernel says EPERM or ENOMEM for us. */
    mm_lock();
    mm.lock_future = flags & MCL_FUTURE;
    mm.lock_onfault = flags & MCL_ONFAULT;
    mm_unlock();
    if (!(flags & MCL_CURRENT))
        return 0;
    for (;;) {
        mm_lock();
        struct vma_node *n = mm_vma_from(p);
        start = n ? n->v.start : 0;
        p = n ? n->v.end : 0;
        mm_unlock();
        if (!p)
            return 0;
        /* Pages that cannot be populated (PROT_NONE, beyond a file's end) do not make the call fail. */
        r = host_call(SYS_mlock2, start, p - start, flags & MCL_ONFAULT ? MLOCK_ONFAULT : 0, 0, 0,
                      0);
        if (r == -EPERM || r == -ENOSYS)
            return r;
        struct vma v;
        if (r == -ENOMEM && !mm_find(start, &v))
            continue;
        if (r == -ENOMEM && (v.prot & PROT_READ) && !v.ino)
            return r;
    }
}

int64_t mm_munlockall(void)
{
    uint64_t p = 0, start;

    mm_lock();
    mm.lock_future = mm.lock_onfault = false;
    mm_unlock();
    for (;;) {
        mm_lock();
        struct vma_node *n = mm_vma_from(p);
        start = n ? n->v.start : 0;
        p = n ? n->v.end : 0;
        mm_unlock();
        if (!p)
            return 0;
        host_call(SYS_munlock, start, p - start, 0, 0, 0, 0);
    }
}
