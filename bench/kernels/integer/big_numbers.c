/* Numbers of 2048 bits multiplied and reduced: 64 x 64 -> 128 bit products and carries. */
#define ITERATIONS 560000
#include "../kernel.h"

enum { WORDS = 32 };
static uint64_t a[WORDS], b[WORDS], product[2 * WORDS];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < 2 * WORDS; i++) product[i] = 0;
    for (int i = 0; i < WORDS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < WORDS; j++) {
            __uint128_t t = (__uint128_t)a[i] * b[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        product[i + WORDS] = carry;
    }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 10, sum = 0;
    for (int i = 0; i < WORDS; i++) a[i] = next_random(&seed), b[i] = next_random(&seed);
    for (long round = 0; round < iterations; round++) {
        multiply();
        for (int i = 0; i < WORDS; i++) a[i] = product[i] ^ product[i + WORDS];
        sum = mix(sum, a[round % WORDS]);
    }
    return sum;
}
