# the guest as /proc and uname show it
uname -m; readlink /proc/self/exe; tr '\0' ' ' < /proc/self/cmdline; echo
cat /proc/self/comm; grep -c -e '^isa' -e '^Features' /proc/cpuinfo | grep -q '^[1-9]' && echo isa; arch; getconf PAGE_SIZE
grep -q 'bin/grep$' /proc/self/maps && echo maps; grep -c -e dragoman /proc/self/maps
perl -e 'open F, "/proc/self/maps"; my ($lo, $n); while (<F>) { $n++; /^([0-9a-f]+)-([0-9a-f]+) (\S+)/ or die; } print "maps parsed\n" if $n > 5; open F, "/proc/self/stat"; $_ = <F>; /^(\d+) \((\S+)\)/; print $1 == $$ ? "pid ok" : "pid bad", " $2\n"'
python3 -c 'import os; print(os.path.basename(os.readlink("/proc/self/exe")).rstrip("0123456789."), len(os.listdir("/proc/self/task")), os.readlink("/proc/%d/exe" % os.getpid()) == os.readlink("/proc/self/exe"))'
