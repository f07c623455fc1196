/* The code of a small stack machine, and the program that both interpreters run: it counts the primes below a limit. */
#include "../kernel.h"

enum { PUSH, LOAD, STORE, ADD, MULTIPLY, REMAINDER, LESS, JUMP, IF_ZERO, IF_NOT, COPY, HALT };
enum { CANDIDATE, DIVISOR, COUNT, LIMIT, VARIABLES };

static int32_t program[128];
static int length;

static int emit(int32_t code) { program[length] = code; return length++; }
static int emit2(int32_t code, int32_t operand) { emit(code); return emit(operand); }
static void increment(int32_t variable)
{
    emit2(LOAD, variable), emit2(PUSH, 1), emit(ADD), emit2(STORE, variable);
}

static void assemble(void)
{
    emit2(PUSH, 2), emit2(STORE, CANDIDATE);
    emit2(PUSH, 0), emit2(STORE, COUNT);
    int outer = length;
    emit2(LOAD, CANDIDATE), emit2(LOAD, LIMIT), emit(LESS);
    int to_end = emit2(IF_NOT, 0);
    emit2(PUSH, 2), emit2(STORE, DIVISOR);
    int inner = length;
    emit2(LOAD, DIVISOR), emit(COPY), emit(MULTIPLY), emit2(LOAD, CANDIDATE), emit2(PUSH, 1), emit(ADD), emit(LESS);
    int to_prime = emit2(IF_NOT, 0);
    emit2(LOAD, CANDIDATE), emit2(LOAD, DIVISOR), emit(REMAINDER);
    int to_next = emit2(IF_ZERO, 0);
    increment(DIVISOR), emit2(JUMP, inner);
    program[to_prime] = length;
    increment(COUNT);
    program[to_next] = length;
    increment(CANDIDATE), emit2(JUMP, outer);
    program[to_end] = length;
    emit(HALT);
}
