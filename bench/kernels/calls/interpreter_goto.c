/* The same bytecode interpreter with computed goto: an indirect jump at the end of every instruction. */
#define ITERATIONS 2600
#include "interpreter.h"

static NOINLINE int64_t interpret(const int32_t *code, int64_t limit)
{
    static const void *const labels[] = {&&push, &&load, &&store, &&add, &&multiply, &&remainder, &&less, &&jump,
                                         &&if_not, &&if_not, &&copy, &&halt};
    int64_t stack[16], variables[VARIABLES] = {[LIMIT] = limit}, *top = stack;
    const int32_t *pc = code;
#define NEXT goto *labels[*pc++]
    NEXT;
push: *++top = *pc++; NEXT;
load: *++top = variables[*pc++]; NEXT;
store: variables[*pc++] = *top--; NEXT;
add: top--; top[0] += top[1]; NEXT;
multiply: top--; top[0] *= top[1]; NEXT;
remainder: top--; top[0] %= top[1]; NEXT;
less: top--; top[0] = top[0] < top[1]; NEXT;
jump: pc = code + *pc; NEXT;
if_not: pc = *top-- ? pc + 1 : code + *pc; NEXT;
copy: top++; top[0] = top[-1]; NEXT;
halt: return variables[COUNT];
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    assemble();
    for (long round = 0; round < iterations; round++) sum = mix(sum, (uint64_t)interpret(program, 2000 + (round & 7)));
    return sum;
}
