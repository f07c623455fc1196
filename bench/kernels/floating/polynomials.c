/* Sines and exponentials from their polynomials, arguments reduced by hand: multiply, add, round, compare. */
#define ITERATIONS 62000000
#include "../kernel.h"

static inline double sine(double x)
{
    double turns = (double)(int64_t)(x * 0.15915494309189535 + (x < 0 ? -0.5 : 0.5));
    x -= turns * 6.283185307179586;
    double s = x * x;
    return x * (1 + s * (-1.0 / 6 + s * (1.0 / 120 + s * (-1.0 / 5040 + s * (1.0 / 362880 + s * (-1.0 / 39916800
             + s * (1.0 / 6227020800.0 - s * (1.0 / 1307674368000.0))))))));
}

static inline double exponential(double x)
{
    double s = x * (1.0 / 16);
    double y = 1 + s * (1 + s * (0.5 + s * (1.0 / 6 + s * (1.0 / 24 + s * (1.0 / 120 + s * (1.0 / 720))))));
    y *= y, y *= y, y *= y;
    return y * y;
}

static uint64_t work(long iterations)
{
    double sum = 0, x = -10;
    for (long round = 0; round < iterations; round++) {
        double value = sine(x) + exponential(x * 0.125);
        sum += value > 1 ? 1 / value : value;
        x += 0.000731;
        if (x > 10) x -= 20;
    }
    return rounded(sum, 0.01);
}
