/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A record: what one trial found, as plain data. The trial fills the record, and
 * expectations, tables, stores and reports read it. Times count from the first event of
 * the timeline; NSEC_NONE, which is null in JSON, says that there is no such time. A
 * record owns all that it points to.
 */

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/record/trace.h"
#include "src/scenario/outcome.h"
#include "src/scenario/scenario.h"
#include "src/tcp/facts.h"
#include "src/tcp/state.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/nsec.h"

/* What each changed: 2: `inconclusive` came, which before was told as a failure. */
#define RECORD_SCHEMA 2

/* What a trial says of its scenario. */
enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,	      /* an expectation did not hold */
	VERDICT_INCONCLUSIVE, /* what was to be measured was not, so it counts as neither */
	_VERDICT_MAX,
};
DECLARE_NAMES(verdict, enum verdict) /* "pass", "fail", "inconclusive" */

/* The source of the times of states, retransmissions and resets. */
enum record_clock {
	RECORD_CLOCK_TRACEPOINT, /* tracepoints: every time is the kernel's own at the event */
	RECORD_CLOCK_SOCK_DIAG,	 /* times are derived from packets and destroy notifications */
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
	bool sent; /* by this endpoint; else it received the reset */
};

struct record_packet {
	nsec_t time_nsec;
	bool sent;		    /* by this endpoint; else it received the packet */
	uint8_t flags;		    /* mask of enum packet_flag */
	uint32_t seq, ack, payload; /* payload: bytes */
	uint16_t window;	    /* as in the header, not scaled */
	uint32_t stamp;		    /* as in struct tcp_packet */
};

/* A look at the connection's socket, as `ss -tno` shows it. Until the next sample nothing in it
 * changes, except that the timer runs down. */
struct record_sample {
	nsec_t time_nsec;
	int state; /* enum tcp_state; TCP_STATE_CLOSE: there was no socket */
	uint32_t send_queue, receive_queue; /* bytes */
	enum tcp_timer timer;		    /* the timer that is running */
	nsec_t expires_nsec; /* how long after this look the timer expires; NSEC_NONE: none runs */
	uint32_t retransmits, probes, backoff; /* counts, as in struct tcp_info */
	uint32_t open[_TCP_STATE_MAX]; /* of a client with many connections: the number in each
					* state; else all 0 */
};

/* What became of the connections of a client that has many. */
struct record_population {
	uint32_t connections; /* 0: the client has only one, and this struct is not used */
	uint32_t outcome[_OUTCOME_MAX]; /* the number of connections with each outcome */
	nsec_t first_nsec, last_nsec;	/* when the program saw the first and the last one end */
};

/* The kernel's struct tcp_info of the connection at its end, or else at the end of the trial. */
struct record_tcp_info {
	bool present; /* false: the kernel told nothing, and all fields are 0 */
	int state;    /* enum tcp_state */
	/* Names in _us are microseconds, the others counts, as in <linux/tcp.h>. */
	uint32_t rto_us, rtt_us, rttvar_us, retransmits, probes, backoff, unacked, total_retrans;
	uint64_t bytes_sent, bytes_acked, bytes_received;
};

/* By what a connection worked again. */
enum recovery {
	RECOVERY_NONE,
	RECOVERY_HEAL,
	RECOVERY_CONNECTION, /* a new one in its place */
	_RECOVERY_MAX,
};
DECLARE_NAMES(recovery, enum recovery)

