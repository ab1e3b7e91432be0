/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/hull.h"

#include "src/util/tick.h"

/* Where ticks begin is known to some microseconds, and between its tick and the end of the socket a
 * timer's handler runs. */
#define EARLY (500 * NSEC_PER_USEC)
#define LATE  (2 * NSEC_PER_MSEC)
static void widen(struct prediction *p, const struct play_end *end)
{
	bool empty = p->mechanism == MECHANISM_NONE;

	if (end->at_nsec == NSEC_NEVER || p->reason)
		return;
	if (!empty && p->mechanism != end->mechanism) {
		*p = (struct prediction){
			.reason = "which of two timers is first depends on the phase"
		};
		return;
	}
	p->earliest_nsec = nsec_min(empty ? NSEC_NEVER : p->earliest_nsec, end->at_nsec - EARLY);
	p->latest_nsec = nsec_max(empty ? 0 : p->latest_nsec, end->at_nsec + LATE);
	p->mechanism = end->mechanism;
}

struct hull {
	struct prediction prediction;
	int64_t granule; /* the widest bucket that any timer fell into, in jiffies */
	bool edge;	 /* as in struct play */
};

static void play_once(const struct player *r, play_func *func, struct play *play, struct hull *hull)
{
	struct play_end end = func(r, play);

	widen(&hull->prediction, &end);
	hull->granule = play->granule > hull->granule ? play->granule : hull->granule;
	hull->edge |= play->edge;
}

/* The times at hand are not those that the kernel read, but some microseconds off, and where a
 * timer's span is next to a whole number of ticks that makes a difference: then both are played.
 * The age of a segment decides anew with each one that is sent after it, so that even a microsecond
 * may lead elsewhere than many. */
static const nsec_t into_off_nsec[] = { 0, -20 * NSEC_PER_USEC, 20 * NSEC_PER_USEC };
static const nsec_t skews_nsec[] = { -20 * NSEC_PER_USEC, -10 * NSEC_PER_USEC, -5 * NSEC_PER_USEC,
				     -2 * NSEC_PER_USEC,  -1 * NSEC_PER_USEC,  NSEC_PER_USEC,
				     2 * NSEC_PER_USEC,	  5 * NSEC_PER_USEC,   10 * NSEC_PER_USEC,
				     20 * NSEC_PER_USEC };
/* Each segment is off by other microseconds. Where many are sent at the same point of a tick, next
 * to where a whole number of ticks is left, the timer may be armed for one tick and for the next in
 * turns, and what is armed anew comes off a lower level of the wheel. */
#define SKEW_SHIFTS 3
static const nsec_t turning_skews_nsec[] = { 5 * NSEC_PER_USEC, 20 * NSEC_PER_USEC };
static const nsec_t srtt_off_nsec[] = { -100 * NSEC_PER_USEC, 100 * NSEC_PER_USEC };

/* By how much what is known is off the truth. */
struct off {
	bool ahead; /* as in struct play, as are the next two */
	struct play_skew skew;
	nsec_t srtt_nsec;
	nsec_t into_nsec; /* how far in its tick the first event is */
};

static void play_off(const struct player *r, play_func *func, struct off off, struct hull *hull)
{
	nsec_t into_nsec = r->facts->into_nsec == NSEC_NONE ? NSEC_PER_SEC / r->facts->hz / 2
							    : r->facts->into_nsec;
	struct play play;

	play_init(&play, &r->timers, r->facts->phase, into_nsec + off.into_nsec);
	play.ahead = off.ahead;
	play.skew = off.skew;
	play.srtt_off_nsec = r->facts->rtt_exact ? off.srtt_nsec / 100 : off.srtt_nsec;
	play_once(r, func, &play, hull);
}

static void play_pinned(const struct player *r, play_func *func, bool ahead, struct hull *hull)
{
	for (size_t i = 0; i < ARRAY_SIZE(into_off_nsec); i++)
		play_off(r, func, (struct off){ ahead, .into_nsec = into_off_nsec[i] }, hull);
	for (size_t i = 0; i < ARRAY_SIZE(skews_nsec); i++)
		play_off(r, func, (struct off){ ahead, .skew = { skews_nsec[i] } }, hull);
	for (size_t i = 0; i < ARRAY_SIZE(turning_skews_nsec); i++)
		for (unsigned int pattern = 0; pattern < 2 * SKEW_SHIFTS; pattern++)
			play_off(r, func,
				 (struct off){ ahead, .skew = { turning_skews_nsec[i], true,
								pattern % 2, pattern / 2 } },
				 hull);
	for (size_t i = 0; i < ARRAY_SIZE(srtt_off_nsec); i++)
		play_off(r, func, (struct off){ ahead, .srtt_nsec = srtt_off_nsec[i] }, hull);
}

/* So many phases are played at most; of more, every n-th, and the interval is n ticks wider. */
#define PHASES_MAX 512
/* How far in its tick the first event strikes makes a difference where one of the times that count
 * from it comes into another tick. Of many segments the last ones count, for each arms the timer
 * anew; where there are others there are also some points at equal distances. */
#define TIMES_MAX    10
#define SEGMENTS_MAX 4
#define GRID	     4
#define POINTS_MAX   (2 * (TIMES_MAX + SEGMENTS_MAX) + GRID + 1)

