/* Fibonacci by definition: nothing but calls and returns. */
#define ITERATIONS 480
#include "../kernel.h"

/* gcc unrolls recursion into itself; this keeps a call a call. */
static NOINLINE __attribute__((optimize("no-inline", "no-optimize-sibling-calls"))) uint64_t fibonacci(unsigned n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++) sum = mix(sum, fibonacci(27 + (round & 1)));
    return sum;
}
