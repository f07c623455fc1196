# Bash: arrays, functions, substitutions, pipes and subshells; every program it starts is the sysroot's own.
set -u
declare -A seen=()
declare -a order=()
while read -r first rest; do
    [[ $first =~ ^[a-m]([a-z]*)$ ]] || continue
    (( seen[$first]++ )) || order+=("$first")
done < text.txt
echo "${#order[@]} words; the first: ${order[*]:0:5}"

collatz() {
    local n=$1 steps=0
    while (( n != 1 )); do (( n = n % 2 ? 3 * n + 1 : n / 2, steps++ )); done
    echo "$steps"
}
for start in 7 27 97; do printf '%d takes %d steps\n' "$start" "$(collatz "$start")"; done

text="stranger, foreigner, guest"
echo "${text//, /;}" "${text^^}" "${text:10:9}" "${text%%,*}" "${#text}"
IFS=', ' read -r -a parts <<< "$text"
printf '<%s>' "${parts[@]}"; echo
printf '%s\n' "${parts[@]}" | sort -r | tr '\n' ' '; echo
cut -d, -f2 table.csv | sort | uniq -c | sort -k1,1nr -k2 | head -n 3
diff <(seq 1 5) <(seq 2 6) || echo "differ: $?"
total=0
for value in $(cut -d, -f3 table.csv | tail -n +2 | head -n 50); do (( total += value )); done
echo "total $total"
( exit 9 ); echo "status $?"
trap 'echo cleaned up' EXIT
{ sleep 0 & wait $!; } && echo "waited: $?"
printf -v hexadecimal '%08x' 3735928559; echo "$hexadecimal"
exit 4
