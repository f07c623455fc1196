/* Bits counted, reversed and permuted, greatest common divisors and integer roots, with shifts and logic only. */
#define ITERATIONS 3000000
#include "../kernel.h"

static inline int ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (int)(x * 0x0101010101010101 >> 56);
}

static inline uint64_t reverse(uint64_t x)
{
    x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
    x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
    x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(x);
}

static NOINLINE uint32_t common(uint32_t a, uint32_t b)
{
    int shift = 0;
    for (; !((a | b) & 1); shift++) a >>= 1, b >>= 1;
    while (a) {
        while (!(a & 1)) a >>= 1;
        while (!(b & 1)) b >>= 1;
        if (a >= b) a -= b; else b -= a;
    }
    return b << shift;
}

static NOINLINE uint32_t root(uint64_t x)
{
    uint64_t result = 0;
    for (uint64_t bit = (uint64_t)1 << 46; bit; bit >>= 2) {
        if (x >= result + bit) x -= result + bit, result = (result >> 1) + bit;
        else result >>= 1;
    }
    return (uint32_t)result;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 8, sum = 0;
    for (long round = 0; round < iterations; round++) {
        uint64_t x = next_random(&seed);
        sum = mix(sum, reverse(x) + (uint64_t)ones(x));
        sum += common((uint32_t)x >> 16 | 1, (uint32_t)(x >> 32) >> 16 | 1) + root(x >> 16);
    }
    return sum;
}
