# stress-ng: classes of kernel work (memory, files, pipes, signals, processes, sockets, timers), up to a second of each, verified
# grade=hard group=system time=900 memory=2500 expect=native engines="qemu auto bt"
# (status 3: a resource is lacking, 4: not implemented here; the guest must say so where, and only where, it is so natively)
for s in access alarm atomic brk chmod clock clone close context dentry dup epoll eventfd exec fallocate fault fcntl flock fork fstat futex getdent getrandom io itimer kill madvise malloc mcontend memfd mergesort mincore mmap mmapfork mprotect mq mremap msg mutex nanosleep pidfd pipe poll prctl pthread pty qsort rename sem shm sigabrt sigchld sigfd sigfpe signal sigq sigrt sigsegv sigsuspend sock sockpair spawn splice stack switch timer timerfd udp unshare vfork vm wait zombie; do
    timeout -k 3 150 stress-ng --quiet --verify --oomable --$s 1 --$s-ops 20 -t 1 >log 2>&1; r=$?; echo "$s $r"; case $r in 0 | 3 | 4) ;; *) sed 's/^/    /' log >&2 ;; esac
done
