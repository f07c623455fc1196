/* Random points in a circle and a random walk: conversions between whole numbers and doubles, comparisons, a square root. */
#define ITERATIONS 77000000
#include "../kernel.h"
#include <math.h>

static uint64_t work(long iterations)
{
    uint64_t seed = 45, inside = 0;
    double distance = 0;
    for (long round = 0; round < iterations; round++) {
        uint64_t random = next_random(&seed);
        double x = (double)(int32_t)random * 0x1p-31, y = (double)(int32_t)(random >> 32) * 0x1p-31;
        if (x * x + y * y < 1) inside++;
        else distance += sqrt(x < y ? y - x : x - y);
    }
    return inside + rounded(distance, 0.01);
}
