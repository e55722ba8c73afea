# files, sorting, checksums, dd, split, sparse files, links, times
# grade=basic time=60
seq 1 200000 >n; sha256sum n; md5sum n; cksum n; b2sum n | cut -c1-32; sort -rn n | head -n 3; sort -R n | sort -n | cmp - n && echo same
shuf -i 1-1000 | sort -n | uniq | wc -l; split -n 7 n p. && cat p.* | cmp - n && ls p.* | wc -l
dd if=/dev/zero of=s bs=1M seek=100 count=0 2>/dev/null; stat -c '%s %b' s; cp --sparse=always s t; stat -c '%s %b' t
head -c 1000000 /dev/zero | tr '\0' x | fold -w 77 | tail -n 1 | wc -c; tac n | sed -n 2p; paste -sd+ n | cut -c1-20
ln n h; stat -c %h n; ln -s n l; readlink -f l; touch -d '2001-02-03 04:05:06.789' n; stat -c '%y' n; date -u -d @1000000000 +%FT%T 2>&1; date -u -d '2000-02-29 + 1 year' +%F
mkdir -p d/e/f; cp -a n d/e; du -b --apparent-size d/e/n; find d -type f -newermt 2000-01-01 -printf '%f %s\n'; mv d g; rm -r g; ls -d g 2>&1
seq 1 10 | sort >c1; seq 5 15 | sort >c2; comm -12 c1 c2 | wc -l; join n n | wc -l; factor 18446744073709551615; numfmt --to=iec 123456789; base64 -w 0 n | sha1sum
truncate -s 5 n; od -c n; mktemp -u XXXX | wc -c; install -m 741 n i; stat -c %a i; nproc | grep -c .
