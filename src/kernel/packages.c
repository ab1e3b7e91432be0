/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/packages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "src/kernel/run-program.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

/* All point into the output of dpkg-query. */
struct package {
	const char *full; /* with the architecture where it matters: "libc6:amd64" */
	const char *name;
	char *provides, *pre_depends, *depends;
	bool wanted, followed;
};

struct packages {
	char *text; /* owned */
	struct package *list;
	size_t count;
};

static bool is_installed(void)
{
	_cleanup_(freep) char *found = run_program_find("dpkg-query");

	return found;
}

/* Runs dpkg-query, which tells of what it finds even if it does not find all. */
static int query(const char *const *argv, char **ret_output, struct error *err)
{
	struct command command = { .argv = argv };
	struct run_program_result result;
	int rc = run_program(&command, &result, err);

	if (rc < 0)
		return rc;
	if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) > 1)
		rc = error_set(err, ERROR_FAILED, -EIO, "dpkg-query %s: %s", argv[1],
			       result.errors);
	else
		*ret_output = take_ptr(result.output);
	run_program_result_deinit(&result);
	return rc;
}

static int load(struct packages *p, struct error *err)
{
	static const char *const argv[] = {
		"dpkg-query", "-W",
		"-f=${binary:Package}\t${Package}\t${Provides}\t${Pre-Depends}\t${Depends}\t"
		"${db:Status-Status}\n",
		NULL
	};
	char *lines;
	int rc = query(argv, &p->text, err);

	lines = p->text;
	for (char *line; rc >= 0 && (line = strsep(&lines, "\n")) && *line;) {
		const char *full = strsep(&line, "\t"), *name = strsep(&line, "\t");
		char *provides = strsep(&line, "\t"), *pre = strsep(&line, "\t"),
		     *depends = strsep(&line, "\t");
		struct package *slot;

		if (!line || strcmp(line, "installed") != 0)
			continue;
		slot = array_append(&p->list, &p->count, sizeof(*slot));
		if (!slot)
			return error_errno(err, -ENOMEM, "packages");
		*slot = (struct package){ full, name, provides, pre, depends };
	}
	return rc;
}

/* Whether `list` ("a (= 1), b:any") has that name. */
static bool has_name(const char *list, const char *name, size_t length)
{
	for (const char *p = list; *p; p += strcspn(p, ",")) {
		p += strspn(p, ", ");
		if (strcspn(p, " (:,|") == length && !strncmp(p, name, length))
			return true;
	}
	return false;
}

/* Returns whether there is such a package, or one that stands for it. */
static bool want(struct packages *p, const char *name, size_t length)
{
	bool found = false;

	for (size_t i = 0; i < p->count; i++) {
		struct package *q = &p->list[i];

		if (strlen(q->name) == length && !strncmp(q->name, name, length))
			q->wanted = found = true;
	}
	for (size_t i = 0; i < p->count && !found; i++)
		if (has_name(p->list[i].provides, name, length))
			p->list[i].wanted = found = true;
	return found;
}

/* Only the scripts of an installation need them. */
static bool is_for_installation(const char *name, size_t length)
{
	static const char *const names[] = {
		"adduser",
		"debconf",
		"debconf-2.0",
		"dpkg",
		"init-system-helpers",
		"lsb-base",
		"install-info",
		"libdebconfclient0",
		"passwd",
		"sysvinit-utils",
		"ucf",
		"update-inetd",
		"locales",
		"locales-all",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && !strncmp(names[i], name, length))
			return true;
	return false;
}

/* Of "a (>= 1) | b, c" it wants c and the first of a and b that is there. */
static void follow_list(struct packages *p, const char *list)
{
	for (const char *group = list; *group; group += strcspn(group, ",")) {
		bool found = false;

		group += strspn(group, ", ");
		for (const char *name = group; !found && *name && *name != ',';) {
			size_t length;

			name += strspn(name, " |");
			length = strcspn(name, " (:,|");
			found = is_for_installation(name, length) || want(p, name, length);
			name += strcspn(name, ",|");
		}
	}
}

