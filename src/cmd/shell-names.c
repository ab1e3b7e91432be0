/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/shell-names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN   "/run"
#define NETNS RUN "/netns"

/* Makes an empty mount point: a folder for a folder, a file for everything else. */
static int make_target(const char *path, bool folder)
{
	int fd;

	if (folder)
		return mkdir(path, 0755);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	fd_close(fd);
	return fd < 0 ? -1 : 0;
}

static int copy_link(int old_run, const char *name, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(old_run, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlink(target, to) < 0 ? -errno : 0;
}

/* Binds one entry of the old /run to the same name in the new /run, which covers it. */
static int carry_over(int old_run, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;

	snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", old_run, name);
	snprintf(to, sizeof(to), RUN "/%s", name);
	if (fstatat(old_run, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : -errno; /* the entry is gone since the folder was read */
	if (S_ISLNK(st.st_mode))
		return copy_link(old_run, name, to);
	if (make_target(to, S_ISDIR(st.st_mode)) < 0 ||
	    mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return 0;
}

/* Mounts a new /run with the same entries as the old one. In the new one folders can be made. */
static int cover_run(struct error *err)
{
	int old_run = open(RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = old_run < 0 ? NULL : fdopendir(old_run);
	struct dirent *entry;

	if (!dir)
		return error_errno(err, -errno, RUN);
	if (mount("deadpeer", RUN, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		r = error_errno(err, -errno, "mount a private " RUN);
	while (r >= 0 && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = carry_over(old_run, entry->d_name);
		if (r < 0)
			error_errno(err, r, "private " RUN "/%s", entry->d_name);
	}
	closedir(dir);
	if (r >= 0 && mkdir(NETNS, 0755) < 0)
		r = error_errno(err, -errno, "private " NETNS);
	return r;
}

int nodenames_open(struct error *err)
{
	struct stat st;
	int rc = stat(NETNS, &st) < 0 ? cover_run(err) : 0;

	if (rc < 0)
		return rc;
	if (mount("deadpeer", NETNS, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return error_errno(err, -errno, "mount a private " NETNS);
	/* `ip netns exec` makes a mount namespace that is a slave of this one. Mounts are shared so
	 * that a change of names reaches the programs that run there already. */
	if (mount(NULL, NETNS, NULL, MS_SHARED, NULL) < 0)
		return error_errno(err, -errno, "share " NETNS);
	return 0;
}

int nodenames_set(const char *name, const struct netns *ns, struct error *err)
{
	char path[PATH_MAX], source[64];

	snprintf(path, sizeof(path), NETNS "/%s", name);
	if (umount2(path, MNT_DETACH) < 0 && errno != ENOENT && errno != EINVAL)
		return error_errno(err, -errno, "unmount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, -errno, "%s", path);
	if (!ns)
		return 0;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", ns->fd);
	if (make_target(path, false) < 0)
		return error_errno(err, -errno, "%s", path);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0)
		return error_errno(err, -errno, "name the namespace of node '%s'", name);
	return 0;
}
