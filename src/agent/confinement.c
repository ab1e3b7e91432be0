/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/agent/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/util/array.h"
#include "src/util/cleanup.h"

#define COPY_MAX (64 << 20) /* bytes of a file that is copied; a larger one is shown as it is */

static const char *const empty_folders[] = { "/tmp", "/var/tmp", "/run" };

#define NOBODY	     65534
#define CAPABILITIES 64 /* more than any kernel has */

/* What root may still do where a scenario says `user: 0`: that which is about its own processes,
 * files and network. */
static const unsigned char of_root[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE,	   CAP_FSETID,	CAP_FOWNER,    CAP_SETGID,     CAP_SETUID,
	CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_CHROOT, CAP_KILL,
};

/* The first users that the process's user namespace has, and whose they are above it. */
struct user_map {
	unsigned int inside, outside, count;
};

static bool read_map(struct user_map *map)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/self/uid_map", "re");

	return file && fscanf(file, "%u %u %u", &map->inside, &map->outside, &map->count) == 3;
}

/* Whether root here is root of the machine: its user namespace has all users. */
static bool is_root(void)
{
	struct user_map map;

	return geteuid() == 0 && read_map(&map) && !map.outside && map.count > NOBODY;
}

/* Who deadpeer runs as where it is root of a user namespace that it made for itself. */
static uid_t own_user(void)
{
	struct user_map map;

	if (geteuid() != 0 || !read_map(&map) || map.inside)
		return geteuid();
	return map.outside ? map.outside : NOBODY;
}

uid_t confinement_user(const struct scenario_program *program)
{
	const char *text = getenv("SUDO_UID");
	unsigned long id;
	char *end;

	if (program->has_user)
		return program->user;
	if (!is_root())
		return own_user();
	if (!text || *text < '1' || *text > '9')
		return NOBODY;
	id = strtoul(text, &end, 10);
	return *end || id > UINT32_MAX ? NOBODY : (uid_t)id;
}

uid_t confinement_owner(const struct scenario_program *program)
{
	return is_root() ? confinement_user(program) : geteuid();
}

/* mount_setattr(2) is younger than some C libraries. */
static int set_attributes(int fd, const char *path, unsigned int flags, uint64_t set,
			  uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return syscall(SYS_mount_setattr, fd, path, flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* Makes a folder and those above it, or with `file` those above a file. */
static int make_folders(const char *path, bool file)
{
	_cleanup_(freep) char *copy = strdup(path);

	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	if (file)
		return copy ? 0 : -ENOMEM;
	return copy && (mkdir(path, 0755) == 0 || errno == EEXIST) ? 0 : -errno;
}

/* Takes a copy of what is mounted at a path. */
static int copy_tree(const char *path)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return tree < 0 ? -errno : tree;
}

/* Writes what a file of the machine says into one of the same name, which the program may change: a
 * word such as that after curl's -o names what is to be written. */
static int copy_file(int tree, const char *path, const struct stat *st)
{
	_cleanup_(fd_closep) int from = -1, to = -1;
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", tree);
	from = open(name, O_RDONLY | O_CLOEXEC);
	to = from < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, COPY_MAX)) > 0)
		;
	return n < 0 || fchmod(to, (st->st_mode & 0777) | 0666) < 0 ? -errno : 0;
}

/* Puts such a copy back into its place. */
static int put_back(int tree, const char *path)
{
	struct stat st;
	bool file = fstat(tree, &st) == 0 && !S_ISDIR(st.st_mode);
	int fd, rc = make_folders(path, file);

	if (rc >= 0 && file && S_ISREG(st.st_mode) && st.st_size <= COPY_MAX)
		return copy_file(tree, path, &st);
	if (rc >= 0 && file) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		rc = fd < 0 ? -errno : 0;
		fd_close(fd);
	}
	if (rc >= 0 &&
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		rc = -errno;
	return rc;
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (path[n] == '/' || !path[n]);
}

/* What a program is given by its path, and would not find where everything is empty. */
static bool is_hidden(const char *path, const char *folder)
{
	for (size_t i = 0; i < ARRAY_SIZE(empty_folders); i++)
		if (is_below(path, empty_folders[i]) && path[strlen(empty_folders[i])])
			return !(folder && is_below(path, folder)) && access(path, F_OK) == 0;
	return false;
}

static int empty_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(empty_folders); i++)
		if (mount("empty", empty_folders[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") <
			    0 &&
		    errno != ENOENT && errno != ENOTDIR)
			return -errno;
	return 0;
}

static void close_all(int *trees, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(trees[i]);
	free(trees);
}

/* The named files are as read-only as everything, or copies, that of the folder is not. */
static int mount_all(const char *folder, char *const *names, int *trees, size_t n)
{
	int rc = 0;

	if (folder && strcmp(folder, "/") != 0)
		rc = trees[n] = copy_tree(folder);
	if (rc >= 0)
		rc = set_attributes(AT_FDCWD, "/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		if (is_hidden(names[i], folder))
			rc = trees[i] = copy_tree(names[i]);
	if (rc >= 0)
		rc = empty_all();
	if (rc >= 0 && trees[n] >= 0)
		rc = put_back(trees[n], folder);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		if (trees[i] >= 0)
			rc = put_back(trees[i], names[i]);
	return rc >= 0 && trees[n] >= 0 && chdir(folder) < 0 ? -errno : rc;
}

int confinement_mount(const char *folder, char *const *names)
{
	size_t n = 0;
	int *trees, rc;

	while (names[n])
		n++;
	trees = malloc((n + 1) * sizeof(*trees));
	if (!trees)
		return -ENOMEM;
	for (size_t i = 0; i <= n; i++)
		trees[i] = -1;
	rc = mount_all(folder, names, trees, n);
	close_all(trees, n + 1);
	return rc < 0 ? rc : 0;
}

static bool may_keep(const struct scenario_program *program, unsigned long capability)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_root); i++)
		if (of_root[i] == capability)
			return program->has_user && !program->user;
	return false;
}

int confinement_give_up(const struct scenario_program *program)
{
	for (unsigned long c = 0; c < CAPABILITIES; c++)
		if (!may_keep(program, c) && prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1 &&
		    prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

/* What this process has of the `i`th 32 capabilities. */
static unsigned int held(size_t i)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) < 0 ? 0 : data[i].permitted;
}

int confinement_finish(const struct scenario_program *program)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Nothing is inheritable, whatever the caller had. */
	for (size_t i = 0; program->has_user && !program->user && i < ARRAY_SIZE(of_root); i++)
		data[of_root[i] / 32].effective |= 1u << of_root[i] % 32;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].permitted = data[i].effective &= held(i);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
