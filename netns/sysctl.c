/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/sysctl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/tcp/sysctl.h"

#define ROOT	   "/proc/sys/"
#define PATH_SIZE  512			      /* bytes */
#define FIXED_SIZE (PATH_SIZE + NAME_MAX + 1) /* bytes of a path with one part replaced */
#define VALUE_MAX  4096			      /* bytes */

/* Makes "/proc/sys/net/ipv4/tcp_retries2" of "net.ipv4.tcp_retries2". A part may not be empty, so
 * that no path leads out of /proc/sys/net. */
static int key_path(const char *key, char path[static PATH_SIZE], struct error *err)
{
	size_t n = strlen(key);

	if (strncmp(key, "net.", 4) != 0)
		return error_input(err,
				   "sysctl '%s': only those under 'net.' belong to a network "
				   "namespace",
				   key);
	if (strchr(key, '/') || strstr(key, "..") || key[n - 1] == '.' ||
	    n + sizeof(ROOT) > PATH_SIZE)
		return error_input(err, "sysctl '%s': not a name such as 'net.ipv4.tcp_retries2'",
				   key);
	memcpy(path, ROOT, sizeof(ROOT));
	for (size_t i = 0; i <= n; i++)
		path[sizeof(ROOT) - 1 + i] = key[i] == '.' ? '/' : key[i];
	return 0;
}

static void path_key(const char *path, char *key, size_t size)
{
	snprintf(key, size, "%s", path + sizeof(ROOT) - 1);
	for (char *p = key; *p; p++)
		if (*p == '/')
			*p = '.';
}

/* Returns how many letters must be put in, taken out or replaced to make one word of the other.
 * This is the Levenshtein distance, of whose table one row is kept. */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX + 2];
	size_t n = strlen(b);

	if (n > NAME_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned int diagonal = row[0]++;

		for (size_t j = 0; j < n; j++) {
			unsigned int best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (diagonal + 1 < best)
				best = diagonal + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[n];
}

/* Finds the entry of `dir` that is most like `name`, if there is one with few other letters. */
static bool nearest_entry(const char *dir, const char *name, char ret_name[static NAME_MAX + 1])
{
	unsigned int best = (unsigned int)strlen(name) / 3 + 1;
	bool found = false;
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		return false;
	while ((entry = readdir(d))) {
		unsigned int distance = edit_distance(name, entry->d_name);

		if (entry->d_name[0] == '.' || distance > best || (found && distance == best))
			continue;
		best = distance;
		found = true;
		snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(d);
	return found;
}

/* Corrects the first part of `path` that does not exist, and returns whether the corrected path
 * does. The calling thread is inside the namespace. */
static bool suggest(const char *path, char ret_key[static FIXED_SIZE])
{
	char dir[PATH_SIZE], fixed[FIXED_SIZE], name[NAME_MAX + 1];
	char *slash = dir + sizeof(ROOT) - 1;
	size_t length;

	snprintf(dir, sizeof(dir), "%s", path);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (access(dir, F_OK) < 0)
			break;
		*slash = '/';
	}
	length = strlen(dir);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (!nearest_entry(dir, slash + 1, name))
		return false;
	snprintf(fixed, sizeof(fixed), "%s/%s%s", dir, name, path + length);
	if (access(fixed, F_OK) < 0)
		return false;
	path_key(fixed, ret_key, FIXED_SIZE);
	return true;
}

/* Returns whether the sysctl is one that only the first namespace has. The path shows it if this
 * process is in the first namespace; for other processes the usual ones are listed here
 * (net/ipv4/sysctl_net_ipv4.c: ipv4_table, net/core/sysctl_net_core.c: net_core_table,
 * net/core/neighbour.c: neigh_sysctl_register). */
static bool is_machine_wide(const char *key, const char *path)
{
	static const char *const known[] = {
		"net.core.default_qdisc",   "net.core.netdev_max_backlog",
		"net.core.rmem_default",    "net.core.rmem_max",
		"net.core.wmem_default",    "net.core.wmem_max",
		"net.ipv4.tcp_max_orphans", "net.ipv4.tcp_mem",
		"net.ipv4.udp_mem",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(key, known[i]) == 0)
			return true;
	return strncmp(key, "net.ipv4.neigh.default.", 23) == 0 ||
	       strncmp(key, "net.ipv6.neigh.default.", 23) == 0 || access(path, F_OK) >= 0;
}

/* Fails if the name is right and the kernel is too old for it, or was built without the feature. */
static int lacking(const char *key, struct error *err)
{
	const char *since = sysctl_since(key);
	struct utsname kernel;

	uname(&kernel);
	if (since)
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
				 "sysctl '%s': came with Linux %s, and this is %s", key, since,
				 kernel.release);
	if (strncmp(key, "net.netfilter.nf_conntrack", 26) == 0 &&
	    access("/proc/sys/net/netfilter/nf_conntrack_max", F_OK) < 0)
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
				 "sysctl '%s': the kernel has no connection tracking "
				 "(nf_conntrack)",
				 key);
	return 0;
}

static int missing(const struct netns *ns, const char *key, const char *path, struct error *err)
{
	char other[FIXED_SIZE];
	bool found;
	int rc = lacking(key, err);

	if (rc < 0)
		return rc;
	if (is_machine_wide(key, path))
		return error_input(err,
				   "sysctl '%s': is one for the whole machine; a network "
				   "namespace has none of its own",
				   key);
	rc = netns_enter(ns, err);
	if (rc < 0)
		return rc;
	found = suggest(path, other);
	netns_leave(ns);
	if (found)
		return error_input(err,
				   "sysctl '%s': no such sysctl in a network namespace (did "
				   "you mean '%s'?)",
				   key, other);
	return error_input(err, "sysctl '%s': no such sysctl in a network namespace", key);
}