static size_t add_point(const struct player *r, nsec_t into_nsec, nsec_t *points, size_t n)
{
	nsec_t tick_nsec = NSEC_PER_SEC / r->facts->hz;

	into_nsec = (into_nsec % tick_nsec + tick_nsec) % tick_nsec;
	for (size_t i = 0; i < n; i++)
		if (points[i] == into_nsec)
			return n;
	points[n] = into_nsec;
	return n + 1;
}

/* Whether more is sent than what the points are chosen by. */
static bool writes_on(const struct player *r)
{
	enum workload workload = (enum workload)scenario_option(&r->scenario->agent[r->node],
								OPTION_WORKLOAD, WORKLOAD_IDLE);

	if (r->history.segments)
		return r->history.n_segments > SEGMENTS_MAX;
	return workload == WORKLOAD_STREAM || workload == WORKLOAD_HEARTBEAT;
}

/* Both sides of where a time changes its tick. */
static size_t add_time(const struct player *r, nsec_t time_nsec, nsec_t *points, size_t n)
{
	if (time_nsec == NSEC_NONE)
		return n;
	n = add_point(r, -time_nsec, points, n);
	return add_point(r, -time_nsec - 1, points, n);
}

static size_t points_of(const struct player *r, nsec_t *points)
{
	const struct model_history *h = &r->history;
	bool attempt = r->situation.connect_nsec != NSEC_NEVER;
	const nsec_t times_nsec[TIMES_MAX] = {
		attempt ? h->connect_nsec + r->shift_nsec : NSEC_NONE,
		r->timers.keepalive ? h->established_nsec : NSEC_NONE,
		h->sent_nsec == NSEC_NONE ? NSEC_NONE : h->sent_nsec + r->shift_nsec,
		h->armed_nsec == NSEC_NONE ? NSEC_NONE : h->armed_nsec + r->shift_nsec,
		h->closed_nsec == NSEC_NONE ? NSEC_NONE : h->closed_nsec + r->shift_nsec,
		!r->timers.keepalive ? NSEC_NONE
		: h->n_heard	     ? h->heard[h->n_heard - 1]
				     : h->last_heard_nsec,
		h->n_syns ? h->syns[h->n_syns - 1] : NSEC_NONE,
		h->probes ? h->first_probe_nsec + PLAY_EDGE : NSEC_NONE,
		h->probes ? h->last_probe_nsec + PLAY_EDGE : NSEC_NONE,
		r->since_nsec,
	};
	size_t n = 0;

	n = add_point(r, 0, points, n);
	n = add_point(r, -1, points, n);
	for (int i = 1; writes_on(r) && i < GRID; i++)
		n = add_point(r, NSEC_PER_SEC / r->facts->hz * i / GRID, points, n);
	for (size_t i = 0; i < TIMES_MAX; i++)
		n = add_time(r, times_nsec[i], points, n);
	for (size_t i = 0; i < SEGMENTS_MAX && i < h->n_segments; i++)
		n = add_time(r, h->segments[h->n_segments - 1 - i].sent_nsec, points, n);
	return n;
}

/* Plays the phases that can make a difference: those within the widest bucket. */
static void play_phases(const struct player *r, play_func *func, bool ahead, struct hull *hull)
{
	nsec_t tick_nsec = NSEC_PER_SEC / r->facts->hz, points[POINTS_MAX];
	size_t n = points_of(r, points);
	int64_t stride = 1;

	for (int64_t phase = 0; phase < nsec_min(hull->granule, TICK_PHASES); phase += stride) {
		stride = nsec_max(1, nsec_min(hull->granule, TICK_PHASES) / PHASES_MAX);
		for (size_t i = 0; i < n; i++) {
			for (int64_t late = 0; late <= r->facts->real_time; late++) {
				struct play play;

				play_init(&play, &r->timers, phase, points[i]);
				play.late = late;
				play.ahead = ahead;
				play_once(r, func, &play, hull);
			}
		}
	}
	/* Phases that were left out lie between two that were played, if phases matter at all. */
	if (hull->prediction.latest_nsec - hull->prediction.earliest_nsec > EARLY + LATE) {
		hull->prediction.earliest_nsec -= (stride - 1) * tick_nsec;
		hull->prediction.latest_nsec += (stride - 1) * tick_nsec;
	}
}

/* Whether what was measured leaves it open when it will be, by more than a tick. */
static bool is_undecided(const struct player *r, const struct prediction *p)
{
	nsec_t tick_nsec = NSEC_PER_SEC / r->facts->hz;

	return r->facts->phase >= 0 && r->facts->history &&
	       p->latest_nsec - p->earliest_nsec > EARLY + LATE + tick_nsec;
}

struct prediction hull_play(const struct player *r, play_func *func)
{
	struct hull hull = { .granule = 1 };

	/* Where it makes a difference, the wheel's clock is played both ways. */
	for (int ahead = 0; ahead <= hull.edge; ahead++) {
		if (r->facts->phase >= 0)
			play_pinned(r, func, ahead, &hull);
		else
			play_phases(r, func, ahead, &hull);
	}
	if (hull.prediction.mechanism != MECHANISM_NONE && is_undecided(r, &hull.prediction))
		return (struct prediction){
			.reason = hull.edge ? "whether another timer of the processor is due at "
					      "the same time decides"
					    : "microseconds decide in which tick a timer is armed",
			.first_nsec = hull.prediction.earliest_nsec,
			.last_nsec = hull.prediction.latest_nsec,
		};
	return hull.prediction;
}
