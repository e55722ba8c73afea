# ps, pgrep, /proc of self and children tell about the guest's programs; kill by name
# grade=basic time=60 memory=800
. /matrix/lib.sh
sleep 77 & p=$!; ready grep -x sleep /proc/$p/comm; ps -o comm=,args= -p $p; pgrep -x sleep | grep -c "^$p$"; cat /proc/$p/comm; tr '\0' ' ' </proc/$p/cmdline; echo; cut -d' ' -f2 /proc/$p/stat; readlink /proc/$$/exe; sh -c 'readlink /proc/self/exe' ; awk '/^Name/ { print $2 }' /proc/$$/status; ready grep '^State:.S' /proc/$p/status && grep -o '^State:.S' /proc/$p/status | cut -c8
pkill -x sleep; wait $p; echo $?; grep -c . /proc/self/maps | awk '{ print ($1 > 3) }'; grep -o '\[stack\]\|\[heap\]' /proc/self/maps | sort -u; ls /proc/self/fd | wc -l; ls -l /proc/self/exe | sed 's/.*-> //'
uptime >/dev/null && free -m | awk 'NR == 2 { print ($2 > 0) }'; sysctl -n kernel.ostype; getconf PAGESIZE; getconf _NPROCESSORS_ONLN | grep -c .; ulimit -s; cat /proc/self/auxv | wc -c | awk '{ print $1 % 16 }'; uname -s
python3 -c 'import os, re; m = open("/proc/self/maps").read(); print("dragoman" in m.lower(), "qemu" in m.lower(), len(re.findall("libc.so.6", m)) > 2); e = open("/proc/self/environ").read().split("\0"); print([x for x in e if x.startswith(("LC_ALL", "HOME"))]); s = open("/proc/self/stat").read().split(); print(int(s[0]) == os.getpid(), int(s[3]) == os.getppid())'
