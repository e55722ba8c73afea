# PostgreSQL under pgbench: four clients' transactions, simple, extended and prepared; the books balance
# grade=hard group=suites time=400 memory=2000 engines="qemu auto bt"
echo 'postgres:x:111:111::/tmp/pg:/bin/sh' >>/etc/passwd; echo 'postgres:x:111:' >>/etc/group; mkdir -p pg /var/run/postgresql; chown 111:111 pg /var/run/postgresql; b=/usr/lib/postgresql/17/bin
as() { setpriv --reuid=111 --regid=111 --clear-groups env HOME=/tmp/pg "$@"; }
as $b/initdb -D pg/d -E UTF8 --locale=C.UTF-8 --auth=trust >log 2>&1 || tail log; as $b/pg_ctl -D pg/d -w -t 120 -o '-c listen_addresses=127.0.0.1' -l pg/log start >/dev/null || cat pg/log
p() { as $b/pgbench -h 127.0.0.1 -U postgres "$@" postgres 2>&1; }; q() { as $b/psql -h 127.0.0.1 -U postgres -AtqX "$@"; }
p -i -q -s 2 | tail -n 1 | sed 's/ [0-9].*//'
p -S -c 4 -j 2 -t 500 -M prepared | grep -E 'actually processed|failed'; for m in simple extended prepared; do p -n -c 4 -j 2 -t 100 -M $m | grep -E 'actually processed|failed'; done
q -c 'select count(*), sum(delta) = (select sum(abalance) from pgbench_accounts) and sum(delta) = (select sum(tbalance) from pgbench_tellers) and sum(delta) = (select sum(bbalance) from pgbench_branches) from pgbench_history'
q -c 'set jit_above_cost = 0; set jit_inline_above_cost = 0; set jit_optimize_above_cost = 0' -c 'select bid, count(*), sum(aid * 2 + 1) from pgbench_accounts where aid % 3 = 1 group by bid order by bid' -c "select pg_jit_available() = $([ -e "$b/../lib/llvmjit.so" ] && echo true || echo false)"; q -c 'vacuum analyze' -c 'select count(*) from pgbench_accounts where aid % 7 = 3'; as $b/pg_ctl -D pg/d -m fast -w stop | tail -n 1; as $b/pg_controldata -D pg/d | grep 'cluster state'; grep -c PANIC pg/log; true
