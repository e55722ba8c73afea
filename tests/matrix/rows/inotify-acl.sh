# inotify, extended attributes, ACLs, file locks, capabilities, FUSE's absence, leases
# grade=medium group=system time=60 memory=500
. /matrix/lib.sh
mkdir d; (inotifywait -m -e create,delete,moved_to,modify --format '%e %f' d >ev 2>err & echo $! >ip); ready grep established err; echo a >d/x; mv d/x d/y; rm d/y; ready grep DELETE ev; kill $(cat ip); sort -u ev; touch f; setfattr -n user.k -v val f 2>&1 && getfattr -n user.k --only-values f; echo; setfacl -m u:1234:rw f 2>/dev/null && getfacl -n f 2>/dev/null | grep 1234
flock f sh -c 'flock -n f true; echo $?'; (flock 9; : >held; sleep 1; echo first) 9>l & ready test -e held; flock l echo second; wait; python3 -c '
import fcntl, os, mmap, struct
f = open("lk", "w+"); fcntl.lockf(f, fcntl.LOCK_EX, 10, 5); r, w = os.pipe()
if os.fork() == 0:
    g = open("lk", "r+")
    try: fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0); os.write(w, b"got")
    except OSError: os.write(w, b"locked")
    os._exit(0)
print(os.read(r, 10)); os.wait(); m = mmap.mmap(-1, 8192); m[0:4] = b"abcd"; os.fork() or (m.__setitem__(slice(0, 4), b"wxyz"), os._exit(0)); os.wait(); print(m[0:4]); fd = os.memfd_create("x", os.MFD_ALLOW_SEALING); os.write(fd, b"x" * 100); fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
try: os.write(fd, b"y")
except OSError as e: print(e.strerror)
print(os.readlink("/proc/self/fd/%d" % fd)); print(os.getxattr("f", "user.k")); s = os.open("sp", os.O_RDWR | os.O_CREAT); os.lseek(s, 100000, 0); os.write(s, b"e"); print(os.lseek(s, 0, os.SEEK_DATA) > 0, os.copy_file_range(s, os.open("cp", os.O_RDWR | os.O_CREAT), 10, 100000 - 9)); print(os.sched_getaffinity(0) != set(), os.getpriority(os.PRIO_PROCESS, 0) == os.nice(0), os.pidfd_open(os.getpid()) > 0)'; capsh --print | grep -c Current
