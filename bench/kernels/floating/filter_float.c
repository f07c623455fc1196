/* Single precision: a cascade of four second-order filters over samples, every output feeding the next input. */
#define ITERATIONS 15000
#include "../kernel.h"

enum { SAMPLES = 4096, STAGES = 4 };
static float samples[SAMPLES], states[STAGES][2];

static NOINLINE void filter(float b0, float b1, float b2, float a1, float a2)
{
    for (int i = 0; i < SAMPLES; i++) {
        float x = samples[i];
        for (int s = 0; s < STAGES; s++) {
            float y = b0 * x + states[s][0];
            states[s][0] = b1 * x - a1 * y + states[s][1];
            states[s][1] = b2 * x - a2 * y;
            x = y;
        }
        samples[i] = x;
    }
}

static uint64_t work(long iterations)
{
    uint64_t seed = 44;
    double sum = 0;
    for (long round = 0; round < iterations; round++) {
        for (int i = 0; i < SAMPLES; i++) samples[i] = (float)((int)(next_random(&seed) >> 48) - 32768) * 0x1p-15f;
        filter(0.2929f, 0.5858f, 0.2929f, -0.1f, 0.1716f);
        sum += (double)samples[round % SAMPLES];
    }
    return rounded(sum, 100);
}
