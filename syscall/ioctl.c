/* ioctl: which requests pass, and how their argument is made safe.
 *
 * Owns: the table of known requests (ioctl.def) and the rule for all others.
 *
 * The rule. Request numbers, structs and pointers mean the same on both sides (see ioctl.def; guest address =
 * host address), so what a driver of this host understands, it understands from the guest
 * as well, and what it does not gets the kernel's own ENOTTY. So every request is passed, with these
 * precautions about an argument that may be a pointer:
 *   - one that leads into the runtime's memory is replaced by one that always faults (EFAULT);
 *   - memory that is or may be written is prepared: as many bytes as the row says; for a request
 *     without a row as many as its encoding says, and at least a page, since many old requests lie about
 *     size and direction.
 * Pointers inside structs are checked where ioctl_inner has a row. Elsewhere the driver gets them as they
 * are: right for a guest that means well.
 *
 * Converted: two requests of seccomp's listeners (seccomp_notify.c).
 *
 * Refused: the requests of /dev/kvm, whose virtual machines have the host's architecture.
 *
 * Threading: const data; reentrant.
 */
#include "syscall/ioctl.h"
#include "syscall/sys_int.h"
#include <asm/termbits.h>
#include <linux/cdrom.h>
#include <linux/fb.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/if_tun.h>
#include <linux/input.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/seccomp.h>
#include <linux/serial.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <linux/watchdog.h>
#include <net/if.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#define KVM_TYPE 0xAE

/* Younger than the oldest headers we build with. */
#ifndef BLKROTATIONAL
#define BLKROTATIONAL _IO(0x12, 126)
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

_Static_assert(sizeof(struct termios) == 36, "termios is that of asm-generic");
_Static_assert(sizeof(struct termios2) == 44, "termios2 is that of asm-generic");
_Static_assert(sizeof(struct serial_struct) == 72, "serial_struct");
_Static_assert(sizeof(struct ifreq) == 40 && sizeof(struct ifconf) == 16, "ifreq");
_Static_assert(sizeof(struct loop_info) == 168 && sizeof(struct loop_info64) == 232, "loop_info");
_Static_assert(sizeof(struct sg_io_hdr) == 88, "sg_io_hdr");
_Static_assert(sizeof(struct fb_var_screeninfo) == 160 && sizeof(struct fb_fix_screeninfo) == 80,
               "fb");
_Static_assert(sizeof(struct console_font_op) == 32 && sizeof(struct unimapdesc) == 16, "console");
_Static_assert(sizeof(struct hd_geometry) == 16, "hd_geometry");

const struct ioctl_row *ioctl_find(uint32_t request)
{
    switch (request) {
#define IOC(n, how, bytes)                                                                 \
    case n: {                                                                              \
        static const struct ioctl_row row = {.name = #n, .arg = ARG_##how, .size = bytes}; \
        return &row;                                                                       \
    }
#include "syscall/ioctl.def"
#undef IOC
    default:
        return NULL;
    }
}

/* Names for traces. */
const struct sys_flag sys_flags_ioctl[] = {
#define IOC(n, how, bytes) {0xffffffff, n, #n},
#include "syscall/ioctl.def"
#undef IOC
    {0, 0, NULL},
};

/* A pointer within a struct: where it is, and how many bytes at most are written there: count elements of
 * unit bytes, the 32-bit count being at count_at, or `unit` bytes when count_at is NO_COUNT. */
#define NO_COUNT 0xffff
static const struct {
    uint32_t request;
    uint16_t at, count_at;
    uint32_t unit;
} ioctl_inner[] = {
    {SIOCGIFCONF, offsetof(struct ifconf, ifc_buf), offsetof(struct ifconf, ifc_len), 1},
    {SIOCETHTOOL, offsetof(struct ifreq, ifr_data), NO_COUNT, 4096},
    {SG_IO, offsetof(struct sg_io_hdr, dxferp), offsetof(struct sg_io_hdr, dxfer_len), 1},
    {KDFONTOP, offsetof(struct console_font_op, data), NO_COUNT, 65536},
    /* A 16-bit count before the pointer: as large as it can be. */
    {GIO_UNIMAP, offsetof(struct unimapdesc, entries), NO_COUNT, 65536 * sizeof(struct unipair)},
    {PIO_UNIMAP, offsetof(struct unimapdesc, entries), NO_COUNT, 65536 * sizeof(struct unipair)},
};

/* sys_out for a length that is only an upper estimate: it ends where the guest's range ends. */
static uint64_t out_at_most(uint64_t addr, uint64_t len)
{
    addr = mm_user(addr);
    if (mm_in_range(addr, 0) && len > GUEST_ADDR_END - addr)
        len = GUEST_ADDR_END - addr;
    return sys_out(addr, len);
}

/* Check the pointer inside the struct at arg. 0 or -EFAULT. */
static int check_inner(uint32_t request, uint64_t arg)
{
    for (size_t i = 0; i < sizeof ioctl_inner / sizeof *ioctl_inner; i++) {
        uint64_t inner;
        uint32_t count = 1;

        if (ioctl_inner[i].request != request)
            continue;
        if (mm_read_u64(arg + ioctl_inner[i].at, &inner))
            return 0; /* the kernel cannot read it either */
        if (ioctl_inner[i].count_at != NO_COUNT &&
            mm_read_u32(arg + ioctl_inner[i].count_at, &count))
            return 0;
        if (out_at_most(inner, (uint64_t)count * ioctl_inner[i].unit) == SYS_BAD_PTR)
            return -EFAULT;
        return 0;
    }
    return 0;
}

/* The argument of a request without a row: a number or a pointer. Numbers this large do not occur. */
static uint64_t unknown_arg(uint32_t request, uint64_t arg)
{
    uint64_t size = _IOC_SIZE(request);

    if (size < GUEST_PAGE_SIZE)
        size = GUEST_PAGE_SIZE;
    if (arg < GUEST_PAGE_SIZE)
        return arg;
    return out_at_most(arg, size);
}

int64_t sys_ioctl(struct thread *t, const uint64_t *a)
{
    uint32_t request = (uint32_t)a[1];
    const struct ioctl_row *row = ioctl_find(request);
    uint64_t arg = a[2];

    if (_IOC_TYPE(request) == KVM_TYPE)
        return -ENOTTY;
    if (request == SECCOMP_IOCTL_NOTIF_RECV)
        return sys_seccomp_receive(t, a[0], arg);
    if (request == SECCOMP_IOCTL_NOTIF_SEND)
        return sys_seccomp_answer(t, a[0], arg);
    switch (row ? row->arg : ARG_UNKNOWN) {
    case ARG_NONE:
    case ARG_VAL:
        break;
    case ARG_IN:
        arg = sys_in(arg, row->size);
        break;
    case ARG_PTR:
        if (check_inner(request, arg))
            return -EFAULT;
        /* fall through */
    case ARG_OUT:
    case ARG_IO:
        arg = sys_out(arg, row->size);
        break;
    case ARG_UNKNOWN:
        arg = unknown_arg(request, arg);
        break;
    }
    return sig_syscall(t, SYS_ioctl, a[0], request, arg, 0, 0, 0);
}
