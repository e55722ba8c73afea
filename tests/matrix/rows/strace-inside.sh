# strace of a guest program in the guest: its system calls, children, threads, signals, injected errors, attachment, exit
# grade=brutal group=system time=60 memory=500
. /matrix/lib.sh
# (no strace -c: Debian's strace 6.13 knows no name of riscv_hwprobe and takes the length of NULL)
echo text >f; strace -o t -e trace=openat,read,write,exit_group -e signal=none cat f || exit 1; grep -o 'f", O_RDONLY\|^read.*"text.*\|^write.*\|^exit.*\|^+++.*' t
strace -f -o t sh -c 'true & wait; (exit 3)'; echo $?; grep -c 'exited with' t; grep -o '+++ exited with 3 +++' t
strace -f -o t -e trace=none sh -c 'kill -TERM $$; echo not here'; echo $?; grep -o '^[0-9]* *--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER\|+++ killed by SIGTERM +++' t | sed 's/^[0-9]* *//'
strace -o t -P /tmp/f -e trace=openat -e fault=openat:error=EACCES cat /tmp/f 2>&1; echo $?; grep -o '(INJECTED)' t
sleep 100 & p=$!; strace -o t -p $p 2>err & s=$!; ready grep attached err; kill -USR1 $p; wait $p; echo $?; wait $s; grep -o 'clock_nanosleep\|--- SIGUSR1\|+++ killed by SIGUSR1 +++' t
strace -f -o t -e trace=futex,tgkill,exit python3 -c 'import threading; t = [threading.Thread(target=print, args=(i,)) for i in range(3)]; [x.start() or x.join() for x in t]'; grep -c ' exit(0)' t
