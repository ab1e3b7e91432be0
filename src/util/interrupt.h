/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * SIGINT, SIGTERM and SIGHUP as an event of the loop, so that everything is taken
 * down in order.
 */

#include <stdbool.h>

#include "src/util/loop.h"

struct interrupt {
	struct loop *loop;  /* the caller's */
	struct loop_io *io; /* watches `fd`; owned */
	int fd;		    /* signalfd; owned */
	bool caught;	    /* a signal came, and the loop was quit */
};

/* Blocks the three signals and quits the loop when one comes. `interrupt` must stay in place. */
int interrupt_init(struct interrupt *interrupt, struct loop *loop, struct error *err);
void interrupt_deinit(struct interrupt *interrupt);

/* Blocks the signals before there is a loop. One that comes meanwhile does not kill the process,
 * and the loop gets it later. */
int interrupt_block(struct error *err);

/* Whether one of the blocked signals has come and no loop has taken it. A wait without a loop asks
 * this, so that it does not go on after a signal. False where the signals are not blocked. */
bool interrupt_pending(void);
/* Fills `err` with ERROR_INTERRUPTED; always returns -EINTR. */
int interrupt_error(struct error *err);
