#!/bin/sh
# Tools that know of qemu-user-static, given dragoman-static under qemu's name and nothing else changed: what
# `make distro-dropin` runs.
#
#   tests/distro/dropin.sh [--guest=riscv64|arm64]... [--with=dragoman|qemu] [--work=DIR] [STEP...]
#
#   chroot      debootstrap --foreign; its second stage by `chroot ROOT /usr/bin/qemu-GUEST-static /bin/sh ...`, with no
#               binfmt_misc at all
#   registered  that system through the kernel, registered as Debian's qemu-user-static does it, the emulator inside
#   fix-binary  the same by flag F, no emulator inside: as docker and podman run an image of a foreign platform
#   nspawn      systemd-nspawn -D of that system
#   boot        systemd as the first process of a container, without binfmt_misc: a service runs, no unit fails, power off
#   mmdebstrap  mmdebstrap --architectures=GUEST
#   mkosi       mkosi --architecture, a directory
#   cross       makes a system of the machine's own architecture with Debian's cross compilers, for what follows
#   cargo       cargo test by CARGO_TARGET_..._RUNNER
#   go          go test -exec
#   meson       exe_wrapper of a cross file
#   cmake       CMAKE_CROSSCOMPILING_EMULATOR
#   dpkg        dpkg-buildpackage --host-arch with its tests, which the kernel starts
#
# Each step prints a line, "ok", "FAILED" (exit status 1; its log is DIR/GUEST-STEP.log) or "skipped" with what is missing. DIR is
# /var/tmp/dragoman-dropin unless given (4 GB); what debootstrap fetched and the system of `cross` stay there.
# Root, debootstrap, mmdebstrap and the network are needed, and a Linux (6.7) whose user namespaces have a binfmt_misc of their
# own: the machine's is not touched. --with=qemu shows what qemu-user does.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=${top_srcdir:-$here/../..}
top=$(cd "$top" && pwd)
bin=${top_builddir:-$top/build}/bin
work=/var/tmp/dragoman-dropin suite=trixie guests='' with=dragoman steps=''
say() { echo "dropin: $*"; }
die() {
    echo "dropin: $*" >&2
    exit 2
}
if [ "${1:-}" = --inside ]; then # in the namespace: register, if need be, and run the rest
    rule=$2
    shift 2
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    [ -z "$rule" ] || printf %s "$rule" >/proc/sys/fs/binfmt_misc/register
    exec "$@"
fi
for arg; do
    case $arg in
    --guest=*) guests="$guests ${arg#*=}" ;;
    --with=*) with=${arg#*=} ;;
    --work=*) work=${arg#*=} ;;
    -*) die "no option '$arg' (see the top of this file)" ;;
    *) steps="$steps $arg" ;;
    esac
done
: "${guests:=riscv64 arm64}"
: "${steps:=chroot registered fix-binary nspawn boot mmdebstrap mkosi cross cargo go meson cmake dpkg}"
[ "$(id -u)" -eq 0 ] || die "root is needed, for the users of the systems (in a namespace of their own)"
for tool in debootstrap mmdebstrap; do
    command -v $tool >/dev/null || die "$tool is missing: apt-get install $tool"
done
[ -x "$bin/dragoman-static" ] || die "no $bin/dragoman-static: build it first"
unshare --user --map-root-user --mount mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null ||
    die "no binfmt_misc in user namespaces: Linux 6.7 or newer is needed"
case "$with" in
dragoman) ;;
qemu) peer=$("$top/tools/sysroot.sh" qemu) ;;
*) die "--with=$with: there are dragoman and qemu" ;;
esac
archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 !~ /[-\/]/ && $1 ~ /debian\/?$/ { print $1; exit }')
[ -n "$archive" ] || die "no Debian archive (component main) among this machine's apt sources"
mkdir -p "$work"
export container=lxc # debootstrap: device nodes cannot be made here
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

# names GUEST: $guest (Debian's), $name (qemu's), $triplet, $emulator
names() {
    guest=$1 name=$1
    [ "$guest" != arm64 ] || name=aarch64
    triplet=$name-linux-gnu
    emulator=$bin/dragoman-static
    [ "$with" = dragoman ] || emulator=$peer/usr/bin/qemu-$name
    root=$work/root-$guest
}
# rule FLAGS INTERPRETER: what Debian's qemu-user-static registers
rule() {
    "$bin/dragomanctl" binfmt print --guest="$name" --handler=/bin/true | sed "s|^:[^:]*:|:qemu-$name:|; s|:/bin/true:.*|:$2:$1|"
}
inside() { # RULE COMMAND...
    "$top/tools/userns.sh" sh "$here/dropin.sh" --inside "$@"
}
skip() {
    echo "$*" >"$work/why"
    return 77
}

