/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb new: writes a file of a scenario or a study to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/cleanup.h"

/* Where the file's name stands in a text. */
#define NAME "@NAME@"

static const char scenario_text[] =
	"# " NAME ": what this is about, in a few lines. `deadpeer show ./" NAME ".yaml` prints\n"
	"# this comment above what the scenario does.\n"
	"#\n"
	"# deadpeer check " NAME ".yaml          is it right?\n"
	"# deadpeer run ./" NAME ".yaml --quick  in this machine's kernel, with short timers\n"
	"# deadpeer run ./" NAME ".yaml --engine qemu\n"
	"#                                       with the full ones, in virtual time\n"
	"name: " NAME "\n"
	"summary: The server loses power while a client waits for answers\n"
	"\n"
	"# The network: routed (a router between the two), switched or direct. To delay or lose\n"
	"# packets: {topology: routed, delay: 40ms, loss: 1%}\n"
	"path: routed\n"
	"\n"
	"# What the two do, and with which settings: `man deadpeer`, SETTINGS.\n"
	"client:\n"
	"  workload: request       # sends, and reads the answer; idle: says nothing\n"
	"  interval: 100ms\n"
	"  size: 200\n"
	"  keepalive: {enabled: true, idle: 60s, interval: 10s, count: 3}\n"
	"  # user_timeout: 30s\n"
	"  sysctl: {net.ipv4.tcp_retries2: 8}\n"
	"server: {workload: echo}  # answers what it gets; sink: only reads\n"
	"# A program of your own, instead of a workload:\n"
	"# client: {command: [redis-cli, -h, \"{server}\", -p, \"{port}\", subscribe, news]}\n"
	"\n"
	"# What happens, and when, counted from the connection: power-loss, crash, freeze, "
	"blackhole,\n"
	"# cable-pull, unreachable, reboot, ...: `man deadpeer`, TIMELINE.\n"
	"timeline:\n"
	"  - {at: 1s, fault: power-loss, node: server}\n"
	"\n"
	"# How long to wait for it to be noticed, after the first event.\n"
	"horizon: 10min\n"
	"\n"
	"# What --quick lays over all this.\n"
	"quick:\n"
	"  client.net.ipv4.tcp_retries2: 3\n"
	"  horizon: 15s\n"
	"\n"
	"# What has to come of it: the scenario fails where this does not hold.\n"
	"expect:\n"
	"  client:\n"
	"    outcome: timed-out\n"
	"    error: ETIMEDOUT\n"
	"    after: predicted      # not before the time that the kernel's source predicts\n"
	"    before: predicted     # nor later; or a time: before: 30s\n";

static const char study_text[] =
	"# " NAME ": what this is to find out, in a few lines.\n"
	"#\n"
	"# deadpeer check " NAME ".yaml  how many trials are these, and how long do they take?\n"
	"# deadpeer sweep " NAME ".yaml  runs them and stores them in " NAME ".db\n"
	"# deadpeer export " NAME ".db --format csv\n"
	"name: " NAME "\n"
	"summary: Which settings notice soonest that the server has lost power\n"
	"\n"
	"# Names or ids of `deadpeer list`, one variant (path-loss/prohibit), or files of your "
	"own\n"
	"# (./mine.yaml).\n"
	"scenarios: [power-loss-idle, power-loss-busy]\n"
	"\n"
	"# Settings of all trials.\n"
	"set:\n"
	"  client.net.ipv4.tcp_retries2: 5\n"
	"\n"
	"# What varies. A setting has a list of values, or a range: {from: 1, to: 5}; a name of "
	"your\n"
	"# own has a list of bundles, which are settings that go together. There is a trial for "
	"each\n"
	"# combination.\n"
	"axes:\n"
	"  profile:\n"
	"    - {name: patient, client.keepalive: {enabled: true, idle: 5s, interval: 2s, count: "
	"5}}\n"
	"    - {name: hasty, client.keepalive: {enabled: true, idle: 2s, interval: 1s, count: 2}}\n"
	"  client.user_timeout: [\"0\", 4s]\n"
	"\n"
	"# How long to wait at most; how often each trial is run.\n"
	"horizon: 30s\n"
	"repeats: 1\n"
	"\n"
	"# scenario: what the scenarios expect has to hold. nothing: only measure.\n"
	"expect: nothing\n"
	"\n"
	"# In virtual time, hours take seconds; `deadpeer kernels fetch 6.1` brings a kernel.\n"
	"# engine: qemu\n"
	"# kernels: [\"6.1\", \"6.12\"]\n";

