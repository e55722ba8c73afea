/* base/text.c: text in a buffer. See text.h.
 *
 * Owns: nothing.
 *
 * Threading: works on the caller's struct text only.
 */
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

void text_put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t room = t->len < t->size ? t->size - t->len : 0;
    int n = vsnprintf(room ? t->buf + t->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->len += (size_t)n;
}
