# python: errors of spawning reach the caller (ENOENT, EACCES, ENOEXEC, E2BIG, cwd), posix_spawn, multiprocessing
# grade=medium time=120 factor=6
cat >t.py <<'P'
import subprocess, os, errno, sys, multiprocessing, signal, concurrent.futures, threading
open('noexec', 'w').write('echo hi\n'); open('bad', 'w').write('\x7fELF junk'); os.chmod('bad', 0o755)
def attempt(*a, **k):
    try: print(subprocess.run(*a, capture_output=True, text=True, **k).stdout.strip())
    except OSError as e: print(type(e).__name__, errno.errorcode[e.errno], e.filename if isinstance(e.filename, str) else '')
def square(x): return x * x
if __name__ == '__main__':
    attempt(['/nonexistent']); attempt(['./noexec']); attempt(['./bad']); attempt(['true'], cwd='/nowhere'); attempt(['true', 'x' * 200000])
    attempt(['echo', 'fine']); attempt('echo $((1+1)); exit 3', shell=True); attempt(['sh', '-c', 'echo $0'], executable='/bin/bash')
    attempt(['/']); attempt(['id', '-u'], user=65534, group=65534, extra_groups=[]); attempt(['echo', 'pre'], preexec_fn=os.setsid, close_fds=True)
    print(subprocess.run(['sh', '-c', 'kill -SEGV $$']).returncode, subprocess.call(['sh', '-c', 'exit 200']))
    p = os.posix_spawn('/bin/sh', ['sh', '-c', 'exit 11'], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, 'o', os.O_WRONLY | os.O_CREAT, 0o644)], setsigdef=[signal.SIGPIPE])
    print(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]))
    try: os.posix_spawnp('nonesuch', ['n'], os.environ)
    except OSError as e: print('spawnp', errno.errorcode[e.errno])
    for method in ('fork', 'spawn', 'forkserver'):
        with multiprocessing.get_context(method).Pool(3) as pool: print(method, sum(pool.map(square, range(200))))
    with concurrent.futures.ProcessPoolExecutor(2) as ex: print(sum(ex.map(square, range(50), chunksize=10)))
    ts = [threading.Thread(target=lambda: [subprocess.run(['true'], check=True) for _ in range(6)]) for _ in range(4)]
    [t.start() for t in ts]; [t.join() for t in ts]; print('threads')
    r, w = os.pipe(); pid = os.fork()
    if pid == 0: os.write(w, b'x' * 70000); os._exit(0)
    os.close(w); n = 0
    while (b := os.read(r, 8192)): n += len(b)
    os.waitpid(pid, 0); print(n)
    try: subprocess.run(['sleep', '10'], timeout=0.3)
    except subprocess.TimeoutExpired: print('timeout')
    q = multiprocessing.Queue(); ps = [multiprocessing.Process(target=q.put, args=(i,)) for i in range(5)]; [p.start() for p in ps]
    print(sorted(q.get() for _ in ps)); [p.join() for p in ps]
    from multiprocessing import shared_memory; s = shared_memory.SharedMemory(create=True, size=100); s.buf[0] = 7; print(s.buf[0]); s.close(); s.unlink()
P
python3 t.py
