/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/play.h"

#include "src/model/wheel.h"
#include "src/util/tick.h"

/* include/net/tcp.h: TCP_TIMEOUT_MIN, TCP_TIMEWAIT_LEN (seconds). */
#define TIMEOUT_MIN    2
#define TIME_WAIT_SPAN 60
/* tcp_probe0_when(): ilog2(TCP_RTO_MAX / TCP_RTO_MIN) + 1. */
#define PROBE_SHIFT_MAX 10

void play_init(struct play *p, const struct timers *timers, int64_t phase, nsec_t into_nsec)
{
	*p = (struct play){ .timers = timers, .granule = 1 };
	/* One round of the wheel further, so that what was before the origin is not negative. */
	p->origin_nsec =
		(phase + ((int64_t)TICK_PHASES << 20)) * (NSEC_PER_SEC / timers->hz) + into_nsec;
}

nsec_t play_tick(const struct play *p)
{
	return NSEC_PER_SEC / p->timers->hz;
}

int64_t play_msecs(nsec_t time_nsec)
{
	return time_nsec / NSEC_PER_MSEC;
}

nsec_t play_arm(struct play *p, int64_t span, bool from_timer)
{
	int64_t jiffies = p->now_nsec / play_tick(p), expires = jiffies + span;
	bool sure = from_timer && !p->late;

	/* The wheel's clock is a jiffy ahead once any timer of that processor has gone off in this
	 * jiffy: __run_timers(), forward_timer_base(). */
	p->edge |= !sure &&
		   wheel_expiry(jiffies, expires, NULL) != wheel_expiry(jiffies + 1, expires, NULL);
	return wheel_expiry(jiffies + (sure || p->ahead), expires, &p->granule) * play_tick(p);
}

void play_fire(struct play *p, nsec_t fires_nsec)
{
	p->now_nsec = fires_nsec + p->late * play_tick(p);
}

void play_rearm(struct play *p, int64_t span, bool from_timer, int64_t *expires, nsec_t *fires_nsec)
{
	int64_t next = p->now_nsec / play_tick(p) + span;

	if (*fires_nsec != NSEC_NEVER && p->now_nsec < *fires_nsec && *expires == next)
		return;
	*expires = next;
	*fires_nsec = play_arm(p, span, from_timer);
}

void play_tell(struct play *p, enum play_step_kind kind, unsigned int number, nsec_t next_nsec,
	       int64_t span)
{
	if (p->step)
		p->step(&(struct play_step){ .kind = kind,
					     .number = number,
					     .at_nsec = p->now_nsec - p->origin_nsec,
					     .next_nsec = next_nsec == NSEC_NEVER
								  ? NSEC_NEVER
								  : next_nsec - p->origin_nsec,
					     .armed_nsec = span * play_tick(p) },
			p->userdata);
}

struct play_end play_finish(struct play *p, enum mechanism mechanism)
{
	play_tell(p, PLAY_END, 0, NSEC_NEVER, 0);
	return (struct play_end){ p->now_nsec - p->origin_nsec, mechanism };
}

const struct play_end play_no_end = { NSEC_NEVER, MECHANISM_NONE };

