/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What became of an endpoint and why, told from the state it left, from resets and
 * from its socket's own counters at that moment. The rules are those of
 * net/ipv4/tcp_timer.c and stand at timer_mechanism(). Pure.
 */

#include "src/trial/endpoint.h"

struct cause cause_of(const struct endpoint *endpoint, const struct endpoint_context *context);
/* What ends, or has ended, that which is left of the connection; NONE where nothing is known of it.
 * It differs from `cause` where the program gave the connection up. */
enum mechanism cause_of_rest(const struct endpoint *endpoint, const struct cause *cause);
