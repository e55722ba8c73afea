# redis: strings, lists, sorted sets, scripts, pipelining, persistence by fork, restart
# grade=medium group=servers time=120 memory=800
. /matrix/lib.sh
redis-server --port 6380 --bind 127.0.0.1 --save '' --appendonly no --dir /tmp --daemonize no >log 2>&1 & p=$!; r() { redis-cli -p 6380 "$@"; }; ready r ping || cat log >&2
r set a 1; r incrby a 41; r rpush l x y z; r lrange l 0 -1; r zadd z 1 one 2 two 3 three; r zrangebyscore z 2 3; r eval 'local s = 0 for i = 1, 10000 do s = s + i end redis.call("set", KEYS[1], s) return s' 1 k; r hset h f v; r expire h 100; r ttl h | grep -cE "^(99|100)$"; r setrange s 5 abc; r bitcount s
for i in $(seq 1 5000); do echo "SET key$i value$i"; done | redis-cli -p 6380 --pipe 2>&1 | tail -n 1; r dbsize; redis-benchmark -p 6380 -n 2000 -c 20 -q -t get,set 2>/dev/null | tr '\r' '\n' | grep -c 'requests per second'; r bgsave; saved() { r info persistence | grep 'rdb_bgsave_in_progress:0'; }; ready saved; r lastsave | awk '{ print ($1 > 0) }'; ls dump.rdb; r subscribe ch >sub & s=$!; ready grep subscribe sub; r publish ch hello; ready grep hello sub; kill $s; tail -n 1 sub; r shutdown save; wait $p; redis-check-rdb dump.rdb | grep -c 'keys read'
redis-server --port 6380 --bind 127.0.0.1 --dir /tmp --daemonize yes --logfile log >/dev/null; ready r ping || cat log >&2; r get key4999; r shutdown nosave
