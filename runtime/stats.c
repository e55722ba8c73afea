/* --stats: see stats.h. The report is one JSON object on one line, so that the reports of a whole
 * process tree appended to one file can be read line by line.
 */
#include "runtime/stats.h"
#include "base/host.h"
#include "base/report.h"
#include "bt/bt.h"
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

/* Where the report goes: opened at the start, since at the end the guest may have changed its root, shut itself up in a sandbox
 * or closed its standard error. */
static int report_fd = -1;

void stats_start(void)
{
    clock_gettime(CLOCK_MONOTONIC, &started);
    if (!options.stats)
        return;
    int fd = options.stats_file
                 ? open(options.stats_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)
                 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        if (options.stats_file)
            report_error("--stats: cannot open %s: %m", options.stats_file);
        options.stats = false;
        return;
    }
    report_fd = host_fd_high(fd);
}

int stats_fd(void)
{
    return report_fd;
}

struct profile_sum {
    uint64_t entries, insns, uops;
    uint64_t bailed; /* instructions of blocks that the translator refuses */
};

static void add_block(struct block *b, void *arg)
{
    struct profile_sum *s = arg;
    s->entries += b->count;
    s->insns += b->count * b->ninsns;
    s->uops += b->count * b->nuops;
    if (b->flags & BLOCK_NO_BT || b->code)
        s->bailed += b->count * b->ninsns;
}

static void add_bail(const char *reason, uint64_t n, void *arg)
{
    char *text = arg;
    size_t len = strlen(text);
    snprintf(text + len, 1024 - len, "%s\"%s\":%" PRIu64, len ? "," : "", reason, n);
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

    struct bt_stats bt;
    struct cc_unit_stats cu;
    bt_get_stats(&bt);
    cc_unit_get_stats(&cu);
    char text[4096], bails[1024] = "";
    bt_for_each_bail(add_bail, bails);
    int n = snprintf(
        text, sizeof(text),
        "{\"pid\":%d,\"blocks\":{\"lifted\":%" PRIu64 ",\"live\":%" PRIu64
        ",\"invalidated\":%" PRIu64 ",\"guest_bytes\":%" PRIu64 ",\"guest_insns\":%" PRIu64 "},"
        "\"executed\":{\"blocks\":%" PRIu64 ",\"insns\":%" PRIu64 ",\"uops\":%" PRIu64
        ",\"bailed\":%" PRIu64 "},"
        "\"units\":{\"level1\":%" PRIu64 ",\"level2\":%" PRIu64 ",\"insns1\":%" PRIu64
        ",\"insns2\":%" PRIu64 ",\"ns_per_insn1\":%.0f,\"ns_per_insn2\":%.0f,\"bytes\":%" PRIu64
        ",\"side_bytes\":%" PRIu64 ",\"hits\":%" PRIu64 ",\"misses\":%" PRIu64 ",\"links\":%" PRIu64
        ",\"unlinks\":%" PRIu64 ",\"evictions\":%" PRIu64 ",\"no_room\":%" PRIu64
        ",\"invalidated\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"refused\":%" PRIu64
        ",\"reasons\":{%s}},"
        "\"syscalls\":{\"calls\":%" PRIu64 ",\"errors\":%" PRIu64 "},\"faults\":%" PRIu64 ","
        "\"seconds\":{\"elapsed\":%.6f,\"user\":%.6f,\"system\":%.6f},\"max_rss_kib\":%ld}\n",
        (int)getpid(), cc.lifted, cc.blocks, cc.invalidated, cc.bytes_lifted, cc.insns_lifted,
        sum.entries, sum.insns, sum.uops, sum.bailed, bt.units[1], bt.units[2], bt.insns[1],
        bt.insns[2], bt.insns[1] ? (double)bt.ns[1] / (double)bt.insns[1] : 0.0,
        bt.insns[2] ? (double)bt.ns[2] / (double)bt.insns[2] : 0.0, cu.bytes, cu.side_bytes,
        cu.hits, cu.misses, cu.links, cu.unlinks, cu.evictions, cu.no_room, cu.invalidated,
        stats.unit_entries, bt.refused, bails, sys.calls, sys.errors, stats.faults,
        (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) / 1e9,
        seconds(ru.ru_utime), seconds(ru.ru_stime), ru.ru_maxrss);
    if (write(report_fd, text, (size_t)n) != n)
        report_error("--stats: cannot write the report: %m");
}
