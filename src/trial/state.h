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
#include "src/trial/spec.h"

#define TRIAL_DEFAULT_PORT 5000

enum trial_phase {
	PHASE_START,   /* waiting for each program in turn to be ready, but for the client's last */
	PHASE_READY,   /* waiting for trial_go(), then for the tick that has the phase */
	PHASE_CLIENT,  /* waiting for the connection */
	PHASE_HELD,    /* established; trial_begin() has not been called */
	PHASE_RUNNING, /* the timeline runs */
	PHASE_GRACE,   /* every watched endpoint is concluded; the other side's last states come */
	PHASE_OVER,
};

/*
 * Two witnesses follow each endpoint, each by itself: the tracepoints, and the observations that
 * are derived from packets and sock_diag. The tracepoints are more exact, and are believed unless
 * they are known to have missed something. A kernel may skip BPF programs without counting it:
 * Linux 6.18 does so in softirqs that interrupt a bpf(2) system call.
 */
enum trial_witness {
	WITNESS_TRACEPOINT,
	WITNESS_DERIVED,
	_WITNESS_MAX,
};

/* The end of a minisocket is seen at most so long after it. */
#define MINISOCKET_RESOLUTION (5 * NSEC_PER_MSEC)

/* Why a minisocket is looked at before its timer says so. */
enum minisocket_cause {
	MINISOCKET_CAUSE_NONE,
	MINISOCKET_CAUSE_PACKET,
	MINISOCKET_CAUSE_RESET,
};

/* The request socket before the full one, or what is left behind it. */
struct minisocket {
	int state;		       /* enum tcp_state; NONE before, and while there is a full
					* socket */
	struct sockdiag_socket socket; /* its addresses and ports, and the rest as last seen */
	nsec_t look_nsec;	       /* when to look at it next; NSEC_NEVER: no look is due */
	nsec_t seen_nsec;	       /* when a look has last found it */
	bool listener;		       /* the last look found only the listener of its port */
	nsec_t closed_nsec;	       /* when the CLOSE of the full socket was observed */
	enum minisocket_cause cause;
	bool cause_sent;	       /* the packet that is the cause was sent, not received */
	nsec_t cause_nsec;	       /* when that packet was seen */
	nsec_t fin_nsec;	       /* of the latest FIN received; NSEC_NONE: none was */
	nsec_t reset_nsec;	       /* of the latest RST received; NSEC_NONE: none was */
	struct minisocket_step *steps; /* owned */
	size_t n_steps;
};

/* One of many connections, as one of its ends sees it. */
struct trial_member {
	bool open;   /* it was connected or accepted, and its program has not met the end */
	bool usable; /* data got through after the last heal */
	enum outcome outcome;		/* OUTCOME_NONE: its program has not met the end */
	uint16_t local_port, peer_port; /* host order */
	nsec_t end_nsec;		/* when its program met the end */
	uint64_t progress;		/* bytes acknowledged and received at the last heal */
	struct sockdiag_socket socket;	/* as it was last seen */
};

/* A connection that was tried, as one of its ends sees it. */
struct follow_candidate {
	struct endpoint_tuple tuple;
	uint32_t isn;		/* the sequence number of its SYN */
	bool established, open; /* the client: it was, and still is */
};

/* What is known of the followed connection at one end (follow.h). */
struct followed {
	struct endpoint_tuple tuple;
	bool has_isn; /* `isn` is known, from its SYN */
	uint32_t isn;
	struct follow_candidate *candidates; /* in the order of their SYNs; owned */
	size_t n_candidates;
	/* The one that connects: which of its connections it is, from 1; 0: to be decided. */
	uint32_t number;
	bool last;		    /* likewise: it is the one that was established last */
	bool all;		    /* likewise: it is one of all that are open then */
	size_t rank;		    /* which of those, from 1; 0: it is the only one */
	bool has_next;		    /* after the first event there was another, and it has: */
	struct endpoint_tuple next; /* the latest of them */
	nsec_t renewed_nsec;	    /* when the first data came on one of them; NSEC_NONE */
	uint32_t n_tried;	    /* likewise: how many were tried until the first event */
	struct follow_kept *kept;   /* what was told before the tuple was known; owned */
	size_t n_kept, n_taken;
};

