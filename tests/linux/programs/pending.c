/* Ends while all signals are blocked, and all that may end a process have been sent to it and to its thread. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  unsigned long all = -1ul, pending = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8);
  for (int number = 1; number <= 64; number++)
    if (number != SIGKILL && number != SIGSTOP) {
      syscall(SYS_kill, getpid(), number);
      syscall(SYS_tgkill, getpid(), gettid(), number);
    }
  syscall(SYS_rt_sigpending, &pending, 8);
  puts(pending >> 31 == 0x1FFFFFFFFul && pending & 1ul << SIGTERM - 1 ? "on" : "they are not pending");
  return 42;
}
