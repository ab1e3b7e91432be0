/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb run: plans trials of scenarios, hands them to an engine and prints their records. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cmd/cmd.h"
#include "src/cmd/options.h"
#include "src/cmd/results-output.h"
#include "src/cmd/run-store.h"
#include "src/cmd/selection.h"
#include "src/cmd/tell.h"
#include "src/engine/engine.h"
#include "src/model/estimate.h"
#include "src/record/trace-build.h"
#include "src/report/findings.h"
#include "src/report/ladder.h"
#include "src/report/summary.h"
#include "src/report/table.h"
#include "src/text/quantity.h"
#include "src/util/array.h"
#include "src/util/tick.h"

#define LONG_WAIT (120 * NSEC_PER_SEC)

struct families {
	enum family list[_FAMILY_MAX];
	size_t count;
};

struct run {
	struct selection selection;
	const struct engine *engine;   /* of --engine; NULL until it is chosen; static */
	struct families families;      /* of --family */
	struct engine_job job;	       /* what the engine gets; its trials are those below */
	size_t repeat;		       /* of --repeat */
	int64_t phase;		       /* of --phase, in ticks; -1: it is drawn */
	bool json, all, engine_chosen; /* --json, --all and --engine are given */
	struct results_output output;  /* of --junit and --format */
	unsigned int retries;	       /* of --retries */
	const char *db;		       /* the value of --db; NULL: it is not given; not owned */

	struct engine_trial *trials; /* owned, like the arrays below */
	struct record **records;     /* by trial; NULL: it has none */
	bool *over;		     /* by trial: it has ended */
	struct error *problems;	     /* by trial: why it has no record */
	size_t *again;		     /* the trials that are to be tried again; owned */
	size_t n_again;
	const size_t *trying;	/* the trials of a job that tries again; NULL: all; not owned */
	unsigned int tries;	/* how often each trial has been tried that is tried now */
	bool *skipped;		/* by scenario: the user has been told that it is skipped */
	size_t n_skipped;	/* how many trials of --all this machine cannot run */
	size_t printed;		/* how many trials have their JSON or ladder printed */
	bool got[_VERDICT_MAX]; /* a trial has that verdict */
	struct error worst;	/* of a trial without a record: it decides the exit status */
	struct error latest;	/* the error that was printed last */
	char *kernel; /* release of the kernel that runs them; NULL: it is not known; owned */
	struct run_store store;	  /* open if --db is given */
	struct error store_error; /* why nothing can be stored any more */
	bool stop;		  /* the engine begins no more trials */
};

static int parse_families(const char *text, void *field, struct error *err)
{
	struct families *families = field;
	int family = family_from_name(text);

	*families = (struct families){ .list = { FAMILY_IPV4, FAMILY_IPV6 }, .count = 2 };
	if (!strcmp(text, "both"))
		return 0;
	if (family < 0)
		return error_input(err, "--family: expected ipv4, ipv6 or both, got '%s'", text);
	*families = (struct families){ .list = { (enum family)family }, .count = 1 };
	return 0;
}

static int parse_horizon(const char *text, void *field, struct error *err)
{
	nsec_t *horizon_nsec = field;
	int rc = quantity_parse_time(text, horizon_nsec, err);

	if (rc >= 0 && *horizon_nsec == 0)
		rc = error_input(err, "a horizon of 0 leaves no time to notice anything");
	return rc < 0 ? error_prefix(err, rc, "--horizon") : 0;
}

static const struct run defaults = {
	.families = { { FAMILY_IPV4 }, 1 },
	.repeat = 1,
	.phase = -1,
	.job = { .seed = 1 },
};