static int open_error(const struct netns *ns, const char *key, const char *path, int rc,
		      struct error *err)
{
	switch (rc) {
	case -ENOENT:
	case -ENOTDIR:
		return missing(ns, key, path, err);
	case -EISDIR:
		return error_input(err, "sysctl '%s': names a group of sysctls, not one", key);
	case -EROFS:
		return error_set(err, ERROR_CAPABILITY, rc, "sysctl '%s': /proc/sys is read-only",
				 key);
	default:
		return error_errno(err, rc, "sysctl '%s'", key);
	}
}

/* Tells why a sysctl cannot be written in a new namespace: it is read-only everywhere, or it shows
 * there what the first namespace has (net.core.rmem_max on Linux 6.18). */
static int not_writable(const struct netns *ns, const char *key, int fd, int rc, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) >= 0 && !(st.st_mode & 0222))
		return error_input(err,
				   "sysctl '%s': cannot be set in a network namespace: it is "
				   "read-only there",
				   key);
	return error_set(err, ERROR_CAPABILITY, rc, "sysctl '%s': %s", key, strerror(-rc));
}

static int open_inside(const struct netns *ns, const char *path, int flags, int *ret_fd,
		       struct error *err)
{
	struct stat st;
	int fd, rc;

	rc = netns_enter(ns, err);
	if (rc < 0)
		return rc;
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? -errno : 0;
	netns_leave(ns);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode)) {
		fd_close(fd);
		return -EISDIR;
	}
	*ret_fd = fd;
	return 0;
}

static int open_key(const struct netns *ns, const char *key, int flags, int *ret_fd,
		    struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	struct error own = { 0 };
	char path[PATH_SIZE];
	int rc, denied;

	rc = key_path(key, path, err);
	if (rc < 0)
		return rc;
	rc = open_inside(ns, path, flags, ret_fd, &own);
	if (rc >= 0)
		return 0;
	if (own.kind != ERROR_NONE)
		return error_hand_on(err, rc, &own);
	denied = rc;
	if ((denied == -EACCES || denied == -EPERM) &&
	    open_inside(ns, path, O_PATH, &fd, NULL) >= 0)
		return not_writable(ns, key, fd, denied, err);
	return open_error(ns, key, path, rc, err);
}

/* Cuts blanks at both ends and makes runs of them single. */
static void normalise(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

static int read_value(int fd, const char *key, char **ret_value, struct error *err)
{
	char value[VALUE_MAX + 1];
	ssize_t n = pread(fd, value, VALUE_MAX, 0);

	if (n < 0)
		return error_errno(err, -errno, "sysctl '%s': read", key);
	value[n] = '\0';
	normalise(value);
	*ret_value = strdup(value);
	if (!*ret_value)
		return error_errno(err, -ENOMEM, "sysctl '%s'", key);
	return 0;
}

int sysctl_get(const struct netns *ns, const char *key, char **ret_value, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	int rc = open_key(ns, key, O_RDONLY, &fd, err);

	return rc < 0 ? rc : read_value(fd, key, ret_value, err);
}

static int write_value(int fd, const char *key, const char *value, struct error *err)
{
	/* The value goes out in one write(), because a second one would begin another value. */
	if (write(fd, value, strlen(value)) < 0)
		return error_set(err, ERROR_INPUT, -errno,
				 "sysctl '%s': the kernel refuses '%s': %s", key, value,
				 strerror(errno));
	return 0;
}

/* Reads the next word of *text as a number, whose prefix tells its base as for the kernel. */
static bool take_number(const char **text, long long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoll(*text, &end, 0);
	if (end == *text || errno != 0 || (*end != '\0' && *end != ' '))
		return false;
	*text = *end == ' ' ? end + 1 : end;
	return true;
}

/* Compares numbers by value, because the kernel keeps "007" as "7" and "0x10" as "16". */
static bool same_value(const char *a, const char *b)
{
	long long x, y;

	if (strcmp(a, b) == 0)
		return true;
	while (*a && *b)
		if (!take_number(&a, &x) || !take_number(&b, &y) || x != y)
			return false;
	return *a == *b;
}

/* Opens a sysctl to be written and, where that is possible, to be read back. Some, such as
 * net.ipv4.route.flush, can only be written. */
static int open_for_set(const struct netns *ns, const char *key, int *ret_fd, bool *ret_readable,
			struct error *err)
{
	*ret_readable = open_key(ns, key, O_RDWR, ret_fd, NULL) >= 0;
	return *ret_readable ? 0 : open_key(ns, key, O_WRONLY, ret_fd, err);
}

int sysctl_set(const struct netns *ns, const char *key, const char *value, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	_cleanup_(freep) char *wanted = NULL;
	_cleanup_(freep) char *kept = NULL;
	bool readable;
	int rc;

	wanted = strdup(value);
	if (!wanted)
		return error_errno(err, -ENOMEM, "sysctl '%s'", key);
	normalise(wanted);
	rc = open_for_set(ns, key, &fd, &readable, err);
	if (rc >= 0)
		rc = write_value(fd, key, wanted, err);
	if (rc < 0 || !readable)
		return rc;
	rc = read_value(fd, key, &kept, err);
	if (rc < 0)
		return rc;
	if (!same_value(wanted, kept))
		return error_input(err, "sysctl '%s': wrote '%s', the kernel kept '%s'", key,
				   wanted, kept);
	return 0;
}
