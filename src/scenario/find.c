/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds scenario files, and the one that a name or a catalogue id means. A directory of scenarios
 * holds files, and folders of files; each folder is a section of the catalogue. */
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
	char *id;   /* as in the file, once read_ids() has read it; NULL: it has none; owned */
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

bool scenario_is_file(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".yaml");
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
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
	const char *named = getenv("DEADPEER_SCENARIOS");
	_cleanup_(freep) char *list = strdup(named ? named : "");
	_cleanup_(strings_freep) char **directories = calloc(1, sizeof(*directories));
	char *rest = list, *name;
	size_t count = 0;

	if (!list || !directories)
		return NULL;
	while ((name = strsep(&rest, ":")))
		if (is_directory(name) && strings_append(&directories, &count, name) < 0)
			return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (is_directory(built_in[i]) &&
		    strings_append(&directories, &count, built_in[i]) < 0)
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

static void read_ids(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->count; i++)
		catalogue->items[i].id = read_id(catalogue->items[i].path);
}

/* Adds the file, whose name is the `n` bytes of `path` from offset `name` on. Takes `path` over. */
static int add_file(struct catalogue *catalogue, char *path, size_t name, size_t n)
{
	struct found *found;

	for (size_t i = 0; i < catalogue->count; i++)
		if (!strncmp(catalogue->items[i].name, path + name, n) &&
		    !catalogue->items[i].name[n]) {
			free(path); /* an earlier directory has it */
			return 0;
		}
	found = array_append(&catalogue->items, &catalogue->count, sizeof(*found));
	if (!found) {
		free(path);
		return -ENOMEM;
	}
	found->path = path;
	found->name = strndup(path + name, n);
	return found->name ? 0 : -ENOMEM;
}

/* Adds the files of a folder, in the order of their names, and with `sections` those of the folders
 * in it. */
static int add_files(struct catalogue *catalogue, const char *folder, bool sections)
{
	struct dirent **entries;
	int rc = 0, n = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		size_t length = strlen(name);
		char *path = NULL;

		if (rc == 0 && name[0] != '.' && asprintf(&path, "%s/%s", folder, name) < 0)
			rc = -ENOMEM;
		else if (path && scenario_is_file(name))
			rc = add_file(catalogue, take_ptr(path), strlen(folder) + 1, length - 5);
		else if (path && sections && strcmp(name, "studies"))
			rc = add_files(catalogue, path, false);
		free(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return rc;
}

/* Sorts by id, with files that have none last, and then by name. E9 comes before E10. */
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
		if (add_files(catalogue, *directory, true) < 0)
			return error_errno(err, -ENOMEM, "%s", *directory);
	return 0;
}

int scenario_find_all(char ***ret_paths, struct error *err)
{
	_cleanup_(catalogue_deinit) struct catalogue catalogue = { 0 };
	_cleanup_(strings_freep) char **directories = scenario_directories();
	_cleanup_(strings_freep) char **paths = calloc(1, sizeof(*paths));
	size_t count = 0;
	int rc;

	if (!directories || !paths)
		return error_errno(err, -ENOMEM, "scenarios");
	rc = catalogue_read(directories, &catalogue, err);
	if (rc < 0)
		return rc;
	read_ids(&catalogue);
	if (catalogue.count)
		qsort(catalogue.items, catalogue.count, sizeof(*catalogue.items), compare_found);
	for (size_t i = 0; i < catalogue.count; i++)
		if (strings_append(&paths, &count, catalogue.items[i].path) < 0)
			return error_errno(err, -ENOMEM, "scenarios");
	*ret_paths = take_ptr(paths);
	return 0;
}

static struct found *find_by(const struct catalogue *catalogue, const char *what, bool id)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		struct found *found = &catalogue->items[i];

		if (id ? found->id && !strcasecmp(found->id, what) : !strcmp(found->name, what))
			return found;
	}
	return NULL;
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
	size_t n = slash ? (size_t)(slash - what) : 0;
	bool of_file = n > 5 && !strncmp(slash - 5, ".yaml", 5);
	bool of_name = n && what[0] != '.' && !memchr(what, '/', n);
	bool split = (of_file || of_name) && slash[1] && access(what, F_OK) < 0 &&
		     !scenario_is_file(what);

	*ret_variant = split ? slash + 1 : NULL;
	*ret_what = split ? strndup(what, n) : strdup(what);
	return *ret_what ? 0 : -ENOMEM;
}

int scenario_find(const char *what, char **ret_path, struct error *err)
{
	_cleanup_(catalogue_deinit) struct catalogue catalogue = { 0 };
	_cleanup_(strings_freep) char **directories = NULL;
	struct found *found;
	int rc;

	if (strchr(what, '/') || scenario_is_file(what)) {
		*ret_path = strdup(what);
		return *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", what);
	}
	directories = scenario_directories();
	if (!directories)
		return error_errno(err, -ENOMEM, "scenarios");
	rc = catalogue_read(directories, &catalogue, err);
	if (rc < 0)
		return rc;
	found = find_by(&catalogue, what, false);
	if (!found) { /* the ids come second, since each file must be read for them */
		read_ids(&catalogue);
		found = find_by(&catalogue, what, true);
	}
	if (!found)
		return not_found(what, directories, &catalogue, err);
	*ret_path = take_ptr(found->path);
	return 0;
}

bool scenario_is(const char *what)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *base = NULL, *path = NULL;
	const char *variant;

	if (scenario_split_variant(what, &base, &variant) < 0 ||
	    scenario_find(base, &path, NULL) < 0 || document_read(path, &document, NULL) < 0)
		return false;
	return document_get(document->root, "timeline") || document_get(document->root, "variants");
}
