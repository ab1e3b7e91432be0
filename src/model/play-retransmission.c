/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>

#include "src/model/play.h"
#include "src/model/wheel.h"

/* include/net/tcp.h: TCP_THIN_LINEAR_RETRIES. */
#define THIN_RETRIES   6
#define LOSS_PROBE_MIN (2 * NSEC_PER_MSEC) /* TCP_TIMEOUT_MIN_US, since Linux 5.19 */
/* What is sent so soon after a timer went off was sent by its handler. */
#define BY_THE_TIMER NSEC_PER_MSEC

/* A router makes an error in that time. */
#define ERROR_MADE (50 * NSEC_PER_USEC)

/* A router's allowance for ICMP errors to one host, in jiffies. inet_peer_xrlim_allow() grants one
 * for `cost`, and saves up `most`; ip_error() of IPv4 asks first, with an allowance of its own size
 * in the same place (net/ipv4/route.c: ip_rt_error_cost, ip_rt_error_burst). */
struct allowance {
	int64_t tokens, last;
};

static bool allow(struct allowance *a, int64_t now, int64_t cost, int64_t most)
{
	a->tokens += now - a->last;
	a->last = now;
	if (a->tokens > most)
		a->tokens = most;
	if (a->tokens < cost)
		return false;
	a->tokens -= cost;
	return true;
}

/* A retransmission in progress: the fields of tcp_sock and inet_connection_sock by their names. */
struct retransmission {
	struct play *play;
	const struct play_flight *flight;
	enum { PENDING_RETRANS, PENDING_LOSS_PROBE } pending;
	nsec_t fires_nsec; /* icsk_retransmit_timer */
	int64_t expires;   /* the jiffy from which on it may go off */
	int64_t span;	   /* what it was armed with */
	int64_t rto;	   /* icsk_rto */
	/* icsk_backoff and icsk_retransmits are of eight bits and start anew at 256, which undone
	 * back-off reaches: then one timeout counts as none. */
	uint8_t backoff, retransmits;
	bool in_loss;	     /* icsk_ca_state is TCP_CA_Loss: loss probes are over */
	unsigned int number; /* of retransmissions */
	unsigned int packets_out, room;
	/* What the first retransmission takes along: so many segments behind the oldest fit into
	 * one with it, and so many bytes are free then; after the first that does not fit, none. */
	unsigned int collapsible;
	uint32_t head_free;
	bool no_more_fit;
	nsec_t head_nsec; /* when the oldest segment was sent last */
	nsec_t next_nsec; /* when the program writes next, or the next segment is sent */
	size_t n_sent;	  /* how many of flight->segments are past */
	nsec_t retrans_stamp_nsec;
	uint64_t queued; /* bytes that were written and not sent */
	bool probed;	 /* tlp_high_seq is set */
	struct allowance allowance;
	size_t n_acks;	   /* how many of flight->acks are past */
	nsec_t error_nsec; /* when the error about the oldest segment comes; NSEC_NEVER: none is due
			    */
};

static void set_timer(struct retransmission *r, int pending, int64_t span, bool from_timer)
{
	r->pending = pending;
	r->span = span;
	play_rearm(r->play, span, from_timer, &r->expires, &r->fires_nsec);
}

/* tcp_rto_delta_us(): how long until the oldest segment is overdue. */
static int64_t until_overdue(const struct retransmission *r)
{
	const struct play_skew *skew = &r->play->skew;
	nsec_t age_nsec = r->play->now_nsec - r->head_nsec;
	bool turned = skew->turns && ((r->packets_out >> skew->shift) + skew->odd) % 2;

	if (age_nsec) /* what is sent now is of this age exactly: both are tcp_mstamp */
		age_nsec -= turned ? -skew->nsec : skew->nsec;
	return (r->rto * play_tick(r->play) - age_nsec) / NSEC_PER_USEC;
}

static void rearm_rto(struct retransmission *r, bool offset, bool from_timer)
{
	int64_t span = r->rto;

	if (offset) {
		int64_t usecs = until_overdue(r);

		span = wheel_usecs_to_jiffies(r->play->timers->hz, usecs > 1 ? usecs : 1);
	}
	set_timer(r, PENDING_RETRANS, span, from_timer);
}

