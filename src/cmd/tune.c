/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb tune: from a goal to settings. Theory of operation: the model finds them
 * (src/tune/search.h), guests hold them against the goal on each kernel (src/tune/verify.h), and
 * only then are they printed, as the programs of the field take them (src/tune/dialect.h).
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/json-seconds.h"
#include "src/cmd/tell.h"
#include "src/kernel/kernel.h"
#include "src/model/estimate.h"
#include "src/report/table.h"
#include "src/text/quantity.h"
#include "src/trial/facts.h"
#include "src/tune/dialect.h"
#include "src/tune/search.h"
#include "src/tune/verify.h"
#include "src/util/array.h"

#define GUEST_HZ 250 /* of Debian's kernels, which guests boot */

struct command {
	struct tune_goal goal;
	const struct engine *engine; /* one in whose time an hour costs nothing; static */
	struct argument_list kernels, dialects;
	bool json;
	char *releases[TUNE_FACTS_MAX]; /* owned */
	struct tune_result result;
	struct tune_verdict
		verdicts[2]; /* of the proposal, and of tcp_retries2 in place of TCP_USER_TIMEOUT */
	unsigned int tried_retries2; /* the value that the second one is about */
};

static const struct command defaults = {
	.goal = { .detect_nsec = NSEC_NONE,
		  .survive_nsec = NSEC_NONE,
		  .workloads = { true, true } },
	.verdicts = { { .detect_nsec = NSEC_NONE }, { .detect_nsec = NSEC_NONE } },
};

static int parse_time(const char *option, const char *text, nsec_t least_nsec, nsec_t most_nsec,
		      nsec_t *ret_nsec, struct error *err)
{
	char least[32], most[32];

	if (quantity_parse_time(text, ret_nsec, err) < 0)
		return error_input(err, "--%s: '%s' is no time, such as 30s", option, text);
	if (*ret_nsec < least_nsec || *ret_nsec > most_nsec)
		return error_input(err, "--%s: %s is not from %s to %s", option, text,
				   nsec_format(least, sizeof(least), least_nsec),
				   nsec_format(most, sizeof(most), most_nsec));
	return 0;
}

static int parse_detect(const char *text, void *field, struct error *err)
{
	return parse_time("detect-within", text, NSEC_PER_SEC, 24 * 3600 * NSEC_PER_SEC, field,
			  err);
}

static int parse_survive(const char *text, void *field, struct error *err)
{
	return parse_time("survive", text, 0, 12 * 3600 * NSEC_PER_SEC, field, err);
}

static int parse_rtt(const char *text, void *field, struct error *err)
{
	return parse_time("rtt", text, 0, 5 * NSEC_PER_SEC, field, err);
}

static int parse_loss(const char *text, void *field, struct error *err)
{
	double *loss = field;

	if (quantity_parse_percent(text, loss, err) < 0)
		return error_input(err, "--loss: '%s' is no share of packets, such as 2%%", text);
	if (*loss < 0 || *loss > 0.5)
		return error_input(err, "--loss: '%s' is not from 0%% to 50%%", text);
	return 0;
}

static int parse_workload(const char *text, void *field, struct error *err)
{
	bool *workloads = field;

	memset(workloads, 0, _TUNE_WORKLOAD_MAX * sizeof(*workloads));
	for (const char *word = text;; word++) {
		size_t n = strcspn(word, ",");
		int found = -1;

		for (enum tune_workload w = 0; w < _TUNE_WORKLOAD_MAX; w++)
			if (strlen(tune_workload_name(w)) == n &&
			    !strncmp(tune_workload_name(w), word, n))
				found = (int)w;
		if (found < 0)
			return error_input(err, "--workload: '%.*s' is neither idle nor busy",
					   (int)n, word);
		workloads[found] = true;
		word += n;
		if (!*word)
			return 0;
	}
}

