/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb sweep: plans the trials of a study, and runs what its store does not have yet. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/options.h"
#include "src/cmd/results-output.h"
#include "src/cmd/selection.h"
#include "src/cmd/sweep-progress.h"
#include "src/cmd/tell.h"
#include "src/model/estimate.h"
#include "src/report/answer.h"
#include "src/report/table.h"
#include "src/scenario/internal.h"
#include "src/store/export-junit.h"
#include "src/study/shard.h"
#include "src/study/sweep.h"
#include "src/util/array.h"

#define MAX_KERNELS 64
#define MAX_ROWS    100 /* of the table at the end */

struct command {
	const struct command_line *given;
	struct study_options options;
	const char *db; /* the value of --db; NULL: it is not given; not owned */
	const char *by; /* likewise of --by */
	struct argument_list kernels;
	bool resume;
	struct results_output output; /* of --junit and --format */
	unsigned int retries;	      /* of --retries */
	struct shard shard;
	struct study *study;
	struct study_plan *plan;
	struct store *store;
	struct sweep sweep;
	char *path; /* path of the store; owned */
};

static const struct command defaults = {
	.options = { .seed = 1, .max_trials = STUDY_MAX_TRIALS },
};

static int parse_shard(const char *text, void *shard, struct error *err)
{
	return shard_parse(text, shard, err);
}

static const struct argument arguments[] = {
	{ "by", 0, "AXIS,...", "the table has a row for each value of these axes",
	  TO_TEXT(command, by) },
	{ "db", 0, "FILE", "the store (default: STUDY.db here, with the shard)",
	  TO_TEXT(command, db) },
	{ "engine", 'e', "NAME", "host, or qemu: virtual time (default: the study's, or host)",
	  TO_OTHER(command, options.engine, selection_parse_engine), "host qemu" },
	OPTION_FORMAT(command, output),
	OPTION_JOBS(command, sweep.jobs),
	OPTION_JUNIT(command, output),
	{ "kernel", 'k', "NAME",
	  "qemu: which kernel, or all, instead of the study's; may be repeated",
	  TO_DISTINCT(command, kernels, MAX_KERNELS) },
	{ "max-trials", 0, "N", "how many are too many (default 100000)",
	  TO_COUNT(command, options.max_trials, 1, 100000000) },
	OPTION_MODULES(command, sweep.kernel_modules),
	OPTION_NO_BPF(command, sweep.derived_only),
	OPTION_NO_SNAPSHOT(command, sweep.no_snapshot),
	OPTION_QUICK(command, options.quick, QUICK_OF_ALL),
	{ "resume", 0, NULL, "go on in a store that is there, or begin one",
	  TO_FLAG(command, resume) },
	OPTION_RETRIES(command, retries),
	OPTION_SEED(command, options.seed),
	{ "shard", 0, "K/N", "only the K-th of N parts (default: from Slurm or Kubernetes)",
	  TO_OTHER(command, shard, parse_shard) },
	{ 0 },
};

static int which_study(struct error *err)
{
	_cleanup_(strings_freep) char **names = study_names();
	char list[400] = "";
	size_t n = 0;

	for (char **name = names; name && *name && n < sizeof(list); name++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : ": ", *name);
	return error_input(err, "sweep: which study?%s%s", *list ? " There are" : "", list);
}

static int choose_engine(struct command *c, struct error *err)
{
	if (!c->options.engine)
		c->options.engine = c->study->engine ? c->study->engine : &engine_host;
	if (!c->options.engine->virtual_time &&
	    (c->kernels.count || c->sweep.kernel_modules || c->sweep.no_snapshot))
		return error_input(err, "--%s: only with --engine qemu",
				   c->kernels.count	     ? "kernel"
				   : c->sweep.kernel_modules ? "modules"
							     : "no-snapshot");
	return 0;
}