/* tcp_schedule_loss_probe(). `advancing`: an answer came. */
static bool schedule_loss_probe(struct retransmission *r, bool advancing)
{
	const struct timers *t = r->play->timers;
	nsec_t extra_nsec = r->packets_out == 1 ? t->rto_min_nsec : LOSS_PROBE_MIN;
	int64_t usecs = advancing ? r->rto * play_tick(r->play) / NSEC_PER_USEC : until_overdue(r);
	/* srtt_us is never 0 once there is a sample: tcp_rtt_estimator(). */
	nsec_t srtt_nsec = nsec_max(r->flight->srtt_nsec + r->play->srtt_off_nsec, NSEC_PER_USEC);
	int64_t span = wheel_usecs_to_jiffies(t->hz, (2 * srtt_nsec + extra_nsec) / NSEC_PER_USEC);

	if (!t->loss_probes || r->in_loss)
		return false;
	if (usecs > 0 && wheel_usecs_to_jiffies(t->hz, usecs) < span)
		span = wheel_usecs_to_jiffies(t->hz, usecs);
	set_timer(r, PENDING_LOSS_PROBE, span, false);
	return true;
}

/* A router answers what cannot be delivered, as often as it may. */
static bool router_answers_at(struct retransmission *r, nsec_t at_nsec)
{
	int64_t hz = r->play->timers->hz, now = at_nsec / play_tick(r->play);

	if (at_nsec < r->play->origin_nsec + r->flight->lost_nsec)
		return false;
	switch (r->flight->undo) {
	case PLAY_UNDO_IPV4: /* ip_error(), then icmpv4_xrlim_allow() */
		return allow(&r->allowance, now, hz, 5 * hz) &&
		       allow(&r->allowance, now, hz, 6 * hz);
	case PLAY_UNDO_IPV6: /* icmpv6_xrlim_allow(): a quarter, since the route has 64 bits */
		return allow(&r->allowance, now, hz / 4, 6 * (hz / 4));
	case PLAY_UNDO_NOTHING:
		break;
	}
	return false;
}

/* Packets without data, which nobody sends again, take from the same allowance. */
static bool router_answers(struct retransmission *r)
{
	const struct play_flight *f = r->flight;
	nsec_t now_nsec = r->play->now_nsec, origin_nsec = r->play->origin_nsec;

	for (; r->n_acks < f->n_acks && origin_nsec + f->acks[r->n_acks] <= now_nsec; r->n_acks++)
		router_answers_at(r, origin_nsec + f->acks[r->n_acks]);
	return router_answers_at(r, now_nsec);
}

/* tcp_ld_RTO_revert(): the error comes, and what has passed of a jiffy counts as a whole one. If
 * the time is up, the segment is sent again there and then. */
static void undo_backoff(struct retransmission *r)
{
	nsec_t tick_nsec = play_tick(r->play);
	int64_t passed = (r->flight->error_nsec + ERROR_MADE + tick_nsec - 1) / tick_nsec;

	r->error_nsec = NSEC_NEVER;
	if (!r->retransmits || !r->backoff)
		return;
	r->backoff--;
	r->rto = nsec_min(r->flight->rto << r->backoff, r->play->timers->rto_max_nsec / tick_nsec);
	if (r->rto > passed) {
		set_timer(r, PENDING_RETRANS, r->rto - passed, !r->flight->error_nsec);
	} else {
		r->pending = PENDING_RETRANS;
		r->span = 0;
		r->fires_nsec = r->play->now_nsec;
	}
	play_tell(r->play, PLAY_UNDO, r->number, r->fires_nsec, r->span);
}

/* A segment meets the router. Only an error about the oldest one undoes anything. */
static void meet_router(struct retransmission *r, bool oldest)
{
	if (!router_answers(r) || !oldest)
		return;
	if (r->flight->error_nsec)
		r->error_nsec = r->play->now_nsec + r->flight->error_nsec + ERROR_MADE;
	else
		undo_backoff(r);
}

