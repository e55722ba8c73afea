#!/bin/sh
# Runs a command as root of a user namespace of its own, with mounts of its own: tools/userns.sh COMMAND...
# When root calls it, the first 65536 users and groups are there too (USERS=all in the environment), else the caller
# alone, as root (USERS=one).
set -eu
if [ "${1:-}" = --inside ]; then
    dir=$2
    shift 2
    echo >"$dir/ready"
    read -r USERS <"$dir/go"
    rm -rf "$dir"
    export USERS
    [ "$USERS" = one ] || exec setpriv --reuid 0 --regid 0 --clear-groups "$@"
    exec "$@"
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/ready" "$dir/go"
unshare --user --mount sh "$0" --inside "$dir" "$@" <&0 &
pid=$!
read -r _ <"$dir/ready"
if [ "$(id -u)" -eq 0 ] && (echo "0 0 65536" >"/proc/$pid/uid_map") 2>/dev/null; then
    echo "0 0 65536" >"/proc/$pid/gid_map"
    echo all >"$dir/go"
else
    echo deny >"/proc/$pid/setgroups"
    echo "0 $(id -u) 1" >"/proc/$pid/uid_map"
    echo "0 $(id -g) 1" >"/proc/$pid/gid_map"
    echo one >"$dir/go"
fi
status=0
wait $pid || status=$?
exit $status
