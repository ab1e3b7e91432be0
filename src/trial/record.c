/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/record.h"

#include <errno.h>
#include <string.h>

#include "src/record/doubt.h"
#include "src/record/expect.h"
#include "src/testbed/testbed.h"
#include "src/trial/cause.h"
#include "src/trial/events.h"
#include "src/trial/forecast.h"
#include "src/trial/look.h"
#include "src/trial/minisocket.h"
#include "src/trial/options.h"
#include "src/trial/population.h"
#include "src/trial/sample.h"
#include "src/trial/sightings.h"
#include "src/util/array.h"
#include "src/util/format.h"

/* Two sightings of a retransmission that are nearer to each other are the same one. */
#define SAME_EVENT (2 * NSEC_PER_MSEC) /* a retransmission as both witnesses saw it */
static int copy_setting(const struct setting_value *value, void *userdata)
{
	struct record *record = userdata;
	struct record_setting *s = array_append(&record->settings, &record->n_settings, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->key = strdup(value->key);
	s->text = strdup(value->text);
	s->is_number = value->is_number;
	s->number = value->number;
	return s->key && s->text ? 0 : -ENOMEM;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The clock of a record is that of the least exact witness that is believed at one of its ends. */
static enum record_clock clock_of(const struct trial *trial)
{
	for (enum end_id id = 0; id < trial->n_ends; id++)
		if (trial->end[id].believed == WITNESS_DERIVED)
			return RECORD_CLOCK_SOCK_DIAG;
	return RECORD_CLOCK_TRACEPOINT;
}

static int describe(struct trial *trial, struct record *record)
{
	const struct trial_spec *spec = &trial->spec;

	record->scenario = copy(spec->scenario->name);
	record->id = copy(spec->scenario->id);
	record->variant = copy(spec->scenario->variant);
	record->engine = copy(spec->engine);
	record->kernel = copy(spec->kernel);
	record->clock = clock_of(trial);
	record->family = spec->family;
	record->seed = spec->seed;
	record->repeat = spec->repeat;
	record->phase = spec->phase;
	record->lateness_nsec = trial->lateness_nsec;
	record->endpoint = calloc(trial->n_ends, sizeof(*record->endpoint));
	if (!record->endpoint)
		return -ENOMEM;
	record->n_ends = trial->n_ends;
	for (size_t i = 0; i < record->n_output; i++)
		record->output[i].time_nsec -= trial->origin_nsec;
	return scenario_for_each_setting(spec->scenario, copy_setting, record);
}

static int compare_time(const void *a, const void *b)
{
	nsec_t x_nsec = ((const struct record_retransmission *)a)->time_nsec;
	nsec_t y_nsec = ((const struct record_retransmission *)b)->time_nsec;

	return (x_nsec > y_nsec) - (x_nsec < y_nsec);
}

/* Adds the retransmissions that only the packets show, because a tracepoint was missed; packets do
 * not tell the reason. */
static int add_missed(struct endpoint *to, const struct endpoint *from)
{
	size_t known = to->record.n_retransmissions;

	for (size_t i = 0; i < from->record.n_retransmissions; i++) {
		const struct record_retransmission *r = &from->record.retransmissions[i];
		struct record_retransmission *list = to->record.retransmissions, *slot;
		bool found = false;

		for (size_t k = 0; k < known && !found; k++)
			found = llabs(list[k].time_nsec - r->time_nsec) < SAME_EVENT;
		if (found)
			continue;
		slot = array_append(&to->record.retransmissions, &to->record.n_retransmissions,
				    sizeof(*slot));
		if (!slot)
			return -ENOMEM;
		*slot = *r;
	}
	if (to->record.n_retransmissions == known)
		return 0;
	qsort(to->record.retransmissions, to->record.n_retransmissions,
	      sizeof(*to->record.retransmissions), compare_time);
	return 0;
}

/* Whether a connection has survived that the router's connection tracking was flushed, which has no
 * heal: it carried something after that, and no fault holds. */
static bool carried_on(const struct trial *trial, struct trial_end *end)
{
	uint64_t bytes;

	return trial->forgotten && trial->full_term && !trial->active &&
	       look_progress(end, &bytes) >= 0 && bytes > end->progress;
}

/* Returns "10.0.1.2:40000" or "[fd00:1::2]:40000", which the caller frees. */
static char *format_end(const struct ip *ip, uint16_t port)
{
	char address[INET6_ADDRSTRLEN];

	ip_format(address, sizeof(address), ip);
	return format_new(ip->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
}

static int name_connection(const struct trial_end *end, struct record_endpoint *r)
{
	const struct endpoint_tuple *tuple = &end->followed.tuple;

	if (!tuple->known)
		return 0;
	r->local = format_end(&tuple->local, tuple->local_port);
	r->peer = format_end(&tuple->peer, tuple->peer_port);
	return r->local && r->peer ? 0 : -ENOMEM;
}

/* By healing or by a new connection, whichever was first. */
static void note_recovery(const struct trial_end *end, struct record_endpoint *r)
{
	nsec_t renewed_nsec = end->followed.renewed_nsec;

	r->recovered_by = r->recovered_nsec == NSEC_NONE ? RECOVERY_NONE : RECOVERY_HEAL;
	if (renewed_nsec == NSEC_NONE)
		return;
	renewed_nsec -= end->trial->origin_nsec;
	if (r->recovered_by == RECOVERY_HEAL && r->recovered_nsec <= renewed_nsec)
		return;
	r->recovered_nsec = renewed_nsec;
	r->recovered_by = RECOVERY_CONNECTION;
}

static int conclude(struct trial *trial, enum end_id id)
{
	struct trial_end *end = &trial->end[id];
	struct trial_host *host = end->host;
	struct endpoint *endpoint = trial_endpoint(end);
	struct record_endpoint *r = &trial->record->endpoint[id];
	struct endpoint_context context = {
		.origin_nsec = trial->origin_nsec,
		.fault_nsec = trial->fault_nsec,
		.peer_told_nsec = trial->end[end_peer(id)].host->told_nsec,
		.last_heal_nsec = trial->last_heal_nsec,
		.usable = end->usable || carried_on(trial, end),
		.full_term = trial->full_term,
	};
	_cleanup_(forecast_deinit) struct forecast forecast = { 0 };
	enum mechanism rest;
	struct trial_program *last = host->n_programs ? &host->program[host->n_programs - 1] : NULL;
	struct trial_program *program = end->holder ? end->holder : last;
	struct agent *agent = !program ? NULL : program->agent ? program->agent : program->dying;
	char name[SCENARIO_END_NAME_SIZE];
	struct cause cause;
	uint64_t bytes;

	if (program)
		look_at_bytes(program);
	look_progress(end, &bytes);
	if (end->believed == WITNESS_TRACEPOINT &&
	    add_missed(endpoint, &end->view[WITNESS_DERIVED]) < 0)
		return -ENOMEM;
	if (forecast_read(trial, end, &forecast) < 0)
		return -ENOMEM;
	minisocket_finish(end);
	endpoint_bound_by_application(endpoint);
	cause = cause_of(endpoint, &context);
	rest = cause_of_rest(endpoint, &cause);
	endpoint_conclude(endpoint, &context, &cause, r);
	r->name = strdup(scenario_ranked_name(trial->spec.scenario, end->asked,
					      trial_connecting(end)->followed.rank, name,
					      sizeof(name)));
	note_recovery(end, r);
	if (!r->name || name_connection(end, r) < 0)
		return -ENOMEM;
	/* The counters are those of the program's first connection. */
	if (program && !scenario_is_command(&trial->spec.scenario->agent[host->id]) &&
	    program->bytes_read >= 0 && endpoint->program_number <= 0) {
		r->bytes_read = program->bytes_read;
		r->bytes_written = program->bytes_written;
	}
	r->samples = take_ptr(end->samples);
	r->n_samples = end->n_samples;
	for (size_t i = 0; i < r->n_samples; i++)
		r->samples[i].time_nsec -= trial->origin_nsec;
	population_record(end, &r->population);
	r->options = options_recorded(end);
	if (agent && scenario_is_command(&trial->spec.scenario->agent[host->id]))
		r->command_output = copy(agent_output(agent));
	return forecast_note(trial, end, &forecast, rest, r);
}

int trial_make_record(struct trial *trial, struct error *err)
{
	struct record *record = trial->record;
	int rc = describe(trial, record);

	if (rc < 0)
		return error_errno(err, rc, "record");
	events_conclude(trial);
	sample_finish(trial);
	record->follow_number = trial->end[END_CLIENT].followed.number;
	record->follow_tried = trial->end[END_CLIENT].followed.n_tried;
	record->follow_left_out = trial->left_out;
	for (enum end_id id = 0; id < trial->n_ends; id++) {
		rc = conclude(trial, id);
		if (rc < 0)
			return error_errno(err, rc, "record");
	}
	record->lost = trial->lost;
	record->span_nsec = nsec_now() - trial->origin_nsec;
	sightings_give(trial);
	if (nsec_clock_failures() != trial->clock_failures &&
	    record_doubt(record, "the clock could not be read") < 0)
		return error_errno(err, -ENOMEM, "record");
	rc = doubt_check(record, err);
	return rc < 0 || trial->spec.unjudged ? rc
					      : expect_check(trial->spec.scenario, record, err);
}
