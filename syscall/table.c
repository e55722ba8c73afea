/* The table of system calls, made from the rows of syscall.def.
 *
 * Owns: sys_table, sys_own_rows, finding a row.
 *
 * Threading: const.
 */
#include "syscall/host_nr.h"
#include "syscall/sys_int.h"
#include <string.h>

#define ARG(n, k, ...)                           \
    {                                            \
        .name = #n, .kind = K_##k, ##__VA_ARGS__ \
    }
#define INT(n) ARG(n, INT)
#define UINT(n) ARG(n, UINT)
#define LONG(n) ARG(n, LONG)
#define SIZE(n) ARG(n, SIZE)
#define HEX(n) ARG(n, HEX)
#define MODE(n) ARG(n, MODE)
#define OFF(n) ARG(n, OFF)
#define PID(n) ARG(n, PID)
#define SIG(n) ARG(n, SIG)
#define UID(n) ARG(n, UID)
#define FLAGS(n, s) ARG(n, FLAGS, .flags = sys_flags_##s)
#define ENUM(n, s) ARG(n, ENUM, .flags = sys_flags_##s)
#define ANY(n) ARG(n, ANY)
#define PTR(n) ARG(n, PTR)
#define AREA(n) ARG(n, AREA)
#define FD(n) ARG(n, FD)
#define DIRFD(n) ARG(n, DIRFD)
#define REF(n) ARG(n, REF)
#define REFOUT(n, s) ARG(n, REFOUT, .size = (s))
#define PATH(n) ARG(n, PATH)
#define LPATH(n) ARG(n, LPATH)
#define PATHF(n, i) ARG(n, PATHF, .other = (i))
#define PATHX(n, i) ARG(n, PATHX, .other = (i))
#define NAME(n) ARG(n, NAME)
#define STR(n) ARG(n, STR)
#define IN(n, i) ARG(n, IN, .other = (i))
#define OUT(n, i) ARG(n, OUT, .other = (i))
#define OUTV(n, i) ARG(n, OUTV, .other = (i))
#define INS(n, t) ARG(n, INS, .type = SYS_STRUCT_##t)
#define OUTS(n, t) ARG(n, OUTS, .type = SYS_STRUCT_##t)
#define IOS(n, t) ARG(n, IOS, .type = SYS_STRUCT_##t)
#define INA(n, i, t) ARG(n, INA, .other = (i), .type = SYS_STRUCT_##t)
#define OUTA(n, i, t) ARG(n, OUTA, .other = (i), .type = SYS_STRUCT_##t)
#define IOA(n, i, t) ARG(n, IOA, .other = (i), .type = SYS_STRUCT_##t)
#define IOVIN(n, i) ARG(n, IOVIN, .other = (i))
#define IOVOUT(n, i) ARG(n, IOVOUT, .other = (i))

#define ROW(n, lv, text, ...) .name = #n, .level = LEVEL_##lv, .note = text, .arg = {__VA_ARGS__}

#define PASS(nr, n, lv, text, ...) \
    [nr] = {.how = HOW_PASS, .host_nr = SYS_##n, ROW(n, lv, text, ##__VA_ARGS__)},
#define CONVERT(nr, n, lv, text, ...) \
    [nr] = {.how = HOW_CONVERT, .body = sys_##n, ROW(n, lv, text, ##__VA_ARGS__)},
#define EMULATE(nr, n, lv, text, ...) \
    [nr] = {.how = HOW_EMULATE, .body = sys_##n, ROW(n, lv, text, ##__VA_ARGS__)},
#define REFUSE(nr, n, err, text, ...) \
    [nr] = {.how = HOW_REFUSE, .error = err, ROW(n, NONE, text, ##__VA_ARGS__)},
#define LATER(nr, n, lv, text, ...) \
    [nr] = {.how = HOW_LATER, .error = ENOSYS, ROW(n, NONE, text, ##__VA_ARGS__)},
#define OWN(n, lv, text, ...)

const struct sys_row sys_table[SYS_TABLE_SIZE] = {
#include "syscall/syscall.def"
};

#undef PASS
#undef CONVERT
#undef EMULATE
#undef REFUSE
#undef LATER
#undef OWN
#define PASS(...)
#define CONVERT(...)
#define EMULATE(...)
#define REFUSE(...)
#define LATER(...)
#define OWN(n, lv, text, ...) \
    {.how = HOW_EMULATE, .body = sys_##n, ROW(n, lv, text, ##__VA_ARGS__)},

const struct sys_row sys_own_rows[] = {
#include "syscall/syscall.def"
    {.name = NULL},
};

#define X(name, size, print) size,
const uint16_t sys_struct_size[SYS_STRUCT_COUNT] = {SYS_STRUCTS(X)};
#undef X

const struct sys_row *sys_row_of(const struct guest *g, uint64_t nr)
{
    if (nr < SYS_TABLE_SIZE && sys_table[nr].name)
        return &sys_table[nr];
    for (const struct guest_syscall *s = g->own_syscalls; s && s->name; s++) {
        if (s->nr != nr)
            continue;
        for (const struct sys_row *r = sys_own_rows; r->name; r++)
            if (!strcmp(r->name, s->name))
                return r;
    }
    return NULL;
}
