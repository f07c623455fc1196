/* Newton's method and continued fractions: divisions and square roots that wait for each other. */
#define ITERATIONS 5600000
#include "../kernel.h"
#include <math.h>

static NOINLINE double cube_root(double a)
{
    double x = a > 1 ? a / 3 : 1;
    for (int i = 0; i < 12; i++) x = (2 * x + a / (x * x)) / 3;
    return x;
}

static NOINLINE double fraction(double a)
{
    double x = a;
    for (int i = 0; i < 10; i++) x = a + 1 / (1 + sqrt(x));
    return x;
}

static uint64_t work(long iterations)
{
    double sum = 0;
    for (long round = 0; round < iterations; round++) {
        double a = 1 + (double)(round % 1000) * 0.01;
        sum += cube_root(a) + fraction(a);
    }
    return rounded(sum, 0.01);
}
