#!/bin/sh
# The emitter's bytes against the GNU assembler's for the same instructions.
set -e
for tool in as objcopy objdump; do
    command -v "$tool" >/dev/null 2>&1 || { echo "skipped: $tool is not installed"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$top_builddir/tests/host/x64/sample" "$dir/ours.bin" "$dir/text.s"
as -o "$dir/theirs.o" "$dir/text.s"
objcopy -O binary -j .text "$dir/theirs.o" "$dir/theirs.bin"
n=$(wc -c <"$dir/ours.bin")
[ "$n" -gt 300 ] || { echo "only $n bytes were emitted"; exit 1; }
if ! cmp "$dir/ours.bin" "$dir/theirs.bin"; then
    for f in ours theirs; do
        objdump -D -b binary -m i386:x86-64 -M intel "$dir/$f.bin" >"$dir/$f.txt"
    done
    diff "$dir/ours.txt" "$dir/theirs.txt" || true
    exit 1
fi
