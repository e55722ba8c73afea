# python3: threads, subprocess, ctypes, sqlite3, ssl, hashing, floats, json, struct, asyncio
cat > t.py <<'X'
import sys, os, threading, subprocess, ctypes, ctypes.util, sqlite3, ssl, hashlib, json, struct, math, zlib, asyncio, queue, re, decimal, random, platform, signal, time, tempfile, multiprocessing
print(platform.machine(), sys.maxsize, struct.calcsize("P"))
q = queue.Queue()
def work(n):
    q.put(sum(i * i for i in range(n)))
ts = [threading.Thread(target=work, args=(2000 + i,)) for i in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sorted(q.queue))
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout.strip(), subprocess.run("exit 7", shell=True).returncode)
try:
    subprocess.run(["/nonexistent/program"])
except FileNotFoundError as e:
    print("spawn error", e.errno)
p = subprocess.Popen(["sleep", "10"]); p.terminate(); print(p.wait())
libc = ctypes.CDLL(None)
libc.strlen.argtypes = [ctypes.c_char_p]; print(libc.strlen(b"dragoman"))
libm = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6"); libm.pow.restype = ctypes.c_double; libm.pow.argtypes = [ctypes.c_double] * 2; print(libm.pow(2.0, 0.5))
CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
a = (ctypes.c_int * 6)(5, 3, 9, 1, 7, 2); libc.qsort(a, 6, 4, CMP(lambda x, y: x[0] - y[0])); print(list(a))
db = sqlite3.connect(":memory:"); db.execute("create table t(a integer, b real, c text)")
db.executemany("insert into t values(?,?,?)", [(i, i / 3, str(i)) for i in range(1000)])
print(db.execute("select count(*), sum(a), round(avg(b), 6), max(c) from t where a % 7 = 3").fetchone())
print(ssl.create_default_context().minimum_version.name, hashlib.sha3_256(b"abc").hexdigest()[:16], hashlib.blake2b(b"abc").hexdigest()[:16], zlib.crc32(b"abc"))
print(json.dumps({"x": [1, 2.5, None, True], "y": "\u00e9"}), repr(0.1 + 0.2), math.fsum([0.1] * 10), math.gamma(5.5), decimal.Decimal(2).sqrt(), (1e308 * 10), float("nan") != float("nan"), 7 // -2, 2 ** 200 % 1000007)
random.seed(42); print([random.randint(0, 99) for _ in range(8)], round(random.gauss(0, 1), 12))
async def main():
    r = await asyncio.gather(*(asyncio.sleep(0.01, i) for i in range(5)))
    pr = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    o, _ = await pr.communicate(b"through cat"); print(r, o)
asyncio.run(main())
got = []
signal.signal(signal.SIGALRM, lambda s, f: got.append(s)); signal.setitimer(signal.ITIMER_REAL, 0.05)
t0 = time.time()
while not got and time.time() - t0 < 30: pass
print("alarm", got)
r, w = os.pipe()
if os.fork() == 0:
    os.write(w, b"forked"); os._exit(5)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.wait()[1]))
with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(abs, [-1, -2, 3]))
print(re.sub(r"(\d+)", lambda m: str(int(m[1]) * 2), "a1b22c333"), sorted("the quick brown".split(), key=len))
X
python3 t.py
