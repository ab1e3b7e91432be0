/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tune/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/tune/scene.h"
#include "src/util/array.h"
#include "src/util/tick.h"

#define PHASES 8    /* of each scene */
#define STRIDE 4099 /* spreads them over TICK_PHASES */

struct plan {
	const struct tune_goal *goal;
	struct scenario_list scenes; /* owned */
	enum tune_scene *kinds;	     /* of each of them; owned */
	size_t n_kinds;
	struct engine_trial *trials; /* owned */
	size_t n_trials, done;
	tune_progress_func *progress;
	void *userdata;
	struct tune_verdict *verdicts; /* of each of the settings; not owned */
	size_t n_settings;
	struct error failure;
};

/* Loss that is not there needs no hour. */
static bool is_wanted(const struct tune_goal *goal, enum tune_scene scene,
		      enum tune_workload workload)
{
	return goal->workloads[workload] && (scene != TUNE_LOSSY || goal->loss > 0) &&
	       (scene != TUNE_OUTAGE || goal->survive_nsec > 0);
}

static int make_scene(struct plan *plan, const struct tune_settings *settings,
		      enum tune_scene scene, enum tune_workload workload, nsec_t offset_nsec,
		      struct error *err)
{
	enum tune_scene *kind = array_append(&plan->kinds, &plan->n_kinds, sizeof(*kind));

	if (!kind)
		return error_errno(err, -ENOMEM, "tune");
	*kind = scene;
	return tune_scene_make(plan->goal, settings, scene, workload, offset_nsec, &plan->scenes,
			       err);
}

static int make_scenes(struct plan *plan, const struct tune_settings *settings, struct error *err)
{
	/* A busy connection is met at as many places in its interval. */
	nsec_t offset_nsec = tune_interval(plan->goal) / PHASES;
	int rc = 0;

	for (enum tune_scene scene = 0; scene < _TUNE_SCENE_MAX; scene++)
		for (enum tune_workload w = 0; w < _TUNE_WORKLOAD_MAX; w++)
			for (int n = 0; rc >= 0 && is_wanted(plan->goal, scene, w) && n < PHASES;
			     n++)
				rc = make_scene(plan, settings, scene, w,
						w == TUNE_BUSY ? n * offset_nsec : 0, err);
	return rc;
}

static int make_trials(struct plan *plan, struct error *err)
{
	plan->n_trials = plan->scenes.count;
	plan->trials = calloc(plan->n_trials + 1, sizeof(*plan->trials));
	if (!plan->trials)
		return error_errno(err, -ENOMEM, "tune");
	for (size_t i = 0; i < plan->n_trials; i++)
		plan->trials[i] = (struct engine_trial){
			.scenario = plan->scenes.items[i],
			.family = i % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
			.phase = (int64_t)(i % PHASES) * STRIDE % TICK_PHASES,
			/* What is lost by chance must not depend on the others. */
			.alone = plan->kinds[i] == TUNE_LOSSY,
		};
	return 0;
}

static void note(char *text, size_t size, const struct record *r, const char *what)
{
	if (!*text)
		snprintf(text, size, "%s (%s, %s, phase %lld): %s", r->scenario,
			 family_name(r->family), r->kernel, (long long)r->phase, what);
}

static void judge_loss(const struct plan *plan, struct tune_verdict *v, const struct record *r)
{
	const struct record_endpoint *e = &r->endpoint[END_CLIENT];
	char what[128], span[64];

	if (e->kernel_nsec != NSEC_NONE)
		v->detect_nsec = nsec_max(v->detect_nsec, e->kernel_nsec);
	if (e->kernel_nsec != NSEC_NONE && e->kernel_nsec <= plan->goal->detect_nsec)
		return;
	v->broken++;
	if (e->kernel_nsec == NSEC_NONE)
		snprintf(what, sizeof(what), "the loss of the peer went unnoticed");
	else
		snprintf(what, sizeof(what), "the loss of the peer was noticed after %s",
			 nsec_format(span, sizeof(span), e->kernel_nsec));
	note(v->first, sizeof(v->first), r, what);
}

static void judge_survival(struct tune_verdict *v, const struct record *r)
{
	const struct record_endpoint *e = &r->endpoint[END_CLIENT];
	char what[128], span[64];

	if (e->outcome == OUTCOME_SURVIVED || e->outcome == OUTCOME_UNDETECTED)
		return;
	v->broken++;
	snprintf(what, sizeof(what), "a healthy connection ended, %s after %s",
		 outcome_name(e->outcome) ? outcome_name(e->outcome) : "?",
		 nsec_format(span, sizeof(span), e->kernel_nsec));
	note(v->first, sizeof(v->first), r, what);
}

static void on_done(size_t trial, struct record *r, const struct error *err, void *userdata)
{
	struct plan *plan = userdata;
	/* The scenes of each of the settings follow each other, and are as many. */
	struct tune_verdict *v = &plan->verdicts[trial / (plan->n_trials / plan->n_settings)];

	v->trials++;
	plan->done++;
	if (!r) {
		v->inconclusive++;
		if (plan->failure.kind == ERROR_NONE)
			plan->failure = *err;
		return;
	}
	if (record_verdict(r) == VERDICT_INCONCLUSIVE) {
		v->inconclusive++;
		note(v->first_open, sizeof(v->first_open), r, r->doubts[0]);
	} else if (plan->kinds[trial] == TUNE_LOST) {
		judge_loss(plan, v, r);
	} else {
		judge_survival(v, r);
	}
	record_free(r);
}

static void on_progress(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			void *userdata)
{
	struct plan *plan = userdata;

	if (plan->progress)
		plan->progress(plan->done, plan->n_trials, plan->userdata);
}

int tune_verify(const struct engine *engine, const struct tune_goal *goal,
		const struct tune_settings *settings, size_t n, const char *kernel,
		tune_progress_func *progress, void *userdata, struct tune_verdict *verdicts,
		struct error *err)
{
	struct plan plan = { .goal = goal,
			     .progress = progress,
			     .userdata = userdata,
			     .verdicts = verdicts,
			     .n_settings = n };
	struct engine_listener listener = { on_done, on_progress, &plan };
	struct engine_job job = { .seed = 1, .kernel_name = kernel, .pin_phases = true };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = make_scenes(&plan, &settings[i], err);
	if (rc >= 0)
		rc = make_trials(&plan, err);
	if (rc >= 0) {
		job.trials = plan.trials;
		job.n_trials = plan.n_trials;
		rc = engine->run(&job, &listener, err);
	}
	if (rc >= 0 && plan.failure.kind != ERROR_NONE) {
		*err = plan.failure;
		rc = -EIO;
	}
	free(plan.trials);
	free(plan.kinds);
	scenario_list_deinit(&plan.scenes);
	return rc < 0 ? rc : 0;
}
