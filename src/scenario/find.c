/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where scenario files are, and which one a name or a catalogue id means. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

struct found {
	char *path; /* owned */
	char *name; /* file name without ".yaml"; owned */
	char *id;   /* as in the file; NULL when it has none or cannot be read; owned */
};

struct catalogue {
	struct found *items;
	size_t count;
};

static void catalogue_deinit(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		free(catalogue->items[i].path);
		free(catalogue->items[i].name);
		free(catalogue->items[i].id);
	}
	free(catalogue->items);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Takes `path` over. */
static int add_directory(char ***directories, size_t *count, char *path)
{
	char **longer;

	if (!path)
		return -ENOMEM;
	if (!is_directory(path)) {
		free(path);
		return 0;
	}
	longer = reallocarray(*directories, *count + 2, sizeof(*longer));
	if (!longer) {
		free(path);
		return -ENOMEM;
	}
	*directories = longer;
	longer[(*count)++] = path;
	longer[*count] = NULL;
	return 0;
}

char **scenario_directories(void)
{
	static const char *const built_in[] = {
#ifdef DEADPEER_SOURCE_DIR
		DEADPEER_SOURCE_DIR "/scenarios",
#endif
#ifdef DEADPEER_DATADIR
		DEADPEER_DATADIR "/scenarios",
#endif
	};
	_cleanup_(strings_freep) char **directories = calloc(1, sizeof(char *));
	const char *p = getenv("DEADPEER_SCENARIOS");
	size_t n, count = 0;

	if (!directories)
		return NULL;
	for (; p && *p; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		if (n && add_directory(&directories, &count, strndup(p, n)) < 0)
			return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (add_directory(&directories, &count, strdup(built_in[i])) < 0)
			return NULL;
	return take_ptr(directories);
}

static char *read_id(const char *path)
{
	_cleanup_(document_freep) struct document *document = NULL;
	const struct document_node *id;

	if (document_read(path, &document, NULL) < 0)
		return NULL;
	id = document_get(document->root, "id");
	return id && id->kind == DOCUMENT_SCALAR ? strdup(id->text) : NULL;
}

static int add_file(struct catalogue *catalogue, const char *directory, const char *file, size_t n)
{
	struct found found = { .name = strndup(file, n) }, *longer;

	for (size_t i = 0; found.name && i < catalogue->count; i++)
		if (!strcmp(catalogue->items[i].name, found.name)) {
			free(found.name); /* an earlier directory has it */
			return 0;
		}
	longer = reallocarray(catalogue->items, catalogue->count + 1, sizeof(*longer));
	if (longer)
		catalogue->items = longer;
	if (!longer || !found.name || asprintf(&found.path, "%s/%s", directory, file) < 0) {
		free(found.name);
		return -ENOMEM;
	}
	found.id = read_id(found.path);
	catalogue->items[catalogue->count++] = found;
	return 0;
}

static int add_files(struct catalogue *catalogue, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + n - 5, ".yaml"))
			rc = add_file(catalogue, directory, entry->d_name, n - 5);
	}
	if (dir)
		closedir(dir);
	return rc;
}

/* By id, those without one last; then by name. E9 comes before E10. */
static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int rc;

	if (!x->id != !y->id)
		return !x->id - !y->id;
	rc = x->id ? strverscmp(x->id, y->id) : 0;
	return rc ? rc : strcmp(x->name, y->name);
}

static int catalogue_read(char **directories, struct catalogue *catalogue, struct error *err)
{
	for (char **directory = directories; *directory; directory++)
		if (add_files(catalogue, *directory) < 0)
			return error_errno(err, -ENOMEM, "%s", *directory);
	if (catalogue->count)
		qsort(catalogue->items, catalogue->count, sizeof(*catalogue->items), compare_found);
	return 0;
}

int scenario_find_all(char ***ret_paths, struct error *err)
{
	_cleanup_(catalogue_deinit) struct catalogue catalogue = { 0 };
	_cleanup_(strings_freep) char **directories = scenario_directories();
	char **paths;
	int rc;

	if (!directories)
		return error_errno(err, -ENOMEM, "scenarios");
	rc = catalogue_read(directories, &catalogue, err);
	if (rc < 0)
		return rc;
	paths = calloc(catalogue.count + 1, sizeof(*paths));
	if (!paths)
		return error_errno(err, -ENOMEM, "scenarios");
	for (size_t i = 0; i < catalogue.count; i++)
		paths[i] = take_ptr(catalogue.items[i].path);
	*ret_paths = paths;
	return 0;
}

static int not_found(const char *what, char **directories, const struct catalogue *catalogue,
		     struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	if (!*directories)
		return error_input(err,
				   "there is no scenario '%s': no directory of scenarios "
				   "found; set DEADPEER_SCENARIOS",
				   what);
	suggestion_init(&suggestion, what);
	for (size_t i = 0; i < catalogue->count; i++)
		suggestion_offer(&suggestion, catalogue->items[i].name);
	return error_input(err, "there is no scenario '%s'%s ('deadpeer list' shows all)", what,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

int scenario_split_variant(const char *what, char **ret_what, const char **ret_variant)
{
	const char *slash = strrchr(what, '/');
	size_t n = slash ? (size_t)(slash - what) : 0, whole = strlen(what);
	bool of_file = n > 5 && !strncmp(slash - 5, ".yaml", 5);
	bool of_name = n && what[0] != '.' && !memchr(what, '/', n);
	bool split = (of_file || of_name) && slash[1] && access(what, F_OK) < 0 &&
		     !(whole > 5 && !strcmp(what + whole - 5, ".yaml"));

	*ret_variant = split ? slash + 1 : NULL;
	*ret_what = strndup(what, split ? n : whole);
	return *ret_what ? 0 : -ENOMEM;
}

int scenario_find(const char *what, char **ret_path, struct error *err)
{
	_cleanup_(catalogue_deinit) struct catalogue catalogue = { 0 };
	_cleanup_(strings_freep) char **directories = NULL;
	size_t n = strlen(what);
	int rc;

	if (strchr(what, '/') || (n > 5 && !strcmp(what + n - 5, ".yaml"))) {
		*ret_path = strdup(what);
		return *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", what);
	}
	directories = scenario_directories();
	if (!directories)
		return error_errno(err, -ENOMEM, "scenarios");
	/* The usual case, a name, needs no directory to be read. */
	for (char **directory = directories; *what && *directory; directory++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s.yaml", *directory, what) < 0)
			return error_errno(err, -ENOMEM, "%s", what);
		if (access(path, F_OK) == 0) {
			*ret_path = take_ptr(path);
			return 0;
		}
	}
	rc = catalogue_read(directories, &catalogue, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < catalogue.count; i++)
		if (catalogue.items[i].id && !strcasecmp(catalogue.items[i].id, what)) {
			*ret_path = take_ptr(catalogue.items[i].path);
			return 0;
		}
	return not_found(what, directories, &catalogue, err);
}
