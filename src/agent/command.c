/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "src/agent/confinement.h"
#include "src/agent/surroundings.h"
#include "src/util/loop.h"
#include "src/util/userns.h"

#define NOGROUP 65534

/*
 * Theory of operation. A program that does not expect to be process 1 behaves
 * oddly as one (signals are ignored, orphans stay zombies), so the agent stays
 * as a small init: it starts the command, reaps whatever ends, reports the end of
 * the command, and ends when no other process is left in its namespace. It hears of ends by a
 * signalfd and of orders by the control socket.
 */

struct command {
	const struct agent_child *child;
	struct loop *loop;
	struct loop_io *orders, *signals;
	int signal_fd;
	pid_t pid;	    /* of the command itself; -1 once it has ended */
	int status;	    /* of that end, as waitpid() gives it */
	const char *detail; /* what failed before it could start, or NULL; static */
};

/* The root of a user namespace that knows no other user makes one in which it has another number.
 */
static int become_alone(unsigned int id)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	return unshare(CLONE_NEWUSER) < 0 ? -errno : userns_map(id, id, uid, gid);
}

/* The user's own group, and of one that nobody knows the group that nobody is in: the group with
 * the same number may be any. */
static gid_t group_of(uid_t id)
{
	const struct passwd *user = getpwuid(id);

	return user ? user->pw_gid : NOGROUP;
}

static int become_user(const struct scenario_program *program)
{
	uid_t id = confinement_user(program);
	gid_t group;

	if (geteuid() == id)
		return 0;
	group = group_of(id);
	if (setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
	    setresuid(id, id, id) == 0)
		return 0;
	/* Where a user namespace has no other users, and none can be made below it, the program has
	 * no rights as this one either. */
	return geteuid() == id || become_alone(id) == 0 || !program->has_user ? 0 : -EUSERS;
}

/* As execvp(), but what the kernel cannot execute is not given to a shell: the bytes of a program
 * for another machine are no script. Returns only with an error. */
static int execute(char **argv)
{
	const char *directories = getenv("PATH");
	int rc = -ENOENT;

	if (strchr(argv[0], '/')) {
		execv(argv[0], argv);
		return -errno;
	}
	for (const char *p = directories ? directories : "/usr/local/bin:/bin:/usr/bin";; p++) {
		size_t n = strcspn(p, ":");
		char path[PATH_MAX];

		errno = ENOENT; /* of a path that is too long to be one */
		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)n, p, n ? "/" : "", argv[0]) <
		    (int)sizeof(path))
			execv(path, argv);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return -errno;
		if (errno == EACCES)
			rc = -errno;
		p += n;
		if (!*p)
			return rc;
	}
}

/* Turns this process into the command. Returns only with an error. */
static int become(const struct agent_child *child)
{
	const struct scenario_program *program = child->spec->program;
	char **argv = surroundings_expand(child->spec, program->run);
	sigset_t none;
	int rc;

	if (!argv || !argv[0])
		return argv ? -ENOENT : -ENOMEM;
	/* The program may open what it writes to once more, as /dev/stdout. */
	if (fchown(child->output_fd, confinement_owner(program), (gid_t)-1) < 0 && errno != EPERM)
		return -errno;
	rc = surroundings_enter(child->spec);
	if (rc >= 0)
		rc = surroundings_set_environment(child->spec);
	if (rc >= 0)
		rc = confinement_give_up(program);
	if (rc >= 0)
		rc = become_user(program);
	if (rc >= 0) /* a user namespace that was made for it has them all again */
		rc = confinement_give_up(program);
	if (rc >= 0)
		rc = confinement_finish(program);
	if (rc < 0)
		return rc;
	if (dup2(child->output_fd, STDOUT_FILENO) < 0 || dup2(child->output_fd, STDERR_FILENO) < 0)
		return -errno;
	setsid(); /* the command has no terminal on which to ask for a password */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return execute(argv);
}

/* Starts the command, and returns 0 or a negative errno. The pipe is closed by the kernel when the
 * new program runs; if it does not, an errno comes through the pipe. */
static int start(struct command *command)
{
	int pair[2], error = 0;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	command->pid = fork();
	if (command->pid < 0)
		return -errno;
	if (command->pid == 0) {
		error = become(command->child);
		if (write(pair[1], &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	close(pair[1]);
	if (TEMP_FAILURE_RETRY(read(pair[0], &error, sizeof(error))) < 0)
		error = -errno;
	close(pair[0]);
	return error;
}

static void report(const struct command *command, enum agent_call call, nsec_t start_nsec,
		   int error, int64_t result, bool left_others)
{
	struct agent_report message = {
		.call = call,
		.start_nsec = start_nsec,
		.time_nsec = nsec_now(),
		.error = error,
		.result = result,
		.left_others = left_others,
	};

	if (command->detail)
		strncpy(message.detail, command->detail, sizeof(message.detail) - 1);
	agent_channel_report(command->child, &message);
}

static void on_signal(void *userdata, uint32_t events)
{
	struct command *command = userdata;
	struct signalfd_siginfo info;
	bool ended = false;
	int status;
	pid_t pid;

	if (read(command->signal_fd, &info, sizeof(info)) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command->pid)
			continue;
		command->pid = -1;
		command->status = status;
		ended = true;
	}
	/* What has ended may have left others behind, as a program does that goes into the
	 * background. */
	if (ended)
		report(command, AGENT_CALL_EXIT, nsec_now(), 0, command->status, pid == 0);
	if (pid < 0 && errno == ECHILD)
		_exit(EXIT_SUCCESS);
}

static void on_order(void *userdata, uint32_t events)
{
	struct command *command = userdata;
	struct agent_order order;
	uint64_t one = 1;
	ssize_t n = recv(command->child->control_fd, &order, sizeof(order), MSG_DONTWAIT);

	if (n == 0)
		_exit(EXIT_SUCCESS);
	if (n != sizeof(order))
		return;
	if (order.kind == AGENT_ORDER_ACT) { /* to exit */
		if (command->pid > 0)
			kill(command->pid, SIGTERM);
		return;
	}
	kill(-1, order.kind == AGENT_ORDER_FREEZE ? SIGSTOP : SIGCONT);
	if (write(command->child->ack_fd, &one, sizeof(one)) < 0)
		_exit(EXIT_FAILURE);
}

static int prepare(struct command *command)
{
	sigset_t mask;
	int rc;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	command->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (command->signal_fd < 0)
		return -errno;
	rc = loop_new(&command->loop, NULL);
	if (rc >= 0)
		rc = loop_io_new(command->loop, command->child->control_fd, EPOLLIN, on_order,
				 command, &command->orders, NULL);
	if (rc >= 0)
		rc = loop_io_new(command->loop, command->signal_fd, EPOLLIN, on_signal, command,
				 &command->signals, NULL);
	return rc;
}

_Noreturn void agent_command_main(const struct agent_child *child)
{
	struct command command = { .child = child };
	nsec_t start_nsec;
	int rc;

	rc = surroundings_mount(child->spec);
	start_nsec = nsec_now();
	if (rc < 0)
		command.detail = "the file systems of its own";
	if (rc >= 0)
		rc = prepare(&command);
	if (rc >= 0)
		rc = start(&command);
	report(&command, AGENT_CALL_EXEC, start_nsec, -rc, 0, false);
	if (rc < 0)
		_exit(127);
	close(child->output_fd);
	loop_run(command.loop, NULL);
	_exit(EXIT_FAILURE);
}
