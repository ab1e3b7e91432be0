/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/search.h"

#include <math.h>
#include <stdlib.h>

#include "src/util/array.h"

#define SLACK                                                                                      \
	(50 * NSEC_PER_MSEC) /* between the end of an outage and the probe that tells of it        \
			      */
#define IDLE_MAX     32767   /* MAX_TCP_KEEPIDLE, s */
#define RETRIES2_MAX 15
#define DETECT_MAX   (24 * 3600 * NSEC_PER_SEC)

/* Seconds between probes that are tried; more of one kind in a round cost only where it begins. */
static const unsigned int intervals[] = { 1, 2, 3, 5, 8, 10, 15, 20, 30, 60, 120, 300, 900, 3600 };
/* So many more probes than an outage asks for, against loss. */
static const unsigned int extra[] = { 0, 2, 5 };
/* Shares of the longest time before the first probe: an earlier detection costs more probes. */
static const double shares[] = { 1, 0.6, 0.3 };

static bool reaches(const struct tune_goal *goal, const struct tune_figures *f)
{
	return tune_worst_detect(goal, f) <= goal->detect_nsec &&
	       tune_least_survive(goal, f) >= goal->survive_nsec + SLACK;
}

/* The longest time before the first probe with which an idle connection is detected in time; 0:
 * none. */
static int longest_idle(const struct tune_goal *goal, struct tune_settings *s, struct error *err)
{
	unsigned int low = 0, high = IDLE_MAX;
	int rc = 0;

	if ((nsec_t)high * NSEC_PER_SEC > goal->detect_nsec)
		high = (unsigned int)(goal->detect_nsec / NSEC_PER_SEC);
	while (rc >= 0 && low < high) {
		nsec_t detect_nsec;

		s->idle = low + (high - low + 1) / 2;
		rc = tune_detect(goal, s, TUNE_IDLE, &detect_nsec, err);
		if (detect_nsec <= goal->detect_nsec)
			low = s->idle;
		else
			high = s->idle - 1;
	}
	s->idle = low;
	return rc;
}

static int survives(const struct tune_goal *goal, const struct tune_settings *s, bool *ret,
		    struct error *err)
{
	int rc = 0;

	*ret = true;
	for (enum tune_workload w = 0; rc >= 0 && *ret && w < _TUNE_WORKLOAD_MAX; w++) {
		nsec_t survive_nsec = NSEC_NEVER;
		unsigned int tries;

		if (goal->workloads[w])
			rc = tune_survive(goal, s, w, &survive_nsec, &tries, err);
		*ret = survive_nsec >= goal->survive_nsec + SLACK;
	}
	return rc;
}

/* The shortest TCP_USER_TIMEOUT, in tenths of a second, with which the outage is survived. */
static int shortest_user_timeout(const struct tune_goal *goal, struct tune_settings *s,
				 struct error *err)
{
	const nsec_t step_nsec = NSEC_PER_SEC / 10;
	nsec_t low = 0, high = goal->detect_nsec / step_nsec;
	int rc = 0;

	while (rc >= 0 && low + 1 < high) {
		nsec_t middle = low + (high - low) / 2;
		bool good = false;

		s->user_timeout_nsec = middle * step_nsec;
		rc = survives(goal, s, &good, err);
		if (good)
			high = middle;
		else
			low = middle;
	}
	s->user_timeout_nsec = high * step_nsec;
	return rc;
}

static bool beats(const struct tune_goal *goal, const struct tune_figures *a,
		  const struct tune_figures *b)
{
	return tune_worst_detect(goal, a) <= tune_worst_detect(goal, b) &&
	       a->alarms_a_day <= b->alarms_a_day && a->probes_a_day <= b->probes_a_day;
}

/* Adds a point unless another beats it, and takes out those that it beats. */
static void add_point(const struct tune_goal *goal, struct tune_result *r,
		      const struct tune_point *point)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (beats(goal, &r->frontier[i].figures, &point->figures))
			return;
	for (size_t i = 0; i < r->n; i++)
		if (!beats(goal, &point->figures, &r->frontier[i].figures))
			r->frontier[kept++] = r->frontier[i];
	r->n = kept;
	if (r->n < TUNE_FRONTIER_MAX)
		r->frontier[r->n++] = *point;
}

/* With so many probes the last one comes after the outage, whose worst begins right before the
 * first. */
static unsigned int count_for(const struct tune_goal *goal, unsigned int interval)
{
	nsec_t needed_nsec = goal->survive_nsec + goal->rtt_nsec + SLACK;
	nsec_t each_nsec = interval * NSEC_PER_SEC;

	return (unsigned int)((needed_nsec + each_nsec - 1) / each_nsec) + 1;
}

/* Tries the settings with the first probe after that share of the longest time. */
static int try_share(const struct tune_goal *goal, struct tune_settings s, double share,
		     struct tune_result *r, struct error *err)
{
	struct tune_point point = { .settings = s };
	int rc = 0;

	point.settings.idle = (unsigned int)fmax(1, floor(s.idle * share));
	if (goal->workloads[TUNE_BUSY])
		rc = shortest_user_timeout(goal, &point.settings, err);
	if (rc >= 0)
		rc = tune_figures(goal, &point.settings, &point.figures, err);
	if (rc >= 0 && reaches(goal, &point.figures))
		add_point(goal, r, &point);
	return rc;
}

