#!/bin/sh
# The compatibility matrix: programs that do things, for each guest, by each engine and by the peer
# emulator, on whole releases of Debian. `make matrix` runs it; options and MATRIX_ variables are the same.
#
#   --only=REGEX      only rows whose name or grade matches (an extended regular expression)
#   --guests="..."    riscv64 arm64
#   --engines="..."   qemu auto launcher interp bt; native gives expected values and is always there (alone, when this is empty)
#   --dists="..."     Debian releases: trixie bookworm sid ...; rows of some need other packages
#   --jobs=N          rows at the same time (1: times mean something)
#   --patience=N      multiply the time limits, on a busy machine
#   --fresh           run cells again that are there already
#   --retry           run cells again that did not pass
#   --keep            leave cells as they are that another build of the emulator made
#   --list            only the rows: name, grade, group, what
#   --report          only write the page
#   --out=DIR         where cells, page and Markdown go (matrix/ in the build directory)
#
# A cell is one row in one column: DIR/cells/DIST/GUEST/ENGINE/ROW, with ROW.log beside it. It is
# kept, so a run that was interrupted goes on where it was, and run again when its row, the packages or
# the emulator has changed. Rows come by grade, the basic ones first. DIR/builds tells the revision of each emulator's checksum.
#
# A row is rows/NAME.sh, a POSIX sh script (which may use lib.sh) whose head says
#
#   # what it does
#   # grade=basic|medium|hard|brutal group=GROUP time=SECONDS memory=MIB [factor=N] [expect=native]
#   #   [guests="..."] [dists="..."] [engines="..."]
#
# and groups/GROUP lists its packages (`default`: those of `make check`; `WORD: PACKAGE ...` is a line for one
# architecture or release). It runs as root in /tmp of a root of its own, nothing of which outlives it, in
# namespaces of its own (bench/launch.c): binfmt_misc there has the emulator as its only entry, so whatever starts
# a guest program, the kernel finds it. The peer and Dragoman are treated alike. The column `launcher` has no
# binfmt_misc: `dragoman /bin/sh ROW.sh`, and Dragoman carries what that starts. What it prints must be
# rows/NAME.out, which comes from the native programs or from published values; with expect=native, and in any
# release but trixie (whose programs made rows/NAME.out), what the amd64 programs of that release print in this
# run, MATRIX_GUEST telling for which guest. `time` holds for all engines but interp and bt, which have factor
# times as much (4). Status 77 says that the machine lacks what the row needs; the last line on stderr says what.
set -eu
die() {
    echo "matrix: $*" >&2
    exit 1
}
: "${MATRIX_ONLY:=}" "${MATRIX_GUESTS:=riscv64 arm64}" "${MATRIX_ENGINES=qemu auto launcher interp bt}" "${MATRIX_DISTS:=trixie}"
: "${MATRIX_JOBS:=1}" "${MATRIX_FRESH:=}" "${MATRIX_RETRY:=}" "${MATRIX_KEEP:=}" "${MATRIX_OUT:=matrix}" "${MATRIX_PATIENCE:=1}" "${CC:=cc}" "${AWK:=awk}"
action=run
for option; do
    value=${option#*=}
    case $option in
    --only=*) MATRIX_ONLY=$value ;;
    --guests=*) MATRIX_GUESTS=$value ;;
    --engines=*) MATRIX_ENGINES=$value ;;
    --dists=*) MATRIX_DISTS=$value ;;
    --jobs=*) MATRIX_JOBS=$value ;;
    --patience=*) MATRIX_PATIENCE=$value ;;
    --out=*) MATRIX_OUT=$value ;;
    --fresh) MATRIX_FRESH=yes ;;
    --retry) MATRIX_RETRY=yes ;;
    --keep) MATRIX_KEEP=yes ;;
    --list | --report | --row) action=${option#--} ;;
    -*) die "no option '$option' (see the top of tests/matrix/run.sh)" ;;
    *) row=$value ;;
    esac
done
src=${top_srcdir:?}/tests/matrix
tab=$(printf '\t')

# The words of a row's head become variables.
head_of() { # ROW
    grade=basic group=default time=60 memory=1000 factor=4 expect=file guests=$MATRIX_GUESTS dists=$MATRIX_DISTS
    engines="qemu auto interp bt"
    what=$(sed -n 's/^# //; 1p' "$src/rows/$1.sh")
    eval "$(sed -n '2,4s/^# *\([a-z]*=\)/\1/p' "$src/rows/$1.sh")"
    ! has "$engines" auto || engines="$engines launcher"
}
has() { case " $1 " in *" $2 "*) ;; *) return 1 ;; esac }

