/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What one trial found, as plain data. The trial fills a record; expectations,
 * tables, stores and reports read it, and it goes to JSON and back (json-record.c).
 * Times are in nanoseconds since the first event of the timeline; NSEC_NONE, which is
 * null in JSON, where there is no such time. A record owns all that it points to.
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

struct record_retransmission {
	nsec_t time_nsec;
	nsec_t rto_nsec; /* the timeout that expired; NSEC_NONE: unknown, or no timeout */
	enum retransmit_reason reason;
};

struct record_reset {
	nsec_t time_nsec;
	bool sent; /* else received */
};

struct record_packet {
	nsec_t time_nsec;
	bool sent;		    /* else received */
	uint8_t flags;		    /* enum packet_flag */
	uint32_t seq, ack, payload; /* payload: bytes */
	uint16_t window;	    /* as in the header, not scaled */
};

/* A look at the connection's socket, as `ss -tno` shows it. It holds until the next sample, while
 * its timer runs down. */
struct record_sample {
	nsec_t time_nsec;
	int state; /* enum tcp_state; TCP_STATE_CLOSE: there was no socket */
	uint32_t send_queue, receive_queue; /* bytes */
	enum tcp_timer timer;		    /* that is running */
	nsec_t expires_nsec; /* how long after this look the timer expires; NSEC_NONE: none runs */
	uint32_t retransmits, probes, backoff;
	uint32_t open[_TCP_STATE_MAX]; /* of a client with many connections: how many are in each
					* state; else all 0 */
};

/* What became of the connections of a client that has many. */
struct record_population {
	uint32_t connections; /* their number; 0: the client has one, and this is not used */
	uint32_t outcome[_OUTCOME_MAX];
	nsec_t first_nsec, last_nsec; /* when the program saw the first and the last of them end */
};

/* What was known of the connection at its end, or at the end of the trial. */
struct record_tcp_info {
	bool present; /* else nothing is known, and all of it is 0 */
	int state;    /* enum tcp_state */
	/* Microseconds, and counts, as in struct tcp_info of <linux/tcp.h>. */
	uint32_t rto_us, rtt_us, rttvar_us, retransmits, probes, backoff, unacked, total_retrans;
	uint64_t bytes_sent, bytes_acked, bytes_received;
};

struct record_endpoint {
	enum outcome outcome;
	int error; /* errno, positive; 0: there was none */
	enum mechanism mechanism;
	nsec_t kernel_nsec;	 /* when the kernel ended the connection */
	nsec_t application_nsec; /* when the program knew that it had ended */
	nsec_t wire_nsec;	 /* when a packet showed it */
	nsec_t gone_nsec;	 /* when nothing of it was left; NSEC_NONE: something still was */
	nsec_t gone_earliest_nsec, gone_latest_nsec; /* the prediction for gone_nsec */
	nsec_t recovered_nsec;		   /* of the first packet received after the last heal */
	nsec_t earliest_nsec, latest_nsec; /* the prediction for the detection */
	struct record_state *states;
	size_t n_states;
	struct record_retransmission *retransmissions;
	size_t n_retransmissions;
	struct record_reset *resets;
	size_t n_resets;
	struct record_call *calls;
	size_t n_calls;
	struct record_packet *packets; /* all of the connection; they are not in JSON */
	size_t n_packets;
	int64_t bytes_read, bytes_written; /* by the first program on its connection; -1: unknown */
	struct record_sample *samples;
	size_t n_samples;
	struct record_population population;
	struct record_tcp_info tcp_info;
	char *command_output; /* what the user's own command printed; NULL: there was none */
	int command_status;   /* as of waitpid(); -1: there was none, or it still ran at the end */
};

struct record_setting {
	char *key;
	char *text;
	bool is_number;
	double number;
};

struct record_fault {
	nsec_t time_nsec;
	nsec_t took_nsec; /* how long it took until the kernel had done it */
	char *what;	  /* "power-loss server", "heal blackhole", "send client" */
};

struct record {
	char *scenario, *id, *variant; /* the scenario's names; id and variant may be NULL */
	char *engine, *kernel;
	enum family family;
	uint64_t seed;
	int64_t phase; /* where the timer wheel stood at the first event, in ticks; -1: anywhere */
	/* The most by which an event came late; that of the first counts only with a phase. */
	nsec_t lateness_nsec;
	unsigned int repeat; /* which of the trial's repeats, counted from 0 */
	struct record_setting *settings;
	size_t n_settings;
	struct record_fault *faults; /* the timeline as it was carried out, in its order */
	size_t n_faults;
	struct record_endpoint endpoint[_ENDPOINT_MAX];
	enum record_clock clock;
	uint64_t lost;	  /* how many observations could not be recorded; any is a failure */
	nsec_t span_nsec; /* from the first event to the end of the trial */
	char **failures;  /* of expectations: what was expected and got, one line each */
	size_t n_failures;
	struct trace trace;
	struct sighting_log
		*sightings; /* what the trace is yet to be made of, or NULL; not in JSON */
};

struct record *record_free(struct record *record);
DEFINE_CLEANUP(struct record *, record_free)

/* Frees what an endpoint of a record owns. Idempotent. */
void record_endpoint_deinit(struct record_endpoint *endpoint);

/* How many connections there still were, of many. */
uint32_t record_sample_open(const struct record_sample *sample);

__attribute__((format(printf, 2, 3))) int record_fail(struct record *record, const char *format,
						      ...);
/* When an end knew: its kernel, or else its program; NSEC_NONE: it did not. */
static inline nsec_t record_detection(const struct record_endpoint *end)
{
	return end->kernel_nsec != NSEC_NONE ? end->kernel_nsec : end->application_nsec;
}
static inline bool record_passed(const struct record *record)
{
	return !record->n_failures;
}

/* Writes "power-loss-busy", or with a variant "path-loss/unreachable". Returns `buffer`. */
char *record_title(const struct record *record, char *buffer, size_t size);

/* Whether both are of the same trial, however often repeated. */
bool record_same_trial(const struct record *a, const struct record *b);

/* One line of JSON without a newline, which the caller frees. NULL when out of memory. */
char *record_to_json(const struct record *record);
/* Reads what record_to_json() wrote. ERROR_FAILED names the key that is missing. */
int record_from_json(const char *json, struct record **ret_record, struct error *err);