static const struct argument arguments[] = {
	{ "all", 'a', NULL, "every scenario that is listed, but those that run programs of others",
	  TO_FLAG(run, all) },
	{ "db", 0, "FILE", "store the records in FILE, a SQLite file, too", TO_TEXT(run, db) },
	{ "engine", 'e', "NAME", "who provides the kernel: host (default), or qemu: virtual time",
	  TO_OTHER(run, engine, selection_parse_engine), "host qemu" },
	{ "family", 'f', "FAMILY", "ipv4 (default), ipv6, or both",
	  TO_OTHER(run, families, parse_families), "ipv4 ipv6 both" },
	{ "horizon", 0, "TIME", "wait at most so long after the first event",
	  TO_OTHER(run, selection.request.horizon_nsec, parse_horizon) },
	OPTION_FORMAT(run, output),
	OPTION_JOBS(run, job.jobs),
	{ "json", 0, NULL, "print one JSON object a trial and nothing else", TO_FLAG(run, json) },
	OPTION_JUNIT(run, output),
	{ "kernel", 'k', "NAME", "qemu: which kernel: 6.1, 6.12, a whole release, or a vmlinuz",
	  TO_TEXT(run, job.kernel_name) },
	OPTION_MODULES(run, job.kernel_modules),
	OPTION_NO_BPF(run, job.derived_only),
	OPTION_NO_SNAPSHOT(run, job.no_snapshot),
	{ "logs", 0, "DIR", "write what each of your programs wrote to DIR",
	  TO_TEXT(run, job.logs_dir) },
	{ "pcap", 0, "DIR", "write each node's packets to DIR", TO_TEXT(run, job.pcap_dir) },
	{ "phase", 0, "N", "qemu: timer wheel phase of every trial, in ticks (default: drawn)",
	  TO_COUNT(run, phase, 0, TICK_PHASES - 1) },
	OPTION_QUICK(run, selection.request.quick, QUICK_OF_ALL),
	{ "repeat", 'n', "N", "run each N times", TO_COUNT(run, repeat, 1, 100000) },
	OPTION_RETRIES(run, retries),
	OPTION_SEED(run, job.seed),
	OPTION_SET(run, selection.sets, SET_OF_ALL),
	{ "trace", 't', NULL, "print what happened, packet by packet, at both ends",
	  TO_FLAG(run, job.trace) },
	{ 0 },
};

static int load_all(struct run *run, struct error *err)
{
	_cleanup_(strings_freep) char **paths = NULL;
	int rc = scenario_find_all(&paths, err);

	for (char **path = paths; rc >= 0 && *path; path++) {
		size_t first = run->selection.scenarios.count;

		rc = selection_load(&run->selection, *path, err);
		/* The programs of others need not be installed here. */
		if (rc >= 0 && first < run->selection.scenarios.count &&
		    scenario_has_programs(run->selection.scenarios.items[first]))
			scenario_list_truncate(&run->selection.scenarios, first);
	}
	return rc;
}

/* Says how many variants --quick leaves out of the scenario that was loaded last, whose variants
 * begin at `first` in the list. */
static void tell_left_out(const struct run *run, size_t first)
{
	const struct scenario_list *list = &run->selection.scenarios;
	const struct scenario *s = list->items[first];
	size_t n = list->n_left_out;

	if (!n)
		return;
	fprintf(stderr,
		"deadpeer: %s: %zu of %zu variants ha%s no quick settings and %s left out\n",
		s->name, n, n + list->count - first, n == 1 ? "s" : "ve", n == 1 ? "is" : "are");
}

static int load(struct run *run, int argc, char **argv, struct error *err)
{
	int rc = 0;

	if (run->all && argc)
		return error_input(err, "run: --all already names every scenario");
	if (run->all)
		return load_all(run, err);
	if (!argc)
		return error_input(err, "run: which scenario? `deadpeer list` shows them");
	for (int i = 0; rc >= 0 && i < argc; i++) {
		size_t before = run->selection.scenarios.count;

		rc = selection_load(&run->selection, argv[i], err);
		if (rc >= 0)
			tell_left_out(run, before);
	}
	return rc;
}

static int plan(struct run *run, struct error *err)
{
	size_t n = run->selection.scenarios.count * run->families.count * run->repeat;
	struct engine_trial *t;

	if (n > 1000000)
		return error_input(err, "run: %zu trials are more than 1000000", n);
	run->trials = t = calloc(n + 1, sizeof(*run->trials));
	run->records = calloc(n + 1, sizeof(*run->records));
	run->over = calloc(n + 1, sizeof(*run->over));
	run->problems = calloc(n + 1, sizeof(*run->problems));
	run->again = calloc(n + 1, sizeof(*run->again));
	run->skipped = calloc(run->selection.scenarios.count + 1, sizeof(*run->skipped));
	if (!run->trials || !run->records || !run->over || !run->skipped || !run->problems ||
	    !run->again)
		return error_errno(err, -ENOMEM, "run");
	for (size_t s = 0; s < run->selection.scenarios.count; s++)
		for (size_t f = 0; f < run->families.count; f++)
			for (size_t i = 0; i < run->repeat; i++)
				*t++ = (struct engine_trial){ run->selection.scenarios.items[s],
							      run->families.list[f],
							      (unsigned int)i, run->phase, false };
	run->job.trials = run->trials;
	run->job.n_trials = n;
	return 0;
}

