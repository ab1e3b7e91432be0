/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The running kernel's timer tick, and where its timer wheel can stand. */

/* The granule of the timer wheel's fifth level, in which 7,200 s lie at HZ=250: as many phases as
 * can make a difference to the timers that matter (kernel/time/timer.c). A phase is a number of
 * ticks modulo this. */
#define TICK_PHASES 32768

/* Ticks a second (CONFIG_HZ); 250 where the kernel does not tell. */
unsigned int tick_hz(void);
