/* A Lempel-Ziv compressor with a hash of three bytes, and its decompressor, on text with repetitions. */
#define ITERATIONS 800
#include "../kernel.h"

enum { SIZE = 1 << 17 };
static uint8_t plain[SIZE], packed[SIZE * 2], again[SIZE];
static int32_t last[1 << 13];

static NOINLINE size_t pack(const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t *start = out;
    memset(last, -1, sizeof last);
    for (size_t at = 0; at < n;) {
        size_t length = 0, distance = 0;
        if (at + 3 < n) {
            uint32_t three = in[at] | in[at + 1] << 8 | in[at + 2] << 16;
            int32_t *slot = &last[three * 2654435761u >> 19];
            if (*slot >= 0 && at - (size_t)*slot < 65536) {
                distance = at - (size_t)*slot;
                while (length < 130 && at + length < n && in[at + length] == in[at + length - distance]) length++;
            }
            *slot = (int32_t)at;
        }
        if (length >= 4) {
            *out++ = (uint8_t)(128 + length - 4);
            *out++ = (uint8_t)distance, *out++ = (uint8_t)(distance >> 8);
            at += length;
        } else {
            *out++ = in[at++] & 127;
        }
    }
    return (size_t)(out - start);
}

static NOINLINE size_t unpack(const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t *start = out;
    for (const uint8_t *end = in + n; in < end;) {
        uint8_t byte = *in++;
        if (byte < 128) {
            *out++ = byte;
        } else {
            const uint8_t *from = out - (in[0] | in[1] << 8);
            in += 2;
            for (int left = byte - 128 + 4; left > 0; left--) *out++ = *from++;
        }
    }
    return (size_t)(out - start);
}

static uint64_t work(long iterations)
{
    uint64_t seed = 9, sum = 0;
    for (size_t at = 0; at < SIZE;) {
        uint64_t random = next_random(&seed);
        size_t back = random >> 20 & 1023, run = 3 + (random >> 40) % 20;
        if (random % 4 == 0 || at < 1024) plain[at++] = (uint8_t)(random >> 8 & 127);
        else while (run-- && at < SIZE) plain[at] = plain[at - back - 1], at++;
    }
    for (long round = 0; round < iterations; round++) {
        plain[next_random(&seed) % SIZE] = (uint8_t)(round & 127);
        size_t n = pack(plain, SIZE, packed);
        sum = mix(sum, n + unpack(packed, n, again));
        if (memcmp(plain, again, SIZE)) return 0;
    }
    return sum;
}
