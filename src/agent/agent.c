/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "src/agent/spawn.h"
#include "src/util/interrupt.h"
#include "src/util/utf8.h"

/*
 * Theory of operation. The child is made by the bare clone system call (spawn.c): fork()
 * has no flag for a PID namespace, and unshare() could not be taken back without
 * root.
 *
 * A process that stands by has come as far as it can without knowing its part, and
 * waits for the part on its control socket; agent_start() sends it. Any other process
 * finds its part in the memory that it was forked with.
 *
 * To kill is to kill process 1 of the PID namespace: the kernel then kills the
 * rest, and lets process 1 become waitable only when every other process there
 * has been released (zap_pid_ns_processes() in kernel/pid_namespace.c), which is
 * after its sockets were closed (do_exit(): exit_files(), exit_task_work()).
 */

#define OUTPUT_SIZE	 (16 * 1024)
#define READ_TRIES	 3  /* so often a call that tells of the agent is made */
#define CHUNKS_MAX	 16 /* reads in a row, enough for all that a pipe holds */
#define ACK_TIMEOUT_MSEC 2000
/* The first and the longest pause between two looks at a process, and how long after SIGTERM they
 * go on. */
#define AWAIT_FIRST_NSEC (50 * NSEC_PER_USEC)
#define AWAIT_MOST_NSEC	 (10 * NSEC_PER_MSEC)
#define AWAIT_LAST_NSEC	 (500 * NSEC_PER_MSEC)

static bool shares_memory;

struct agent {
	pid_t pid;
	int pidfd;	/* readable once the whole namespace is gone; owned */
	int control_fd; /* owned */
	int output_fd;	/* the pipe's read end; owned, -1 for a built-in agent */
	int ack_fd;	/* eventfd; owned, -1 for a built-in agent */
	struct loop_io *control_io, *exit_io, *output_io;
	agent_func func;
	void *userdata;
	bool running;	/* the process has not been waited for */
	bool told_exit; /* AGENT_CALL_EXIT has been reported */
	bool killed;	/* SIGKILL has reached it */
	bool frozen;	/* by agent_freeze() */
	bool *freed;	/* set to true if a callback frees the agent; NULL while none runs */
	struct agent_counters *counters; /* shared with the process */
	struct agent_counters here;	 /* these, if it shares all memory; else they are mapped */
	char *output;			/* OUTPUT_SIZE bytes as they were written, or NULL; owned */
	size_t output_used;		/* of these bytes */
	bool output_cut;		/* the output had more bytes before these */
	char *output_text;		/* what agent_output() made of them; owned */
	agent_output_func *output_func; /* or NULL */
};

static void read_output(struct agent *agent)
{
	char chunk[4096];

	for (int left = CHUNKS_MAX; left && agent->output_fd >= 0; left--) {
		ssize_t n = read(agent->output_fd, chunk, sizeof(chunk));
		size_t kept = agent->output_used, drop;

		if (n <= 0)
			break;
		drop = kept + n > OUTPUT_SIZE ? kept + n - OUTPUT_SIZE : 0;
		memmove(agent->output, agent->output + drop, kept - drop);
		memcpy(agent->output + kept - drop, chunk, (size_t)n);
		agent->output_used = kept - drop + (size_t)n;
		agent->output_cut |= drop > 0;
		if (agent->output_func)
			agent->output_func(chunk, (size_t)n, agent->userdata);
	}
}

static void on_output(void *userdata, uint32_t events)
{
	struct agent *agent = userdata;

	read_output(agent);
	if (events & (EPOLLHUP | EPOLLERR))
		agent->output_io = loop_io_free(agent->output_io);
}

/* Returns false when the callback freed or killed the agent. */
static bool tell(struct agent *agent, const struct agent_report *report)
{
	bool freed = false;

	if (report->call == AGENT_CALL_EXIT) {
		agent->told_exit = true;
		read_output(agent);
	}
	agent->freed = &freed;
	agent->func(agent, report, agent->userdata);
	if (freed)
		return false;
	agent->freed = NULL;
	return agent->control_io;
}

static ssize_t read_report(const struct agent *agent, struct agent_report *ret_report)
{
	ssize_t n = -1;

	for (int tries = READ_TRIES; n < 0 && tries--;) {
		n = TEMP_FAILURE_RETRY(
			recv(agent->control_fd, ret_report, sizeof(*ret_report), MSG_DONTWAIT));
		if (n < 0 && errno == EAGAIN)
			break;
	}
	return n;
}

