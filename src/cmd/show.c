/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb show: it prints a scenario. Theory of operation: the parts of each variant (topology,
 * settings, timeline, expectations) are written to text first. The text that all variants have
 * in common is printed once. Below each variant's name stands only the text that is its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/options.h"
#include "src/cmd/selection.h"
#include "src/cmd/tell.h"
#include "src/cmd/topology.h"
#include "src/model/estimate.h"
#include "src/report/describe.h"
#include "src/trial/facts.h"
#include "src/util/utf8.h"

static const struct argument arguments[] = {
	OPTION_FAMILY(selection, family),
	OPTION_QUICK(selection, request.quick, QUICK_OF_ONE),
	OPTION_SET(selection, sets, SET_OF_ONE),
	{ 0 },
};

enum part {
	PART_TOPOLOGY,
	PART_SETTINGS,
	PART_FOLLOWED,
	PART_TIMELINE,
	PART_EXPECTED,
	_PART_MAX,
};

static int write_setting(const struct setting_value *value, void *userdata)
{
	fprintf(userdata, "  %-34s ", value->key);
	utf8_put_plain(userdata, value->text);
	putc('\n', userdata);
	return 0;
}

static int write_topology(const struct scenario *s, enum family family, FILE *out,
			  struct error *err)
{
	return topology_draw(s, family, out, err);
}

static int write_settings(const struct scenario *s, enum family family, FILE *out,
			  struct error *err)
{
	int rc = scenario_for_each_setting(s, write_setting, out);

	return rc < 0 ? error_errno(err, rc, "settings") : 0;
}

/* A line of the timeline: an event, or a detection that the model predicts. */
struct moment {
	nsec_t at_nsec;
	char text[320];
};

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return (x->at_nsec > y->at_nsec) - (x->at_nsec < y->at_nsec);
}

/* Adds the predicted detections of those ends whose expected bounds are predictions. */
static size_t predict_moments(const struct scenario *s, enum family family, nsec_t first_nsec,
			      struct moment *moments)
{
	struct model_facts kernel = facts_of_running_kernel();
	char until[64], name[SCENARIO_END_NAME_SIZE];
	size_t n = 0;

	for (enum end_id end = 0; end < s->n_ends; end++) {
		const struct expectation *e = &s->expect[family][end];
		struct prediction p = describe_prediction(s, family, end, &kernel);

		if (p.mechanism == MECHANISM_NONE || !(e->after.predicted || e->before.predicted))
			continue;
		moments[n].at_nsec = first_nsec + p.earliest_nsec;
		snprintf(moments[n].text, sizeof(moments[n].text),
			 "to %s: the %s notices, by %s (predicted)",
			 describe_span(until, sizeof(until), first_nsec + p.latest_nsec),
			 scenario_end_name(s, end, name, sizeof(name)),
			 mechanism_name(p.mechanism));
		n++;
	}
	return n;
}

static int write_timeline(const struct scenario *s, enum family family, FILE *out,
			  struct error *err)
{
	_cleanup_(freep) struct moment *moments =
		calloc(s->n_events + 1 + _END_MAX, sizeof(*moments));
	nsec_t first_nsec = s->n_events ? s->events[0].at_nsec : 0;
	size_t n = 0;
	char at[64];

	if (!moments)
		return error_errno(err, -ENOMEM, "timeline");
	for (; n < s->n_events; n++) {
		moments[n].at_nsec = s->events[n].at_nsec;
		describe_event(s, &s->events[n], moments[n].text, sizeof(moments[n].text));
	}
	n += predict_moments(s, family, first_nsec, moments + n);
	qsort(moments, n, sizeof(*moments), compare_moments);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-16s %s\n", describe_span(at, sizeof(at), moments[i].at_nsec),
			moments[i].text);
	fprintf(out, "  %-16s the horizon: who has not noticed by now has not\n",
		describe_span(at, sizeof(at), first_nsec + s->horizon_nsec));
	return 0;
}

static int write_followed(const struct scenario *s, enum family family, FILE *out,
			  struct error *err)
{
	for (enum end_id end = 0; end < s->n_ends; end += 2) {
		const struct scenario_connection *c = &s->connections[end_connection(end)];

		if (!c->name)
			continue;
		fprintf(out, "  %-8s from %s to %s, ", c->name, scenario_node_name(s, c->from),
			scenario_node_name(s, c->to));
		if (c->number == SCENARIO_FOLLOW_LAST)
			fputs("the last", out);
		else if (c->number == SCENARIO_FOLLOW_ALL)
			fputs("all that are open at the first event", out);
		else if (c->number > 1)
			fprintf(out, "the %u.", (unsigned int)c->number);
		else
			fputs("the first", out);
		fputs(c->late ? ", which need not be there before the first event\n" : "\n", out);
	}
	return 0;
}

static int write_expected(const struct scenario *s, enum family family, FILE *out,
			  struct error *err)
{
	struct model_facts kernel = facts_of_running_kernel();

	for (enum end_id n = 0; n < s->n_ends; n++) {
		char prefix[SCENARIO_END_NAME_SIZE + 8], name[SCENARIO_END_NAME_SIZE];

		snprintf(prefix, sizeof(prefix), "  %-8s ",
			 scenario_end_name(s, n, name, sizeof(name)));
		if (s->expect[family][n].present)
			describe_expectation(s, family, n, &kernel, prefix, out);
	}
	return 0;
}

