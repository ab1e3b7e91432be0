/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the kernel's source says must happen: settings and facts go in, and an
 * interval and its mechanism come out. The model asks no clock, file or kernel.
 *
 * Theory of operation. The kernel's timers are played through (net/ipv4/tcp_timer.c),
 * with all timers on time and with all of them as late as the timer wheel allows
 * (kernel/time/timer.c). How late they are depends on where the wheel stands when the
 * fault strikes; that is not known, so the answer is an interval over all cases.
 */

#include "src/model/prediction.h"

/* What should become of that end: when the peer or the path behind the first hop is lost, and
 * nothing heals it, before or after it connects; and when the peer stops reading. */
struct prediction model_predict(const struct scenario *scenario, enum family family,
				enum node_id node, const struct model_facts *facts);

/* How long what is left of a connection stays, by what ends it: TIME_WAIT, FIN_WAIT_2, ORPHAN (from
 * its FIN on) or SYNACK (from the SYN on); for other mechanisms nothing is predicted. Holds if
 * nothing comes from the peer any more. */
struct prediction model_gone(const struct scenario *scenario, enum node_id node,
			     const struct model_facts *facts, enum mechanism mechanism);
