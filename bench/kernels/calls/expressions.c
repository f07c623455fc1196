/* A recursive-descent parser that evaluates arithmetic: mutual recursion, a level of call for each precedence. */
#define ITERATIONS 65000
#include "../kernel.h"

static char text[32768];
static const char *at;

static int64_t sum_of_terms(void);

static NOINLINE int64_t primary(void)
{
    int64_t value = 0;
    if (*at == '(') {
        at++;
        value = sum_of_terms();
        at++;
        return value;
    }
    if (*at == '-') return at++, -primary();
    while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
    return value;
}

static NOINLINE int64_t product(void)
{
    int64_t value = primary();
    while (*at == '*' || *at == '&') value = *at++ == '*' ? (value * primary()) & 0xffffff : value & primary();
    return value;
}

static NOINLINE int64_t sum_of_terms(void)
{
    int64_t value = product();
    while (*at == '+' || *at == '-') value = *at++ == '+' ? value + product() : value - product();
    return value;
}

/* Writes a random expression of at most that depth. */
static char *grow(char *p, int depth, uint64_t *seed)
{
    uint64_t random = next_random(seed);
    if (depth == 0 || (depth < 8 && random % 8 == 0)) return p + sprintf(p, "%u", (unsigned)(random >> 50));
    *p++ = '(';
    p = grow(p, depth - 1, seed);
    *p++ = "+-*&"[random >> 32 & 3];
    p = grow(p, depth - 1, seed);
    *p++ = ')';
    return p;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 24, sum = 0;
    *grow(text, 11, &seed) = 0;
    for (long round = 0; round < iterations; round++) {
        at = text;
        sum = mix(sum, (uint64_t)sum_of_terms());
    }
    return sum;
}
