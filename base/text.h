/* Text in a buffer of the caller's, piece by piece.
 *
 * Owns: nothing.
 *
 * Threading: works on the caller's struct text only.
 */
#ifndef DRAGOMAN_BASE_TEXT_H
#define DRAGOMAN_BASE_TEXT_H

#include <stddef.h>

/* len counts on beyond the buffer's end, as snprintf's result does; the text ends with a zero if size is not 0. */
struct text {
    char *buf;
    size_t size, len;
};

/* Append what printf would print. */
__attribute__((format(printf, 2, 3))) void text_put(struct text *t, const char *fmt, ...);

#endif
