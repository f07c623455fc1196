/* The spectral norm of an infinite matrix cut at 200: a division for every element. */
#define ITERATIONS 880
#include "../kernel.h"
#include <math.h>

enum { N = 200 };

static NOINLINE double element(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static NOINLINE void times(const double *v, double *result)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) sum += element(i, j) * v[j];
        result[i] = sum;
    }
}

static NOINLINE void times_transposed(const double *v, double *result)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) sum += element(j, i) * v[j];
        result[i] = sum;
    }
}

static uint64_t work(long iterations)
{
    double u[N], v[N], t[N], sum = 0;
    for (long round = 0; round < iterations; round++) {
        double uv = 0, vv = 0;
        for (int i = 0; i < N; i++) u[i] = 1 + (double)(round & 3);
        for (int step = 0; step < 2; step++) {
            times(u, t), times_transposed(t, v);
            times(v, t), times_transposed(t, u);
        }
        for (int i = 0; i < N; i++) uv += u[i] * v[i], vv += v[i] * v[i];
        sum += sqrt(uv / vv);
    }
    return rounded(sum, 1e6);
}
