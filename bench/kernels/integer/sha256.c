/* SHA-256's compression function over one buffer after the other: rotations, logic and 32-bit additions. */
#define ITERATIONS 9600
#include "../kernel.h"

static uint32_t constants[64], state[8];
static uint8_t data[1 << 14];

static inline uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static NOINLINE void compress(const uint8_t *p)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3)
             + (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 256; /* the constants need not be SHA's own to cost what they cost */
    for (int i = 0; i < 64; i++) constants[i] = (uint32_t)next_random(&seed);
    for (int i = 0; i < 8; i++) state[i] = (uint32_t)next_random(&seed);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)next_random(&seed);
    for (long round = 0; round < iterations; round++)
        for (size_t i = 0; i < sizeof data; i += 64) compress(data + i);
    return (uint64_t)state[0] << 32 | state[7];
}