rows=$(cd "$src/rows" && for file in *.sh; do
    name=${file%.sh}
    its=$(sed -n '2,4s/^# grade=\([a-z]*\).*/\1/p' "$file")
    if [ -z "$MATRIX_ONLY" ] || printf '%s\n' "$name" "$its" | grep -Eq "$MATRIX_ONLY"; then
        case $its in basic) its=1 ;; medium) its=2 ;; hard) its=3 ;; *) its=4 ;; esac
        echo "$its $name"
    fi
done | sort | cut -d' ' -f2)
[ -n "$rows" ] || die "no row matches '$MATRIX_ONLY'"

if [ $action = list ]; then
    for row in $rows; do
        head_of "$row"
        printf '%-20s %-7s %-9s %s\n' "$row" "$grade" "$group" "$what"
    done
    exit 0
fi

packages_of() { # GROUP ARCH DIST: lines may be for one architecture or release
    [ "$1" = default ] || cat "$src/groups/common" "$src/groups/$1" | sed "s/#.*//; s/^$2: //; s/^$3: //; /^[a-z0-9]*: /d" |
        tr -s ' \n' '\n' | LC_ALL=C sort -u
}
sysroot_of() { # DIST ARCH GROUP
    # shellcheck disable=SC2046
    "$top_srcdir/tools/sysroot.sh" --suite="$1" "$2" $(packages_of "$3" "$2" "$1")
}
emulator_of() { # ENGINE GUEST
    case $1:$2 in
    native:*) ;;
    qemu:arm64) echo "$PEER_DIR/usr/bin/qemu-aarch64" ;;
    qemu:*) echo "$PEER_DIR/usr/bin/qemu-$2" ;;
    *) echo "$DRAGOMAN" ;;
    esac
}

if [ $action = run ]; then
    DRAGOMAN=${MATRIX_DRAGOMAN:-${top_builddir:?}/bin/dragoman-static}
    [ -x "$DRAGOMAN" ] || die "no static dragoman at $DRAGOMAN"
    [ -n "${PEER_DIR:-}" ] || PEER_DIR=$("$top_srcdir/tools/sysroot.sh" qemu)
    mkdir -p "$MATRIX_OUT/cells"
    MATRIX_OUT=$(cd "$MATRIX_OUT" && pwd)
    # By a rename: another run may be using it.
    [ "$MATRIX_OUT/launch" -nt "$top_srcdir/bench/launch.c" ] ||
        { $CC -O2 -o "$MATRIX_OUT/launch.$$" "$top_srcdir/bench/launch.c" && mv "$MATRIX_OUT/launch.$$" "$MATRIX_OUT/launch"; }
    build=$(cksum <"$DRAGOMAN" | tr ' ' -)
    grep -q "^$build " "$MATRIX_OUT/builds" 2>/dev/null ||
        echo "$build ${MATRIX_REVISION:-$(git -C "$top_srcdir" describe --always --dirty 2>/dev/null || echo unknown)}" >>"$MATRIX_OUT/builds"
    for row in $rows; do
        head_of "$row"
        for dist in $MATRIX_DISTS; do
            ! has "$dists" "$dist" || printf '%s\n' "$dist amd64 $group"
            for guest in $MATRIX_GUESTS; do
                ! { has "$dists" "$dist" && has "$guests" "$guest"; } || printf '%s\n' "$dist $guest $group"
            done
        done
    done | sort -u | while read -r dist arch group; do
        sysroot_of "$dist" "$arch" "$group" >/dev/null || echo "matrix: no packages of $group for $dist $arch" >&2
    done
    export DRAGOMAN PEER_DIR MATRIX_PATIENCE MATRIX_ENGINES MATRIX_GUESTS MATRIX_DISTS MATRIX_FRESH MATRIX_RETRY MATRIX_KEEP MATRIX_OUT MATRIX_ONLY AWK
    count=$(echo "$rows" | wc -l)
    MATRIX_COUNT=$count
    export MATRIX_COUNT
    echo "$rows" | $AWK '{ print NR ":" $0 }' | xargs -P "$MATRIX_JOBS" -n 1 sh "$0" --row || :
fi

# ---- one row, all its cells -----------------------------------------------------------------------

