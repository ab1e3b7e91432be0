/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. Suites are asked in two rounds: first those of security updates and
 * backports, whose lists are small, and only for a kernel that none of these has, or for the newest
 * of all, whole releases too. In each round the kernels that the name matches are tried, the
 * newest first. If the mirror no longer has a package, its suite is loaded again, and if it is
 * still named there, the next kernel is tried. There is a lock for each release, so that a second
 * fetch waits for the first and finds its result. A download that was cut off stays in the cache,
 * and goes on the next time.
 */
#include "src/kernel/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/kernel/cache.h"
#include "src/kernel/manifest.h"
#include "src/kernel/unpack.h"
#include "src/util/format.h"

struct fetch {
	const char *name;		     /* what was asked for; NULL: the newest; not owned */
	const struct fetch_options *options; /* not owned */
	struct suites_source source;
	struct suite_list suites;
	char *downloads; /* the folder for packages; owned */
};

static bool is_wanted(const struct fetch *fetch, const struct candidate *candidate)
{
	if (fetch->name && strcmp(fetch->name, candidate->release) == 0)
		return true;
	return candidate->flavour == fetch->options->flavour &&
	       (!fetch->name || kernel_name_matches(fetch->name, candidate->release));
}

static char *download_path(const struct fetch *fetch, const struct package *package)
{
	return format_new("%s%s", fetch->downloads, strrchr(package->file, '/'));
}

static int download(const struct fetch *fetch, const struct candidate *candidate,
		    const struct package *package, struct error *err)
{
	_cleanup_(freep) char *path = download_path(fetch, package);
	_cleanup_(freep) char *url = format_new("%s/%s", candidate->suite->mirror, package->file);
	const struct apt_file file = { .url = url,
				       .name = package->name,
				       .sha256 = package->sha256,
				       .size = package->size,
				       .progress = fetch->options->progress };

	return path && url ? apt_download(&file, path, err) : error_errno(err, -ENOMEM, "package");
}

static int unpack_parts(const struct fetch *fetch, const struct candidate *candidate,
			const char *folder, struct error *err)
{
	char release[UNPACK_RELEASE_SIZE] = "";
	int rc = 0;

	for (size_t i = 0; i < candidate->part_count && rc >= 0; i++) {
		_cleanup_(freep) char *path = download_path(fetch, candidate->parts[i]);

		rc = path ? unpack_package(path, folder, release, err)
			  : error_errno(err, -ENOMEM, "kernel");
	}
	return rc < 0 ? rc : unpack_check(folder, candidate->parts[0]->name, err);
}

static void remove_downloads(const struct fetch *fetch, const struct candidate *candidate)
{
	for (size_t i = 0; i < candidate->part_count; i++) {
		_cleanup_(freep) char *path = download_path(fetch, candidate->parts[i]);

		if (path)
			unlink(path);
	}
}

static int unpack(const struct fetch *fetch, const struct candidate *candidate, const char *target,
		  struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(target);
	int rc;

	if (!temporary)
		return error_errno(err, -ENOMEM, "%s", target);
	if (mkdir(temporary, 0700) < 0)
		return cache_error(err, -errno, temporary);
	rc = unpack_parts(fetch, candidate, temporary, err);
	if (rc >= 0)
		rc = kernel_manifest_write(temporary, err);
	if (rc >= 0)
		cache_remove(target); /* If it is there, it is damaged. */
	if (rc >= 0 && rename(temporary, target) < 0)
		rc = cache_error(err, -errno, target);
	if (rc < 0)
		cache_remove(temporary);
	return rc;
}

/* Downloads and unpacks the kernel, unless it was unpacked before and is still whole. -ENODATA: a
 * package is not on the mirror. */
static int install(const struct fetch *fetch, const struct candidate *candidate, struct error *err)
{
	_cleanup_(freep) char *kernels = NULL, *target = NULL;
	_cleanup_(fd_closep) int lock = -1;
	int rc = cache_folder("kernels", &kernels, err);

	if (rc < 0)
		return rc;
	target = format_new("%s/%s", kernels, candidate->release);
	if (!target)
		return error_errno(err, -ENOMEM, "kernel");
	rc = cache_lock(target, &lock, err);
	if (rc < 0)
		return rc;
	if (kernel_manifest_check(target))
		return 0;
	for (size_t i = 0; i < candidate->part_count; i++) {
		rc = download(fetch, candidate, candidate->parts[i], err);
		if (rc < 0)
			return rc;
	}
	rc = unpack(fetch, candidate, target, err);
	if (rc >= 0 || rc == -EBADMSG)
		remove_downloads(fetch, candidate);
	return rc;
}

