/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

/*
 * Theory of operation. The timers that are set form a binary heap in one array,
 * ordered by time. One timerfd is set to the earliest of them, so that epoll reports
 * a due time like any other event, with a resolution of nanoseconds on every kernel.
 * A source that is freed while a batch of epoll events is handed out may still stand
 * in that batch. It is only marked then, and its memory is freed at the end of the
 * batch.
 */

#define TRIES 3
/* A clock that could not be read has perhaps left a timer at a time that never comes: the loop
 * looks at it again after each pause, and gives up after so many failures. */
#define CLOCK_PAUSE_MSEC 10
#define CLOCK_FAILURES	 100

struct loop {
	int epoll_fd;
	int timer_fd;
	bool quit;
	int error;		  /* the timer could not be set; negative errno */
	struct loop_timer **heap; /* the timers that are set, as a heap; owned array */
	size_t heap_count;	  /* timers that are set */
	size_t heap_size;	  /* timers that exist: there is room for each */
	struct loop_io *dead;	  /* sources freed during a batch, linked by `next`; owned */
	bool dispatching;	  /* a batch is being handed out */
};

struct loop_io {
	struct loop *loop;
	int fd;		      /* the caller's */
	loop_io_func func;    /* NULL once the source is freed */
	void *userdata;	      /* for func */
	struct loop_io *next; /* in the list of the dead */
};

struct loop_timer {
	struct loop *loop;
	loop_timer_func func;
	void *userdata; /* for func */
	nsec_t at_nsec; /* when it is due, on CLOCK_MONOTONIC */
	size_t index;	/* its place in the heap plus one; 0 when it is not set */
};

int loop_new(struct loop **ret_loop, struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event event = { .events = EPOLLIN };

	if (!loop)
		return error_errno(err, -ENOMEM, "event loop");
	loop->timer_fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return error_errno(err, -errno, "epoll_create1");
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0)
		return error_errno(err, -errno, "timerfd_create");
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) < 0)
		return error_errno(err, -errno, "epoll_ctl");
	*ret_loop = take_ptr(loop);
	return 0;
}

static void reap(struct loop *loop)
{
	while (loop->dead) {
		struct loop_io *io = loop->dead;

		loop->dead = io->next;
		free(io);
	}
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	reap(loop);
	fd_close(loop->epoll_fd);
	fd_close(loop->timer_fd);
	free(loop->heap);
	free(loop);
	return NULL;
}

int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_func func, void *userdata,
		struct loop_io **ret_io, struct error *err)
{
	_cleanup_(freep) struct loop_io *io = calloc(1, sizeof(*io));
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (!io)
		return error_errno(err, -ENOMEM, "event source");
	*io = (struct loop_io){ .loop = loop, .fd = fd, .func = func, .userdata = userdata };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_errno(err, -errno, "epoll_ctl");
	*ret_io = take_ptr(io);
	return 0;
}

struct loop_io *loop_io_free(struct loop_io *io)
{
	if (!io)
		return NULL;
	epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->func = NULL;
	io->next = io->loop->dead;
	io->loop->dead = io;
	if (!io->loop->dispatching)
		reap(io->loop);
	return NULL;
}

static void heap_place(struct loop *loop, size_t i, struct loop_timer *timer)
{
	loop->heap[i] = timer;
	timer->index = i + 1;
}

