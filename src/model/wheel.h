/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel's timer wheel (kernel/time/timer.c) in its own arithmetic.
 *
 * Theory of operation. A timer is armed with the jiffy at which it may go off at the
 * earliest. The wheel sorts it into a level by how far ahead that is. Level n has 64
 * buckets of 8^n jiffies, and a timer goes off at the end of its bucket, so the longer
 * a timer runs the later it may be: at HZ=250 a timer of 75 s by up to 2 s, one of
 * 7,200 s by up to 131 s. Where buckets end is fixed in jiffies, so how late a timer is
 * depends on the jiffy in which it is armed, and successive timers are not independent:
 * one that went off at the end of a bucket arms the next there.
 */

#include <stdint.h>

/* The jiffy at which a timer goes off that may do so from `expires` on and is armed while the wheel
 * stands at `clock`: calc_wheel_index(). `granule`, if not NULL, is raised to the width in jiffies
 * of the bucket that it falls into. */
int64_t wheel_expiry(int64_t clock, int64_t expires, int64_t *granule);

/* Times as the kernel rounds them up to jiffies of 1/hz seconds: usecs_to_jiffies() and
 * msecs_to_jiffies(). */
int64_t wheel_usecs_to_jiffies(unsigned int hz, int64_t usecs);
int64_t wheel_msecs_to_jiffies(unsigned int hz, int64_t msecs);
