# MariaDB: install tables, a server on a socket and on loopback, InnoDB transactions, dump
# grade=hard group=servers time=500 memory=2500 engines="qemu auto"
echo 'mysql:x:112:112::/tmp/my:/bin/sh' >>/etc/passwd; echo 'mysql:x:112:' >>/etc/group; mkdir -p my /run/mysqld; chown 112:112 my /run/mysqld
echo '127.0.0.1 localhost matrix' >/etc/hosts
mariadb-install-db --no-defaults --user=mysql --datadir=/tmp/my/d --auth-root-authentication-method=normal --skip-test-db >log 2>&1 || tail log
mariadbd --no-defaults --user=mysql --datadir=/tmp/my/d --socket=/run/mysqld/s --bind-address=127.0.0.1 --port=3307 --innodb-buffer-pool-size=64M --innodb-use-native-aio=0 --connect-timeout=120 >log2 2>&1 & pid=$!
m() { mariadb --no-defaults --socket=/run/mysqld/s -uroot -N -B "$@"; }; until m -e 'select 1' >/dev/null 2>&1 || ! kill -0 $pid; do sleep 0.5; done
m -e "create database d; use d; create table t(id int auto_increment primary key, k int, v varchar(40), index(k)) engine=innodb; insert into t(k, v) select seq % 50, md5(seq) from seq_1_to_5000; select count(*), count(distinct k), min(v) from t; start transaction; delete from t; rollback; select count(*) from t; select k, count(*) from t where k < 3 group by k; select json_value('{\"a\":5}', '$.a'), pow(2, 50), concat('a', 'b'), date_add('2000-02-28', interval 2 day)"
for i in 1 2 3; do (for j in 1 2 3 4 5; do m d -e "insert into t(k, v) values (100 + $i, 'x')" || echo failed; done) & p="$p $!"; done; wait $p; m d -e 'select k, count(*) from t where k > 99 group by k'; mariadb --no-defaults -h 127.0.0.1 -P 3307 --protocol=tcp -uroot -N -e 'select 6 * 7' 2>&1; mariadb-dump --no-defaults --socket=/run/mysqld/s -uroot d | grep -c 'INSERT INTO'; m -e 'shutdown' || kill $pid; wait $pid; echo $?