# A check of a system of the guest's: programs that start others, by shell, perl and apt. Run as root in it.
cat >"$work/check" <<'SCRIPT'
set -eu
test "$(uname -m)" = "$1"
test "$(dpkg --print-architecture)" = "$2"
test -z "$(dpkg --audit)"
test "$(perl -e 'print join " ", map { chomp(my $x = `echo $_`); $x } 1 .. 5')" = "1 2 3 4 5"
printf '#!/usr/bin/perl\nprint "$0 @ARGV\\n"; exit 7;\n' >/tmp/script
chmod 755 /tmp/script
status=0
test "$(cd /tmp && env -i ./script a b)" = "./script a b"
/tmp/script >/dev/null || status=$?
test $status = 7
sh -c 'kill -TERM $$' || status=$?
test $status = 143
apt-cache policy dpkg | grep -q Installed
echo checked
SCRIPT
check_root() { # RULE ROOT COMMAND-BEFORE...
    one_rule=$1 one_root=$2
    shift 2
    cp "$work/check" "$one_root/check"
    mkdir -p "$one_root/proc"
    # shellcheck disable=SC2016
    test "$(inside "$one_rule" sh -c 'mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"; root=$1; shift; exec chroot "$root" "$@"' sh "$one_root" "$@" \
        /bin/sh /check "$name" "$guest" | tail -n 1)" = checked
}

first_stage() {
    tar=$work/first-$guest.tar
    [ ! -e "$tar" ] || return 0
    rm -rf "$work/first"
    debootstrap --foreign --variant=minbase --arch="$guest" "$suite" "$work/first" "$archive"
    rm -rf "$work/first/proc" "$work/first/dev"
    mkdir "$work/first/proc" "$work/first/dev"
    tar -cf "$tar.new" -C "$work/first" .
    rm -rf "$work/first"
    mv "$tar.new" "$tar"
}
step_chroot() {
    first_stage
    rm -rf "$root"
    mkdir "$root"
    tar -xf "$work/first-$guest.tar" -C "$root"
    cp "$emulator" "$root/usr/bin/qemu-$name-static"
    # Without /proc and /dev, as many a script does it: the second stage mounts what it needs, where it can. (Nodes by bind
    # mounts: they cannot be made in a namespace.)
    # shellcheck disable=SC2016
    "$top/tools/userns.sh" sh -e -c 'root=$1; shift
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        mkdir "$root/dev/pts" "$root/dev/shm"
        for node in null zero full random urandom tty; do
            : >"$root/dev/$node"
            mount --bind "/dev/$node" "$root/dev/$node"
        done
        exec chroot "$root" "$@"' sh "$root" "/usr/bin/qemu-$name-static" /bin/sh /debootstrap/debootstrap --second-stage
    check_root '' "$root" "/usr/bin/qemu-$name-static"
    : >"$root.ready"
}
ready() { [ -e "$root.ready" ] || skip "the step chroot has not been done"; }
step_registered() {
    ready || return
    cp "$emulator" "$root/usr/bin/qemu-$name-static"
    check_root "$(rule OC "/usr/bin/qemu-$name-static")" "$root"
    check_root "$(rule '' "/usr/bin/qemu-$name-static")" "$root"
}
step_fix_binary() {
    ready || return
    cp "$emulator" "$work/qemu-$name-static"
    rm -f "$root/usr/bin/qemu-$name-static"
    check_root "$(rule POCF "$work/qemu-$name-static")" "$root"
}
step_nspawn() {
    ready || return
    command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is missing: apt-get install systemd-container" || return
    cp "$emulator" "$root/usr/bin/qemu-$name-static"
    cp "$work/check" "$root/check"
    # The network and the cgroups of the namespace's own: what nspawn mounts is refused otherwise.
    test "$(inside "$(rule OC "/usr/bin/qemu-$name-static")" unshare --net --cgroup systemd-nspawn -q --register=no --keep-unit \
        -D "$root" /bin/sh /check "$name" "$guest" | tr -d '\r' | tail -n 1)" = checked
}
step_boot() {
    ready || return
    command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is missing: apt-get install systemd-container" || return
    cp "$emulator" "$root/usr/bin/qemu-$name-static"
    rm -f "$root/done"
    if [ ! -e "$root/usr/lib/systemd/systemd" ]; then
        cp /etc/resolv.conf "$root/etc/"
        echo "deb $archive $suite main" >"$root/etc/apt/sources.list"
        # shellcheck disable=SC2016
        inside '' sh -e -c 'mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"' sh "$root" \
            "/usr/bin/qemu-$name-static" /bin/sh -e -c 'apt-get -q update
                apt-get -q -y --no-install-recommends install systemd systemd-sysv dbus'
        rm "$root/etc/resolv.conf" # a container's own
    fi
    cat >"$root/etc/systemd/system/dropin.service" <<'UNIT'
[Service]
Type=oneshot
PrivateTmp=yes
ProtectSystem=full
SystemCallFilter=@system-service
ExecStart=/bin/sh -c "uname -m >/done; systemctl list-units --failed --no-legend >>/done; systemctl poweroff --no-block"
UNIT
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
    ln -sf ../dropin.service "$root/etc/systemd/system/multi-user.target.wants/"
    timeout 300 systemd-nspawn --register=no --keep-unit -D "$root" "/usr/bin/qemu-$name-static" /usr/lib/systemd/systemd
    cat "$root/done"
    test "$(cat "$root/done")" = "$name"
}
step_mmdebstrap() {
    cp "$emulator" "$work/qemu-$name-static"
    rm -rf "$work/mm"
    inside "$(rule POCF "$work/qemu-$name-static")" mmdebstrap --mode=root --architectures="$guest" --variant=minbase "$suite" "$work/mm" "$archive"
    check_root "$(rule POCF "$work/qemu-$name-static")" "$work/mm"
    rm -rf "$work/mm"
}
step_mkosi() {
    command -v mkosi >/dev/null || skip "mkosi is missing: apt-get install mkosi" || return
    case $(mkosi --version) in
    *' 14'* | *' 13'*) ;;
    *) skip "$(mkosi --version) has other options than those that are known here" || return ;;
    esac
    cp "$emulator" "$work/qemu-$name-static"
    rm -rf "$work/mkosi"
    mkdir "$work/mkosi"
    (cd "$work/mkosi" && inside "$(rule POCF "$work/qemu-$name-static")" unshare --cgroup mkosi -d debian -r "$suite" \
        --architecture "$name" -t directory -m "$archive" --base-packages=no -p perl-base --nspawn-keep-unit -o image build)
    check_root "$(rule POCF "$work/qemu-$name-static")" "$work/mkosi/image"
    rm -rf "$work/mkosi"
}

