/* Heat on a plate of single-precision cells, relaxed in place (Gauss-Seidel), so that no two cells can go at once. */
#define ITERATIONS 2700
#include "../kernel.h"

enum { SIDE = 200 };
static float plate[SIDE][SIDE];

static NOINLINE float relax(void)
{
    float change = 0;
    for (int y = 1; y < SIDE - 1; y++)
        for (int x = 1; x < SIDE - 1; x++) {
            float old = plate[y][x];
            float new = 0.25f * (plate[y - 1][x] + plate[y + 1][x] + plate[y][x - 1] + plate[y][x + 1]);
            float step = new - old;
            plate[y][x] = old + 1.2f * step;
            change += step < 0 ? -step : step;
        }
    return change;
}

static uint64_t work(long iterations)
{
    double sum = 0;
    for (long round = 0; round < iterations; round++) {
        for (int x = 0; x < SIDE; x++) plate[0][x] = (float)((x + round) % 7);
        sum += (double)relax();
    }
    return rounded(sum, 0.01);
}
