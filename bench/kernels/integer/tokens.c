/* A scanner that cuts source text into names, numbers, strings and signs, and keeps the names in a chained table. */
#define ITERATIONS 13000
#include "../kernel.h"

enum { BLANK, LETTER, DIGIT, QUOTE, SIGN };
struct name { struct name *next; uint32_t hash, length, seen; const char *text; };
static struct name names[4096], *chains[512];
static uint32_t used;
static uint8_t class[256];
static char source[40000];

static NOINLINE struct name *intern(const char *text, uint32_t length, uint32_t hash)
{
    for (struct name *n = chains[hash % 512]; n; n = n->next) {
        if (n->hash != hash || n->length != length) continue;
        uint32_t i = 0;
        while (i < length && n->text[i] == text[i]) i++;
        if (i == length) return n;
    }
    struct name *n = &names[used++ % 4096];
    *n = (struct name){chains[hash % 512], hash, length, 0, text};
    return chains[hash % 512] = n;
}

static NOINLINE uint64_t scan(const char *p)
{
    uint64_t sum = 0;
    while (*p) {
        const char *start = p;
        uint64_t number = 0;
        uint32_t hash = 2166136261;
        switch (class[(uint8_t)*p]) {
        case LETTER:
            while (class[(uint8_t)*p] == LETTER || class[(uint8_t)*p] == DIGIT) hash = (hash ^ (uint8_t)*p++) * 16777619;
            sum += ++intern(start, (uint32_t)(p - start), hash)->seen;
            break;
        case DIGIT:
            while (class[(uint8_t)*p] == DIGIT) number = number * 10 + (uint64_t)(*p++ - '0');
            sum = mix(sum, number);
            break;
        case QUOTE:
            for (p++; *p && *p != '"'; p++) sum += (uint8_t)*p;
            if (*p) p++;
            break;
        case SIGN:
            sum = mix(sum, (uint8_t)*p++);
            break;
        default:
            p++;
        }
    }
    return sum;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 13, sum = 0;
    char *p = source;
    for (int c = 0; c < 256; c++)
        class[c] = c == '"' ? QUOTE : c == '_' || (c >= 'a' && c <= 'z') ? LETTER : c >= '0' && c <= '9' ? DIGIT
                 : c > ' ' ? SIGN : BLANK;
    while (p < source + sizeof source - 40) {
        uint64_t random = next_random(&seed);
        switch (random % 6) {
        case 0: p += sprintf(p, "%u ", (unsigned)(random >> 40)); break;
        case 1: p += sprintf(p, "\"text %u\" ", (unsigned)(random >> 52)); break;
        case 2: p += sprintf(p, "+= "); break;
        default: p += sprintf(p, "name_%u ", (unsigned)(random >> 32) % 700); break;
        }
    }
    for (long round = 0; round < iterations; round++) sum = mix(sum, scan(source));
    return sum;
}
