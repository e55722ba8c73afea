/* The table of known ioctl requests (see ioctl.c). */
#ifndef DRAGOMAN_SYSCALL_IOCTL_H
#define DRAGOMAN_SYSCALL_IOCTL_H

#include <stdint.h>

enum ioctl_arg { ARG_NONE, ARG_VAL, ARG_IN, ARG_OUT, ARG_IO, ARG_PTR, ARG_UNKNOWN };

struct ioctl_row {
    const char *name;
    uint8_t arg;   /* enum ioctl_arg */
    uint16_t size; /* bytes of the struct */
};

/* The row of a request, or NULL. */
const struct ioctl_row *ioctl_find(uint32_t request);

#endif
