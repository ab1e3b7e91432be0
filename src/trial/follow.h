/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which connection a trial follows, and how each end knows it. Theory of operation: the
 * connections of a trial are those whose SYN leaves the client by its interface for the
 * server's address and port, numbered from 1 in the order of their first SYNs. What goes
 * over a loopback, even to the host's own address, never gets to that interface, and is
 * none of them. The scenario says which number is followed (`follow`), that it is the one
 * that was established last before the first event, or all that are open then. Each of those gets
 * two ends of its own at that event, with what was told until then.
 *
 * The server knows it again by the sequence number of that SYN, which neither a NAT nor
 * anything else on the path changes, though addresses and ports may be others there. So
 * each end has the four-tuple as its own kernel has it. What an end tells before it is
 * known which connection is meant is kept, and taken in afterwards.
 */

#include "src/trial/state.h"

void follow_init(struct trial *trial);
void follow_deinit(struct trial_end *end);

/* Takes a look at each observation of an end, before the end takes it in. */
void follow_observe(struct trial_end *end, const struct observation *observation);
/* Whether it is not known yet which connection this end is to follow, so that all it tells has to
 * be kept. */
bool follow_waits(const struct trial_end *end);
/* Whether a packet is of the followed connection. */
bool follow_fits_packet(const struct trial_end *end, const struct observation *packet);

/* What was told by an end that waits. -ENOMEM is the only failure of these. */
struct follow_kept {
	bool is_report;
	union {
		struct observation observation;
		struct {
			struct agent_report report;
			bool original; /* as of events.c: note_report() */
			unsigned int process;
		};
	};
};
int follow_keep(struct trial_end *end, const struct follow_kept *kept);
/* Hands out what was kept, in its order, and then NULL; what it points to is valid until the next
 * call. */
const struct follow_kept *follow_next_kept(struct trial_end *end);

/* Whether a connection is established that this end, which connects, may follow. */
bool follow_established(const struct trial_end *client);
/* Decides at the first event which connection is followed, or which ones, where that was left open
 * until then. Returns whether it has just been decided. */
bool follow_decide(struct trial *trial);
/* Looks for the next connection of this end, which connects, in place of the followed one, which
 * failed before the timeline began. */
void follow_next(struct trial_end *client);
