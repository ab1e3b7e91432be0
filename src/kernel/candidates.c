/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/candidates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/kernel/kernel.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

#define IMAGE  "linux-image-"
#define BINARY "linux-binary-"

DEFINE_NAMES(
	kernel_flavour,
	_KERNEL_FLAVOUR_MAX, [KERNEL_CLOUD] = "cloud", [KERNEL_PLAIN] = "plain", [KERNEL_RT] = "rt")

char *kernel_series(const char *release, char text[SERIES_SIZE])
{
	size_t n = strspn(release, "0123456789");

	if (release[n] == '.')
		n += 1 + strspn(release + n + 1, "0123456789");
	snprintf(text, SERIES_SIZE, "%.*s", (int)n, release);
	return text;
}

/* Whether the release has the word before its architecture: "-cloud-amd64". */
static bool ends_with(const char *release, const char *word)
{
	char end[32];
	size_t n = strlen(release);
	int e = snprintf(end, sizeof(end), "-%s-%s", word, APT_ARCHITECTURE);

	return n > (size_t)e && strcmp(release + n - e, end) == 0;
}

enum kernel_flavour kernel_flavour_of(const char *release)
{
	if (ends_with(release, "cloud"))
		return KERNEL_CLOUD;
	return ends_with(release, "rt") ? KERNEL_RT : KERNEL_PLAIN;
}

static const struct package *find(const struct suite *suite, const char *prefix,
				  const char *release)
{
	for (size_t i = 0; i < suite->count; i++) {
		const char *name = suite->packages[i].name;
		size_t n = strlen(prefix);

		if (strncmp(name, prefix, n) == 0 && strcmp(name + n, release) == 0)
			return &suite->packages[i];
	}
	return NULL;
}

/* Finds what belongs to the vmlinuz in linux-binary-RELEASE. */
static int find_rest(struct candidate *candidate, const char *release)
{
	static const char *const prefixes[] = { "linux-modules-", "linux-base-" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const struct package *part = find(candidate->suite, prefixes[i], release);

		if (part)
			candidate->parts[candidate->part_count++] = part;
		else if (!candidate->missing &&
			 !(candidate->missing = format_new("%s%s", prefixes[i], release)))
			return -ENOMEM;
	}
	return 0;
}

static void candidate_deinit(struct candidate *candidate)
{
	free(candidate->release);
	free(candidate->missing);
}

/* Adds the kernel of which `package` has the vmlinuz; it may have none. */
static int add(struct candidate_list *list, const struct suite *suite,
	       const struct package *package)
{
	bool split = strncmp(package->name, BINARY, strlen(BINARY)) == 0;
	struct candidate candidate = { .suite = suite, .parts = { package }, .part_count = 1 };
	struct candidate *slot;
	size_t n;
	int rc = 0;

	if (!split && strncmp(package->name, IMAGE, strlen(IMAGE)) != 0)
		return 0;
	candidate.release = strdup(package->name + strlen(split ? BINARY : IMAGE));
	if (!candidate.release)
		return -ENOMEM;
	n = strlen(candidate.release);
	if (n > 9 && strcmp(candidate.release + n - 9, "-unsigned") == 0) {
		candidate.is_unsigned = true;
		candidate.release[n - 9] = '\0';
	}
	candidate.flavour = kernel_flavour_of(candidate.release);
	if (split)
		rc = find_rest(&candidate, candidate.release);
	slot = rc < 0 ? NULL : array_append(&list->candidates, &list->count, sizeof(*slot));
	if (!slot) {
		candidate_deinit(&candidate);
		return -ENOMEM;
	}
	*slot = candidate;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int c = kernel_release_compare(y->release, x->release);

	if (c == 0)
		c = (x->missing != NULL) - (y->missing != NULL);
	if (c == 0)
		c = x->is_unsigned - y->is_unsigned;
	return c ? c : (x->suite > y->suite) - (x->suite < y->suite);
}

int candidate_list_init(struct candidate_list *list, const struct suite_list *suites,
			struct error *err)
{
	int rc = 0;

	*list = (struct candidate_list){ 0 };
	for (size_t i = 0; i < suites->count; i++)
		for (size_t j = 0; j < suites->suites[i].count && rc >= 0; j++)
			rc = add(list, &suites->suites[i], &suites->suites[i].packages[j]);
	if (rc < 0) {
		candidate_list_deinit(list);
		return error_errno(err, rc, "packages");
	}
	if (list->count)
		qsort(list->candidates, list->count, sizeof(*list->candidates), compare);
	return 0;
}

void candidate_list_deinit(struct candidate_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		candidate_deinit(&list->candidates[i]);
	free(list->candidates);
	*list = (struct candidate_list){ 0 };
}

unsigned long long candidate_size(const struct candidate *candidate)
{
	unsigned long long size = 0;

	for (size_t i = 0; i < candidate->part_count; i++)
		size += candidate->parts[i]->size;
	return size;
}
