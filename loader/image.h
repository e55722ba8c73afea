/* One ELF file: its headers, checked, and its segments, mapped.
 *
 * Invariants: nothing of a file is trusted. Headers are copied once and checked before use; contents
 * are only ever touched by fault-safe access, since a file may shrink while it is mapped.
 *
 * Threading: a struct load_image is used by one thread.
 */
#ifndef DRAGOMAN_LOADER_IMAGE_H
#define DRAGOMAN_LOADER_IMAGE_H

#include "guest/guest.h"
#include <elf.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_image {
    int fd;
    const struct guest *guest;
    Elf64_Ehdr eh;
    Elf64_Phdr *ph;        /* eh.e_phnum of them, from malloc */
    char interp[PATH_MAX]; /* PT_INTERP, "" for none */
    bool exec_stack;       /* PT_GNU_STACK asks for it */
    /* Of the PT_LOADs: lowest page, end, and the largest alignment (at least a page). */
    uint64_t low, high, align;
    unsigned nload;
    /* Once mapped. */
    uint64_t bias;  /* runtime address - p_vaddr */
    uint64_t entry; /* runtime address */
    uint64_t phdr;  /* where the program headers are in memory, 0 + bias if nowhere */
};

/* What is wrong with a file, for a person: `error` is a positive errno. Returns -error. */
struct load_why {
    char *text;
    size_t size;
};
int load_fail(const struct load_why *why, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What the first bytes of an ELF file say: 0 for a guest (*g set), 1 for the host's own kind, or -errno.
 * head has n bytes, zeros after the file's end. */
int load_classify(const uint8_t *head, size_t n, const struct guest **g,
                  const struct load_why *why);

/* Read and check the headers of an open file. As an interpreter (`interp` is its name, else NULL), what
 * is wrong with it is ELIBBAD, and it must be for guest g. 0 or -errno. Free with load_image_free. */
int load_image_read(struct load_image *im, int fd, const char *interp, const struct guest *g,
                    const struct load_why *why);
void load_image_free(struct load_image *im);

/* Map the segments; is_interp: where libraries go rather than where programs go. 0 or -errno. */
int load_image_map(struct load_image *im, bool is_interp, const struct load_why *why);

#endif
