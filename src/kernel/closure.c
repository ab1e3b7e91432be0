/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/closure.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/kernel/packages.h"
#include "src/kernel/program.h"
#include "src/kernel/run-program.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"
#include "src/util/interrupt.h"

#define LINKS_MAX 40 /* on the way to one file, as the kernel has it (MAXSYMLINKS) */
#define FILES_MAX 16 /* file descriptors of a walk through a folder */

/* What a program finds its libraries by, where there is one. */
#define LOADER_CACHE "/etc/ld.so.cache"

/* Words of a shell's script are made of these. */
#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"

struct kept {
	struct closure_entry shown;
	char *path, *link; /* owned */
};

struct closure {
	void *entries;	 /* a tree of struct kept, by path; see tsearch(3); owned */
	char **programs; /* whose packages are to come along; owned */
	size_t n_programs;
	char **packages; /* names of those that were asked for; owned */
	size_t n_packages;
	unsigned long long size;
	uid_t user; /* who runs what is added */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->path, ((const struct kept *)b)->path);
}

static void entry_free(void *userdata)
{
	struct kept *entry = userdata;

	free(entry->path);
	free(entry->link);
	free(entry);
}

static const struct kept *find(const struct closure *c, char *path)
{
	const struct kept key = { .path = path };
	struct kept **found = tfind(&key, &c->entries, compare);

	return found ? *found : NULL;
}

/* Takes over `path`; and the tree has it afterwards, whether it was new or not. Returns NULL
 * without memory. */
static const struct kept *keep(struct closure *c, char *path, const struct stat *st)
{
	struct kept *entry = calloc(1, sizeof(*entry)), **slot = NULL;
	char link[PATH_MAX];
	ssize_t n = 0;

	if (entry) {
		entry->path = path;
		entry->shown = (struct closure_entry){ .path = path, .st = *st };
		if (S_ISLNK(st->st_mode) && (n = readlink(path, link, sizeof(link))) > 0)
			entry->shown.link = entry->link = strndup(link, (size_t)n);
		if (!S_ISLNK(st->st_mode) || entry->link)
			slot = tsearch(entry, &c->entries, compare);
	}
	if (!slot) {
		free(entry ? entry->link : NULL);
		free(entry);
		free(path);
		return NULL;
	}
	if (S_ISREG(st->st_mode))
		c->size += (unsigned long long)st->st_size;
	return entry;
}

/* Looks a path up that has no links on its way, and keeps it. Sets *ret_entry to NULL for what is
 * neither file, folder nor link: it stays behind. */
static int look(struct closure *c, const char *path, const struct kept **ret_entry)
{
	char *copy = strdup(path);
	struct stat st;

	*ret_entry = copy ? find(c, copy) : NULL;
	if (*ret_entry || !copy) {
		free(copy);
		return copy ? 0 : -ENOMEM;
	}
	if (lstat(path, &st) < 0) {
		free(copy);
		return -errno;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
		free(copy);
		return 0;
	}
	*ret_entry = keep(c, copy, &st);
	return *ret_entry ? 0 : -ENOMEM;
}