static void heap_up(struct loop *loop, size_t i)
{
	struct loop_timer *timer = loop->heap[i];

	while (i && loop->heap[(i - 1) / 2]->at_nsec > timer->at_nsec) {
		heap_place(loop, i, loop->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(loop, i, timer);
}

static void heap_down(struct loop *loop, size_t i)
{
	struct loop_timer *timer = loop->heap[i];

	for (size_t child; (child = 2 * i + 1) < loop->heap_count; i = child) {
		if (child + 1 < loop->heap_count &&
		    loop->heap[child + 1]->at_nsec < loop->heap[child]->at_nsec)
			child++;
		if (loop->heap[child]->at_nsec >= timer->at_nsec)
			break;
		heap_place(loop, i, loop->heap[child]);
	}
	heap_place(loop, i, timer);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
	size_t i = timer->index - 1;
	struct loop_timer *last = loop->heap[--loop->heap_count];

	timer->index = 0;
	if (last == timer)
		return;
	heap_place(loop, i, last);
	heap_up(loop, i);
	heap_down(loop, last->index - 1);
}

static void rearm(struct loop *loop)
{
	nsec_t at_nsec = loop->heap_count ? loop->heap[0]->at_nsec : 0;
	struct itimerspec spec = { 0 };

	if (loop->heap_count && at_nsec <= 0)
		at_nsec = 1; /* a time of zero would disarm the timer */
	spec.it_value.tv_sec = at_nsec / NSEC_PER_SEC;
	spec.it_value.tv_nsec = at_nsec % NSEC_PER_SEC;
	for (int tries = TRIES; tries--;) {
		if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) >= 0)
			return;
	}
	loop->error = -errno;
}

/* Makes room in the heap for each timer that exists, so that loop_timer_set() cannot fail. */
int loop_timer_new(struct loop *loop, loop_timer_func func, void *userdata,
		   struct loop_timer **ret_timer, struct error *err)
{
	struct loop_timer *timer, **heap;

	heap = realloc(loop->heap, (loop->heap_size + 1) * sizeof(*heap));
	if (!heap)
		return error_errno(err, -ENOMEM, "timer");
	loop->heap = heap;
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return error_errno(err, -ENOMEM, "timer");
	loop->heap_size++;
	*timer = (struct loop_timer){ .loop = loop, .func = func, .userdata = userdata };
	*ret_timer = timer;
	return 0;
}

struct loop_timer *loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return NULL;
	loop_timer_set(timer, NSEC_NEVER);
	timer->loop->heap_size--;
	free(timer);
	return NULL;
}

void loop_timer_set(struct loop_timer *timer, nsec_t at_nsec)
{
	struct loop *loop = timer->loop;

	if (timer->index)
		heap_remove(loop, timer);
	if (at_nsec != NSEC_NEVER) {
		timer->at_nsec = at_nsec;
		heap_place(loop, loop->heap_count++, timer);
		heap_up(loop, loop->heap_count - 1);
	}
	rearm(loop);
}

/* Expirations need not be read: to set the timer anew clears them (fs/timerfd.c: timerfd_setup()).
 */
static void run_timers(struct loop *loop)
{
	nsec_t now_nsec = nsec_now();
	uint64_t failures = nsec_clock_failures();

	/* A timer that is set by a clock that fails may be due again at once, for ever. */
	while (!loop->quit && loop->heap_count && loop->heap[0]->at_nsec <= now_nsec &&
	       nsec_clock_failures() == failures) {
		struct loop_timer *timer = loop->heap[0];

		heap_remove(loop, timer);
		timer->func(timer->userdata);
	}
	rearm(loop);
}

int loop_run(struct loop *loop, struct error *err)
{
	uint64_t failures = nsec_clock_failures();
	struct epoll_event events[64];

	loop->quit = false;
	while (!loop->quit) {
		bool timers = false;
		bool clock = nsec_clock_failures() == failures;
		int n = epoll_wait(loop->epoll_fd, events, ARRAY_SIZE(events),
				   clock ? -1 : CLOCK_PAUSE_MSEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "epoll_wait");
		loop->dispatching = true;
		for (int i = 0; i < n && !loop->quit; i++) {
			struct loop_io *io = events[i].data.ptr;

			if (!io)
				timers = true;
			else if (io->func)
				io->func(io->userdata, events[i].events);
		}
		/* Timers come last, so that an event is seen before a deadline that came after it.
		 */
		if (timers && !loop->quit)
			run_timers(loop);
		loop->dispatching = false;
		reap(loop);
		if (!clock)
			nsec_now();
		if (loop->error)
			return error_errno(err, loop->error, "timerfd_settime");
		if (nsec_clock_failures() >= failures + CLOCK_FAILURES)
			return error_set(err, ERROR_FAILED, -EIO, "the clock cannot be read");
	}
	return 0;
}

void loop_quit(struct loop *loop)
{
	loop->quit = true;
}
