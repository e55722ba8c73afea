/* Counters of the run loop and their JSON form for --stats.
 *
 * Threading: counters are plain and may lose a count between threads; the report is made once, by
 * the thread that ends the process.
 */
#ifndef DRAGOMAN_RUNTIME_STATS_H
#define DRAGOMAN_RUNTIME_STATS_H

#include <stdint.h>

struct run_stats {
    uint64_t syscalls;     /* system-call instructions executed */
    uint64_t unit_entries; /* times that translated code was entered from C */
    uint64_t faults;       /* synchronous memory faults that reached the guest */
};
extern struct run_stats stats;

/* Open what the report goes to. Once, at the start. */
void stats_start(void);
int stats_fd(void); /* its descriptor, or -1 */
/* Write the report when --stats asks for it; once. */
void stats_report(void);

#endif
