# Classes, dictionaries, strings, sorting.  usage: objects.py ROUNDS
import sys


class Account:
    def __init__(self, name):
        self.name, self.balance, self.log = name, 0, []

    def book(self, amount):
        self.balance += amount
        self.log.append(amount)


total = 0
for turn in range(int(sys.argv[1])):
    accounts = {}
    for i in range(3000):
        name = "account-%d" % (i * 7919 % 101)
        accounts.setdefault(name, Account(name)).book(i % 17 - 5)
    ranking = sorted(accounts.values(), key=lambda a: (-a.balance, a.name))
    words = " ".join(a.name for a in ranking).replace("-", "_").split()
    total = (total * 31 + sum(len(w) * a.balance for w, a in zip(words, ranking))) % 1000003
print(total)