finish() { # STATE TIME WALL REASON
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$key" "$4" >"$cell.new"
    mv "$cell.new" "$cell"
    printf 'matrix: %3d of %d  %-20s %-8s %-8s %-7s %-7s %7d ms  %s\n' "$number" "$MATRIX_COUNT" "$row" "$dist" "$guest" \
        "$engine" "$1" $(($2 / 1000)) "$4" >&2
}

run_cell() { # dist guest engine row and the head's words are set
    cells=$MATRIX_OUT/cells/$dist/$guest
    cell=$cells/$engine/$row
    mkdir -p "$cells/$engine"
    arch=$guest
    [ $engine != native ] || arch=amd64
    emulator=$(emulator_of $engine "$guest")
    key=$({
        cat "$src/rows/$row.sh" "$src/rows/$row.out" 2>/dev/null || :
        ! grep -qF '. /matrix/lib.sh' "$src/rows/$row.sh" || cat "$src/lib.sh"
        packages_of "$group" $arch "$dist"
    } | cksum | tr ' ' -)
    build=-
    [ -z "$emulator" ] || build=$(cksum <"$emulator" | tr ' ' -)
    if [ -z "$MATRIX_FRESH" ] && [ -f "$cell" ] && { [ -z "$MATRIX_RETRY" ] || [ "$(cut -f1 "$cell")" = pass ]; }; then
        case $MATRIX_KEEP:$(cut -f4 "$cell") in
        yes:"$key"/* | :"$key/$build") return ;;
        esac
    fi
    if [ $engine = native ] && [ "$expect" != native ] && [ -z "$MATRIX_FRESH" ]; then # the same programs for every guest
        for other in "$MATRIX_OUT/cells/$dist"/*/native/"$row"; do
            if [ -f "$other" ] && [ "$other" != "$cell" ] && [ "$(cut -f1,4 "$other")" = "pass$tab$key/$build" ]; then
                cp "$other" "$cell"
                cp "$other.log" "$cell.log"
                cp "$other.stdout" "$cell.stdout"
                return
            fi
        done
    fi
    key=$key/$build
    : >"$cell.log"
    sysroot=$("$top_srcdir/tools/sysroot.sh" --path --suite="$dist" $arch $(packages_of "$group" $arch "$dist")) || {
        finish skip 0 0 "the packages cannot be had: see tools/sysroot.sh"
        return
    }
    expected=$src/rows/$row.out
    if [ "$expect" = native ] && [ $engine != native ]; then
        expected=$cells/native/$row.stdout
        if [ "$(cut -f1 "$cells/native/$row")" != pass ]; then
            finish skip 0 0 "expects what the native program prints, and that failed"
            return
        fi
    fi
    rm -rf "$scratch/upper" "$scratch/work" "$scratch/root"
    mkdir -p "$scratch/upper/tmp" "$scratch/upper/root" "$scratch/upper/matrix" "$scratch/work" "$scratch/root"
    chmod 1777 "$scratch/upper/tmp"
    chmod 755 "$scratch/upper"
    cp "$src/rows/$row.sh" "$src/lib.sh" "$scratch/upper/matrix/"
    limit=$((time * MATRIX_PATIENCE)) variables=
    set -- -o "$scratch/stdout" -r "$sysroot" -m "$scratch/root" -i "$scratch" -M "$memory"
    launcher=
    case $engine in
    native) ;;
    launcher)
        cp "$emulator" "$scratch/upper/matrix/dragoman"
        launcher=/matrix/dragoman
        ;;
    *) set -- "$@" -b "$emulator" -g "$guest" ;;
    esac
    case $engine in
    interp | bt)
        limit=$((limit * factor))
        variables=DRAGOMAN_ENGINE=$engine
        ;;
    esac
    # shellcheck disable=SC2086
    (cd "$scratch" && env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LOGNAME=root \
        LC_ALL=C.UTF-8 TZ=UTC TERM=xterm MATRIX_GUEST="$guest" $variables "$MATRIX_OUT/launch" -t "$limit" "$@" \
        $launcher /bin/sh "/matrix/$row.sh" </dev/null 2>"$scratch/stderr" >"$scratch/times") || echo 125 0 0 >"$scratch/times"
    read -r status used wall <"$scratch/times"
    { # the log: what differs, and what was said
        if [ ! -f "$expected" ]; then
            [ $engine = native ] || echo "no expected output $expected"
        elif ! cmp -s "$scratch/stdout" "$expected"; then
            echo '--- differences from the expected output ---'
            diff -a "$expected" "$scratch/stdout" | head -n 60 || :
        fi
        echo "--- standard error (end), status $status ---"
        tail -n 40 "$scratch/stderr"
    } | LC_ALL=C tr -d '\000-\010\013\014\016-\037' | cut -c1-400 >"$cell.log"
    if [ $engine = native ]; then
        [ -s "$scratch/stdout" ] || [ "$status" != 0 ] || status=nothing # a row that cannot fail
        cp "$scratch/stdout" "$cell.stdout"
        [ "$expect" != native ] || expected=$cell.stdout
    fi
    case $status in
    0) if cmp -s "$scratch/stdout" "$expected"; then
        finish pass "$used" "$wall" ""
    else
        finish fail "$used" "$wall" "output differs"
    fi ;;
    77) finish skip "$used" "$wall" "$(tail -n 1 "$scratch/stderr")" ;;
    123) finish memory "$used" "$wall" "more than $memory MiB" ;;
    124) finish timeout "$used" "$wall" "more than $limit s" ;;
    nothing) finish fail "$used" "$wall" "prints nothing natively" ;;
    *) finish fail "$used" "$wall" "status $status" ;;
    esac
}

