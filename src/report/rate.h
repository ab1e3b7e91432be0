/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How often something happened, as a rate with the interval that a true rate lies in with 95 %
 * confidence: Wilson's, which holds for rates near 0 and 1 and for few trials. (E. B. Wilson,
 * Probable inference, the law of succession, and statistical inference, 1927.) Pure.
 */

#include <stddef.h>

struct rate {
	double value, low, high; /* 0..1 */
};

struct rate rate_of(size_t count, size_t total);
