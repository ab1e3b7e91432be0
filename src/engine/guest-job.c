/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-job.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "src/engine/guest-files.h"

static json_object *text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

/* The files' texts, and the scenarios made of them, each once. Trials of one scenario follow each
 * other, so a search begins with the latest. */
struct lists {
	json_object *sources, *scenarios;
	const struct scenario **known; /* one for each of `scenarios`; owned */
	size_t n_known;
};

static size_t place_of_source(json_object *sources, const struct scenario *s)
{
	size_t n = json_object_array_length(sources);
	json_object *o, *known;

	for (size_t i = n; i-- > 0;) {
		json_object_object_get_ex(json_object_array_get_idx(sources, i), "text", &known);
		if (!strcmp(json_object_get_string(known), s->source))
			return i;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", text(s->file));
	json_object_object_add(o, "text", text(s->source));
	json_object_array_add(sources, o);
	return n;
}

static json_object *scenario_json(struct lists *lists, const struct scenario *s)
{
	json_object *o = json_object_new_object(), *sets = json_object_new_array();

	for (char **set = s->recipe.set; *set; set++)
		json_object_array_add(sets, text(*set));
	json_object_object_add(o, "source",
			       json_object_new_uint64(place_of_source(lists->sources, s)));
	json_object_object_add(o, "variant", text(s->variant));
	json_object_object_add(o, "quick", json_object_new_boolean(s->recipe.quick));
	json_object_object_add(o, "measure_only", json_object_new_boolean(s->recipe.measure_only));
	json_object_object_add(o, "horizon_nsec", json_object_new_int64(s->recipe.horizon_nsec));
	json_object_object_add(o, "set", sets);
	return o;
}

static size_t place_of(struct lists *lists, const struct scenario *s)
{
	for (size_t i = lists->n_known; i-- > 0;)
		if (lists->known[i] == s)
			return i;
	json_object_array_add(lists->scenarios, scenario_json(lists, s));
	lists->known[lists->n_known] = s;
	return lists->n_known++;
}

static json_object *trials_json(const struct engine_job *job, const size_t *indices, size_t n,
				struct lists *lists)
{
	json_object *trials = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		const struct engine_trial *t = &job->trials[indices[i]];
		json_object *trial = json_object_new_object();

		json_object_object_add(trial, "index", json_object_new_uint64(indices[i]));
		json_object_object_add(trial, "scenario",
				       json_object_new_uint64(place_of(lists, t->scenario)));
		json_object_object_add(trial, "family", json_object_new_int(t->family));
		json_object_object_add(trial, "repeat", json_object_new_int((int)t->repeat));
		json_object_object_add(trial, "phase", json_object_new_int64(t->phase));
		json_object_array_add(trials, trial);
	}
	return trials;
}

char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n)
{
	struct lists lists = { json_object_new_array(), json_object_new_array(),
			       calloc(n + 1, sizeof(*lists.known)), 0 };
	json_object *o = json_object_new_object();
	char *copy = NULL;

	json_object_object_add(o, "seed", json_object_new_uint64(job->seed));
	json_object_object_add(o, "pcap", json_object_new_boolean(job->pcap_dir != NULL));
	json_object_object_add(o, "trace", json_object_new_boolean(job->trace));
	json_object_object_add(o, "no_bpf", json_object_new_boolean(job->derived_only));
	if (lists.known)
		json_object_object_add(o, "trials", trials_json(job, indices, n, &lists));
	json_object_object_add(o, "sources", lists.sources);
	json_object_object_add(o, "scenarios", lists.scenarios);
	if (lists.known)
		copy = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	free(lists.known);
	return copy;
}

static json_object *get(json_object *o, const char *key)
{
	json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

/* The sources of a job, parsed once for all the scenarios that are made of them. */
struct sources {
	struct scenario_source **items; /* owned */
	size_t count;
};

static void sources_deinit(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		scenario_source_free(sources->items[i]);
	free(sources->items);
}

static int read_sources(json_object *list, struct sources *sources, struct error *err)
{
	size_t n = json_object_array_length(list);
	int rc = 0;

	sources->items = calloc(n + 1, sizeof(struct scenario_source *));
	if (!sources->items)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		json_object *source = get(o, "text");

		rc = scenario_source_parse(
			json_object_get_string(get(o, "file")), json_object_get_string(source),
			(size_t)json_object_get_string_len(source), &sources->items[i], err);
		sources->count += rc >= 0;
	}
	return rc;
}

static int find_variant(const struct scenario_source *source, const char *wanted,
			size_t *ret_variant, struct error *err)
{
	for (size_t i = 0; i < scenario_source_count(source); i++) {
		const char *name = scenario_source_variant(source, i);

		if ((!wanted && !name) || (wanted && name && !strcmp(wanted, name))) {
			*ret_variant = i;
			return 0;
		}
	}
	return error_set(err, ERROR_FAILED, -EBADMSG, "job: there is no variant '%s'", wanted);
}

