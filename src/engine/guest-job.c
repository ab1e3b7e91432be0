/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-job.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#include "src/engine/guest-files.h"
#include "src/engine/guest-programs.h"
#include "src/record/json.h"
#include "src/text/yaml-writer.h"
#include "src/util/array.h"
#include "src/util/format.h"

/* A scenario file, without what it expects: the host judges, and a guest's clock goes by what it
 * executes. */
struct source {
	const char *original; /* the whole text, on the host; it is not sent */
	char *file, *text;
};

/* How a scenario is made of its source. */
struct plan {
	const struct scenario *scenario; /* the one of the host; it is not sent */
	size_t source;			 /* index */
	char *variant;			 /* NULL: the file has none */
	bool quick;
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
	bool pcap, logs, trace, derived_only;
	char *folder, *path; /* for programs: the working folder, and $PATH; NULL: there are none */
	char **variables;    /* "NAME=VALUE" that they want passed on; owned */
	size_t n_variables;
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
	{ JSON_ROW(COUNT, order, logs, "logs") },
	{ JSON_ROW(COUNT, order, trace, "trace") },
	{ JSON_ROW(COUNT, order, derived_only, "derived_only") },
	{ JSON_ROW(TEXT, order, folder, "folder") },
	{ JSON_ROW(TEXT, order, path, "path") },
	{ JSON_LIST_ROW(order, variables, "variables", set_table) },
	{ JSON_LIST_ROW(order, sources, "sources", source_table) },
	{ JSON_LIST_ROW(order, plans, "plans", plan_table) },
	{ JSON_LIST_ROW(order, trials, "trials", wanted_table) },
};
static const struct json_table order_table = JSON_TABLE(order, order_fields);

static int add_source(struct order *order, const struct scenario *s, size_t *ret_index,
		      struct error *err)
{
	struct yaml_text stripped;
	struct source *source;
	int rc;

	for (size_t i = order->n_sources; i-- > 0;)
		if (!strcmp(order->sources[i].original, s->source)) {
			*ret_index = i;
			return 0;
		}
	rc = scenario_without_expectations(s, &stripped, err);
	if (rc < 0)
		return rc;
	source = array_append(&order->sources, &order->n_sources, sizeof(*source));
	if (source)
		*source = (struct source){ s->source, s->file, take_ptr(stripped.text) };
	yaml_text_deinit(&stripped);
	if (!source)
		return -ENOMEM;
	*ret_index = order->n_sources - 1;
	return 0;
}

static int add_variable(struct order *order, const char *name)
{
	const char *value = getenv(name);
	char **slot =
		value ? array_append(&order->variables, &order->n_variables, sizeof(*slot)) : NULL;

	return !value || (slot && asprintf(slot, "%s=%s", name, value) >= 0) ? 0 : -ENOMEM;
}

/* Adds what the programs of a scenario want passed on. */
static int pass_variables(struct order *order, const struct scenario *s)
{
	int rc = 0;

	for (enum node_id n = 0; n < s->n_hosts; n++)
		for (size_t i = 0; i < s->agent[n].n_programs; i++)
			for (char **p = s->agent[n].programs[i].pass; rc >= 0 && p && *p; p++)
				rc = add_variable(order, *p);
	return rc;
}

/* Trials of one scenario follow each other, so the search begins with the latest. */
static int add_plan(struct order *order, const struct scenario *s, size_t *ret_index,
		    struct error *err)
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
		.horizon_nsec = s->recipe.horizon_nsec,
		.set = s->recipe.set,
	};
	while (plan->set[plan->n_set])
		plan->n_set++;
	*ret_index = order->n_plans - 1;
	return pass_variables(order, s) < 0 ? -ENOMEM : add_source(order, s, &plan->source, err);
}

static int add_trial(struct order *order, const struct engine_trial *t, struct error *err)
{
	struct wanted *trial = array_append(&order->trials, &order->n_trials, sizeof(*trial));

	if (!trial)
		return -ENOMEM;
	*trial = (struct wanted){ .family = t->family, .repeat = t->repeat, .phase = t->phase };
	return add_plan(order, t->scenario, &trial->plan, err);
}

