/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/model.h"

#include <string.h>

#include "src/model/hull.h"
#include "src/model/situation.h"

/* The first segment that stays unanswered is reckoned to be sent then, or this much later: a
 * program is told the time by its kernel. */
#define TOLD_LATE NSEC_PER_MSEC
/* What one segment carries when nothing is known of it. */
#define SEGMENT	       1448
#define INITIAL_WINDOW 10	  /* TCP_INIT_CWND */
#define INITIAL_BUFFER (32 << 10) /* a peer takes so much that does not read */

static int64_t rto_of(const struct player *r)
{
	int64_t tick_nsec = NSEC_PER_SEC / r->timers.hz;

	return (r->facts->rto_nsec + tick_nsec - 1) / tick_nsec;
}

/* What the program at that end sends after the first segment that stays unanswered. */
static void add_writes(const struct player *r, struct play_flight *f)
{
	const struct scenario_agent *a = &r->scenario->agent[r->node];
	enum workload workload = (enum workload)scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE);
	uint64_t size = (uint64_t)scenario_option(a, OPTION_SIZE, 64);
	unsigned int cwnd = r->facts->cwnd ? r->facts->cwnd : INITIAL_WINDOW;

	f->next_nsec = NSEC_NEVER;
	f->segments = r->history.segments;
	f->n_segments = r->history.n_segments;
	f->segment_size = r->facts->mss ? r->facts->mss : SEGMENT;
	f->write_size = size;
	if (f->segments || (workload != WORKLOAD_STREAM && workload != WORKLOAD_HEARTBEAT))
		return;
	f->interval_nsec =
		scenario_option(a, OPTION_INTERVAL,
				workload == WORKLOAD_STREAM ? 10 * NSEC_PER_MSEC : NSEC_PER_SEC);
	f->nagle = !scenario_option(a, OPTION_NODELAY, 0);
	f->room = cwnd - 1;
	if (f->interval_nsec > 0)
		f->next_nsec = f->sent_nsec + f->interval_nsec;
}

static struct play_end play_flight_of(const struct player *r, struct play *p, nsec_t orphaned_nsec)
{
	const struct model_history *h = &r->history;
	struct play_flight f = { .sent_nsec = h->sent_nsec + r->shift_nsec,
				 .armed_nsec = h->armed_nsec + r->shift_nsec,
				 /* tcp_write_wakeup() schedules no loss probe. */
				 .in_loss = r->situation.paused && h->probed,
				 .leaves_nsec = h->leaves_nsec,
				 .orphaned_nsec = orphaned_nsec,
				 .refused = r->situation.refused,
				 .rto = rto_of(r),
				 .srtt_nsec = r->facts->rtt_nsec,
				 .undo = r->situation.undo,
				 .lost_nsec = r->situation.lost_nsec,
				 .acks = h->acks,
				 .n_acks = h->n_acks,
				 .error_nsec = r->scenario->path.netem.delay_nsec };

	add_writes(r, &f);
	return play_retransmission(p, &f);
}

static struct play_end play_window_of(const struct player *r, struct play *p, nsec_t orphaned_nsec)
{
	const struct model_history *h = &r->history;
	struct play_window w = {
		.armed_nsec = h->closed_nsec + r->shift_nsec,
		.first_nsec = h->first_probe_nsec,
		.last_nsec = h->probes ? h->last_probe_nsec : NSEC_NONE,
		.probes = h->probes,
		.rto = rto_of(r),
		.rtt_nsec = h->answered_nsec,
		/* What was measured is the latest answer: no probe is answered after that. */
		.orphaned_nsec = orphaned_nsec,
		.lost_nsec = r->facts->history ? h->closed_nsec : r->situation.lost_nsec,
	};

	return play_persist(p, &w);
}

/* The program gives up when so many of its heartbeats are unanswered. */
static nsec_t heartbeat_end(const struct player *r)
{
	const struct scenario_agent *a = &r->scenario->agent[r->node];

	int64_t answered;

	if (scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE) != WORKLOAD_HEARTBEAT ||
	    r->history.began_nsec == NSEC_NONE)
		return NSEC_NEVER;
	/* It counts what it wrote, which may wait in the socket; heartbeat_due(). */
	answered = (int64_t)(r->history.read / (uint64_t)scenario_option(a, OPTION_SIZE, 64));
	return r->history.began_nsec + r->shift_nsec +
	       (answered + scenario_option(a, OPTION_MISSES, 3)) *
		       scenario_option(a, OPTION_INTERVAL, NSEC_PER_SEC);
}

