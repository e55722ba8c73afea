# pypy3: traces of its compiler over integers, floats, objects, strings, generators, exceptions, the collector
cat > t.py <<'P'
import json, hashlib, threading, collections
def f(n):
    s = 0
    for i in range(n): s = (s * 31 + i) & 0xffffffffffff; s ^= s >> 7
    return s
print(f(300000))
class P:
    def __init__(self, x): self.x = x
    def area(self): return self.x * 0.5
class Q(P):
    def area(self): return self.x * 2
print(sum((Q(i) if i % 100 == 99 else P(i)).area() for i in range(60000)))
n = 0
for i in range(20000):
    try:
        if i % 3 == 0: raise KeyError(i)
        n += 1 // (i % 7)
    except KeyError as e: n += e.args[0]
    except ZeroDivisionError: n -= 1
print(n)
def gen():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
g = gen(); print([next(g) for _ in range(300)][-1])
d = collections.Counter(str(i * 7919 % 101) for i in range(30000)); print(sorted(d.items())[:3])
x = [0.0] * 1000
for r in range(50):
    for i in range(1, 1000): x[i] = x[i - 1] * 0.5 + (i + r) ** 0.5
print(x[999])
t = [threading.Thread(target=f, args=(20000,)) for _ in range(4)]; [k.start() for k in t]; [k.join() for k in t]
print(hashlib.sha256(json.dumps({"a": [1, 2.5, None]}).encode()).hexdigest()[:16], len([[i] for i in range(200000)]))
def deep(n): return deep(n + 1)
try: deep(0)
except RecursionError as e: print(type(e).__name__)
P
export LC_ALL=C
pypy3 t.py; pypy3 --jit off t.py | sha256sum; pypy3 t.py | sha256sum
