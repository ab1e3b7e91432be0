/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/rate.h"

#include <math.h>

#define Z 1.959963984540054 /* 97.5th percentile of the normal distribution */

struct rate rate_of(size_t count, size_t total)
{
	double n = (double)total, p, centre, half, scale;

	if (!total)
		return (struct rate){ 0, 0, 1 };
	p = (double)count / n;
	scale = 1 + Z * Z / n;
	centre = (p + Z * Z / (2 * n)) / scale;
	half = Z / scale * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
	return (struct rate){ .value = p,
			      .low = count ? centre - half : 0,
			      .high = count < total ? centre + half : 1 };
}
