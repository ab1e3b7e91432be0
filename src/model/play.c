/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/play.h"

#include <limits.h>

#include "src/model/wheel.h"
#include "src/util/tick.h"

/* include/net/tcp.h: TCP_TIMEOUT_MIN, TCP_THIN_LINEAR_RETRIES, TCP_TIMEWAIT_LEN (seconds). */
#define TIMEOUT_MIN    2
#define LOSS_PROBE_MIN (2 * NSEC_PER_MSEC) /* TCP_TIMEOUT_MIN_US, since Linux 5.19 */
#define THIN_RETRIES   6
#define TIME_WAIT_SPAN 60
/* tcp_probe0_when(): ilog2(TCP_RTO_MAX / TCP_RTO_MIN) + 1. */
#define PROBE_SHIFT_MAX 10
/* tcp_orphan_retries(): what 0 stands for as long as the back-off has not reached its end. */
#define ORPHAN_RETRIES 8
/* What is sent so soon after a timer went off was sent by its handler. */
#define BY_THE_TIMER NSEC_PER_MSEC
/* More steps than that are taken for no end at all; the longest walk in reach, 255 retries with a
 * second each, takes as many again with loss probes and undone back-off. */
#define STEPS_MAX 100000

void play_init(struct play *p, const struct timers *timers, int64_t phase, nsec_t into_nsec)
{
	*p = (struct play){ .timers = timers, .granule = 1 };
	/* One round of the wheel further, so that what was before the origin is not negative. */
	p->origin_nsec =
		(phase + ((int64_t)TICK_PHASES << 20)) * (NSEC_PER_SEC / timers->hz) + into_nsec;
}

static nsec_t tick(const struct play *p)
{
	return NSEC_PER_SEC / p->timers->hz;
}

/* The clock of retrans_stamp and of TCP's time stamps counts milliseconds. */
static int64_t msecs(nsec_t time_nsec)
{
	return time_nsec / NSEC_PER_MSEC;
}

/* The moment at which a timer goes off that is armed now with that span. `from_timer`: a timer arms
 * it; while timers run, the wheel's clock is one jiffy ahead (forward_timer_base()). */
static nsec_t arm(struct play *p, int64_t span, bool from_timer)
{
	int64_t jiffies = p->now_nsec / tick(p);

	return wheel_expiry(jiffies + from_timer, jiffies + span, &p->granule) * tick(p);
}

static void tell(struct play *p, enum play_step_kind kind, unsigned int number, nsec_t next_nsec,
		 int64_t span)
{
	if (p->step)
		p->step(&(struct play_step){ .kind = kind,
					     .number = number,
					     .at_nsec = p->now_nsec - p->origin_nsec,
					     .next_nsec = next_nsec == NSEC_NEVER
								  ? NSEC_NEVER
								  : next_nsec - p->origin_nsec,
					     .armed_nsec = span * tick(p) },
			p->userdata);
}

static struct play_end end(struct play *p, enum mechanism mechanism)
{
	tell(p, PLAY_END, 0, NSEC_NEVER, 0);
	return (struct play_end){ p->now_nsec - p->origin_nsec, mechanism };
}

static const struct play_end no_end = { NSEC_NEVER, MECHANISM_NONE };

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
	int64_t span;	   /* what it was armed with */
	int64_t rto;	   /* icsk_rto */
	/* icsk_backoff and icsk_retransmits are of eight bits and start anew at 256, which undone
	 * back-off reaches: then one timeout counts as none. */
	uint8_t backoff, retransmits;
	bool in_loss;	     /* icsk_ca_state is TCP_CA_Loss: loss probes are over */
	unsigned int number; /* of retransmissions */
	unsigned int packets_out, room;
	nsec_t head_nsec; /* when the oldest segment was sent last */
	nsec_t next_nsec; /* when the program writes next, or the next segment is sent */
	size_t n_later;	  /* how many of flight->later are past */
	nsec_t retrans_stamp_nsec;
	uint64_t queued; /* bytes that were written and not sent */
	bool probed;	 /* tlp_high_seq is set */
	struct allowance allowance;
};

static void set_timer(struct retransmission *r, int pending, int64_t span, bool from_timer)
{
	r->pending = pending;
	r->span = span;
	r->fires_nsec = arm(r->play, span, from_timer);
}

