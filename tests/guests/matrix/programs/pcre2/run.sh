seq 1 200000 | awk '{ print $1 * 7919 % 1000003, "stranger" $1 % 13 }' > lines
pcre2grep -c '^(\d)(\d)?.*\1.*r[3-7]$' lines
pcre2grep --no-jit -c '^(\d)(\d)?.*\1.*r[3-7]$' lines
pcre2test -C jit || true