/* What became of a walk through the kernels that the name matches. */
enum walk {
	WALK_NONE,	/* none matches, or none could be had */
	WALK_INSTALLED, /* *ret_release is at hand */
	WALK_CHANGED,	/* a suite was loaded again: what it has is to be looked at anew */
};

static struct suite *suite_of(struct fetch *fetch, const struct candidate *candidate)
{
	return &fetch->suites.suites[candidate->suite - fetch->suites.suites];
}

/* A package that the index names is not on the mirror. Returns whether the suite was loaded again.
 */
static int handle_absence(struct fetch *fetch, const struct candidate *candidate,
			  const struct error *why, struct error *err)
{
	int rc = suite_reload(suite_of(fetch, candidate), &fetch->source, err);

	if (rc == 0)
		fprintf(stderr, "deadpeer: %s; trying the next\n", why->text);
	return rc;
}

/* Each kernel that cannot be had leaves why in `why`. */
static int walk(struct fetch *fetch, const struct candidate_list *list, enum walk *ret_walk,
		char **ret_release, struct error *why, struct error *err)
{
	*ret_walk = WALK_NONE;
	for (size_t i = 0; i < list->count; i++) {
		const struct candidate *candidate = &list->candidates[i];
		struct error local = { 0 };
		int rc;

		if (candidate->missing || !is_wanted(fetch, candidate))
			continue;
		rc = install(fetch, candidate, &local);
		if (rc >= 0) {
			*ret_walk = WALK_INSTALLED;
			*ret_release = strdup(candidate->release);
			return *ret_release ? 0 : error_errno(err, -ENOMEM, "kernel");
		}
		if (rc != -ENODATA)
			return error_hand_on(err, rc, &local);
		*why = local;
		rc = handle_absence(fetch, candidate, &local, err);
		if (rc > 0)
			*ret_walk = WALK_CHANGED;
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return 0;
}

static int try_suites(struct fetch *fetch, enum walk *ret_walk, char **ret_release,
		      struct error *why, struct error *err)
{
	int rc;

	do {
		struct candidate_list list;

		rc = candidate_list_init(&list, &fetch->suites, err);
		if (rc < 0)
			return rc;
		rc = walk(fetch, &list, ret_walk, ret_release, why, err);
		candidate_list_deinit(&list);
	} while (rc >= 0 && *ret_walk == WALK_CHANGED);
	return rc;
}

/* Writes the series that the archive has, the newest first: "7.3, 7.2, 6.18". */
static void list_series(const struct fetch *fetch, const struct candidate_list *list, char *text,
			size_t size)
{
	char last[SERIES_SIZE] = "", series[SERIES_SIZE];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->count && n < size; i++) {
		if (list->candidates[i].missing ||
		    list->candidates[i].flavour != fetch->options->flavour)
			continue;
		kernel_series(list->candidates[i].release, series);
		if (strcmp(series, last) != 0)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", series);
		strcpy(last, series);
	}
}

static int refuse(const struct fetch *fetch, const struct error *why, struct error *err)
{
	struct candidate_list list;
	char series[256];
	int rc = candidate_list_init(&list, &fetch->suites, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++)
		if (is_wanted(fetch, &list.candidates[i]) && list.candidates[i].missing) {
			rc = error_input(
				err,
				"kernel %s is not whole in %s: %s has left the archive; see "
				"`deadpeer kernels available`",
				list.candidates[i].release, list.candidates[i].suite->name,
				list.candidates[i].missing);
			break;
		}
	list_series(fetch, &list, series, sizeof(series));
	candidate_list_deinit(&list);
	if (rc < 0)
		return rc;
	if (why->kind != ERROR_NONE)
		return error_hand_on(err, -ENODATA, why);
	for (size_t i = 0; i < fetch->suites.count; i++)
		if (fetch->suites.suites[i].failed)
			return error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH,
					 "no kernel '%s' in the suites that could be asked; left "
					 "out: %s",
					 fetch->name ? fetch->name : "",
					 fetch->suites.suites[i].absent);
	return error_input(err, "%s has no kernel '%s' of flavour %s, only %s",
			   fetch->options->suite ? fetch->options->suite : "Debian's archive",
			   fetch->name ? fetch->name : "",
			   kernel_flavour_name(fetch->options->flavour),
			   *series ? series : "none at all");
}

