/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/options.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/model/timers.h"
#include "src/trial/facts.h"
#include "src/trial/ticks.h"

#define DEPTH_MAX 16 /* of processes that started each other */

static int64_t number_of(int fd, int level, int option)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, level, option, &value, &size) < 0 ? -1 : value;
}

static nsec_t seconds_of(int fd, int option)
{
	int64_t value = number_of(fd, IPPROTO_TCP, option);

	return value <= 0 ? NSEC_NONE : value * NSEC_PER_SEC;
}

static nsec_t linger_of(int fd)
{
	struct linger value = { 0 };
	socklen_t size = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) < 0 || !value.l_onoff)
		return NSEC_NONE;
	return value.l_linger * NSEC_PER_SEC;
}

/* A buffer's size is the program's if it is locked; the kernel has doubled it (socket(7)). */
static int64_t buffer_of(int fd, int option, int lock)
{
	int64_t locks = number_of(fd, SOL_SOCKET, SO_BUF_LOCK);

	return locks < 0 || !(locks & lock) ? -1 : number_of(fd, SOL_SOCKET, option) / 2;
}

static struct socket_options ask(int fd)
{
	int64_t timeout_msec = number_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);

	return (struct socket_options){
		.present = true,
		.keepalive = number_of(fd, SOL_SOCKET, SO_KEEPALIVE) > 0,
		.keepalive_idle_nsec = seconds_of(fd, TCP_KEEPIDLE),
		.keepalive_interval_nsec = seconds_of(fd, TCP_KEEPINTVL),
		.keepalive_count = (int)number_of(fd, IPPROTO_TCP, TCP_KEEPCNT),
		.user_timeout_nsec = timeout_msec > 0 ? timeout_msec * NSEC_PER_MSEC : NSEC_NONE,
		.nodelay = number_of(fd, IPPROTO_TCP, TCP_NODELAY) > 0,
		.linger_nsec = linger_of(fd),
		.send_buffer = buffer_of(fd, SO_SNDBUF, SOCK_SNDBUF_LOCK),
		.receive_buffer = buffer_of(fd, SO_RCVBUF, SOCK_RCVBUF_LOCK),
	};
}

static struct socket_options borrow(pid_t pid, int number)
{
	struct socket_options options = { 0 };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

	if (fd >= 0) {
		options = ask(fd);
		close(fd);
	}
	if (pidfd >= 0)
		close(pidfd);
	return options;
}

static struct socket_options read_of_process(pid_t pid, const char *socket)
{
	struct socket_options options = { 0 };
	char path[64], target[64];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && !options.present && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		if (!strcmp(target, socket))
			options = borrow(pid, atoi(entry->d_name));
	}
	if (folder)
		closedir(folder);
	return options;
}

static struct socket_options read_below(pid_t pid, const char *socket, int depth);

/* Looks through the processes that a thread has started. */
static struct socket_options read_children(pid_t pid, const char *thread, const char *socket,
					   int depth)
{
	struct socket_options options = { 0 };
	char path[320];
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
	file = fopen(path, "re");
	while (file && !options.present && fscanf(file, "%d", &child) == 1)
		options = read_below(child, socket, depth);
	if (file)
		fclose(file);
	return options;
}

/* Looks through a process and those below it. */
static struct socket_options read_below(pid_t pid, const char *socket, int depth)
{
	struct socket_options options = read_of_process(pid, socket);
	const struct dirent *entry;
	char path[64];
	DIR *folder;

	if (options.present || !depth)
		return options;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	while (folder && !options.present && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			options = read_children(pid, entry->d_name, socket, depth - 1);
	if (folder)
		closedir(folder);
	return options;
}

void options_read(struct trial_end *end, uint32_t inode)
{
	struct trial_host *host = end->host;
	char socket[32];

	end->options = (struct socket_options){ 0 };
	end->holder = NULL;
	snprintf(socket, sizeof(socket), "socket:[%u]", inode);
	for (size_t i = 0; inode && i < host->n_programs && !end->options.present; i++) {
		if (!host->program[i].agent || !agent_running(host->program[i].agent))
			continue;
		end->options = read_below(agent_pid(host->program[i].agent), socket, DEPTH_MAX);
		if (end->options.present)
			end->holder = &host->program[i];
	}
}

/* Where a program has not set a time, the tracepoints tell of none and getsockopt(2) of that of the
 * sysctl: the timers are those of both. */
static struct timers timers_with(const struct trial_end *end, const struct model_facts *facts,
				 const struct socket_options *options)
{
	struct model_facts with = *facts;

	with.options = options;
	return timers_of(end->trial->spec.scenario, end->host->id, &with);
}

/* A value that is the sysctl's counts as not set. */
static struct socket_options without_defaults(const struct trial_end *end,
					      struct socket_options options)
{
	struct model_facts facts = facts_of_running_kernel();
	struct timers t = timers_with(end, &facts, NULL);

	if (options.keepalive_idle_nsec == t.idle_nsec)
		options.keepalive_idle_nsec = NSEC_NONE;
	if (options.keepalive_interval_nsec == t.interval_nsec)
		options.keepalive_interval_nsec = NSEC_NONE;
	if (options.keepalive_count == t.count)
		options.keepalive_count = -1;
	return options;
}

struct socket_options options_recorded(const struct trial_end *end)
{
	const struct socket_options *first = &end->options;
	struct socket_options options = end->view[end->believed].facts.options;

	if (!first->present)
		return options;
	if (!options.present)
		return without_defaults(end, *first);
	options.linger_nsec = first->linger_nsec;
	options.send_buffer = first->send_buffer;
	options.receive_buffer = first->receive_buffer;
	return options;
}

bool options_kept(const struct trial_end *end, const struct model_facts *facts)
{
	const struct endpoint *ep = &end->view[end->believed];
	const struct socket_options *first =
		end->options.present ? &end->options : &ep->first_options;
	const struct socket_options *last = &ep->facts.options;
	struct timers a, b;

	if (!first->present || !last->present || first->keepalive != last->keepalive ||
	    first->user_timeout_nsec != last->user_timeout_nsec)
		return false;
	a = timers_with(end, facts, first);
	b = timers_with(end, facts, last);
	if (a.idle_nsec != b.idle_nsec || a.interval_nsec != b.interval_nsec || a.count != b.count)
		return false;
	/* A timer that was set after the last packet came is due later than the idle time says. */
	return end->keepalive_nsec == NSEC_NONE ||
	       end->keepalive_nsec + end->silence_nsec <= a.idle_nsec + ticks_length();
}
