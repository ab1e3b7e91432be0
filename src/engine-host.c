/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>

#include "src/engine.h"
#include "src/privilege.h"
#include "src/runner.h"

struct interrupt {
	struct loop *loop;
	int fd;
	bool caught;
};

static void on_signal(void *userdata, uint32_t events)
{
	struct interrupt *i = userdata;

	i->caught = true;
	loop_quit(i->loop);
}

/* SIGINT and SIGTERM become an event of the loop, so that everything is taken down in order. */
static int catch_signals(struct loop *loop, struct interrupt *i, struct loop_io **ret_io,
			 struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, -errno, "sigprocmask");
	i->loop = loop;
	i->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (i->fd < 0)
		return error_errno(err, -errno, "signalfd");
	return loop_io_new(loop, i->fd, EPOLLIN, on_signal, i, ret_io, err);
}

static int run(const struct engine_job *job, const struct engine_listener *listener,
	       struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(fd_closep) int signal_fd = -1;
	_cleanup_(loop_io_freep) struct loop_io *signals = NULL;
	_cleanup_(runner_freep) struct runner *runner = NULL;
	struct interrupt interrupt = { .fd = -1 };
	struct utsname kernel;
	int r;

	uname(&kernel);
	r = privilege_acquire(err);
	if (r >= 0)
		r = loop_new(&loop, err);
	if (r >= 0)
		r = catch_signals(loop, &interrupt, &signals, err);
	signal_fd = interrupt.fd;
	if (r >= 0)
		r = runner_new(loop, job, engine_host.name, kernel.release, listener, &runner, err);
	if (r >= 0)
		r = loop_run(loop, err);
	if (r >= 0 && interrupt.caught)
		return error_set(err, ERROR_INTERRUPTED, -EINTR, "interrupted");
	return r;
}

const struct engine engine_host = { .name = "host", .run = run };
