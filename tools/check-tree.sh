#!/bin/sh
# Checks what no compiler checks about the tree, and prints what breaks a rule; status 1 if any.
#
#   tools/check-tree.sh [DIRECTORY]     DIRECTORY: the top of the tree (default: this one)
#
# The rules:
#   directions  a folder includes only those before it in the order below; interp/ and bt/ never
#               see each other; nothing includes tests/ but tests
#   opening     each .c, .h and .def file opens with a comment that says what it is
#   length      no source file outside tests/ is longer than 800 lines
#   words       no package archive's host name, and no path of somebody's machine
set -eu
LC_ALL=C
export LC_ALL

order="base uop guest process host codecache interp bt exceptions syscall loader runtime"
max_lines=800

cd "${1:-$(dirname "$0")/..}"
files=$(mktemp)
found=$(mktemp)
trap 'rm -f "$files" "$found"' EXIT

# What is under version control; in an unpacked tarball: all but what making it added, build trees.
if [ -e .git ] && git -c safe.directory='*' ls-files >"$files" 2>/dev/null && [ -s "$files" ]; then
    :
else
    find . -type f ! -path './build*' ! -path './_*' ! -path './autom4te.cache/*' ! -path './m4/*' |
        sed 's,^\./,,' | grep -v -x -E 'configure~?|aclocal\.m4|.*\.in|config\..*|Makefile|.*\.(o|a|log|trs|Po)' \
        >"$files" || :
fi
[ -s "$files" ] || {
    echo "check-tree: no files found in $(pwd)" >&2
    exit 2
}

sources=$(grep -E '\.(c|h|def|inc)$' "$files" || :)

# shellcheck disable=SC2086
[ -z "$sources" ] || awk -v order="$order" '
    BEGIN { n = split(order, name, " "); for (i = 1; i <= n; i++) rank[name[i]] = i }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        from = FILENAME; sub(/\/.*/, "", from)
        split($0, part, "\""); to = part[2]
        if (to !~ /\//) {
            if (to != "config.h")
                print FILENAME ":" FNR ": directions: \"" to "\" is not written from the top of the tree"
            next
        }
        sub(/\/.*/, "", to)
        if (from == "tests" || from == "bench") next
        if (to == "tests" || to == "bench") {
            print FILENAME ":" FNR ": directions: only tests include tests/"
            next
        }
        if (!(from in rank)) next # tools/ may use any folder
        if (!(to in rank))
            print FILENAME ":" FNR ": directions: " to "/ is not one of the folders (" order ")"
        else if (rank[to] > rank[from])
            print FILENAME ":" FNR ": directions: " from "/ comes before " to "/ and must not include it"
        else if (from == "bt" && to == "interp")
            print FILENAME ":" FNR ": directions: interp/ and bt/ never see each other"
    }' $sources >>"$found"

for file in $sources; do
    case $(head -n1 "$file") in
    '/*'* | '//'*) ;;
    *) echo "$file:1: opening: no comment that says what the file owns" ;;
    esac
    case $file in
    tests/*) ;;
    *)
        lines=$(wc -l <"$file")
        [ "$lines" -le $max_lines ] || echo "$file: length: $lines lines, more than $max_lines: split it by owner"
        ;;
    esac
done >>"$found"

# The patterns are written so that they do not match themselves.
tr '\n' '\0' <"$files" | xargs -0 grep -n -I -E \
    '[a-z0-9]\.(debian|ubuntu)\.(org|net|com)|(pypi|npmjs|crates)\.(org|io|com)|(^|[^a-z.])/(work/[a-z.]|root/[.]cache)' \
    /dev/null 2>/dev/null |
    sed 's/\(:[0-9]*:\)/\1 words: /' >>"$found" || :

if [ -s "$found" ]; then
    cat "$found"
    exit 1
fi
