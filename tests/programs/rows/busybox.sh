# busybox: applets under one static program, exec of itself through sh
busybox sh -c 'for a in 3 1 2; do echo $a; done | busybox sort | busybox tr "\n" ,'; echo
busybox seq 1 5 | busybox awk '{ s += $1 * 0.5 } END { print s }'; echo test | busybox md5sum; echo data | busybox gzip | busybox zcat
busybox expr 12 \* 12; busybox printf '%05d\n' 42; mkdir d; echo x > d/f; busybox tar cf - d | busybox tar tf -; busybox find d -type f; busybox dc -e '2 3 + p' 2>/dev/null || busybox dc 2 3 + p
busybox ash -c 'f() { return 3; }; f; echo $?; (exit 9); echo $?'; busybox vi --help >/dev/null 2>&1; echo hello | busybox sed 's/l/L/g'; busybox uname -m
