/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/sweep-progress.h"

#include <stdio.h>
#include <string.h>

#include "src/model/estimate.h"

#define BAR 20

char *sweep_progress_format(const struct sweep_counts *c, bool virtual_time, char *buffer,
			    size_t size)
{
	size_t filled = c->total ? c->done * BAR / c->total : BAR;
	char bar[BAR + 1], span[32], left[32], rate[24] = "", gone[48] = "", failed[40] = "";
	double seconds = nsec_to_sec(c->elapsed_nsec);

	memset(bar, '#', filled);
	memset(bar + filled, '-', BAR - filled);
	bar[BAR] = '\0';
	if (c->left_nsec != NSEC_NEVER && seconds > 0)
		snprintf(rate, sizeof(rate), ", %.3g/s", (double)c->finished / seconds);
	if (virtual_time && c->span_nsec)
		snprintf(gone, sizeof(gone), ", %s virtual",
			 estimate_format_span(c->span_nsec, span, sizeof(span)));
	else if (c->left_nsec == NSEC_NEVER &&
		 c->elapsed_nsec > NSEC_PER_SEC) /* shows that something happens */
		snprintf(gone, sizeof(gone), ", %s so far",
			 estimate_format_span(c->elapsed_nsec, span, sizeof(span)));
	if (c->failed + c->problems)
		snprintf(failed, sizeof(failed), ", %zu failed", c->failed + c->problems);
	if (c->left_nsec != NSEC_NEVER)
		estimate_format_span(c->left_nsec, left, sizeof(left));
	snprintf(buffer, size, "[%s] %zu of %zu done%s%s%s%s%s", bar, c->done, c->total, failed,
		 rate, gone, c->left_nsec != NSEC_NEVER ? ", " : "",
		 c->left_nsec != NSEC_NEVER ? strcat(left, " left") : "");
	return buffer;
}
