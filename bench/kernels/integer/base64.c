/* Base64, there and back: three bytes to four letters by shifts and tables. */
#define ITERATIONS 5700
#include "../kernel.h"

enum { SIZE = 3 << 15 };
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t plain[SIZE], text[SIZE / 3 * 4], values[256];

static NOINLINE void encode(const uint8_t *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i += 3, in += 3, out += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = (uint8_t)letters[bits >> 18];
        out[1] = (uint8_t)letters[bits >> 12 & 63];
        out[2] = (uint8_t)letters[bits >> 6 & 63];
        out[3] = (uint8_t)letters[bits & 63];
    }
}

static NOINLINE void decode(const uint8_t *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i += 3, in += 4, out += 3) {
        uint32_t bits = (uint32_t)values[in[0]] << 18 | (uint32_t)values[in[1]] << 12
                      | (uint32_t)values[in[2]] << 6 | values[in[3]];
        out[0] = (uint8_t)(bits >> 16), out[1] = (uint8_t)(bits >> 8), out[2] = (uint8_t)bits;
    }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 12, sum = 0;
    for (int i = 0; i < 64; i++) values[(uint8_t)letters[i]] = (uint8_t)i;
    for (size_t i = 0; i < SIZE; i++) plain[i] = (uint8_t)next_random(&seed);
    for (long round = 0; round < iterations; round++) {
        encode(plain, text, SIZE);
        text[next_random(&seed) % sizeof text] = (uint8_t)letters[round & 63];
        decode(text, plain, SIZE);
        sum = mix(sum, plain[round % SIZE]);
    }
    return sum;
}
