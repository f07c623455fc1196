/* Generators as state machines, each resumed through a pointer: a pipeline of four, pulled a number at a time. */
#define ITERATIONS 59000000
#include "../kernel.h"

struct generator { uint64_t (*resume)(struct generator *); struct generator *source; uint64_t a, b; int state; };

static uint64_t pull(struct generator *g) { return g->resume(g); }

static uint64_t counter(struct generator *g) { return g->a++; }

static uint64_t collatz(struct generator *g)
{
    switch (g->state) {
    case 0:
        g->a = pull(g->source) | 1;
        g->state = 1;
        return g->a;
    default:
        g->a = g->a & 1 ? 3 * g->a + 1 : g->a >> 1;
        if (g->a <= 4) g->state = 0;
        return g->a;
    }
}

static uint64_t odd_only(struct generator *g)
{
    for (;;) {
        uint64_t value = pull(g->source);
        if (value & 1) return value;
    }
}

static uint64_t pairs(struct generator *g)
{
    switch (g->state++) {
    case 0: return g->a = pull(g->source);
    case 1: g->b = g->a; return g->a = pull(g->source);
    default: g->state = 0; return g->a * 31 + g->b;
    }
}

static uint64_t work(long iterations)
{
    struct generator numbers = {counter, 0, 3, 0, 0}, steps = {collatz, &numbers, 0, 0, 0};
    struct generator odd = {odd_only, &steps, 0, 0, 0}, last = {pairs, &odd, 0, 0, 0};
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++) sum = mix(sum, pull(&last));
    return sum;
}
