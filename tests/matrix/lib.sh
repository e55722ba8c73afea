# For rows that say `. /matrix/lib.sh`.

# ready COMMAND...: waits until it succeeds, as a server answers when it does; never by the clock, which tells nothing
# on a loaded machine or in an emulator. Two minutes without success: says so, and the row goes on and fails.
ready() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        [ $((tries += 1)) -le 600 ] || { echo "never ready: $*" >&2; return 1; }
        sleep 0.2
    done
}
# gone PID...: no such process any more
gone() {
    ! kill -0 "$@"
}
