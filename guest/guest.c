/* guest/guest.c: the list of guests.
 *
 * Owns: which guests there are. Adding one is a line here and a folder.
 *
 * Threading: immutable data.
 */
#include "guest/guest.h"
#include <string.h>

static const struct guest *const guests[] = {
    &guest_rv64,
    &guest_a64,
};

#define NGUESTS (sizeof guests / sizeof guests[0])

const struct guest *guest_by_elf(unsigned e_machine)
{
    for (size_t i = 0; i < NGUESTS; i++)
        if (guests[i]->elf_machine == e_machine)
            return guests[i];
    return NULL;
}

const struct guest *guest_by_name(const char *name)
{
    for (size_t i = 0; i < NGUESTS; i++)
        if (!strcmp(guests[i]->name, name))
            return guests[i];
    return NULL;
}

const struct guest *guest_at(size_t i)
{
    return i < NGUESTS ? guests[i] : NULL;
}
