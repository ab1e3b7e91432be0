/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scenario in words and as a drawing, for people: what is where, what is done,
 * what is expected.
 */

#include <stdio.h>

#include "src/model/model.h"
#include "src/scenario/scenario.h"

/* nsec_format() without decimals that say nothing: "1 s", "20 min 1 s". Returns `buffer`; 64 bytes
 * are enough. */
char *describe_span(char *buffer, size_t size, nsec_t span);

/* "reboot server, back after 2 s, new server listening". Returns `buffer`; 192 bytes are enough. */
char *describe_event(const struct event *event, char *buffer, size_t size);

/* What the model predicts before there is a connection. `kernel` is what is known of the kernel
 * that runs the trial. */
struct prediction describe_prediction(const struct scenario *scenario, enum family family,
				      enum node_id node, const struct model_facts *kernel);

/* What is expected of one endpoint, one line each, each with `prefix` in front; predicted bounds
 * with the model's figure. */
void describe_expectation(const struct scenario *scenario, enum family family, enum node_id node,
			  const struct model_facts *kernel, const char *prefix, FILE *out);
