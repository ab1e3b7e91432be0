/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "src/kernel/cache.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

#define KEEP_SEC   (24 * 3600)	      /* an index serves for so long */
#define INDEX_MARK "deadpeer-index-1" /* what an index begins with */

/* The releases whose suites are looked for; which series of kernels they have is not known here. A
 * release that a mirror does not have costs one question a day. The newest kernels come first. */
static const char *const releases[] = { "sid", "forky", "trixie", "bookworm", "bullseye" };
static const char *const small_suffixes[] = { "-backports", "-security" };

static void package_deinit(struct package *package)
{
	free(package->name);
	free(package->version);
	free(package->file);
	*package = (struct package){ 0 };
}

static void forget_packages(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++)
		package_deinit(&suite->packages[i]);
	free(suite->packages);
	free(suite->absent);
	suite->packages = NULL;
	suite->absent = NULL;
	suite->count = 0;
}

static void suite_deinit(struct suite *suite)
{
	forget_packages(suite);
	free(suite->name);
	free(suite->mirror);
	*suite = (struct suite){ 0 };
}

void suite_list_deinit(struct suite_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		suite_deinit(&list->suites[i]);
	free(list->suites);
	*list = (struct suite_list){ 0 };
}

static int find_keyring(const char *given, char **ret_path, struct error *err)
{
	static const char *const places[] = { "/usr/share/keyrings/debian-archive-keyring.pgp",
					      "/usr/share/keyrings/debian-archive-keyring.gpg" };
	const char *found = given;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
		if (access(places[i], R_OK) == 0)
			found = places[i];
	if (!found)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no keys of Debian's to verify with: install the package "
				 "debian-archive-keyring, or give --keyring FILE");
	*ret_path = realpath(found, NULL);
	if (!*ret_path || access(*ret_path, R_OK) < 0)
		return error_set(err, ERROR_INPUT, -errno, "--keyring %s: %s", found,
				 strerror(errno));
	if (strpbrk(*ret_path, " \t\n[]"))
		return error_input(err, "--keyring %s: apt takes no such name of a file", found);
	return 0;
}

int suites_source_init(struct suites_source *source, const char *mirror, const char *keyring,
		       struct error *err)
{
	int rc = apt_mirrors_init(&source->mirrors, mirror, err);

	if (rc >= 0)
		rc = find_keyring(keyring, &source->keyring, err);
	if (rc < 0)
		suites_source_deinit(source);
	return rc;
}

void suites_source_deinit(struct suites_source *source)
{
	apt_mirrors_deinit(&source->mirrors);
	free(source->keyring);
	*source = (struct suites_source){ 0 };
}

/* "6.12.90+deb13-cloud-amd64" and "6.19+deb14-amd64" are releases; "6.12-cloud-amd64" is no kernel
 * but depends on the newest of a series. */
static bool is_release(const char *text)
{
	size_t major = strspn(text, "0123456789");
	size_t minor = text[major] == '.' ? strspn(text + major + 1, "0123456789") : 0;

	return major && minor && strchr(".+", text[major + 1 + minor]) && text[major + 1 + minor];
}

/* Whether the package is of a kernel for this machine, by its name. */
static bool is_of_kernel(const char *name)
{
	static const char *const prefixes[] = { "linux-image-", "linux-binary-", "linux-modules-",
						"linux-base-" };
	const char *architecture = APT_ARCHITECTURE;
	size_t n = strlen(name), a = strlen(architecture);

	if (n > 9 && strcmp(name + n - 9, "-unsigned") == 0)
		n -= 9;
	if (n <= a || name[n - a - 1] != '-' || strncmp(name + n - a, architecture, a) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return is_release(name + strlen(prefixes[i]));
	return false;
}

/* One paragraph of a list of packages, as far as it was read. */
struct paragraph {
	struct package package;
	bool meta; /* it has no kernel, but depends on the packages that have one */
};

static void take_line(struct paragraph *p, const char *line)
{
	struct package *package = &p->package;

	if (strncmp(line, "Package: ", 9) == 0)
		package->name = strdup(line + 9);
	else if (strncmp(line, "Version: ", 9) == 0)
		package->version = strdup(line + 9);
	else if (strncmp(line, "Filename: ", 10) == 0)
		package->file = strdup(line + 10);
	else if (strncmp(line, "Size: ", 6) == 0)
		package->size = strtoull(line + 6, NULL, 10);
	else if (strncmp(line, "SHA256: ", 8) == 0)
		snprintf(package->sha256, sizeof(package->sha256), "%s", line + 8);
	else if (strncmp(line, "Depends: ", 9) == 0)
		p->meta = strstr(line, "linux-binary-");
}

static void end_paragraph(struct paragraph *p, FILE *index)
{
	const struct package *package = &p->package;

	if (package->name && package->version && package->file && package->size &&
	    package->sha256[0] && !p->meta && is_of_kernel(package->name))
		fprintf(index, "%s %s %llu %s %s\n", package->name, package->version, package->size,
			package->sha256, package->file);
	package_deinit(&p->package);
	*p = (struct paragraph){ 0 };
}

/* Picks the kernels out of apt's list. */
static int pick(const char *list, FILE *index, struct error *err)
{
	_cleanup_(file_closep) FILE *file = fopen(list, "re");
	_cleanup_(freep) char *line = NULL;
	struct paragraph paragraph = { 0 };
	size_t size = 0;

	if (!file)
		return error_errno(err, -errno, "%s", list);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			take_line(&paragraph, line);
		else
			end_paragraph(&paragraph, index);
	}
	end_paragraph(&paragraph, index);
	return ferror(file) ? error_errno(err, -EIO, "%s", list) : 0;
}

