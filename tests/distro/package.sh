#!/bin/sh
# Builds the Debian packages from the tree and installs, replaces, upgrades, removes and purges them in a chroot beside
# qemu-user-static: what `make distro-package` runs.
#
#   tests/distro/package.sh [DIR]    DIR (/var/tmp/dragoman-package) keeps the chroot, of the machine's own release
#
# In a user namespace with a binfmt_misc of its own, as in run.sh; root, debootstrap, what the package needs to be built, and
# the network are needed.
set -eu
top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
work=${1:-/var/tmp/dragoman-package}
die() {
    echo "package: $*" >&2
    exit 1
}
if [ "${1:-}" = --inside ]; then # in the namespace
    root=$2
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C DEBIAN_FRONTEND=noninteractive \
        sh -eux /packages/try
fi
[ "$(id -u)" -eq 0 ] || die "root is needed"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
mkdir -p "$work"
rm -rf "$work/build"
mkdir -p "$work/build/dragoman"
(cd "$top" && git -c safe.directory='*' ls-files -z | xargs -0 tar -c) | tar -x -C "$work/build/dragoman"
(cd "$work/build/dragoman" && dpkg-buildpackage -b -us -uc) >"$work/build.log" 2>&1 ||
    die "dpkg-buildpackage failed: see $work/build.log"
if [ ! -e "$work/root/ready" ]; then
    eval "$(apt-get indextargets --format 'archive=$(REPO_URI) suite=$(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/ main$//p' | grep 'debian/* ' | grep -v 'suite=.*[-/]' | head -n 1)"
    rm -rf "$work/root"
    debootstrap --variant=minbase "$suite" "$work/root" "$archive" >"$work/root.log" 2>&1 ||
        die "debootstrap failed: see $work/root.log"
    : >"$work/root/ready"
fi
cp /etc/resolv.conf "$work/root/etc/"
rm -rf "$work/root/packages"
mkdir "$work/root/packages"
cp "$work"/build/*.deb "$work/root/packages/"
cat >"$work/root/packages/try" <<'TRY'
cd /packages
misc=/proc/sys/fs/binfmt_misc
ours() { grep -q "^interpreter /usr/bin/dragoman-static$" $misc/dragoman-riscv64 && grep -q ^enabled $misc/dragoman-riscv64; }
files() { find /usr/lib/binfmt.d /usr/share/binfmts /etc/binfmt.d -name '*riscv64*' 2>/dev/null | sort; }

: "--- alone"
apt-get update -q
apt-get install -y -q ./dragoman_*.deb ./dragoman-binfmt_*.deb
ours
dragomanctl binfmt status
dpkg -r dragoman-binfmt
test ! -e $misc/dragoman-riscv64
test -z "$(files)"
dpkg -P dragoman-binfmt dragoman

: "--- beside qemu"
apt-get install -y -q --no-install-recommends systemd qemu-user-static
for conf in /usr/lib/binfmt.d/qemu-riscv64.conf /usr/lib/binfmt.d/qemu-aarch64.conf; do cat $conf >$misc/register; done
before=$(files)
apt-get install -y -q ./dragoman_*.deb ./dragoman-binfmt_*.deb
test ! -e $misc/dragoman-riscv64
grep -q ^enabled $misc/qemu-riscv64
test "$(files)" = "$before"
dragomanctl binfmt install --system --replace
ours
grep -q ^disabled $misc/qemu-riscv64
test "$(readlink /etc/binfmt.d/qemu-riscv64.conf)" = /dev/null
: "--- upgraded"
dpkg -i ./dragoman_*.deb ./dragoman-binfmt_*.deb
ours
: "--- removed"
dpkg -r dragoman-binfmt
test ! -e $misc/dragoman-riscv64
grep -q ^enabled $misc/qemu-riscv64
test "$(files)" = "$before"
dpkg -P dragoman-binfmt dragoman
test ! -e /var/lib/dragoman
test ! -e /run/dragoman
test -z "$(dpkg --audit)"
apt-get -y -q purge systemd qemu-user-static >/dev/null
TRY
if sh "$top/tools/userns.sh" sh "$top/tests/distro/package.sh" --inside "$work/root" >"$work/try.log" 2>&1; then
    echo "package: built, installed, replaced, upgraded, removed and purged as it should be"
else
    tail -n 20 "$work/try.log" >&2
    die "failed: see $work/try.log"
fi
