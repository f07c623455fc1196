/* Code of a file that becomes shorter while it is mapped: SIGBUS where it is no longer, and nothing worse. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, RET = 0x00008067, NOP = 0x00000013, COUNT = 0x00150513 };	/* addi a0, a0, 1 */
typedef long function(long);

static sigjmp_buf back;
static siginfo_t last;
static int file;

static void lost(int number, siginfo_t *info, void *unused)
{
	last = *info;
	siglongjmp(back, number);
}

static long try(uint32_t *code, long value)
{
	int number = sigsetjmp(back, 1);

	return number ? -number : ((function *)code)(value);
}

static void whole(void)
{
	static uint32_t words[2 * PAGE / 4];

	for (int i = 0; i < 2 * PAGE / 4; i++)
		words[i] = i % 32 == 31 ? RET : COUNT;
	for (int i = 960; i < 1024; i++)
		words[i] = COUNT;	/* runs on into the second page */
	ftruncate(file, 2 * PAGE);
	pwrite(file, words, sizeof words, 0);
}

static void shortened(const char *name, int flags)
{
	uint32_t *code, *fresh;

	whole();
	code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, flags, file, 0);
	printf("%s: whole %ld %ld\n", name, try(code, 0), try(code + 992, 0));
	munmap(code, 2 * PAGE);
	code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, flags, file, 0);
	ftruncate(file, PAGE);
	printf("  first page %ld\n", try(code, 0));
	printf("  second page %ld", try(code + 1024, 0));
	printf(" code %d at its start %d\n", last.si_code, last.si_addr == code + 1024);
	printf("  into it %ld", try(code + 1000, 0));
	printf(" code %d at its start %d\n", last.si_code, last.si_addr == code + 1024);
	fresh = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, flags, file, 0);
	pwrite(file, "\x13\x05", 2, PAGE - 2);	/* the first half of addi a0, ... */
	printf("  half of it %ld", try((uint32_t *)((uint16_t *)(fresh + 1023) + 1), 0));
	printf(" code %d at its second %d\n", last.si_code, last.si_addr == fresh + 1024);
	whole();
	printf("  whole again %ld %ld\n", try(fresh, 0), try(fresh + 1024, 0));
	munmap(code, 2 * PAGE);
	munmap(fresh, 2 * PAGE);
}

static volatile int stop;

static void *cuts(void *unused)
{
	while (!stop) {
		ftruncate(file, 0);
		whole();
	}
	return NULL;
}

static void while_it_is_read(void)
{
	pthread_t thread;
	int fine = 0, gone = 0;

	pthread_create(&thread, NULL, cuts, NULL);
	for (int n = 0; n < 60; n++) {
		uint32_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, n % 2 ? MAP_PRIVATE : MAP_SHARED, file, 0);

		for (int i = 0; i < 2048; i += 32) {
			long got = try(code + i, 0);	/* what is half written may be anything up to the next return */

			if (got == -SIGBUS || got == -SIGILL || got == -SIGSEGV)
				gone++;
			else
				fine++;
		}
		munmap(code, 2 * PAGE);
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("while it is read: all told %d\n", fine + gone == 60 * 64);
}

int main(void)
{
	char name[] = "/tmp/shortened-XXXXXX";
	struct sigaction action = { .sa_sigaction = lost, .sa_flags = SA_SIGINFO };

	setvbuf(stdout, NULL, _IONBF, 0);
	file = mkstemp(name);
	unlink(name);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	shortened("private", MAP_PRIVATE);
	shortened("shared", MAP_SHARED);
	while_it_is_read();
	return 42;
}
