# grep, sed, gawk, mawk, findutils, diffutils, patch
seq 1 30 | grep -E '^(1|2).*[05]$'; echo foobar | grep -oP 'foo(?=bar)'; grep -c . <(seq 7)
echo 'one two three' | sed -E 's/(\w+) (\w+)/\2 \1/; y/abc/xyz/'; seq 5 | sed -n '2,4p;$='
gawk 'BEGIN { for (i = 0; i < 5; i++) s += sqrt(i); printf "%.6f %s\n", s, toupper("gawk"); print strftime("%Y", 0, 1) }'
seq 1 100 | gawk '{ a[$1 % 7] += $1 } END { n = asorti(a, k); for (i = 1; i <= n; i++) print k[i], a[k[i]] }'
seq 1 10 | mawk '{ s += $1 * 1.5 } END { printf "%.3f %d\n", s, NR }'
mkdir -p t/a t/b; echo x > t/a/1.c; echo y > t/b/2.c; find t -name '*.c' | sort | xargs -n1 basename; find t -type f -exec cat {} + | sort
printf 'a\nb\nc\n' > o; printf 'a\nB\nc\nd\n' > n; diff -u --label o --label n o n > p; cat p; patch -s o < p && cmp o n && echo patched
