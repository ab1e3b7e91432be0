/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/closer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* The descriptors' numbers go to the thread through a pipe, whose end is the thread's end. */
struct closer {
	pthread_t thread;
	int read_fd, write_fd; /* of the pipe; owned */
};

static void *close_all(void *userdata)
{
	const struct closer *closer = userdata;
	ssize_t n;
	int fd;

	/* A write of a few bytes to a pipe is whole (pipe(7)), and so is what is read of it. */
	while ((n = read(closer->read_fd, &fd, sizeof(fd))) != 0)
		if (n == (ssize_t)sizeof(fd))
			close(fd);
		else if (errno != EINTR)
			break;
	return NULL;
}

/* Signals are for the thread that has the event loop. */
static int start(struct closer *closer)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc)
		return -rc;
	rc = pthread_create(&closer->thread, NULL, close_all, closer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int closer_new(struct closer **ret_closer, struct error *err)
{
	struct closer *closer = calloc(1, sizeof(*closer));
	int fds[2], rc;

	if (!closer)
		return error_errno(err, -ENOMEM, "closer");
	if (pipe2(fds, O_CLOEXEC) < 0) {
		rc = -errno;
		free(closer);
		return error_errno(err, rc, "closer: pipe");
	}
	*closer = (struct closer){ .read_fd = fds[0], .write_fd = fds[1] };
	rc = start(closer);
	if (rc < 0) {
		fd_close(closer->read_fd);
		fd_close(closer->write_fd);
		free(closer);
		return error_errno(err, rc, "closer: thread");
	}
	*ret_closer = closer;
	return 0;
}

struct closer *closer_free(struct closer *closer)
{
	if (!closer)
		return NULL;
	fd_close(closer->write_fd);
	pthread_join(closer->thread, NULL);
	fd_close(closer->read_fd);
	free(closer);
	return NULL;
}

void closer_close(struct closer *closer, int fd)
{
	if (write(closer->write_fd, &fd, sizeof(fd)) != (ssize_t)sizeof(fd))
		close(fd);
}
