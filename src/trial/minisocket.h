/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Follows the sockets of a connection that no tracepoint tells of: the request socket before the
 * full one, and what is left of it at the end (TIME_WAIT, an orphan's FIN_WAIT2). sock_diag is
 * asked for them.
 */

#include "src/trial/state.h"

/* Take in an observation of a packet and of a state change. */
void minisocket_packet(struct trial_end *end, const struct observation *observation);
void minisocket_state(struct trial_end *end, const struct observation *observation);
/* Whether a derived observation is wrong: it takes data for the end of a handshake, but the kernel
 * has given up the request, which packets do not show. */
bool minisocket_contradicts(const struct trial_end *end, const struct observation *observation);
/* Whether the full socket is closed and it is not known yet if a minisocket has its place. */
bool minisocket_pending(const struct trial_end *end);
/* Looks at the minisocket if that is due; returns whether it was. */
bool minisocket_look(struct trial_end *end);
/* Looks once more at the end of the trial, since the last packets may have changed the minisocket.
 */
void minisocket_finish(struct trial_end *end);
