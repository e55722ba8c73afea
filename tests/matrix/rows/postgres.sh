# PostgreSQL: initdb, a server, concurrent clients, transactions, crash recovery, dump and restore
# grade=hard group=servers time=400 memory=2000 engines="qemu auto bt"
. /matrix/lib.sh
echo 'postgres:x:111:111::/tmp/pg:/bin/sh' >>/etc/passwd; echo 'postgres:x:111:' >>/etc/group; mkdir -p pg /var/run/postgresql; chown 111:111 pg /var/run/postgresql; b=/usr/lib/postgresql/17/bin
as() { setpriv --reuid=111 --regid=111 --clear-groups env HOME=/tmp/pg "$@"; }
as $b/initdb -D pg/d -E UTF8 --locale=C.UTF-8 --auth=trust >log 2>&1 || tail log; as $b/pg_ctl -D pg/d -w -t 120 -o '-c listen_addresses=127.0.0.1 -c fsync=off' -l pg/log start >/dev/null || cat pg/log
q() { as $b/psql -h 127.0.0.1 -U postgres -AtqX "$@"; }
q -c 'create table t(id serial primary key, k int, v text); create index on t(k)' -c "insert into t(k, v) select i % 100, md5(i::text) from generate_series(1, 20000) i" -c 'select count(*), count(distinct k), min(v) from t' -c 'select k, count(*), rank() over (order by count(*) desc, k) from t where k < 3 group by k' -c "select to_tsvector('english', 'the cats ran') @@ to_tsquery('cat'), '{\"a\":[1,2]}'::jsonb #> '{a,1}', round(exp(1)::numeric, 10), 2::numeric ^ 100"
for i in 1 2 3 4; do (for j in 1 2 3 4 5 6 7 8 9 10; do q -c "begin; update t set k = k + 1 where id = $j; insert into t(k, v) values (1000 + $i, 'c'); commit" || echo failed; done) & p="$p $!"; done; wait $p; q -c 'select k, count(*) from t where k > 1000 group by k order by k'
q -c "create function f(n int) returns int language plpgsql as 'declare s int := 0; begin for i in 1..n loop s := s + i; end loop; return s; end'" -c 'select f(10000)' -c 'select 1/0' 2>&1; q -c 'explain (costs off) select * from t where k = 5' | head -n 1
kill -9 $(head -n 1 pg/d/postmaster.pid); none() { ! pgrep -x postgres; }; ready none; as $b/pg_ctl -D pg/d -w -t 120 -o '-c listen_addresses=127.0.0.1' -l pg/log start >/dev/null; grep -c 'automatic recovery' pg/log; q -c 'select count(*) from t'; as $b/pg_dump -h 127.0.0.1 -U postgres postgres >d.sql; q -c 'create database c'; q -d c -f d.sql >/dev/null; q -d c -c 'select count(*) from t'; as $b/pg_ctl -D pg/d -m fast -w stop | tail -n 1
