#!/bin/sh
# The table of blocks and its stress test built with the thread sanitizer: no race reported.
# Skipped (77) where the compiler has no thread sanitizer or it cannot run here.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}"
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

flags="-std=gnu11 -g -O1 -fsanitize=thread -I$top_srcdir -I$top_builddir -include config.h"
echo 'int main(void) { return 0; }' >"$dir/try.c"
# Word splitting of $CC and $flags is meant.
# shellcheck disable=SC2086
if ! $CC -fsanitize=thread "$dir/try.c" -o "$dir/try" 2>/dev/null || ! "$dir/try" 2>/dev/null; then
    echo "SKIP: $CC has no working thread sanitizer"
    exit 77
fi
# The table alone is tested: there are no units to be invalidated with the blocks.
cat >"$dir/no_units.c" <<'C'
#include "codecache/unit.h"
void cc_unit_invalidate(uint64_t addr, uint64_t len) { (void)addr, (void)len; }
void cc_unit_fork_begin(void) {}
void cc_frames_free(struct cpu *cpu) { (void)cpu; }
void cc_unit_fork_end(bool child) { (void)child; }
C
# shellcheck disable=SC2086
$CC $flags "$dir/no_units.c" "$top_srcdir/tests/codecache/blocks.c" "$top_srcdir/codecache/blocks.c" \
    "$top_srcdir/uop/block.c" "$top_srcdir/base/report.c" "$top_srcdir/base/backtrace.c" \
    "$top_srcdir/base/log.c" "$top_srcdir/base/host.c" \
    -o "$dir/test" -lcmocka -lpthread ||
    exit 1
TSAN_OPTIONS=halt_on_error=1 "$dir/test" 1500