static int try_probes(const struct tune_goal *goal, unsigned int interval, unsigned int more,
		      struct tune_result *r, struct error *err)
{
	struct tune_settings s = { .interval = interval,
				   .count = count_for(goal, interval) + more };
	int rc;

	if (s.count > TUNE_PROBES_MAX)
		return 0;
	rc = longest_idle(goal, &s, err);
	for (size_t i = 0; rc >= 0 && s.idle && i < ARRAY_SIZE(shares); i++)
		rc = try_share(goal, s, shares[i], r, err);
	return rc;
}

static void sort(struct tune_result *r)
{
	for (size_t i = 1; i < r->n; i++)
		for (size_t k = i; k > 0 && r->frontier[k].figures.probes_a_day <
						    r->frontier[k - 1].figures.probes_a_day;
		     k--) {
			struct tune_point point = r->frontier[k];

			r->frontier[k] = r->frontier[k - 1];
			r->frontier[k - 1] = point;
		}
}

/* The fewest probes among those with hardly any false alarm; else the fewest false alarms. */
static void choose(struct tune_result *r)
{
	r->chosen = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->frontier[i].figures.alarms_a_day <= TUNE_ALARMS_FEW) {
			r->chosen = i;
			return;
		}
	for (size_t i = 1; i < r->n; i++)
		if (r->frontier[i].figures.alarms_a_day <
		    r->frontier[r->chosen].figures.alarms_a_day)
			r->chosen = i;
}

/* Finds the value of tcp_retries2 that stands in for TCP_USER_TIMEOUT, the greatest of those that
 * do. */
static int find_retries2(const struct tune_goal *goal, struct tune_result *r, struct error *err)
{
	struct tune_point point = { .settings = r->frontier[r->chosen].settings };
	int rc = 0;

	point.settings.user_timeout_nsec = 0;
	if (!goal->workloads[TUNE_BUSY]) {
		r->by_retries2 = r->frontier[r->chosen];
		return 0;
	}
	for (unsigned int n = 1; rc >= 0 && n <= RETRIES2_MAX; n++) {
		point.settings.retries2 = n;
		rc = tune_figures(goal, &point.settings, &point.figures, err);
		if (rc >= 0 && reaches(goal, &point.figures))
			r->by_retries2 = point;
	}
	return rc;
}

int tune_search(const struct tune_goal *goal, struct tune_result *ret, struct error *err)
{
	int rc = 0;

	*ret = (struct tune_result){ .n = 0 };
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(intervals); i++)
		for (size_t k = 0; rc >= 0 && k < ARRAY_SIZE(extra); k++)
			rc = try_probes(goal, intervals[i], extra[k], ret, err);
	if (rc < 0)
		return rc;
	if (!ret->n)
		return 0;
	sort(ret);
	choose(ret);
	rc = find_retries2(goal, ret, err);
	return rc < 0 ? rc : 1;
}

/* Whether a goal can be reached at all: the first point is enough. */
static int is_possible(const struct tune_goal *goal, bool *ret, struct error *err)
{
	struct tune_result result = { .n = 0 };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && !result.n && i < ARRAY_SIZE(intervals); i++)
		rc = try_probes(goal, intervals[i], 0, &result, err);
	*ret = result.n > 0;
	return rc;
}

enum wish {
	WISH_DETECT,
	WISH_SURVIVE,
};

static nsec_t *wish_of(struct tune_goal *goal, enum wish wish)
{
	return wish == WISH_DETECT ? &goal->detect_nsec : &goal->survive_nsec;
}

/* Between a time with which the goal is impossible and one with which it is not, finds the one next
 * to the first, in tenths of a second. */
static int bisect(struct tune_goal goal, enum wish wish, nsec_t possible_nsec, nsec_t *ret_nsec,
		  struct error *err)
{
	const nsec_t step_nsec = NSEC_PER_SEC / 10;
	nsec_t impossible_nsec = *wish_of(&goal, wish);
	int rc = 0;

	while (rc >= 0) {
		nsec_t middle_nsec = (impossible_nsec + possible_nsec) / 2 / step_nsec * step_nsec;
		bool good = false;

		if (llabs(possible_nsec - impossible_nsec) <= step_nsec ||
		    middle_nsec == impossible_nsec || middle_nsec == possible_nsec)
			break;
		*wish_of(&goal, wish) = middle_nsec;
		rc = is_possible(&goal, &good, err);
		*(good ? &possible_nsec : &impossible_nsec) = middle_nsec;
	}
	*ret_nsec = possible_nsec;
	return rc;
}

int tune_nearest(const struct tune_goal *goal, nsec_t *ret_detect_nsec, nsec_t *ret_survive_nsec,
		 struct error *err)
{
	struct tune_goal other = *goal;
	bool good = false;
	int rc = 0;

	*ret_detect_nsec = NSEC_NEVER;
	*ret_survive_nsec = 0;
	while (rc >= 0 && !good && other.detect_nsec < DETECT_MAX) {
		other.detect_nsec *= 2;
		rc = is_possible(&other, &good, err);
	}
	if (rc >= 0 && good)
		rc = bisect(*goal, WISH_DETECT, other.detect_nsec, ret_detect_nsec, err);
	other = *goal;
	other.survive_nsec = 0;
	if (rc >= 0)
		rc = is_possible(&other, &good, err);
	if (rc >= 0 && good)
		rc = bisect(*goal, WISH_SURVIVE, 0, ret_survive_nsec, err);
	return rc;
}
