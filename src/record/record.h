/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What one trial found, as plain data: the program's second hinge. The trial
 * fills it; tables, stores and reports read it, and it goes to JSON and back
 * without loss (json-record.c). Times are relative to the first event of the
 * timeline, in nanoseconds; NSEC_NONE where there is nothing to say, which is null
 * in JSON. Everything in it is owned by it.
 */

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/record/trace.h"
#include "src/scenario/outcome.h"
#include "src/scenario/scenario.h"
#include "src/tcp/state.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

#define RECORD_SCHEMA 1

/* What gave the times of states, retransmissions and resets. */
enum record_clock {
	RECORD_CLOCK_TRACEPOINT, /* every time is the kernel's own at the event */
	RECORD_CLOCK_SOCK_DIAG,	 /* they are derived from packets and destroy notifications */
	_RECORD_CLOCK_MAX,
};
DECLARE_NAMES(record_clock, enum record_clock) /* "tracepoint", "sock_diag" */

struct record_state {
	nsec_t time_nsec;
	int from, to; /* TCP_* of linux/tcp_states.h */
};

struct record_retransmission {
	nsec_t time_nsec;
	nsec_t rto_nsec; /* the timeout that expired; NSEC_NONE: unknown, or no timeout */
	enum retransmit_reason reason;
};

struct record_reset {
	nsec_t time_nsec;
	bool sent; /* else received */
};

struct record_call {
	nsec_t time_nsec;  /* when it returned */
	nsec_t start_nsec; /* when it was entered */
	enum agent_call call;
	int64_t result;
	int error;		 /* errno, positive; 0: it succeeded */
	unsigned int connection; /* of its process, counted from 0 */
	unsigned int process;	 /* the node's agents, counted from 0: one started again is 1 */
};

struct record_packet {
	nsec_t time_nsec;
	bool sent;
	uint8_t flags; /* as in struct tcp_packet */
	uint32_t seq, ack, payload;
	uint16_t window;
};

/* A look at the connection's socket, as `ss -tno` shows it; it holds until the next entry, its
 * timer running down. State CLOSE: there was none. */
struct record_sample {
	nsec_t time_nsec;
	int state;
	uint32_t send_queue, receive_queue;
	enum tcp_timer timer;
	nsec_t expires_nsec; /* of the timer, from then; NSEC_NONE: none runs */
	uint32_t retransmits, probes, backoff;
	uint32_t open[_TCP_STATE_MAX]; /* how many of many connections are in each state */
};

/* What became of many connections. */
struct record_population {
	uint32_t connections; /* 0: there was one, and this is not used */
	uint32_t outcome[_OUTCOME_MAX];
	nsec_t first_nsec, last_nsec; /* when programs saw the first and the last end */
};

/* What was known of the connection at its end, or at the end of the trial. */
struct record_tcp_info {
	bool present;
	int state; /* TCP_* */
	uint32_t rto_us, rtt_us, rttvar_us, retransmits, probes, backoff, unacked, total_retrans;
	uint64_t bytes_sent, bytes_acked, bytes_received;
};

struct record_endpoint {
	enum outcome outcome;
	int error; /* errno, positive; 0: there was none */
	enum mechanism mechanism;
	nsec_t kernel_nsec, application_nsec, wire_nsec; /* detection time on three clocks */
	nsec_t gone_nsec; /* nothing of it was left; NSEC_NONE: something is */
	nsec_t gone_earliest_nsec, gone_latest_nsec; /* predicted */
	nsec_t recovered_nsec;			     /* first packet received after the last heal */
	nsec_t earliest_nsec, latest_nsec;	     /* predicted */
	struct record_state *states;
	size_t n_states;
	struct record_retransmission *retransmissions;
	size_t n_retransmissions;
	struct record_reset *resets;
	size_t n_resets;
	struct record_call *calls;
	size_t n_calls;
	struct record_packet *packets; /* of the connection, from its first; not in JSON */
	size_t n_packets;
	int64_t bytes_read, bytes_written; /* by the first process on the connection; -1: unknown */
	struct record_sample *samples;
	size_t n_samples;
	struct record_population population;
	struct record_tcp_info tcp_info;
	char *command_output; /* of the user's own command, or NULL */
	int command_status;   /* wait status, -1: none, or still running at the end */
};

struct record_setting {
	char *key;
	char *text;
	bool is_number;
	double number;
};

struct record_fault {
	nsec_t time_nsec;
	nsec_t took_nsec; /* until the kernel had done it */
	char *what;	  /* "power-loss server", "heal blackhole", "send client" */
};

struct record {
	char *scenario, *id, *variant; /* id and variant may be NULL */
	char *engine, *kernel;
	enum family family;
	uint64_t seed;
	int64_t phase;	      /* of the timer wheel at the first event, in ticks; -1: not pinned */
	nsec_t lateness_nsec; /* the most by which an event came late; the first only if pinned */
	unsigned int repeat;  /* 0, 1, ... of --repeat */
	struct record_setting *settings;
	size_t n_settings;
	struct record_fault *faults; /* what was done, when */
	size_t n_faults;
	struct record_endpoint endpoint[_ENDPOINT_MAX];
	enum record_clock clock;
	uint64_t lost;	  /* observations that could not be recorded: not zero is a failure */
	nsec_t span_nsec; /* from the first event to the end of the trial */
	char **failures;  /* one line each: expected and got */
	size_t n_failures;
	struct trace trace;
	struct sighting_log
		*sightings; /* what the trace is yet to be made of, or NULL; not in JSON */
};

struct record *record_free(struct record *record);
DEFINE_CLEANUP(struct record *, record_free)

/* How many connections there still were. */
uint32_t record_sample_open(const struct record_sample *sample);

__attribute__((format(printf, 2, 3))) int record_fail(struct record *record, const char *format,
						      ...);
static inline bool record_passed(const struct record *record)
{
	return !record->n_failures;
}

/* "power-loss-busy", or "path-loss/unreachable". Returns `buffer`. */
char *record_title(const struct record *record, char *buffer, size_t size);

/* Whether both are of the same trial, however often repeated. */
bool record_same_trial(const struct record *a, const struct record *b);

/* One line of JSON without a newline; caller frees. NULL when out of memory. */
char *record_to_json(const struct record *record);
/* Reads what record_to_json() wrote (the endpoints' packets are not in it). ERROR_FAILED names what
 * is wrong. */
int record_from_json(const char *json, struct record **ret_record, struct error *err);