static const struct argument arguments[] = {
	{ "detect-within", 0, "TIME", "the loss of the peer is detected within this time",
	  TO_OTHER(command, goal.detect_nsec, parse_detect) },
	{ "for", 0, "PROGRAM", "print this program's configuration alone; may be repeated",
	  TO_DISTINCT(command, dialects, 32),
	  "sysctl c go java python rust libpq postgresql jdbc redis nginx haproxy envoy systemd" },
	{ "json", 0, NULL, "print one JSON object and nothing else", TO_FLAG(command, json) },
	{ "kernel", 'k', "NAME", "verify on this kernel (default: the newest); may be repeated",
	  TO_DISTINCT(command, kernels, TUNE_FACTS_MAX) },
	{ "loss", 0, "PERCENT", "the path loses this share of packets, up to 50% (default 0%)",
	  TO_OTHER(command, goal.loss, parse_loss) },
	{ "rtt", 0, "TIME", "the path's round trip time (default 0)",
	  TO_OTHER(command, goal.rtt_nsec, parse_rtt) },
	{ "survive", 0, "TIME", "no outage that is as long ends a connection",
	  TO_OTHER(command, goal.survive_nsec, parse_survive) },
	{ "workload", 0, "LIST", "idle, busy, or both (default: idle,busy)",
	  TO_OTHER(command, goal.workloads, parse_workload), "idle busy idle,busy" },
	{ 0 },
};

static int check(const struct command *c, const struct command_line *line, struct error *err)
{
	char names[256];

	if (line->n_operands)
		return error_input(err, "tune: takes no operand, got '%s'", line->operands[0]);
	if (c->goal.detect_nsec == NSEC_NONE || c->goal.survive_nsec == NSEC_NONE)
		return error_input(err,
				   "tune: what is the goal? --detect-within TIME --survive TIME");
	for (size_t i = 0; i < c->dialects.count; i++)
		if (!tune_dialect(c->dialects.items[i]))
			return error_input(err, "--for: '%s' is none of %s", c->dialects.items[i],
					   tune_dialect_names(names, sizeof(names)));
	if (c->json && c->dialects.count)
		return error_input(err, "tune: either --json or --for");
	return 0;
}

/* Finds the kernels, so that one that is not there is told before anything is searched. */
static int find_kernels(struct command *c, struct error *err)
{
	size_t n = c->kernels.count ? c->kernels.count : 1;
	int rc = 0;

	for (size_t i = 0; !c->engine && engines[i]; i++)
		if (engines[i]->virtual_time)
			c->engine = engines[i];
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = c->engine->release(c->kernels.items[i], NULL, &c->releases[i], err);
		if (rc >= 0)
			c->goal.facts[c->goal.n_facts++] =
				facts_of_release(c->releases[i], GUEST_HZ);
	}
	return rc;
}

/* "30 s", "12.6 s": tenths where they are not whole. */
static const char *seconds(nsec_t time_nsec, char *buffer, size_t size)
{
	bool whole = time_nsec % NSEC_PER_SEC == 0;

	snprintf(buffer, size, whole ? "%.0f s" : "%.1f s", nsec_to_sec(time_nsec));
	return buffer;
}

static int refuse(const struct command *c, struct error *err)
{
	nsec_t detect_nsec, survive_nsec;
	char detect[32], survive[32], nearest[32], longest[32] = "";
	int rc = tune_nearest(&c->goal, &detect_nsec, &survive_nsec, err);

	if (rc < 0)
		return rc;
	seconds(c->goal.detect_nsec, detect, sizeof(detect));
	seconds(c->goal.survive_nsec, survive, sizeof(survive));
	if (detect_nsec == NSEC_NEVER)
		return error_input(err, "tune: no settings detect within a day what survives %s",
				   survive);
	if (survive_nsec > 0)
		snprintf(longest, sizeof(longest), "%.1f s",
			 floor(nsec_to_sec(survive_nsec) * 10) / 10);
	return error_input(
		err,
		"tune: impossible: to survive an outage of %s a probe must still come after it, "
		"and "
		"only when that goes unanswered may the connection end%s. What survives %s detects "
		"within %s at the earliest (--detect-within %.1fs)%s%s%s%s",
		survive,
		c->goal.workloads[TUNE_BUSY]
			? "; retransmissions come at twice the time of the one before, so that the "
			  "next may come when that has passed once more"
			: "",
		survive, seconds(detect_nsec, nearest, sizeof(nearest)),
		ceil(nsec_to_sec(detect_nsec) * 10) / 10, *longest ? "; what detects within " : "",
		*longest ? detect : "", *longest ? " survives " : "", longest);
}

static void on_progress(size_t done, size_t total, void *userdata)
{
	char line[96];

	snprintf(line, sizeof(line), "verifying: %zu of %zu trials done", done, total);
	tell_progress(line);
}

