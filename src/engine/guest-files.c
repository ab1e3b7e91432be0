/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/engine/guest-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/util/cleanup.h"

#define WORD "file "

int guest_files_prepare(struct error *err)
{
	char options[32];

	snprintf(options, sizeof(options), "size=%dm", GUEST_FILES_MIB);
	if ((mkdir(GUEST_FILES_FOLDER, 0755) < 0 && errno != EEXIST) ||
	    mount("tmpfs", GUEST_FILES_FOLDER, "tmpfs", 0, options) < 0)
		return error_errno(err, -errno, "guest: %s", GUEST_FILES_FOLDER);
	return 0;
}

static int too_much(uint64_t room, struct error *err)
{
	return error_set(
		err, ERROR_FAILED, -ENOSPC,
		"--pcap and --logs: a guest can hand out %llu bytes, and this is more: run "
		"fewer or shorter scenarios at a time, or use --engine host",
		(unsigned long long)room);
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Whether a file may be cut off: one that could not be written whole has left no room. */
static bool is_full(const char *folder)
{
	struct statvfs info;

	return statvfs(folder, &info) == 0 && info.f_bavail == 0;
}

static void put_byte(int c, FILE *out)
{
	if (c == '\n' || c == '\\')
		putc_unlocked('\\', out);
	putc_unlocked(c == '\n' ? 'n' : c, out);
}

/* Writes a file as a line, unless `out` is NULL, and returns the length of the line. */
static int64_t write_file(const char *folder, const char *name, FILE *out)
{
	_cleanup_(file_closep) FILE *file = NULL;
	_cleanup_(freep) char *path = NULL;
	int64_t n = (int64_t)(strlen(WORD) + strlen(name) + 2);

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (out)
		fprintf(out, WORD "%s ", name);
	for (int c; (c = getc_unlocked(file)) != EOF; n++) {
		if (out)
			put_byte(c, out);
		n += c == '\n' || c == '\\';
	}
	if (out)
		putc('\n', out);
	return ferror(file) ? -EIO : n;
}

static int64_t write_files(const char *folder, struct dirent **entries, int n, FILE *out)
{
	int64_t sum = 0;

	for (int i = 0; i < n; i++) {
		int64_t size = write_file(folder, entries[i]->d_name, out);

		if (size < 0)
			return size;
		sum += size;
	}
	return sum;
}

int guest_files_write(const char *folder, uint64_t room, FILE *out, struct error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_file, alphasort);
	int64_t size;
	int rc = 0;

	if (n < 0)
		return error_errno(err, -errno, "guest: %s", folder);
	size = write_files(folder, entries, n, NULL);
	if (size >= 0 && ((uint64_t)size > room || is_full(folder)))
		rc = too_much(room, err);
	else if (size >= 0)
		size = write_files(folder, entries, n, out);
	if (size < 0)
		rc = error_errno(err, (int)size, "guest: %s", folder);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return rc;
}

bool guest_files_match(const char *line)
{
	return !strncmp(line, WORD, strlen(WORD));
}

static void write_plain(const char *data, const char *end, FILE *out)
{
	for (; data < end; data++) {
		if (*data != '\\') {
			putc_unlocked(*data, out);
		} else if (++data < end) {
			putc_unlocked(*data == 'n' ? '\n' : *data, out);
		}
	}
}

static bool is_log(const char *name, const char *end)
{
	return end - name > 4 && !strncmp(end - 4, ".log", 4);
}

int guest_files_read(const char *line, size_t size, const char *captures, const char *logs,
		     struct error *err)
{
	const char *name = line + strlen(WORD), *end = line + size;
	const char *space = memchr(name, ' ', (size_t)(end - name));
	_cleanup_(freep) char *path = NULL;
	const char *folder;
	FILE *out;

	if (!space || space == name || *name == '.' || memchr(name, '/', (size_t)(space - name)))
		return error_set(err, ERROR_FAILED, -EBADMSG, "guest: '%.60s' names no file", name);
	folder = is_log(name, space) ? logs : captures;
	if (asprintf(&path, "%s/%.*s", folder, (int)(space - name), name) < 0)
		return error_errno(err, -ENOMEM, "%s", folder);
	out = fopen(path, "we");
	if (!out)
		return error_errno(err, -errno, "%s", path);
	errno = 0;
	write_plain(space + 1, end, out);
	if (ferror(out) | (fclose(out) != 0))
		return error_errno(err, errno ? -errno : -EIO, "%s", path);
	return 0;
}
