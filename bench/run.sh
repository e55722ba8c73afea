#!/bin/sh
# Times the benchmark programs natively, in the peer emulator and in Dragoman, and the start of a
# dynamic `true`; every run's output must be the native one's. `make bench` runs it.
#
#   BENCH_RUNS=3         runs of each; the fastest counts
#   BENCH_ENGINES=auto   Dragoman's engines to time, of auto, interp and bt
#   BENCH_SCALE=100      percent of the usual number of rounds
#
# Environment: DRAGOMAN, RISCV64_CC, CC, SYSROOT_RISCV64, PEER_DIR, top_srcdir, as `make` gives them.
set -eu
: "${BENCH_RUNS=3}" "${BENCH_ENGINES=auto}" "${BENCH_SCALE=100}"
[ -n "${RISCV64_CC:-}" ] || {
    echo "bench: no riscv64 compiler: install gcc-riscv64-linux-gnu" >&2
    exit 1
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
peer=${PEER_DIR:+$PEER_DIR/usr/bin/qemu-riscv64}
flags="-O2 -ffp-contract=off -fno-tree-vectorize -static"

# Sets best_time (in units of 10 microseconds) to the fastest of BENCH_RUNS runs; the output stays in $dir/out.
best() {
    best_time=
    for _ in $(seq "$BENCH_RUNS"); do
        start=$(date +%s%N)
        timeout 300 "$@" >"$dir/out" || {
            echo "bench: failed with status $?: $*" >&2
            exit 1
        }
        ms=$((($(date +%s%N) - start) / 10000))
        if [ -z "$best_time" ] || [ "$ms" -lt "$best_time" ]; then best_time=$ms; fi
    done
}

show() { # NAME WHO TIME NATIVE, times in units of 10 microseconds
    awk -v name="$1" -v who="$2" -v t="$3" -v native="$4" \
        'BEGIN { printf "%-10s %-16s %10.2f ms %8.2f x native\n", name, who, t / 100, t / native }'
}

measure() { # NAME WHO COMMAND...
    name=$1 who=$2
    shift 2
    best "$@"
    if ! cmp -s "$dir/out" "$dir/want"; then
        echo "bench: $name in $who printed '$(cat "$dir/out")', natively '$(cat "$dir/want")'" >&2
        exit 1
    fi
    show "$name" "$who" "$best_time" "$native_time"
}

for row in integer:2000 float:6000 calls:400; do
    name=${row%:*}
    rounds=$((${row#*:} * BENCH_SCALE / 100))
    # shellcheck disable=SC2086
    ${CC:-cc} $flags -o "$dir/$name" "$top_srcdir/bench/$name.c" -lm
    # shellcheck disable=SC2086
    $RISCV64_CC $flags -o "$dir/$name.rv64" "$top_srcdir/bench/$name.c" -lm
    best "$dir/$name" $rounds
    native_time=$best_time
    cp "$dir/out" "$dir/want"
    show "$name" native "$native_time" "$native_time"
    [ -z "$peer" ] || measure "$name" qemu "$peer" "$dir/$name.rv64" $rounds
    for engine in $BENCH_ENGINES; do
        measure "$name" "dragoman:$engine" "$DRAGOMAN" --engine="$engine" "$dir/$name.rv64" $rounds
    done
done

if [ -n "${SYSROOT_RISCV64:-}" ]; then
    true_=$SYSROOT_RISCV64/usr/bin/true
    : >"$dir/want"
    again='i=0; while [ $i -lt 20 ]; do i=$((i + 1)); "$@" || exit 1; done'
    best sh -c "$again" sh /bin/true
    native_time=$best_time
    show "20xtrue" native "$native_time" "$native_time"
    [ -z "$peer" ] || measure "20xtrue" qemu sh -c "$again" sh "$peer" -L "$SYSROOT_RISCV64" "$true_"
    for engine in $BENCH_ENGINES; do
        measure "20xtrue" "dragoman:$engine" sh -c "$again" sh "$DRAGOMAN" --engine="$engine" \
            -L "$SYSROOT_RISCV64" "$true_"
    done
fi