static struct play_end earlier(struct play_end a, struct play_end b)
{
	return a.at_nsec <= b.at_nsec ? a : b;
}

/* Whether all that there was of a connection at that end was a request. */
static bool is_request(const struct player *r)
{
	return r->facts->history && !end_connects(r->end) && r->history.n_syns &&
	       r->history.established_nsec == NSEC_NONE;
}

/* Why the end of a request is not known; NULL: it is. */
static const char *request_unknown(const struct player *r)
{
	const char *refuses =
		scenario_sysctl(r->scenario, r->node, "net.ipv4.tcp_abort_on_overflow");

	if (r->history.reset_nsec != NSEC_NONE)
		return "a RST came to the request";
	if (refuses && strcmp(refuses, "0") != 0) /* tcp_check_req(): listen_overflow */
		return "a full accept queue refuses the request, for tcp_abort_on_overflow is set";
	if (scenario_option(&r->scenario->agent[NODE_CLIENT], OPTION_CONNECTIONS, 1) > 1)
		return "many requests shorten the time of each"; /* reqsk_timer_handler() */
	if (scenario_option(&r->scenario->agent[NODE_SERVER], OPTION_DEFER_ACCEPT, 0))
		return "TCP_DEFER_ACCEPT lets requests wait"; /* syn_ack_recalc() */
	return NULL;
}

/* Whether nothing but a heartbeat can notice anything, because the peer's kernel goes on. Its
 * buffer takes in what comes by then. */
static bool waits_for_program(const struct player *r)
{
	const struct scenario_agent *a = &r->scenario->agent[r->node];

	return scenario_option(a, OPTION_WORKLOAD, WORKLOAD_IDLE) == WORKLOAD_HEARTBEAT &&
	       r->situation.stalled_nsec != NSEC_NEVER && r->situation.lost_nsec == NSEC_NEVER &&
	       scenario_option(a, OPTION_MISSES, 3) * scenario_option(a, OPTION_SIZE, 64) <
		       INITIAL_BUFFER;
}

/* What is played is told only if it decides, so the decision is made first. */
static struct play_end play_detection(const struct player *r, struct play *p)
{
	struct play_end end = { heartbeat_end(r), MECHANISM_HEARTBEAT }, by_timer = { NSEC_NEVER };
	nsec_t queued_nsec = r->history.sent_nsec == NSEC_NONE ? NSEC_NEVER : r->history.sent_nsec;
	play_step_func *step = p->step;

	if (waits_for_program(r) && r->situation.connect_nsec == NSEC_NEVER)
		return end;
	if (is_request(r))
		return play_synack(p, r->history.syns, r->history.n_syns);
	if (r->situation.connect_nsec != NSEC_NEVER)
		return play_syn(p, r->history.connect_nsec + r->shift_nsec);
	if (r->history.closed_nsec != NSEC_NONE)
		return play_window_of(r, p, NSEC_NEVER);
	p->step = NULL;
	if (r->timers.keepalive)
		by_timer = play_keepalive(p, &r->history, queued_nsec);
	p->step = step;
	if (by_timer.at_nsec != NSEC_NEVER) {
		if (step)
			by_timer = play_keepalive(p, &r->history, queued_nsec);
	} else if (r->history.sent_nsec != NSEC_NONE) {
		by_timer = play_flight_of(r, p, NSEC_NEVER);
	}
	return earlier(end, by_timer);
}

static struct play_end play_gone(const struct player *r, struct play *p)
{
	switch (r->mechanism) {
	case MECHANISM_TIME_WAIT:
		return play_time_wait(p, r->since_nsec);
	case MECHANISM_FIN_WAIT_2:
		return play_fin_wait_2(p, r->since_nsec, rto_of(r));
	case MECHANISM_SYNACK:
		return play_synack(p, r->history.syns, r->history.n_syns);
	default:
		return r->history.closed_nsec != NSEC_NONE && r->history.sent_nsec == NSEC_NONE
			       ? play_window_of(r, p, r->history.orphaned_nsec)
			       : play_flight_of(r, p, r->history.orphaned_nsec);
	}
}

/* What the program does is reckoned, not measured: it may be a little later, and a segment that is
 * due in the moment of the fault may still be answered, so that the next one is the first that is
 * not. */