/* What a program of the user's writes. */
struct program_output {
	char *line;	  /* the last one, which is not whole yet; owned */
	size_t used;	  /* bytes of it */
	nsec_t time_nsec; /* when its first byte came */
	char *path;	  /* of the file that gets all of it, or NULL; owned */
	int fd;		  /* of that file; owned */
	int error;	  /* negative errno of the first write that failed, or 0 */
};

/* A program on a machine: the built-in agent, or one of the user's. */
struct trial_program {
	struct trial_host *host;
	size_t index;		/* among those of its host */
	struct agent *agent;	/* owned; NULL where there is none */
	struct agent *dying;	/* the one of a host that lost power, or NULL; owned */
	struct agent *original; /* the agent whose reports are about the endpoint: the first; NULL
				 * once it is freed; not owned */
	unsigned int processes; /* how many agents were started here */
	int64_t bytes_read, bytes_written; /* by the original when it was freed; -1: it is not
					    * freed, and knows */
	unsigned int signs;		   /* that it is ready: a bit for each enum ready_sign */
	struct program_output output;
};

/* A machine, and what runs on it. */
struct trial_host {
	struct trial *trial;
	enum node_id id;
	struct observer_watch *watch; /* of its namespace, or NULL; owned */
	bool powered; /* it has not lost power, so its watch is about the followed connections */
	nsec_t told_nsec; /* when the timeline first told a program to shut down, to close or to
			   * exit; NSEC_NONE: never */
	struct trial_program program[SCENARIO_PROGRAMS_MAX];
	size_t n_programs;
};

/* One end of the followed connection. */
struct trial_end {
	struct trial *trial;
	struct trial_host *host; /* where it is */
	enum end_id id;
	enum end_id asked;		    /* the scenario's end that it was asked for by */
	struct endpoint view[_WITNESS_MAX]; /* its endpoint, as each witness has it */
	struct followed followed;
	enum trial_witness believed;
	nsec_t close_look_nsec; /* when to look next whether the program has closed */
	nsec_t doubt_nsec;	/* when to ask the kernel which witness is right; NSEC_NEVER: they
				 * agree */
	struct minisocket minisocket;
	struct trial_member *members;  /* one for each of trial->connections; NULL where that is 1;
					* owned */
	uint32_t n_members;	       /* how many of them were connected, accepted or refused */
	struct record_sample *samples; /* owned */
	size_t n_samples;
	/* What was read of the socket just before the first event; rto_nsec NSEC_NONE: nothing. */
	nsec_t sampled_nsec, rto_nsec, rtt_nsec;
	uint32_t cwnd, mss;	       /* segments that may be in flight, and the bytes of one */
	struct socket_options options; /* what a program of the user's had set by then */
	struct trial_program *holder;  /* that program; NULL: it is not known which one */
	nsec_t keepalive_nsec; /* when keepalive's timer was due, from then; NSEC_NONE: it was not
				* what the socket waited for */
	nsec_t silence_nsec;   /* how long nothing had come by then */
	uint64_t progress;     /* bytes acknowledged and received at the last heal, or when the
				* router's connection tracking was flushed */
	bool usable;	       /* more bytes have got through since then */
};

