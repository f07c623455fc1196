/* Code that is rewritten in memory without a word to anybody: no fence.i, no flush. Each line is what must come of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
enum { PAGE = 4096, RET = 0x00008067 };

typedef long function(long, long);

static uint32_t li_a0(int value) { return 0x00000513 | (uint32_t)value << 20; }	/* addi a0, zero, value */

static uint32_t *room(int pages)
{
	return mmap(NULL, pages * PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long put(uint32_t *at, int value)
{
	volatile uint32_t *code = at;

	code[0] = li_a0(value);
	code[1] = RET;
	return ((function *)at)(0, 0);
}

static void from_elsewhere(void)
{
	uint32_t *code = room(1);
	long sum = 0;

	for (int i = 0; i < 300; i++)
		sum += put(code + 2 * (i % 5), i % 100);
	printf("from elsewhere %ld\n", sum);
}

static void in_shared_memory(void)
{
	uint32_t *code = mmap(NULL, PAGE, RWX, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long sum = 0;

	for (int i = 0; i < 100; i++)
		sum += put(code, i);
	printf("in shared memory %ld\n", sum);
}

static void beside_data(void)
{
	/* add t0, a0 + count; the count lies in the page of the code itself */
	static const uint32_t body[] = { 0x00053283, 0x00b282b3, 0x00553023, 0x00028513, RET };	/* ld, add, sd t0, mv, ret */
	uint32_t *code = room(1);
	long *count = (long *)(code + 512), sum = 0;

	memcpy(code, body, sizeof body);
	for (int i = 0; i < 200; i++)
		sum += ((function *)code)((long)count, i);
	printf("beside data %ld %ld\n", *count, sum);
}

static void in_line(void)
{
	/* sw a1, 12(a0) for the instruction behind the next jump: the code rewrites itself */
	static const uint32_t body[] = { 0x00b52823, 0x0080006f, 0x00000013, RET, 0x06300513, RET };
	uint32_t *code = room(1);
	long sum = 0;

	memcpy(code, body, sizeof body);
	code[1] = 0x00c0006f;	/* j to code[4] */
	for (int i = 0; i < 200; i++)
		sum += ((function *)code)((long)code, li_a0(i));
	printf("in line %ld\n", sum);
}

static void by_the_kernel(void)
{
	uint32_t *code = room(2), words[2] = { li_a0(7), RET };
	struct iovec vector = { code, sizeof words };
	int pipes[2];
	struct timespec *now = (struct timespec *)(code + 256);

	if (pipe(pipes))
		return;
	printf("kernel %ld", put(code, 5));
	write(pipes[1], words, sizeof words);
	printf(" %zd", read(pipes[0], code, sizeof words));
	printf(" %ld", ((function *)code)(0, 0));
	words[0] = li_a0(8);
	write(pipes[1], words, sizeof words);
	printf(" %zd", readv(pipes[0], &vector, 1));
	printf(" %ld", ((function *)code)(0, 0));
	printf(" %d %d", clock_gettime(CLOCK_MONOTONIC, now), now->tv_sec || now->tv_nsec);
	printf(" %ld", ((function *)code)(0, 0));
	printf(" %zd", getrandom(code + 300, 64, 0));
	printf(" %ld\n", ((function *)code)(0, 0));
}

static uint32_t *shared;
static volatile int stop;

static void *patch(void *unused)
{
	usleep(20000);
	((volatile uint32_t *)shared)[0] = li_a0(77);
	stop = 1;
	return NULL;
}

static void by_a_thread(void)
{
	pthread_t thread;
	long last = 0, calls;

	shared = room(1);
	put(shared, 1);
	pthread_create(&thread, NULL, patch, NULL);
	for (calls = 0; !stop; calls++)
		last = ((function *)shared)(0, 0);
	pthread_join(thread, NULL);
	last = ((function *)shared)(0, 0);
	printf("by a thread %ld %d\n", last, calls > 0);
}

/* Four threads, each rewriting code of its own in one page. */
static void *rewrites(void *which)
{
	uint32_t *code = shared + 16 * (long)which;
	long wrong = 0;

	for (int i = 0; i < 400; i++)
		wrong += put(code, i) != i;
	return (void *)wrong;
}

static void by_threads(void)
{
	pthread_t threads[4];
	long sum = 0;

	shared = room(1);
	for (long n = 0; n < 4; n++)
		pthread_create(&threads[n], NULL, rewrites, (void *)n);
	for (int n = 0; n < 4; n++) {
		void *wrong;

		pthread_join(threads[n], &wrong);
		sum += (long)wrong;
	}
	printf("by threads, wrong %ld\n", sum);
}

static void protected_and_opened(void)
{
	uint32_t *code = room(1);
	long sum = put(code, 1);

	for (int i = 2; i < 6; i++) {
		mprotect(code, PAGE, PROT_READ | PROT_EXEC);
		sum = sum * 10 + ((function *)code)(0, 0);
		mprotect(code, PAGE, RWX);
		sum = sum * 10 + put(code, i);
	}
	printf("protected %ld\n", sum);
}

static void in_a_child(void)
{
	uint32_t *code = room(1);
	int status = 0;

	put(code, 3);
	pid_t child = fork();
	if (!child)
		_exit(((function *)code)(0, 0) * 10 + put(code, 4));
	waitpid(child, &status, 0);
	printf("child %d parent %ld", WEXITSTATUS(status), ((function *)code)(0, 0));
	printf(" %ld\n", put(code, 5));
}

static void moved(void)
{
	uint32_t *code = room(1), *other;

	printf("moved %ld", put(code, 1));
	other = mremap(code, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)room(4) + PAGE);
	printf(" %ld", ((function *)other)(0, 0));
	printf(" %ld", put(other, 2));
	printf(" %ld", put(other + 1022, 3));
	madvise(other, PAGE, MADV_DONTNEED);
	printf(" %u", other[0]);
	printf(" %ld", put(other, 4));
	other = mmap(other, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf(" %ld\n", put(other, 5));
}

static void across_pages(void)
{
	uint32_t *code = room(3) + 1020;
	long sum = 0;

	for (int i = 0; i < 20; i++)
		code[i] = 0x00150513;	/* addi a0, a0, 1 */
	code[20] = RET;
	for (int i = 0; i < 10; i++) {
		sum += ((function *)code)(0, 0);
		((volatile uint32_t *)code)[i + 5] = 0x00250513;
	}
	printf("across pages %ld\n", sum);
}

static void said(void)
{
	uint32_t *code = room(2);
	long sum = 0;

	for (int i = 0; i < 50; i++) {
		code[1024] = li_a0(i);
		code[1025] = RET;
		__builtin___clear_cache((char *)(code + 1024), (char *)(code + 1026));
		sum += ((function *)(code + 1024))(0, 0);
	}
	printf("said %ld\n", sum);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	from_elsewhere();
	in_shared_memory();
	beside_data();
	in_line();
	by_the_kernel();
	by_a_thread();
	by_threads();
	protected_and_opened();
	in_a_child();
	moved();
	across_pages();
	said();
	from_elsewhere();
	return 42;
}
