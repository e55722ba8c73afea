#!/bin/sh
# Makes a guest sysroot from Debian's packages, or fetches the peer emulator, and prints its path.
#
#   tools/sysroot.sh ARCH [PACKAGE...]   ARCH is riscv64, arm64 or amd64; without packages: the
#                                        default list, which `make check` relies on
#   tools/sysroot.sh qemu                qemu-user, for comparing (path of the unpacked package)
#   tools/sysroot.sh --path ...          only prints the path; status 1 when it is not there
#   tools/sysroot.sh --suite=SUITE ...   another release of Debian's than trixie (for ARCH)
#
# Everything lives in ${DRAGOMAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dragoman}, outside the work
# tree: apt/ (a private apt: sources, lists, packages) and sysroot/NAME, NAME being the ARCH, or
# ARCH-CHECKSUM for a list of one's own. A sysroot appears by one rename when it is whole, and is
# made again when its list of packages or this file's recipe (see `recipe` below) changes. Only
# then is the network used. The mirror and the keys are those of the machine's own apt; signatures
# are always verified. Needs no root rights.
set -eu

recipe=1 # raise it when what is done to the unpacked files changes
suite=trixie
default_packages="libc6 libc-bin base-files base-passwd bash dash coreutils findutils grep sed gawk
    mawk tar gzip xz-utils bzip2 zstd perl python3 lua5.4 sqlite3 git openssl gcc g++ libc6-dev
    make busybox file procps util-linux diffutils patch ca-certificates less ncurses-bin
    ncurses-base strace"

say() { echo "sysroot: $*" >&2; }
die() {
    echo "sysroot: $*" >&2
    exit 1
}

path_only=no
while :; do
    case ${1:-} in
    --path) path_only=yes ;;
    --suite=?*) suite=${1#--suite=} ;;
    *) break ;;
    esac
    shift
done
[ $# -ge 1 ] || die "usage: tools/sysroot.sh [--path] [--suite=SUITE] riscv64|arm64|amd64|qemu [PACKAGE...]"
what=$1
[ "$suite" = trixie ] || what=$what-$suite
deps=yes
case $1 in
riscv64 | arm64 | amd64)
    arch=$1
    name=$what
    shift
    if [ $# -gt 0 ]; then
        packages=$(printf '%s\n' "$@" | LC_ALL=C sort -u | tr '\n' ' ')
        name=$what-$(printf '%s' "$packages" | cksum | cut -d' ' -f1)
    else
        packages=$(echo $default_packages | tr ' ' '\n' | LC_ALL=C sort -u | tr '\n' ' ')
    fi
    ;;
qemu)
    [ $# -eq 1 ] && [ "$what" = qemu ] || die "qemu takes no packages and no suite"
    arch=amd64 name=qemu packages="qemu-user " deps=no
    ;;
*) die "unknown architecture '$1': use riscv64, arm64, amd64 or qemu" ;;
esac

[ -n "${DRAGOMAN_CACHE:-${XDG_CACHE_HOME:-${HOME:-}}}" ] ||
    die "HOME is not set: set DRAGOMAN_CACHE to a directory that can hold about 2 GB"
cache=${DRAGOMAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dragoman}
root=$cache/sysroot/$name
stamp="recipe $recipe
suite $suite
packages $packages"

is_current() { [ -f "$root/.dragoman-sysroot" ] && [ "$(cat "$root/.dragoman-sysroot")" = "$stamp" ]; }

if is_current; then
    echo "$root"
    exit 0
fi
[ $path_only = no ] || exit 1

for tool in apt-get dpkg-deb tar flock; do
    command -v $tool >/dev/null 2>&1 ||
        die "$tool is missing: sysroots can only be made on a Debian machine"
done
mkdir -p "$cache/sysroot" || die "cannot make $cache: set DRAGOMAN_CACHE to a directory you may write"
case $cache in
*[!A-Za-z0-9/._+-]*) die "apt cannot work in '$cache' (odd characters): set DRAGOMAN_CACHE to another" ;;
esac

exec 9>"$cache/lock"
flock -n 9 || {
    say "waiting for another run to finish"
    flock 9
}
if is_current; then
    echo "$root"
    exit 0
fi

apt=$cache/apt/$arch
[ "$suite" = trixie ] || apt=$apt-$suite
mkdir -p "$apt/state/lists/partial" "$apt/sources" "$cache/apt/archives/partial" "$apt/log" "$apt/empty"
: >"$apt/status"

# The machine's own Debian archive, from whichever form of source file it is written in: the
# first index whose component is main and whose suite is a plain one (not -updates or -security).
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
    >"$apt/targets" 2>"$apt/log/targets" || die "apt-get indextargets failed: $(cat "$apt/log/targets")"
uri=$(awk '$3 == "main" && $2 !~ /[-\/]/ && $1 ~ /debian\/?$/ { print $1; exit }' "$apt/targets")
[ -n "$uri" ] ||
    die "no Debian archive (component main) among this machine's apt sources (see: apt-get indextargets)"
signed_by=$(apt-get indextargets "Repo-URI: $uri" 'Component: main' 'Created-By: Packages' |
    sed -n 's/^Signed-By: *//p' | head -n1)
