/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Predictions in words: which rule of the kernel's source ends a connection, and which function
 * makes each step towards that. */

#include "src/model/play.h"
#include "src/model/prediction.h"

/* What a step is, and who makes it: "retransmission 3", "tcp_retransmit_timer()". rule_step()
 * returns `buffer`; 64 bytes are enough. */
const char *rule_step(const struct play_step *step, char *buffer, size_t size);
const char *rule_step_key(enum play_step_kind kind);
const char *rule_step_function(const struct play_step *step);

/* The rule of a mechanism with the scenario's numbers in it, as a sentence without a full stop, and
 * the function of the kernel that goes by it. Returns `buffer`; 256 bytes are enough. */
const char *rule_of(const struct scenario *scenario, enum node_id node,
		    const struct model_facts *facts, enum mechanism mechanism, char *buffer,
		    size_t size);
const char *rule_function(enum mechanism mechanism);