static int choose_path(struct command *c, struct error *err)
{
	char shard[32] = "";

	if (c->shard.n > 1)
		snprintf(shard, sizeof(shard), ".%u-of-%u", c->shard.k, c->shard.n);
	if (c->db)
		c->path = strdup(c->db);
	else if (asprintf(&c->path, "%s%s.db", c->study->name, shard) < 0)
		c->path = NULL;
	return c->path ? 0 : error_errno(err, -ENOMEM, "sweep");
}

/* What --by says must be right before trials take their time. */
static int check_by(const struct command *c, struct error *err)
{
	_cleanup_(cells_freep) struct cells *cells = cells_new();
	int rc = cells ? 0 : error_errno(err, -ENOMEM, "sweep");

	for (size_t i = 0; rc >= 0 && i < c->study->n_axes; i++)
		rc = cells_add_axis(cells, c->study->axes[i].name, err);
	return rc >= 0 && c->by ? cells_choose(cells, c->by, err) : rc;
}

static int load(struct command *c, struct error *err)
{
	int argc = c->given->n_operands, rc;
	char **argv = c->given->operands;

	if (!argc)
		return which_study(err);
	if (argc > 1)
		return error_input(err, "sweep: one study at a time, got '%s' and '%s'", argv[0],
				   argv[1]);
	rc = study_load(argv[0], &c->study, err);
	if (rc < 0 && !study_is(argv[0]) && scenario_is(argv[0]))
		rc = error_input(err, "sweep: '%s' is a scenario, not a study: deadpeer run %s",
				 argv[0], argv[0]);
	if (rc >= 0)
		rc = check_by(c, err);
	if (rc >= 0)
		rc = choose_engine(c, err);
	if (rc >= 0 && !c->shard.n)
		rc = shard_from_environment(&c->shard, err);
	if (rc >= 0)
		rc = choose_path(c, err);
	if (rc >= 0)
		rc = study_plan_new(c->study, &c->options, &c->plan, err);
	if (rc < 0)
		return rc;
	c->sweep.plan = c->plan;
	rc = sweep_find_kernels(&c->sweep, &c->sweep.releases, err);
	if (rc < 0)
		return rc;
	c->sweep.trials = study_plan_shard(c->plan, c->shard.k, c->shard.n, &c->sweep.n_trials);
	return c->sweep.trials ? 0 : error_errno(err, -ENOMEM, "sweep");
}

static int open_store(struct command *c, struct error *err)
{
	struct store_study study = { .name = c->study->name,
				     .file = c->study->file,
				     .text = c->study->text,
				     .engine = (char *)c->options.engine->name,
				     .deadpeer = (char *)DEADPEER_VERSION,
				     .seed = c->options.seed,
				     .quick = c->options.quick,
				     .trials = c->plan->n_trials,
				     .shard = c->shard.k,
				     .shards = c->shard.n };
	int rc = store_open(c->path, c->resume ? STORE_RESUME : STORE_CREATE, &study, &c->store,
			    err);

	if (rc == -EEXIST)
		return error_input(err,
				   "%s: is there already: go on with --resume, or use another "
				   "--db",
				   c->path);
	if (rc >= 0)
		rc = store_has_other_kernels(c->store, c->plan->kernels, err);
	if (rc > 0)
		return error_input(err,
				   "%s: holds trials of other kernels; go on with that, or use "
				   "another --db",
				   c->path);
	return rc;
}

/* Returns the command that resumes this sweep. It names the shard, since the environment may say
 * another one by then. */
static char *resume_text(const struct command *c)
{
	_cleanup_(freep) char *command = arguments_command(c->given);
	bool name_shard = c->shard.from && strcmp(c->shard.from, "--shard") != 0;
	char shard[48] = "", *text;

	snprintf(shard, sizeof(shard), " --shard %u/%u", c->shard.k, c->shard.n);
	if (!command || asprintf(&text, "%s%s%s", command, name_shard ? shard : "",
				 c->resume ? "" : " --resume") < 0)
		return NULL;
	return text;
}

