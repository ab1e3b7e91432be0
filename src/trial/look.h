/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Looks at a node as it is now: at its sockets by sock_diag, at its program by its counters. A
 * query that fails says nothing about the sockets. It is made again, LOOK_TRIES times in all; if
 * all fail, the trial is inconclusive, and the caller gets the negative errno.
 */

#include "src/trial/state.h"

#define LOOK_TRIES 3

/* Finds the socket of the followed connection. Returns 1 and fills *ret_socket; 0 when the kernel
 * says that there is none, or it is not known which one it is; a negative errno when the kernel
 * could not be asked. */
int look_up(struct trial_end *end, struct sockdiag_socket *ret_socket);
/* Finds the socket with the addresses and ports of `like`, small ones too. Returns as look_up(). */
int look_up_like(struct trial_end *end, const struct sockdiag_socket *like,
		 struct sockdiag_socket *ret_socket);
/* Calls `func` for each socket of the host. If a query fails midway, `func` gets its sockets once
 * more, so before each attempt the `size` bytes at `result`, which is the function's userdata, are
 * made again what they were. */
int look_through(struct trial_end *end, sockdiag_func func, void *result, size_t size);
/* Finds how many bytes have got through in both directions, 0 where there is no socket, and brings
 * the endpoint's tcp_info up to date. */
int look_progress(struct trial_end *end, uint64_t *ret_bytes);
/* Whether the sockets are the two ends of one connection, established, with nothing to send: each
 * has received what the other has had acknowledged. */
bool look_fits(const struct sockdiag_socket *a, const struct sockdiag_socket *b);
/* Whether something listens at the host's address and that port. A command does not tell, so its
 * kernel is asked. It is asked again until there is a listener. Whether the last query failed is in
 * the trial's listener_error. */
bool look_for_listener(struct trial *trial, enum node_id host, uint16_t port);
/* Notes how many bytes the program's first agent has moved. This is called before that agent is
 * freed, which alone knows. */
void look_at_bytes(struct trial_program *program);
