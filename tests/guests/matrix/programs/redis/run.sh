redis-server --port 0 --unixsocket "$PWD/redis.sock" --daemonize yes --dir "$PWD" --save '' --io-threads 2 \
    --pidfile "$PWD/redis.pid" --logfile "$PWD/log" >out 2>&1
for _ in $(seq 100); do [ -S redis.sock ] && break; sleep 0.1; done
ask() { redis-cli -s redis.sock "$@"; }
redis-benchmark -s redis.sock -n 3000 -c 20 -P 4 -t set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100 -q >bench || { tail -3 bench; exit 1; }
echo "benchmarks $(tr '\r' '\n' <bench | grep -c 'requests per second')"
ask incrby counter 41; ask incr counter
ask eval 'local s = 0; for i = 1, 100000 do s = s + i % 7 end; return s' 0
for i in 1 2 3 4 5; do ask rpush list "$i"; done | tail -1
ask lrange list 0 -1 | tr '\n' ' '; echo
ask bgsave; for _ in $(seq 100); do [ "$(ask info persistence | grep -c bgsave_in_progress:0)" = 1 ] && break; sleep 0.1; done
ask info persistence | grep -o 'rdb_last_bgsave_status:ok'
pid=$(cat redis.pid)
ask shutdown nosave
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
redis-check-rdb dump.rdb | tail -1
