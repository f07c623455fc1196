/* Objects of eight classes in random order, three virtual calls on each. */
#define ITERATIONS 12000
#include "../kernel.h"

struct shape;
struct class { uint64_t (*area)(const struct shape *); void (*grow)(struct shape *); int (*kind)(const struct shape *); };
struct shape { const struct class *class; uint64_t width, height; };

#define CLASS(name, number, formula) \
    static uint64_t name##_area(const struct shape *s) { return formula; } \
    static void name##_grow(struct shape *s) { s->width += number; s->height ^= s->width & number; } \
    static int name##_kind(const struct shape *s) { return (int)(s->width & number); } \
    static const struct class name = {name##_area, name##_grow, name##_kind};
CLASS(square, 1, s->width * s->width)
CLASS(rectangle, 2, s->width * s->height)
CLASS(triangle, 3, s->width * s->height / 2)
CLASS(circle, 4, s->width * s->width * 355 >> 7)
CLASS(ring, 5, s->width * s->width - s->height)
CLASS(cross, 6, s->width + s->height)
CLASS(line, 7, s->width ^ s->height)
CLASS(point, 8, s->height - s->width)

enum { SHAPES = 4096 };
static struct shape shapes[SHAPES];

static uint64_t work(long iterations)
{
    static const struct class *const classes[] = {&square, &rectangle, &triangle, &circle, &ring, &cross, &line, &point};
    uint64_t seed = 21, sum = 0;
    for (int i = 0; i < SHAPES; i++)
        shapes[i] = (struct shape){classes[next_random(&seed) % 8], (uint64_t)i, (uint64_t)i * 3};
    for (long round = 0; round < iterations; round++)
        for (struct shape *s = shapes; s < shapes + SHAPES; s++) {
            s->class->grow(s);
            sum += s->class->area(s) + (uint64_t)s->class->kind(s);
        }
    return sum;
}
