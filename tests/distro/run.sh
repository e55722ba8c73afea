#!/bin/sh
# Debian's second stage, package installations and a package build of a whole foreign system in a chroot, by
# Dragoman and by qemu-user one after the other, each step timed: what `make distro` runs.
#
#   tests/distro/run.sh [--guest=riscv64|arm64]... [--with=dragoman|qemu]... [--work=DIR] [STEP...]
#
# A step that was done is not done again: what is below DIR (/var/tmp/dragoman-distro unless given; 3 GB for each of
# the four systems) is gone on from there; delete it to begin anew. The times, and those of qemu beside them, are in
# DIR/times and are printed at the end. Exit status 1 when a step failed; its log is DIR/GUEST-EMULATOR.STEP.log.
#
# Everything runs in a user namespace with a binfmt_misc of its own (Linux 6.7): the machine's is not touched. Root is
# needed for the many users of a system; debootstrap; the network, by the machine's own Debian archive. Packages are fetched
# once, in steps of their own, so that no time has the network in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=${top_srcdir:-$here/../..}
bin=${top_builddir:-$top/build}/bin
work=/var/tmp/dragoman-distro suite=trixie
guests='' emulators='' steps=''
say() { echo "distro: $*" >&2; }
die() {
    say "$*"
    exit 2
}
for arg; do
    case $arg in
    --guest=*) guests="$guests ${arg#*=}" ;;
    --with=*) emulators="$emulators ${arg#*=}" ;;
    --work=*) work=${arg#*=} ;;
    -*) die "no option '$arg' (see the top of this file)" ;;
    *) steps="$steps $arg" ;;
    esac
done
: "${guests:=riscv64 arm64}" "${emulators:=dragoman qemu}"
: "${steps:=second-stage update fetch install upgrade audit ldconfig adduser users fakeroot fetch-source build}"
[ "$(id -u)" -eq 0 ] || die "root is needed, for the users of the systems (in a namespace of their own)"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
[ -x "$bin/dragoman-static" ] || die "no $bin/dragoman-static: build it first"
unshare --user --map-root-user --mount mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null ||
    die "no binfmt_misc in user namespaces: Linux 6.7 or newer is needed"
peer=$("$top/tools/sysroot.sh" qemu)
archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 !~ /[-\/]/ && $1 ~ /debian\/?$/ { print $1; exit }')
[ -n "$archive" ] || die "no Debian archive (component main) among this machine's apt sources"
mkdir -p "$work"

# What runs in the namespace before the chroot, and in it.
inside='set -e
root=$1 rule=$2 cache=$3
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
printf %s "$rule" >/proc/sys/fs/binfmt_misc/register
mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/lock"
chmod 1777 "$root/dev/shm" "$root/run/lock"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount --bind "$cache" "$root/var/cache/apt/archives"
exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive container=lxc /bin/sh -e -c "$4"'

packages="gcc g++ libc6-dev make python3 git nodejs sqlite3 perl ruby sudo fakeroot gpg gpgv adduser build-essential
    debhelper locales"

