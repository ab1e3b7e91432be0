/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/figures.h"

#include <errno.h>
#include <limits.h>
#include <math.h>

#include "src/model/model.h"
#include "src/tune/scene.h"
#include "src/util/tick.h"

#define RTO_MIN (200 * NSEC_PER_MSEC) /* TCP_RTO_MIN */
#define DAY	86400.0
#define PHASES	16   /* at which the walk of probes is played; spread by STRIDE */
#define STRIDE	2053 /* prime to TICK_PHASES */

/* Of a walk: when the first packet was sent that nobody answers, when the last one was, and how
 * many there were. */
struct walk {
	nsec_t first_nsec, last_nsec; /* NSEC_NONE: none was */
	unsigned int tries;
};

static void note_step(const struct play_step *step, void *userdata)
{
	struct walk *w = userdata;

	switch (step->kind) {
	case PLAY_SEND:
	case PLAY_LOSS_PROBE:
	case PLAY_RETRANSMIT:
	case PLAY_KEEPALIVE:
		if (w->first_nsec == NSEC_NONE)
			w->first_nsec = step->at_nsec;
		w->last_nsec = step->at_nsec;
		w->tries++;
		break;
	default:
		break;
	}
}

static int make(const struct tune_goal *goal, const struct tune_settings *settings,
		enum tune_workload workload, struct scenario_list *list, struct error *err)
{
	return tune_scene_make(goal, settings, TUNE_LOST, workload, 0, list, err);
}

/* The RTO of a connection is between that of a path without variation and that of one that has just
 * begun (RFC 6298, 2.2; tcp_rtt_estimator(), where rttvar is 200 ms at least). */
static size_t count_rtos(const struct tune_goal *goal, enum tune_workload workload)
{
	return goal->rtt_nsec && workload == TUNE_BUSY ? 2 : 1;
}

static struct model_facts facts_of(const struct tune_goal *goal, size_t kernel, size_t rto)
{
	struct model_facts facts = goal->facts[kernel];
	nsec_t var_nsec = rto ? nsec_max(RTO_MIN, 2 * goal->rtt_nsec) : RTO_MIN;

	if (goal->rtt_nsec) {
		facts.rtt_nsec = goal->rtt_nsec;
		facts.rto_nsec = goal->rtt_nsec + var_nsec;
	}
	return facts;
}

int tune_detect(const struct tune_goal *goal, const struct tune_settings *settings,
		enum tune_workload workload, nsec_t *ret_nsec, struct error *err)
{
	struct scenario_list list = { 0 };
	size_t rtos = count_rtos(goal, workload);
	int rc = make(goal, settings, workload, &list, err);

	*ret_nsec = 0;
	for (size_t i = 0; rc >= 0 && i < goal->n_facts * rtos; i++) {
		struct model_facts facts = facts_of(goal, i / rtos, i % rtos);
		struct prediction p = model_predict(list.items[0], FAMILY_IPV4, END_CLIENT, &facts);
		nsec_t at_nsec = p.reason ? NSEC_NEVER : p.latest_nsec;

		*ret_nsec = nsec_max(*ret_nsec, at_nsec);
	}
	if (*ret_nsec != NSEC_NEVER)
		*ret_nsec += workload == TUNE_IDLE ? TUNE_EARLY : tune_interval(goal);
	scenario_list_deinit(&list);
	return rc < 0 ? rc : 0;
}

int tune_survive(const struct tune_goal *goal, const struct tune_settings *settings,
		 enum tune_workload workload, nsec_t *ret_nsec, unsigned int *ret_tries,
		 struct error *err)
{
	struct scenario_list list = { 0 };
	size_t rtos = count_rtos(goal, workload);
	int rc = make(goal, settings, workload, &list, err);

	*ret_nsec = NSEC_NEVER;
	*ret_tries = UINT_MAX;
	for (size_t i = 0; rc >= 0 && i < goal->n_facts * rtos * PHASES; i++) {
		struct model_facts facts = facts_of(goal, i / PHASES / rtos, i / PHASES % rtos);
		struct walk w = { NSEC_NONE, NSEC_NONE, 0 };

		facts.phase = (int64_t)(i % PHASES) * STRIDE % TICK_PHASES;
		model_derive(list.items[0], FAMILY_IPV4, END_CLIENT, &facts, note_step, &w);
		if (!w.tries)
			continue;
		*ret_nsec = nsec_min(*ret_nsec, w.last_nsec - w.first_nsec - goal->rtt_nsec);
		*ret_tries = w.tries < *ret_tries ? w.tries : *ret_tries;
	}
	if (*ret_nsec == NSEC_NEVER)
		*ret_nsec = 0;
	scenario_list_deinit(&list);
	return rc < 0 ? rc : 0;
}

/* How often a day so many tries in a row fail, of that many first tries: a packet and its answer
 * both have to get through. */
static double alarms(const struct tune_goal *goal, unsigned int tries, double firsts)
{
	double through = 1 - goal->loss, fails = 1 - through * through;

	return firsts * pow(fails, tries);
}

int tune_figures(const struct tune_goal *goal, const struct tune_settings *settings,
		 struct tune_figures *ret, struct error *err)
{
	const double firsts[_TUNE_WORKLOAD_MAX] = { [TUNE_IDLE] = DAY / settings->idle,
						    [TUNE_BUSY] = DAY / nsec_to_sec(tune_interval(
										goal)) };
	int rc = 0;

	ret->alarms_a_day = 0;
	ret->probes_a_day = DAY / settings->idle;
	for (enum tune_workload w = 0; rc >= 0 && w < _TUNE_WORKLOAD_MAX; w++) {
		if (!goal->workloads[w])
			continue;
		rc = tune_detect(goal, settings, w, &ret->detect_nsec[w], err);
		if (rc >= 0)
			rc = tune_survive(goal, settings, w, &ret->survive_nsec[w], &ret->tries[w],
					  err);
		if (rc >= 0)
			ret->alarms_a_day =
				fmax(ret->alarms_a_day, alarms(goal, ret->tries[w], firsts[w]));
	}
	return rc;
}

nsec_t tune_worst_detect(const struct tune_goal *goal, const struct tune_figures *figures)
{
	nsec_t worst_nsec = 0;

	for (enum tune_workload w = 0; w < _TUNE_WORKLOAD_MAX; w++)
		if (goal->workloads[w])
			worst_nsec = nsec_max(worst_nsec, figures->detect_nsec[w]);
	return worst_nsec;
}

nsec_t tune_least_survive(const struct tune_goal *goal, const struct tune_figures *figures)
{
	nsec_t least_nsec = NSEC_NEVER;

	for (enum tune_workload w = 0; w < _TUNE_WORKLOAD_MAX; w++)
		if (goal->workloads[w])
			least_nsec = nsec_min(least_nsec, figures->survive_nsec[w]);
	return least_nsec;
}
