/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files of the model share: the timers of one end, each on time or late. Nobody else
 * includes it.
 */

#include "src/model/model.h"

/* What the timers of one end go by. */
struct timers {
	unsigned int hz;
	unsigned int late; /* each timer is late/2 of its granule late: 0, 1 or 2 */
	nsec_t rto_min, rto_max, user_timeout;
	unsigned int retries2, syn_retries, syn_linear;
	nsec_t idle, interval;
	int64_t count;
	bool keepalive;
};

struct timers model_timers_of(const struct scenario *scenario, enum node_id node,
			      const struct model_facts *facts);
/* A sysctl of the scenario's, or the kernel's default. */
int64_t model_sysctl_or(const struct scenario *scenario, enum node_id node, const char *key,
			int64_t fallback);
/* When a timer of that span goes off. */
nsec_t model_fires(const struct timers *timers, nsec_t span);
/* How long a segment is retransmitted by retries2; `probe`: after a loss probe. */
nsec_t model_retransmission_death(const struct timers *timers, nsec_t rto, bool probe);
