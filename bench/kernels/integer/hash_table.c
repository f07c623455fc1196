/* An open-addressed hash table of 64-bit keys: find, insert and update. */
#define ITERATIONS 48000000
#include "../kernel.h"

enum { SLOTS = 1 << 16, KEYS = 40000 };
struct slot { uint64_t key, value; };
static struct slot slots[SLOTS];

static inline uint64_t hash(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccd;
    return key ^ key >> 29;
}

static NOINLINE struct slot *place(uint64_t key)
{
    uint64_t at = hash(key);
    while (slots[at % SLOTS].key && slots[at % SLOTS].key != key) at++;
    return &slots[at % SLOTS];
}

static uint64_t work(long iterations)
{
    uint64_t seed = 5, sum = 0;
    for (long round = 0; round < iterations; round++) {
        uint64_t random = next_random(&seed);
        uint64_t key = 1 + random % KEYS;
        struct slot *slot = place(key);
        if (slot->key) {
            sum += slot->value;
            slot->value = random >> 50 ? slot->value + 1 : 0;
        } else {
            slot->key = key;
            slot->value = (uint64_t)round;
        }
    }
    return sum;
}
