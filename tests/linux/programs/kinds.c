/* A loop around which one register holds a number of 64 bits most of the time, and sometimes one of 32. */
#include <stdio.h>
#include <stdlib.h>

static __attribute__((noinline)) double mixed(int rounds, const double *some, const float *others) {
    register double number asm("ft0") = 0;
    double sum = 0;
    for (int round = 0; round < rounds; round++) {
        if (round & 15) asm volatile("fadd.d ft0, %0, %1" : : "f"(some[round & 3]), "f"(sum) : "ft0");
        else asm volatile("fadd.s ft0, %0, %0" : : "f"(others[round >> 4 & 3]) : "ft0");
        if (round & 15) asm volatile("fadd.d %0, %0, ft0" : "+f"(sum));
        sum *= 0.25;
    }
    return sum;
}

int main(int count, char **arguments) {
    static double some[] = {1, 2, 3, 4};
    static float others[] = {1, 2, 3, 4};
    double sum = 0;
    for (int round = atoi(arguments[1]); round; round--) sum += mixed(100000, some, others);
    printf("%.17g\n", sum);
    return 0;
}