/* What one end of the connection met. */
struct record_endpoint {
	char *name; /* "client", or of one of several connections "front.client" */
	enum outcome outcome;
	/* The connection as this end's kernel has it, "10.0.1.2:40000"; NULL: there was none.
	 * Behind a NAT the other end has it otherwise. */
	char *local, *peer;
	int error; /* errno that the program got, or else the kernel's; positive; 0: none */
	enum mechanism mechanism; /* what ended the connection */
	nsec_t kernel_nsec;	  /* when the kernel ended the connection */
	nsec_t application_nsec;  /* when the program knew that the connection had ended */
	nsec_t wire_nsec;	  /* when a packet showed that the connection had ended */
	nsec_t gone_nsec; /* when the kernel had nothing left of the connection; NSEC_NONE: it still
			   * had something */
	/* How long before gone_nsec the socket was last seen, where a look at it came late: it may
	 * have been gone since. 0: gone_nsec is exact. */
	nsec_t gone_blind_nsec;
	nsec_t gone_earliest_nsec, gone_latest_nsec; /* the prediction for gone_nsec */
	char *gone_unpredicted;			     /* why there is none; NULL: there is one */
	/* When it worked again: the first packet after the last heal was received, or the first
	 * data on a new connection of the same kind. NSEC_NONE: it did not. */
	nsec_t recovered_nsec;
	enum recovery recovered_by;
	nsec_t earliest_nsec, latest_nsec; /* the prediction for record_detection() */
	char *unpredicted;		   /* why there is none; NULL: there is one */
	/* Where there is none since microseconds decide: when it may be at the earliest and at the
	 * latest, for expectations to go by; else NSEC_NONE. */
	nsec_t possible_earliest_nsec, possible_latest_nsec;
	struct record_state *states;
	size_t n_states;
	struct record_retransmission *retransmissions;
	size_t n_retransmissions;
	struct record_reset *resets;
	size_t n_resets;
	struct record_call *calls;
	size_t n_calls;
	struct record_packet *packets; /* of the whole connection; not in JSON */
	size_t n_packets;
	/* What the host's first program read and wrote on its connection; -1: unknown. */
	int64_t bytes_read, bytes_written;
	struct record_sample *samples;
	size_t n_samples;
	struct record_population population;
	struct record_tcp_info tcp_info;
	struct socket_options options; /* when the kernel ended the connection */
	char *command_output; /* what the user's own command printed; NULL: there was no command */
	int command_status;   /* as of waitpid(); -1: no command, or it still ran at the end */
	int command_exit;     /* the same decoded: its exit status, or -1 */
	int command_signal;   /* what killed it, or -1 */
};

/* A setting of the scenario with which the trial ran. */
struct record_setting {
	char *key;	/* "client.user_timeout" */
	char *text;	/* the value as text */
	bool is_number; /* `number` has the value too */
	double number;
};

/* An event of the timeline as it was carried out. */
struct record_fault {
	nsec_t time_nsec;
	nsec_t took_nsec; /* how long the kernel took to carry out the event */
	char *what; /* the event's name: "power-loss server", "heal blackhole", "send client" */
};

/* A line that a program of the user's wrote. */
struct record_output {
	nsec_t time_nsec;
	char *host;
	unsigned int program; /* which of the host's, from 0 */
	char *line;	      /* valid UTF-8, without the newline */
};

/* A time in which a socket was not looked at though looks were due. */
struct record_gap {
	nsec_t from_nsec, to_nsec; /* the first look that was due, and the one that came */
};

#define RECORD_OUTPUT_MAX 2000 /* lines; --logs has the rest */

struct record {
	char *scenario, *id, *variant; /* the scenario's names; id and variant may be NULL */
	char *engine, *kernel;	       /* the engine's name, and the kernel's release */
	char *qemu; /* the version of the QEMU that played the machine; NULL: none did */
	enum family family;
	uint64_t seed;
	int64_t phase; /* where the timer wheel stood at the first event, in ticks; -1: anywhere */
	/* The most by which an event came late. The first event counts only if there is a phase. */
	nsec_t lateness_nsec;
	unsigned int repeat; /* the number of this repeat of the trial, from 0 */
	struct record_setting *settings;
	size_t n_settings;
	struct record_fault *faults; /* the timeline as it was carried out, in its order */
	size_t n_faults;
	struct record_output
		*output; /* of all programs, in the order of time; the first RECORD_OUTPUT_MAX */
	size_t n_output;
	struct record_gap *gaps; /* where the looks of `sample` came late, in the order of time */
	size_t n_gaps;
	uint32_t follow_number;	  /* which of the client's connections was followed, from 1; 0: the
				   * record does not say */
	uint32_t follow_tried;	  /* how many the client had tried by the first event */
	uint32_t follow_left_out; /* how many that were open are not followed for want of room */
	struct record_endpoint *endpoint; /* two of each followed connection; owned */
	size_t n_ends;
	enum record_clock clock;
	uint64_t lost;	  /* how many observations could not be recorded */
	nsec_t span_nsec; /* from the first event to the end of the trial */
	/* How long the trial took in real time; in a guest of several, since the one before it
	 * there was over. It is not in JSON. 0: it is not known. */
	nsec_t took_nsec;
	/* How often the trial was tried until it was conclusive, or nobody wanted to try it once
	 * more (--retries). 0: once. */
	uint32_t tries;
	char **failures; /* a line for each expectation that failed: what was expected and got */
	size_t n_failures;
	char **doubts; /* a line for each reason for which the trial is inconclusive */
	size_t n_doubts;
	struct trace trace;
	/* From these sightings the trace is still to be made; NULL: no trace, or it is made. They
	 * are not in JSON. */
	struct sighting_log *sightings;
};

