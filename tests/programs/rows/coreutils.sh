# coreutils: sums with known values, text, files, dates, messages with argv[0]
printf abc | md5sum; printf abc | sha1sum; printf abc | sha256sum; printf abc | sha512sum; printf abc | b2sum; printf abc | cksum
seq 1 1000 | sort -R | sort -n | head -n 3
seq 1 20 | shuf -n 20 | sort -g | paste -sd+ | tr -d '\n'; echo
echo 'the quick brown fox' | wc; echo hello | rev | tac; echo abc | od -An -tx1 | tr -s ' '
mkdir -p d/e; touch d/e/f; ls -R d; cp -a d d2; mv d2 d3; rm -r d3; ls
date -u -d @1000000000 +%Y-%m-%dT%H:%M:%S; factor 123456789012345; expr 6 \* 7
ln -s d/e/f link; readlink link; realpath --relative-to=. link; stat -c '%s %F' d/e/f
dd if=/dev/zero bs=4096 count=10 2>/dev/null | wc -c; split -b 1000 <(seq 1 1000) part; cat part* | cmp - <(seq 1 1000) && echo same
LC_ALL=C ls /nonexistent 2>&1; LC_ALL=C cat /nonexistent 2>&1; echo "status $?"
timeout 0.2 sleep 5; echo "timeout $?"; nproc >/dev/null && echo nproc ok; numfmt --to=iec 1048576; base64 <<< dragoman; env -i A=1 env; tr a-z A-Z <<< upper; cut -d: -f2 <<< a:b:c; join <(printf 'a 1\nb 2\n') <(printf 'a x\nb y\n'); comm -12 <(seq 1 5) <(seq 3 8)