/* A program runs where this one does, and is found as it is found here. */
static int add_place(struct order *order)
{
	const char *path = getenv("PATH");

	order->folder = getcwd(NULL, 0);
	order->path = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	return order->folder && order->path ? 0 : -ENOMEM;
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

char *guest_job_write_setup(const struct engine_job *job, size_t index)
{
	struct engine_trial trial = job->trials[index];
	struct engine_job setup = *job;
	const size_t first = 0;

	setup.trials = &trial;
	setup.seed = 0;
	trial.phase = 0;
	if (!job->pcap_dir && !job->logs_dir)
		trial.repeat = 0;
	return guest_job_write(&setup, &first, 1);
}

char *guest_job_write(const struct engine_job *job, const size_t *indices, size_t n)
{
	struct order order = {
		.seed = job->seed,
		.pcap = job->pcap_dir,
		.logs = job->logs_dir,
		.trace = job->trace,
		.derived_only = job->derived_only,
	};
	struct error err = { 0 };
	char *text = NULL;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		const struct engine_trial *t = &job->trials[indices[i]];

		rc = add_trial(&order, t, &err);
		if (rc >= 0 && scenario_has_programs(t->scenario) && !order.folder)
			rc = add_place(&order);
	}
	if (rc >= 0)
		text = write_order(&order);
	for (size_t i = 0; i < order.n_sources; i++)
		free(order.sources[i].text);
	free(order.sources);
	free(order.plans);
	free(order.trials);
	for (size_t i = 0; i < order.n_variables; i++)
		free(order.variables[i]);
	free(order.variables);
	free(order.folder);
	free(order.path);
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
		.logs_dir = order->logs ? GUEST_FILES_FOLDER : NULL,
		.trace = order->trace,
		.derived_only = order->derived_only,
		.pin_phases = true,
		.unjudged = true,
	};
	return rc;
}

static int read_order(const char *text, size_t size, struct order *ret_order, struct error *err)
{
	_cleanup_(freep) char *copy = strndup(text, size);
	json_object *o = copy ? json_tokener_parse(copy) : NULL;
	struct json_reader reader = { 0 };

	*ret_order = (struct order){ 0 };
	json_read_object(&reader, &order_table, o, ret_order);
	json_object_put(o);
	return !o || reader.missing || reader.failed
		       ? error_set(err, ERROR_FAILED, -EBADMSG, "job: not whole")
		       : 0;
}

int guest_job_read_again(const char *text, size_t size, struct engine_job *job, struct error *err)
{
	struct engine_trial *trials;
	struct order order;
	int rc = read_order(text, size, &order, err);

	if (rc < 0)
		return rc;
	if (order.n_trials != job->n_trials)
		return error_set(err, ERROR_FAILED, -EBADMSG, "job: another one");
	trials = calloc(job->n_trials + 1, sizeof(*trials));
	if (!trials)
		return error_errno(err, -ENOMEM, "job");
	for (size_t i = 0; i < job->n_trials; i++) {
		trials[i] = job->trials[i];
		trials[i].repeat = order.trials[i].repeat;
		trials[i].phase = order.trials[i].phase;
	}
	job->trials = trials;
	job->seed = order.seed;
	return 0;
}

int guest_job_read(const char *text, size_t size, struct engine_job *ret_job, struct error *err)
{
	struct order order;
	int rc = read_order(text, size, &order, err);

	if (rc < 0)
		return rc;
	if (order.folder && chdir(order.folder) < 0)
		return error_errno(err, -errno, "guest: %s", order.folder);
	if (order.path && setenv("PATH", order.path, 1) < 0)
		return error_errno(err, -errno, "guest: PATH");
	for (size_t i = 0; i < order.n_variables; i++)
		putenv(order.variables[i]); /* which keeps the text */
	return make_job(&order, ret_job, err);
}

/* What the host needs of the packets to judge them: for each, in hexadecimal, the time since the
 * one before, its direction and its flags. */
