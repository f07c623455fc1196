mkdir -p logs www temp
seq 1 50000 >www/numbers.txt
echo "<p>a guest</p>" >www/index.html
nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/logs/error.log" || exit 1
touch ready
for _ in $(seq 1200); do [ -e done ] && break; sleep 0.1; done
cp www/index.html www/again.html
nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/logs/error.log" -s reload
sleep 1
nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/logs/error.log" -s quit
for _ in $(seq 100); do [ -e nginx.pid ] || break; sleep 0.1; done
[ -e nginx.pid ] || echo ended
grep -c 'GET' logs/access.log
grep -i -E 'emerg|alert|crit|exited on' logs/error.log | head -3
