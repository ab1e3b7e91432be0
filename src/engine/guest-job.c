/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-job.h"

#include <errno.h>
#include <string.h>

#include "src/engine/guest-files.h"
#include "src/record/json.h"
#include "src/util/array.h"

/* A scenario file. */
struct source {
	char *file, *text;
};

/* How a scenario is made of its source. */
struct plan {
	const struct scenario *scenario; /* the one of the host; it is not sent */
	size_t source;			 /* index */
	char *variant;			 /* NULL: the file has none */
	bool quick, measure_only;
	nsec_t horizon_nsec; /* 0: the file's */
	char **set;	     /* "KEY=VALUE" */
	size_t n_set;
};

struct wanted {
	size_t plan; /* index */
	enum family family;
	unsigned int repeat;
	int64_t phase;
};

/* The job as it is sent. Each source and each plan is there once, whatever the number of trials.
 * The arrays are owned, and on the host the texts are the scenarios'. */
struct order {
	uint64_t seed;
	bool pcap, trace, derived_only;
	struct source *sources;
	size_t n_sources;
	struct plan *plans;
	size_t n_plans;
	struct wanted *trials;
	size_t n_trials;
};

static const struct json_field source_fields[] = {
	{ JSON_ROW(TEXT, source, file, "file") },
	{ JSON_ROW(TEXT, source, text, "text") },
};
static const struct json_table source_table = JSON_TABLE(source, source_fields);

static const struct json_field set_fields[] = {
	{ .key = "set", .kind = JSON_TEXT, .size = sizeof(char *) },
};
static const struct json_table set_table = { set_fields, 1, sizeof(char *) };

static const struct json_field plan_fields[] = {
	{ JSON_ROW(COUNT, plan, source, "source") },
	{ JSON_ROW(TEXT, plan, variant, "variant") },
	{ JSON_ROW(COUNT, plan, quick, "quick") },
	{ JSON_ROW(COUNT, plan, measure_only, "measure_only") },
	{ JSON_ROW(NUMBER, plan, horizon_nsec, "horizon_nsec") },
	{ JSON_LIST_ROW(plan, set, "set", set_table) },
};
static const struct json_table plan_table = JSON_TABLE(plan, plan_fields);

static const struct json_field wanted_fields[] = {
	{ JSON_ROW(COUNT, wanted, plan, "plan") },
	{ JSON_ROW(COUNT, wanted, family, "family") },
	{ JSON_ROW(COUNT, wanted, repeat, "repeat") },
	{ JSON_ROW(NUMBER, wanted, phase, "phase") },
};
static const struct json_table wanted_table = JSON_TABLE(wanted, wanted_fields);

static const struct json_field order_fields[] = {
	{ JSON_ROW(COUNT, order, seed, "seed") },
	{ JSON_ROW(COUNT, order, pcap, "pcap") },
	{ JSON_ROW(COUNT, order, trace, "trace") },
	{ JSON_ROW(COUNT, order, derived_only, "derived_only") },
	{ JSON_LIST_ROW(order, sources, "sources", source_table) },
	{ JSON_LIST_ROW(order, plans, "plans", plan_table) },
	{ JSON_LIST_ROW(order, trials, "trials", wanted_table) },
};
static const struct json_table order_table = JSON_TABLE(order, order_fields);

static int add_source(struct order *order, const struct scenario *s, size_t *ret_index)
{
	struct source *source;

	for (size_t i = order->n_sources; i-- > 0;)
		if (!strcmp(order->sources[i].text, s->source)) {
			*ret_index = i;
			return 0;
		}
	source = array_append(&order->sources, &order->n_sources, sizeof(*source));
	if (!source)
		return -ENOMEM;
	*source = (struct source){ s->file, s->source };
	*ret_index = order->n_sources - 1;
	return 0;
}

/* Trials of one scenario follow each other, so the search begins with the latest. */
static int add_plan(struct order *order, const struct scenario *s, size_t *ret_index)
{
	struct plan *plan;

	for (size_t i = order->n_plans; i-- > 0;)
		if (order->plans[i].scenario == s) {
			*ret_index = i;
			return 0;
		}
	plan = array_append(&order->plans, &order->n_plans, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	*plan = (struct plan){
		.scenario = s,
		.variant = s->variant,
		.quick = s->recipe.quick,
		.measure_only = s->recipe.measure_only,
		.horizon_nsec = s->recipe.horizon_nsec,
		.set = s->recipe.set,
	};
	while (plan->set[plan->n_set])
		plan->n_set++;
	*ret_index = order->n_plans - 1;
	return add_source(order, s, &plan->source);
}

static int add_trial(struct order *order, const struct engine_trial *t)
{
	struct wanted *trial = array_append(&order->trials, &order->n_trials, sizeof(*trial));

	if (!trial)
		return -ENOMEM;
	*trial = (struct wanted){ .family = t->family, .repeat = t->repeat, .phase = t->phase };
	return add_plan(order, t->scenario, &trial->plan);
}

static char *write_order(const struct order *order)
{
	struct json_writer writer = { 0 };
	_cleanup_(freep) char *text = NULL;
	size_t size;

	writer.out = open_memstream(&text, &size);
	if (!writer.out)
		return NULL;
	json_write_object(&writer, &order_table, order);
	return fclose(writer.out) != 0 || writer.failed ? NULL : take_ptr(text);
}

char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n)
{
	struct order order = {
		.seed = job->seed,
		.pcap = job->pcap_dir,
		.trace = job->trace,
		.derived_only = job->derived_only,
	};
	char *text = NULL;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_trial(&order, &job->trials[indices[i]]);
	if (rc >= 0)
		text = write_order(&order);
	free(order.sources);
	free(order.plans);
	free(order.trials);
	return text;
}

