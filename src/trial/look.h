/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Looking at a node as it is now: its sockets by sock_diag, its program by its counters. */

#include "src/trial/state.h"

/* The endpoint's socket; false when there is none. */
bool look_up(struct trial_node *node, struct sockdiag_socket *ret_socket);
/* Bytes that got through in either direction; brings the endpoint's tcp_info up to date. */
uint64_t look_progress(struct trial_node *node);
/* Whether anything listens on the server: a command does not say so, its kernel does. */
bool look_for_listener(struct trial *trial);
/* Before the node's agent is freed: takes down the bytes that only it can tell. */
void look_at_bytes(struct trial_node *node);