/* Says which suites could not be asked, since one of them may have a newer kernel. */
static void tell_failures(const struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->suites.count; i++)
		if (fetch->suites.suites[i].failed)
			fprintf(stderr, "deadpeer: left out: %s\n", fetch->suites.suites[i].absent);
}

static int fetch_new(struct fetch *fetch, char **ret_release, struct error *err)
{
	const struct fetch_options *options = fetch->options;
	enum walk walked = WALK_NONE;
	struct error why = { 0 };
	int rc = 0;

	if (options->suite)
		rc = suites_add(&fetch->suites, &fetch->source, options->suite, err);
	for (int extent = fetch->name ? SUITES_SMALL : SUITES_ALL;
	     extent <= SUITES_ALL && rc >= 0 && walked != WALK_INSTALLED; extent++) {
		if (!options->suite)
			rc = suites_add_all(&fetch->suites, &fetch->source,
					    (enum suite_extent)extent, err);
		if (rc >= 0)
			rc = try_suites(fetch, &walked, ret_release, &why, err);
		if (options->suite)
			break;
	}
	if (rc >= 0 && walked == WALK_INSTALLED)
		tell_failures(fetch);
	return rc < 0 || walked == WALK_INSTALLED ? rc : refuse(fetch, &why, err);
}

/* Finds the newest kernel that was fetched before and is still whole. */
static bool find_at_hand(const char *name, enum kernel_flavour flavour, char **ret_release)
{
	struct kernel_list list;
	struct error ignored;

	if (kernel_list_init(&list, &ignored) < 0)
		return false;
	for (size_t i = 0; i < list.count && !*ret_release; i++) {
		const struct kernel *kernel = &list.kernels[i];
		bool wanted = strcmp(name, kernel->name) == 0 ||
			      (kernel_name_matches(name, kernel->name) &&
			       kernel_flavour_of(kernel->release) == flavour);

		if (wanted && kernel->origin == KERNEL_FETCHED &&
		    kernel_check(kernel, &ignored) >= 0)
			*ret_release = strdup(kernel->release);
	}
	kernel_list_deinit(&list);
	return *ret_release;
}

static int source_init(struct suites_source *source, const struct fetch_options *options,
		       struct error *err)
{
	source->refresh = options->refresh;
	source->progress = options->progress;
	return suites_source_init(source, options->mirror, options->keyring, err);
}

int kernel_fetch(const char *name, const struct fetch_options *options, struct kernel *ret,
		 struct error *err)
{
	struct fetch fetch = { .name = name, .options = options };
	_cleanup_(freep) char *release = NULL;
	bool ask = !name || options->suite || options->refresh;
	int rc = 0;

	if (ask || !find_at_hand(name, options->flavour, &release)) {
		rc = cache_folder("apt", &fetch.downloads, err);
		if (rc >= 0)
			rc = source_init(&fetch.source, options, err);
		if (rc >= 0)
			rc = fetch_new(&fetch, &release, err);
	}
	if (rc >= 0)
		rc = kernel_find(release, NULL, ret, err);
	suite_list_deinit(&fetch.suites);
	suites_source_deinit(&fetch.source);
	free(fetch.downloads);
	return rc;
}

int archive_kernels_init(struct archive_kernels *archive, const struct fetch_options *options,
			 struct error *err)
{
	struct suites_source source = { 0 };
	int rc = source_init(&source, options, err);

	*archive = (struct archive_kernels){ 0 };
	if (rc < 0)
		return rc;
	rc = options->suite ? suites_add(&archive->suites, &source, options->suite, err)
			    : suites_add_all(&archive->suites, &source, SUITES_ALL, err);
	if (rc >= 0)
		rc = candidate_list_init(&archive->list, &archive->suites, err);
	suites_source_deinit(&source);
	if (rc < 0)
		archive_kernels_deinit(archive);
	return rc;
}

void archive_kernels_deinit(struct archive_kernels *archive)
{
	candidate_list_deinit(&archive->list);
	suite_list_deinit(&archive->suites);
}