/* One step further: "name" below the folder `at`, which is "" for the root. */
static int step(char **at, const char *name, size_t length)
{
	char *next;

	if (length == 0 || (length == 1 && name[0] == '.'))
		return 0;
	if (length == 2 && !strncmp(name, "..", 2)) {
		char *slash = strrchr(*at, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	next = format_new("%s/%.*s", *at, (int)length, name);
	free(*at);
	*at = next;
	return next ? 1 : -ENOMEM;
}

/* Keeps what is on the way to `path`, and the end of the way. *ret_real is that end, which the
 * caller frees. */
static int add_path(struct closure *c, const char *path, char **ret_real)
{
	_cleanup_(freep) char *rest = strdup(path), *at = strdup("");
	const char *p = rest;
	int links = 0;

	while (p && at && *p) {
		size_t n = strcspn(p, "/");
		const struct kept *entry = NULL;
		_cleanup_(freep) char *old = NULL;
		int rc = step(&at, p, n);

		p += n + (p[n] == '/');
		if (rc > 0)
			rc = look(c, at, &entry);
		if (rc < 0)
			return rc;
		if (!entry || !entry->link)
			continue;
		if (++links > LINKS_MAX)
			return -ELOOP;
		old = rest;
		rest = format_new("%s/%s", entry->link, p);
		if (entry->link[0] == '/')
			at[0] = '\0';
		else if (strrchr(at, '/'))
			*strrchr(at, '/') = '\0';
		p = rest;
	}
	if (!p || !at)
		return -ENOMEM;
	*ret_real = take_ptr(at);
	return 0;
}

static int absolute(const char *path, char **ret_path, struct error *err)
{
	char folder[PATH_MAX];

	if (path[0] != '/' && !getcwd(folder, sizeof(folder)))
		return error_errno(err, -errno, "the working folder");
	*ret_path = path[0] == '/' ? strdup(path) : format_new("%s/%s", folder, path);
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", path);
}

static int add_named(struct closure *c, const char *path, char **ret_real, struct error *err)
{
	_cleanup_(freep) char *full = NULL;
	int rc = absolute(path, &full, err);

	if (rc < 0)
		return rc;
	rc = add_path(c, full, ret_real);
	return rc < 0 ? error_set(err, ERROR_INPUT, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int closure_add_alone(struct closure *c, const char *path, struct error *err)
{
	_cleanup_(freep) char *real = NULL;

	return add_named(c, path, &real, err);
}

static int add_program(struct closure *c, const char *path, unsigned int depth, struct error *err);

/* nftw() has no pointer for its function. */
static struct {
	struct closure *closure;
	int rc;
	char *path; /* where it failed; owned */
} walk;

/* What cannot be read cannot go along, and some files cannot though their mode allows it. */
static int try_to_open(const char *path)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : 0;
}

static int add_walked(const char *path, const struct stat *st, int type, struct FTW *at)
{
	_cleanup_(freep) char *real = NULL;

	if (interrupt_pending())
		walk.rc = -EINTR;
	else if (type == FTW_DNR || type == FTW_NS)
		walk.rc = -EACCES;
	else
		walk.rc = type == FTW_F && S_ISREG(st->st_mode) ? try_to_open(path) : 0;
	if (walk.rc >= 0)
		walk.rc = add_path(walk.closure, path, &real);
	/* A link may lead nowhere. */
	if (walk.rc == -ENOENT)
		walk.rc = 0;
	if (walk.rc < 0)
		walk.path = strdup(path);
	return walk.rc < 0;
}

int closure_add_tree(struct closure *c, const char *path, struct error *err)
{
	_cleanup_(freep) char *real = NULL, *where = NULL;
	int rc = add_named(c, path, &real, err);
	struct stat st;
	bool file;

	if (rc < 0)
		return rc;
	file = stat(real, &st) == 0 && S_ISREG(st.st_mode);
	if (file)
		rc = try_to_open(real);
	if (rc < 0)
		return error_set(err, ERROR_INPUT, rc, "%s: %s", path, strerror(-rc));
	if (file)
		return access(real, X_OK) == 0 ? add_program(c, path, 0, err) : 0;
	walk.closure = c;
	walk.rc = 0;
	if (nftw(*real ? real : "/", add_walked, FILES_MAX, FTW_PHYS | FTW_MOUNT) < 0 && !walk.rc)
		walk.rc = -errno;
	where = take_ptr(walk.path);
	if (walk.rc == -EINTR)
		return interrupt_error(err);
	return walk.rc < 0 ? error_set(err, ERROR_INPUT, walk.rc, "%s: %s", where ? where : path,
				       strerror(-walk.rc))
			   : 0;
}

static int add_linked(struct closure *c, const struct program *program, struct error *err)
{
	int rc = program->loader ? closure_add_alone(c, program->loader, err) : 0;

	for (size_t i = 0; rc >= 0 && i < program->count; i++)
		rc = closure_add_alone(c, program->libraries[i].path, err);
	return rc;
}

int closure_add_libraries(struct closure *c, const char *path, struct error *err)
{
	_cleanup_(program_deinit) struct program program = { 0 };
	int rc = program_init(&program, path, err);

	return rc < 0 ? rc : add_linked(c, &program, err);
}

/* Adds the interpreter that a script's first line names; of "/usr/bin/env -S python3 -u" both. */
static int add_interpreter(struct closure *c, const char *script, const char *line,
			   unsigned int depth, struct error *err)
{
	_cleanup_(freep) char *copy = strdup(line), *found = NULL;
	char *rest = copy, *word = copy ? strtok_r(copy, " \t", &rest) : NULL;
	const char *name = word ? strrchr(word, '/') : NULL;
	int rc;

	if (!copy)
		return error_errno(err, -ENOMEM, "%s", script);
	if (!word)
		return error_input(err, "%s: names no interpreter behind '#!'", script);
	rc = add_program(c, word, depth, err);
	if (rc < 0 || !name || strcmp(name, "/env") != 0)
		return rc < 0 ? error_prefix(err, rc, "%s", script) : 0;
	do
		word = strtok_r(NULL, " \t", &rest);
	while (word && (word[0] == '-' || strchr(word, '=')));
	found = word ? run_program_find_as(word, c->user) : NULL;
	if (word && !found)
		return error_input(err, "%s: no program '%s' in $PATH", script, word);
	return word ? add_program(c, found, depth, err) : 0;
}

#define INTERPRETERS_MAX 4 /* one the other's, as the kernel has it: exec_binprm() */

static int add_program(struct closure *c, const char *path, unsigned int depth, struct error *err)
{
	_cleanup_(program_deinit) struct program program = { 0 };
	_cleanup_(freep) char *real = NULL, *absolute_path = NULL;
	int rc = add_named(c, path, &real, err);

	if (rc >= 0 && depth > INTERPRETERS_MAX)
		rc = error_input(err, "%s: interpreters of interpreters", path);
	if (rc >= 0)
		rc = absolute(path, &absolute_path, err);
	if (rc >= 0 && (strings_append(&c->programs, &c->n_programs, absolute_path) < 0 ||
			strings_append(&c->programs, &c->n_programs, real) < 0))
		rc = error_errno(err, -ENOMEM, "%s", path);
	if (rc >= 0)
		rc = program_init(&program, real, err);
	/* A program that may be run and not read is no lack of the machine. */
	if (rc == -EACCES)
		error_set(err, ERROR_INPUT, rc, "%s: it cannot be read, so it cannot go along",
			  path);
	if (rc >= 0 && program.interpreter)
		return add_interpreter(c, path, program.interpreter, depth + 1, err);
	return rc < 0 ? rc : add_linked(c, &program, err);
}

bool closure_is_shell(const char *path)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ksh", "zsh" };
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (!strcmp(slash ? slash + 1 : path, shells[i]))
			return true;
	return false;
}

/* A word of a script may name no program, or one that is not meant: that does no harm. */
int closure_add_script(struct closure *c, const char *script, struct error *err)
{
	for (const char *p = script + strcspn(script, WORD_CHARACTERS); *p;
	     p += strcspn(p, WORD_CHARACTERS)) {
		size_t n = strspn(p, WORD_CHARACTERS);
		_cleanup_(freep) char *word = strndup(p, n);
		_cleanup_(freep) char *found = word ? run_program_find_as(word, c->user) : NULL;
		struct stat st;
		int rc = 0;

		p += n;
		if (found && stat(found, &st) == 0 && S_ISREG(st.st_mode))
			rc = add_program(c, found, 0, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int closure_add_package(struct closure *c, const char *name, struct error *err)
{
	int rc = packages_has(name, err);

	if (rc < 0)
		return rc;
	if (!rc)
		return error_input(
			err, "%s: no such file, and no package of that name is installed", name);
	return strings_append(&c->packages, &c->n_packages, name) < 0
		       ? error_errno(err, -ENOMEM, "%s", name)
		       : 0;
}

int closure_add_command(struct closure *c, char *const *words, struct error *err)
{
	_cleanup_(freep) char *program = run_program_find_as(words[0], c->user);
	struct stat st;
	int rc;

	if (!program)
		return error_input(err, "command '%s': no such program in $PATH", words[0]);
	rc = add_program(c, program, 0, err);
	for (size_t i = 1; rc >= 0 && words[i]; i++) {
		if (!strcmp(words[i - 1], "-c") && closure_is_shell(words[0]))
			rc = closure_add_script(c, words[i], err);
		else if (stat(words[i], &st) == 0 && S_ISREG(st.st_mode))
			rc = closure_add_tree(c, words[i], err);
	}
	return rc < 0 ? error_prefix(err, rc, "command '%s'", words[0]) : 0;
}

/* Documentation, translations, and what an init system or a desktop goes by. */
static bool stays_behind(const char *path)
{
	static const char *const folders[] = {
		"/usr/share/doc/",
		"/usr/share/man/",
		"/usr/share/info/",
		"/usr/share/locale/",
		"/usr/share/lintian/",
		"/usr/share/bug/",
		"/usr/share/applications/",
		"/usr/share/icons/",
		"/usr/share/pixmaps/",
		"/usr/share/bash-completion/",
		"/usr/share/zsh/",
		"/usr/share/doc-base/",
		"/usr/share/i18n/",
		"/usr/lib/systemd/",
		"/lib/systemd/",
		"/etc/init.d/",
		"/etc/cron.",
		"/etc/logrotate.d/",
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (!strncmp(path, folders[i], strlen(folders[i])))
			return true;
	return false;
}

/* Python keeps what it compiled in a folder that no package lists. */
static int add_compiled(struct closure *c, const char *folder, struct error *err)
{
	_cleanup_(freep) char *compiled = format_new("%s/__pycache__", folder);
	struct stat st;

	if (!compiled)
		return error_errno(err, -ENOMEM, "%s", folder);
	return lstat(compiled, &st) == 0 && S_ISDIR(st.st_mode) ? closure_add_tree(c, compiled, err)
								: 0;
}

static int add_packaged(const char *path, void *userdata, struct error *err)
{
	_cleanup_(freep) char *real = NULL;
	struct closure *c = userdata;
	struct stat st;
	int rc;

	if (stays_behind(path) || lstat(path, &st) < 0 ||
	    (S_ISREG(st.st_mode) && !(st.st_mode & S_IROTH)))
		return 0;
	rc = add_path(c, path, &real);
	if (rc < 0 && rc != -ENOENT && rc != -EACCES)
		return error_errno(err, rc, "%s", path);
	return S_ISDIR(st.st_mode) ? add_compiled(c, path, err) : 0;
}

int closure_complete(struct closure *c, struct error *err)
{
	_cleanup_(freep) char *real = NULL;
	int rc = add_path(c, LOADER_CACHE, &real);

	if (rc < 0 && rc != -ENOENT)
		return error_errno(err, rc, LOADER_CACHE);
	return c->n_programs ? packages_visit(c->programs, c->packages, add_packaged, c, err) : 0;
}

struct visit {
	closure_func *func;
	void *userdata;
	struct error *err;
	int rc;
};

static void visit_one(const void *node, VISIT order, void *userdata)
{
	const struct kept *entry = *(const struct kept *const *)node;
	struct visit *visit = userdata;

	if ((order == postorder || order == leaf) && visit->rc >= 0)
		visit->rc = visit->func(&entry->shown, visit->userdata, visit->err);
}

int closure_visit(const struct closure *c, closure_func *func, void *userdata, struct error *err)
{
	struct visit visit = { func, userdata, err, 0 };

	twalk_r(c->entries, visit_one, &visit);
	return visit.rc;
}

unsigned long long closure_size(const struct closure *c)
{
	return c->size;
}

int closure_new(struct closure **ret_closure, struct error *err)
{
	*ret_closure = calloc(1, sizeof(**ret_closure));
	if (!*ret_closure)
		return error_errno(err, -ENOMEM, "closure");
	(*ret_closure)->user = geteuid();
	return 0;
}

void closure_set_user(struct closure *c, uid_t user)
{
	c->user = user;
}

struct closure *closure_free(struct closure *c)
{
	if (!c)
		return NULL;
	tdestroy(c->entries, entry_free);
	strings_free(c->programs);
	strings_free(c->packages);
	free(c);
	return NULL;
}