script_of() { # STEP
    case $1 in
    second-stage) echo "exec /debootstrap/debootstrap --second-stage" ;;
    update) echo "echo 'deb $archive $suite main' >/etc/apt/sources.list
        echo 'deb-src $archive $suite main' >>/etc/apt/sources.list
        apt-get -q update" ;;
    fetch) echo "apt-get -q -y --download-only --no-install-recommends install" $packages ;;
    install) echo "apt-get -q -y --no-install-recommends install" $packages ;;
    upgrade) echo "apt-get -q -y upgrade" ;;
    audit) echo 'test -z "$(dpkg --audit)"; dpkg -C; test -z "$(dpkg -l | grep -v "^ii" | grep "^[a-z][A-Za-z] ")"' ;;
    ldconfig) echo 'i=0; while [ $i -lt 500 ]; do ldconfig; i=$((i + 1)); done' ;;
    adduser) echo 'adduser --disabled-password --comment "" worker; id worker; adduser worker games
        test "$(id -Gn worker)" = "worker games users" || test "$(id -Gn worker)" = "worker users games"
        su - worker -c "test \$(id -un) = worker && touch ~/mine && ls -l ~/mine"; deluser worker games' ;;
    users) echo 'test "$(su -s /bin/sh -c "id -un" nobody)" = nobody
        echo "worker ALL=(root) NOPASSWD: /usr/bin/id" >/etc/sudoers.d/worker; chmod 440 /etc/sudoers.d/worker
        test "$(su worker -c "sudo -n /usr/bin/id -u")" = 0
        if su worker -c "sudo -n /usr/bin/whoami"; then exit 1; fi
        test "$(su worker -c "passwd -S worker" | cut -c1-6)" = worker
        su worker -c "cd; rm -rf .gnupg; gpg --batch --quiet --pinentry-mode loopback --passphrase \"\" --quick-generate-key w@x ed25519
            echo text >t; gpg --batch --yes --sign t; gpg --verify t.gpg; gpgconf --kill all"' ;;
    fakeroot) echo 'su worker -c "cd; rm -rf f; mkdir f; fakeroot sh -c \"chown 12:34 f; stat -c %u:%g f; tar cf f.tar f; tar --numeric-owner -tvf f.tar\"" | tee /tmp/f
        grep -q "^12:34$" /tmp/f; grep -q "12/34" /tmp/f' ;;
    fetch-source) echo 'rm -rf /home/worker/src; su worker -c "mkdir ~/src"; cd /home/worker/src
        for p in gzip lz4; do apt-get -q -y --no-install-recommends build-dep $p; su worker -c "apt-get -q source $p"; done' ;;
    build) echo 'for p in gzip lz4; do su worker -c "cd ~/src/$p-*/ && dpkg-buildpackage -us -uc -b"; done
        ls -l /home/worker/src/*.deb' ;;
    *) die "no step '$1'" ;;
    esac
}

first_stage() { # GUEST: a tar archive of debootstrap's
    tar=$work/first-$1.tar
    [ ! -e "$tar" ] || return 0
    say "$1: debootstrap --foreign ($suite)"
    rm -rf "$work/first-$1"
    debootstrap --foreign --arch="$1" "$suite" "$work/first-$1" "$archive" >"$work/first-$1.log" 2>&1 ||
        die "debootstrap failed: see $work/first-$1.log"
    rm -rf "$work/first-$1/proc" "$work/first-$1/dev"
    mkdir "$work/first-$1/proc" "$work/first-$1/dev"
    # The packages lie outside, for both systems.
    mkdir -p "$work/archives-$1/partial"
    mv "$work/first-$1/var/cache/apt/archives"/*.deb "$work/archives-$1/"
    tar -cf "$tar.new" -C "$work/first-$1" .
    rm -rf "$work/first-$1"
    mv "$tar.new" "$tar"
}

rule_of() { # GUEST EMULATOR
    name=$1
    [ "$name" != arm64 ] || name=aarch64
    if [ "$2" = qemu ]; then handler=$peer/usr/bin/qemu-$name; else handler=$bin/dragoman-static; fi
    "$bin/dragomanctl" binfmt print --guest="$name" --handler="$handler"
}

bad=0
do_step() { # GUEST EMULATOR STEP
    system=$work/$1-$2
    [ ! -e "$system.done/$3" ] || return 0
    if [ ! -d "$system.done" ]; then
        rm -rf "$system"
        mkdir "$system"
        tar -xf "$work/first-$1.tar" -C "$system"
        cp /etc/resolv.conf /etc/hosts "$system/etc/"
        mkdir "$system.done"
    fi
    say "$1, $2: $3 ..."
    script=$(script_of "$3")
    rule=$(rule_of "$1" "$2")
    start=$(date +%s.%N)
    status=0
    # The line of times(1) that counts is that of the children.
    # shellcheck disable=SC2016
    sh -c '"$0" "$@" </dev/null; status=$?; times >&3; exit $status' "$top/tools/userns.sh" \
        sh -c "$inside" sh "$system" "$rule" "$work/archives-$1" "$script" 3>"$work/times.one" >"$system.$3.log" 2>&1 ||
        status=$?
    end=$(date +%s.%N)
    cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "m"); s += t[1] * 60 + t[2] } printf "%.1f", s }' "$work/times.one")
    if [ $status -eq 0 ]; then
        echo "$1 $2 $3 $cpu $(echo "$start $end" | awk '{ printf "%.1f", $2 - $1 }')" >>"$work/times"
        : >"$system.done/$3"
        say "$1, $2: $3: $(tail -n 1 "$work/times" | cut -d' ' -f4-) s (user+system, wall)"
    else
        bad=$((bad + 1))
        say "$1, $2: $3: FAILED (status $status): see $system.$3.log"
        tail -n 5 "$system.$3.log" | sed 's/^/    /' >&2
    fi
}

for guest in $guests; do
    first_stage "$guest"
    for step in $steps; do
        for emulator in $emulators; do do_step "$guest" "$emulator" "$step"; done
    done
done
# Seconds of user and system time, and wall time; the last column is Dragoman's time in percent of qemu's.
awk '{ cpu[$1, $3, $2] = $4; wall[$1, $3, $2] = $5; if (!seen[$1, $3]++) order[n++] = $1 " " $3 }
    function ratio(a, b) { return a && b ? sprintf("%d %%", a / b * 100 + 0.5) : "-" }
    END { printf "%-8s %-13s %9s %9s %6s   %9s %9s %6s\n", "guest", "step", "cpu", "qemu", "", "wall", "qemu", ""
        for (i = 0; i < n; i++) { split(order[i], o, " "); d = o[1] SUBSEP o[2] SUBSEP "dragoman"; q = o[1] SUBSEP o[2] SUBSEP "qemu"
            printf "%-8s %-13s %9s %9s %6s   %9s %9s %6s\n", o[1], o[2], cpu[d], cpu[q], ratio(cpu[d], cpu[q]), wall[d], wall[q], ratio(wall[d], wall[q]) } }' \
    "$work/times" 2>/dev/null || say "nothing was timed"
[ $bad -eq 0 ] || exit 1
