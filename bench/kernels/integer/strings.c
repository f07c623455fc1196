/* Strings a byte at a time: length, copy, compare, find. Written out, because the C library's are vector code on one
   machine and word by word on another, which would measure the libraries. */
#define ITERATIONS 40000
#include "../kernel.h"

/* Keeps the compiler from seeing the idiom and calling the library after all. */
#define OPAQUE(pointer) __asm__ volatile("" : "+r"(pointer))

static NOINLINE size_t length(const char *s)
{
    const char *end = s;
    while (*end) { end++; OPAQUE(end); }
    return (size_t)(end - s);
}

static NOINLINE char *copy(char *to, const char *from)
{
    while ((*to = *from)) { to++, from++; OPAQUE(to); }
    return to;
}

static NOINLINE int compare(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

static NOINLINE const char *find(const char *text, const char *word)
{
    for (; *text; text++) {
        const char *t = text, *w = word;
        while (*w && *t == *w) t++, w++;
        if (!*w) return text;
    }
    return 0;
}

static uint64_t work(long iterations)
{
    static const char *const words[] = {"stranger", "foreigner", "guest", "host", "house", "street", "stranded", "gust"};
    char text[8192], *end = text;
    uint64_t seed = 3, sum = 0;
    while (end < text + 8000) {
        end = copy(end, words[next_random(&seed) % 8]);
        *end++ = ' ', *end = 0;
    }
    char other[8192];
    for (long round = 0; round < iterations; round++) {
        text[next_random(&seed) % 8000] = (char)('a' + round % 26);
        copy(other, text);
        other[(size_t)round * 7919 % 8000] ^= 1;
        sum = mix(sum, length(other));
        sum = mix(sum, (uint64_t)(compare(text, other) < 0));
        for (const char *at = text; (at = find(at, "guest ")); at++) sum++;
        sum = mix(sum, (uint64_t)text[round % 8000]);
    }
    return sum;
}
