/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check how a study file is read or refused, which trials the study makes, and how shards
 * share them. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/sweep-progress.h"
#include "src/store/sql.h"
#include "src/store/store.h"
#include "src/study/plan.h"
#include "src/study/shard.h"
#include "src/util/array.h"
#include "src/util/interrupt.h"
#include "tests/unit/suite.h"

#define HEAD "name: test\nsummary: A test\nscenarios: [power-loss-idle]\n"
#define IDLE "client.keepalive.idle"

static struct study *parse(const char *text)
{
	struct error err = { 0 };
	struct study *study;

	ck_assert_msg(study_parse("test.yaml", text, strlen(text), &study, &err) == 0, "%s",
		      err.text);
	return study;
}

static struct study_plan *plan_of(const struct study *study, const struct study_options *options)
{
	struct study_plan *plan;
	struct error err = { 0 };

	ck_assert_msg(study_plan_new(study, options, &plan, &err) == 0, "%s", err.text);
	return plan;
}

static const struct study_options virtual_time = { .engine = &engine_qemu,
						   .seed = 1,
						   .max_trials = STUDY_MAX_TRIALS };

/* Writes the names on the first axis, one after the other. */
static char *names_on_axis(const struct study *study, char *buffer)
{
	*buffer = '\0';
	for (size_t i = 0; i < study->axes[0].n_values; i++)
		sprintf(buffer + strlen(buffer), "%s%s", i ? " " : "",
			study->axes[0].values[i].name);
	return buffer;
}

static const struct {
	const char *range, *values;
} ranges[] = {
	{ "client.net.ipv4.tcp_retries2: {from: 0, to: 5}", "0 1 2 3 4 5" },
	{ "client.net.ipv4.tcp_retries2: {from: 1, to: 10, step: 4}", "1 5 9" },
	{ IDLE ": {from: 5s, to: 20s, step: 5s}", "5s 10s 15s 20s" },
	{ IDLE ": {from: 30s, to: 2min, step: 30s}", "30s 60s 90s 120s" },
	{ "path.delay: {from: 1ms, to: 1s, factor: 10}", "1ms 10ms 100ms 1s" },
	{ "path.loss: {from: 0.5%, to: 2%, step: 0.5%}", "0.5% 1% 1.5% 2%" },
	{ "client.keepalive.count: {from: 1, to: 100, factor: 3}", "1 3 9 27 81" },
	{ "client.keepalive.count: {from: 7, to: 7}", "7" },
};

START_TEST(ranges_are_unrolled)
{
	char text[512], names[512];
	struct study *study;

	snprintf(text, sizeof(text), HEAD "axes: {%s}\n", ranges[_i].range);
	study = parse(text);
	ck_assert_str_eq(names_on_axis(study, names), ranges[_i].values);
	study_free(study);
}
END_TEST

