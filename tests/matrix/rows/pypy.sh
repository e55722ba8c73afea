# pypy3: its tracing compiler on loops, objects, strings
# grade=hard group=runtimes time=200 memory=1500
command -v pypy3 >/dev/null || { echo 'no pypy3 for this machine' >&2; exit 77; }
pypy3 -c '
import sys, json, re, hashlib
class V:
    def __init__(s, x, y): s.x, s.y = x, y
    def __add__(s, o): return V(s.x + o.x, s.y * 0.5 + o.y)
v = V(0, 0)
for i in range(1000000): v = v + V(i % 7, 1.5)
print(v.x, v.y); print(sum(i * i % 11 for i in range(1000000))); d = {}
for i in range(300000): d[i % 1009] = d.get(i % 1009, 0) + i
print(len(d), max(d.values())); print(len(json.dumps(list(range(100000)))), len(re.findall(r"\d+5", " ".join(map(str, range(50000)))))); print(hashlib.md5(b"abc").hexdigest(), 3 ** 500 % 1000003)
def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
print(f(24))
try: (lambda g: g(g))(lambda g: g(g))
except RecursionError: print("deep")
' 2>&1
