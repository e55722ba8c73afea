# redis-benchmark, every command that it knows, pipelined and not, on a server with I/O threads and an append-only file
# grade=hard group=suites time=300 memory=1000
. /matrix/lib.sh
redis-server --port 6380 --bind 127.0.0.1 --save '' --appendonly yes --appendfsync no --io-threads 2 --enable-debug-command yes --dir /tmp >log 2>&1 & p=$!; r() { redis-cli -p 6380 "$@"; }; ready r ping || cat log >&2
for o in '-P 1 -n 500' '-P 16 -n 4000'; do redis-benchmark -p 6380 -q -c 50 -r 1000 -d 100 $o 2>&1 | tr '\r' '\n' | grep -o '^[A-Z].*: [0-9.]* requests per second' | sed 's/: .*//' | sort -u; done
r debug digest >d1; grep -c '^[0-9a-f]*$' d1; r bgrewriteaof; rewritten() { r info persistence | grep 'aof_rewrite_in_progress:0'; }; ready rewritten; r shutdown; wait $p; redis-check-aof appendonlydir/*.manifest 2>&1 | grep -c 'is valid$'
redis-server --port 6380 --bind 127.0.0.1 --save '' --appendonly yes --enable-debug-command yes --dir /tmp >log 2>&1 & p=$!; ready r ping || cat log >&2; r debug digest | cmp - d1 && echo same; r shutdown nosave; wait $p; echo $?
