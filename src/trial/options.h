/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a program of the user's has set on its socket. Neither sock_diag nor /proc tells, so a copy
 * of the program's descriptor is borrowed (pidfd_getfd(2), Linux 5.6), asked by getsockopt(2) and
 * closed, all in one go.
 */

#include "src/model/model.h"
#include "src/trial/state.h"

/* Reads the options of an end's socket, by its inode, and which of the host's programs holds it.
 * Where none holds it, or it may not be borrowed, nothing is known. */
void options_read(struct trial_end *end, uint32_t inode);
/* The options for the record: those that the socket had in the end, where that is known. */
struct socket_options options_recorded(const struct trial_end *end);
/* Whether the options that a socket had before the first event are those it had in the end, and its
 * keepalive timer was due then as they say, so that the prediction may go by them. */
bool options_kept(const struct trial_end *end, const struct model_facts *facts);