if [ $action = row ]; then
    number=${row%%:*}
    row=${row#*:}
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/dragoman-matrix.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 1' HUP INT TERM
    for dist in $MATRIX_DISTS; do
        head_of "$row"
        [ "$dist" = trixie ] || expect=native
        for guest in $MATRIX_GUESTS; do
            has "$dists" "$dist" && has "$guests" "$guest" || continue
            for engine in native $MATRIX_ENGINES; do
                [ $engine = native ] || has "$engines" "$engine" || continue
                run_cell
            done
        done
    done
    exit 0
fi

# ---- the page -------------------------------------------------------------------------------------

# One line per cell: row, grade, group, what, dist, guest, engine, state, time, wall, reason, log's file, revision of the
# emulator. A cell that a column lacks though the row is for it is there too.
MATRIX_DISTS=$(cd "$MATRIX_OUT/cells" && echo *) MATRIX_GUESTS="riscv64 arm64"
for file in "$src"/rows/*.sh; do
    row=$(basename "$file" .sh)
    head_of "$row"
    for column in "$MATRIX_OUT"/cells/*/*/*/; do
        place=${column#"$MATRIX_OUT/cells/"} place=${place%/}
        dist=${place%%/*} engine=${place##*/}
        guest=${place#*/} guest=${guest%/*}
        has "$dists" "$dist" && has "$guests" "$guest" && has "native $engines" "$engine" || continue
        state=absent used=0 wall=0 key=/- reason="not run"
        [ ! -f "$column$row" ] || IFS=$tab read -r state used wall key reason <"$column$row" || :
        revision=$(sed -n "s/^${key#*/} //p" "$MATRIX_OUT/builds" 2>/dev/null | head -n 1)
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$row" "$grade" "$group" "$what" \
            "$dist" "$guest" "$engine" "$state" "$used" "$wall" "$reason" "$column$row.log" "${revision:--}"
    done
done >"$MATRIX_OUT/matrix.tsv"
about="$(date +%Y-%m-%d), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1), $(nproc) cores, Linux $(uname -r)"
$AWK -v about="$about" -v form=markdown -f "$src/report.awk" "$MATRIX_OUT/matrix.tsv" >"$MATRIX_OUT/matrix.md"
$AWK -v about="$about" -v form=html -f "$src/report.awk" "$MATRIX_OUT/matrix.tsv" >"$MATRIX_OUT/matrix.html"
sed -n '/^| guest/,/^$/p' "$MATRIX_OUT/matrix.md"
echo "matrix: wrote $MATRIX_OUT/matrix.html, matrix.md and matrix.tsv" >&2
# What must not be: a row that the peer passes and Dragoman does not.
$AWK -F '\t' '{ k = $1 " on " $5 " " $6 } $7 == "qemu" && $8 == "pass" { peer[k] } $7 == "auto" && $8 != "pass" { bad[k] = $8 }
    END { for (k in bad) if (k in peer) { print "matrix: " k ": qemu passes it, Dragoman: " bad[k]; n++ } exit n > 0 }' \
    "$MATRIX_OUT/matrix.tsv" >&2
