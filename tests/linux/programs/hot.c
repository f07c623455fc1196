/* Hot loops, with children in between; prints what must not change, whoever compiles or is killed meanwhile. A signal of those
 * that belong to C libraries is blocked all the time, and sent at the end: it must not come. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>

static unsigned crc(unsigned c, int n) {
  for (int i = 0; i < n; i++) {
    c ^= i;
    for (int k = 0; k < 8; k++)
      c = c >> 1 ^ (c & 1 ? 0xEDB88320u : 0);
  }
  return c;
}

static double series(int n) {
  double sum = 0;
  for (int i = 1; i < n; i++)
    sum += 1.0 / i / (i + 1);
  return sum;
}

static int sieve(int n) {
  char *out = calloc(n, 1);
  int primes = 0;
  for (int i = 2; i < n; i++)
    if (!out[i]) {
      primes++;
      for (int j = i + i; j < n; j += i)
        out[j] = 1;
    }
  free(out);
  return primes;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 3;
  unsigned c = 1;
  double sum = 0;
  int primes = 0, status;
  unsigned long blocked = 1ul << 32;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, NULL, 8);
  for (int round = 0; round < rounds; round++) {
    c = crc(c, 400000);
    sum += series(1000000);
    primes += sieve(300000);
    pid_t child = fork();
    if (!child)
      _exit(crc(c, 100000) & 63);
    if (waitpid(-1, &status, 0) != child || !WIFEXITED(status))
      puts("an odd child");
    c += WEXITSTATUS(status);
    if (waitpid(-1, &status, WNOHANG) != -1 || errno != ECHILD)
      puts("somebody else's child");
  }
  if (waitpid(-1, &status, __WALL | WNOHANG) != -1 || errno != ECHILD)
    puts("somebody else's child of another kind");
  syscall(SYS_tgkill, getpid(), gettid(), 33);
  printf("%08x %.15g %d\n", c, sum, primes);
  return 0;
}
