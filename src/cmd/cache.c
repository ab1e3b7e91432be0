/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb cache: shows what is in the user's cache, and removes what is not needed. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/cmd/cmd.h"
#include "src/kernel/cache-entries.h"
#include "src/text/quantity.h"
#include "src/util/cleanup.h"

struct options {
	bool json;
	const char *older, *to;
};

/* What prune is to leave. */
struct limit {
	nsec_t since_nsec;	  /* what was last used before goes */
	unsigned long long bytes; /* the most that stays */
	bool kernels;		  /* kernels go too, where the rest does not suffice */
};

static const struct argument arguments[] = {
	{ "json", 0, NULL, "print one JSON object an entry", TO_FLAG(options, json) },
	{ "older", 0, "TIME", "prune: what was not used for so long goes: 12h, 30d",
	  TO_TEXT(options, older) },
	{ "to", 0, "SIZE",
	  "prune: what was not used for the longest time goes until no more is left",
	  TO_TEXT(options, to) },
	{ 0 },
};

static nsec_t today(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return nsec_from_timespec(&now);
}

static void format_time(nsec_t nsec, const char *format, char *text, size_t size)
{
	time_t seconds = (time_t)(nsec / NSEC_PER_SEC);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, size, format, &tm);
}

static void print_json(const struct cache_entry *entry)
{
	json_object *line = json_object_new_object();
	char used[32];

	format_time(entry->used_nsec, "%Y-%m-%dT%H:%M:%SZ", used, sizeof(used));
	json_object_object_add(line, "kind", json_object_new_string(cache_sort_name(entry->sort)));
	json_object_object_add(line, "name", json_object_new_string(cache_entry_name(entry)));
	json_object_object_add(line, "path", json_object_new_string(entry->path));
	json_object_object_add(line, "bytes", json_object_new_uint64(entry->bytes));
	json_object_object_add(line, "used", json_object_new_string(used));
	json_object_object_add(line, "in_use", json_object_new_boolean(entry->in_use));
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

static double mib(unsigned long long bytes)
{
	return (double)bytes / (1 << 20);
}

static void print_row(const struct cache_entry *entry)
{
	char used[32];

	format_time(entry->used_nsec, "%Y-%m-%d %H:%M", used, sizeof(used));
	printf("%-9s  %9.1f  %s  %s%s\n", cache_sort_name(entry->sort), mib(entry->bytes), used,
	       cache_entry_name(entry), entry->in_use ? " (in use)" : "");
}

static int list(bool json, struct error *err)
{
	struct cache_list found;
	int rc = cache_list_init(&found, err);

	if (rc < 0)
		return rc;
	if (!json && found.count)
		puts("KIND             MiB  LAST USE (UTC)    NAME");
	for (size_t i = found.count; i-- > 0;)
		if (json)
			print_json(&found.entries[i]);
		else
			print_row(&found.entries[i]);
	if (!json)
		printf("%.1f MiB in %zu entries\n", mib(found.bytes), found.count);
	cache_list_deinit(&found);
	return 0;
}

static int drop(struct cache_list *found, struct cache_entry *entry, bool json, struct error *err)
{
	int rc = cache_entry_remove(entry, err);

	if (rc <= 0)
		return rc;
	found->bytes -= entry->bytes;
	if (json)
		print_json(entry);
	else
		print_row(entry);
	entry->sort = _CACHE_SORT_MAX;
	return 0;
}

/* One pass over what is left of the entries: kernels, or all others. */
static int pass(struct cache_list *found, const struct limit *limit, bool kernels, bool json,
		struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < found->count; i++) {
		struct cache_entry *entry = &found->entries[i];

		if (entry->sort == _CACHE_SORT_MAX || (entry->sort == CACHE_KERNEL) != kernels)
			continue;
		if (entry->used_nsec < limit->since_nsec ||
		    (found->bytes > limit->bytes && (!kernels || limit->kernels)))
			rc = drop(found, entry, json, err);
	}
	return rc;
}

static int read_limit(const struct options *options, struct limit *limit, struct error *err)
{
	nsec_t age_nsec = 0;
	uint64_t bytes = 0;
	int rc = 0;

	*limit = (struct limit){ .bytes = options->older ? ~0ull : CACHE_BYTES_DEFAULT };
	if (options->older)
		rc = quantity_parse_time(options->older, &age_nsec, err);
	if (rc < 0)
		return error_prefix(err, rc, "--older");
	if (options->older)
		limit->since_nsec = today() - age_nsec;
	if (options->to)
		rc = quantity_parse_bytes(options->to, 0, INT64_MAX, &bytes, err);
	if (rc < 0)
		return error_prefix(err, rc, "--to");
	if (options->to) {
		limit->bytes = bytes;
		limit->kernels = true;
	}
	return 0;
}

static int prune(const struct options *options, struct error *err)
{
	struct cache_list found;
	struct limit limit;
	int rc = read_limit(options, &limit, err);

	if (rc >= 0)
		rc = cache_list_init(&found, err);
	if (rc < 0)
		return rc;
	rc = pass(&found, &limit, false, options->json, err);
	if (rc >= 0)
		rc = pass(&found, &limit, true, options->json, err);
	if (rc >= 0 && !options->json)
		printf("%.1f MiB are left\n", mib(found.bytes));
	for (size_t i = 0; rc >= 0 && i < found.count && found.bytes > limit.bytes; i++)
		if (found.entries[i].sort != _CACHE_SORT_MAX)
			fprintf(stderr, "%s %s stays: %s\n", cache_sort_name(found.entries[i].sort),
				cache_entry_name(&found.entries[i]),
				found.entries[i].sort == CACHE_LISTS ? "`kernels fetch` needs it"
				: found.entries[i].sort == CACHE_KERNEL && !limit.kernels
					? "only --to or --older removes a kernel"
					: "it is in use");
	cache_list_deinit(&found);
	return rc;
}

static int cmd_cache(const struct command_line *line, void *userdata, struct error *err)
{
	const struct options *options = userdata;
	const char *word = line->n_operands ? line->operands[0] : "list";

	if (line->n_operands <= 1 && !strcmp(word, "list") && (options->older || options->to))
		return error_input(err, "cache: --older and --to go with prune");
	if (line->n_operands <= 1 && !strcmp(word, "list"))
		return list(options->json, err);
	if (line->n_operands == 1 && !strcmp(word, "prune"))
		return prune(options, err);
	return error_input(err, "cache: expected `list` or `prune`; see `deadpeer cache --help`");
}

const struct verb verb_cache = {
	.name = "cache",
	.operands = "[list | prune]",
	.summary = "Show what is in the cache, and remove what is not needed",
	.details =
		"list shows the kernels, images and snapshots, the last used first. prune removes "
		"what\n"
		"killed runs left, and then what was not used for the longest time: with --older "
		"what\n"
		"is older, with --to until the rest is no larger, without both until it is 4 GiB.\n"
		"Kernels go last, and only with --older or --to. What is in use stays. Each run "
		"that\n"
		"puts something into the cache keeps it to 4 GiB by itself, and removes no kernel.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_cache,
};
