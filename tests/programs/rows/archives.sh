# tar, gzip, bzip2, xz, zstd: round trips, with threads
mkdir src; for i in $(seq 1 40); do seq 1 $((i * 50)) > src/$i; done; ln -s 1 src/link
tar cf a.tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner src
tar cf b.tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner src; cmp a.tar b.tar && echo stable
for c in gzip bzip2 'xz -T2' 'zstd -q -T2' 'zstd -q -19'; do $c -k -c a.tar > a.z; ${c%% *} -dc < a.z | cmp - a.tar && echo "$c ok"; done
tar czf a.tgz src; mkdir x; tar xzf a.tgz -C x; diff -r src x/src && echo extracted
gzip -9c src/40 | gzip -t && echo crc ok; xz --check=sha256 -c src/40 | xz -l - >/dev/null 2>&1; xz -c src/40 | xz -dc | sha256sum
