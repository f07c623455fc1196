python3 main.py
sqlite3 shared.db 'pragma integrity_check' 'select count(*), sum(value) from rows' 'pragma journal_mode'
