/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sockets that no tracepoint tells of: the request socket before the full one, and
 * what is left behind it (TIME_WAIT, an orphan's FIN_WAIT2). They are asked for by
 * sock_diag.
 */

#include "src/trial/state.h"

void minisocket_packet(struct trial_node *node, const struct observation *observation);
void minisocket_state(struct trial_node *node, const struct observation *observation);
/* Whether the derived witness takes data for the end of a handshake although the kernel has given
 * the request up, which packets do not show. */
bool minisocket_contradicts(const struct trial_node *node, const struct observation *observation);
/* The full socket is closed, and whether a minisocket has its place is yet to be seen. */
bool minisocket_pending(const struct trial_node *node);
/* Asks for the minisocket, once that is due; returns whether it did. */
bool minisocket_look(struct trial_node *node);
/* Asks once more at the end of the trial, since the last packets may have changed the minisocket.
 */
void minisocket_finish(struct trial_node *node);