/* Writes the text of an index, or why there is none. */
static int make_text(const struct suite *suite, const struct suites_source *source,
		     const char *folder, FILE *index, struct error *err)
{
	const struct apt_suite wanted = { .name = suite->name,
					  .mirror = suite->mirror,
					  .keyring = source->keyring,
					  .progress = source->progress };
	_cleanup_(freep) char *list = NULL;
	struct error local = { 0 };
	int rc = apt_load(&wanted, folder, &list, &local);

	fprintf(index, INDEX_MARK " %s\n", suite->mirror);
	if (rc == -ENODATA) {
		fprintf(index, "! %s\n", local.text);
		return 0;
	}
	return rc < 0 ? error_hand_on(err, rc, &local) : pick(list, index, err);
}

static int write_index(const struct suite *suite, const struct suites_source *source,
		       const char *path, struct error *err)
{
	_cleanup_(freep) char *folder = cache_temporary(path), *text = NULL;
	size_t size;
	FILE *index = open_memstream(&text, &size);
	int rc = folder && index ? 0 : error_errno(err, -ENOMEM, "packages");

	if (rc >= 0 && mkdir(folder, 0700) < 0)
		rc = cache_error(err, -errno, folder);
	if (rc >= 0)
		rc = make_text(suite, source, folder, index, err);
	if (index && fclose(index) != 0 && rc >= 0)
		rc = error_errno(err, -ENOMEM, "packages");
	if (folder)
		cache_remove(folder);
	return rc < 0 ? rc : cache_write_text(path, text, err);
}

static int read_package(struct suite *suite, const char *line)
{
	struct package package = { 0 }, *slot;

	if (sscanf(line, "%ms %ms %llu %64s %ms", &package.name, &package.version, &package.size,
		   package.sha256, &package.file) != 5) {
		package_deinit(&package);
		return -EBADMSG;
	}
	slot = array_append(&suite->packages, &suite->count, sizeof(*slot));
	if (!slot) {
		package_deinit(&package);
		return -ENOMEM;
	}
	*slot = package;
	return 0;
}

/* Reads the index at `path`. Returns false if there is none of this mirror, or none that is whole.
 */
static bool read_index(struct suite *suite, const char *path)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	_cleanup_(freep) char *head = format_new(INDEX_MARK " %s\n", suite->mirror);
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	bool whole = file && head && getline(&line, &size, file) > 0 && !strcmp(line, head);

	forget_packages(suite);
	while (whole && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "! ", 2) == 0)
			whole = !suite->absent && (suite->absent = strdup(line + 2));
		else
			whole = read_package(suite, line) == 0;
	}
	if (!whole)
		forget_packages(suite);
	return whole;
}

/* Adds what is in an index, of whatever mirror. */
static int read_cached(struct suite_list *list, const char *path)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	struct suite suite = { 0 }, *slot;

	if (!file || fscanf(file, INDEX_MARK " %ms", &suite.mirror) != 1)
		return 0;
	suite.name = strdup(strrchr(path, '/') + 1);
	if (!suite.name || !read_index(&suite, path)) {
		suite_deinit(&suite);
		return 0;
	}
	slot = array_append(&list->suites, &list->count, sizeof(*slot));
	if (!slot) {
		suite_deinit(&suite);
		return -ENOMEM;
	}
	*slot = suite;
	return 0;
}

static bool is_recent(const char *path)
{
	struct stat st;
	time_t now = time(NULL);

	return stat(path, &st) == 0 && st.st_mtime <= now && now - st.st_mtime < KEEP_SEC;
}

static int index_path(const struct suite *suite, char **ret_path, struct error *err)
{
	_cleanup_(freep) char *folder = NULL;
	int rc = cache_folder("apt/suites", &folder, err);

	if (rc < 0)
		return rc;
	*ret_path = format_new("%s/%s", folder, suite->name);
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "packages");
}

/* If newer lists cannot be loaded, those of yesterday serve, and that is told. */
static int load_anew(struct suite *suite, const struct suites_source *source, const char *path,
		     struct error *err)
{
	struct error local = { 0 };
	int rc = write_index(suite, source, path, &local);