static struct prediction play_cases(struct player *r, play_func *func)
{
	const nsec_t shifts_nsec[] = { TOLD_LATE, r->history.next_nsec };
	struct prediction p = hull_play(r, func);

	if (r->facts->history)
		return p;
	for (size_t i = 0; i < ARRAY_SIZE(shifts_nsec); i++) {
		struct prediction later;

		if (p.reason || p.mechanism == MECHANISM_NONE || !shifts_nsec[i])
			continue;
		r->shift_nsec = shifts_nsec[i];
		later = hull_play(r, func);
		r->shift_nsec = 0;
		if (later.mechanism != p.mechanism)
			return (struct prediction){
				.reason = "which of two timers is first is a matter of a "
					  "millisecond"
			};
		p.earliest_nsec = nsec_min(p.earliest_nsec, later.earliest_nsec);
		p.latest_nsec = nsec_max(p.latest_nsec, later.latest_nsec);
	}
	return p;
}

/* Whether the player has something to play: else returns why not. */
static const char *prepare(struct player *r, struct model_facts *facts, enum family family)
{
	const char *reason = situation_read(r->scenario, family, r->end, &r->situation);

	r->timers = timers_of(r->scenario, r->node, facts);
	if (facts->history)
		r->history = *facts->history;
	else if (!reason)
		reason = situation_imagine(r->scenario, r->end, &r->situation, facts, &r->history);
	return reason;
}

/* Before that the peer, which hears nothing any more, does not end the connection with a packet of
 * its own: a FIN, or the RST of tcp_keepalive_timer(). NSEC_NEVER: it sends none. */
static nsec_t peer_ends(const struct player *r)
{
	const struct scenario *s = r->scenario;
	const struct scenario_agent *peer = &s->agent[r->peer];
	struct timers t = timers_of(s, r->peer, r->facts);
	nsec_t lost_nsec = r->situation.lost_nsec, at_nsec = NSEC_NEVER;
	/* It has been silent at the longest since the connection was made. */
	nsec_t heard_nsec = s->n_events ? -s->events[0].at_nsec : 0;

	if (scenario_is_command(peer))
		return lost_nsec;
	if (t.keepalive)
		at_nsec = heard_nsec + t.idle_nsec +
			  (t.user_timeout_nsec || t.count < 1 ? 1 : t.count) * t.interval_nsec;
	if (scenario_option(peer, OPTION_WORKLOAD, WORKLOAD_IDLE) == WORKLOAD_HEARTBEAT)
		at_nsec = nsec_min(at_nsec, lost_nsec + (scenario_option(peer, OPTION_MISSES, 3) -
							 1) * scenario_option(peer, OPTION_INTERVAL,
									      NSEC_PER_SEC));
	return nsec_max(at_nsec, lost_nsec);
}

/* SO_KEEPALIVE, TCP_USER_TIMEOUT, TCP_SYNCNT, TCP_LINGER2: nothing tells what they are. */
#define OF_THE_USER "a program of the user's has options and deadlines of its own"

static const char *prepare_detection(struct player *r, struct model_facts *facts,
				     enum family family)
{
	const struct situation *in = &r->situation;
	const char *reason = prepare(r, facts, family);

	if (facts->history && is_request(r))
		return request_unknown(r);
	if (reason)
		return reason;
	if (scenario_is_command(&r->scenario->agent[r->node]) && !facts->options)
		return OF_THE_USER;
	if (in->connect_nsec != NSEC_NEVER) {
		if (in->connect_nsec < in->lost_nsec)
			return "the peer is lost after the connection is made";
		if (in->refused)
			return "an ICMP error ends the attempt at once";
		return NULL;
	}
	if (r->history.established_nsec == NSEC_NONE)
		return "there is no connection";
	if (waits_for_program(r))
		return NULL;
	if (in->paused && r->history.closed_nsec == NSEC_NONE)
		return "the peer does not read, and its window is not closed";
	if (in->closed_nsec == NSEC_NEVER && in->lost_nsec == NSEC_NEVER)
		return "nothing is lost";
	if (in->lost_nsec == NSEC_NEVER && !r->timers.user_timeout_nsec)
		return "the peer answers each probe of its closed window";
	if (r->history.sent_nsec == NSEC_NONE && !r->timers.keepalive &&
	    r->history.closed_nsec == NSEC_NONE)
		return "nothing is in flight and keepalive is off, so no timer runs";
	return NULL;
}