/* Tells that the kernel does not let deadpeer know what the agent does. Returns as tell(). */
static bool tell_failure(struct agent *agent, const char *what)
{
	struct agent_report report = { .call = AGENT_CALL_SOCKET, .error = errno };

	report.start_nsec = report.time_nsec = nsec_now();
	strncpy(report.detail, what, sizeof(report.detail) - 1);
	return tell(agent, &report);
}

/* Returns false when the agent is no longer there to be asked. */
static bool read_reports(struct agent *agent)
{
	struct agent_report report;
	ssize_t n;

	while ((n = read_report(agent, &report)) == sizeof(report))
		if (!tell(agent, &report))
			return false;
	if (n < 0 && errno != EAGAIN)
		return tell_failure(agent, "recv() of a report");
	if (n == 0) /* the end: on_exit() follows */
		agent->control_io = loop_io_free(agent->control_io);
	return true;
}

static void on_control(void *userdata, uint32_t events)
{
	read_reports(userdata);
}

/* Waits until the process has changed as `options` of waitid() say, and returns whether it has. A
 * process that could not be signalled never does, so that once the user wants an end of everything
 * (SIGTERM) this waits for a moment only. */
static bool await(const struct agent *agent, int options, siginfo_t *ret_info)
{
	nsec_t since_nsec = nsec_now(), pause_nsec = AWAIT_FIRST_NSEC;

	for (int tries = READ_TRIES;;) {
		struct pollfd end = { .fd = agent->pidfd, .events = POLLIN };
		struct timespec pause = { .tv_nsec = pause_nsec };
		int rc;

		ret_info->si_pid = 0;
		rc = waitid(P_PID, (id_t)agent->pid, ret_info, options | WNOHANG | WNOWAIT);
		if (rc < 0 && errno != EINTR && !--tries)
			return false;
		if (rc >= 0 && ret_info->si_pid)
			return true;
		if (interrupt_pending() && nsec_now() > since_nsec + AWAIT_LAST_NSEC)
			return false;
		ppoll(&end, 1, &pause, NULL);
		pause_nsec = nsec_min(2 * pause_nsec, AWAIT_MOST_NSEC);
	}
}

/* Waits for the end of the process and returns its status, as waitpid() gives it; -1 where that is
 * not to be had. */
static int reap(struct agent *agent)
{
	siginfo_t info;
	int status = -1;
	pid_t pid = -1;

	/* One that was killed ends by itself, and is waited for without a timer. */
	if (agent->killed || await(agent, WEXITED, &info))
		for (int tries = READ_TRIES; pid < 0 && tries--;)
			pid = TEMP_FAILURE_RETRY(waitpid(agent->pid, &status, 0));
	agent->running = false;
	agent->exit_io = loop_io_free(agent->exit_io);
	return status;
}

static void on_exit_ready(void *userdata, uint32_t events)
{
	struct agent *agent = userdata;
	struct agent_report report = { .call = AGENT_CALL_EXIT };

	report.start_nsec = report.time_nsec = nsec_now();
	if (!read_reports(agent))
		return;
	errno = 0;
	report.result = reap(agent);
	if (agent->told_exit)
		return;
	if (report.result < 0)
		tell_failure(agent, "waitpid()");
	else
		tell(agent, &report);
}

/* For a process with a memory of its own. Later forks need not copy the page. */
static struct agent_counters *map_counters(void)
{
	struct agent_counters *counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
					       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return counters == MAP_FAILED ? NULL : counters;
}

static struct agent *agent_new(bool shared, bool has_output)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return NULL;
	*agent = (struct agent){
		.pidfd = -1,
		.control_fd = -1,
		.output_fd = -1,
		.ack_fd = -1,
	};
	agent->counters = shared ? &agent->here : map_counters();
	if (!agent->counters || (has_output && !(agent->output = calloc(1, OUTPUT_SIZE))))
		return agent_free(agent);
	return agent;
}

/* Opens a pseudo-terminal, to which the C library writes each line when it is whole; to a pipe it
 * writes when its buffer is full. It adds nothing to what is written and sends nothing back. */
static int open_terminal(int pair[static 2])
{
	_cleanup_(fd_closep) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	_cleanup_(fd_closep) int slave = -1;
	struct termios t;
	char name[64];

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return -errno;
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	if (tcsetattr(slave, TCSANOW, &t) < 0)
		return -errno;
	pair[0] = take_fd(&master);
	pair[1] = take_fd(&slave);
	return 0;
}

/* Opens both ends of everything; the child's are returned in `child`. */
static int open_channels(struct agent *agent, struct agent_child *child, struct error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, -errno, "socketpair");
	agent->control_fd = pair[0];
	child->control_fd = pair[1];
	if (!agent->output)
		return 0;
	if (open_terminal(pair) < 0 && pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, -errno, "pipe2");
	agent->output_fd = pair[0];
	child->output_fd = pair[1];
	if (fcntl(agent->output_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, -errno, "fcntl");
	agent->ack_fd = child->ack_fd = eventfd(0, EFD_CLOEXEC);
	if (agent->ack_fd < 0)
		return error_errno(err, -errno, "eventfd");
	return 0;
}

