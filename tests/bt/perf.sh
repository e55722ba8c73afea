#!/bin/sh
# --perfmap and --jitdump: the map names the guest's functions at places that do not overlap, and the dump has a
# record for each line of it.
set -e
prog=${top_builddir:?}/tests/programs/hello.rv64
[ -n "${RISCV64_CC:-}" ] || { echo "skipped: no riscv64 compiler"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir" "/tmp/perf-$pid.map"' EXIT
cd "$dir"
"${DRAGOMAN:?}" --engine=bt --perfmap --jitdump "$prog" >out &
pid=$!
wait $pid
map=/tmp/perf-$pid.map
lines=$(wc -l <"$map")
[ "$lines" -gt 100 ] || { echo "only $lines units in the map"; exit 1; }
grep -q ' main\(+0x[0-9a-f]*\)\{0,1\} \[[12]\]$' "$map" || { echo "no unit of main"; exit 1; }
# Units of one process lie apart: sort by address and compare neighbours (addresses have the same length).
sort "$map" | ${AWK:-awk} '
    function hex(s,   i, n) {
        n = 0
        for (i = 1; i <= length(s); i++)
            n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
        return n
    }
    { start = hex(substr($1, 5)); if (NR > 1 && start < end) { print "overlap at " $1; bad = 1 }
      end = start + hex($2) }
    END { exit bad }'
# The dump: magic "DTiJ", 40 bytes of header, then records that say their own length.
size=$(wc -c <"jit-$pid.dump")
[ "$(head -c 4 "jit-$pid.dump")" = DTiJ ] || { echo "no magic number"; exit 1; }
at=40
n=0
while [ "$at" -lt "$size" ] && [ "$n" -lt 50 ]; do
    len=$(od -An -tu4 -j $((at + 4)) -N 4 "jit-$pid.dump" | tr -d ' ')
    at=$((at + len))
    n=$((n + 1))
done
[ "$n" -eq 50 ] || [ "$at" -eq "$size" ] || { echo "records do not add up to the file: $at of $size"; exit 1; }
code=$(grep -c . "$map")
total=$(${AWK:-awk} 'function hex(s, i, n) { n = 0
        for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
        return n }
    { t += 56 + hex($2); name = $0; sub(/^[^ ]* [^ ]* /, "", name); t += length(name) + 1 }
    END { print t + 40 }' "$map")
[ "$total" -eq "$size" ] || { echo "$code lines stand for $total bytes, the dump has $size"; exit 1; }
