/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/shell-enclosure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "src/util/cleanup.h"

void enclosure_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGCHLD);
	sigaddset(ret_signals, SIGINT);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGHUP);
	sigaddset(ret_signals, SIGUSR1);
}

/* Blocks signals. A process that waits for its child takes those in `ret_waited` one by one with
 * sigwaitinfo(). SIGTTOU is blocked but not waited for, so that a process in the background may
 * write to the terminal and take it back. */
static void block_signals(sigset_t *ret_waited, sigset_t *ret_before)
{
	sigset_t blocked;

	enclosure_signals(ret_waited);
	blocked = *ret_waited;
	sigaddset(&blocked, SIGTTOU);
	sigaddset(&blocked, SIGQUIT);
	sigprocmask(SIG_BLOCK, &blocked, ret_before);
}

int enclosure_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Waits for `child`, reaps all others, and passes every other signal on to it. */
static int attend(pid_t child, const sigset_t *waited)
{
	for (;;) {
		int number = sigwaitinfo(waited, NULL), status;
		pid_t pid;

		if (number < 0)
			continue;
		if (number != SIGCHLD)
			kill(child, number);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == child)
				return enclosure_status(status);
	}
}

/* Makes the kernel kill this process when its parent dies. If the parent died before prctl(), its
 * end of the pipe is closed. */
static void die_with_parent(int alive_fd)
{
	struct pollfd parent = { .fd = alive_fd };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP))
		_exit(EXIT_FAILURE);
}

/* Mounts a /proc of the PID namespace, so that ps and ss show the processes inside with their
 * numbers inside. In a container that hides parts of /proc an ordinary user may not mount one; ps
 * and ss then show the processes outside. */
static int make_mounts_private(struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, -errno, "unshare(CLONE_NEWNS)");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, -errno, "make mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
	    errno != EPERM)
		return error_errno(err, -errno, "mount /proc");
	return 0;
}

/* Runs as process 1. It returns in its child only. */
static int run_init(int alive_fd, const sigset_t *waited, struct error *err)
{
	pid_t child;

	die_with_parent(alive_fd);
	child = fork();
	if (child < 0)
		return error_errno(err, -errno, "fork");
	if (child == 0)
		return make_mounts_private(err);
	_exit(attend(child, waited));
}

/* The state of the terminal before the enclosure: whether it was this process group's, and its
 * modes. */
struct terminal {
	bool is_ours;
	struct termios modes;
};

static void terminal_save(struct terminal *terminal)
{
	terminal->is_ours = tcgetpgrp(STDIN_FILENO) == getpgrp() &&
			    tcgetattr(STDIN_FILENO, &terminal->modes) == 0;
}

static void terminal_restore(const struct terminal *terminal)
{
	if (!terminal->is_ours)
		return;
	tcsetpgrp(STDIN_FILENO, getpgrp());
	tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->modes);
}

/* Forks a child that is process 1 of a new PID namespace. It does not use unshare(CLONE_NEWPID),
 * after which this process could have no other child once that namespace is gone. */
static pid_t fork_into_pid_namespace(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
}

int enclosure_enter(int *ret_status, struct error *err)
{
	struct terminal terminal;
	sigset_t waited, before;
	int alive[2];
	pid_t child;

	terminal_save(&terminal);
	if (pipe2(alive, O_CLOEXEC) < 0)
		return error_errno(err, -errno, "pipe");
	block_signals(&waited, &before);
	fflush(NULL);
	child = fork_into_pid_namespace();
	if (child < 0) {
		int rc = error_set(err, ERROR_CAPABILITY, -errno, "PID namespace: clone: %s",
				   strerror(errno));

		close(alive[0]);
		close(alive[1]);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return rc;
	}
	if (child == 0) {
		close(alive[1]);
		return run_init(alive[0], &waited, err);
	}
	close(alive[0]);
	*ret_status = attend(child, &waited);
	close(alive[1]);
	terminal_restore(&terminal);
	return 1;
}
