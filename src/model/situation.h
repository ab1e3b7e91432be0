/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a timeline does to one end, as far as the model knows it. */

#include "src/model/play.h"
#include "src/model/prediction.h"

struct situation {
	nsec_t lost_nsec;    /* from when on nothing gets through; NSEC_NEVER. All times here are
			      * since the first event */
	nsec_t send_nsec;    /* the timeline has this end send, after that; NSEC_NEVER */
	nsec_t connect_nsec; /* it connects then; NSEC_NEVER: it was connected before */
	nsec_t closed_nsec;  /* this end sends more than a peer takes that does not read any more;
			      * NSEC_NEVER */
	nsec_t stalled_nsec; /* from when on the peer's program answers nothing, though its kernel
			      * does; NSEC_NEVER */
	bool paused;	     /* the peer has stopped reading */
	bool refused;	     /* a router answers what cannot be delivered with an ICMP error */
	bool silent_to_peer; /* only the way to the peer is lost: what it sends still arrives */
	enum play_undo undo;
};

/* Returns NULL, or why the model cannot say what becomes of that end. The situation is as far as it
 * is known then. */
const char *situation_read(const struct scenario *scenario, enum family family, enum end_id end,
			   struct situation *ret_situation);

/* How a connection of that scenario stands by the first event, if everything takes no time but
 * path.delay. Returns NULL, or why that cannot be told. */
const char *situation_imagine(const struct scenario *scenario, enum end_id end,
			      const struct situation *situation, struct model_facts *facts,
			      struct model_history *ret_history);