/* Whether something is printed that has to do without TCP_USER_TIMEOUT. */
static bool wants_retries2(const struct command *c)
{
	bool wants = !c->dialects.count;

	for (size_t i = 0; i < c->dialects.count; i++)
		wants |= tune_dialect(c->dialects.items[i])->lacks_user_timeout;
	return wants && c->result.by_retries2.settings.retries2;
}

static int verify(struct command *c, struct error *err)
{
	const struct tune_settings settings[] = {
		c->result.frontier[c->result.chosen].settings,
		c->result.by_retries2.settings,
	};
	bool shows = table_is_terminal(stderr);
	int rc = 0;

	if (shows)
		tell_progress("verifying: a guest is made ready");
	for (size_t i = 0; rc >= 0 && i < c->goal.n_facts; i++)
		rc = tune_verify(c->engine, &c->goal, settings, wants_retries2(c) ? 2 : 1,
				 c->kernels.items[i], shows ? on_progress : NULL, c, c->verdicts,
				 err);
	tell_no_progress();
	return rc;
}

static void put_rate(struct table *table, double rate)
{
	if (rate <= 0)
		table_cell(table, TABLE_PLAIN, "0");
	else
		table_format(table, TABLE_PLAIN, rate < 0.01 ? "%.1e" : "%.2f", rate);
}

static void print_frontier(const struct command *c, FILE *out)
{
	static const char *const headers[] = { "",
					       ">idle s",
					       ">interval s",
					       ">count",
					       ">user timeout s",
					       ">DETECTED s",
					       ">SURVIVED s",
					       ">FALSE ALARMS/day",
					       ">PROBES/day" };
	struct table *table = table_new(ARRAY_SIZE(headers), headers);

	for (size_t i = 0; table && i < c->result.n; i++) {
		const struct tune_point *p = &c->result.frontier[i];

		table_cell(table, TABLE_GOOD, i == c->result.chosen ? "=>" : "");
		table_format(table, TABLE_PLAIN, "%u", p->settings.idle);
		table_format(table, TABLE_PLAIN, "%u", p->settings.interval);
		table_format(table, TABLE_PLAIN, "%u", p->settings.count);
		if (p->settings.user_timeout_nsec)
			table_format(table, TABLE_PLAIN, "%.1f",
				     nsec_to_sec(p->settings.user_timeout_nsec));
		else
			table_cell(table, TABLE_PLAIN, "-");
		table_format(table, TABLE_PLAIN, "%.2f",
			     nsec_to_sec(tune_worst_detect(&c->goal, &p->figures)));
		table_format(table, TABLE_PLAIN, "%.2f",
			     nsec_to_sec(tune_least_survive(&c->goal, &p->figures)));
		put_rate(table, p->figures.alarms_a_day);
		table_format(table, TABLE_PLAIN, "%.0f", p->figures.probes_a_day);
	}
	if (table)
		table_print(table, out);
	table_free(table);
}

static void print_goal(const struct command *c, FILE *out)
{
	char detect[32], survive[32], rtt[32] = "";

	if (c->goal.rtt_nsec)
		nsec_format(rtt, sizeof(rtt), c->goal.rtt_nsec);
	fprintf(out,
		"Goal: the loss of the peer is detected within %s, %s%s%s; outages of %s are "
		"survived",
		seconds(c->goal.detect_nsec, detect, sizeof(detect)),
		c->goal.workloads[TUNE_IDLE] ? "idle" : "",
		c->goal.workloads[TUNE_IDLE] && c->goal.workloads[TUNE_BUSY] ? " and " : "",
		c->goal.workloads[TUNE_BUSY] ? "busy" : "",
		seconds(c->goal.survive_nsec, survive, sizeof(survive)));
	if (c->goal.loss > 0)
		fprintf(out, "; %g %% of the packets are lost", c->goal.loss * 100);
	fprintf(out, "%s%s.\n", *rtt ? "; RTT " : "", rtt);
}

static void print_verdict(const struct tune_verdict *v, const char *what, FILE *out)
{
	fprintf(out, "  %s: %zu trials, %zu broke the promise", what, v->trials, v->broken);
	if (v->inconclusive)
		fprintf(out, ", %zu inconclusive", v->inconclusive);
	if (v->detect_nsec != NSEC_NONE)
		fprintf(out, "; the latest detection came after %.3f s",
			nsec_to_sec(v->detect_nsec));
	fputs(".\n", out);
	if (*v->first)
		fprintf(out, "  Broken: %s\n", v->first);
	if (*v->first_open)
		fprintf(out, "  Inconclusive: %s\n", v->first_open);
}