static int find_variant(const struct scenario_source *source, const char *wanted,
			size_t *ret_variant, struct error *err)
{
	for (size_t i = 0; i < scenario_source_count(source); i++) {
		const char *name = scenario_source_variant(source, i);

		if (name && wanted ? !strcmp(wanted, name) : name == wanted) {
			*ret_variant = i;
			return 0;
		}
	}
	return error_set(err, ERROR_FAILED, -EBADMSG, "job: there is no variant '%s'", wanted);
}

static int make_scenario(const struct plan *plan, const struct scenario_source *source,
			 struct scenario **ret_scenario, struct error *err)
{
	const struct scenario_request request = {
		.quick = plan->quick,
		.measure_only = plan->measure_only,
		.horizon_nsec = plan->horizon_nsec,
		.set = (const char *const *)plan->set,
		.n_set = plan->n_set,
	};
	size_t variant = 0;
	int rc = find_variant(source, plan->variant, &variant, err);

	return rc < 0 ? rc : scenario_source_make(source, variant, &request, ret_scenario, err);
}

/* Parses each source once and makes the scenarios of all plans; both arrays have room for them. */
static int make_scenarios(const struct order *order, struct scenario_source **sources,
			  struct scenario **scenarios, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < order->n_sources; i++) {
		const struct source *s = &order->sources[i];

		rc = scenario_source_parse(s->file, s->text, strlen(s->text), &sources[i], err);
	}
	for (size_t i = 0; rc >= 0 && i < order->n_plans; i++)
		rc = make_scenario(&order->plans[i], sources[order->plans[i].source], &scenarios[i],
				   err);
	for (size_t i = 0; i < order->n_sources; i++)
		scenario_source_free(sources[i]);
	return rc;
}

static int make_job(const struct order *order, struct engine_job *ret_job, struct error *err)
{
	_cleanup_(freep) struct scenario_source **sources =
		calloc(order->n_sources + 1, sizeof(*sources));
	_cleanup_(freep) struct scenario **scenarios =
		calloc(order->n_plans + 1, sizeof(*scenarios));
	struct engine_trial *trials = calloc(order->n_trials + 1, sizeof(*trials));
	int rc;

	if (!sources || !scenarios || !trials)
		return error_errno(err, -ENOMEM, "job");
	rc = make_scenarios(order, sources, scenarios, err);
	for (size_t i = 0; i < order->n_trials; i++)
		trials[i] = (struct engine_trial){
			.scenario = scenarios[order->trials[i].plan],
			.family = order->trials[i].family,
			.repeat = order->trials[i].repeat,
			.phase = order->trials[i].phase,
		};
	*ret_job = (struct engine_job){
		.trials = trials,
		.n_trials = order->n_trials,
		.jobs = (unsigned int)order->n_trials,
		.seed = order->seed,
		.pcap_dir = order->pcap ? GUEST_FILES_FOLDER : NULL,
		.trace = order->trace,
		.derived_only = order->derived_only,
		.pin_phases = true,
	};
	return rc;
}

int guest_job_read(const char *text, size_t size, struct engine_job *ret_job, struct error *err)
{
	_cleanup_(freep) char *copy = strndup(text, size);
	json_object *o = copy ? json_tokener_parse(copy) : NULL;
	struct json_reader reader = { 0 };
	struct order order = { 0 };

	json_read_object(&reader, &order_table, o, &order);
	json_object_put(o);
	if (!o || reader.missing || reader.failed)
		return error_set(err, ERROR_FAILED, -EBADMSG, "job: not whole");
	return make_job(&order, ret_job, err);
}

/* "3 RECORD" in JSON, or "3 !KIND TEXT". */
char *guest_job_answer(size_t trial, const struct record *record, const struct error *err)
{
	_cleanup_(freep) char *json = record ? record_to_json(record) : NULL;
	char *line = NULL;
	int n;

	if (json)
		n = asprintf(&line, "%zu %s", trial, json);
	else
		n = asprintf(&line, "%zu !%d %s", trial, err->kind, err->text);
	return n < 0 ? NULL : line;
}

int guest_job_read_answer(const char *line, size_t *ret_trial, struct record **ret_record,
			  struct error *ret_error, struct error *err)
{
	char *rest;
	long kind;

	*ret_trial = strtoull(line, &rest, 10);
	*ret_record = NULL;
	if (rest == line || *rest != ' ')
		return error_set(err, ERROR_FAILED, -EBADMSG, "guest: '%.60s' is no answer", line);
	if (rest[1] != '!')
		return record_from_json(rest + 1, ret_record, err);
	kind = strtol(rest + 2, &rest, 10);
	error_set(ret_error, (enum error_kind)kind, -EIO, "%s", rest + (*rest == ' '));
	return 0;
}