/* Frees a record, which calloc() has made, and all that it owns. Returns NULL. */
struct record *record_free(struct record *record);
DEFINE_CLEANUP(struct record *, record_free)

/* Frees what an endpoint of a record owns. Idempotent. */
void record_endpoint_deinit(struct record_endpoint *endpoint);

/* How late a look at a socket, which is due every so often, may come. */
static inline nsec_t record_sample_late(nsec_t every_nsec)
{
	return nsec_min(every_nsec / 2, 500 * NSEC_PER_MSEC);
}
/* Returns how many of a client's many connections were open at a sample. */
uint32_t record_sample_open(const struct record_sample *sample);

/* The end of that name; -1: the record has none. */
int record_find_end(const struct record *record, const char *name);
/* Likewise; NULL: the record has none. */
const struct record_endpoint *record_end(const struct record *record, const char *name);
/* Of the repeats of a trial the one with the most ends: where all connections are followed that
 * there are, they may be more in one than in another. `first` is one of the records, some of which
 * may be NULL. */
const struct record *record_widest(struct record *const *records, size_t n,
				   const struct record *first);

/* Adds a line to the failures. -ENOMEM is the only failure of the function. */
__attribute__((format(printf, 2, 3))) int record_fail(struct record *record, const char *format,
						      ...);
/* Returns when an end detected that the connection had ended: when its kernel did, or else its
 * program; NSEC_NONE if neither did. */
static inline nsec_t record_detection(const struct record_endpoint *end)
{
	return end->kernel_nsec != NSEC_NONE ? end->kernel_nsec : end->application_nsec;
}
/* By how much an end may have detected earlier than record_detection(): 0, or gone_blind_nsec. */
static inline nsec_t record_detection_blind(const struct record_endpoint *end)
{
	return end->kernel_nsec != NSEC_NONE && end->kernel_nsec == end->gone_nsec
		       ? end->gone_blind_nsec
		       : 0;
}
/* Tells whether a time that was measured, and that may have been earlier by `blind_nsec`, lies
 * outside of the interval that was predicted for it. NSEC_NONE: not measured, or not predicted. */
static inline bool record_is_outside(nsec_t time_nsec, nsec_t blind_nsec, nsec_t earliest_nsec,
				     nsec_t latest_nsec)
{
	return time_nsec != NSEC_NONE && earliest_nsec != NSEC_NONE &&
	       (time_nsec < earliest_nsec || time_nsec - blind_nsec > latest_nsec);
}
/* Likewise adds a reason for which the trial is inconclusive, unless the record has it already. */
__attribute__((format(printf, 2, 3))) int record_doubt(struct record *record, const char *format,
						       ...);
/* The verdict of a finished record. Failures of a trial that has not measured what it was to
 * measure mean nothing. */
enum verdict record_verdict(const struct record *record);
/* The exit status that tells the verdicts of many trials. */
static inline int verdict_exit_status(bool any_failed, bool any_inconclusive)
{
	return any_failed ? 1 : any_inconclusive ? 4 : 0;
}

/* Writes "power-loss-busy", or with a variant "path-loss/unreachable". Returns `buffer`. */
char *record_title(const struct record *record, char *buffer, size_t size);

/* Whether both records are of the same trial, whichever repeats of it they are. */
bool record_same_trial(const struct record *a, const struct record *b);

/* Returns one line of JSON without a newline, which the caller frees; NULL when out of memory. */
char *record_to_json(const struct record *record);
/* Reads what record_to_json() wrote. If a key is missing, the error names it. */
int record_from_json(const char *json, struct record **ret_record, struct error *err);
