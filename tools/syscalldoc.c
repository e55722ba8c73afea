/* Prints the support table of the system calls, docs/syscalls.md, from syscall/syscall.def.
 *
 *   tools/syscalldoc >docs/syscalls.md
 *
 * Linked with nothing.
 */
#include <stdio.h>
#include <string.h>

enum how { HOW_PASS, HOW_CONVERT, HOW_EMULATE, HOW_REFUSE, HOW_LATER, HOW_OWN, HOW_COUNT };

static const char *const how_text[HOW_COUNT] = {
    "passed", "converted", "emulated", "refused", "missing", "emulated",
};

struct row {
    int nr;
    const char *name;
    enum how how;
    const char *level; /* FULL, PARTIAL, or the errno of a refusal */
    const char *note;
};

#define PASS(nr, name, level, note, ...) {nr, #name, HOW_PASS, #level, note},
#define CONVERT(nr, name, level, note, ...) {nr, #name, HOW_CONVERT, #level, note},
#define EMULATE(nr, name, level, note, ...) {nr, #name, HOW_EMULATE, #level, note},
#define REFUSE(nr, name, error, note, ...) {nr, #name, HOW_REFUSE, #error, note},
#define LATER(nr, name, level, note, ...) {nr, #name, HOW_LATER, "ENOSYS", note},
#define OWN(name, level, note, ...) {-1, #name, HOW_OWN, #level, note},

static const struct row rows[] = {
#include "syscall/syscall.def"
};

int main(void)
{
    unsigned count[HOW_COUNT] = {0};
    unsigned n = sizeof rows / sizeof *rows;

    puts("# System calls\n\n"
         "Made by `tools/syscalldoc` from `syscall/syscall.def`; `make check` holds it to that.\n\n"
         "passed: the arguments, checked by their types, go to the host's call of the same name.\n"
         "converted: a struct or flags differ on the host, or memory is named inside a struct.\n"
         "emulated: it concerns what the runtime owns.\n"
         "refused: fails always, with the error named, as a kernel without the feature or an\n"
         "unprivileged process would see it. Numbers that are not listed give ENOSYS.\n\n"
         "| number | call | how | support | note |\n"
         "|---:|---|---|---|---|");
    for (unsigned i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        char nr[16];

        if (r->nr < 0)
            strcpy(nr, "guest's");
        else
            snprintf(nr, sizeof nr, "%d", r->nr);
        count[r->how]++;
        printf("| %s | %s | %s | %s | %s |\n", nr, r->name, how_text[r->how],
               !strcmp(r->level, "FULL")      ? "full"
               : !strcmp(r->level, "PARTIAL") ? "partial"
                                              : r->level,
               r->note);
    }
    printf("\n%u calls: %u passed, %u converted, %u emulated, %u refused, %u missing.\n", n,
           count[HOW_PASS], count[HOW_CONVERT], count[HOW_EMULATE] + count[HOW_OWN],
           count[HOW_REFUSE], count[HOW_LATER]);
    return 0;
}
