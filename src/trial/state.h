/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The state of one trial, which its parts share. Theory of operation: there are three
 * ways in, a report of an agent and an observation (events.c) and the trial's timer
 * (trial.c). Each hands what it brings to the parts, which change the state and nothing
 * else. Each then calls settle_trial() once (settle.c), which looks whether the trial is
 * at its end and sets the timer for whatever is due next. No part calls a way in.
 */

#include "netns/sockdiag.h"
#include "src/agent/agent.h"
#include "src/observer/observer.h"
#include "src/scenario/timeline.h"
#include "src/trial/endpoint.h"
#include "src/trial/fault.h"
#include "src/trial/spec.h"

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

/* A minisocket is seen to have ended at most so long after its end. */
#define MINISOCKET_RESOLUTION (20 * NSEC_PER_MSEC)

/* Why a minisocket is looked at before its timer says so. */
enum minisocket_cause {
	MINISOCKET_CAUSE_NONE,
	MINISOCKET_CAUSE_PACKET,
	MINISOCKET_CAUSE_RESET,
};

/* The request socket before the full one, or what is left behind it. */
struct minisocket {
	int state;		       /* TCP_STATE_NONE before, and while there is a full one */
	struct sockdiag_socket socket; /* its addresses and ports, and what was seen last */
	nsec_t look_nsec;	       /* when to ask for it; NSEC_NEVER */
	nsec_t closed_nsec;	       /* when the full socket's CLOSE was heard of */
	enum minisocket_cause cause;
	bool cause_sent; /* the packet went out */
	nsec_t cause_nsec;
	nsec_t fin_nsec;	       /* the latest FIN received; NSEC_NONE */
	nsec_t reset_nsec;	       /* the latest RST received; NSEC_NONE */
	struct minisocket_step *steps; /* owned */
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
	nsec_t doubt_nsec; /* when to ask the kernel which is right; NSEC_NEVER: they agree */
	bool watched;	   /* the trial waits for this endpoint's end */
	bool follows;	   /* the watch is of the endpoint's host, not of one booted later */
	bool awaits_gone;  /* the trial waits until nothing is left of it, too */
	struct minisocket minisocket;
	struct trial_member *members; /* trial->connections of them, or NULL: there is one; owned */
	uint32_t n_members;	      /* how many were connected, accepted or refused */
	struct record_sample *samples; /* owned */
	size_t n_samples;
	struct agent *original; /* whose reports are the endpoint's; NULL once it is freed */
	unsigned int processes; /* agents that were started here */
	int64_t bytes_read, bytes_written; /* of the original that is freed; -1: see it itself */
	nsec_t sampled_nsec;		   /* when the next three were read; just before the first
					    * event */
	nsec_t rto_nsec, rtt_nsec;
	uint32_t cwnd, mss;		   /* segments that may be in flight, and their size */
	uint64_t progress;		   /* bytes acknowledged and received at the last heal or
					    * flush of flows */
	bool usable;			   /* more bytes have got through since then */
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
	bool sampled;	      /* what the model goes by was read */
	bool changed;	/* something may be over, or be due earlier: settle_trial() is to look */
	bool probed;	/* a byte was sent on an idle connection since the last heal */
	bool full_term; /* it was watched until the horizon */
	bool forgotten; /* the router's connection tracking was flushed, which has no heal */
	uint32_t connections; /* of the client */
	uint64_t n_looks;     /* multiples of the sampling's span that are past */
	uint64_t lost;
	struct sightings *sightings; /* or NULL */
	struct record *record;
	struct error failure; /* what ended it without a record */
};

/* The endpoint as its believed witness has it. */
static inline struct endpoint *trial_endpoint(struct trial_node *node)
{
	return &node->view[node->believed];
}

/* Ends the trial, from any depth of calls: its timer makes the record once all of them have
 * returned. */
void trial_over(struct trial *trial);
/* The same without a record: `err` says why. */
void trial_fail(struct trial *trial, const struct error *err);
/* Whether every step of the timeline is done. */
bool trial_timeline_done(const struct trial *trial);
/* When the horizon is reached; NSEC_NEVER before the first event. */
nsec_t trial_horizon(const struct trial *trial);
/* If `at_nsec` is after the horizon, ends the trial and returns true: what happens then is not
 * recorded, even if the loop hears of it before the trial's timer. */
bool trial_past_horizon(struct trial *trial, nsec_t at_nsec);
/* Where the server listens, or what the client connects to: the same port, unless the scenario
 * gives the client another. */
uint16_t trial_port(const struct scenario *scenario, enum node_id node);
