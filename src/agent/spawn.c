/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/spawn.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/agent/child.h"

/* clone3() would be the newer call, but valgrind does not know it. */
#define FLAGS	     (CLONE_NEWPID | CLONE_PIDFD | SIGCHLD)
#define STACK_SIZE   (64 << 10)
#define LENDER_STACK (STACK_SIZE + (64 << 10))
#define STACKS_ROOM  (256 * (size_t)LENDER_STACK) /* mapped at once */
#define ARENAS_MAX   (1 << 20)			  /* more than there can be agents */

/* What the thread that lends its storage is told, and what it tells. */
struct loan {
	const struct agent_child *child; /* not owned */
	sem_t made;			 /* the fields below are set */
	long pid;			 /* or a negative errno */
	int pidfd;
};

static int run_child(void *child)
{
	agent_child_main(child);
}

/* Makes a process that uses this thread's storage. From then on nothing may happen here. */
static void *lend(void *userdata)
{
	struct loan *loan = userdata;
	struct agent_child child = *loan->child;
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	void *volatile first; /* The compiler may leave out an allocation that nobody sees. */
	int pid;

	first = malloc(1); /* This gives the thread its arena. */
	free(first);
	pid = clone(run_child, stack + sizeof(stack), FLAGS | CLONE_VM, &child, &loan->pidfd);
	loan->pid = pid < 0 ? -errno : pid;
	sem_post(&loan->made);
	while (pid > 0)
		pause();
	return NULL;
}

/* Returns the stack of a thread, which stays in use. Many lie in one mapping: whenever a process
 * ends, the kernel looks at each mapping of its memory (kernel/acct.c: acct_collect()). */
static void *new_stack(void)
{
	static char *room;
	static size_t left;

	if (left < LENDER_STACK) {
		void *memory = mmap(NULL, STACKS_ROOM, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (memory == MAP_FAILED)
			return NULL;
		room = memory;
		left = STACKS_ROOM;
	}
	left -= LENDER_STACK;
	return room + left;
}

static long spawn_shared(const struct agent_child *child, int *ret_pidfd)
{
	struct loan loan = { .child = child, .pidfd = -1 };
	void *stack = new_stack();
	pthread_attr_t attributes;
	pthread_t lender;
	int rc;

	if (!stack)
		return -ENOMEM;
	/* By default a processor has eight arenas, which threads share. */
	if (!mallopt(M_ARENA_MAX, ARENAS_MAX) || sem_init(&loan.made, 0, 0) < 0)
		return -errno;
	rc = pthread_attr_init(&attributes);
	if (rc == 0) {
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstack(&attributes, stack, LENDER_STACK);
		rc = pthread_create(&lender, &attributes, lend, &loan);
		pthread_attr_destroy(&attributes);
	}
	if (rc == 0)
		TEMP_FAILURE_RETRY(sem_wait(&loan.made));
	sem_destroy(&loan.made);
	*ret_pidfd = loan.pidfd;
	return rc ? -rc : loan.pid;
}

static long spawn_copy(const struct agent_child *child, int *ret_pidfd)
{
	long pid = syscall(SYS_clone, FLAGS, NULL, ret_pidfd, NULL, NULL);

	if (pid == 0)
		agent_child_main(child);
	return pid < 0 ? -errno : pid;
}

int agent_spawn(const struct agent_child *child, bool shared, pid_t *ret_pid, int *ret_pidfd,
		struct error *err)
{
	sigset_t all, before;
	long pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = shared ? spawn_shared(child, ret_pidfd) : spawn_copy(child, ret_pidfd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid == -EPERM || pid == -EINVAL || pid == -ENOSPC)
		return error_set(err, ERROR_CAPABILITY, (int)pid,
				 "PID namespaces are not allowed here: %s", strerror((int)-pid));
	if (pid < 0)
		return error_errno(err, (int)pid, "clone");
	*ret_pid = (pid_t)pid;
	return 0;
}
