/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One thread, one epoll: descriptors that become ready and points in time that
 * come. Everything that deadpeer does while trials run happens in a callback of
 * this loop. Sources may be added and removed in any callback, their own too.
 */

#include <stdint.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

struct loop;
struct loop_io;
struct loop_timer;

/* Called with the epoll events that are ready (EPOLLIN, EPOLLHUP, ...). */
typedef void (*loop_io_func)(void *userdata, uint32_t events);
/* Called at or after the set time, once for each loop_timer_set(). */
typedef void (*loop_timer_func)(void *userdata);

int loop_new(struct loop **ret_loop, struct error *err);
struct loop *loop_free(struct loop *loop);
DEFINE_CLEANUP(struct loop *, loop_free)

/* Watches `fd`, which stays the caller's and must outlive the source. */
int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_func func, void *userdata,
		struct loop_io **ret_io, struct error *err);
struct loop_io *loop_io_free(struct loop_io *io);
DEFINE_CLEANUP(struct loop_io *, loop_io_free)

/* A timer, unset at first. */
int loop_timer_new(struct loop *loop, loop_timer_func func, void *userdata,
		   struct loop_timer **ret_timer, struct error *err);
struct loop_timer *loop_timer_free(struct loop_timer *timer);
DEFINE_CLEANUP(struct loop_timer *, loop_timer_free)

/* Sets (or moves, or with NSEC_NEVER unsets) when the timer fires, on CLOCK_MONOTONIC. */
void loop_timer_set(struct loop_timer *timer, nsec_t at_nsec);

/* Runs until loop_quit(); returns 0, or a negative errno when epoll or its timer fails, or
 * when the clock cannot be read any more. */
int loop_run(struct loop *loop, struct error *err);
void loop_quit(struct loop *loop);