static int make_cells(const struct command *c, struct error *err)
{
	_cleanup_(strings_freep) char **axes = calloc(1, sizeof(*axes));
	size_t n = 0;
	int rc = axes ? 0 : -ENOMEM;

	for (size_t i = 0; rc >= 0 && i < c->study->n_axes; i++)
		rc = strings_append(&axes, &n, c->study->axes[i].name);
	return rc < 0 ? error_errno(err, rc, "sweep") : store_make_cells(c->store, axes, err);
}

static int fill_store(struct command *c, struct error *err)
{
	_cleanup_(freep) char *text = arguments_command(c->given), *qemu = NULL;
	int rc = text ? 0 : error_errno(err, -ENOMEM, "sweep");

	for (size_t i = 0; rc >= 0 && i < c->study->n_sources; i++) {
		const struct scenario_source *source = c->study->sources[i];

		rc = store_add_scenario(c->store, scenario_source_file(source),
					scenario_source_text(source), err);
	}
	for (size_t i = 0; rc >= 0 && i < c->plan->n_kernels; i++)
		rc = store_add_kernel(c->store, c->plan->kernels[i], c->sweep.releases[i], err);
	if (rc >= 0)
		rc = make_cells(c, err);
	if (rc >= 0 && c->options.engine->emulator)
		rc = c->options.engine->emulator(&qemu, err);
	return rc < 0 ? rc : store_begin_session(c->store, text, qemu, err);
}

static void on_progress(const struct sweep_counts *counts, void *userdata)
{
	const struct command *c = userdata;
	char line[160];

	tell_progress(
		sweep_progress_format(counts, c->options.engine->virtual_time, line, sizeof(line)));
}

static void on_problem(const struct error *err, void *userdata)
{
	const struct command *c = userdata;

	tell_no_progress();
	tell_error(err, c->options.engine);
}

static void print_end(const struct command *c, const struct sweep_counts *counts)
{
	char took[32], span[32];

	printf("%zu of %zu trials%s are in %s", counts->done, counts->total,
	       c->shard.n > 1 ? " of this shard" : "", c->path);
	if (counts->finished)
		printf("; %zu of them took %s%s%s", counts->finished,
		       estimate_format_span(counts->elapsed_nsec, took, sizeof(took)),
		       c->options.engine->virtual_time ? " for virtual " : "",
		       c->options.engine->virtual_time
			       ? estimate_format_span(counts->span_nsec, span, sizeof(span))
			       : "");
	putchar('\n');
}

/* Adds to the error that ended the sweep how many trials are stored, and the command that resumes
 * it. */
static int stopped(const struct command *c, const struct sweep_counts *counts, int rc,
		   struct error *err)
{
	_cleanup_(freep) char *text = resume_text(c);
	struct error reason = *err;

	return error_set(err, reason.kind, rc, "%s; %zu of %zu trials are in %s; to go on: %s",
			 reason.text, counts->done, counts->total, c->path, text ? text : "");
}

/* Of a sweep that was stopped one case says how many trials are missing, so that nobody takes what
 * there is for all. */
static int add_missing(const struct sweep_counts *counts, const struct error *stopped,
		       struct results *results, struct error *err)
{
	char text[sizeof(stopped->text) + 64];
	struct result_source source = { .trial = "not run", .lines = text, .result = RESULT_ERROR };

	snprintf(text, sizeof(text), "%zu of %zu trials were not run: %s",
		 counts->total - counts->done, counts->total, stopped->text);
	return results_add(results, &source) < 0 ? error_errno(err, -ENOMEM, "sweep") : 0;
}

/* `stopped` is why the sweep ended before its end, or has no kind. */
static int write_results(const struct command *c, const struct sweep_counts *counts,
			 const struct error *stopped, struct error *err)
{
	_cleanup_(results_freep) struct results *results = NULL;
	int rc = 0;

	if (!results_output_wanted(&c->output))
		return 0;
	results = results_new();
	if (!results)
		return error_errno(err, -ENOMEM, "sweep");
	rc = export_results(c->store, results, err);
	if (rc >= 0 && stopped->kind != ERROR_NONE)
		rc = add_missing(counts, stopped, results, err);
	return rc < 0 ? rc : results_output_write(&c->output, results, c->study->name, err);
}