/* "python3-minimal" has the interpreter, and "python3" what it comes with. */
static void follow_minimal(struct packages *p, const char *name)
{
	static const char ending[] = "-minimal";
	size_t length = strlen(name), n = sizeof(ending) - 1;

	if (length > n && !strcmp(name + length - n, ending))
		want(p, name, length - n);
}

static void follow_all(struct packages *p)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < p->count; i++) {
			struct package *q = &p->list[i];

			if (!q->wanted || q->followed)
				continue;
			more = q->followed = true;
			follow_list(p, q->pre_depends);
			follow_list(p, q->depends);
			follow_minimal(p, q->name);
		}
	}
}

/* Lines are such as "libc6:amd64, other: /lib/x86_64-linux-gnu/libc.so.6". */
static void want_owners(struct packages *p, char *lines)
{
	for (char *line; (line = strsep(&lines, "\n"));) {
		char *end = strstr(line, ": /");

		if (!end || !strncmp(line, "diversion by", strlen("diversion by")))
			continue;
		*end = '\0';
		for (char *name; (name = strsep(&line, ","));) {
			name += strspn(name, " ");
			want(p, name, strcspn(name, ":"));
		}
	}
}

/* Where /bin is a link into /usr/bin, a package may list a file under either. */
static int find_owners(struct packages *p, char *const *paths, struct error *err)
{
	_cleanup_(strings_freep) char **argv = NULL;
	_cleanup_(freep) char *lines = NULL;
	size_t n = 0;
	int rc = strings_append(&argv, &n, "dpkg-query");

	if (rc >= 0)
		rc = strings_append(&argv, &n, "-S");
	for (size_t i = 0; rc >= 0 && paths[i]; i++) {
		_cleanup_(freep) char *other = strncmp(paths[i], "/usr/", 5) == 0
						       ? strdup(paths[i] + 4)
						       : format_new("/usr%s", paths[i]);

		rc = other ? strings_append(&argv, &n, paths[i]) : -ENOMEM;
		if (rc >= 0)
			rc = strings_append(&argv, &n, other);
	}
	if (rc < 0)
		return error_errno(err, rc, "packages");
	rc = query((const char *const *)argv, &lines, err);
	if (rc >= 0)
		want_owners(p, lines);
	return rc;
}

static int visit_files(const struct packages *p, packages_func *func, void *userdata,
		       struct error *err)
{
	_cleanup_(strings_freep) char **argv = NULL;
	_cleanup_(freep) char *text = NULL;
	char *lines;
	size_t n = 0;
	int rc = strings_append(&argv, &n, "dpkg-query");

	if (rc >= 0)
		rc = strings_append(&argv, &n, "-L");
	for (size_t i = 0; rc >= 0 && i < p->count; i++)
		if (p->list[i].wanted)
			rc = strings_append(&argv, &n, p->list[i].full);
	if (rc < 0)
		return error_errno(err, rc, "packages");
	rc = n > 2 ? query((const char *const *)argv, &text, err) : 0;
	lines = text;
	for (char *line; rc >= 0 && (line = strsep(&lines, "\n"));)
		if (line[0] == '/' && strcmp(line, "/.") != 0)
			rc = func(line, userdata, err);
	return rc;
}

int packages_has(const char *name, struct error *err)
{
	const char *const argv[] = { "dpkg-query", "-W", "-f=${db:Status-Status}\n", name, NULL };
	_cleanup_(freep) char *text = NULL;
	int rc = is_installed() ? query(argv, &text, err) : 0;

	return rc < 0 ? rc : text && strstr(text, "installed\n") == text;
}

int packages_visit(char *const *paths, char *const *names, packages_func *func, void *userdata,
		   struct error *err)
{
	struct packages p = { 0 };
	int rc;

	if (!is_installed())
		return 0;
	rc = load(&p, err);
	if (rc >= 0)
		rc = find_owners(&p, paths, err);
	for (; rc >= 0 && names && *names; names++)
		want(&p, *names, strlen(*names));
	if (rc >= 0) {
		follow_all(&p);
		rc = visit_files(&p, func, userdata, err);
	}
	free(p.list);
	free(p.text);
	return rc;
}
