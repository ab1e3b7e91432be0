/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/output.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "src/util/cleanup.h"

/* What is written, and by whom. */
struct job {
	output_func func;
	void *userdata; /* goes to `func` */
};

static int write_all(const struct job *job, FILE *out, const char *name, struct error *err)
{
	int rc = job->func(out, job->userdata, err);

	if (rc < 0)
		return rc;
	if (ferror(out) || fflush(out) != 0)
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s", name,
				 errno ? strerror(errno) : "it could not be written as a whole");
	return 0;
}

/* Writes to a temporary file beside `path`, which takes its place once all is written. */
static int write_beside(const struct job *job, const char *path, struct error *err)
{
	_cleanup_(freep) char *temporary = NULL, *target = realpath(path, NULL);
	_cleanup_(file_closep) FILE *file = NULL;
	int rc;

	if (asprintf(&temporary, "%s.%d.tmp", target ? target : path, (int)getpid()) < 0) {
		temporary = NULL;
		return error_errno(err, -ENOMEM, "%s", path);
	}
	file = fopen(temporary, "wxe");
	if (!file)
		return error_input(err, "%s: %s", path, strerror(errno));
	rc = write_all(job, file, path, err);
	if (rc >= 0 && rename(temporary, target ? target : path) < 0)
		rc = error_input(err, "%s: %s", path, strerror(errno));
	if (rc < 0)
		unlink(temporary);
	return rc;
}

bool output_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether a file is a store, or what SQLite keeps beside it. */
static bool is_of_store(const char *store, const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (snprintf(name, sizeof(name), "%s%s", store, endings[i]) < (int)sizeof(name) &&
		    output_same_file(name, path))
			return true;
	return false;
}

int output_write(const char *path, const char *const *stores, size_t n_stores, output_func func,
		 void *userdata, struct error *err)
{
	_cleanup_(file_closep) FILE *file = NULL;
	struct job job = { func, userdata };
	struct stat st;

	if (!path || !strcmp(path, "-"))
		return write_all(&job, stdout, "standard output", err);
	for (size_t i = 0; i < n_stores; i++)
		if (is_of_store(stores[i], path))
			return error_input(
				err, "%s: is the store itself; give --output another file", path);
	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return write_beside(&job, path, err);
	/* A pipe or a device cannot be replaced. */
	file = fopen(path, "we");
	if (!file)
		return error_input(err, "%s: %s", path, strerror(errno));
	return write_all(&job, file, path, err);
}

int output_check(const char *option, const char *path, struct error *err)
{
	char folder[PATH_MAX];
	const char *slash;
	struct stat st;

	if (!path)
		return 0;
	if (!strcmp(path, "-"))
		return error_input(err, "--%s: name a file; standard output has the summary",
				   option);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return error_input(err, "--%s %s: %s", option, path, strerror(EISDIR));
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return access(path, W_OK) == 0
			       ? 0
			       : error_input(err, "--%s %s: %s", option, path, strerror(errno));
	slash = strrchr(path, '/');
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	if (access(folder, W_OK | X_OK) < 0)
		return error_input(err, "--%s %s: %s", option, path, strerror(errno));
	return 0;
}
