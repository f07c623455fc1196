/* The queens puzzle by recursion over bit masks: short functions, many arguments. */
#define ITERATIONS 7000
#include "../kernel.h"

static NOINLINE uint64_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right)
{
    if (columns == all) return 1;
    uint64_t solutions = 0;
    for (uint32_t open = all & ~(columns | left | right); open; open &= open - 1) {
        uint32_t square = open & -open;
        solutions += place(all, columns | square, (left | square) << 1, (right | square) >> 1);
    }
    return solutions;
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++) sum = mix(sum, place((1 << 10) - 1, 0, 0, (uint32_t)(round & 3)));
    return sum;
}
