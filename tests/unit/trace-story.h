/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Unit tests make a trace of invented packets. story[] is a connection of a dozen packets. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/record/sighting.h"
#include "src/record/trace-build.h"
#include "src/scenario/call.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "tests/unit/two-ends.h"

#define MS	   NSEC_PER_MSEC
#define SEC	   NSEC_PER_SEC
#define ORIGIN	   (100 * SEC)
#define CLIENT_ISN 4294967000u /* It wraps after 296 bytes. */
#define SERVER_ISN 5000u

/* A step is one packet and its fate. Sequence numbers are relative, and the TCP timestamp is the
 * time of sending. */
struct step {
	nsec_t sent_nsec, arrived_nsec; /* NSEC_NONE if no end saw the packet then */
	enum end_id from;
	uint8_t flags;
	uint32_t seq, ack, length;
	uint16_t window;
};

static inline void see(struct sighting_log *t, enum end_id end, nsec_t at_nsec,
		       const struct step *s, bool sent)
{
	bool client = s->from == END_CLIENT;
	struct tcp_packet p = {
		.outgoing = sent,
		.source_port = client ? 40000 : 5000,
		.destination_port = client ? 5000 : 40000,
		.seq = s->seq + (client ? CLIENT_ISN : SERVER_ISN),
		.ack = s->ack + (client ? SERVER_ISN : CLIENT_ISN),
		.flags = s->flags,
		.window = s->window,
		.payload = s->length,
		.stamp = (uint32_t)(s->sent_nsec / MS),
	};

	if (at_nsec != NSEC_NONE)
		ck_assert_int_eq(sighting_add_packet(t, end, ORIGIN + at_nsec, &p), 0);
}

static inline int compare_times(const void *a, const void *b)
{
	const struct sighting_packet *x = a, *y = b;

	return (x->time_nsec > y->time_nsec) - (x->time_nsec < y->time_nsec);
}

static inline struct record *new_record(void)
{
	struct record *r = record_of_two_ends();

	r->scenario = strdup("t");
	r->id = strdup("E99");
	r->engine = strdup("host");
	r->kernel = strdup("6.1");
	r->span_nsec = 20 * SEC;
	for (enum end_id n = 0; n < r->n_ends; n++) {
		struct record_endpoint *e = &r->endpoint[n];

		e->kernel_nsec = e->application_nsec = e->wire_nsec = NSEC_NONE;
		e->recovered_nsec = e->earliest_nsec = e->latest_nsec = NSEC_NONE;
		e->gone_nsec = NSEC_NONE;
		e->command_status = -1;
		e->bytes_read = e->bytes_written = -1;
	}
	r->sightings = calloc(1, sizeof(*r->sightings));
	r->sightings->origin_nsec = ORIGIN;
	return r;
}

static inline struct record *trace_of(const struct step *steps, size_t n)
{
	struct record *r = new_record();

	for (size_t i = 0; i < n; i++) {
		see(r->sightings, steps[i].from, steps[i].sent_nsec, &steps[i], true);
		see(r->sightings, end_peer(steps[i].from), steps[i].arrived_nsec, &steps[i], false);
	}
	for (enum end_id i = 0; i < _END_MAX; i++)
		if (r->sightings->n_packets[i])
			qsort(r->sightings->packets[i], r->sightings->n_packets[i],
			      sizeof(struct sighting_packet), compare_times);
	return r;
}

#define S PACKET_SYN
#define A PACKET_ACK
#define P (PACKET_PSH | PACKET_ACK)
#define C END_CLIENT
#define V END_SERVER

/* The story is a handshake, a request that gets through, a request that is lost and sent again, two
 * probes, and a reset. */
static const struct step story[] = {
	{ -1000 * MS, -999 * MS, C, S, 0, 0, 0, 64240 },
	{ -998 * MS, -997 * MS, V, S | A, 0, 1, 0, 65160 },
	{ -996 * MS, -995 * MS, C, A, 1, 1, 0, 502 },
	{ -990 * MS, -989 * MS, C, P, 1, 1, 400, 502 },
	{ -989 * MS, -988 * MS, V, A, 1, 401, 0, 509 },
	{ 10 * MS, NSEC_NONE, C, P, 401, 1, 64, 502 },
	{ 220 * MS, NSEC_NONE, C, P, 401, 1, 64, 502 },
	{ 640 * MS, 641 * MS, C, P, 401, 1, 64, 502 },
	{ 641 * MS, 642 * MS, V, A, 1, 465, 0, 509 },
	{ 8000 * MS, 8001 * MS, C, A, 464, 1, 0, 502 },
	{ 9000 * MS, NSEC_NONE, C, A, 464, 1, 0, 502 },
	{ NSEC_NONE, 9500 * MS, V, PACKET_RST, 1, 0, 0, 0 },
};

static inline const struct trace_entry *packet(const struct record *r, size_t n)
{
	for (size_t i = 0; i < r->trace.count; i++)
		if (r->trace.entries[i].kind == TRACE_PACKET && n-- == 0)
			return &r->trace.entries[i];
	ck_abort_msg("there is no such packet");
	return NULL;
}

static inline struct record *tell_story(void)
{
	struct record *r = trace_of(story, ARRAY_SIZE(story));
	struct record_endpoint *client = &r->endpoint[END_CLIENT];
	struct record_retransmission *again;
	struct record_state *state;
	struct record_call *call;
	struct record_fault *fault;
	struct record_sample *sample;
	struct trace_timer timer = { TCP_TIMER_ON, 204 * MS, 1 };

	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 220 * MS, 204 * MS, RETRANSMIT_RTO };
	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 641 * MS, 408 * MS, RETRANSMIT_RTO };
	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 700 * MS, 816 * MS, RETRANSMIT_RTO };
	state = array_append(&client->states, &client->n_states, sizeof(*state));
	*state = (struct record_state){ 9501 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE };
	call = array_append(&client->calls, &client->n_calls, sizeof(*call));
	*call = (struct record_call){ .time_nsec = 9502 * MS,
				      .start_nsec = -500 * MS,
				      .call = AGENT_CALL_READ,
				      .error = ECONNRESET };
	fault = array_append(&r->faults, &r->n_faults, sizeof(*fault));
	*fault = (struct record_fault){ 0, MS, strdup("blackhole both") };
	for (int i = 0; i < 3; i++) { /* The second sample is like the first. */
		sample = array_append(&client->samples, &client->n_samples, sizeof(*sample));
		*sample = (struct record_sample){ .time_nsec = (2000 + 1000 * i) * MS,
						  .state = TCP_STATE_ESTABLISHED,
						  .send_queue = i < 2 ? 64 : 0,
						  .expires_nsec = NSEC_NONE };
	}
	sighting_add_timer(r->sightings, END_CLIENT, ORIGIN + 221 * MS, &timer);
	timer.expires_nsec = 203 * MS; /* A millisecond later it expires at the same time. */
	sighting_add_timer(r->sightings, END_CLIENT, ORIGIN + 222 * MS, &timer);
	timer.kind = TCP_TIMER_OFF;
	sighting_add_timer(r->sightings, END_SERVER, ORIGIN + 222 * MS, &timer);
	ck_assert_int_eq(trace_build(r), 0);
	return r;
}