static void on_progress(const char *text, nsec_t at_most_nsec, size_t done, size_t total,
			void *userdata)
{
	bool known = at_most_nsec != NSEC_NEVER;
	char line[256], span[64] = "";

	if (known)
		nsec_format(span, sizeof(span), at_most_nsec);
	snprintf(line, sizeof(line), "%zu of %zu done; %.90s%s%s%s", done, total, text,
		 known ? ", at most " : "", span, known ? " more" : "");
	tell_progress(line);
}

/* With --all, a scenario that this machine cannot run is no failure: one line names the scenario
 * and the reason. */
static void skip(struct run *run, const struct scenario *s, const struct error *err)
{
	size_t i = 0, n = strlen(s->name);
	const char *reason = err->text;

	run->n_skipped++;
	while (run->selection.scenarios.items[i] != s)
		i++;
	if (run->skipped[i]) /* another family or repeat of it has been told of */
		return;
	run->skipped[i] = true;
	if (!strncmp(reason, s->name, n) && !strncmp(reason + n, ": ", 2))
		reason += n + 2;
	fprintf(stderr, "deadpeer: skipped %s%s%s: %s\n", s->name, s->variant ? "/" : "",
		s->variant ? s->variant : "", reason);
}

static void print_record(const struct run *run, const struct record *record)
{
	struct ladder_style style = ladder_style(stdout);
	_cleanup_(freep) char *json = run->json ? record_to_json(record) : NULL;

	if (json)
		puts(json);
	else
		ladder_print(record, &style, stdout);
}

/* Prints records in the order of the trials, not in that of their ends, so that the same run prints
 * the same bytes. */
static void print_records(struct run *run)
{
	for (; run->printed < run->job.n_trials && run->over[run->printed]; run->printed++) {
		struct record *record = run->records[run->printed];

		if (!record)
			continue;
		print_record(run, record);
		trace_deinit(&record->trace); /* a trace may be large, and is not needed any more */
	}
	fflush(stdout);
}

static void store(struct run *run, size_t trial, const struct record *record,
		  const struct error *err)
{
	if (run->db && !run->stop &&
	    run_store_add(&run->store, trial, record, err, &run->store_error) < 0)
		run->stop = true;
}

/* A trial is over that is not tried once more. */
static void settle(struct run *run, size_t trial, const struct error *err)
{
	struct record *record = run->records[trial];

	run->over[trial] = true;
	store(run, trial, record, err);
	if (record) {
		run->got[record_verdict(record)] = true;
		trace_build(record);
		return;
	}
	run->problems[trial] = *err;
	if (run->all && err->kind == ERROR_CAPABILITY) {
		skip(run, run->trials[trial].scenario, err);
		return;
	}
	if (strcmp(run->latest.text, err->text) != 0 && strcmp(run->worst.text, err->text) != 0)
		tell_error(err, run->engine);
	run->latest = *err;
	if (run->worst.kind == ERROR_NONE || err->kind == ERROR_INPUT)
		run->worst = *err;
}

/* Only what is inconclusive is tried again, never what failed. In virtual time a trial comes out
 * the same each time, also this way, and a trial that was late has run alone once more already. */
static bool wants_another(const struct run *run, const struct record *record)
{
	return record && record_verdict(record) == VERDICT_INCONCLUSIVE &&
	       run->tries <= run->retries && !run->engine->virtual_time;
}

static void on_done(size_t index, struct record *record, const struct error *err, void *userdata)
{
	struct run *run = userdata;
	size_t trial = run->trying ? run->trying[index] : index;

	tell_no_progress();
	if (!record && run->records[trial]) { /* what an earlier try has found stays */
		tell_error(err, run->engine);
		record = take_ptr(run->records[trial]);
	}
	record_free(run->records[trial]);
	run->records[trial] = record;
	if (record && run->tries > 1)
		record->tries = run->tries;
	if (wants_another(run, record))
		run->again[run->n_again++] = trial;
	else
		settle(run, trial, err);
	if (run->json || run->job.trace)
		print_records(run);
}

static int check_engine(const struct run *run, struct error *err)
{
	const char *option = run->job.kernel_name      ? "kernel"
			     : run->job.kernel_modules ? "modules"
			     : run->job.no_snapshot    ? "no-snapshot"
			     : run->phase >= 0	       ? "phase"
						       : NULL;

	if (!run->engine->virtual_time && option)
		return error_input(err, "--%s: only with --engine qemu", option);
	return 0;
}

static int check_output(struct run *run, struct error *err)
{
	if (run->output.format == RESULTS_MARKDOWN && (run->json || run->job.trace))
		return error_input(err, "--format md: not with --%s, which is no Markdown",
				   run->json ? "json" : "trace");
	/* Where the kernel is not at hand, the engine says so. */
	if (results_output_wanted(&run->output))
		run->engine->release(run->job.kernel_name, run->job.kernel_modules, &run->kernel,
				     NULL);
	return results_output_check(&run->output, run->db, err);
}

