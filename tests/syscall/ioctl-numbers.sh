#!/bin/sh
# The ioctl requests of syscall/ioctl.def have the same numbers in the guests' headers as in the host's.
set -eu
list() { # COMPILER: "name number" per line
    # shellcheck disable=SC2086 # a compiler may have words: "ccache gcc"
    $1 -D_GNU_SOURCE -I"$top_srcdir" -S -O1 -o - "$top_srcdir/tests/syscall/ioctl-numbers.c" |
        sed -n 's:.*/\* IOCTL \([A-Za-z0-9_]*\) [$#]*\(-*[0-9]*\) \*/.*:\1 \2:p'
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
list "$CC" >"$dir/host"
rows=$(grep -c '^IOC(' "$top_srcdir/syscall/ioctl.def")
[ "$(wc -l <"$dir/host")" -eq "$rows" ] || {
    echo "only $(wc -l <"$dir/host") of $rows requests were listed for the host"
    exit 1
}
compared=0
for cc in "${RISCV64_CC:-}" "${AARCH64_CC:-}"; do
    [ -n "$cc" ] || continue
    list "$cc" >"$dir/guest"
    diff "$dir/host" "$dir/guest" || {
        echo "$cc has other numbers"
        exit 1
    }
    compared=$((compared + 1))
done
if [ $compared -eq 0 ]; then
    echo "no cross compiler for a guest"
    exit 77
fi
echo "$rows requests are alike on the host and $compared guest(s)"
