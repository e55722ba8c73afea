/* Telling the host's profiler about translations, so that `perf report` names guest functions.
 *
 * Owns: the perf map (/tmp/perf-PID.map) and the jitdump file, and the names of guest addresses.
 *
 * Threading: perf_unit takes the perf lock, under which no other is taken.
 */
#ifndef DRAGOMAN_BT_PERF_H
#define DRAGOMAN_BT_PERF_H

#include "codecache/unit.h"

/* Choose before the first translation. `jitdump` also writes jit-PID.dump into the current directory, for `perf
 * inject --jit`. */
void perf_enable(bool map, bool jitdump);

/* A unit was installed. Does nothing when nothing was enabled. */
void perf_unit(const struct unit *u);

/* The name of the guest function that pc is in, as "name" or "name+0x12", or of its file and offset, or its number:
 * into buf. Reads ELF symbol tables; slow the first time for each file. */
void perf_symbol(uint64_t pc, char *buf, size_t size);

#endif
