/* 64-bit integer matrices multiplied, the diagonal taken modulo a prime. */
#define ITERATIONS 520
#include "../kernel.h"

enum { N = 128 };
static uint64_t a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            uint64_t sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 6, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = next_random(&seed), b[i][j] = next_random(&seed);
    for (long round = 0; round < iterations; round++) {
        multiply();
        for (int i = 0; i < N; i++) {
            sum = mix(sum, c[i][(i + round) % N]);
            a[i][round % N] = c[i][i] % 1000003;
        }
    }
    return sum;
}
