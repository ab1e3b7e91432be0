/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The running kernel's timer tick, and where its timer wheel can stand. */

#include "src/util/error.h"

/* The granule of the timer wheel's fifth level, in which 7,200 s lie at HZ=250: as many phases as
 * can make a difference to the timers that matter (kernel/time/timer.c). A phase is a number of
 * ticks modulo this. */
#define TICK_PHASES 32768

/* Finds out how many ticks a second has. Whoever measures or predicts calls this first, so that
 * tick_hz() has no need to guess. */
int tick_init(struct error *err);
/* Ticks a second (CONFIG_HZ). 250, and a count of nsec_clock_failures(), where the kernel does not
 * tell. */
unsigned int tick_hz(void);