/* More goes into the network: packets_out counts segments, of which segmentation offload sends
 * several as one. tcp_retrans_try_collapse() leaves those alone. */
static void count_sent(struct retransmission *r, uint32_t size)
{
	uint32_t most = r->flight->segment_size;
	bool first = !r->packets_out;

	r->packets_out += size > most ? (size + most - 1) / most : 1;
	if (first) {
		r->head_free = size < most ? most - size : 0;
	} else if (!r->no_more_fit && size <= r->head_free) {
		r->collapsible++;
		r->head_free -= size;
	} else {
		r->no_more_fit = true;
	}
}

/* Takes the next segment from what was written. */
static uint32_t dequeue(struct retransmission *r)
{
	uint32_t most = r->flight->segment_size;
	uint32_t size = r->queued < most ? (uint32_t)r->queued : most;

	r->queued -= size;
	return size;
}

/* tcp_event_new_data_sent(), tcp_schedule_loss_probe(). */
static void send_segment(struct retransmission *r, uint32_t size)
{
	count_sent(r, size);
	r->room--;
	if (r->pending == PENDING_LOSS_PROBE)
		rearm_rto(r, true, false);
	schedule_loss_probe(r, false);
	meet_router(r, false);
}

/* Returns the size of the segment that is due, as it was measured, and finds out when the next one
 * is. */
static uint32_t take_measured(struct retransmission *r)
{
	const struct play_flight *f = r->flight;
	uint32_t size = f->segments[r->n_sent++].size;

	r->next_nsec = r->n_sent < f->n_segments
			       ? r->play->origin_nsec + f->segments[r->n_sent].sent_nsec
			       : NSEC_NEVER;
	return size;
}

static void write_more(struct retransmission *r)
{
	const struct play_flight *f = r->flight;

	if (f->segments) {
		send_segment(r, take_measured(r));
		return;
	}
	r->next_nsec += f->interval_nsec;
	r->queued += f->write_size;
	while (r->room && r->queued >= f->segment_size)
		send_segment(r, dequeue(r));
	if (r->room && r->queued && !f->nagle)
		send_segment(r, dequeue(r));
}

static void send_loss_probe(struct retransmission *r)
{
	if (r->probed) {
		rearm_rto(r, true, true);
		return;
	}
	if (r->flight->segments && r->next_nsec - r->play->now_nsec < BY_THE_TIMER)
		count_sent(r, take_measured(r));
	else if (r->queued && r->room)
		count_sent(r, dequeue(r));
	else if (r->packets_out == 1)
		r->head_nsec = r->play->now_nsec;
	r->probed = true;
	rearm_rto(r, false, true);
	play_tell(r->play, PLAY_LOSS_PROBE, 0, r->fires_nsec, r->span);
	meet_router(r, false);
}

static bool is_past(const struct retransmission *r, nsec_t at_nsec)
{
	return at_nsec != NSEC_NEVER && r->play->now_nsec >= r->play->origin_nsec + at_nsec;
}

/* retransmits_timed_out(), tcp_orphan_retries(). */
static bool timed_out(const struct retransmission *r)
{
	const struct timers *t = r->play->timers;
	unsigned int retries = t->retries2;
	nsec_t limit_nsec;

	if (is_past(r, r->flight->orphaned_nsec)) {
		bool alive = r->rto * play_tick(r->play) < t->rto_max_nsec;

		retries = t->orphan_retries;
		if (r->flight->refused && !alive) /* sk_err_soft is set */
			retries = 0;
		if (!retries && alive)
			retries = PLAY_ORPHAN_RETRIES;
	}
	limit_nsec = t->user_timeout_nsec
			     ? t->user_timeout_nsec
			     : timers_threshold(retries, TIMERS_RTO_MIN, t->rto_max_nsec);
	return r->retransmits &&
	       play_msecs(r->play->now_nsec) - play_msecs(r->retrans_stamp_nsec) >=
		       play_msecs(limit_nsec);
}

