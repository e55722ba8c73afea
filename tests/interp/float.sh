#!/bin/sh
# RV64 floating point as a whole program sees it, under each engine: values and flags are what
# another emulator computed (float.expected).
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
program=$top_builddir/tests/interp/float.rv64
[ -x "$program" ] || {
    echo "SKIP: no riscv64 compiler: $program is not built"
    exit 77
}
status=0
for engine in interp bt auto; do
    out=$(timeout 120 "$DRAGOMAN" --engine=$engine "$program") || {
        echo "$engine: exit status $?"
        status=1
    }
    if [ "$out" != "$(cat "$top_srcdir/tests/interp/float.expected")" ]; then
        echo "$engine: the checksums are not the expected ones:"
        echo "$out"
        status=1
    fi
done
exit $status
