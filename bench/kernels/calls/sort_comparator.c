/* The C library's qsort: a call through a pointer for every comparison. */
#define ITERATIONS 350
#include "../kernel.h"

enum { N = 20000 };
struct record { uint32_t key, other; };

static int by_key(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static uint64_t work(long iterations)
{
    static struct record records[N];
    uint64_t seed = 23, sum = 0;
    for (long round = 0; round < iterations; round++) {
        for (uint32_t i = 0; i < N; i++) records[i] = (struct record){(uint32_t)next_random(&seed), i};
        qsort(records, N, sizeof *records, by_key);
        sum = mix(sum, records[round % N].other);
    }
    return sum;
}