/* tcp_rto_delta_us(): how long until the oldest segment is overdue. */
static int64_t until_overdue(const struct retransmission *r)
{
	return (r->head_nsec + r->rto * tick(r->play) - r->play->now_nsec + r->play->skew_nsec) /
	       NSEC_PER_USEC;
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
	int64_t usecs = advancing ? r->rto * tick(r->play) / NSEC_PER_USEC : until_overdue(r);
	int64_t span = wheel_usecs_to_jiffies(
		t->hz,
		(2 * (r->flight->srtt_nsec + r->play->srtt_off_nsec) + extra_nsec) / NSEC_PER_USEC);

	if (!t->loss_probes || r->in_loss)
		return false;
	if (usecs > 0 && wheel_usecs_to_jiffies(t->hz, usecs) < span)
		span = wheel_usecs_to_jiffies(t->hz, usecs);
	set_timer(r, PENDING_LOSS_PROBE, span, false);
	return true;
}

/* A router answers what cannot be delivered, as often as it may. */
static bool router_answers(struct retransmission *r)
{
	int64_t hz = r->play->timers->hz, now = r->play->now_nsec / tick(r->play);

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

/* tcp_ld_RTO_revert(): the error comes at once, and less than a jiffy has passed, which counts as
 * one. */
static void undo_backoff(struct retransmission *r)
{
	if (!router_answers(r) || !r->retransmits || !r->backoff)
		return;
	r->backoff--;
	r->rto = nsec_min(r->flight->rto << r->backoff,
			  r->play->timers->rto_max_nsec / tick(r->play));
	if (r->rto <= 1)
		return;
	set_timer(r, PENDING_RETRANS, r->rto - 1, true);
	tell(r->play, PLAY_UNDO, r->number, r->fires_nsec, r->span);
}

/* tcp_event_new_data_sent(), tcp_schedule_loss_probe(). */
static void send_segment(struct retransmission *r)
{
	uint64_t most = r->flight->segment_size;

	r->queued -= r->queued < most ? r->queued : most;
	r->packets_out++;
	r->room--;
	if (r->pending == PENDING_LOSS_PROBE)
		rearm_rto(r, true, false);
	schedule_loss_probe(r, false);
	undo_backoff(r);
}

static void next_later(struct retransmission *r)
{
	const struct play_flight *f = r->flight;

	r->next_nsec = r->n_later < f->n_later ? r->play->origin_nsec + f->later[r->n_later++]
					       : NSEC_NEVER;
}

static void write_more(struct retransmission *r)
{
	const struct play_flight *f = r->flight;

	if (f->later) {
		next_later(r);
		send_segment(r);
		return;
	}
	r->next_nsec += f->interval_nsec;
	r->queued += f->write_size;
	while (r->room && r->queued >= f->segment_size)
		send_segment(r);
	if (r->room && r->queued && !f->nagle)
		send_segment(r);
}

static void send_loss_probe(struct retransmission *r)
{
	if (r->probed) {
		rearm_rto(r, true, true);
		return;
	}
	if (r->flight->later && r->next_nsec - r->play->now_nsec < BY_THE_TIMER) {
		r->packets_out++;
		next_later(r);
	} else if (r->queued && r->room) {
		r->packets_out++;
		r->queued -=
			r->queued < r->flight->segment_size ? r->queued : r->flight->segment_size;
	} else if (r->packets_out == 1) {
		r->head_nsec = r->play->now_nsec;
	}
	r->probed = true;
	rearm_rto(r, false, true);
	tell(r->play, PLAY_LOSS_PROBE, 0, r->fires_nsec, r->span);
	undo_backoff(r);
}

/* retransmits_timed_out(), tcp_orphan_retries(). */
static bool timed_out(const struct retransmission *r)
{
	const struct timers *t = r->play->timers;
	unsigned int retries = t->retries2;
	nsec_t limit_nsec;

	if (r->flight->orphan) {
		bool alive = r->rto * tick(r->play) < t->rto_max_nsec;

		retries = t->orphan_retries;
		if (r->flight->undo != PLAY_UNDO_NOTHING && !alive) /* sk_err_soft is set */
			retries = 0;
		if (!retries && alive)
			retries = ORPHAN_RETRIES;
	}
	limit_nsec = t->user_timeout_nsec
			     ? t->user_timeout_nsec
			     : timers_threshold(retries, TIMERS_RTO_MIN, t->rto_max_nsec);
	return r->retransmits &&
	       msecs(r->play->now_nsec) - msecs(r->retrans_stamp_nsec) >= msecs(limit_nsec);
}

/* tcp_clamp_rto_to_user_timeout(). */
static int64_t clamp_rto(const struct retransmission *r)
{
	const struct timers *t = r->play->timers;
	int64_t left, span;

	if (!t->user_timeout_nsec)
		return r->rto;
	left = msecs(t->user_timeout_nsec) -
	       (msecs(r->play->now_nsec) - msecs(r->retrans_stamp_nsec));
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
	if (!r->number++)
		r->retrans_stamp_nsec = r->play->now_nsec;
	if (t->thin && !r->flight->orphan && r->packets_out < 4 && r->retransmits <= THIN_RETRIES) {
		r->backoff = 0;
		r->rto = r->flight->rto;
	} else {
		r->backoff++;
		r->rto = nsec_min(r->rto * 2, t->rto_max_nsec / tick(r->play));
	}
	set_timer(r, PENDING_RETRANS, clamp_rto(r), true);
	tell(r->play, PLAY_RETRANSMIT, r->number, r->fires_nsec, r->span);
	undo_backoff(r);
}

struct play_end play_retransmission(struct play *p, const struct play_flight *f)
{
	struct retransmission r = { .play = p,
				    .flight = f,
				    .rto = f->rto,
				    .packets_out = f->segments,
				    .room = f->room,
				    .in_loss = f->in_loss,
				    .head_nsec = p->origin_nsec + f->sent_nsec,
				    .next_nsec = NSEC_NEVER };
	bool answered = f->armed_nsec > f->sent_nsec;

	if (f->later) {
		next_later(&r);
		r.room = UINT_MAX;
	} else if (f->next_nsec != NSEC_NEVER)
		r.next_nsec = p->origin_nsec + f->next_nsec;
	p->now_nsec = p->origin_nsec + nsec_max(f->armed_nsec, f->sent_nsec);
	r.allowance.tokens = 6 * (int64_t)p->timers->hz;
	r.allowance.last = p->now_nsec / tick(p);
	if (!schedule_loss_probe(&r, answered))
		rearm_rto(&r, false, false);
	tell(p, PLAY_SEND, 0, r.fires_nsec, r.span);
	router_answers(&r);
	for (unsigned int steps = 0; steps < STEPS_MAX; steps++) {
		if (r.room && r.next_nsec < r.fires_nsec) {
			p->now_nsec = r.next_nsec;
			write_more(&r);
			continue;
		}
		p->now_nsec = r.fires_nsec;
		if (r.pending == PENDING_LOSS_PROBE)
			send_loss_probe(&r);
		else if (timed_out(&r))
			return end(p, p->timers->user_timeout_nsec ? MECHANISM_USER_TIMEOUT
				      : f->orphan		   ? MECHANISM_ORPHAN
								   : MECHANISM_RETRANSMISSION);
		else
			retransmit(&r);
	}
	return no_end;
}

static int64_t jiffies_of(const struct play *p, nsec_t span_nsec)
{
	return span_nsec / tick(p);
}

/* When the last packet came that was there by `now_nsec`, both since the origin; NSEC_NONE: none.
 */
static nsec_t heard_by(const struct model_history *h, nsec_t now_nsec)
{
	size_t low = 0, high = h->n_heard;

	if (!h->heard) {
		nsec_t missed = h->last_heard_nsec - now_nsec, every = h->heard_every_nsec;

		if (missed <= 0)
			return h->last_heard_nsec;
		return every > 0 ? h->last_heard_nsec - (missed + every - 1) / every * every
				 : NSEC_NONE;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (h->heard[middle] <= now_nsec)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? h->heard[low - 1] : NSEC_NONE;
}

struct play_end play_keepalive(struct play *p, const struct model_history *h, nsec_t queued_nsec)
{
	const struct timers *t = p->timers;
	int64_t idle = jiffies_of(p, t->idle_nsec);
	int64_t user = wheel_msecs_to_jiffies(t->hz, msecs(t->user_timeout_nsec));
	nsec_t fires_nsec, heard_nsec = p->origin_nsec + h->established_nsec;
	unsigned int probes = 0;

	p->now_nsec = heard_nsec;
	fires_nsec = arm(p, idle, false);
	tell(p, PLAY_WAIT, 0, fires_nsec, idle);
	for (unsigned int steps = 0; steps < STEPS_MAX; steps++) {
		nsec_t last_nsec = heard_by(h, fires_nsec - p->origin_nsec);
		enum play_step_kind kind = PLAY_WAIT;
		int64_t elapsed, span;

		p->now_nsec = fires_nsec;
		if (queued_nsec != NSEC_NEVER && fires_nsec >= p->origin_nsec + queued_nsec)
			return no_end;
		if (last_nsec != NSEC_NONE && p->origin_nsec + last_nsec > heard_nsec) {
			heard_nsec = p->origin_nsec + last_nsec;
			probes = 0;
		}
		elapsed = fires_nsec / tick(p) - heard_nsec / tick(p);
		span = idle - elapsed;
		if (elapsed >= idle) {
			if (user ? elapsed >= user && probes : probes >= t->count)
				return end(p, user ? MECHANISM_USER_TIMEOUT : MECHANISM_KEEPALIVE);
			probes++;
			kind = PLAY_KEEPALIVE;
			span = jiffies_of(p, t->interval_nsec);
		}
		fires_nsec = arm(p, span, true);
		tell(p, kind, probes, fires_nsec, span);
	}
	return no_end;
}

/* tcp_clamp_probe0_to_user_timeout(). */
static int64_t clamp_probe(const struct play *p, int64_t span, nsec_t first_nsec)
{
	int64_t left;

	if (!p->timers->user_timeout_nsec || first_nsec == NSEC_NONE)
		return span;
	left = wheel_msecs_to_jiffies(p->timers->hz, msecs(p->timers->user_timeout_nsec)) -
	       (p->now_nsec / tick(p) - first_nsec / tick(p));
	if (left < TIMEOUT_MIN)
		left = TIMEOUT_MIN;
	return left < span ? left : span;
}

/* tcp_probe0_when(). */
static int64_t probe_span(const struct play *p, int64_t rto, unsigned int backoff)
{
	int64_t base = nsec_max(rto, jiffies_of(p, TIMERS_RTO_MIN));

	return nsec_min(base << (backoff < PROBE_SHIFT_MAX ? backoff : PROBE_SHIFT_MAX),
			jiffies_of(p, p->timers->rto_max_nsec));
}

struct play_end play_persist(struct play *p, const struct play_window *w, bool orphan)
{
	const struct timers *t = p->timers;
	int64_t user = wheel_msecs_to_jiffies(t->hz, msecs(t->user_timeout_nsec)), rto = w->rto;
	unsigned int unanswered = 0, number = w->probes;
	unsigned int backoff = w->probes < t->retries2 ? w->probes : t->retries2;
	nsec_t first_nsec = NSEC_NONE, lost_nsec = w->lost_nsec, fires_nsec;

	if (!user && !orphan && lost_nsec == NSEC_NEVER)
		return no_end;
	if (w->first_nsec != NSEC_NONE)
		first_nsec = p->origin_nsec + w->first_nsec;
	p->now_nsec = p->origin_nsec + w->armed_nsec;
	fires_nsec = arm(p, clamp_probe(p, probe_span(p, rto, backoff), first_nsec), false);
	tell(p, PLAY_CLOSED, 0, fires_nsec,
	     clamp_probe(p, probe_span(p, rto, backoff), first_nsec));
	for (unsigned int steps = 0; steps < STEPS_MAX; steps++) {
		unsigned int most = t->retries2;
		int64_t span;

		p->now_nsec = fires_nsec;
		if (first_nsec == NSEC_NONE)
			first_nsec = fires_nsec;
		else if (user && (fires_nsec - first_nsec) / tick(p) >= user)
			return end(p, MECHANISM_USER_TIMEOUT);
		if (orphan) {
			bool alive = nsec_min(rto << nsec_min(backoff, 32),
					      jiffies_of(p, t->rto_max_nsec)) <
				     jiffies_of(p, t->rto_max_nsec);

			most = t->orphan_retries || !alive ? t->orphan_retries : ORPHAN_RETRIES;
			if (!alive && backoff >= most)
				return end(p, MECHANISM_ORPHAN);
		}
		if (unanswered >= most)
			return end(p, orphan ? MECHANISM_ORPHAN : MECHANISM_PERSIST);
		unanswered++;
		backoff += backoff < t->retries2;
		span = clamp_probe(p, probe_span(p, rto, backoff), first_nsec);
		fires_nsec = arm(p, span, true);
		tell(p, PLAY_PROBE, ++number, fires_nsec, span);
		if (lost_nsec == NSEC_NEVER ||
		    p->now_nsec + w->rtt_nsec / 2 < p->origin_nsec + lost_nsec) {
			/* tcp_ack(), tcp_ack_probe(): the answer arms the timer again. */
			unanswered = 0;
			p->now_nsec += w->rtt_nsec;
			fires_nsec = arm(p, clamp_probe(p, probe_span(p, rto, backoff), first_nsec),
					 false);
		}
	}
	return no_end;
}

struct play_end play_syn(struct play *p, nsec_t connect_nsec)
{
	const struct timers *t = p->timers;
	nsec_t limit_nsec = t->user_timeout_nsec ? t->user_timeout_nsec
						 : timers_threshold(t->syn_retries, TIMERS_SYN_RTO,
								    t->rto_max_nsec);
	nsec_t start_nsec = p->origin_nsec + connect_nsec;
	int64_t rto = jiffies_of(p, TIMERS_SYN_RTO), span = rto;
	unsigned int retransmits = 0;
	nsec_t fires_nsec;

	p->now_nsec = start_nsec;
	fires_nsec = arm(p, rto, false);
	tell(p, PLAY_SYN, 0, fires_nsec, rto);
	for (;;) {
		int64_t elapsed;

		p->now_nsec = fires_nsec;
		elapsed = msecs(fires_nsec) - msecs(start_nsec);
		if (retransmits >= t->syn_retries + t->syn_linear)
			break;
		if (retransmits && elapsed >= msecs(limit_nsec))
			break;
		if (++retransmits > t->syn_linear)
			rto = nsec_min(rto * 2, jiffies_of(p, t->rto_max_nsec));
		span = rto;
		if (t->user_timeout_nsec) {
			int64_t left = msecs(limit_nsec) - elapsed;

			left = left <= 0 ? 1 : wheel_msecs_to_jiffies(t->hz, left);
			span = nsec_min(span, left);
		}
		fires_nsec = arm(p, span, true);
		tell(p, PLAY_SYN, retransmits, fires_nsec, span);
	}
	return end(p, t->user_timeout_nsec &&
				      msecs(p->now_nsec) - msecs(start_nsec) >= msecs(limit_nsec)
			      ? MECHANISM_USER_TIMEOUT
			      : MECHANISM_SYN);
}

struct play_end play_synack(struct play *p, nsec_t received_nsec)
{
	const struct timers *t = p->timers;
	int64_t timeout = jiffies_of(p, TIMERS_SYN_RTO), span = timeout;
	nsec_t fires_nsec;

	p->now_nsec = p->origin_nsec + received_nsec;
	fires_nsec = arm(p, span, false);
	tell(p, PLAY_SYNACK, 0, fires_nsec, span);
	for (unsigned int i = 1; i <= t->synack_retries; i++) {
		p->now_nsec = fires_nsec;
		timeout = nsec_min(timeout * 2, jiffies_of(p, t->synack_max_nsec));
		span = timeout;
		fires_nsec = arm(p, span, true);
		tell(p, PLAY_SYNACK, i, fires_nsec, span);
	}
	p->now_nsec = fires_nsec;
	return end(p, MECHANISM_SYNACK);
}

struct play_end play_time_wait(struct play *p, nsec_t since_nsec)
{
	p->now_nsec = p->origin_nsec + since_nsec;
	p->now_nsec = arm(p, TIME_WAIT_SPAN * (int64_t)p->timers->hz, false);
	return end(p, MECHANISM_TIME_WAIT);
}

struct play_end play_fin_wait_2(struct play *p, nsec_t since_nsec, int64_t rto)
{
	int64_t most = TIME_WAIT_SPAN * (int64_t)p->timers->hz;
	int64_t span = nsec_max(jiffies_of(p, p->timers->fin_timeout_nsec), 4 * rto - rto / 2);

	p->now_nsec = p->origin_nsec + since_nsec;
	if (span > most) {
		nsec_t fires_nsec = arm(p, span - most, false);

		p->now_nsec = fires_nsec;
		/* tcp_keepalive_timer() makes the small socket for as long again. */
		span = nsec_max(span - most, 4 * rto - rto / 2);
		fires_nsec = arm(p, span, true);
		tell(p, PLAY_STATE, 0, fires_nsec, span);
		p->now_nsec = fires_nsec;
	} else {
		p->now_nsec = arm(p, span, false);
	}
	return end(p, MECHANISM_FIN_WAIT_2);
}