/* tcp_clamp_rto_to_user_timeout(). */
static int64_t clamp_rto(const struct retransmission *r)
{
	const struct timers *t = r->play->timers;
	int64_t left, span;

	if (!t->user_timeout_nsec)
		return r->rto;
	left = play_msecs(t->user_timeout_nsec) -
	       (play_msecs(r->play->now_nsec) - play_msecs(r->retrans_stamp_nsec));
	if (left <= 0)
		return 1;
	span = wheel_msecs_to_jiffies(t->hz, left);
	return span < r->rto ? span : r->rto;
}

static void retransmit(struct retransmission *r)
{
	const struct timers *t = r->play->timers;

	r->head_nsec = r->play->now_nsec;
	r->room = 0; /* tcp_enter_loss(): a window of one segment */
	r->in_loss = true;
	r->retransmits++;
	if (t->collapse) { /* tcp_retrans_try_collapse() */
		r->packets_out -= r->collapsible;
		r->collapsible = 0;
	}
	if (!r->number++)
		r->retrans_stamp_nsec = r->play->now_nsec;
	if (t->thin && !is_past(r, r->flight->leaves_nsec) && r->packets_out < 4 &&
	    r->retransmits <= THIN_RETRIES) {
		r->backoff = 0;
		r->rto = r->flight->rto;
	} else {
		r->backoff++;
		r->rto = nsec_min(r->rto * 2, t->rto_max_nsec / play_tick(r->play));
	}
	set_timer(r, PENDING_RETRANS, clamp_rto(r), true);
	play_tell(r->play, PLAY_RETRANSMIT, r->number, r->fires_nsec, r->span);
	meet_router(r, true);
}

struct play_end play_retransmission(struct play *p, const struct play_flight *f)
{
	struct retransmission r = { .play = p,
				    .flight = f,
				    .rto = f->rto,
				    .room = f->room,
				    .in_loss = f->in_loss,
				    .head_nsec = p->origin_nsec + f->sent_nsec,
				    .fires_nsec = NSEC_NEVER,
				    .next_nsec = NSEC_NEVER,
				    .error_nsec = NSEC_NEVER };
	bool answered = f->armed_nsec > f->sent_nsec;

	r.allowance.tokens = 6 * (int64_t)p->timers->hz;
	r.allowance.last = (p->origin_nsec + f->lost_nsec) / play_tick(p);
	if (f->segments) {
		while (r.n_sent < f->n_segments &&
		       f->segments[r.n_sent].sent_nsec <= nsec_max(f->armed_nsec, f->sent_nsec)) {
			p->now_nsec = p->origin_nsec + f->segments[r.n_sent].sent_nsec;
			count_sent(&r, take_measured(&r));
			router_answers(&r);
		}
		r.room = UINT_MAX;
	} else {
		count_sent(&r, (uint32_t)nsec_min((nsec_t)f->write_size, f->segment_size));
		if (f->next_nsec != NSEC_NEVER)
			r.next_nsec = p->origin_nsec + f->next_nsec;
	}
	p->now_nsec = p->origin_nsec + nsec_max(f->armed_nsec, f->sent_nsec);
	if (!f->segments)
		router_answers(&r);
	if (!schedule_loss_probe(&r, answered))
		rearm_rto(&r, false, false);
	play_tell(p, PLAY_SEND, 0, r.fires_nsec, r.span);
	for (unsigned int steps = 0; steps < PLAY_STEPS_MAX; steps++) {
		/* What seems to be sent in the last moment before the tick was sent by the timer.
		 */
		if (r.room && r.next_nsec < r.fires_nsec - (f->segments ? PLAY_EDGE : 0)) {
			p->now_nsec = r.next_nsec;
			write_more(&r);
			continue;
		}
		if (r.error_nsec < r.fires_nsec) {
			p->now_nsec = r.error_nsec;
			undo_backoff(&r);
			continue;
		}
		play_fire(p, r.fires_nsec);
		if (r.pending == PENDING_LOSS_PROBE)
			send_loss_probe(&r);
		else if (timed_out(&r))
			return play_finish(p, p->timers->user_timeout_nsec ? MECHANISM_USER_TIMEOUT
					      : is_past(&r, f->orphaned_nsec)
						      ? MECHANISM_ORPHAN
						      : MECHANISM_RETRANSMISSION);
		else
			retransmit(&r);
	}
	return play_no_end;
}
