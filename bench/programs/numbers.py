# Floats, long integers, generators, regular expressions, JSON.  usage: numbers.py ROUNDS
import json
import re
import sys


def primes():
    known, n = [], 2
    while True:
        if all(n % p for p in known if p * p <= n):
            known.append(n)
            yield n
        n += 1


out = 0
for turn in range(int(sys.argv[1])):
    x, z = 0.1 + turn / 1000, 0.0
    for i in range(8000):
        x = 3.7 * x * (1 - x)
        z += x
    big = 1
    for p in primes():
        if p > 300:
            break
        big = big * p + 1
    text = json.dumps({"z": z, "big": str(big), "list": list(range(200))})
    out = (out * 7 + sum(int(m) for m in re.findall(r"\d{3}", text)) + len(json.loads(text)["list"])) % 1000003
print(out)
