/* Matrices of doubles multiplied, the inner loop over a column. */
#define ITERATIONS 560
#include "../kernel.h"

enum { N = 128 };
static double a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 41;
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(next_random(&seed) >> 40) * 0x1p-24;
            b[i][j] = (double)(next_random(&seed) >> 40) * 0x1p-24;
        }
    for (long round = 0; round < iterations; round++) {
        multiply();
        a[round % N][round % N] = c[round % N][0] * 0.01;
        sum += c[N / 2][round % N];
    }
    return rounded(sum, 1000);
}
