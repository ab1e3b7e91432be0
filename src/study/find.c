/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the file of a study's name in the folder "studies" below each folder of scenarios. */
#include <errno.h>
#include <glob.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/study/study.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

static bool is_path(const char *what)
{
	return strchr(what, '/') || scenario_is_file(what);
}

static int not_found(const char *what, struct error *err)
{
	_cleanup_(strings_freep) char **names = study_names();
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, what);
	for (char **name = names; name && *name; name++)
		suggestion_offer(&suggestion, *name);
	return error_input(err, "there is no study '%s'%s", what,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

int study_find(const char *what, char **ret_path, struct error *err)
{
	_cleanup_(strings_freep) char **folders = scenario_directories();

	if (is_path(what)) {
		*ret_path = strdup(what);
		return *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", what);
	}
	for (char **folder = folders; folder && *what && *folder; folder++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/studies/%s.yaml", *folder, what) < 0)
			return error_errno(err, -ENOMEM, "%s", what);
		if (access(path, F_OK) == 0) {
			*ret_path = take_ptr(path);
			return 0;
		}
	}
	return not_found(what, err);
}

bool study_is(const char *what)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL;

	if (study_find(what, &path, NULL) < 0)
		return false;
	if (!is_path(what))
		return true;
	return document_read(path, &document, NULL) >= 0 &&
	       document_get(document->root, "scenarios");
}

char **study_names(void)
{
	_cleanup_(strings_freep) char **folders = scenario_directories();
	char **names = NULL;
	size_t n = 0;

	for (char **folder = folders; folder && *folder; folder++) {
		_cleanup_(freep) char *pattern = NULL;
		glob_t found;

		if (asprintf(&pattern, "%s/studies/*.yaml", *folder) < 0)
			pattern = NULL;
		if (!pattern || glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++) {
			char *name = strrchr(found.gl_pathv[i], '/') + 1;

			name[strlen(name) - strlen(".yaml")] = '\0';
			strings_append(&names, &n, name);
		}
		globfree(&found);
	}
	return names;
}
