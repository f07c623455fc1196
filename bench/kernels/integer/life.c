/* Conway's game of life on a torus of bytes: eight loads and a table for every cell. */
#define ITERATIONS 5000
#include "../kernel.h"

enum { SIDE = 256 };
static uint8_t cells[2][SIDE][SIDE];

static NOINLINE void step(uint8_t (*from)[SIDE], uint8_t (*to)[SIDE])
{
    static const uint8_t alive[2][9] = {{0, 0, 0, 1, 0, 0, 0, 0, 0}, {0, 0, 1, 1, 0, 0, 0, 0, 0}};
    for (unsigned y = 0; y < SIDE; y++) {
        const uint8_t *up = from[(y - 1) % SIDE], *here = from[y], *down = from[(y + 1) % SIDE];
        for (unsigned x = 0; x < SIDE; x++) {
            unsigned left = (x - 1) % SIDE, right = (x + 1) % SIDE;
            to[y][x] = alive[here[x]][up[left] + up[x] + up[right] + here[left] + here[right]
                                      + down[left] + down[x] + down[right]];
        }
    }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 11, sum = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) cells[0][y][x] = next_random(&seed) & 1;
    for (long round = 0; round < iterations; round++) {
        step(cells[round & 1], cells[~round & 1]);
        sum = mix(sum, cells[~round & 1][round % SIDE][round * 7 % SIDE]);
    }
    return sum;
}
