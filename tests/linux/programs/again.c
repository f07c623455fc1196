/* Becomes itself anew while what it ran is being compiled: again ROUNDS [SUM]. In turn from the first thread, from another one,
 * and behind a child that goes on for a while. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned sum(unsigned c, int n, int odd) {
  for (int i = 0; i < n; i++) {
    c ^= i * odd;
    for (int k = 0; k < 8; k++)
      c = c >> 1 ^ (c & 1 ? 0xEDB88320u + odd : 0);
  }
  return c;
}

static char *words[4];

static void *become(void *unused) {
  execv("/proc/self/exe", words);
  perror("execv");
  exit(2);
}

int main(int argc, char **argv) {
  int round = argc > 1 ? atoi(argv[1]) : 3, status;
  unsigned c = argc > 2 ? strtoul(argv[2], NULL, 16) : 1;
  char left[16], text[16];
  for (int part = 0; part < (round % 4 ? 5 : 500); part++)      /* now and then long enough to be worth a worker */
    c = sum(c, 60000, 2 * round + 1);
  if (!round) {
    printf("%08x\n", c);
    return 0;
  }
  pid_t child = round % 3 == 2 ? fork() : -1;
  if (!child)
    _exit(sum(c, 100000, 3) & 63);
  snprintf(left, sizeof left, "%d", round - 1);
  snprintf(text, sizeof text, "%x", c);
  words[0] = argv[0], words[1] = left, words[2] = text;
  if (round % 3 == 1) {
    pthread_t thread;
    pthread_create(&thread, NULL, become, NULL);
    sum(c, 1 << 30, 5);
  }
  become(NULL);
}
