/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb shell: a shell among the nodes of a trial. Theory of operation: everything happens in
 * an enclosure (shell-enclosure.h), which leaves nothing behind. The trial runs in this
 * process's loop. Once there is a connection, the shell is started beside it and gets the
 * terminal. The loop ends with the shell, and the result that the trial has by then is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/cmd/options.h"
#include "src/cmd/selection.h"
#include "src/cmd/shell-enclosure.h"
#include "src/cmd/shell-names.h"
#include "src/cmd/topology.h"
#include "src/engine/engine.h"
#include "src/observer/observer.h"
#include "src/report/describe.h"
#include "src/report/summary.h"
#include "src/testbed/privilege.h"
#include "src/testbed/testbed.h"
#include "src/trial/trial.h"
#include "src/util/interrupt.h"

struct shell {
	struct selection selection;
	bool hold;			 /* --hold is given */
	const struct scenario *scenario; /* the selected one; not owned */
	char **command;			 /* what to run; NULL: the user's shell; not owned */
	struct loop *loop;		 /* of this process, not owned */
	struct trial *trial;		 /* the one that runs in the loop; not owned */
	pid_t pid;			 /* of the shell; 0 before it is started */
	int wait_status;		 /* of the shell, from waitpid() */
	bool ended;			 /* so has the shell, and the trial's result is awaited */
	struct record *record;		 /* NULL until the trial is over; owned */
	struct error failure; /* why the trial has no record, or what went wrong in the loop */
};

static const struct argument arguments[] = {
	OPTION_FAMILY(shell, selection.family),
	{ "hold", 0, NULL, "no event happens until `kill -USR1 $DEADPEER_PID`",
	  TO_FLAG(shell, hold) },
	OPTION_QUICK(shell, selection.request.quick, QUICK_OF_ONE),
	OPTION_SET(shell, selection.sets, SET_OF_ONE),
	{ "variant", 0, "NAME", "which variant, where there are several",
	  TO_TEXT(shell, selection.request.variant) },
	{ 0 },
};

static void give_up(struct shell *sh, const struct error *err)
{
	if (sh->failure.kind == ERROR_NONE)
		sh->failure = *err;
	loop_quit(sh->loop);
}

static void print_timeline(const struct shell *sh)
{
	const struct scenario *s = sh->scenario;
	char at[64], text[192];

	fprintf(stderr, sh->hold ? "Held. After `kill -USR1 $DEADPEER_PID`:\n" : "From now on:\n");
	for (size_t i = 0; i < s->n_events; i++)
		fprintf(stderr, "  in %-11s %s\n",
			describe_span(at, sizeof(at), s->events[i].at_nsec),
			describe_event(s, &s->events[i], text, sizeof(text)));
}

static void print_banner(const struct shell *sh)
{
	const struct scenario *s = sh->scenario;

	fprintf(stderr, "%s%s%s%s, %s: the nodes stand and the agents run.\n", s->name,
		s->variant ? "/" : "", s->variant ? s->variant : "", s->quick ? " (quick)" : "",
		family_name(sh->selection.family));
	topology_draw(s, sh->selection.family, stderr, NULL);
	if (s->n_events)
		print_timeline(sh);
	fprintf(stderr,
		"To be on a node: ip netns exec client ss -tnoi   (or server%s)\n"
		"The result follows when this shell ends.\n",
		s->path.kind == PATH_DIRECT ? "" : ", router");
}

static void set_environment(const struct shell *sh)
{
	const struct testbed *tb = trial_testbed(sh->trial);
	char text[160];

	setenv("DEADPEER_SCENARIO", sh->scenario->name, 1);
	ip_format(text, sizeof(text), &tb->node[NODE_CLIENT].address);
	setenv("DEADPEER_CLIENT", text, 1);
	ip_format(text, sizeof(text), &tb->node[NODE_SERVER].address);
	setenv("DEADPEER_SERVER", text, 1);
	snprintf(text, sizeof(text), "%d", getppid());
	setenv("DEADPEER_PID", text, 1);
	/* The prompt names the scenario. Debian's bash.bashrc puts debian_chroot into its prompt.
	 */
	snprintf(text, sizeof(text), "deadpeer %s", sh->scenario->name);
	setenv("debian_chroot", text, 1);
	snprintf(text, sizeof(text), "(deadpeer %s) $ ", sh->scenario->name);
	setenv("PS1", text, 1);
}

