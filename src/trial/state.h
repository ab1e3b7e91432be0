/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the parts of a trial share: trial.c (its life and its end), node.c
 * (agents, watches and what they tell), phase.c (when it begins), minisocket.c (small
 * sockets), step.c (the timeline's events) and record.c (the result). Nobody else
 * includes it.
 */

#include "netns/sockdiag.h"
#include "src/scenario/timeline.h"
#include "src/trial/endpoint.h"
#include "src/trial/fault.h"
#include "src/trial/trial.h"

#define TRIAL_DEFAULT_PORT 5000

enum trial_phase {
	PHASE_SERVER,  /* waiting for the server to listen */
	PHASE_READY,   /* waiting for trial_go(), then for the tick that has the phase */
	PHASE_CLIENT,  /* waiting for the connection */
	PHASE_HELD,    /* established; trial_begin() has not been called */
	PHASE_RUNNING, /* the timeline runs */
	PHASE_GRACE,   /* every watched endpoint is concluded */
	PHASE_OVER,
};

/*
 * Two witnesses follow each endpoint, each by itself: the tracepoints, and what packets and
 * sock_diag tell. The first is the more exact and is believed, unless it is known to have missed
 * something: a kernel may skip BPF programs without counting it (6.18 was seen to do so in every
 * softirq that interrupted a task busy with bpf(2)).
 */
enum trial_witness {
	WITNESS_TRACEPOINT,
	WITNESS_DERIVED,
	_WITNESS_MAX,
};

/* How much later than it ends a small socket may be seen to have ended. */
#define TRIAL_SMALL_RESOLUTION (20 * NSEC_PER_MSEC)

/* Why a small socket is looked at before its timer says so. */
enum small_cause {
	SMALL_CAUSE_NONE,
	SMALL_CAUSE_PACKET,
	SMALL_CAUSE_RESET,
};

/* The request socket before the full one, or what is left behind it. */
struct trial_small {
	int state;		       /* TCP_STATE_NONE before, and while there is a full one */
	struct sockdiag_socket socket; /* its addresses and ports, and what was seen last */
	nsec_t look_nsec;	       /* when to ask for it; NSEC_NEVER */
	nsec_t closed_nsec;	       /* when the full socket's CLOSE was heard of */
	enum small_cause cause;
	bool cause_sent; /* the packet went out */
	nsec_t cause_nsec;
	nsec_t fin_nsec;	  /* the latest FIN received; NSEC_NONE */
	nsec_t reset_nsec;	  /* the latest RST received; NSEC_NONE */
	struct small_step *steps; /* owned */
	size_t n_steps;
};

/* One of many connections, as one of its ends sees it. */
struct trial_member {
	bool open;   /* connected or accepted, and its program has not met the end */
	bool usable; /* data got through after the last heal */
	enum outcome outcome;
	uint16_t local_port, peer_port;
	nsec_t end_nsec;
	uint64_t progress; /* bytes acknowledged and received at the last heal */
};

struct trial_node {
	struct trial *trial;
	enum node_id id;
	struct observer_watch *watch;
	struct endpoint view[_WITNESS_MAX];
	enum trial_witness believed;
	nsec_t doubt_nsec; /* when to ask the kernel who is right; NSEC_NEVER: they agree */
	bool watched;	   /* the trial waits for this endpoint's end */
	bool follows;	   /* the watch is of the endpoint's host, not of one booted later */
	bool awaits_gone;  /* and then for nothing to be left of it */
	struct trial_small small;
	struct trial_member *members; /* trial->connections of them, or NULL: there is one; owned */
	uint32_t n_members;	      /* that were connected, accepted or refused */
	struct record_sample *samples; /* owned */
	size_t n_samples;
	struct agent *original; /* whose reports are the endpoint's; NULL once it is freed */
	unsigned int processes; /* agents that were started here */
	int64_t bytes_read, bytes_written; /* of the original that is freed; -1: see it itself */
	nsec_t rto_nsec;		   /* just before the first event */
	nsec_t rtt_nsec;		   /* likewise */
	uint64_t window;		   /* likewise: bytes that may be in flight */
	uint64_t progress;		   /* bytes acknowledged and received at the last heal or
					    * flush of flows */
	bool usable;			   /* more have been since */
};

struct trial {
	struct trial_spec spec;
	struct loop *loop;
	struct observer *observer;
	trial_func func;
	void *userdata;
	struct fault_stage stage; /* owns testbed and agents */
	struct timeline timeline;
	struct fault_handle *handles; /* one an event; owned */
	struct trial_node node[_NODE_MAX];
	struct loop_timer
		*timer; /* the phase's: start limit, next step, horizon, survival, grace */
	enum trial_phase phase;
	nsec_t start_nsec, zero_nsec; /* agents started; timeline's zero */
	nsec_t origin_nsec;	      /* the first event, NSEC_NONE before */
	nsec_t last_heal_nsec;
	nsec_t grace_nsec;
	nsec_t client_nsec;   /* PHASE_READY: when to start the client, NSEC_NEVER before trial_go()
			       */
	nsec_t lateness_nsec; /* the most by which an event of the timeline came late */
	size_t active;	      /* faults that last and have not been healed */
	bool sampled;	      /* rto_nsec, rtt_nsec and window are known */
	bool probed;
	bool full_term;
	bool forgotten; /* the router forgot its flows, which nothing heals and nothing need to */
	uint32_t connections; /* of the client */
	uint64_t n_looks;     /* multiples of the sampling's span that are past */
	uint64_t lost;
	struct trial_trace *trace; /* or NULL */
	struct record *record;
	struct error failure; /* what ended it without a record */
};

/* trial.c */
void trial_over(struct trial *trial);
void trial_fail(struct trial *trial, const struct error *err);
void trial_check_end(struct trial *trial);
/* What happens after the horizon is not the trial's, however late the loop comes to it: true, and
 * the trial is over. */
bool trial_past_horizon(struct trial *trial, nsec_t at_nsec);
void trial_connected(struct trial *trial);
/* Sets the trial's timer anew: something has become due earlier. */
void trial_schedule(struct trial *trial);
void trial_listening(struct trial *trial);

/* phase.c: when to start the client of a trial with a pinned phase. */
nsec_t trial_phase_next(const struct trial *trial);

/* node.c */
void trial_node_init(struct trial *trial);
int trial_node_watch(struct trial *trial, enum node_id id, struct error *err);
int trial_node_unwatch(struct trial *trial, enum node_id id, struct error *err);
/* `standby` is taken over; NULL: there is none. */
int trial_node_start_agent(struct trial *trial, enum node_id id, struct agent *standby,
			   struct error *err);
/* The node's agent is about to be freed: what only it can tell is taken down. */
void trial_node_part(struct trial_node *node);
/* Starts an agent in the place of one that has ended. */
int trial_node_restart_agent(struct trial *trial, enum node_id id, struct error *err);
/* A command does not say when it listens; its kernel does. */
void trial_node_look_for_listener(struct trial *trial);
/* The endpoint as its believed witness has it. */
struct endpoint *trial_node_endpoint(struct trial_node *node);
/* The endpoint's socket as it is now; false when there is none any more. */
bool trial_node_look_up(struct trial_node *node, struct sockdiag_socket *ret_socket);
/* Bytes that got through in either direction; brings its tcp_info up to date. */
uint64_t trial_node_progress(struct trial_node *node);
/* Asks the kernel where the witnesses disagree, once that is due. */
void trial_node_settle(struct trial_node *node);

/* minisocket.c */
void trial_small_packet(struct trial_node *node, const struct observation *observation);
/* What is derived from packets takes data for the end of a handshake whose request the kernel has
 * given up. */
bool trial_small_contradicts(const struct trial_node *node, const struct observation *observation);
void trial_small_state(struct trial_node *node, const struct observation *observation);
/* The full socket is closed, and whether a small one has its place is yet to be seen. */
bool trial_small_pending(const struct trial_node *node);
/* Asks for the small socket, once that is due. */
void trial_small_look(struct trial_node *node);
/* The last packets may have changed it: nobody waits for it any more. */
void trial_small_finish(struct trial_node *node);

/* survival.c */
/* Everything is as before the faults: an endpoint may prove that its connection still works. */
bool trial_may_survive(const struct trial *trial);
void trial_check_survival(struct trial *trial);

/* sample.c: looks at queues and timers */
/* How long before the first event to ask for what was before it. */
nsec_t trial_sample_ahead(const struct trial *trial);
void trial_sample_first(struct trial *trial);
nsec_t trial_sample_next(const struct trial *trial);
void trial_sample_due(struct trial *trial);
/* Whether a look that something is expected of is still to come. */
bool trial_sample_wanted(const struct trial *trial);

/* population.c: many connections */
int trial_population_init(struct trial *trial);
void trial_population_report(struct trial_node *node, const struct agent_report *report);
/* All are connected, or have failed to. */
bool trial_population_complete(const struct trial *trial);
bool trial_population_concluded(const struct trial_node *node);
/* Whether any of them has not met its end; false where there is but one. */
bool trial_population_open(const struct trial_node *node);
void trial_population_heal(struct trial_node *node);
void trial_population_progress(struct trial_node *node);
void trial_population_record(const struct trial_node *node, struct record_population *ret);

/* step.c: what the timeline does */
void trial_step_take_due(struct trial *trial);
/* Shortly before the first event, so that asking does not delay it: what the retransmission timer
 * would start from. Idempotent. */
void trial_step_sample(struct trial *trial);
const char *trial_step_verb(const struct timeline_step *step);
/* The fault stage's two questions: a host is about to go, a host is back. */
int trial_step_let_go(struct fault_stage *stage, enum node_id id, struct error *err);
int trial_step_take_up(struct fault_stage *stage, enum node_id id, bool service, struct error *err);

/* trace.c: everything that came past, where a trace is wanted; does nothing elsewhere */
int trial_trace_init(struct trial *trial, struct error *err);
void trial_trace_deinit(struct trial *trial);
void trial_trace_observe(struct trial_node *node, const struct observation *observation);
/* Looks at both ends' timers as soon as what is under way is done. */
void trial_trace_look(struct trial *trial);
/* Hands over to the record what it has. */
void trial_trace_give(struct trial *trial);

/* record.c */
int trial_make_record(struct trial *trial, struct error *err);