static void print_verdicts(const struct command *c, FILE *out)
{
	char what[64];

	fputs("Verified in virtual time on", out);
	for (size_t i = 0; i < c->goal.n_facts; i++)
		fprintf(out, "%s %s", i ? "," : "", c->releases[i]);
	fputs(":\n", out);
	print_verdict(&c->verdicts[0], "the proposal", out);
	snprintf(what, sizeof(what), "with tcp_retries2 = %u, without TCP_USER_TIMEOUT",
		 c->tried_retries2);
	if (!c->verdicts[1].trials)
		return;
	print_verdict(&c->verdicts[1], what, out);
	if (!c->result.by_retries2.settings.retries2)
		fputs("  So no value of tcp_retries2 stands in for TCP_USER_TIMEOUT.\n", out);
}

static void print_chance(const struct command *c, FILE *out)
{
	const struct tune_figures *f = &c->result.frontier[c->result.chosen].figures;

	if (c->goal.loss <= 0)
		return;
	fprintf(out, "Loss alone ends a healthy connection with a chance of %.1e a day",
		f->alarms_a_day);
	if (c->goal.workloads[TUNE_BUSY])
		fprintf(out, ", with a request each %lld ms",
			(long long)(tune_interval(&c->goal) / NSEC_PER_MSEC));
	fputs(".\n", out);
}

static void print_all(const struct command *c, FILE *out)
{
	print_goal(c, out);
	print_frontier(c, out);
	print_chance(c, out);
	print_verdicts(c, out);
	for (size_t i = 0; i < n_tune_dialects; i++) {
		fprintf(out, "\n--- %s\n", tune_dialects[i].title);
		tune_dialects[i].print(&c->goal, &c->result, out);
	}
}

static void print_some(const struct command *c)
{
	print_goal(c, stderr);
	print_frontier(c, stderr);
	print_chance(c, stderr);
	print_verdicts(c, stderr);
	for (size_t i = 0; i < c->dialects.count; i++)
		tune_dialect(c->dialects.items[i])->print(&c->goal, &c->result, stdout);
}

static json_object *point_json(const struct tune_goal *goal, const struct tune_point *p)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "keepalive_idle_s", json_object_new_int64(p->settings.idle));
	json_object_object_add(o, "keepalive_interval_s",
			       json_object_new_int64(p->settings.interval));
	json_object_object_add(o, "keepalive_count", json_object_new_int64(p->settings.count));
	json_object_object_add(
		o, "user_timeout_s",
		p->settings.user_timeout_nsec ? json_seconds(p->settings.user_timeout_nsec) : NULL);
	json_object_object_add(o, "tcp_retries2",
			       p->settings.retries2 ? json_object_new_int64(p->settings.retries2)
						    : NULL);
	for (enum tune_workload w = 0; w < _TUNE_WORKLOAD_MAX; w++) {
		json_object *of = json_object_new_object();

		if (!goal->workloads[w]) {
			json_object_put(of);
			continue;
		}
		json_object_object_add(of, "detected_s", json_seconds(p->figures.detect_nsec[w]));
		json_object_object_add(of, "survived_s", json_seconds(p->figures.survive_nsec[w]));
		json_object_object_add(of, "tries", json_object_new_int64(p->figures.tries[w]));
		json_object_object_add(o, tune_workload_name(w), of);
	}
	json_object_object_add(o, "false_alarms_a_day",
			       json_object_new_double(p->figures.alarms_a_day));
	json_object_object_add(o, "probes_a_day", json_object_new_double(p->figures.probes_a_day));
	return o;
}

static json_object *verdict_json(const struct command *c, const struct tune_verdict *v)
{
	json_object *o = json_object_new_object(), *kernels = json_object_new_array();

	for (size_t i = 0; i < c->goal.n_facts; i++)
		json_object_array_add(kernels, json_object_new_string(c->releases[i]));
	json_object_object_add(o, "kernels", kernels);
	json_object_object_add(o, "trials", json_object_new_int64((int64_t)v->trials));
	json_object_object_add(o, "broken", json_object_new_int64((int64_t)v->broken));
	json_object_object_add(o, "inconclusive", json_object_new_int64((int64_t)v->inconclusive));
	json_object_object_add(o, "latest_detection_s", json_seconds(v->detect_nsec));
	json_object_object_add(o, "first_broken",
			       *v->first ? json_object_new_string(v->first) : NULL);
	return o;
}

