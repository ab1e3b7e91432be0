/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Plays an end's timers for all that is not known exactly, and takes the hull of what comes out. */

#include "src/model/play.h"
#include "src/model/prediction.h"
#include "src/model/situation.h"

/* One end, and all that its timers go by. */
struct player {
	const struct scenario *scenario;
	enum end_id end;
	enum node_id node, peer; /* its host, and that of the other end */
	const struct model_facts *facts;
	struct model_history history;
	struct situation situation;
	struct timers timers;
	enum mechanism mechanism; /* which timer is to be played, for model_gone() */
	nsec_t since_nsec;	  /* likewise: from when on */
	nsec_t shift_nsec;	  /* by so much the program is later than it is reckoned to be */
};

typedef struct play_end play_func(const struct player *player, struct play *play);

/* The interval from the earliest end to the latest one that `func` plays: for each phase of the
 * timer wheel where it is not pinned, and for what measured times may be off where it is. A reason
 * in place of it where too little decides. */
struct prediction hull_play(const struct player *player, play_func *func);
