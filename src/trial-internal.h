/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the parts of a trial share: trial.c (its life and its end), trial-node.c
 * (agents, watches and what they tell), trial-step.c (the timeline's events) and
 * trial-record.c (the result). Nobody else includes it.
 */

#include "src/endpoint.h"
#include "src/fault.h"
#include "src/timeline.h"
#include "src/trial.h"

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

struct trial_node {
	struct trial *trial;
	enum node_id id;
	struct observer_watch *watch;
	struct endpoint view[_WITNESS_MAX];
	enum trial_witness believed;
	nsec_t doubt_nsec;	/* when to ask the kernel who is right; NSEC_NEVER: they agree */
	bool watched;		/* the trial waits for this endpoint's end */
	bool follows;		/* the watch is of the endpoint's host, not of one booted later */
	struct agent *original; /* whose reports are the endpoint's; only compared */
	nsec_t rto_nsec;	/* just before the first event */
	nsec_t rtt_nsec;	/* likewise */
	uint64_t progress;	/* bytes acknowledged and received at the last heal */
	bool usable;		/* more have been since */
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
	bool sampled;	      /* rto_nsec and rtt_nsec are known */
	bool probed;
	bool full_term;
	uint64_t lost;
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
void trial_listening(struct trial *trial);

/* trial-node.c */
void trial_node_init(struct trial *trial);
int trial_node_watch(struct trial *trial, enum node_id id, struct error *err);
int trial_node_unwatch(struct trial *trial, enum node_id id, struct error *err);
int trial_node_start_agent(struct trial *trial, enum node_id id, struct error *err);
/* A command does not say when it listens; its kernel does. */
void trial_node_look_for_listener(struct trial *trial);
/* The endpoint as its believed witness has it. */
struct endpoint *trial_node_endpoint(struct trial_node *node);
/* The endpoint's socket as it is now; false when there is none any more. */
struct sockdiag_socket;
bool trial_node_look_up(struct trial_node *node, struct sockdiag_socket *ret_socket);
/* Bytes that got through in either direction; brings its tcp_info up to date. */
uint64_t trial_node_progress(struct trial_node *node);
void trial_node_look_for_small_socket(struct trial_node *node);
/* Asks the kernel where the witnesses disagree, once that is due. */
void trial_node_settle(struct trial_node *node);

/* trial-step.c: what the timeline does */
void trial_step_take_due(struct trial *trial);
/* Shortly before the first event, so that asking does not delay it: what the retransmission timer
 * would start from. Idempotent. */
void trial_step_sample(struct trial *trial);
const char *trial_step_verb(const struct timeline_step *step);
/* The fault stage's two questions: a host is about to go, a host is back. */
int trial_step_let_go(struct fault_stage *stage, enum node_id id, struct error *err);
int trial_step_take_up(struct fault_stage *stage, enum node_id id, bool service, struct error *err);

/* trial-record.c */
int trial_make_record(struct trial *trial, struct error *err);
