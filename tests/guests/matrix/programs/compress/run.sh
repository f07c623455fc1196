seq 1 900000 | awk '{ print $1, $1 * 7919 % 10007 }' >text
sha256sum <text | cut -c1-16
tar -cf - text | xz -T4 -1 --block-size=1MiB >text.tar.xz && xz -d -T4 -c text.tar.xz | tar -xOf - | sha256sum | cut -c1-16
xz -l --robot text.tar.xz | awk '/^file/ { print ($3 > 4) }'
zstd -q -T4 -9 text -o text.zst && zstd -q -d -c text.zst | sha256sum | cut -c1-16
tar -czf text.tgz text && tar -xzOf text.tgz | sha256sum | cut -c1-16
sort --parallel=4 -S 2M -k2,2n -k1,1nr text | sha256sum | cut -c1-16
