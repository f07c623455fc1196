/* Ackermann's function: deep recursion, so that return predictors overflow. */
#define ITERATIONS 170
#include "../kernel.h"

static NOINLINE __attribute__((optimize("no-optimize-sibling-calls"))) uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (!m) return n + 1;
    if (!n) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++) sum = mix(sum, ackermann(3, 7 + (uint64_t)(round & 1)));
    return sum;
}
