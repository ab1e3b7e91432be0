/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

/* Reads a number that stands alone in a file. -1: there is no such file. */
static long long read_number(const char *path)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	long long number;

	return file && fscanf(file, "%lld", &number) == 1 ? number : -1;
}

/* In a chroot the kernel makes no user namespace (kernel/fork.c: current_chrooted()). Where the
 * root is no mount point, no mount is told at "/"; where it is one, the machine's first process has
 * another root, if that may be seen. */
static bool is_chroot(void)
{
	_cleanup_(file_closep) FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[4096], point[4096];
	struct stat own, first;
	bool any = false, root = false;

	while (mounts && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*d %*d %*s %*s %4095s", point) == 1) {
			any = true;
			root |= !strcmp(point, "/");
		}
	if (any && !root)
		return true;
	return stat("/", &own) == 0 && stat("/proc/1/root/", &first) == 0 &&
	       (own.st_dev != first.st_dev || own.st_ino != first.st_ino);
}

static bool has_seccomp_filter(void)
{
	_cleanup_(file_closep) FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int mode = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	return mode == 2;
}

static const char *limit_reached(char *cause, size_t size)
{
	long long limit = read_number("/proc/sys/user/max_user_namespaces");

	if (limit == 0)
		snprintf(cause, size,
			 "user namespaces are switched off (user.max_user_namespaces is 0)");
	else
		snprintf(
			cause, size,
			"the limit of user namespaces is reached (user.max_user_namespaces is %lld "
			"here; one that this is in may allow fewer)",
			limit);
	return "sysctl user.max_user_namespaces=10000, as root";
}

const char *userns_refusal(int rc, char *cause, size_t size)
{
	static const struct {
		const char *path, *cause, *remedy;
		long long refuses; /* the value of the file with which the kernel refuses */
	} switches[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone",
		  "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone "
		  "is "
		  "0)",
		  "run as root; sysctl kernel.unprivileged_userns_clone=1", 0 },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		  "AppArmor keeps user namespaces from programs that it has no profile for "
		  "(kernel.apparmor_restrict_unprivileged_userns is 1)",
		  "run as root; sysctl kernel.apparmor_restrict_unprivileged_userns=0", 1 },
	};

	if (rc == -ENOSPC || rc == -EUSERS)
		return limit_reached(cause, size);
	snprintf(cause, size, "user namespaces: %s", strerror(-rc));
	if (rc == -EINVAL || rc == -ENOSYS) {
		snprintf(cause, size, "the kernel has no user namespaces");
		return "run as root; a kernel with CONFIG_USER_NS";
	}
	if (rc != -EPERM && rc != -EACCES)
		return "run as root";
	if (is_chroot()) {
		snprintf(cause, size, "the kernel makes no user namespaces in a chroot");
		return "run as root, or out of the chroot";
	}
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (read_number(switches[i].path) == switches[i].refuses) {
			snprintf(cause, size, "%s", switches[i].cause);
			return switches[i].remedy;
		}
	if (has_seccomp_filter()) {
		snprintf(cause, size,
			 "a seccomp filter, as containers have, forbids user namespaces");
		return "docker or podman run --security-opt seccomp=unconfined, or --privileged";
	}
	snprintf(cause, size, "user namespaces: %s, as in a chroot or by a security module",
		 strerror(-rc));
	return "run as root";
}
