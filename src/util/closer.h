/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Closes descriptors in a thread of its own. To close a packet socket takes an RCU grace period
 * (net/packet/af_packet.c: packet_release()), some ticks in which an event loop would stand still.
 */

#include "src/util/cleanup.h"
#include "src/util/error.h"

struct closer;

/* The process must not enter another user namespace while there is a closer: unshare(2) and
 * setns(2) refuse that to a process with threads. */
int closer_new(struct closer **ret_closer, struct error *err);
/* Returns when everything that was handed over is closed. */
struct closer *closer_free(struct closer *closer);
DEFINE_CLEANUP(struct closer *, closer_free)

/* Takes a descriptor over and closes it soon. */
void closer_close(struct closer *closer, int fd);