/* Makes the folder of an option before any trial runs, so that a wrong path is refused at once. */
static int prepare_folder(const char *option, const char *dir, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;

	if (!dir)
		return 0;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return error_set(err, ERROR_INPUT, -errno, "--%s %s: %s", option, dir,
				 strerror(errno));
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || access(dir, W_OK | X_OK) < 0)
		return error_set(err, ERROR_INPUT, -errno, "--%s %s: %s", option, dir,
				 strerror(errno));
	return 0;
}

/* Tells the user of virtual time if the run takes minutes in real time, which is the default. */
static void suggest_virtual_time(const struct run *run, const struct command_line *line)
{
	struct outlook outlook =
		selection_outlook(&run->selection.scenarios, run->families.list[0]);
	char span[64];

	if (run->engine->virtual_time || run->engine_chosen || outlook.span_nsec < LONG_WAIT)
		return;
	fprintf(stderr, "deadpeer: this takes about %s; in virtual time it takes seconds:",
		estimate_format_span(outlook.span_nsec, span, sizeof(span)));
	fprintf(stderr, " deadpeer");
	for (int i = 0; i < line->argc; i++)
		fprintf(stderr, " %s", line->argv[i]);
	fprintf(stderr, " --engine qemu\n");
}

/* Runs the trials that are to be tried again. Those that the job does not come to keep the record
 * that they have. */
static int try_again(struct run *run, const struct engine_listener *listener, struct error *err)
{
	_cleanup_(freep) struct engine_trial *trials = calloc(run->n_again + 1, sizeof(*trials));
	_cleanup_(freep) size_t *trying = calloc(run->n_again + 1, sizeof(*trying));
	struct engine_job job = run->job;
	const struct error none = { 0 };
	int rc;

	if (!trials || !trying)
		return error_errno(err, -ENOMEM, "run");
	job.trials = trials;
	job.n_trials = run->n_again;
	for (size_t i = 0; i < job.n_trials; i++) {
		trying[i] = run->again[i];
		trials[i] = run->trials[trying[i]];
	}
	run->n_again = 0;
	run->trying = trying;
	run->tries++;
	fprintf(stderr, "deadpeer: %zu trial%s inconclusive: try %u of %u\n", job.n_trials,
		job.n_trials == 1 ? " is" : "s are", run->tries, run->retries + 1);
	rc = run->engine->run(&job, listener, err);
	run->trying = NULL;
	for (size_t i = 0; rc < 0 && i < job.n_trials; i++)
		if (!run->over[trying[i]] && run->records[trying[i]])
			settle(run, trying[i], &none);
	return rc;
}

static int run_all(struct run *run, struct error *err)
{
	struct engine_listener listener = { .done = on_done, .userdata = run };
	const struct error none = { 0 };
	size_t inconclusive = 0;
	int rc;

	if (table_is_terminal(stderr))
		listener.progress = on_progress;
	if (listener.progress &&
	    run->engine->virtual_time) /* this takes seconds, once for each kernel */
		on_progress("a guest is made ready", NSEC_NEVER, 0, run->job.n_trials, NULL);
	run->tries = 1;
	rc = run->engine->run(&run->job, &listener, err);
	while (rc >= 0 && run->n_again)
		rc = try_again(run, &listener, err);
	for (size_t i = 0; i < run->n_again; i++)
		if (!run->over[run->again[i]])
			settle(run, run->again[i], &none);
	if (run->json || run->job.trace) /* those that were to be tried again, and were not */
		print_records(run);
	tell_no_progress();
	for (size_t i = 0; i < run->job.n_trials; i++)
		inconclusive +=
			run->records[i] && record_verdict(run->records[i]) == VERDICT_INCONCLUSIVE;
	if (run->retries && run->engine->virtual_time && inconclusive)
		results_output_tell_vain(inconclusive);
	return rc;
}

/* Adds a trial that has no record. `stopped` is why the run ended before it, if it did. */
static int add_problem(const struct run *run, size_t trial, const struct error *stopped,
		       struct results *results)
{
	const struct error *why = run->over[trial] ? &run->problems[trial] : stopped;
	const struct scenario *s = run->trials[trial].scenario;
	char repeat[24];

	snprintf(repeat, sizeof(repeat), "%u", run->trials[trial].repeat);
	return results_add(
		results,
		&(struct result_source){ .scenario = s->name,
					 .variant = s->variant,
					 .kernel = run->kernel,
					 .release = run->kernel,
					 .engine = run->engine->name,
					 .family = family_name(run->trials[trial].family),
					 .repeat = repeat,
					 .lines = why->text,
					 .result = why->kind == ERROR_CAPABILITY ? RESULT_IMPOSSIBLE
										 : RESULT_ERROR });
}

