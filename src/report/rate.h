/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The rate at which something happened, with Wilson's interval, in which the true rate lies with
 * 95 % confidence. This interval holds for rates near 0 and 1 and for few trials, too. (E. B.
 * Wilson, Probable inference, the law of succession, and statistical inference, 1927.)
 */

#include <stddef.h>

struct rate {
	double value, low, high; /* the rate and the ends of its interval; 0 to 1 */
};

struct rate rate_of(size_t count, size_t total);
