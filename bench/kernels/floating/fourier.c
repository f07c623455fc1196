/* A fast Fourier transform of 4096 complex numbers, there and back. */
#define ITERATIONS 5900
#include "../kernel.h"
#include <math.h>

enum { N = 4096 };
struct complex { double re, im; };
static struct complex data[N], roots[N / 2];

static NOINLINE void transform(int inverse)
{
    for (unsigned i = 1, j = 0; i < N; i++) {
        unsigned bit = N >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex t = data[i];
            data[i] = data[j], data[j] = t;
        }
    }
    for (unsigned length = 2; length <= N; length *= 2)
        for (unsigned start = 0; start < N; start += length)
            for (unsigned k = 0; k < length / 2; k++) {
                struct complex w = roots[k * (N / length)], *p = &data[start + k], *q = p + length / 2;
                double im = inverse ? -w.im : w.im;
                double re = q->re * w.re - q->im * im;
                im = q->re * im + q->im * w.re;
                *q = (struct complex){p->re - re, p->im - im};
                p->re += re, p->im += im;
            }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 42;
    double sum = 0;
    for (int i = 0; i < N / 2; i++) roots[i] = (struct complex){cos(2 * M_PI * i / N), -sin(2 * M_PI * i / N)};
    for (int i = 0; i < N; i++) data[i].re = (double)(next_random(&seed) >> 44) * 0x1p-20;
    for (long round = 0; round < iterations; round++) {
        transform(0);
        sum += data[round % N].re;
        transform(1);
        for (int i = 0; i < N; i++) data[i].re *= 1.0 / N, data[i].im *= 1.0 / N;
    }
    return rounded(sum, 10);
}
