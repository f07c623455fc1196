/* Threads with mutexes and conditions, atomics, signals, setjmp, mmap, fork, thread-local storage. */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static atomic_int counter;
static int plain, turn;
static _Thread_local int own;
static sigjmp_buf back;

static void on_fault(int number, siginfo_t *info, void *context) { siglongjmp(back, info->si_code); }

static void *run(void *argument)
{
	int number = (int)(long)argument;
	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&counter, 1);
		own++;
		pthread_mutex_lock(&lock);
		plain++;
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	while (turn != number)
		pthread_cond_wait(&turned, &lock);
	printf("thread %d %d\n", number, own);
	turn++;
	pthread_cond_broadcast(&turned);
	pthread_mutex_unlock(&lock);
	return (void *)(long)(number * number);
}

int main(void)
{
	pthread_t threads[6];
	long sum = 0;
	for (long i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (int i = 0; i < 6; i++) {
		void *result;
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	printf("counted %d %d %ld\n", counter, plain, sum);

	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigaction(SIGSEGV, &action, NULL);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int code;
	if ((code = sigsetjmp(back, 1)) == 0)
		page[0] = 1;
	printf("fault %s\n", code == SEGV_ACCERR ? "protected" : "unmapped");
	munmap(page, 4096);
	if ((code = sigsetjmp(back, 1)) == 0)
		page[0] = 1;
	printf("fault %s\n", code == SEGV_ACCERR ? "protected" : "unmapped");

	int status;
	fflush(stdout);
	if (fork() == 0)
		_exit(37);
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	printf("%.12f %a\n", sin(1) * exp(2), cbrt(3));
	return 0;
}
