/* The Mandelbrot set: a short dependent chain and a comparison that ends it. */
#define ITERATIONS 100
#include "../kernel.h"

/* Whether a point on the edge escapes hangs on the last bit, so contraction is kept out of this one. */
#pragma GCC optimize("fp-contract=off")

static NOINLINE int steps(double cx, double cy)
{
    double x = 0, y = 0;
    int n = 0;
    while (n < 200) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4) break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
        n++;
    }
    return n;
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++)
        for (int row = 0; row < 200; row++)
            for (int column = 0; column < 200; column++)
                sum += (uint64_t)steps(column * 0.015 - 2.2, row * 0.012 - 1.2 + (double)round * 1e-5);
    return sum;
}