static int spawn(struct agent *agent, const struct agent_child *child, bool shared,
		 struct error *err)
{
	int rc = agent_spawn(child, shared, &agent->pid, &agent->pidfd, err);

	if (rc < 0)
		return rc;
	agent->running = true;
	if (!shared)
		madvise(agent->counters, sizeof(*agent->counters), MADV_DONTFORK);
	return 0;
}

static int watch(struct agent *agent, struct loop *loop, struct error *err)
{
	int rc;

	rc = loop_io_new(loop, agent->control_fd, EPOLLIN, on_control, agent, &agent->control_io,
			 err);
	if (rc < 0)
		return rc;
	rc = loop_io_new(loop, agent->pidfd, EPOLLIN, on_exit_ready, agent, &agent->exit_io, err);
	if (rc < 0 || agent->output_fd < 0)
		return rc;
	return loop_io_new(loop, agent->output_fd, EPOLLIN, on_output, agent, &agent->output_io,
			   err);
}

/* Makes a process with that specification, or, if `spec` is NULL, one that waits to be told. */
static int make(const struct netns *ns, const struct agent_spec *spec, struct agent **ret_agent,
		struct error *err)
{
	bool command = spec && agent_is_command(spec);
	bool shared = shares_memory && !spec;
	_cleanup_(agent_freep) struct agent *agent = agent_new(shared, command);
	struct agent_child child = {
		.spec = spec, .netns_fd = ns->fd, .control_fd = -1, .output_fd = -1, .ack_fd = -1
	};
	int rc;

	if (!agent)
		return error_errno(err, -ENOMEM, "out of memory");
	agent->output_func = command ? spec->output_func : NULL;
	child.counters = agent->counters;
	child.clock_failures = nsec_clock_failures();
	rc = open_channels(agent, &child, err);
	if (rc >= 0)
		rc = spawn(agent, &child, shared, err);
	fd_close(child.control_fd);
	fd_close(child.output_fd);
	if (rc < 0)
		return rc;
	*ret_agent = take_ptr(agent);
	return 0;
}

void agent_share_memory(void)
{
	shares_memory = true;
}

int agent_stand_by(const struct netns *ns, struct agent **ret_agent, struct error *err)
{
	int rc = make(ns, NULL, ret_agent, err);

	return rc < 0 ? error_prefix(err, rc, "agent") : 0;
}

static int give_part(struct agent *agent, const struct agent_spec *spec, struct error *err)
{
	struct agent_part part = { .spec = *spec, .options = *spec->options };

	part.spec.ns = NULL;
	part.spec.options = NULL;
	part.spec.hosts = NULL;
	part.options.programs = NULL;
	part.options.n_programs = 0;
	if (send(agent->control_fd, &part, sizeof(part), MSG_NOSIGNAL) != sizeof(part))
		return error_errno(err, -errno, "send");
	return 0;
}

int agent_start(struct loop *loop, const struct agent_spec *spec, struct agent *standby,
		agent_func func, void *userdata, struct agent **ret_agent, struct error *err)
{
	_cleanup_(agent_freep) struct agent *agent = standby;
	int rc = 0;

	if (agent && agent_is_command(spec))
		agent = agent_free(agent);
	/* A specification in memory that is shared would be there only as long as its owner keeps
	 * it. */
	if (!agent && shares_memory && !agent_is_command(spec))
		rc = make(spec->ns, NULL, &agent, err);
	if (rc >= 0)
		rc = agent ? give_part(agent, spec, err) : make(spec->ns, spec, &agent, err);
	if (rc >= 0) {
		agent->func = func;
		agent->userdata = userdata;
		rc = watch(agent, loop, err);
	}
	if (rc < 0)
		return error_prefix(err, rc, "agent on node '%s'", spec->name);
	*ret_agent = take_ptr(agent);
	return 0;
}

/* Where pidfd_send_signal() is missing (ENOSYS) or a filter of system calls refuses it (EPERM), the
 * process's number serves: the kernel gives it to no other process before reap(). */
static int send_signal(const struct agent *agent, int number)
{
	if (pidfd_send_signal(agent->pidfd, number, NULL, 0) == 0 || kill(agent->pid, number) == 0)
		return 0;
	return -errno;
}

void agent_shoot(struct agent *agent)
{
	agent->control_io = loop_io_free(agent->control_io);
	agent->exit_io = loop_io_free(agent->exit_io);
	if (agent->running)
		agent->killed |= send_signal(agent, SIGKILL) >= 0;
}