static char *dialect_text(const struct command *c, const struct tune_dialect *dialect)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	dialect->print(&c->goal, &c->result, out);
	fclose(out);
	return text;
}

static void print_json(const struct command *c)
{
	json_object *o = json_object_new_object(), *frontier = json_object_new_array(),
		    *texts = json_object_new_object();

	json_object_object_add(o, "detect_within_s", json_seconds(c->goal.detect_nsec));
	json_object_object_add(o, "survive_s", json_seconds(c->goal.survive_nsec));
	json_object_object_add(o, "loss", json_object_new_double(c->goal.loss));
	json_object_object_add(o, "rtt_s", json_seconds(c->goal.rtt_nsec));
	for (size_t i = 0; i < c->result.n; i++)
		json_object_array_add(frontier, point_json(&c->goal, &c->result.frontier[i]));
	json_object_object_add(o, "frontier", frontier);
	json_object_object_add(o, "proposal",
			       point_json(&c->goal, &c->result.frontier[c->result.chosen]));
	json_object_object_add(o, "without_user_timeout",
			       c->result.by_retries2.settings.count
				       ? point_json(&c->goal, &c->result.by_retries2)
				       : NULL);
	json_object_object_add(o, "verified", verdict_json(c, &c->verdicts[0]));
	json_object_object_add(o, "verified_without_user_timeout",
			       c->verdicts[1].trials ? verdict_json(c, &c->verdicts[1]) : NULL);
	for (size_t i = 0; i < n_tune_dialects; i++) {
		_cleanup_(freep) char *text = dialect_text(c, &tune_dialects[i]);

		json_object_object_add(texts, tune_dialects[i].name,
				       text ? json_object_new_string(text) : NULL);
	}
	json_object_object_add(o, "configurations", texts);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int execute(struct command *c, struct error *err)
{
	int rc = find_kernels(c, err);

	if (rc >= 0)
		rc = tune_search(&c->goal, &c->result, err);
	if (rc == 0)
		rc = refuse(c, err);
	if (rc >= 0)
		rc = verify(c, err);
	if (rc < 0)
		return rc;
	/* What does not keep the promise stands in for nothing. */
	c->tried_retries2 = c->result.by_retries2.settings.retries2;
	if (c->verdicts[1].broken + c->verdicts[1].inconclusive)
		c->result.by_retries2 = (struct tune_point){ 0 };
	if (c->json)
		print_json(c);
	else if (c->dialects.count)
		print_some(c);
	else
		print_all(c, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_set(err, ERROR_FAILED, -EIO, "standard output: %s", strerror(errno));
	return verdict_exit_status(c->verdicts[0].broken, c->verdicts[0].inconclusive);
}

static int cmd_tune(const struct command_line *line, void *userdata, struct error *err)
{
	struct command *c = userdata;
	int rc = check(c, line, err);

	if (rc >= 0)
		rc = execute(c, err);
	for (size_t i = 0; i < ARRAY_SIZE(c->releases); i++)
		free(c->releases[i]);
	return rc;
}

const struct verb verb_tune = {
	.name = "tune",
	.operands = "--detect-within TIME --survive TIME",
	.summary = "Find the settings that reach a goal, and verify them",
	.details =
		"Keepalive and TCP_USER_TIMEOUT, or tcp_retries2 for programs that cannot set "
		"that, "
		"such\nthat the loss of the peer is detected in time, and no healthy connection "
		"dies "
		"of a\nshorter outage. The settings are derived by `predict`'s model, shown beside "
		"those that\ntrade detection, false alarms and probes otherwise, run in virtual "
		"time "
		"on each kernel,\nand then printed as each program takes them. Exit status: 0 they "
		"keep what they promise,\n1 they do not, 2 wrong input or an impossible goal, 3 "
		"this "
		"machine cannot do it, 4 a trial\nis inconclusive, 130 interrupted.",
	.arguments = arguments,
	.defaults = &defaults,
	.options_size = sizeof(struct command),
	.run = cmd_tune,
};
