# xz, zstd, bzip2, gawk: long streams and loops, each checked by its own inverse and by checksum
gawk 'BEGIN { srand(7); for (i = 0; i < 40000; i++) { x = (x * 16807 + 12345) % 2147483647; printf "%d line %d %s\n", i % 100, x, substr("abcdefghij", x % 7 + 1) } }' > f; sha256sum < f
for c in 'xz -6' 'xz -e3' 'zstd -q -3' 'zstd -q -15' 'zstd -q --long' 'bzip2 -9'; do $c -c f > f.z; ${c%% *} -dc < f.z | sha256sum - | cut -c1-16; echo "$c"; done
gawk '{ n[$1] += $3; l[length($4)]++ } END { for (k = 0; k < 100; k++) s = s " " n[k]; print substr(s, 1, 60); for (k = 1; k < 11; k++) print k, l[k] }' f
