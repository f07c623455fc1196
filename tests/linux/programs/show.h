/* What the programs here have in common: each call is printed with its result and its error. */
#define _GNU_SOURCE
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOW(call) (errno = 0, show(#call, (long)(call)))
/* What is a number that differs from run to run: only whether it is an error. */
#define OK(call) (errno = 0, show(#call, (long)(call) < 0 ? -1 : 0))
static inline long show(const char *text, long value) {
    int error = errno;
    printf("%s = %ld %s\n", text, value, error && value < 0 ? strerrorname_np(error) : "");
    fflush(stdout);
    return value;
}
static inline void say(const char *text, long value) { printf("  %s %ld\n", text, value); fflush(stdout); }