if [ -z "$signed_by" ] && [ -r /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    signed_by=/usr/share/keyrings/debian-archive-keyring.gpg
fi
{
    echo "Types: deb"
    echo "URIs: $uri"
    echo "Suites: $suite"
    echo "Components: main"
    [ -z "$signed_by" ] || echo "Signed-By: $signed_by"
} >"$apt/sources/debian.sources"

cat >"$apt/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Invoke;
#clear APT::Architectures;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Default-Release "$suite";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$cache/apt/archives";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/empty";
Dir::Log "$apt/log";
CONF
run_apt() { apt-get -q -c "$apt/apt.conf" "$@" </dev/null >"$apt/log/out" 2>&1; }
show_log() { grep -E '^(E|W|Err):' "$apt/log/out" >&2 || tail -n 20 "$apt/log/out" >&2; }

say "reading the package lists of $suite ($arch)"
# apt-get update succeeds with a warning when a list could not be had; the message tells.
if ! run_apt update || grep -q '^\(Err\|E\):' "$apt/log/out"; then
    show_log
    if grep -q NO_PUBKEY "$apt/log/out"; then
        die "the keys of $suite are not on this machine: apt-get install --only-upgrade debian-archive-keyring"
    fi
    die "cannot read the package lists of $suite from this machine's Debian mirror"
fi

debs=$apt/debs
if [ $deps = yes ]; then
    # shellcheck disable=SC2086
    run_apt -s install $packages || {
        show_log
        die "cannot resolve: $packages"
    }
    sed -n 's/^Inst \([^ :]*\)[^ ]* (\([^ ]*\) [^[]*\[\([a-z0-9][a-z0-9]*\)\].*/\1 \2 \3/p' "$apt/log/out" |
        sed 's/:/%3a/g' | awk '{ print $1 "_" $2 "_" $3 ".deb" }' >"$debs"
    say "fetching $(wc -l <"$debs") packages"
    # shellcheck disable=SC2086
    run_apt -y --download-only install $packages || {
        show_log
        die "cannot fetch the packages"
    }
else
    say "fetching $packages"
    run_apt -s install $packages || {
        show_log
        die "cannot resolve: $packages"
    }
    version=$(sed -n "s/^Inst ${packages% } (\([^ ]*\) .*/\1/p" "$apt/log/out")
    (cd "$cache/apt/archives" && run_apt download $packages) || {
        show_log
        die "cannot fetch $packages"
    }
    echo "${packages% }_$(echo "$version" | sed 's/:/%3a/g')_$arch.deb" >"$debs"
fi
[ -s "$debs" ] || die "apt resolved no package at all for: $packages"

new=$cache/sysroot/.new-$name.$$
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$cache/sysroot/.new-$name".* # left by a run that was killed; the lock is ours
mkdir -p "$new"
if [ $deps = yes ]; then
    # Merged /usr comes before the packages, some of which still unpack into the old places.
    mkdir -p "$new/usr/bin" "$new/usr/sbin" "$new/usr/lib"
    for dir in bin sbin lib; do ln -s usr/$dir "$new/$dir"; done
    if [ "$arch" = amd64 ]; then
        mkdir "$new/usr/lib64"
        ln -s usr/lib64 "$new/lib64"
    fi
fi
say "unpacking into $root"
while read -r deb; do
    [ -f "$cache/apt/archives/$deb" ] || die "apt did not leave $deb in $cache/apt/archives"
    dpkg-deb --fsys-tarfile "$cache/apt/archives/$deb" | tar -x -C "$new" -f - \
        --keep-directory-symlink --no-same-owner --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' ||
        die "cannot unpack $deb"
done <"$debs"

# What the packages' own scripts would have done, as far as programs notice.
alternative() { # LINK TARGET: both absolute within the sysroot
    if [ -e "$new$2" ] && [ ! -e "$new$1" ] && [ ! -L "$new$1" ]; then
        ln -s "$(basename "$2")" "$new$1"
    fi
}
if [ $deps = yes ]; then
    for file in passwd group; do
        master=$new/usr/share/base-passwd/$file.master
        if [ -f "$master" ] && [ ! -e "$new/etc/$file" ]; then cp "$master" "$new/etc/$file"; fi
    done
    [ ! -f "$new/usr/share/base-files/nsswitch.conf" ] || [ -e "$new/etc/nsswitch.conf" ] ||
        cp "$new/usr/share/base-files/nsswitch.conf" "$new/etc/nsswitch.conf"
    alternative /usr/bin/awk /usr/bin/gawk
    alternative /usr/bin/awk /usr/bin/mawk
    alternative /usr/bin/nawk /usr/bin/gawk
    alternative /usr/bin/cc /usr/bin/gcc
    alternative /usr/bin/c++ /usr/bin/g++
    alternative /usr/bin/c99 /usr/bin/c99-gcc
    alternative /usr/bin/lua /usr/bin/lua5.4
    alternative /usr/bin/luac /usr/bin/luac5.4
    alternative /usr/bin/pager /usr/bin/less
    if [ -d "$new/usr/share/ca-certificates/mozilla" ]; then
        mkdir -p "$new/etc/ssl/certs"
        cat "$new"/usr/share/ca-certificates/mozilla/*.crt >"$new/etc/ssl/certs/ca-certificates.crt"
    fi
    # Paths that exist below the sysroot hide the host's; these must stay the host's.
    for dir in tmp proc sys dev run home root mnt media srv boot opt var/tmp; do
        rmdir "$new/$dir" 2>/dev/null || :
    done
    cp "$debs" "$new/.dragoman-packages"
fi
if [ "$name" = qemu ]; then # only our guests', of some thirty
    find "$new/usr/bin" -name 'qemu-*' ! -name qemu-riscv64 ! -name qemu-aarch64 -delete
fi
# A directory that its owner cannot write could not be removed again.
find "$new" -type d ! -perm -u+rwx -exec chmod u+rwx {} +
printf '%s\n' "$stamp" >"$new/.dragoman-sysroot"

if [ -e "$root" ]; then
    mv "$root" "$cache/sysroot/.old-$name.$$"
fi
mv "$new" "$root"
rm -rf "$cache/sysroot/.old-$name".*
say "made $root"
echo "$root"
