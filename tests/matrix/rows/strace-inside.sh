# strace of a guest program in the guest: its system calls, children, signals, exit
# grade=brutal group=system time=60 memory=500
# (no strace -c: Debian's strace 6.13 knows no name of riscv_hwprobe and takes the length of NULL)
strace -o t -e trace=openat,write,exit_group cat /etc/debian_version >/dev/null 2>err || { tail -n 1 err >&2; exit 1; }; grep -c 'debian_version' t; grep -c '^exit_group(0)' t; strace -f -o t2 sh -c 'true & wait; (exit 3)' ; echo $?; grep -c 'exited with' t2
