pypy3 main.py
