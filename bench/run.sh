#!/bin/sh
# Times the rows of rows.table natively, in the peer emulator and in Dragoman, turn by turn in one
# run, and writes the ratios as a table, as Markdown and as a plot. `make bench` runs it.
#
#   BENCH_GUEST=riscv64  or arm64
#   BENCH_RUNS=3         runs of each; the fastest counts
#   BENCH_ONLY=REGEX     only rows whose group or name matches (an extended regular expression)
#   BENCH_SCALE=100      percent of the usual amount of work, where a row's command has it as {N}
#   BENCH_OPTIONS=       options for Dragoman, such as --engine=interp
#   BENCH_TIMEOUT=120    seconds that one run may take
#   BENCH_OUT=.          directory for bench.md, bench.svg and bench.tsv
#
# The time is user + system time of the command and its children, of whole runs: start, translation
# and all. Each output must be the native one's byte for byte; a row where Dragoman's is not, or that
# fails, has no time, and the status is 1. Where the peer fails, the row says so and has no ratio to it.
#
# Environment: DRAGOMAN, RISCV64_CC, AARCH64_CC, CC, AWK, PEER_DIR, top_srcdir, as `make` gives them.
set -eu
: "${BENCH_GUEST:=riscv64}"
: "${BENCH_RUNS:=3}" "${BENCH_ONLY:=}" "${BENCH_SCALE:=100}" "${BENCH_OPTIONS:=}" "${BENCH_TIMEOUT:=120}"
: "${BENCH_OUT:=.}" "${CC:=cc}" "${AWK:=awk}"
die() {
    echo "bench: $*" >&2
    exit 1
}
case $BENCH_GUEST in
riscv64) guest_cc=${RISCV64_CC:-} package=gcc-riscv64-linux-gnu machine=riscv64 ;;
arm64) guest_cc=${AARCH64_CC:-} package=gcc-aarch64-linux-gnu machine=aarch64 ;;
*) die "BENCH_GUEST=$BENCH_GUEST: give riscv64 or arm64" ;;
esac
[ -n "$guest_cc" ] || die "no $BENCH_GUEST compiler: install $package"
sysroot=$("$top_srcdir/tools/sysroot.sh" "$BENCH_GUEST")
amd64=$("$top_srcdir/tools/sysroot.sh" amd64)
peer=${PEER_DIR:-$("$top_srcdir/tools/sysroot.sh" qemu)}/usr/bin/qemu-$machine
src=$top_srcdir/bench
out=$(cd "$BENCH_OUT" && pwd)
dir=$(mktemp -d /tmp/dragoman-bench.XXXXXX) # in /tmp, which sysroots share with the machine
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$dir/bin" "$dir/root" "$dir/work"

tab=$(printf '\t')
rows=$dir/rows
# The crypto group is of instructions that one of the guests has.
case $BENCH_GUEST in arm64) without='^#' ;; *) without='^#|^crypto ' ;; esac
grep -v -E "$without" "$src/rows.table" |
    $AWK -v only="$BENCH_ONLY" -v scale="$BENCH_SCALE" -F ' [|] ' '
        $1 ~ only || $2 ~ only {
            command = $0
            sub(/^[^|]*[|] [^|]* [|] /, "", command)
            while (match(command, /[{][0-9]+[}]/)) {
                n = int(substr(command, RSTART + 1, RLENGTH - 2) * scale / 100)
                command = substr(command, 1, RSTART - 1) (n > 0 ? n : 1) substr(command, RSTART + RLENGTH)
            }
            print $1 "\t" $2 "\t" command
        }' >"$rows"
count=$(wc -l <"$rows")
[ "$count" -gt 0 ] || die "no row's group or name matches '$BENCH_ONLY'"

# Flags of each program, the same for both machines. No contraction: the host has no fused operations
# unless told, the guest has, and the results would differ. `float` is not vectorised, because the
# guest RV64GC has nothing to vectorise with; `float-v` shows what that leaves out there, and is vectorised on both
# sides for AArch64.
flags_of() { # NAME native|guest
    case $1:$2 in
    float:*) echo "-O3 -ffp-contract=off -fno-tree-vectorize -static" ;;
    crypto:native) echo "-O3 -maes -mpclmul -msha -msse4.1 -static" ;;
    crypto:guest) echo "-O3 -march=armv8-a+crypto -static" ;;
    *) echo "-O3 -ffp-contract=off -static -pthread" ;;
    esac
}
echo "bench: building" >&2
$CC -O2 -o "$dir/bin/launch" "$src/launch.c"
for name in $(sed -n "s/.*$tab@\([a-z0-9-]*\) .*/\1/p" "$rows" | sort -u); do
    # shellcheck disable=SC2046
    $CC $(flags_of "$name" native) -o "$dir/bin/$name" "$src/${name%-v}.c" -lm
    # shellcheck disable=SC2046
    $guest_cc $(flags_of "$name" guest) -o "$dir/bin/$name.guest" "$src/${name%-v}.c" -lm
done