static void write_packets(FILE *out, const struct record_endpoint *end)
{
	nsec_t before_nsec = 0;

	for (size_t i = 0; i < end->n_packets; i++) {
		const struct record_packet *p = &end->packets[i];
		char text[2 * FORMAT_DIGITS_SIZE], *stop = text + sizeof(text), *start = stop;

		*--start = ' ';
		start = format_hex(start, p->flags);
		*--start = p->sent ? '>' : '<';
		start = format_hex(start, (uint64_t)llabs(p->time_nsec - before_nsec));
		if (p->time_nsec < before_nsec)
			*--start = '-';
		fwrite(start, 1, (size_t)(stop - start), out);
		before_nsec = p->time_nsec;
	}
	fputc('.', out);
}

static int read_packets(const char **text, struct record_endpoint *end)
{
	nsec_t at_nsec = 0;
	char *rest;

	for (; **text && **text != '.'; *text = rest + (*rest == ' ')) {
		struct record_packet *p = array_append(&end->packets, &end->n_packets, sizeof(*p));

		if (!p)
			return -ENOMEM;
		at_nsec += strtoll(*text, &rest, 16);
		*p = (struct record_packet){ .time_nsec = at_nsec, .sent = *rest == '>' };
		if (*rest != '>' && *rest != '<')
			return -EBADMSG;
		p->flags = (uint8_t)strtoul(rest + 1, &rest, 16);
	}
	*text += **text == '.';
	return 0;
}

/* RECORD, a tab, which JSON has in no text, and the packets. */
static char *write_record(const struct record *record)
{
	_cleanup_(freep) char *json = record_to_json(record), *text = NULL;
	size_t size;
	FILE *out = json ? open_memstream(&text, &size) : NULL;

	if (!out)
		return NULL;
	__fsetlocking(out, FSETLOCKING_BYCALLER); /* It is nobody else's. */
	fputs(json, out);
	fputc('\t', out);
	for (enum end_id id = 0; id < record->n_ends; id++)
		write_packets(out, &record->endpoint[id]);
	return fclose(out) == 0 ? take_ptr(text) : NULL;
}

static int read_record(const char *text, struct record **ret_record, struct error *err)
{
	const char *packets = strchr(text, '\t');
	_cleanup_(freep) char *json = packets ? strndup(text, (size_t)(packets++ - text)) : NULL;
	_cleanup_(record_freep) struct record *record = NULL;
	int rc;

	if (!json)
		return error_set(err, ERROR_FAILED, -EBADMSG, "guest: an answer is not whole");
	rc = record_from_json(json, &record, err);
	if (rc < 0)
		return rc;
	for (enum end_id id = 0; rc >= 0 && id < record->n_ends; id++)
		rc = read_packets(&packets, &record->endpoint[id]);
	if (rc < 0)
		return error_errno(err, rc, "guest: packets");
	*ret_record = take_ptr(record);
	return 0;
}

/* "3 RECORD" or "3 !KIND TEXT". */
char *guest_job_answer(size_t trial, const struct record *record, const struct error *err)
{
	_cleanup_(freep) char *text = record ? write_record(record) : NULL;
	char *line = NULL;
	int n;

	if (text)
		n = asprintf(&line, "%zu %s", trial, text);
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
		return read_record(rest + 1, ret_record, err);
	kind = strtol(rest + 2, &rest, 10);
	error_set(ret_error, (enum error_kind)kind, -EIO, "%s", rest + (*rest == ' '));
	return 0;
}

void guest_job_restore_line(const struct scenario *scenario, struct error *err)
{
	size_t length = strlen(scenario->file), line;
	struct yaml_text stripped;
	struct error copy = *err;
	char *rest;

	if (strncmp(err->text, scenario->file, length) || err->text[length] != ':')
		return;
	line = strtoul(err->text + length + 1, &rest, 10);
	if (*rest != ':' || scenario_without_expectations(scenario, &stripped, &copy) < 0)
		return;
	if (line >= 1 && line <= stripped.n_lines)
		error_set(&copy, err->kind, -EIO, "%s:%d%s", scenario->file,
			  stripped.lines[line - 1], rest);
	yaml_text_deinit(&stripped);
	*err = copy;
}
