-- Inserts, an index, joins and sums in memory.
create table item(id integer primary key, kind integer, name text, price real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into item select i, i * 7919 % 97, 'item ' || (i * 31 % 5003), (i % 1000) / 8.0 from n;
create index by_kind on item(kind, price);
select kind, count(*), sum(price) from item group by kind order by 3 desc, 1 limit 10;
select count(*) from item a join item b on a.kind = b.kind and a.price = b.price and a.id < b.id;
select count(distinct name), max(length(name)) from item where name like '%7%';
