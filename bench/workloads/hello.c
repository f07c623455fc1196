/* The least that a program with a C library does. */
#include <stdio.h>

int main(void)
{
    puts("hello");
    return 0;
}
