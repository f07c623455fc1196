/* Filters, maps and folds through function pointers with an environment, over small arrays. */
#define ITERATIONS 260000
#include "../kernel.h"

struct closure { uint64_t (*function)(const struct closure *, uint64_t); uint64_t captured; const struct closure *inner; };

static uint64_t add(const struct closure *c, uint64_t x) { return x + c->captured; }
static uint64_t shift(const struct closure *c, uint64_t x) { return x ^ x >> c->captured; }
static uint64_t even(const struct closure *c, uint64_t x) { return (x & c->captured) == 0; }
static uint64_t compose(const struct closure *c, uint64_t x)
{
    const struct closure *inner = c->inner;
    return inner->function(inner, x) * c->captured;
}

static NOINLINE size_t map(const struct closure *c, uint64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) values[i] = c->function(c, values[i]);
    return n;
}

static NOINLINE size_t keep(const struct closure *c, uint64_t *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (c->function(c, values[i])) values[kept++] = values[i];
    return kept;
}

static uint64_t work(long iterations)
{
    uint64_t values[256], sum = 0;
    for (long round = 0; round < iterations; round++) {
        struct closure first = {add, (uint64_t)round, 0}, second = {shift, 7, 0};
        struct closure both = {compose, 0x9e3779b97f4a7c15, &second}, test = {even, 1, 0};
        for (size_t i = 0; i < 256; i++) values[i] = sum + i * i;
        size_t n = keep(&test, values, map(&both, values, map(&first, values, 256)));
        for (size_t i = 0; i < n; i++) sum = mix(sum, values[i]);
    }
    return sum;
}