static const struct {
	const char *text;  /* the lines after HEAD */
	const char *error; /* the message after "test.yaml:" */
} wrong[] = {
	{ "foo: 1\n", "4: unknown key 'foo'" },
	{ "axes: {client.net.ipv4.tcp_retriez2: [1]}\n", "4: client.net.ipv4.tcp_retriez2: there "
							 "is no sysctl net.ipv4.tcp_retriez2; did "
							 "you mean 'tcp_retries2'?" },
	{ "axes:\n  client.keepalive.idel: [1s]\n",
	  "5: client.keepalive.idel: there is no such setting; did you mean "
	  "'client.keepalive.idle'?" },
	{ "axes: {" IDLE ": []}\n", "4: the axis '" IDLE "' is empty" },
	{ "axes: {" IDLE ": 5s}\n", "4: the axis '" IDLE "' must be a list or a range" },
	{ "axes: {" IDLE ": [5s, 6]}\n", "4: " IDLE ": '6'" },
	{ "axes: {" IDLE ": [1s, 1s]}\n", "4: '1s' stands twice on the axis '" IDLE "'" },
	{ "axes: {" IDLE ": [1s, [2s]]}\n", "4: an axis has values or bundles of settings, not "
					    "lists" },
	{ "axes: {x: [{" IDLE ": 1s}]}\n", "4: a bundle of settings needs a 'name'" },
	{ "axes: {x: [{name: a, " IDLE ": 1s}, 5]}\n",
	  "4: an axis has values or bundles of settings, not both" },
	{ "axes: {" IDLE ": {from: 1s, to: 2000s}}\n", "4: a range of more than 1000 values" },
	{ "axes: {" IDLE ": {from: 9s, to: 1s}}\n", "4: a range goes upwards" },
	{ "axes: {" IDLE ": {from: 1s}}\n", "4: a range needs 'to'" },
	{ "axes: {" IDLE ": {from: 1s, to: 9s, step: 0s}}\n", "4: a step of nothing" },
	{ "axes: {" IDLE ": {from: 1s, to: 9s, step: 1s, factor: 2}}\n",
	  "4: a range has a step or a factor, not both" },
	{ "axes: {" IDLE ": {from: 1s, to: 9s, factor: 1}}\n", "4: a factor is a plain number "
							       "above 1" },
	{ "axes: {" IDLE ": {from: 1s, to: 9s, factr: 2}}\n",
	  "4: a range has no 'factr'; did you mean 'factor'?" },
	{ "axes: {" IDLE ": [1s, 2s], client.keepalive.count: [1]}\ncombine: paired\n",
	  "4: paired axes are equally long: '" IDLE "' has 2 values, 'client.keepalive.count' has "
	  "1" },
	{ "combine: both\n", "4: 'combine' is product or paired, not 'both'" },
	{ "axes: {" IDLE ": [1s]}\nexclude: [{" IDLE ": 2s}]\n",
	  "5: the axis '" IDLE "' has no '2s'" },
	{ "exclude: [{famly: ipv4}]\n", "4: there is no axis 'famly'; did you mean 'family'?" },
	{ "exclude: [{}]\n", "4: an empty exclusion leaves out everything" },
	{ "exclude: [{family: ipv5}]\n", "4: a family is ipv4 or ipv6, not 'ipv5'" },
	{ "axes: {scenario: [{name: a, " IDLE ": 1s}]}\n",
	  "4: an axis needs another name than 'scenario'" },
	{ "axes: {\"\": [{name: a, " IDLE ": 1s}]}\n", "4: an axis needs a name" },
	{ "exclude: [{scenario: power-los-idle}]\n",
	  "4: exclude: the study has no scenario 'power-los-idle'" },
	{ "families: [ipv5]\n", "4: a family is ipv4 or ipv6, not 'ipv5'" },
	{ "kernels: [\"6.1\", \"6.1\"]\n", "4: '6.1' stands twice" },
	{ "kernels: newest\n", "4: 'kernels' must be a list" },
	{ "repeats: 0\n", "4: repeats: 0 is out of range" },
	{ "horizon: 0s\n", "4: horizon: leaves no time" },
	{ "engine: uml\n", "4: 'engine' is host or qemu, not 'uml'" },
	{ "set: {client.keepalive: {idle: 1s, idel: 2s}}\n",
	  "4: client.keepalive.idel: there is no such setting" },
};

