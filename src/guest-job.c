/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest-job.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

static json_object *text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

/* Each trial names its scenario by place in a list without repetitions: file, text and variant. */
static size_t place_of(json_object *list, const struct scenario *s)
{
	size_t n = json_object_array_length(list);
	json_object *o;

	for (size_t i = n; i-- > 0;) {
		json_object *known;

		json_object_object_get_ex(json_object_array_get_idx(list, i), "address", &known);
		if (json_object_get_uint64(known) == (uintptr_t)s)
			return i;
	}
	o = json_object_new_object();
	json_object_object_add(o, "address", json_object_new_uint64((uintptr_t)s));
	json_object_object_add(o, "file", text(s->file));
	json_object_object_add(o, "source", text(s->source));
	json_object_object_add(o, "variant", text(s->variant));
	json_object_array_add(list, o);
	return n;
}

static void strip_addresses(json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		json_object_object_del(json_object_array_get_idx(list, i), "address");
}

static json_object *request_json(const struct scenario_request *request)
{
	json_object *o = json_object_new_object(), *sets = json_object_new_array();

	for (size_t i = 0; i < request->n_set; i++)
		json_object_array_add(sets, text(request->set[i]));
	json_object_object_add(o, "quick", json_object_new_boolean(request->quick));
	json_object_object_add(o, "horizon_nsec", json_object_new_int64(request->horizon_nsec));
	json_object_object_add(o, "set", sets);
	return o;
}

char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n)
{
	json_object *o = json_object_new_object(), *scenarios = json_object_new_array();
	json_object *trials = json_object_new_array();
	char *copy;

	for (size_t i = 0; i < n; i++) {
		const struct engine_trial *t = &job->trials[indices[i]];
		json_object *trial = json_object_new_object();

		json_object_object_add(trial, "index", json_object_new_uint64(indices[i]));
		json_object_object_add(trial, "scenario",
				       json_object_new_uint64(place_of(scenarios, t->scenario)));
		json_object_object_add(trial, "family", json_object_new_int(t->family));
		json_object_object_add(trial, "repeat", json_object_new_int((int)t->repeat));
		json_object_object_add(trial, "phase", json_object_new_int64(t->phase));
		json_object_array_add(trials, trial);
	}
	strip_addresses(scenarios);
	json_object_object_add(o, "seed", json_object_new_uint64(job->seed));
	json_object_object_add(o, "no_bpf", json_object_new_boolean(job->force_fallback));
	json_object_object_add(o, "request", request_json(job->request));
	json_object_object_add(o, "scenarios", scenarios);
	json_object_object_add(o, "trials", trials);
	copy = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return copy;
}

static json_object *get(json_object *o, const char *key)
{
	json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

/* Loads the file's variants and keeps the one that is meant. */
static int read_scenario(json_object *o, const struct scenario_request *request,
			 struct scenario_list *list, struct error *err)
{
	const char *source = json_object_get_string(get(o, "source"));
	const char *variant = json_object_get_string(get(o, "variant"));
	struct scenario_list all = { 0 };
	int r = scenario_parse(json_object_get_string(get(o, "file")), source, strlen(source),
			       request, &all, err);

	for (size_t i = 0; r >= 0 && i < all.count; i++) {
		const char *name = all.items[i]->variant;

		if ((!variant && !name) || (variant && name && !strcmp(variant, name))) {
			list->items[list->count++] = take_ptr(all.items[i]);
			break;
		}
	}
	scenario_list_deinit(&all);
	return r;
}

static int read_scenarios(json_object *o, struct guest_job *job, struct error *err)
{
	json_object *request = get(o, "request"), *sets = get(request, "set");
	json_object *scenarios = get(o, "scenarios");
	size_t n_sets = json_object_array_length(sets), n = json_object_array_length(scenarios);
	_cleanup_(freep) const char **set = calloc(n_sets + 1, sizeof(*set));
	struct scenario_request how = {
		.quick = json_object_get_boolean(get(request, "quick")),
		.horizon_nsec = json_object_get_int64(get(request, "horizon_nsec")),
		.set = set,
		.n_set = n_sets,
	};
	int r = 0;

	job->scenarios.items = calloc(n + 1, sizeof(*job->scenarios.items));
	if (!set || !job->scenarios.items)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; i < n_sets; i++)
		set[i] = json_object_get_string(json_object_array_get_idx(sets, i));
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = read_scenario(json_object_array_get_idx(scenarios, i), &how, &job->scenarios,
				  err);
	if (r >= 0 && job->scenarios.count != n)
		return error_set(err, ERROR_FAILED, -EBADMSG, "job: a variant is missing");
	return r;
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
		.force_fallback = json_object_get_boolean(get(o, "no_bpf")),
		.pin_phases = true,
	};
	return 0;
}

int guest_job_read(const char *job_text, size_t size, struct guest_job *ret_job, struct error *err)
{
	_cleanup_(freep) char *copy = strndup(job_text, size);
	json_object *o = copy ? json_tokener_parse(copy) : NULL;
	struct guest_job job = { 0 };
	int r;

	if (!o)
		return error_set(err, ERROR_FAILED, -EBADMSG, "job: not JSON");
	r = read_scenarios(o, &job, err);
	if (r >= 0)
		r = read_trials(o, &job, err);
	json_object_put(o);
	if (r < 0)
		guest_job_deinit(&job);
	else
		*ret_job = job;
	return r;
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