	suite->fresh = rc >= 0;
	if (rc == -EHOSTUNREACH && read_index(suite, path) && !suite->absent) {
		fprintf(stderr, "deadpeer: %s; going by what was loaded earlier\n", local.text);
		return 0;
	}
	if (rc < 0)
		return error_hand_on(err, rc, &local);
	return read_index(suite, path) ? 0 : error_errno(err, -EBADMSG, "%s", path);
}

static int load(struct suite *suite, const struct suites_source *source, bool anew,
		struct error *err)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(fd_closep) int lock = -1;
	int rc = index_path(suite, &path, err);

	if (rc < 0)
		return rc;
	if (!anew && is_recent(path) && read_index(suite, path))
		return 0;
	rc = cache_lock(path, &lock, err);
	if (rc < 0)
		return rc;
	/* Another process may have loaded it meanwhile. */
	if (!anew && is_recent(path) && read_index(suite, path))
		return 0;
	return load_anew(suite, source, path, err);
}

static const char *mirror_of(const struct suites_source *source, const char *suite)
{
	return strstr(suite, "-security") ? source->mirrors.security : source->mirrors.main;
}

static bool has(const struct suite_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->suites[i].name, name) == 0)
			return true;
	return false;
}

static bool has_any(const struct suite_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->suites[i].absent)
			return true;
	return false;
}

/* Whether the other suites are to be asked although one could not be: not if the whole mirror is
 * out of reach, since waiting for each would take minutes. */
static bool is_forgiven(const struct suite_list *list, int rc)
{
	return rc == -ENOKEY || rc == -ESTALE || (rc == -EHOSTUNREACH && has_any(list));
}

/* With `forgive` a suite that cannot be loaded is one that is left out. */
static int add(struct suite_list *list, const struct suites_source *source, const char *name,
	       bool forgive, struct error *err)
{
	struct suite suite = { .name = strdup(name), .mirror = strdup(mirror_of(source, name)) };
	struct error local = { 0 };
	struct suite *slot;
	int rc = suite.name && suite.mirror ? load(&suite, source, source->refresh, &local)
					    : error_errno(&local, -ENOMEM, "suites");

	if (forgive && is_forgiven(list, rc)) {
		suite.failed = suite.fresh = true;
		suite.absent = strdup(local.text);
		rc = suite.absent ? 0 : error_errno(&local, -ENOMEM, "suites");
	}
	error_hand_on(err, rc, &local);
	slot = rc < 0 ? NULL : array_append(&list->suites, &list->count, sizeof(*slot));
	if (!slot) {
		suite_deinit(&suite);
		return rc < 0 ? rc : error_errno(err, -ENOMEM, "suites");
	}
	*slot = suite;
	return 0;
}

int suites_add_all(struct suite_list *list, const struct suites_source *source,
		   enum suite_extent extent, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(releases) && rc >= 0; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(small_suffixes) && rc >= 0; j++) {
			_cleanup_(freep) char *name =
				format_new("%s%s", releases[i], small_suffixes[j]);

			if (!name)
				rc = error_errno(err, -ENOMEM, "suites");
			else if (strcmp(releases[i], "sid") != 0 && !has(list, name))
				rc = add(list, source, name, true, err);
		}
		if (rc >= 0 && extent == SUITES_ALL && !has(list, releases[i]))
			rc = add(list, source, releases[i], true, err);
	}
	for (size_t i = 0; i < list->count && rc >= 0 && !has_any(list); i++)
		if (list->suites[i].failed)
			rc = error_set(err, ERROR_CAPABILITY, -EHOSTUNREACH, "%s",
				       list->suites[i].absent);
	return rc;
}

int suites_add(struct suite_list *list, const struct suites_source *source, const char *name,
	       struct error *err)
{
	int rc;

	if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
		return error_input(err, "--suite %s: not a suite such as trixie-backports", name);
	rc = add(list, source, name, false, err);
	if (rc >= 0 && list->suites[list->count - 1].absent)
		return error_input(err, "--suite %s: %s", name,
				   list->suites[list->count - 1].absent);
	return rc;
}

int suites_add_cached(struct suite_list *list, struct error *err)
{
	struct suite any = { .name = (char *)"*" };
	_cleanup_(freep) char *path = NULL;
	int rc = index_path(&any, &path, err);
	glob_t found;

	if (rc < 0)
		return rc;
	cache_find(path, "*", &found);
	for (size_t i = 0; i < found.gl_pathc && rc >= 0; i++)
		rc = read_cached(list, found.gl_pathv[i]) < 0 ? error_errno(err, -ENOMEM, "suites")
							      : 0;
	globfree(&found);
	return rc;
}

int suite_reload(struct suite *suite, const struct suites_source *source, struct error *err)
{
	int rc;

	if (suite->fresh)
		return 0;
	rc = load(suite, source, true, err);
	return rc < 0 ? rc : suite->fresh;
}
