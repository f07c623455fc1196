/* A matrix decomposed into L and U with row exchange, then solved for. */
#define ITERATIONS 3200
#include "../kernel.h"
#include <math.h>

enum { N = 100 };
static double start[N][N], m[N][N], x[N];

static NOINLINE double solve(void)
{
    memcpy(m, start, sizeof m);
    for (int i = 0; i < N; i++) x[i] = i + 1;
    for (int k = 0; k < N; k++) {
        int best = k;
        for (int i = k + 1; i < N; i++) if (fabs(m[i][k]) > fabs(m[best][k])) best = i;
        for (int j = 0; j < N; j++) {
            double t = m[k][j];
            m[k][j] = m[best][j], m[best][j] = t;
        }
        double t = x[k];
        x[k] = x[best], x[best] = t;
        for (int i = k + 1; i < N; i++) {
            double factor = m[i][k] / m[k][k];
            for (int j = k + 1; j < N; j++) m[i][j] -= factor * m[k][j];
            x[i] -= factor * x[k];
        }
    }
    for (int k = N; k-- > 0;) {
        for (int j = k + 1; j < N; j++) x[k] -= m[k][j] * x[j];
        x[k] /= m[k][k];
    }
    return x[0];
}

static uint64_t work(long iterations)
{
    uint64_t seed = 43;
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) start[i][j] = (double)(next_random(&seed) >> 40) * 0x1p-24 + (i == j) * 8;
    for (long round = 0; round < iterations; round++) {
        start[round % N][round % N] += 0.001;
        sum += solve();
    }
    return rounded(sum, 1e4);
}
