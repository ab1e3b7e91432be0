/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How a connection stood when its peer fell silent, read from the packets of one end. Pure. */

#include "src/model/prediction.h"
#include "src/record/record.h"

/* Makes the smoothed RTT of `sampled_nsec` that of the end: each later answer moves it by an eighth
 * (tcp_rtt_estimator()). */
struct history_rtt {
	nsec_t sampled_nsec, rtt_nsec;
};

/* What a history borrows; NULL on want of memory. */
struct history_lists {
	nsec_t *heard, *acks, *syns;
	struct model_segment *segments;
};
void history_lists_deinit(struct history_lists *lists);

/* `packets`, `established_nsec` and rtt->sampled_nsec are absolute times, what is returned is since
 * `origin_nsec`. The caller frees the lists. */
struct model_history history_read(const struct record_packet *packets, size_t n_packets,
				  nsec_t established_nsec, nsec_t origin_nsec,
				  struct history_rtt *rtt, struct history_lists *ret_lists);