static int read_scenario(json_object *o, const struct sources *sources,
			 struct scenario **ret_scenario, struct error *err)
{
	const struct scenario_source *source =
		sources->items[json_object_get_uint64(get(o, "source"))];
	json_object *sets = get(o, "set");
	size_t n_sets = json_object_array_length(sets), variant = 0;
	_cleanup_(freep) const char **set = calloc(n_sets + 1, sizeof(*set));
	struct scenario_request request = {
		.quick = json_object_get_boolean(get(o, "quick")),
		.measure_only = json_object_get_boolean(get(o, "measure_only")),
		.horizon_nsec = json_object_get_int64(get(o, "horizon_nsec")),
		.set = set,
		.n_set = n_sets,
	};
	int rc;

	if (!set)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; i < n_sets; i++)
		set[i] = json_object_get_string(json_object_array_get_idx(sets, i));
	rc = find_variant(source, json_object_get_string(get(o, "variant")), &variant, err);
	return rc < 0 ? rc : scenario_source_make(source, variant, &request, ret_scenario, err);
}

static int read_scenarios(json_object *o, struct guest_job *job, struct error *err)
{
	_cleanup_(sources_deinit) struct sources sources = { 0 };
	json_object *scenarios = get(o, "scenarios");
	size_t n = json_object_array_length(scenarios);
	int rc = read_sources(get(o, "sources"), &sources, err);

	job->scenarios.items = calloc(n + 1, sizeof(*job->scenarios.items));
	if (!job->scenarios.items)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = read_scenario(json_object_array_get_idx(scenarios, i), &sources,
				   &job->scenarios.items[i], err);
		job->scenarios.count += rc >= 0;
	}
	return rc;
}

static int read_trials(json_object *o, struct guest_job *job, struct error *err)
{
	json_object *list = get(o, "trials");
	size_t n = json_object_array_length(list);

	job->trials = calloc(n + 1, sizeof(*job->trials));
	job->indices = calloc(n + 1, sizeof(*job->indices));
	if (!job->trials || !job->indices)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; i < n; i++) {
		json_object *t = json_object_array_get_idx(list, i);
		size_t scenario = json_object_get_uint64(get(t, "scenario"));

		job->indices[i] = json_object_get_uint64(get(t, "index"));
		job->trials[i] = (struct engine_trial){
			.scenario = job->scenarios.items[scenario],
			.family = (enum family)json_object_get_int(get(t, "family")),
			.repeat = (unsigned int)json_object_get_int(get(t, "repeat")),
			.phase = json_object_get_int64(get(t, "phase")),
		};
	}
	job->job = (struct engine_job){
		.trials = job->trials,
		.n_trials = n,
		.jobs = (unsigned int)n,
		.seed = json_object_get_uint64(get(o, "seed")),
		.pcap_dir = json_object_get_boolean(get(o, "pcap")) ? GUEST_FILES_FOLDER : NULL,
		.trace = json_object_get_boolean(get(o, "trace")),
		.derived_only = json_object_get_boolean(get(o, "no_bpf")),
		.pin_phases = true,
	};
	return 0;
}

int guest_job_read(const char *job_text, size_t size, struct guest_job *ret_job, struct error *err)
{
	_cleanup_(freep) char *copy = strndup(job_text, size);
	json_object *o = copy ? json_tokener_parse(copy) : NULL;
	struct guest_job job = { 0 };
	int rc;

	if (!o)
		return error_set(err, ERROR_FAILED, -EBADMSG, "job: not JSON");
	rc = read_scenarios(o, &job, err);
	if (rc >= 0)
		rc = read_trials(o, &job, err);
	json_object_put(o);
	if (rc < 0)
		guest_job_deinit(&job);
	else
		*ret_job = job;
	return rc;
}

void guest_job_deinit(struct guest_job *job)
{
	scenario_list_deinit(&job->scenarios);
	free(job->trials);
	free(job->indices);
	*job = (struct guest_job){ 0 };
}

/* The record's own line is carried as it is, after the index. */
char *guest_job_answer(size_t index, const struct record *record, const struct error *err)
{
	_cleanup_(freep) char *json = record ? record_to_json(record) : NULL;
	json_object *o;
	char *line = NULL;

	if (json)
		return asprintf(&line, "%zu %s", index, json) < 0 ? NULL : line;
	o = json_object_new_object();
	json_object_object_add(o, "error", text(err->text));
	json_object_object_add(o, "kind", json_object_new_int(err->kind));
	if (asprintf(&line, "%zu %s", index,
		     json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) < 0)
		line = NULL;
	json_object_put(o);
	return line;
}

int guest_job_read_answer(const char *line, size_t *ret_index, struct record **ret_record,
			  struct error *ret_error, struct error *err)
{
	char *rest;
	size_t index = strtoull(line, &rest, 10);
	json_object *o;

	if (rest == line || *rest != ' ')
		return error_set(err, ERROR_FAILED, -EBADMSG, "guest: '%.60s' is no answer", line);
	*ret_index = index;
	*ret_record = NULL;
	if (strncmp(rest + 1, "{\"error\"", 8) != 0)
		return record_from_json(rest + 1, ret_record, err);
	o = json_tokener_parse(rest + 1);
	error_set(ret_error, (enum error_kind)json_object_get_int(get(o, "kind")), -EIO, "%s",
		  json_object_get_string(get(o, "error")));
	json_object_put(o);
	return 0;
}