static struct player player_of(const struct scenario *s, enum end_id end,
			       const struct model_facts *facts)
{
	return (struct player){ .scenario = s,
				.end = end,
				.node = scenario_end_node(s, end),
				.peer = scenario_end_node(s, end_peer(end)),
				.facts = facts };
}

static struct prediction nothing(const char *reason)
{
	return (struct prediction){ .reason = reason };
}

struct prediction model_predict(const struct scenario *s, enum family family, enum end_id end,
				const struct model_facts *facts)
{
	struct model_facts known = *facts;
	struct player r = player_of(s, end, &known);
	const char *reason = prepare_detection(&r, &known, family);
	struct prediction p;

	if (reason)
		return nothing(reason);
	p = play_cases(&r, play_detection);
	if (r.situation.silent_to_peer && r.situation.connect_nsec == NSEC_NEVER &&
	    p.mechanism != MECHANISM_NONE && p.latest_nsec >= peer_ends(&r))
		return nothing("the peer may give up first, and that arrives");
	if (p.mechanism == MECHANISM_NONE && !p.reason)
		p.reason = "no timer that runs comes to an end";
	if (p.mechanism != MECHANISM_NONE && p.earliest_nsec < 0 &&
	    p.mechanism == MECHANISM_HEARTBEAT)
		return nothing("the program may give up before the first event");
	return p;
}

struct prediction model_derive(const struct scenario *s, enum family family, enum end_id end,
			       const struct model_facts *facts, play_step_func *step,
			       void *userdata)
{
	struct model_facts known = *facts;
	struct player r = player_of(s, end, &known);
	const char *reason = prepare_detection(&r, &known, family);
	nsec_t into_nsec =
		facts->into_nsec == NSEC_NONE ? NSEC_PER_SEC / facts->hz / 2 : facts->into_nsec;
	struct play play;

	if (reason)
		return nothing(reason);
	play_init(&play, &r.timers, facts->phase < 0 ? 0 : facts->phase, into_nsec);
	/* Where the program gives up first, no step of the kernel leads to that. */
	if (play_detection(&r, &play).mechanism != MECHANISM_HEARTBEAT) {
		play.step = step;
		play.userdata = userdata;
		play_detection(&r, &play);
	}
	return model_predict(s, family, end, facts);
}

struct prediction model_gone(const struct scenario *s, enum family family, enum end_id end,
			     const struct model_facts *facts, enum mechanism mechanism,
			     nsec_t since_nsec)
{
	struct model_facts known = *facts;
	struct player r = player_of(s, end, &known);

	r.mechanism = mechanism;
	r.since_nsec = since_nsec;
	if (mechanism != MECHANISM_TIME_WAIT && mechanism != MECHANISM_FIN_WAIT_2 &&
	    mechanism != MECHANISM_SYNACK && mechanism != MECHANISM_ORPHAN)
		return nothing("what becomes of the rest is not predicted");
	if (scenario_is_command(&s->agent[r.node]) &&
	    !(facts->options && mechanism == MECHANISM_ORPHAN) &&
	    mechanism != MECHANISM_TIME_WAIT && mechanism != MECHANISM_SYNACK)
		return nothing(OF_THE_USER);
	situation_read(s, family, end, &r.situation);
	r.timers = timers_of(s, r.node, facts);
	if (!facts->history)
		return nothing("it is not known when the timer was armed");
	r.history = *facts->history;
	if (known.rto_nsec == NSEC_NONE)
		known.rto_nsec = r.timers.rto_min_nsec + NSEC_PER_SEC / known.hz;
	if (mechanism == MECHANISM_SYNACK && request_unknown(&r))
		return nothing(request_unknown(&r));
	if (mechanism == MECHANISM_ORPHAN && r.history.sent_nsec == NSEC_NONE &&
	    r.history.closed_nsec == NSEC_NONE)
		return nothing("nothing of the orphan is in flight");
	/* A probe's sequence number is outside of the window, and an error about it is ignored,
	 * unlike one about an answer to what the peer sent: tcp_v4_err(), tcp_xmit_probe_skb(). */
	if (mechanism == MECHANISM_ORPHAN && r.history.sent_nsec == NSEC_NONE &&
	    r.situation.refused && r.timers.orphan_retries && r.history.n_heard &&
	    r.history.heard[r.history.n_heard - 1] >= r.situation.lost_nsec)
		return nothing("whether a router's error about an answer comes decides");
	return hull_play(&r, play_gone);
}
