/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "src/util/cleanup.h"

static int write_file(const char *path, const char *text)
{
	_cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

static int write_map(const char *path, unsigned int inside, unsigned int outside)
{
	char map[64];

	snprintf(map, sizeof(map), "%u %u 1", inside, outside);
	return write_file(path, map);
}

int userns_map(uid_t inside_uid, gid_t inside_gid, uid_t outside_uid, gid_t outside_gid)
{
	int rc = write_file("/proc/self/setgroups", "deny");

	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = write_map("/proc/self/uid_map", inside_uid, outside_uid);
	return rc < 0 ? rc : write_map("/proc/self/gid_map", inside_gid, outside_gid);
}
