/* CRC-32 with its table of 256 entries, a byte at a time. */
#define ITERATIONS 900
#include "../kernel.h"

static uint32_t table[256];
static uint8_t data[1 << 18];

static NOINLINE uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    while (n--) crc = table[(crc ^ *p++) & 255] ^ crc >> 8;
    return ~crc;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (0xedb88320 & -(value & 1));
        table[i] = value;
    }
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)next_random(&seed);
    uint32_t crc = 0;
    for (long round = 0; round < iterations; round++) crc = crc32(crc, data, sizeof data);
    return crc;
}
