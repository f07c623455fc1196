bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb)")
"$bin/initdb" -D data -U guest --auth=trust --no-sync --locale=C.UTF-8 >log 2>&1 || { tail -5 log; exit 1; }
echo "unix_socket_directories = '$PWD'" >>data/postgresql.conf
echo "fsync = off
listen_addresses = ''
max_worker_processes = 4" >>data/postgresql.conf
"$bin/pg_ctl" -D data -l server.log -w -t 120 start >log 2>&1 || { tail -5 log server.log; exit 1; }
sql() { psql -X -q -A -t -h "$PWD" -U guest postgres "$@"; }
"$bin/pgbench" -h "$PWD" -U guest -i -q -s 1 postgres >log 2>&1 || tail -3 log
"$bin/pgbench" -h "$PWD" -U guest -c 4 -j 2 -t 50 postgres >log 2>&1 || tail -3 log
grep -o 'number of transactions actually processed: .*' log
sql -c 'select sum(abalance) = (select sum(bbalance) from pgbench_branches) from pgbench_accounts'
sql -c 'select count(*), sum(n) from generate_series(1, 100000) n where n % 7 = 3'
sql -c 'set jit = on; set jit_above_cost = 0; select round(avg(sqrt(n))::numeric, 6) from generate_series(1, 20000) n'
sql -c "set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set min_parallel_table_scan_size = 0;
    select count(*) from pgbench_accounts where aid % 3 = 0"
sql -c 'select pg_sleep(30)' >cancelled 2>&1 & sleep 1
sql -c "select count(pg_cancel_backend(pid)) from pg_stat_activity where query like 'select pg_sleep%'"
wait
cat cancelled
"$bin/pg_ctl" -D data -w -t 120 -m fast stop >log 2>&1 && echo stopped
grep -E 'PANIC|terminated by signal' server.log
"$bin/pg_controldata" -D data | grep 'cluster state'
