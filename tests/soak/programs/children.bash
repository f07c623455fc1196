# Five thousand children, of which each tells something by its status.
sum=0
for ((n = 0; n < 5000; n++)); do
    (exit $((n % 7)))
    ((sum += $?))
done
echo "children $sum"
for n in {1..60}; do echo "$n"; done | while read -r line; do /usr/bin/true & done | cat
wait
echo end
