/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the kernel's source says must happen: settings and facts go in, and an
 * interval and its mechanism come out. The model asks no clock, file or kernel.
 *
 * Theory of operation. The timeline and the workloads tell which timers of an end may
 * run (situation.h); each is played in the kernel's own arithmetic (play.h), and the one
 * that ends first decides. When they were armed is known from the packets of a trial,
 * or reckoned from the scenario (situation_imagine()). Where the timer wheel stood is
 * known if the phase is pinned. If it is not, each phase is played in turn, and the
 * answer is the interval from the earliest end to the latest.
 */

#include "src/model/play.h"
#include "src/model/prediction.h"

/* What should become of that end: when the peer or the path behind the first hop is lost, and
 * nothing heals it, before or after it connects; and when the peer stops reading. */
struct prediction model_predict(const struct scenario *scenario, enum family family,
				enum end_id end, const struct model_facts *facts);

/* Plays the deciding timer of the same once more, for the facts' phase (0 where they have none),
 * and tells each step. Returns what model_predict() does. */
struct prediction model_derive(const struct scenario *scenario, enum family family, enum end_id end,
			       const struct model_facts *facts, play_step_func *step,
			       void *userdata);

/* When nothing is left of a connection that ended, by what ends it: TIME_WAIT, FIN_WAIT_2, ORPHAN
 * or SYNACK, since `since_nsec`: the latest FIN of the peer, the acknowledgement of the own FIN, or
 * the SYN that came. For other mechanisms nothing is predicted. */
struct prediction model_gone(const struct scenario *scenario, enum family family, enum end_id end,
			     const struct model_facts *facts, enum mechanism mechanism,
			     nsec_t since_nsec);