static int add_findings(const struct run *run, struct results *results)
{
	_cleanup_(freep) char *text = NULL;
	char *rest, *line;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = 0;

	if (!out)
		return -ENOMEM;
	findings_print(run->records, run->job.n_trials, out);
	if (fclose(out) != 0)
		return -ENOMEM;
	rest = text;
	while (rc >= 0 && (line = strsep(&rest, "\n")))
		if (*line)
			rc = results_add_finding(results, line);
	return rc;
}

/* Tells CI systems, too, after a run that failed or was interrupted. */
static int write_results(const struct run *run, const struct error *stopped, struct error *err)
{
	_cleanup_(results_freep) struct results *results = NULL;
	int rc = 0;

	if (!results_output_wanted(&run->output))
		return 0;
	results = results_new();
	if (!results)
		return error_errno(err, -ENOMEM, "run");
	for (size_t i = 0; rc >= 0 && i < run->job.n_trials; i++)
		rc = run->records[i] ? results_add_record(results, run->records[i])
				     : add_problem(run, i, stopped, results);
	if (rc >= 0)
		rc = add_findings(run, results);
	if (rc < 0)
		return error_errno(err, rc, "run");
	return results_output_write(&run->output, results, "run", err);
}

static int execute(struct run *run, struct error *err)
{
	struct error interrupted = { 0 };
	int rc = run_all(run, &interrupted), written;

	if (run->json)
		findings_print(run->records, run->job.n_trials, stderr);
	else if (run->output.format == RESULTS_TABLE)
		summary_print(run->records, run->job.n_trials, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_set(err, ERROR_FAILED, -EIO, "standard output: %s", strerror(errno));
	written = write_results(run, run->stop ? &run->store_error : &interrupted, err);
	if (written < 0)
		return written;
	if (rc < 0) {
		*err = run->stop ? run->store_error : interrupted;
		return rc;
	}
	if (run->worst.kind != ERROR_NONE)
		return error_exit_status(run->worst.kind);
	if (run->n_skipped && run->n_skipped == run->job.n_trials)
		return error_exit_status(ERROR_CAPABILITY);
	return verdict_exit_status(run->got[VERDICT_FAIL], run->got[VERDICT_INCONCLUSIVE]);
}

static void clean_up(struct run *run)
{
	run_store_close(&run->store);
	for (size_t i = 0; run->records && i < run->job.n_trials; i++)
		record_free(run->records[i]);
	free(run->records);
	free(run->over);
	free(run->problems);
	free(run->again);
	free(run->kernel);
	free(run->skipped);
	free(run->trials);
	selection_deinit(&run->selection);
}

static int cmd_run(const struct command_line *line, void *options, struct error *err)
{
	struct run *run = options;
	int rc;

	run->engine_chosen = run->engine;
	if (!run->engine)
		run->engine = &engine_host;
	rc = load(run, line->n_operands, line->operands, err);
	if (rc >= 0)
		rc = check_engine(run, err);
	if (rc >= 0)
		rc = check_output(run, err);
	if (rc >= 0)
		rc = prepare_folder("pcap", run->job.pcap_dir, err);
	if (rc >= 0)
		rc = prepare_folder("logs", run->job.logs_dir, err);
	if (rc >= 0)
		rc = plan(run, err);
	if (rc >= 0 && run->db) {
		run->job.stop = &run->stop;
		rc = run_store_open(&run->store, run->db, run->engine, &run->job, line, err);
	}
	if (rc >= 0) {
		scenario_for_each_overridden(&run->selection.scenarios, tell_warning, NULL);
		suggest_virtual_time(run, line);
		rc = execute(run, err);
	}
	clean_up(run);
	return rc;
}

const struct verb verb_run = {
	.name = "run",
	.operands = "SCENARIO...",
	.summary = "Run scenarios and measure how long the loss of the peer goes unnoticed",
	.details =
		"SCENARIO is a name (power-loss-busy), a catalogue id (E16) or a file; one "
		"variant\n"
		"is SCENARIO/VARIANT (path-loss/prohibit). Several run at the same time. Exit "
		"status:\n"
		"0 every expectation held, 1 one did not, 2 wrong input, 3 this machine cannot do\n"
		"it, 4 nothing failed but a trial is inconclusive, 130 interrupted.",
	.arguments = arguments,
	.defaults = &defaults,
	.options_size = sizeof(struct run),
	.run = cmd_run,
};