static int64_t jiffies_of(const struct play *p, nsec_t span_nsec)
{
	return span_nsec / play_tick(p);
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

/* Whether the peer answers a probe that is sent now, where no list has its answers. */
static bool is_answered(const struct play *p, const struct model_history *h)
{
	return !h->heard && (h->silent_nsec == NSEC_NEVER ||
			     p->now_nsec + h->answered_nsec / 2 < p->origin_nsec + h->silent_nsec);
}

struct play_end play_keepalive(struct play *p, const struct model_history *h, nsec_t queued_nsec)
{
	const struct timers *t = p->timers;
	int64_t idle = jiffies_of(p, t->idle_nsec);
	int64_t user = wheel_msecs_to_jiffies(t->hz, play_msecs(t->user_timeout_nsec));
	nsec_t fires_nsec, heard_nsec = p->origin_nsec + h->established_nsec;
	unsigned int probes = 0;

	p->now_nsec = heard_nsec;
	fires_nsec = play_arm(p, idle, false);
	play_tell(p, PLAY_WAIT, 0, fires_nsec, idle);
	for (unsigned int steps = 0; steps < PLAY_STEPS_MAX; steps++) {
		enum play_step_kind kind = PLAY_WAIT;
		int64_t elapsed, span;
		nsec_t last_nsec;

		play_fire(p, fires_nsec);
		last_nsec = heard_by(h, p->now_nsec - p->origin_nsec);
		if (queued_nsec != NSEC_NEVER && p->now_nsec >= p->origin_nsec + queued_nsec)
			return play_no_end;
		if (last_nsec != NSEC_NONE && p->origin_nsec + last_nsec > heard_nsec) {
			heard_nsec = p->origin_nsec + last_nsec;
			probes = 0;
		}
		elapsed = p->now_nsec / play_tick(p) - heard_nsec / play_tick(p);
		span = idle - elapsed;
		if (elapsed >= idle) {
			if (user ? elapsed >= user && probes : probes >= t->count)
				return play_finish(p, user ? MECHANISM_USER_TIMEOUT
							   : MECHANISM_KEEPALIVE);
			probes++;
			kind = PLAY_KEEPALIVE;
			span = jiffies_of(p, t->interval_nsec);
		}
		if (kind == PLAY_KEEPALIVE && is_answered(p, h)) {
			heard_nsec = p->now_nsec + h->answered_nsec;
			probes = 0;
		}
		fires_nsec = play_arm(p, span, true);
		play_tell(p, kind, probes, fires_nsec, span);
	}
	return play_no_end;
}

/* tcp_clamp_probe0_to_user_timeout(). */
static int64_t clamp_probe(const struct play *p, int64_t span, nsec_t first_nsec)
{
	int64_t left;

	if (!p->timers->user_timeout_nsec || first_nsec == NSEC_NONE)
		return span;
	left = wheel_msecs_to_jiffies(p->timers->hz, play_msecs(p->timers->user_timeout_nsec)) -
	       (p->now_nsec / play_tick(p) - first_nsec / play_tick(p));
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

struct play_end play_persist(struct play *p, const struct play_window *w)
{
	const struct timers *t = p->timers;
	int64_t user = wheel_msecs_to_jiffies(t->hz, play_msecs(t->user_timeout_nsec)),
		rto = w->rto;
	unsigned int unanswered = 0, number = w->probes;
	unsigned int backoff = w->probes < t->retries2 ? w->probes : t->retries2;
	nsec_t first_nsec = NSEC_NONE, lost_nsec = w->lost_nsec, fires_nsec;

	int64_t expires = -1;
	bool orphan;

	if (!user && w->orphaned_nsec == NSEC_NEVER && lost_nsec == NSEC_NEVER)
		return play_no_end;
	if (w->first_nsec != NSEC_NONE)
		first_nsec = p->origin_nsec + w->first_nsec + PLAY_EDGE;
	p->now_nsec = p->origin_nsec + w->armed_nsec + (w->probes ? PLAY_EDGE : 0);
	fires_nsec = NSEC_NEVER;
	if (w->probes && w->last_nsec != NSEC_NONE) { /* tcp_send_probe0() */
		nsec_t answered_nsec = p->now_nsec;

		p->now_nsec = p->origin_nsec + w->last_nsec + PLAY_EDGE;
		play_rearm(p, clamp_probe(p, probe_span(p, rto, backoff), first_nsec), true,
			   &expires, &fires_nsec);
		p->now_nsec = answered_nsec;
	}
	play_rearm(p, clamp_probe(p, probe_span(p, rto, backoff), first_nsec), false, &expires,
		   &fires_nsec);
	play_tell(p, PLAY_CLOSED, 0, fires_nsec,
		  clamp_probe(p, probe_span(p, rto, backoff), first_nsec));
	for (unsigned int steps = 0; steps < PLAY_STEPS_MAX; steps++) {
		unsigned int most = t->retries2;
		int64_t span;

		play_fire(p, fires_nsec);
		orphan = w->orphaned_nsec != NSEC_NEVER &&
			 p->now_nsec >= p->origin_nsec + w->orphaned_nsec;
		if (first_nsec == NSEC_NONE)
			first_nsec = p->now_nsec;
		else if (user && (p->now_nsec - first_nsec) / play_tick(p) >= user)
			return play_finish(p, MECHANISM_USER_TIMEOUT);
		if (orphan) {
			bool alive = nsec_min(rto << nsec_min(backoff, 32),
					      jiffies_of(p, t->rto_max_nsec)) <
				     jiffies_of(p, t->rto_max_nsec);

			most = t->orphan_retries;
			if (!most && alive)
				most = PLAY_ORPHAN_RETRIES;
			if (!alive && backoff >= most)
				return play_finish(p, MECHANISM_ORPHAN);
		}
		if (unanswered >= most)
			return play_finish(p, orphan ? MECHANISM_ORPHAN : MECHANISM_PERSIST);
		unanswered++;
		backoff += backoff < t->retries2;
		span = clamp_probe(p, probe_span(p, rto, backoff), first_nsec);
		play_rearm(p, span, true, &expires, &fires_nsec);
		play_tell(p, PLAY_PROBE, ++number, fires_nsec, span);
		if (lost_nsec == NSEC_NEVER ||
		    p->now_nsec + w->rtt_nsec / 2 < p->origin_nsec + lost_nsec) {
			/* tcp_ack(), tcp_ack_probe(): the answer arms the timer again. */
			unanswered = 0;
			p->now_nsec += w->rtt_nsec;
			span = clamp_probe(p, probe_span(p, rto, backoff), first_nsec);
			play_rearm(p, span, false, &expires, &fires_nsec);
		}
	}
	return play_no_end;
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
	fires_nsec = play_arm(p, rto, false);
	play_tell(p, PLAY_SYN, 0, fires_nsec, rto);
	for (;;) {
		int64_t elapsed;

		play_fire(p, fires_nsec);
		elapsed = play_msecs(p->now_nsec) - play_msecs(start_nsec);
		if (retransmits >= t->syn_retries + t->syn_linear)
			break;
		if (retransmits && elapsed >= play_msecs(limit_nsec))
			break;
		if (++retransmits > t->syn_linear)
			rto = nsec_min(rto * 2, jiffies_of(p, t->rto_max_nsec));
		span = rto;
		if (t->user_timeout_nsec) {
			int64_t left = play_msecs(limit_nsec) - elapsed;

			left = left <= 0 ? 1 : wheel_msecs_to_jiffies(t->hz, left);
			span = nsec_min(span, left);
		}
		fires_nsec = play_arm(p, span, true);
		play_tell(p, PLAY_SYN, retransmits, fires_nsec, span);
	}
	return play_finish(p, t->user_timeout_nsec &&
					      play_msecs(p->now_nsec) - play_msecs(start_nsec) >=
						      play_msecs(limit_nsec)
				      ? MECHANISM_USER_TIMEOUT
				      : MECHANISM_SYN);
}

/* A SYN that a timer sent comes so soon after the tick, and the timers of that tick go off before
 * it is taken in: softirqs receive after that. */
#define SAME_TICK (100 * NSEC_PER_USEC)

/* reqsk_timeout(). */
static int64_t request_span(const struct play *p, unsigned int timeouts)
{
	return nsec_min(jiffies_of(p, TIMERS_SYN_RTO) << nsec_min(timeouts, 32),
			jiffies_of(p, p->timers->synack_max_nsec));
}

struct play_end play_synack(struct play *p, const nsec_t *syns, size_t n_syns)
{
	unsigned int timeouts = 0;
	nsec_t fires_nsec = NSEC_NEVER;

	for (size_t i = 0; i < n_syns || fires_nsec != NSEC_NEVER;) {
		bool comes = i < n_syns && p->origin_nsec + syns[i] < fires_nsec - SAME_TICK;
		int64_t span;

		if (comes)
			p->now_nsec = p->origin_nsec + syns[i++];
		else
			play_fire(p, fires_nsec);
		if (!comes && timeouts++ >= p->timers->synack_retries) {
			if (i == n_syns || p->origin_nsec + syns[i] > fires_nsec + play_tick(p))
				return play_finish(p, MECHANISM_SYNACK);
			fires_nsec = NSEC_NEVER;
			timeouts = 0;
			continue;
		}
		span = request_span(p, timeouts);
		fires_nsec = play_arm(p, span, !comes);
		play_tell(p, PLAY_SYNACK, timeouts, fires_nsec, span);
	}
	return play_no_end;
}

struct play_end play_time_wait(struct play *p, nsec_t since_nsec)
{
	p->now_nsec = p->origin_nsec + since_nsec;
	play_fire(p, play_arm(p, TIME_WAIT_SPAN * (int64_t)p->timers->hz, false));
	return play_finish(p, MECHANISM_TIME_WAIT);
}

struct play_end play_fin_wait_2(struct play *p, nsec_t since_nsec, int64_t rto)
{
	int64_t most = TIME_WAIT_SPAN * (int64_t)p->timers->hz;
	int64_t span = nsec_max(jiffies_of(p, p->timers->fin_timeout_nsec), 4 * rto - rto / 2);

	p->now_nsec = p->origin_nsec + since_nsec;
	if (span > most) {
		nsec_t fires_nsec = play_arm(p, span - most, false);

		play_fire(p, fires_nsec);
		/* tcp_keepalive_timer() makes the small socket for as long again. */
		span = nsec_max(span - most, 4 * rto - rto / 2);
		fires_nsec = play_arm(p, span, true);
		play_tell(p, PLAY_STATE, 0, fires_nsec, span);
		play_fire(p, fires_nsec);
	} else {
		p->now_nsec = play_arm(p, span, false);
	}
	return play_finish(p, MECHANISM_FIN_WAIT_2);
}