struct trial {
	struct trial_spec spec;
	struct loop *loop;	   /* not owned */
	struct observer *observer; /* not owned */
	trial_func func;	   /* called with `userdata` when the trial is over */
	void *userdata;
	struct testbed *testbed;      /* owned */
	struct timeline timeline;     /* owned */
	struct fault_handle *handles; /* one for each event; owned */
	struct fault_handle *holding; /* the latest fault that holds, or NULL; not owned */
	struct agent_host names[SCENARIO_HOSTS_MAX]; /* what commands call the hosts */
	struct trial_host host[_NODE_MAX];
	struct trial_end end[_END_MAX];
	size_t n_ends;
	uint32_t left_out; /* how many open connections there was no room for */
	struct loop_timer
		*timer; /* the phase's: start limit, next step, horizon, survival, grace */
	enum trial_phase phase;
	struct trial_program *starting; /* the program that is waited for; not owned */
	struct agent *probe; /* a command that asks whether it is ready, or NULL; owned */
	bool probe_done, probe_succeeded;
	nsec_t probe_nsec;     /* when to ask next */
	nsec_t start_nsec;     /* when the program that is waited for was started */
	nsec_t zero_nsec;      /* from which the timeline's times count */
	nsec_t origin_nsec;    /* of the first event; NSEC_NONE before it */
	nsec_t spaced_nsec;    /* not before this is the next event, whatever its time */
	nsec_t fault_nsec;     /* of the first event that is a fault; NSEC_NONE before it */
	nsec_t last_heal_nsec; /* NSEC_NONE: nothing was healed */
	nsec_t ran_until_nsec; /* when PHASE_RUNNING ended */
	nsec_t grace_nsec;     /* PHASE_GRACE: when it ends */
	/* PHASE_READY: when to start the client; NSEC_NEVER before trial_go(). */
	nsec_t client_nsec;
	nsec_t lateness_nsec; /* the most by which an event of the timeline came late */
	size_t active;	      /* how many faults last and have not been healed */
	bool sampled;	      /* sample_first() was called: what the model goes by is as known as it
				 gets */
	bool changed;	/* something may be over, or due earlier, so settle_trial() has to look */
	bool full_term; /* the trial went on until the horizon */
	bool hurried;	/* nobody waits for what is left to be gone */
	bool forgotten; /* the router's connection tracking was flushed, which has no heal */
	uint32_t connections;	     /* how many the client makes */
	uint64_t n_looks;	     /* how many multiples of the sampling's span are past */
	uint64_t clock_failures;     /* nsec_clock_failures() when the trial began */
	uint64_t lost;		     /* how many observations could not be recorded */
	struct sightings *sightings; /* NULL where no trace is wanted; owned */
	struct record *record;	     /* owned until it is handed out */
	struct error failure;	     /* what ended the trial without a record */
	struct error listener_error; /* why the last look for a listener failed, if it did */
};

/* The endpoint as the witness has it that is believed. */
static inline struct endpoint *trial_endpoint(struct trial_end *end)
{
	return &end->view[end->believed];
}

/* Ends the trial. It may be called from anywhere, because the record is made by the trial's timer,
 * when all calls have returned. */
void trial_over(struct trial *trial);
/* Ends the trial without a record, for the reason in `err`. */
void trial_fail(struct trial *trial, const struct error *err);
/* The end of the same connection that connects. */
static inline struct trial_end *trial_connecting(struct trial_end *end)
{
	return end_connects(end->id) ? end : end - 1;
}

/* Whether every step of the timeline is done. */
bool trial_timeline_done(const struct trial *trial);
/* When the horizon is reached; NSEC_NEVER before the first event. */
nsec_t trial_horizon(const struct trial *trial);
/* If `at_nsec` is after the horizon, ends the trial and returns true: what happens then is not
 * recorded, even if the loop hears of it before the trial's timer. */
bool trial_past_horizon(struct trial *trial, nsec_t at_nsec);
/* The port at which the server listens, or to which the client connects. It is the same, unless the
 * scenario gives the client another. */
uint16_t trial_port(const struct scenario *scenario, enum node_id end);
/* "FOLDER/SCENARIO-VARIANT-FAMILY-HOST<ending>", which the caller frees; NULL without memory. */
char *trial_file(const struct trial *trial, enum node_id id, const char *folder,
		 const char *ending);