/* Runs what the store lacks, and then again what is inconclusive, up to as often as --retries says.
 * In virtual time a trial comes out the same each time. */
static int run_all(const struct command *c, struct sweep_counts *counts, struct error *worst,
		   struct error *err)
{
	struct sweep sweep = c->sweep;
	bool vain = c->options.engine->virtual_time;
	int rc = sweep_run(&sweep, counts, worst, err);

	for (sweep.tries = 2;
	     rc >= 0 && counts->inconclusive && !vain && sweep.tries <= c->retries + 1;
	     sweep.tries++) {
		struct sweep_counts before = *counts;

		rc = sweep_run(&sweep, counts, worst, err);
		counts->finished = before.finished; /* the same trials, once more */
		counts->problems += before.problems;
		counts->elapsed_nsec += before.elapsed_nsec;
		counts->span_nsec += before.span_nsec;
	}
	tell_no_progress();
	if (vain && c->retries && counts->inconclusive)
		results_output_tell_vain(counts->inconclusive);
	return rc;
}

static int execute(struct command *c, struct error *err)
{
	struct sweep_counts counts = { 0 };
	struct error worst = { 0 }, reason = { 0 }, unwritten = { 0 };
	int rc, written, status;

	c->sweep.store = c->store;
	c->sweep.problem = on_problem;
	c->sweep.userdata = c;
	if (table_is_terminal(stderr))
		c->sweep.progress = on_progress;
	rc = fill_store(c, err);
	if (rc < 0)
		return rc;
	if (c->sweep.progress &&
	    c->options.engine->virtual_time) /* this takes seconds, once for each kernel */
		tell_progress("a guest is made ready");
	rc = run_all(c, &counts, &worst, err);
	if (rc < 0)
		reason = *err;
	written = write_results(c, &counts, &reason, rc < 0 ? &unwritten : err);
	if (rc < 0)
		return stopped(c, &counts, rc, err);
	if (written < 0)
		return written;
	if (c->output.format == RESULTS_TABLE) {
		rc = answer_print(&c->store, 1,
				  &(struct answer_spec){ .by = c->by, .max_rows = MAX_ROWS },
				  stdout, err);
		if (rc < 0)
			return rc;
		print_end(c, &counts);
	}
	status = worst.kind != ERROR_NONE ? error_exit_status(worst.kind)
					  : verdict_exit_status(counts.failed, counts.inconclusive);
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_set(err, ERROR_FAILED, -EIO, "standard output: %s", strerror(errno));
	return status;
}

static int cmd_sweep(const struct command_line *line, void *options, struct error *err)
{
	struct command *c = options;
	int rc;

	c->given = line;
	if (c->kernels.count)
		c->options.kernels = (char **)c->kernels.items;
	rc = load(c, err);
	if (rc >= 0)
		rc = results_output_check(&c->output, c->path, err);
	if (rc >= 0)
		rc = open_store(c, err);
	if (rc >= 0)
		rc = execute(c, err);
	store_close(c->store);
	strings_free(c->sweep.releases);
	free(c->sweep.trials);
	study_plan_free(c->plan);
	study_free(c->study);
	free(c->path);
	return rc;
}

const struct verb verb_sweep = {
	.name = "sweep",
	.operands = "STUDY",
	.summary = "Run every trial of a study and store what they find",
	.details =
		"STUDY is a name (retries2-ladder) or a file; `deadpeer check STUDY` says how "
		"many\n"
		"trials it has and how long they take. Each is stored as it ends, in a SQLite\n"
		"file: whatever stops a sweep, --resume runs just what is missing, and\n"
		"what was inconclusive once more. Exit status: 0\n"
		"every expectation held, 1 one did not, 2 wrong input, 3 this machine cannot do\n"
		"it, 4 nothing failed but a trial is inconclusive, 130 interrupted.",
	.arguments = arguments,
	.defaults = &defaults,
	.options_size = sizeof(struct command),
	.run = cmd_sweep,
};