static const char *user_shell(void)
{
	const char *shell = getenv("SHELL");

	return shell && *shell ? shell : "/bin/sh";
}

/* Runs in the child. It takes the terminal while SIGTTOU is still blocked. If exec fails, it writes
 * errno to `error_fd`, which a successful exec closes. */
_Noreturn static void exec_shell(const struct shell *sh, bool terminal, int error_fd)
{
	char *login[] = { (char *)user_shell(), NULL };
	char **argv = sh->command ? sh->command : login;
	sigset_t none;
	int rc;

	set_environment(sh);
	if (terminal) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpgrp());
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	rc = errno;
	if (write(error_fd, &rc, sizeof(rc)) != sizeof(rc))
		_exit(126);
	_exit(127);
}

static int start_shell(struct shell *sh, struct error *err)
{
	/* If this process may take the terminal, tcgetpgrp() returns 0, because the foreground
	 * group is in the outer PID namespace. */
	bool terminal = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == 0;
	int ends[2], rc = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, -errno, "pipe");
	sh->pid = fork();
	if (sh->pid == 0)
		exec_shell(sh, terminal, ends[1]);
	close(ends[1]);
	n = sh->pid < 0 ? 0 : read(ends[0], &rc, sizeof(rc));
	close(ends[0]);
	if (sh->pid < 0)
		return error_errno(err, -errno, "fork");
	if (n > 0)
		return error_set(err, ERROR_INPUT, -rc, "shell: '%s': %s",
				 sh->command ? sh->command[0] : user_shell(), strerror(rc));
	return 0;
}

static int name_nodes(const struct shell *sh, struct error *err)
{
	const struct testbed *tb = trial_testbed(sh->trial);
	int rc = nodenames_open(err);

	for (enum node_id n = 0; rc >= 0 && n < _NODE_MAX; n++)
		if (tb->node[n].ns)
			rc = nodenames_set(scenario_node_name(tb->scenario, n), tb->node[n].ns,
					   err);
	return rc;
}

static void on_connected(void *userdata)
{
	struct shell *sh = userdata;
	struct error err = { 0 };

	if (sh->pid)
		return;
	if (!sh->command)
		print_banner(sh);
	if (start_shell(sh, &err) < 0)
		give_up(sh, &err);
}

static void on_node_changed(enum node_id node, const struct netns *ns, void *userdata)
{
	struct error err = { 0 };

	if (nodenames_set(node_name(node), ns, &err) < 0)
		give_up(userdata, &err);
}

static void on_over(struct trial *trial, struct record *record, const struct error *err,
		    void *userdata)
{
	struct shell *sh = userdata;

	sh->record = record;
	if (!record)
		sh->failure = *err;
	/* If the trial failed before there was a connection, there is no shell to wait for. */
	if (!sh->pid || sh->ended)
		loop_quit(sh->loop);
}

/* Collects the status of the shell. A shell that stops itself is continued, because nobody else
 * could use the terminal. */
static void look_after_shell(struct shell *sh)
{
	int status;

	if (!sh->pid || sh->ended || waitpid(sh->pid, &status, WNOHANG | WUNTRACED) != sh->pid)
		return;
	if (WIFSTOPPED(status)) {
		kill(sh->pid, SIGCONT);
		return;
	}
	sh->wait_status = status;
	sh->ended = true;
	if (sh->record || sh->failure.kind != ERROR_NONE || !trial_finish(sh->trial))
		loop_quit(sh->loop);
}

struct signals {
	struct shell *shell;
	int fd;
};