static const struct kind {
	const char *name, *text; /* static */
	const char *next;	 /* how its file is used, with the file's name for %s */
} kinds[] = {
	{ "scenario", scenario_text, "deadpeer run ./%s --quick" },
	{ "study", study_text, "deadpeer sweep ./%s" },
};

static const struct kind *find_kind(const char *word, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, word);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(word, kinds[i].name))
			return &kinds[i];
		suggestion_offer(&suggestion, kinds[i].name);
	}
	error_input(err, "new: cannot make a '%s'%s", word,
		    suggestion_text(&suggestion, buffer, sizeof(buffer)));
	return NULL;
}

/* Writes the text with the name in its places. Returns the file's content, which the caller frees;
 * NULL: out of memory. */
static char *fill_in(const char *text, const char *name)
{
	char *content = NULL;
	size_t size;
	FILE *out = open_memstream(&content, &size);

	if (!out)
		return NULL;
	for (const char *at; (at = strstr(text, NAME)); text = at + strlen(NAME))
		fprintf(out, "%.*s%s", (int)(at - text), text, name);
	fputs(text, out);
	return fclose(out) == 0 ? content : NULL;
}

/* Holds the content against the rules of such a file before there is a file. It is not looked for
 * in a study whether its scenarios can be found, which `check` does. */
static int check_name(const char *name, struct error *err)
{
	const struct scenario_request request = { 0 };
	_cleanup_(freep) char *content = fill_in(scenario_text, name);
	struct scenario_list list = { 0 };
	struct error wrong = { 0 };
	int rc;

	if (!content)
		return error_errno(err, -ENOMEM, "new");
	/* What begins or ends otherwise would be the name of a file that no command line takes. */
	if (!*name || strchr(name, '/') || scenario_is_file(name))
		return error_input(err, "new: '%s': a name, without a folder and without .yaml",
				   name);
	rc = scenario_parse(name, content, strlen(content), &request, &list, &wrong);
	scenario_list_deinit(&list);
	return rc < 0 ? error_input(err,
				    "new: '%s': use at most %d of a-z and 0-9, and after the "
				    "first '-' and '.'",
				    name, SCENARIO_MAX_NAME)
		      : 0;
}

static int write_file(const char *path, const char *content, struct error *err)
{
	_cleanup_(fd_closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	size_t size = strlen(content);
	ssize_t n;

	if (fd < 0 && errno == EEXIST)
		return error_input(err, "new: %s: is there already, and stays as it is", path);
	if (fd < 0)
		return error_input(err, "new: %s: %s", path, strerror(errno));
	n = write(fd, content, size);
	if (n == (ssize_t)size)
		return 0;
	n = n < 0 ? errno : ENOSPC;
	unlink(path);
	return error_set(err, ERROR_FAILED, -(int)n, "new: %s: %s", path, strerror((int)n));
}

static int cmd_new(const struct command_line *line, void *options, struct error *err)
{
	const struct kind *kind;
	_cleanup_(freep) char *path = NULL, *content = NULL;
	int rc;

	if (line->n_operands != 2)
		return error_input(err, "new: expected `scenario NAME` or `study NAME`");
	kind = find_kind(line->operands[0], err);
	if (!kind)
		return -EINVAL;
	rc = check_name(line->operands[1], err);
	if (rc < 0)
		return rc;
	content = fill_in(kind->text, line->operands[1]);
	if (asprintf(&path, "%s.yaml", line->operands[1]) < 0)
		path = NULL;
	if (!content || !path)
		return error_errno(err, -ENOMEM, "new");
	rc = write_file(path, content, err);
	if (rc < 0)
		return rc;
	printf("%s is written; next: edit it, then ", path);
	printf(kind->next, path);
	putchar('\n');
	return 0;
}

const struct verb verb_new = {
	.name = "new",
	.operands = "scenario|study NAME",
	.summary = "Write a scenario or a study to begin with",
	.details = "NAME.yaml in the current folder has what a first one needs, and says in its\n"
		   "comments what else there is. It can be run as it is. A file that is there\n"
		   "already is not touched.",
	.run = cmd_new,
};
