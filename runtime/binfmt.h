/* How the kernel comes to run foreign programs: binfmt_misc(5), as dragomanctl and only it uses it.
 *
 * Owns: the rule for each guest (its name, magic, mask, flags) in the forms that the kernel, systemd and
 * Debian's update-binfmts read; the kernel's list of handlers.
 *
 * Threading: one thread.
 */
#ifndef DRAGOMAN_RUNTIME_BINFMT_H
#define DRAGOMAN_RUNTIME_BINFMT_H

#include "guest/guest.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* P: argv[0] is kept; O: the program comes open, though it may not be readable; C: a set-user-ID program gets
 * its rights; F: the handler is opened now, so that it is there in every chroot and container. */
#define BINFMT_FLAGS "POCF"
#define BINFMT_DIR "/proc/sys/fs/binfmt_misc"
#define BINFMT_BYTES 20 /* of the ELF header: up to e_version's first */

/* An entry of the kernel's list, or a line of a file for systemd. */
struct binfmt_entry {
    char name[NAME_MAX + 1];
    char interpreter[PATH_MAX];
    char flags[16];
    bool enabled;
    unsigned offset, size;
    uint8_t magic[128], mask[128];
};

/* A guest's entry is called so. */
void binfmt_name(const struct guest *g, char *name, size_t size);

/* A rule as the kernel and systemd want it, in one line without its end. */
void binfmt_rule(const struct guest *g, const char *handler, char *text, size_t size);

/* The same as a file for update-binfmts(8). */
void binfmt_debian_file(const struct guest *g, const char *handler, FILE *f);

/* Read a line as binfmt_rule writes it, of anybody's. False when it is none for magic numbers. */
bool binfmt_parse_rule(const char *line, struct binfmt_entry *e);

/* Read the entry of the kernel's list with this name, in directory. 0 or -errno; -EINVAL when it goes by
 * file names rather than magic numbers. */
int binfmt_read(const char *directory, const char *name, struct binfmt_entry *e);

/* Would the entry, enabled or not, take the guest's programs? */
bool binfmt_matches(const struct binfmt_entry *e, const struct guest *g);

#endif
