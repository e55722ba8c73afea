# strace: children, signals, results, filters, calls tampered with, attaching
strace -f -o log bash -c 'trap "echo caught" USR1; kill -USR1 $$; true & wait; echo hi; (exit 3)'; echo $?
grep -c 'exited with' log; grep -o 'write(1, "hi\\n", 3) *= 3' log | tr -s ' '; grep -o -- '--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER' log; grep -o 'exited with 3' log | head -n 1
strace -o log -e trace=openat cat /nonexistent 2>/dev/null; grep -o '"/nonexistent", O_RDONLY.*' log; tail -n 1 log
strace -qq -o log -e inject=uname:error=EPERM uname 2>&1 | sed 's/.*: //'; strace -qq -o log -e inject=getpid:retval=77 bash -c 'echo $$'
strace -qq -f -o log -e signal=none -e trace=exit_group -b execve true; grep -c exit_group log
sleep 60 & strace -o log -e trace=nanosleep,clock_nanosleep -p $! 2>/dev/null & for i in $(seq 100); do grep -qs nanosleep log && break; sleep 0.1; done; kill %1; wait %1; echo $?; wait; tail -n 1 log
strace --seccomp-bpf -f -o log -e trace=chdir bash -c 'cd /; cd /usr; (cd /etc)'; grep -o 'chdir.*' log | tr -s ' '
