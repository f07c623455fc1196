/* The sun and the four large planets, pulled step by step: long chains of multiply and add, a square root, divisions. */
#define ITERATIONS 4400000
#include "../kernel.h"
#include <math.h>

enum { BODIES = 5 };
struct body { double x, y, z, vx, vy, vz, mass; };
static struct body bodies[BODIES] = {
    {0, 0, 0, 0, 0, 0, 39.4784},
    {4.8414, -1.1603, -0.1036, 0.6063, 2.8120, -0.0252, 0.0377},
    {8.3434, 4.1248, -0.4035, -1.0108, 1.8257, 0.0084, 0.0113},
    {12.8944, -15.1112, -0.2233, 1.0828, 0.8687, -0.0108, 0.0017},
    {15.3797, -25.9193, 0.1793, 0.9791, 0.5947, -0.0347, 0.0020},
};

static NOINLINE void advance(double dt)
{
    for (int i = 0; i < BODIES; i++) {
        struct body *p = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *q = &bodies[j];
            double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = dt / (square * sqrt(square));
            p->vx -= dx * q->mass * pull, p->vy -= dy * q->mass * pull, p->vz -= dz * q->mass * pull;
            q->vx += dx * p->mass * pull, q->vy += dy * p->mass * pull, q->vz += dz * p->mass * pull;
        }
    }
    for (struct body *p = bodies; p < bodies + BODIES; p++)
        p->x += dt * p->vx, p->y += dt * p->vy, p->z += dt * p->vz;
}

static uint64_t work(long iterations)
{
    for (long round = 0; round < iterations; round++) advance(0.001);
    double energy = 0;
    for (struct body *p = bodies; p < bodies + BODIES; p++)
        energy += p->mass * (p->vx * p->vx + p->vy * p->vy + p->vz * p->vz) / 2;
    return rounded(energy, 1000);
}
