"""Python of several kinds, as often as the argument says: objects, dictionaries, strings, sorting, JSON, patterns."""

import json
import re
import sys


class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance

    def move(self, other, amount):
        self.balance -= amount
        other.balance += amount


def objects(n):
    accounts = [Account(f"account {i}", 1000) for i in range(100)]
    for i in range(n):
        accounts[i % 100].move(accounts[i * 7 % 100], i % 13)
    return sum(a.balance * i for i, a in enumerate(accounts))


def numbers(n):
    a, b = 0, 1
    for i in range(n):
        a, b = b, (a * 3 + b + i) % 1000003
    return a


def dictionaries(n):
    counts = {}
    for i in range(n):
        key = i * 2654435761 % 1009
        counts[key] = counts.get(key, 0) + i
    return max(sorted(counts.items(), key=lambda item: (item[1], item[0])))


def strings(n):
    words = [f"word{i * 37 % 911}" for i in range(n)]
    text = " ".join(words).replace("word1", "Word-1").upper().split()
    return len(set(text)), sum(map(len, text))


def documents(n):
    value = {"rows": [{"id": i, "name": f"n{i}", "ratio": i / 7, "tags": ["a", "b", None]} for i in range(n)]}
    again = json.loads(json.dumps(value))
    found = re.findall(r"n(\d*[05])\b", " ".join(row["name"] for row in again["rows"]))
    return again == value, len(found)


for step in range(int(sys.argv[1])):
    print(step, objects(40000), numbers(60000), dictionaries(30000), strings(8000), documents(700))
