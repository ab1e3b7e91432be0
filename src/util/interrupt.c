/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static void on_signal(void *userdata, uint32_t events)
{
	struct interrupt *i = userdata;

	i->caught = true;
	loop_quit(i->loop);
}

static void three_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

int interrupt_block(struct error *err)
{
	sigset_t set;

	three_signals(&set);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? error_errno(err, -errno, "sigprocmask") : 0;
}

bool interrupt_pending(void)
{
	sigset_t pending, three;

	three_signals(&three);
	return sigpending(&pending) == 0 && sigandset(&pending, &pending, &three) == 0 &&
	       !sigisemptyset(&pending);
}

int interrupt_error(struct error *err)
{
	return error_set(err, ERROR_INTERRUPTED, -EINTR, "interrupted");
}

int interrupt_init(struct interrupt *i, struct loop *loop, struct error *err)
{
	sigset_t set;
	int rc;

	*i = (struct interrupt){ .loop = loop, .fd = -1 };
	rc = interrupt_block(err);
	if (rc < 0)
		return rc;
	three_signals(&set);
	i->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (i->fd < 0)
		return error_errno(err, -errno, "signalfd");
	return loop_io_new(loop, i->fd, EPOLLIN, on_signal, i, &i->io, err);
}

void interrupt_deinit(struct interrupt *i)
{
	i->io = loop_io_free(i->io);
	i->fd = fd_close(i->fd);
}
