/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Makes the trace of a record from what was seen at both ends of its connections. The
 * module reads no clock and asks no kernel.
 *
 * Theory of operation. A packet that one end sent and the other end saw with the same
 * content becomes one entry (trace-join.c). Packets are taken in the order of time: the
 * sequence numbers of each connection are counted as tcpdump counts them, and packets
 * that were sent before are recognised. The record's states, calls, samples and events
 * are added (trace-lists.c), and all entries are sorted by time.
 *
 * A trial with a trace keeps every packet that either end saw, and every timer that
 * sock_diag told. Making the trace takes longer than other trials may be kept waiting,
 * so the trial leaves it to the caller that takes the record; a guest makes the traces
 * when its last trial is over. The test `trace` compares each packet with what tcpdump
 * reads in the captures.
 */

#include "src/record/record.h"

/* Makes record->trace from record->sightings and the rest of the record, and frees the sightings.
 * Does nothing if the record has no sightings. No trial should run meanwhile, because the call may
 * take seconds. -ENOMEM is the only failure. */
int trace_build(struct record *record);