void agent_kill(struct agent *agent)
{
	agent_shoot(agent);
	if (agent->running)
		reap(agent);
	agent->output_io = loop_io_free(agent->output_io);
	read_output(agent);
	agent->control_fd = fd_close(agent->control_fd);
	agent->output_fd = fd_close(agent->output_fd);
	agent->ack_fd = fd_close(agent->ack_fd);
	agent->pidfd = fd_close(agent->pidfd);
}

struct agent *agent_free(struct agent *agent)
{
	if (!agent)
		return NULL;
	agent_kill(agent);
	if (agent->freed)
		*agent->freed = true;
	if (agent->counters && agent->counters != &agent->here)
		munmap(agent->counters, sizeof(*agent->counters));
	free(agent->output);
	free(agent->output_text);
	free(agent);
	return NULL;
}

static int send_order(struct agent *agent, const struct agent_order *order)
{
	ssize_t n;

	if (agent->control_fd < 0)
		return -ESRCH;
	n = TEMP_FAILURE_RETRY(
		send(agent->control_fd, order, sizeof(*order), MSG_NOSIGNAL | MSG_DONTWAIT));
	return n < 0 ? -errno : 0;
}

/* What a command started is signalled from inside its namespace, where kill(-1) reaches all of it
 * at once, with no process escaping by a fork. */
static int signal_below(struct agent *agent, bool frozen)
{
	struct agent_order order = { .kind = frozen ? AGENT_ORDER_FREEZE : AGENT_ORDER_THAW };
	struct pollfd ack = { .fd = agent->ack_fd, .events = POLLIN };
	uint64_t count;
	int rc;

	rc = send_order(agent, &order);
	if (rc < 0)
		return rc;
	rc = TEMP_FAILURE_RETRY(poll(&ack, 1, ACK_TIMEOUT_MSEC));
	if (rc == 0)
		return -ETIMEDOUT;
	return rc < 0 || read(agent->ack_fd, &count, sizeof(count)) < 0 ? -errno : 0;
}

/* Returns when process 1 stands still, or has ended, which is reported elsewhere. */
static int stop_init(struct agent *agent)
{
	siginfo_t info = { 0 };
	int rc = send_signal(agent, SIGSTOP);

	if (rc >= 0 && !await(agent, WSTOPPED | WEXITED, &info))
		rc = -EINTR;
	if (rc >= 0 && info.si_code == CLD_STOPPED)
		waitid(P_PID, agent->pid, &info, WSTOPPED | WNOHANG);
	return rc;
}

int agent_freeze(struct agent *agent, bool frozen, struct error *err)
{
	int rc = agent->running ? 0 : -ESRCH;

	if (rc >= 0 && agent->frozen == frozen)
		return 0;
	if (rc >= 0 && !frozen)
		rc = send_signal(agent, SIGCONT);
	if (rc >= 0 && agent->output)
		rc = signal_below(agent, frozen);
	if (rc >= 0 && frozen)
		rc = stop_init(agent);
	if (rc < 0)
		return error_errno(err, rc, "cannot %s the agent", frozen ? "freeze" : "thaw");
	agent->frozen = frozen;
	return 0;
}

int agent_act(struct agent *agent, enum action action, uint64_t value, struct error *err)
{
	struct agent_order order = { .kind = AGENT_ORDER_ACT, .action = action, .value = value };
	int rc;

	if (agent->output && action != ACTION_EXIT)
		return error_input(err, "a command cannot be told to '%s'", action_name(action));
	rc = send_order(agent, &order);
	if (rc < 0)
		return error_errno(err, rc, "cannot tell the agent to '%s'", action_name(action));
	return 0;
}

struct agent_counters agent_counters(const struct agent *agent)
{
	return (struct agent_counters){
		.bytes_read = __atomic_load_n(&agent->counters->bytes_read, __ATOMIC_RELAXED),
		.bytes_written = __atomic_load_n(&agent->counters->bytes_written, __ATOMIC_RELAXED),
	};
}

bool agent_running(const struct agent *agent)
{
	return agent->running;
}

pid_t agent_pid(const struct agent *agent)
{
	return agent->pid;
}

const char *agent_output(struct agent *agent)
{
	const char *bytes = agent->output;
	size_t size = agent->output_used;

	/* The beginning may be cut within a character, of which at most three bytes are left. */
	for (int i = 0; agent->output_cut && i < 3 && (*bytes & 0xc0) == 0x80; i++, size--)
		bytes++;
	free(agent->output_text);
	agent->output_text = utf8_clean(bytes, size);
	return agent->output_text ? agent->output_text : "";
}