# --- cross building: everything in a system of the machine's architecture, the emulator at /usr/bin/qemu-GUEST-static

step_cross() {
    [ ! -e "$work/cross.ready" ] || return 0
    rm -rf "$work/cross"
    mmdebstrap --mode=root --variant=apt --architectures="$(dpkg --print-architecture),arm64,riscv64" \
        --include=gcc,libc6-dev,crossbuild-essential-arm64,crossbuild-essential-riscv64,cargo,rustc,golang-go,meson,cmake,make \
        --include=ninja-build,pkgconf,perl,build-essential,debhelper,libstd-rust-dev:arm64,libstd-rust-dev:riscv64 \
        "$suite" "$work/cross" "$archive"
    : >"$work/cross.ready"
}
in_cross() { # RULE; the script on standard input
    [ -e "$work/cross.ready" ] || skip "the step cross has not been done" || return
    cp "$emulator" "$work/cross/usr/bin/qemu-$name-static"
    rm -rf "$work/cross/try"
    mkdir "$work/cross/try"
    cat >"$work/cross/try/script"
    # shellcheck disable=SC2016
    inside "$1" sh -e -c 'mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"
        exec chroot "$1" /usr/bin/env -C /try -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/try LC_ALL=C.UTF-8 NAME="$2" TRIPLET="$3" \
            GUEST="$4" /bin/sh -ex /try/script' sh "$work/cross" "$name" "$triplet" "$guest"
}
step_cargo() {
    in_cross '' <<'SCRIPT'
mkdir -p p/src p/tests
cd p
cat >Cargo.toml <<'C'
[package]
name = "p"
version = "0.1.0"
edition = "2021"
C
cat >src/lib.rs <<'R'
pub fn sum(n: u64) -> u64 { (0..n).sum() }
#[test] fn sums() { assert_eq!(sum(1001), 500500) }
#[test] #[should_panic(expected = "out of bounds")] fn panics() { let v: Vec<i32> = vec![]; let _ = v[std::env::args().count()]; }
#[test] fn threads() { let h: Vec<_> = (0..8).map(|i| std::thread::spawn(move || sum(i))).collect(); assert_eq!(h.into_iter().map(|h| h.join().unwrap()).sum::<u64>(), 56) }
#[test] fn is_the_target() { assert_eq!(std::env::consts::ARCH, env!("NAME")) }
R
cat >src/main.rs <<'R'
fn main() { println!("{} {}", std::env::args().skip(1).collect::<Vec<_>>().join("+"), p::sum(11)); std::process::exit(3) }
R
cat >tests/run.rs <<'R'
#[test] fn starts_the_program() { let o = std::process::Command::new(env!("CARGO_BIN_EXE_p")).args(["a", "b"]).output().unwrap(); assert_eq!(String::from_utf8_lossy(&o.stdout), "a+b 55\n"); assert_eq!(o.status.code(), Some(3)) }
R
case $NAME in riscv64) target=riscv64gc-unknown-linux-gnu ;; *) target=$NAME-unknown-linux-gnu ;; esac
variable=CARGO_TARGET_$(echo $target | tr a-z- A-Z_)
export "${variable}_LINKER=$TRIPLET-gcc" "${variable}_RUNNER=qemu-$NAME-static -L /usr/$TRIPLET"
cargo test --offline --target $target --lib --bins
test "$(cargo run -q --offline --target $target -- x y || test $? = 3)" = "x+y 55"
cargo test --offline --target $target --test run # without binfmt_misc: the emulator's children
SCRIPT
}
step_go() {
    in_cross '' <<'SCRIPT'
export GOARCH=$GUEST CGO_ENABLED=0 GOFLAGS=-mod=mod GOTOOLCHAIN=local GOPROXY=off
cat >go.mod <<'G'
module p
go 1.20
G
cat >p_test.go <<'G'
package p
import ("os"; "os/exec"; "runtime"; "sync"; "sync/atomic"; "testing")
func TestArch(t *testing.T) { if runtime.GOARCH != os.Getenv("GOARCH") { t.Fatal(runtime.GOARCH) } }
func TestThreads(t *testing.T) { var n atomic.Int64; var w sync.WaitGroup; for i := 0; i < 64; i++ { w.Add(1); go func() { defer w.Done(); for j := 0; j < 1000; j++ { n.Add(1); runtime.Gosched() } }() }; w.Wait(); if n.Load() != 64000 { t.Fatal(n.Load()) } }
func TestFails(t *testing.T) { if os.Getenv("FAIL") != "" { t.Fatal("as wanted") } }
func TestAgain(t *testing.T) { if os.Getenv("AGAIN") != "" { os.Exit(5) }; c := exec.Command(os.Args[0], "-test.run=TestAgain"); c.Env = append(os.Environ(), "AGAIN=1"); err := c.Run(); if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 5 { t.Fatal(err) } }
G
go test -vet=off -exec "qemu-$NAME-static" -run "Arch|Threads|Fails" -v .
if FAIL=1 go test -vet=off -exec "qemu-$NAME-static" -run Fails . >out; then exit 1; fi
grep "as wanted" out
go test -vet=off -exec "qemu-$NAME-static" -run Again -v . # without binfmt_misc: the emulator's children
SCRIPT
}
step_meson() {
    in_cross '' <<'SCRIPT'
cat >cross.txt <<M
[binaries]
c = '$TRIPLET-gcc'
strip = '$TRIPLET-strip'
exe_wrapper = ['qemu-$NAME-static', '-L', '/usr/$TRIPLET']
[host_machine]
system = 'linux'
cpu_family = '$NAME'
cpu = '$NAME'
endian = 'little'
M
cat >meson.build <<'M'
project('p', 'c')
r = meson.get_compiler('c').run('#include <stdio.h>\nint main(void) { puts("here"); return 4; }')
assert(r.compiled() and r.returncode() == 4 and r.stdout() == 'here\n')
e = executable('e', 'e.c')
g = custom_target('g', output: 'g.h', command: [e, 'made'], capture: true)
test('made', executable('t', 't.c', g), args: ['x'])
test('status', e, args: ['fail'], should_fail: true)
M
cat >e.c <<'C'
#include <stdio.h>
#include <string.h>
int main(int c, char **v) { printf("#define MADE \"%s %d\"\n", v[1], (int)sizeof(long double)); return c > 1 && !strcmp(v[1], "fail"); }
C
cat >t.c <<'C'
#include <string.h>
#include "g.h"
int main(int c, char **v) { return c != 2 || strcmp(v[1], "x") || strcmp(MADE, "made 16"); }
C
meson setup build --cross-file cross.txt
ninja -C build
meson test -C build --print-errorlogs
SCRIPT
}
step_cmake() {
    in_cross '' <<'SCRIPT'
cat >CMakeLists.txt <<'M'
cmake_minimum_required(VERSION 3.10)
project(p C)
include(CheckCSourceRuns)
check_c_source_runs("int main(void) { return 0; }" RUNS)
check_c_source_runs("int main(void) { return 1; }" FAILS)
try_run(STATUS COMPILED ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/e.c RUN_OUTPUT_VARIABLE OUTPUT ARGS made)
if(NOT RUNS OR FAILS OR NOT STATUS EQUAL 6 OR NOT OUTPUT STREQUAL "made 16")
  message(FATAL_ERROR "${RUNS} ${FAILS} ${STATUS} ${OUTPUT}")
endif()
add_executable(e e.c)
add_custom_command(OUTPUT g.txt COMMAND e gen || true)
add_custom_target(g ALL DEPENDS g.txt)
enable_testing()
add_test(NAME fails COMMAND e x)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
add_test(NAME prints COMMAND e y)
set_tests_properties(prints PROPERTIES PASS_REGULAR_EXPRESSION "^y 16")
M
cat >e.c <<'C'
#include <stdio.h>
int main(int c, char **v) { (void)c; printf("%s %d", v[1], (int)sizeof(long double)); fclose(fopen("g.txt", "w")); return 6; }
C
cmake -S . -B build -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=$NAME" "-DCMAKE_C_COMPILER=$TRIPLET-gcc" \
    "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-$NAME-static;-L;/usr/$TRIPLET"
cmake --build build
ctest --test-dir build --output-on-failure
SCRIPT
}
step_dpkg() {
    # The kernel starts the tests' programs; their libraries are the cross compiler's.
    in_cross "$(rule POC "/usr/bin/qemu-$name-static")" <<'SCRIPT'
mkdir -p pp-1/debian/source
cd pp-1
cat >debian/changelog <<'D'
pp (1) unstable; urgency=low

  * One.

 -- A B <a@b.org>  Mon, 01 Jan 2024 00:00:00 +0000
D
cat >debian/control <<'D'
Source: pp
Maintainer: A B <a@b.org>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.7.0

Package: pp
Architecture: any
Depends: ${shlibs:Depends}, ${misc:Depends}
Description: one
 Two.
D
printf '#!/usr/bin/make -f\n%%:\n\tdh $@\n' >debian/rules
chmod 755 debian/rules
echo '3.0 (native)' >debian/source/format
cat >Makefile <<'M'
all: p
p: p.c
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ p.c
check: p
	./p | grep -x "p of $(NAME)"
	sh -c "./p; ./p" | wc -l | grep -x 2
	echo checked >checked
install: p
	install -D p $(DESTDIR)/usr/bin/p
M
cat >p.c <<'C'
#include <stdio.h>
#include <sys/utsname.h>
int main(void) { struct utsname u; uname(&u); printf("p of %s\n", u.machine); return 0; }
C
export "QEMU_LD_PREFIX=/usr/$TRIPLET"
dpkg-buildpackage -us -uc -b --host-arch "$GUEST"
grep checked checked
dpkg -I "../pp_1_$GUEST.deb" | grep "Architecture: $GUEST"
SCRIPT
}

bad=0
for one in $guests; do
    names "$one"
    for step in $steps; do
        function=step_$(echo "$step" | tr - _)
        command -v "$function" >/dev/null || die "no step '$step' (see the top of this file)"
        log=$work/$guest-$step.log
        status=0
        (set -ex; "$function") >"$log" 2>&1 </dev/null || status=$?
        case $status in
        0) say "$guest $step: ok" ;;
        77) say "$guest $step: skipped: $(cat "$work/why")" ;;
        *)
            bad=1
            say "$guest $step: FAILED, see $log"
            ;;
        esac
    done
done
exit $bad
