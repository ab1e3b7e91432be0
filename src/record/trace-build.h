/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Makes a trace of what was seen at both ends. Pure: no clock, no kernel. Theory
 * of operation: a packet sent by one end and seen by the other with the same content
 * becomes one entry (trace-join). Packets are taken in the order of time, each flow
 * counting its numbers as tcpdump does, and what is sent again is recognised. What
 * else the record says is added (trace-lists), and all of it sorted.
 *
 * A trial with a trace keeps every packet that either end saw, and what looks at
 * timers by sock_diag found. Making a trace of that takes longer than a trial may be
 * kept waiting, so whoever takes the record calls trace_build(); a guest does so when
 * its last trial is over, and hands out captures then. The test `trace` holds each
 * packet against what tcpdump reads in the captures.
 */

#include "src/record/record.h"

/* Makes record->trace of record->sightings, which are freed, and of what else the record says; does
 * nothing where there are none. It may take a while: no trial should be running meanwhile. -ENOMEM
 * is the only failure. */
int trace_build(struct record *record);
