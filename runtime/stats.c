/* --stats: see stats.h. The report is one JSON object on one line, so that the reports of a whole
 * process tree appended to one file can be read line by line.
 */
#include "runtime/stats.h"
#include "base/report.h"
#include "codecache/blocks.h"
#include "runtime/options.h"
#include "syscall/sys.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct run_stats stats;
static struct timespec started;

void stats_start(void)
{
    clock_gettime(CLOCK_MONOTONIC, &started);
}

struct profile_sum {
    uint64_t entries, insns, uops;
};

static void add_block(struct block *b, void *arg)
{
    struct profile_sum *s = arg;
    s->entries += b->count;
    s->insns += b->count * b->ninsns;
    s->uops += b->count * b->nuops;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void stats_report(void)
{
    if (!options.stats)
        return;
    options.stats = false;
    struct timespec now;
    struct rusage ru;
    struct cc_stats cc;
    struct sys_stats sys;
    struct profile_sum sum = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &ru);
    cc_get_stats(&cc);
    sys_get_stats(&sys);
    cc_for_each(add_block, &sum);

    char text[2048];
    int n = snprintf(
        text, sizeof(text),
        "{\"pid\":%d,\"blocks\":{\"lifted\":%" PRIu64 ",\"live\":%" PRIu64
        ",\"invalidated\":%" PRIu64 ",\"guest_bytes\":%" PRIu64 ",\"guest_insns\":%" PRIu64 "},"
        "\"executed\":{\"blocks\":%" PRIu64 ",\"insns\":%" PRIu64 ",\"uops\":%" PRIu64 "},"
        "\"syscalls\":{\"calls\":%" PRIu64 ",\"errors\":%" PRIu64 "},\"faults\":%" PRIu64 ","
        "\"seconds\":{\"elapsed\":%.6f,\"user\":%.6f,\"system\":%.6f},\"max_rss_kib\":%ld}\n",
        (int)getpid(), cc.lifted, cc.blocks, cc.invalidated, cc.bytes_lifted, cc.insns_lifted,
        sum.entries, sum.insns, sum.uops, sys.calls, sys.errors, stats.faults,
        (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) / 1e9,
        seconds(ru.ru_utime), seconds(ru.ru_stime), ru.ru_maxrss);
    int fd = STDERR_FILENO;
    if (options.stats_file) {
        fd = open(options.stats_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0) {
            report_error("--stats: cannot open %s: %m", options.stats_file);
            return;
        }
    }
    if (write(fd, text, (size_t)n) != n)
        report_error("--stats: cannot write the report: %m");
    if (fd != STDERR_FILENO)
        close(fd);
}
