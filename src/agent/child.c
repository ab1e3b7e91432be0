/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "src/agent/builtin.h"
#include "src/agent/command.h"

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes all but standard input, output and error and the child's own descriptors. What else
 * deadpeer has open (other agents' sockets, namespaces, the database) must not live on here. */
static void close_others(const struct agent_child *child)
{
	int keep[] = { child->control_fd, child->output_fd, child->ack_fd };
	int next = STDERR_FILENO + 1;

	qsort(keep, ARRAY_SIZE(keep), sizeof(keep[0]), compare_fds);
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		if (keep[i] < next)
			continue;
		if (keep[i] > next)
			close_range(next, keep[i] - 1, 0);
		next = keep[i] + 1;
	}
	close_range(next, ~0U, 0);
}

/* Standard error stays, because a sanitizer writes its report there. */
static void null_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child inherits blocked signals, so that no handler of deadpeer's runs in it before they are
 * back to their defaults. */
_Noreturn void agent_child_main(const struct agent_child *child)
{
	struct pollfd parent = { .fd = child->control_fd };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have died before that: its end of the socket is closed then. */
	if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP))
		_exit(EXIT_FAILURE);
	setpgid(0, 0);
	default_signals();
	if (setns(child->netns_fd, CLONE_NEWNET) < 0)
		agent_channel_give_up(child, "setns(network)");
	close_others(child);
	null_stdio();
	if (child->spec)
		agent_channel_settle(child->spec);
	if (child->spec && agent_is_command(child->spec))
		agent_command_main(child);
	agent_builtin_main(child);
}