cd "$dir/work"
run_native() { # ARGUMENT... of launch: in the amd64 sysroot
    env -i PATH=/usr/bin:/bin HOME="$dir/work" LC_ALL=C TZ=UTC "$dir/bin/launch" -t "$BENCH_TIMEOUT" "$@" \
        </dev/null 2>"$dir/err"
}
# What Debian's programs work on; made by the native ones.
if grep -q -v "$tab@" "$rows"; then
    cp -r "$src/programs" .
    prepare() { # OUTPUT COMMAND...
        file=$1
        shift
        [ "$(run_native -o "$file" -r "$amd64" -m "$dir/root" "$@" | cut -d' ' -f1)" = 0 ] ||
            die "cannot make $file: $(cat "$dir/err")"
    }
    prepare text gawk -v "lines=$((18000 * BENCH_SCALE / 100))" -f programs/text.awk
    prepare big cat text text text text text text text text
    prepare big.gz gzip -n -c big
    prepare text.xz xz -c text
    prepare big.zst zstd -q -c big
    prepare source.c gawk -v "functions=$((150 * BENCH_SCALE / 100))" -f programs/source.awk
    printf '%s\n' 'int printf(const char *, ...); int main(void) { return printf("hello\n") != 6; }' >hello.c
    mkdir project tree
    {
        printf 'all: prog\n\t./prog\nprog:'
        for i in 1 2 3 4 5 6; do printf ' f%s.o' $i; done
        printf '\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O1 -c $<\n'
    } >project/Makefile
    for i in 2 3 4 5 6; do
        prepare "project/f$i.c" gawk -v functions=3 -v "n=$i" -f programs/source.awk
        sed -i "s/^double mix/static double mix/; \$a double f$i(void) { return mix2(0, 0, 0); }" "project/f$i.c"
    done
    printf '%s\n' 'double f2(void); int printf(const char *, ...);' \
        'int main(void) { return printf("%p\n", (void *)(f2 ? 0 : main)) < 0; }' >project/f1.c
    for i in 1 2 3 4 5 6 7 8 9 10; do
        mkdir tree/d$i
        for j in 1 2 3 4 5 6 7 8; do
            sed -n "$((i * 80 + j * 9)),+${j}0p" text >tree/d$i/t$j
            cp "project/f$((j % 6 + 1)).c" tree/d$i/f$j.c
        done
    done
fi

# Sets status, time and wall to those of one run.
run() { # WHO WORD...: output to $dir/WHO
    who=$1 first=$2
    shift 2
    case $who:$first in
    native:@*) set -- "$dir/bin/${first#@}" "$@" ;;
    qemu:@*) set -- "$peer" "$dir/bin/${first#@}.guest" "$@" ;;
    # shellcheck disable=SC2086
    dragoman:@*) set -- "$DRAGOMAN" $BENCH_OPTIONS "$dir/bin/${first#@}.guest" "$@" ;;
    native:*) set -- -r "$amd64" -m "$dir/root" "/usr/bin/$first" "$@" ;;
    qemu:*) set -- -r "$sysroot" -m "$dir/root" -g "$BENCH_GUEST" -b "$peer" "/usr/bin/$first" "$@" ;;
    # shellcheck disable=SC2086
    dragoman:*) set -- "$DRAGOMAN" $BENCH_OPTIONS -L "$sysroot" "/usr/bin/$first" "$@" ;;
    esac
    run_native -o "$dir/$who" "$@" >"$dir/times" || echo "125 0 0" >"$dir/times"
    read -r status time wall <"$dir/times"
}

failures=0 number=0
: >"$out/bench.tsv"
while IFS=$tab read -r group name command; do
    number=$((number + 1))
    printf 'bench: %d of %d: %-32s\r' $number "$count" "$name" >&2
    native= qemu= dragoman= note= reference=native
    case $command in '~'*) command=${command#?} reference=qemu ;; esac
    for turn in $(seq "$BENCH_RUNS"); do
        for who in native qemu dragoman; do
            eval "result=\$$who"
            [ "$turn" = 1 ] || [ "$result" != - ] || continue # failed before
            eval "run $who $command"
            if [ "$status" -ne 0 ]; then
                note="$note$who failed, status $status; "
                eval "$who=-"
                sed 's/^/    /; 3q' "$dir/err" >&2
            elif [ $who != native ] && [ $who != $reference ] && ! cmp -s "$dir/$who" "$dir/$reference"; then
                note="$note$who: output differs; "
                eval "$who=-"
            else
                [ -n "$result" ] && [ "${result% *}" -le "$time" ] || eval "$who='$time $wall'"
            fi
        done
    done
    case $native:$dragoman in -:* | *:-) failures=$((failures + 1)) ;; esac
    for who in native qemu dragoman; do eval "[ \"\$$who\" != - ] || $who='- -'"; done
    printf '%60s\r' '' >&2
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$group" "$name" "$native" "$qemu" "$dragoman" "${note%; }" |
        tee -a "$out/bench.tsv" | $AWK -v form=line -f "$src/report.awk"
done <"$rows"

{
    echo "$(date +%Y-%m-%d), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1), $(nproc) cores," \
        "load average $(cut -d' ' -f1 /proc/loadavg); BENCH_GUEST=$BENCH_GUEST BENCH_RUNS=$BENCH_RUNS BENCH_SCALE=$BENCH_SCALE" \
        "BENCH_ONLY='$BENCH_ONLY' BENCH_OPTIONS='$BENCH_OPTIONS' make bench"
    echo
    $AWK -v form=markdown -f "$src/report.awk" "$out/bench.tsv"
} >"$out/bench.md"
$AWK -v form=svg -f "$src/report.awk" "$out/bench.tsv" >"$out/bench.svg"
echo
sed -n '/^| group/,$p' "$out/bench.md"
echo "bench: wrote $out/bench.md, bench.svg and bench.tsv" >&2
[ $failures -eq 0 ] || die "$failures rows failed"