static const struct {
	const char *title;
	int (*write)(const struct scenario *s, enum family family, FILE *out, struct error *err);
	bool by_line; /* each line stands for itself, and may be common to all variants or not */
} parts[] = {
	[PART_TOPOLOGY] = { "Topology", write_topology, false },
	[PART_SETTINGS] = { "Settings; the kernel's defaults for all others", write_settings,
			    true },
	[PART_FOLLOWED] = { "Connections that are followed", write_followed, true },
	[PART_TIMELINE] = { "Timeline, from the moment there is a connection", write_timeline,
			    false },
	[PART_EXPECTED] = { "Expected, from the first event on", write_expected, true },
};

/* The texts of one variant. */
struct page {
	char *text[_PART_MAX];
};

struct pages {
	struct page *items;
	size_t count;
};

static void pages_deinit(struct pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		for (int p = 0; p < _PART_MAX; p++)
			free(pages->items[i].text[p]);
	free(pages->items);
}

static int write_page(const struct scenario *s, enum family family, struct page *page,
		      struct error *err)
{
	for (int p = 0; p < _PART_MAX; p++) {
		size_t size;
		FILE *out = open_memstream(&page->text[p], &size);
		int rc;

		if (!out)
			return error_errno(err, -errno, "show");
		rc = parts[p].write(s, family, out, err);
		if (fclose(out) != 0 && rc >= 0)
			rc = error_errno(err, -errno, "show");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool has_line(const char *text, const char *line, size_t n)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (!strncmp(text, line, n))
			return true;
	return false;
}

/* Returns whether all variants have this line, or, for a part whose lines depend on each other, the
 * same whole part. */
static bool is_common(const struct pages *pages, int part, const char *line, size_t n)
{
	for (size_t i = 0; i < pages->count; i++) {
		const char *text = pages->items[i].text[part];

		if (parts[part].by_line ? !has_line(text, line, n)
					: strcmp(text, pages->items[0].text[part]) != 0)
			return false;
	}
	return true;
}

/* Prints those lines of a part that all variants have in common, or with `common` false the other
 * lines. */
static void print_part(const struct pages *pages, size_t variant, int part, bool common)
{
	bool titled = false;

	for (const char *line = pages->items[variant].text[part]; *line;) {
		size_t n = strcspn(line, "\n") + 1;

		if (is_common(pages, part, line, n) == common) {
			if (!titled)
				printf("%s%s\n", common ? "\n" : "", parts[part].title);
			titled = true;
			fwrite(line, 1, n, stdout);
		}
		line += n;
	}
}

static void print_head(const struct selection *selection)
{
	const struct scenario *s = selection->scenarios.items[0];
	struct outlook outlook = selection_outlook(&selection->scenarios, selection->family);
	char text[64], span[64];

	printf("%s%s%s\n", s->id ? s->id : "", s->id ? " " : "", s->name);
	printf("\n%s\n", s->explanation && *s->explanation ? s->explanation : s->summary);
	printf("\nFile     %s\n", s->file);
	printf("Needs    network namespaces%s%s\n", outlook.needs ? ", " : "",
	       outlook.needs ? estimate_format_needs(outlook.needs, text, sizeof(text)) : "");
	printf("Takes    about %s%s%s; ",
	       estimate_format_span(outlook.span_nsec, span, sizeof(span)),
	       selection->scenarios.count > 1 ? ", the longest of its variants" : "",
	       s->quick	      ? " (quick)"
	       : s->has_quick ? ", less with --quick"
			      : "");
	printf("in virtual time about %s\n",
	       estimate_format_span(outlook.virtual_nsec, span, sizeof(span)));
}

static int show(const struct selection *selection, struct error *err)
{
	_cleanup_(pages_deinit) struct pages pages = { 0 };
	size_t n = selection->scenarios.count;
	int rc = 0;

	pages.items = calloc(n + 1, sizeof(*pages.items));
	if (!pages.items)
		return error_errno(err, -ENOMEM, "show");
	for (; rc >= 0 && pages.count < n; pages.count++)
		rc = write_page(selection->scenarios.items[pages.count], selection->family,
				&pages.items[pages.count], err);
	if (rc < 0)
		return rc;
	print_head(selection);
	for (int p = 0; p < _PART_MAX; p++)
		print_part(&pages, 0, p, true);
	for (size_t i = 0; i < n && selection->scenarios.items[i]->variant; i++) {
		printf("\nVariant %s\n", selection->scenarios.items[i]->variant);
		for (int p = 0; p < _PART_MAX; p++)
			print_part(&pages, i, p, false);
	}
	return 0;
}

static int cmd_show(const struct command_line *line, void *options, struct error *err)
{
	struct selection *selection = options;
	int rc = selection_load_one(selection, "show", line->n_operands, line->operands, err);

	if (rc >= 0) {
		scenario_for_each_overridden(&selection->scenarios, tell_warning, NULL);
		rc = show(selection, err);
	}
	selection_deinit(selection);
	return rc;
}

const struct verb verb_show = {
	.name = "show",
	.operands = "SCENARIO",
	.summary = "Show a scenario: why it is there, its network, settings and timeline",
	.details = "SCENARIO is a name (power-loss-busy), a catalogue id (E16) or a file. Bounds\n"
		   "that are predicted stand with the figure the model has for this machine's\n"
		   "kernel, so that with --set it is a calculator; `deadpeer predict` derives it.",
	.arguments = arguments,
	.options_size = sizeof(struct selection),
	.run = cmd_show,
};
