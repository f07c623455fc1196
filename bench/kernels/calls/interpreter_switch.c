/* A bytecode interpreter with a `switch` in a loop. */
#define ITERATIONS 2100
#include "interpreter.h"

static NOINLINE int64_t interpret(const int32_t *code, int64_t limit)
{
    int64_t stack[16], variables[VARIABLES] = {[LIMIT] = limit}, *top = stack;
    for (const int32_t *pc = code;;) {
        switch (*pc++) {
        case PUSH: *++top = *pc++; break;
        case LOAD: *++top = variables[*pc++]; break;
        case STORE: variables[*pc++] = *top--; break;
        case ADD: top--; top[0] += top[1]; break;
        case MULTIPLY: top--; top[0] *= top[1]; break;
        case REMAINDER: top--; top[0] %= top[1]; break;
        case LESS: top--; top[0] = top[0] < top[1]; break;
        case JUMP: pc = code + *pc; break;
        case IF_ZERO:
        case IF_NOT: pc = *top-- ? pc + 1 : code + *pc; break;
        case COPY: top++; top[0] = top[-1]; break;
        case HALT: return variables[COUNT];
        }
    }
}

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    assemble();
    for (long round = 0; round < iterations; round++) sum = mix(sum, (uint64_t)interpret(program, 2000 + (round & 7)));
    return sum;
}
