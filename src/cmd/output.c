/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/util/cleanup.h"

int output_write_to(FILE *out, const char *name, output_func func, void *userdata,
		    struct error *err)
{
	int rc = func(out, userdata, err);

	if (rc < 0)
		return rc;
	if (ferror(out) || fflush(out) != 0)
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s", name, strerror(errno));
	return 0;
}

static int write_beside(const char *path, output_func func, void *userdata, struct error *err)
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
	rc = output_write_to(file, path, func, userdata, err);
	if (rc >= 0 && rename(temporary, target ? target : path) < 0)
		rc = error_input(err, "%s: %s", path, strerror(errno));
	if (rc < 0)
		unlink(temporary);
	return rc;
}

int output_write(const char *path, output_func func, void *userdata, struct error *err)
{
	_cleanup_(file_closep) FILE *file = NULL;
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return write_beside(path, func, userdata, err);
	file = fopen(path, "we");
	if (!file)
		return error_input(err, "%s: %s", path, strerror(errno));
	return output_write_to(file, path, func, userdata, err);
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
