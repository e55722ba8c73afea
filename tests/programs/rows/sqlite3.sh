# sqlite3: a database file, transactions, indexes, joins, window functions, json, integrity
sqlite3 db <<'X'
create table a(id integer primary key, v text, n real); create index i on a(n);
with recursive c(x) as (select 1 union all select x+1 from c where x < 5000) insert into a select x, 'v'||(x%17), x*1.25 from c;
begin; update a set n = n + 1 where id % 3 = 0; rollback; begin; delete from a where id % 10 = 0; commit;
select count(*), sum(n), min(v), max(v) from a;
select v, count(*), round(avg(n), 3) from a group by v order by v limit 4;
select id, sum(id) over (order by id rows 2 preceding) from a where id < 6;
select json_extract('{"a":[1,2,{"b":3}]}', '$.a[2].b'), hex(zeroblob(4)), printf('%08.3f', 3.14159), abs(-9223372036854775807);
pragma integrity_check; pragma journal_mode=wal; vacuum;
select count(*) from a x join a y on x.id = y.id + 1 where x.v > y.v;
X
sqlite3 db .dump | sha256sum | cut -c1-16; sqlite3 db 'select quote(1e100), quote(0.1), 1/3.0'
