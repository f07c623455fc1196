/* Heap sort of 32-bit numbers: unpredictable branches and short strided loads. */
#define ITERATIONS 140
#include "../kernel.h"

enum { N = 50000 };
static uint32_t heap[N];

static NOINLINE void sink(uint32_t at, uint32_t n)
{
    uint32_t value = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= value) break;
        heap[at] = heap[child];
    }
    heap[at] = value;
}

static uint64_t work(long iterations)
{
    uint64_t seed = 7, sum = 0;
    for (long round = 0; round < iterations; round++) {
        for (int i = 0; i < N; i++) heap[i] = (uint32_t)next_random(&seed);
        for (uint32_t i = N / 2; i-- > 0;) sink(i, N);
        for (uint32_t n = N; n-- > 1;) {
            uint32_t top = heap[0];
            heap[0] = heap[n];
            heap[n] = top;
            sink(0, n);
        }
        sum = mix(sum, heap[N / 3]);
    }
    return sum;
}
