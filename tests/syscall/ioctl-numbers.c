/* Every request of ioctl.def, as a program of the architecture that this is compiled for has it: printed
 * for ioctl-numbers.sh, which compares the host's with the guest's. */
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
#include <linux/sockios.h>
#include <linux/vt.h>
#include <linux/watchdog.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#ifndef BLKROTATIONAL
#define BLKROTATIONAL _IO(0x12, 126)
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Lines "IOCTL name $number" in the assembler's text. */
#define IOC(name, arg, size) __asm__("/* IOCTL " #name " %0 */" ::"i"((unsigned)(name)));
void numbers(void)
{
#include "syscall/ioctl.def"
}
