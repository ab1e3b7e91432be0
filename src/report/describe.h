/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scenario in words, for people: what happens in it, and what is expected.
 */

#include <stdio.h>

#include "src/model/model.h"
#include "src/scenario/scenario.h"

/* Writes a span as nsec_format() does, but without trailing zeros: "1 s", "20 min 1 s". Returns
 * `buffer`; 64 bytes are enough. */
char *describe_span(char *buffer, size_t size, nsec_t span_nsec);

/* Writes an event: "reboot server, back after 2 s, a new server listening". Returns `buffer`; 192
 * bytes are enough. */
char *describe_event(const struct scenario *scenario, const struct event *event, char *buffer,
		     size_t size);

/* Returns what the model predicts before there is a connection. `kernel` is what is known of the
 * kernel that runs the trial. */
struct prediction describe_prediction(const struct scenario *scenario, enum family family,
				      enum end_id end, const struct model_facts *kernel);

/* Prints what is expected of one endpoint, in lines that begin with `prefix`. A predicted bound
 * stands with the model's figure. */
void describe_expectation(const struct scenario *scenario, enum family family, enum end_id end,
			  const struct model_facts *kernel, const char *prefix, FILE *out);