START_TEST(wrong_files_say_where)
{
	struct error err = { 0 };
	struct study *study;
	char text[512];

	snprintf(text, sizeof(text), HEAD "%s", wrong[_i].text);
	ck_assert_int_eq(study_parse("test.yaml", text, strlen(text), &study, &err), -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_msg(!strncmp(err.text, "test.yaml:", 10) &&
			      !strncmp(err.text + 10, wrong[_i].error, strlen(wrong[_i].error)),
		      "got: %s", err.text);
}
END_TEST

static const struct {
	const char *text, *error;
} wrong_plans[] = {
	{ HEAD "axes: {" IDLE ": [1s]}\nexclude: [{" IDLE ": 1s}]\n",
	  "test.yaml:5: no trial is left: everything is excluded" },
	{ HEAD "axes: {" IDLE ": {from: 1s, to: 1000s}, client.keepalive.interval: "
	       "{from: 1s, to: 1000s}}\n",
	  "test.yaml:4: more than 100000 trials; take values away, or give --max-trials" },
	{ HEAD "repeats: 100000\nfamilies: [ipv4, ipv6]\n",
	  "test.yaml:1: more than 100000 trials; take values away, or give --max-trials" },
	{ HEAD "axes: {x: [{name: a, " IDLE ": 1s}, {name: b, " IDLE ": 1s}]}\n",
	  "test.yaml:4: 'power-loss-idle with x=a' and 'power-loss-idle with x=b' are the same "
	  "trial" },
	{ "name: test\nsummary: A test\nscenarios:\n  - path-loss/prohibit\naxes: {path.delay: "
	  "[0ms], path.jitter: [1ms]}\n",
	  "test.yaml:4: path-loss/prohibit with path.delay=0ms, path.jitter=1ms: " },
};

START_TEST(wrong_plans_are_refused)
{
	struct study *study = parse(wrong_plans[_i].text);
	struct study_plan *plan;
	struct error err = { 0 };

	ck_assert_int_lt(study_plan_new(study, &virtual_time, &plan, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_msg(!strncmp(err.text, wrong_plans[_i].error, strlen(wrong_plans[_i].error)),
		      "got: %s", err.text);
	study_free(study);
}
END_TEST

/* From one trial to the next the last axis changes first, then kernels, families and repeats. An
 * exclusion may name any of them. */
START_TEST(the_product_in_order)
{
	struct study *study = parse(HEAD "axes:\n  " IDLE ": [1s, 2s]\n"
					 "  client.keepalive.count: [3, 4, 5]\n"
					 "kernels: [a, b]\nfamilies: [ipv6, ipv4]\nrepeats: 2\n"
					 "exclude:\n"
					 "  - {" IDLE ": 1s, client.keepalive.count: [3, 4]}\n"
					 "  - {kernel: b, family: ipv4}\n");
	struct study_plan *plan = plan_of(study, &virtual_time);
	const struct study_trial *t = plan->trials;
	char text[256];

	ck_assert_uint_eq(plan->n_cells, 4);
	ck_assert_uint_eq(plan->n_trials, 4 * 3 * 2);
	ck_assert_str_eq(study_plan_describe(plan, 0, text, sizeof(text)),
			 "power-loss-idle with " IDLE "=1s, client.keepalive.count=5");
	ck_assert_str_eq(study_plan_describe(plan, 1, text, sizeof(text)),
			 "power-loss-idle with " IDLE "=2s, client.keepalive.count=3");
	ck_assert_int_eq(t[0].family, FAMILY_IPV6);
	ck_assert_uint_eq(t[1].repeat, 1);
	ck_assert_int_eq(t[2].family, FAMILY_IPV4);
	ck_assert_uint_eq(t[4].kernel, 1);
	ck_assert_int_eq(t[5].family, FAMILY_IPV6);
	ck_assert_uint_eq(t[6].cell, 1);
	study_plan_free(plan);
	study_free(study);
}
END_TEST

static const char *at_hand[3]; /* names of kernels, NULL-terminated */

static int list_kernels(char ***ret_names, struct error *err)
{
	size_t count = 0;

	*ret_names = calloc(1, sizeof(**ret_names));
	for (size_t i = 0; at_hand[i]; i++)
		ck_assert_int_ge(strings_append(ret_names, &count, at_hand[i]), 0);
	return 0;
}

/* "all" is each kernel at hand; where there is none, the plan can be looked at all the same. */
START_TEST(kernels_all)
{
	struct engine engine = engine_qemu;
	struct study_options options = virtual_time;
	struct study *study = parse(HEAD "kernels: all\n");
	char *chosen[] = { (char *)"6.1.0-1", (char *)"all", NULL };
	struct study_plan *plan;

	engine.kernels = list_kernels;
	options.engine = &engine;
	plan = plan_of(study, &options);
	ck_assert_uint_eq(plan->n_trials, 1);
	ck_assert_str_eq(plan->kernels[0], "all");
	study_plan_free(plan);
	at_hand[0] = "6.12.1-2";
	at_hand[1] = "6.1.0-1";
	plan = plan_of(study, &options);
	ck_assert_uint_eq(plan->n_trials, 2);
	ck_assert_str_eq(plan->kernels[0], "6.12.1-2");
	ck_assert_str_eq(plan->kernels[1], "6.1.0-1");
	study_plan_free(plan);
	options.kernels = chosen;
	plan = plan_of(study, &options);
	ck_assert_uint_eq(plan->n_kernels, 2);
	ck_assert_str_eq(plan->kernels[1], "6.12.1-2");
	study_plan_free(plan);
	study_free(study);
}
END_TEST

/* "all" is what `run --all` runs. */
START_TEST(scenarios_all)
{
	struct study *study = parse("name: test\nsummary: A test\nscenarios: all\n");

	ck_assert_uint_gt(study->n_subjects, 60);
	for (size_t i = 0; i < study->n_subjects; i++) {
		const struct scenario *s = study->subjects[i].sample;

		ck_assert_msg(!scenario_has_programs(s), "%s", s->name);
		for (size_t j = 0; j < i; j++)
			ck_assert(strcmp(study->subjects[j].sample->file, s->file) ||
				  study->subjects[j].variant != study->subjects[i].variant);
	}
	study_free(study);
}
END_TEST

START_TEST(pairs_and_bundles)
{
	struct study *study =
		parse(HEAD "combine: paired\naxes:\n"
			   "  profile:\n"
			   "    - {name: slow, client.keepalive: {idle: 60s, count: 9}}\n"
			   "    - {name: fast, client.keepalive: {idle: 5s, count: 2}}\n"
			   "  client.keepalive.interval: [10s, 1s]\n"
			   "set: {client.nodelay: true}\n");
	struct study_plan *plan = plan_of(study, &virtual_time);
	struct scenario *scenario;
	struct error err = { 0 };

	ck_assert_uint_eq(plan->n_trials, 2);
	ck_assert_int_eq(study_plan_scenario(plan, 1, &scenario, &err), 0);
	ck_assert_int_eq(scenario->agent[NODE_CLIENT].option[OPTION_KEEPALIVE_IDLE],
			 5 * NSEC_PER_SEC);
	ck_assert_int_eq(scenario->agent[NODE_CLIENT].option[OPTION_KEEPALIVE_INTERVAL],
			 NSEC_PER_SEC);
	ck_assert_int_eq(scenario->agent[NODE_CLIENT].option[OPTION_KEEPALIVE_COUNT], 2);
	ck_assert_int_eq(scenario->agent[NODE_CLIENT].option[OPTION_NODELAY], 1);
	ck_assert_str_eq(study_plan_value(plan, 1, 0)->name, "fast");
	scenario_free(scenario);
	study_plan_free(plan);
	study_free(study);
}
END_TEST

/* The identity and phase of a trial follow from its settings, not from its place in a study. */
START_TEST(identity_is_of_the_trial)
{
	struct study *all = parse(HEAD "axes: {" IDLE ": [5s, 60s]}\nrepeats: 3\n");
	struct study *one = parse(HEAD "axes: {x: [{name: y, client.keepalive: {idle: 60s}}]}\n"
				       "repeats: 4\n");
	struct study_options seeded = virtual_time;
	struct study_plan *a = plan_of(all, &virtual_time), *b = plan_of(one, &virtual_time), *c;

	seeded.seed = 2;
	c = plan_of(one, &seeded);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(a->trials[3 + i].id, b->trials[i].id);
		ck_assert_int_eq(a->trials[3 + i].phase, b->trials[i].phase);
		ck_assert_uint_ne(a->trials[i].id, b->trials[i].id);
		ck_assert_uint_ne(b->trials[i].id, c->trials[i].id);
		ck_assert_int_ne(b->trials[i].phase, b->trials[i + 1].phase);
	}
	study_plan_free(a);
	study_plan_free(b);
	study_plan_free(c);
	study_free(all);
	study_free(one);
}
END_TEST

/* A study removes the expectations of a scenario, and the endpoints that had one are still watched.
 */
START_TEST(expect_nothing)
{
	struct study *study = parse(HEAD "expect: nothing\n");
	struct study_plan *plan = plan_of(study, &virtual_time);
	struct scenario *scenario;
	struct error err = { 0 };

	ck_assert_int_eq(study_plan_scenario(plan, 0, &scenario, &err), 0);
	ck_assert(scenario->expect[FAMILY_IPV6][NODE_CLIENT].present);
	ck_assert_uint_eq(scenario->expect[FAMILY_IPV6][NODE_CLIENT].outcomes, 0);
	ck_assert(!scenario->expect[FAMILY_IPV6][NODE_CLIENT].after.present);
	scenario_free(scenario);
	study_plan_free(plan);
	study_free(study);
}
END_TEST

/* Each trial is in exactly one shard, and no shard has much more work than another. */
START_TEST(shards_are_balanced)
{
	struct study *study = parse("name: test\nsummary: A test\n"
				    "scenarios: [power-loss-idle, power-loss-busy, process-crash]\n"
				    "axes: {client.nodelay: [true, false]}\nrepeats: 50\n"
				    "families: [ipv4, ipv6]\n");
	struct study_options options = virtual_time;
	const struct study_trial **mine;
	struct study_plan *plan;

	options.engine = &engine_host;
	plan = plan_of(study, &options);
	for (unsigned int n = 1; n <= 7; n++) {
		nsec_t least_nsec = NSEC_NEVER, most_nsec = 0, longest_nsec = 0;
		bool *seen = calloc(plan->n_trials, sizeof(*seen));

		for (unsigned int k = 1; k <= n; k++) {
			nsec_t work_nsec = 0, last_nsec = NSEC_NEVER;
			size_t count;

			mine = study_plan_shard(plan, k, n, &count);
			for (size_t i = 0; i < count; i++) {
				nsec_t this_nsec = study_plan_work(plan, mine[i], &engine_host);

				ck_assert(!seen[mine[i] - plan->trials]);
				seen[mine[i] - plan->trials] = true;
				ck_assert_int_le(this_nsec, last_nsec);
				last_nsec = this_nsec;
				work_nsec += this_nsec;
				longest_nsec = this_nsec > longest_nsec ? this_nsec : longest_nsec;
			}
			least_nsec = work_nsec < least_nsec ? work_nsec : least_nsec;
			most_nsec = work_nsec > most_nsec ? work_nsec : most_nsec;
			free(mine);
		}
		for (size_t i = 0; i < plan->n_trials; i++)
			ck_assert(seen[i]);
		ck_assert_int_le(most_nsec - least_nsec, longest_nsec);
		free(seen);
	}
	study_plan_free(plan);
	study_free(study);
}
END_TEST

START_TEST(shards_are_read)
{
	static const char *const bad[] = { "0/4",  "5/4",  "1/0",  "4",	   "a/b",  "1/4x",
					   "-1/4", " 1/4", "1/ 4", "+1/4", "1//4", "" };
	struct shard shard;
	struct error err = { 0 };

	ck_assert_int_eq(shard_parse("2/4", &shard, &err), 0);
	ck_assert(shard.k == 2 && shard.n == 4);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(shard_parse(bad[i], &shard, &err), -EINVAL);
}
END_TEST

static const struct {
	const char *id, *count, *first, *step; /* SLURM_ARRAY_TASK_* */
	const char *index, *completions;       /* JOB_COMPLETION* */
	unsigned int k, n;		       /* 0: refused */
} places[] = {
	{ .k = 1, .n = 1 },
	{ "0", "4", "0", "1", .k = 1, .n = 4 },
	{ "4", "4", "1", "1", .k = 4, .n = 4 },
	{ "30", "4", "10", "10", .k = 3, .n = 4 },
	{ "7", "3", "1", "1", .k = 0 },
	{ "15", "4", "10", "10", .k = 0 },
	{ "2", NULL, NULL, NULL, .k = 0 },
	{ "", "2", "0", "1", .k = 0 },
	{ "1", "2", NULL, "1", .k = 0 },
	{ "1", "2", "1", NULL, .k = 1, .n = 2 },
	{ .index = "", .completions = "3", .k = 0 },
	{ .index = "0", .completions = "3", .k = 1, .n = 3 },
	{ .index = "2", .completions = "3", .k = 3, .n = 3 },
	{ .index = "3", .completions = "3", .k = 0 },
	{ .index = "1", .k = 0 },
	{ "1", "2", "0", "1", .index = "1", .completions = "3", .k = 0 },
};

static void put(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(shards_of_the_environment)
{
	struct shard shard;
	struct error err = { 0 };
	int rc;

	put("SLURM_ARRAY_TASK_ID", places[_i].id);
	put("SLURM_ARRAY_TASK_COUNT", places[_i].count);
	put("SLURM_ARRAY_TASK_MIN", places[_i].first);
	put("SLURM_ARRAY_TASK_STEP", places[_i].step);
	put("JOB_COMPLETION_INDEX", places[_i].index);
	put("JOB_COMPLETIONS", places[_i].completions);
	rc = shard_from_environment(&shard, &err);
	if (!places[_i].k) {
		ck_assert_int_eq(rc, -EINVAL);
		return;
	}
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_uint_eq(shard.k, places[_i].k);
	ck_assert_uint_eq(shard.n, places[_i].n);
}
END_TEST

START_TEST(progress_in_a_line)
{
	struct sweep_counts counts = { .total = 1000, .left_nsec = NSEC_NEVER };
	char line[160];

	ck_assert_str_eq(sweep_progress_format(&counts, true, line, sizeof(line)),
			 "[--------------------] 0 of 1000 done");
	counts = (struct sweep_counts){ .total = 1000,
					.done = 500,
					.finished = 400,
					.failed = 2,
					.problems = 1,
					.span_nsec = 7200 * NSEC_PER_SEC,
					.elapsed_nsec = 4 * NSEC_PER_SEC,
					.left_nsec = 5 * NSEC_PER_SEC };
	ck_assert_str_eq(sweep_progress_format(&counts, true, line, sizeof(line)),
			 "[##########----------] 500 of 1000 done, 3 failed, 100/s, 2.0 h virtual, "
			 "5.0 s left");
	ck_assert_str_eq(sweep_progress_format(&counts, false, line, sizeof(line)),
			 "[##########----------] 500 of 1000 done, 3 failed, 100/s, 5.0 s left");
}
END_TEST

static void check_shipped(const char *name)
{
	struct error err = { 0 };
	struct study_plan *plan;
	struct study *study;

	ck_assert_msg(study_load(name, &study, &err) == 0, "%s", err.text);
	ck_assert_str_eq(study->name, name);
	for (int quick = 0; quick < 2; quick++) {
		struct study_options options = virtual_time;

		options.quick = quick;
		ck_assert_msg(study_plan_new(study, &options, &plan, &err) == 0, "%s", err.text);
		study_plan_free(plan);
	}
	study_free(study);
}

START_TEST(shipped_studies_load)
{
	_cleanup_(strings_freep) char **names = study_names();
	int count = 0;

	for (char **name = names; name && *name; name++, count++)
		check_shipped(*name);
	ck_assert_int_ge(count, 7);
}
END_TEST

/* Where signals are blocked, one ends a statement that runs when it comes. */
START_TEST(signal_ends_a_query)
{
	char folder[] = "/tmp/deadpeer-store.XXXXXX", path[64];
	const struct store_study study = {
		.engine = (char *)"qemu", .deadpeer = (char *)"0", .shard = 1, .shards = 1
	};
	struct store *store;
	struct error err = { 0 };
	sigset_t term;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.db", folder);
	ck_assert_int_eq(store_open(path, STORE_CREATE, &study, &store, &err), 0);
	ck_assert_int_eq(interrupt_block(&err), 0);
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(
		store_exec(store,
			   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
			   "WHERE i < 20000000) SELECT count(*) FROM n",
			   &err),
		-EINTR);
	ck_assert_int_eq(error_exit_status(err.kind), 130);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	ck_assert_int_eq(sigwaitinfo(&term, NULL), SIGTERM);
	store_close(store);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, ranges_are_unrolled, 0, ARRAY_SIZE(ranges));
	tcase_add_loop_test(tc, wrong_files_say_where, 0, ARRAY_SIZE(wrong));
	tcase_add_loop_test(tc, wrong_plans_are_refused, 0, ARRAY_SIZE(wrong_plans));
	tcase_add_test(tc, the_product_in_order);
	tcase_add_test(tc, kernels_all);
	tcase_add_test(tc, scenarios_all);
	tcase_add_test(tc, signal_ends_a_query);
	tcase_add_test(tc, pairs_and_bundles);
	tcase_add_test(tc, identity_is_of_the_trial);
	tcase_add_test(tc, expect_nothing);
	tcase_add_test(tc, shards_are_balanced);
	tcase_add_test(tc, shards_are_read);
	tcase_add_loop_test(tc, shards_of_the_environment, 0, ARRAY_SIZE(places));
	tcase_add_test(tc, progress_in_a_line);
	tcase_add_test(tc, shipped_studies_load);
}

int main(void)
{
	return suite_main("study", add_tests);
}
