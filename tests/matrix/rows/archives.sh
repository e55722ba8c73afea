# tar, gzip, bzip2, xz -T0, zstd -T0 round trips; the compressed bytes are known too
# grade=basic time=120
mkdir t; for i in 1 2 3 4 5; do seq $i 20000 >t/$i; done; ln -s 1 t/l; ln t/1 t/h; mkdir -p t/deep/er; head -c 3000000 /dev/zero >t/zero; touch -d @1000000000 t/* t
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1000000000 -cf t.tar t; sha256sum t.tar
for c in 'gzip -n' bzip2 'xz -T0' 'xz -T1 -9' 'zstd -q -T0' 'zstd -q -19 -T2'; do set -- $c; $c -c <t.tar >z; $1 -q -t z 2>/dev/null || $1 -t <z; $1 -dc <z | cmp - t.tar && echo "$c $(wc -c <z)"; done
xz -T0 -k t.tar; xz -l --robot t.tar.xz | cut -f 1-6 | head -n 2 | tail -n 1; mkdir o; tar -C o -xJf t.tar.xz; diff -r t o/t && stat -c %h o/t/h
tar cf - t | gzip | tar tzf - | sort | head -n 3; gzip -k t.tar; zcat t.tar.gz | md5sum; printf 'not gzip' | gzip -dc 2>&1; xz -dc <t/1 2>&1
true
