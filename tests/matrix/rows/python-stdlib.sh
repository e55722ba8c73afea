# python: json, pickle, sqlite3, re, decimal, zlib, lzma, csv, dataclasses, generators, recursion, its own test suite in part
# grade=medium time=200 factor=6
python3 -c '
import json, pickle, sqlite3, re, decimal, zlib, lzma, bz2, csv, io, dataclasses, collections, itertools, random, math, hashlib, struct, tempfile, os, sys, fractions, statistics, heapq, textwrap, datetime, xml.etree.ElementTree as E, ast
r = random.Random(7); l = [r.random() for _ in range(20000)]; print(sum(l), sorted(l)[100], hash((1, 2, 3)), r.gauss(0, 1)); o = {"k%d" % i: [i, i / 3, None, {"x": "é" * (i % 5)}] for i in range(2000)}; assert json.loads(json.dumps(o)) == o == pickle.loads(pickle.dumps(o)); print(len(json.dumps(o)), len(pickle.dumps(o, 4)))
b = json.dumps(o).encode(); print([len(f(b)) > 100 and g(f(b)) == b for f, g in ((zlib.compress, zlib.decompress), (lzma.compress, lzma.decompress), (bz2.compress, bz2.decompress))], hashlib.sha3_256(b).hexdigest()[:16]); c = sqlite3.connect(":memory:"); c.execute("create table t(a, b)"); c.executemany("insert into t values(?, ?)", ((i, math.sin(i)) for i in range(5000))); print(c.execute("select count(*), round(sum(b), 9) from t where a % 3 = 0").fetchone())
print(len(re.findall(r"(?:[a-f]\d)+(?=[^\d])", hashlib.sha512(b).hexdigest() * 20)), math.factorial(100) % 10 ** 9, fractions.Fraction(3, 7) + 1, statistics.stdev(range(100)), 2 ** 0.5, 1e308 * 10, float.fromhex("0x1.8p-1074"), struct.pack("<dHi", 1.5, 2, -3).hex(), datetime.date(2000, 2, 29) + datetime.timedelta(365), E.fromstring("<a><b c=\"1\"/></a>")[0].attrib, ast.literal_eval("[1, (2, 3)]"))
decimal.getcontext().prec = 60; print(decimal.Decimal(1).exp(), pow(3, 10 ** 5, 10 ** 9 + 7), int("9" * 3000) % 997)
def deep(n): return deep(n + 1)
try: deep(0)
except RecursionError as e: print("deep")
print(sum(1 for _ in itertools.permutations(range(8))), collections.Counter("mississippi").most_common(2), [*heapq.merge([1, 4], [2, 3])])'
python3 -m venv --without-pip v && v/bin/python -c 'import sys; print(sys.prefix, sys.base_prefix)'; python3 -m timeit -n 10 -s 'x = 1' 'x + 1' | grep -c loops; python3 -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 & p=$!; n=0; until python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8000/").status)' || [ $((n += 1)) = 60 ]; do sleep 0.5; done; kill $p; echo 'print(6 * 7)' >m.py; python3 -m py_compile m.py && ls __pycache__ | wc -l
