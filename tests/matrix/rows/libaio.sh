# old asynchronous I/O: io_setup, io_submit, io_getevents, on files and with an eventfd
# grade=hard group=system time=60 memory=500
cat >a.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <libaio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
int main(void) { io_context_t x = 0; int r = io_setup(32, &x); if (r) { printf("io_setup %s\n", strerror(-r)); return 1; } int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644); char *b = aligned_alloc(4096, 65536); memset(b, 'q', 65536); struct iocb k[16], *p[16]; struct io_event e[16]; for (int i = 0; i < 16; i++) { p[i] = &k[i]; io_prep_pwrite(p[i], fd, b + i * 4096, 4096, i * 4096); } printf("submit %d\n", io_submit(x, 16, p)); int n = 0; long s = 0; while (n < 16) { int g = io_getevents(x, 1, 16, e, NULL); for (int i = 0; i < g; i++) s += (long)e[i].res; n += g; } printf("%d %ld\n", n, s); int ev = eventfd(0, 0); memset(b, 0, 4096); io_prep_pread(&k[0], fd, b, 4096, 8192); io_set_eventfd(&k[0], ev); io_submit(x, 1, p); unsigned long v; read(ev, &v, 8); printf("event %lu %c %d\n", v, b[5], io_getevents(x, 0, 16, e, NULL)); io_prep_pread(&k[0], 99, b, 10, 0); printf("bad %s\n", strerror(-io_submit(x, 1, p))); struct timespec t = {0, 1000000}; printf("none %d\n", io_getevents(x, 1, 1, e, &t)); r = io_destroy(x); printf("destroy %d %s\n", r, strerror(-io_destroy(x))); return 0; }
C
gcc -O1 -w -o a a.c -laio && ./a; fio --name=j --filename=ff --size=2m --bs=16k --rw=randrw --ioengine=libaio --iodepth=8 --direct=0 --verify=crc32c --output=log --end_fsync=1 >/dev/null 2>&1; echo $?