static void on_signal(void *userdata, uint32_t events)
{
	struct signals *s = userdata;
	struct signalfd_siginfo info;
	struct error err = { 0 };

	if (read(s->fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		look_after_shell(s->shell);
		return;
	case SIGUSR1:
		trial_begin(s->shell->trial);
		return;
	case SIGINT:
		/* The signal is meant for the job in the shell's foreground. */
		if (s->shell->pid && !s->shell->ended)
			return;
		break;
	}
	interrupt_error(&err);
	give_up(s->shell, &err);
}

static int watch_signals(struct shell *sh, struct signals *s, struct loop_io **ret_io,
			 struct error *err)
{
	sigset_t set;

	enclosure_signals(&set);
	s->shell = sh;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0)
		return error_errno(err, -errno, "signalfd");
	return loop_io_new(sh->loop, s->fd, EPOLLIN, on_signal, s, ret_io, err);
}

/* Runs the trial, and the shell beside it, until the shell ends. */
static int live(struct shell *sh, struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(observer_freep) struct observer *observer = NULL;
	_cleanup_(trial_freep) struct trial *trial = NULL;
	_cleanup_(fd_closep) int signal_fd = -1;
	_cleanup_(loop_io_freep) struct loop_io *io = NULL;
	struct trial_hooks hooks = { on_connected, on_node_changed, sh };
	struct signals signals = { .fd = -1 };
	struct utsname kernel;
	struct trial_spec spec = { .phase = -1,
				   .scenario = sh->scenario,
				   .family = sh->selection.family,
				   .seed = 1,
				   .engine = engine_host.name,
				   .kernel = kernel.release,
				   .hold = sh->hold,
				   .hooks = &hooks };
	int rc = loop_new(&loop, err);

	uname(&kernel);
	sh->loop = loop;
	if (rc >= 0)
		rc = watch_signals(sh, &signals, &io, err);
	signal_fd = signals.fd;
	if (rc >= 0)
		rc = observer_new(loop, false, &observer, err);
	if (rc >= 0)
		rc = trial_start(loop, observer, &spec, on_over, sh, &trial, err);
	sh->trial = trial;
	if (rc >= 0)
		rc = name_nodes(sh, err);
	return rc < 0 ? rc : loop_run(loop, err);
}

/* The result goes to standard error, since standard output belongs to the user's command. */
static int report(const struct shell *sh, struct error *err)
{
	if (sh->failure.kind != ERROR_NONE) {
		*err = sh->failure;
		return -EINVAL;
	}
	if (sh->record)
		summary_print(&sh->record, 1, stderr);
	else
		fprintf(stderr, "deadpeer: the shell ended before the trial did: no result\n");
	return enclosure_status(sh->wait_status);
}

static int shell(struct shell *sh, struct error *err)
{
	int status, rc = privilege_acquire(err);

	if (rc >= 0)
		rc = enclosure_enter(&status, err);
	if (rc != 0)
		return rc < 0 ? rc : status;
	rc = live(sh, err);
	if (rc >= 0)
		rc = report(sh, err);
	record_free(sh->record);
	return rc;
}

static int cmd_shell(const struct command_line *line, void *options, struct error *err)
{
	struct shell *sh = options;
	int n = line->n_operands, rc;

	if (n > 1) /* the user's command stands behind the scenario */
		sh->command = line->operands + 1;
	rc = selection_load_one(&sh->selection, "shell", n > 1 ? 1 : n, line->operands, err);
	if (rc >= 0)
		rc = selection_only(&sh->selection, "shell", &sh->scenario, err);
	if (rc >= 0)
		rc = shell(sh, err);
	selection_deinit(&sh->selection);
	return rc;
}

const struct verb verb_shell = {
	.name = "shell",
	.operands = "SCENARIO [-- COMMAND...]",
	.summary = "Open a shell among the nodes of a running trial",
	.details =
		"In the shell, and nowhere else, the nodes have the names client, server and "
		"router:\n\n  ip netns exec client ss -tnoi\n\nThe trial goes on meanwhile; its "
		"result is printed when the shell ends. COMMAND, if\ngiven, runs in place of the "
		"shell. When the shell ends, everything that it started\nis killed. The exit "
		"status is that of the shell or command. DEADPEER_SCENARIO,\nDEADPEER_CLIENT, "
		"DEADPEER_SERVER (addresses) and DEADPEER_PID are set in it.",
	.arguments = arguments,
	.options_size = sizeof(struct shell),
	.run = cmd_shell,
};
