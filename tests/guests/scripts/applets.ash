# An ash script that uses some eighty applets of busybox; run with an empty folder as the current one, and
# the name of busybox's own shell as $0. Everything it prints is the same wherever it runs.
set -u
export LC_ALL=C TZ=UTC

section() { printf '\n== %s\n' "$*"; }
twice() { "$@" && "$@"; }

section words
words="stranger foreigner guest host house street guest host guest"
for word in $words; do echo "$word"; done >words.txt
sort words.txt | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//' | head -n 4
tr a-z A-Z <words.txt | paste -s -d, -
cut -c 1-3 words.txt | sort -u | wc -l
grep -n -E '^(gu|ho)' words.txt | tail -n 3
awk '{ n[length($1)]++ } END { for (l = 4; l < 10; l++) printf "%d:%d ", l, n[l]; print "" }' words.txt
rev words.txt | tac | nl | head -n 2
sed -n -e '2,4{s/o/0/g;p}' -e '$=' words.txt
fold -w 5 words.txt | head -n 3
comm_a=$(head -n 1 words.txt) comm_b=$(tail -n 1 words.txt)
[ "$comm_a" = stranger ] && [ "$comm_b" != stranger ] && echo compared

section numbers
seq 1 3 20 | awk '{ s += $1 } END { print s }'
expr 17 '*' 3 % 7
echo $(( (1 << 40) + 0x1f * 3 - 7 % 4 )) $(( 5 > 3 && 2 < 1 || 7 ))
factor 1234567890 600851475143
echo '2 64 ^ 1 - p' | dc
echo 'scale=20; 22/7; 2^100' | bc
printf '%05d|%-8s|%x|%o|%e|%c\n' 42 left 255 8 12345.678 z
cal 2 2000

section "sums and codes"
seq 1 1000 >numbers.txt
md5sum <numbers.txt
sha1sum numbers.txt
sha256sum numbers.txt
sha512sum numbers.txt | cut -c 1-40
sha3sum numbers.txt | cut -c 1-40
crc32 numbers.txt
head -c 30 numbers.txt | base64
head -c 30 numbers.txt | base64 | base64 -d | od -A d -t x1 | head -n 2
head -c 20 numbers.txt | xxd
head -c 20 numbers.txt | hexdump -C
uuencode words.txt <words.txt | head -n 3

section packing
for packer in gzip bzip2; do
    $packer -c numbers.txt >"packed.$packer"
    [ "$(wc -c <"packed.$packer")" -lt "$(wc -c <numbers.txt)" ] && echo "$packer is smaller"
done
gunzip -c packed.gzip | cmp - numbers.txt && echo gzip again
bunzip2 -c packed.bzip2 | cmp - numbers.txt && echo bzip2 again
zcat packed.gzip | tail -n 1

section files
mkdir -p deep/er/est && echo one >deep/er/one && echo two >deep/er/est/two
ln -s one deep/er/link && readlink deep/er/link
ln deep/er/one deep/hard && stat -c '%h %s %F' deep/hard
cp -r deep copy && mv copy/er/one copy/er/uno && rm copy/hard
find copy | sort
find deep -type f -name '*o*' | sort | xargs cat
tar -c -f deep.tar deep && tar -t -f deep.tar | sort
mkdir out && tar -x -f deep.tar -C out && diff -r deep out/deep && echo tar again
(cd deep && find . | sort | cpio -o -H newc 2>/dev/null) >deep.cpio && cpio -t <deep.cpio 2>/dev/null | sort
printf 'a\nb\nc\n' >old.txt && printf 'a\nB\nc\nd\n' >new.txt
diff -u old.txt new.txt | sed 1,2d
diff -u old.txt new.txt >change.patch
patch old.txt <change.patch && cmp old.txt new.txt && echo patched
touch -d '2001-02-03 04:05:06' old.txt && stat -c %Y old.txt && date -r old.txt +%F
chmod 640 old.txt && stat -c %a old.txt && [ ! -x old.txt ] && echo not executable
truncate -s 5000 old.txt && wc -c <old.txt
dd if=numbers.txt bs=10 skip=2 count=3 2>/dev/null
basename /a/b/c.txt .txt && dirname /a/b/c.txt
du -a copy >/dev/null && rmdir deep/er 2>/dev/null || echo "not empty: $?"
rm -r deep copy out && ls | sort | tr '\n' ' '

section "time and place"
date -u -d @1000000000 '+%F %T %j'
date -u -d '2026-11-21 12:00:00' +%s
uname -s -m
test "$(id -u)" -ge 0 && echo an id
env -i NAME=value env
mktemp -d ./temporary.XXXXXX | sed 's/\.[A-Za-z0-9]*$/.random/'
which sed >/dev/null && echo found

section shell
fibonacci() {
    local a=0 b=1 i=0 t
    while [ $i -lt "$1" ]; do t=$((a + b)) a=$b b=$t i=$((i + 1)); done
    echo "$a"
}
fibonacci 80
case $words in *foreign*) echo matched ;; *) echo missed ;; esac
text=stranger.tar.gz
echo "${text%.*} ${text%%.*} ${text#*.} ${text##*.} ${#text} ${none:-default}"
while read -r first rest; do echo "<$first><$rest>"; done <<HERE
one two  three
$((6 * 7)) \\ back
HERE
(exit 7)
echo "status $?"
trap 'echo trapped' USR1
kill -USR1 $$
echo after the signal
sleep 0 && true && twice echo again
set -- "a b" c
for argument; do printf '[%s]' "$argument"; done
echo
count=0
until [ $count -ge 3 ]; do count=$((count + 1)); done
echo $count $(( count * count ))
{ echo to both | tee copy.txt; cat copy.txt; } | sort
false | true && echo "status of the last"
yes guest | head -n 3 | uniq -c | sed 's/^ *//'
printf 'x\ty\n' | expand -t 4 | tr ' ' .
printf 'a\nb\n' | unix2dos | od -c | head -n 1
timeout 5 sh -c 'echo in time'
echo 'print(1)' | strings
exit 3
