/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/unpack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/kernel/archives.h"
#include "src/kernel/cache.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

struct unpack {
	const char *path;	/* of the package; not owned */
	const char *folder;	/* where the kernel goes; not owned */
	char *release;		/* the folder of its modules, of UNPACK_RELEASE_SIZE; not owned */
	struct archive *outer;	/* reads the package; owned */
	struct archive *inner;	/* reads data.tar in one of Debian's; owned */
	struct archive *reader; /* whichever of the two has the files; not owned */
	struct archive *disk;	/* writes files; owned */
};

static int damaged(const struct unpack *u, struct archive *archive, struct error *err)
{
	const char *why = archive ? lib_archive_error_string(archive) : NULL;

	return error_set(err, ERROR_INPUT, -EBADMSG, "%s: damaged or truncated package%s%s",
			 u->path, why ? ": " : "", why ? why : "");
}

/* Takes the release out of "6.1.0-56-cloud-amd64/...", or holds it against the one that is known.
 */
static int take_release(struct unpack *u, const char *name, size_t n, struct error *err)
{
	if (n >= UNPACK_RELEASE_SIZE)
		return damaged(u, NULL, err);
	if (!*u->release)
		snprintf(u->release, UNPACK_RELEASE_SIZE, "%.*s", (int)n, name);
	if (strlen(u->release) != n || strncmp(u->release, name, n) != 0)
		return error_input(err, "%s: modules of %.*s, and those before were of %s", u->path,
				   (int)n, name, u->release);
	return 0;
}

/* Finds the path to which the file `name` of the package goes, which the caller frees; NULL: it is
 * left out. Since 6.19 Debian has the kernel and its config among the modules, as RPM has. */
static int find_destination(struct unpack *u, const char *name, char **ret_path, struct error *err)
{
	const char *to = NULL, *rest = "";
	int rc = 0;

	*ret_path = NULL;
	name += strspn(name, "./");
	name += strncmp(name, "usr/", 4) == 0 ? 4 : 0;
	if (strncmp(name, "boot/vmlinuz-", 13) == 0) {
		to = "vmlinuz";
	} else if (strncmp(name, "boot/config-", 12) == 0) {
		to = "config";
	} else if (strncmp(name, "lib/modules/", 12) == 0 && (rest = strchr(name + 12, '/'))) {
		rc = take_release(u, name + 12, (size_t)(rest - name - 12), err);
		to = strcmp(rest, "/vmlinuz") && strcmp(rest, "/config") ? "modules" : "";
	}
	if (to && rc >= 0) {
		*ret_path = format_new("%s/%s%s", u->folder, to, *to ? rest : rest + 1);
		rc = *ret_path ? 0 : error_errno(err, -ENOMEM, "%s", u->path);
	}
	return rc;
}

/* An error of the disk is reported as one. Any other error means that the package is damaged. */
static int copy_data(struct unpack *u, struct error *err)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int rc;

	while ((rc = lib_archive_read_data_block(u->reader, &block, &size, &offset)) == ARCHIVE_OK)
		if (lib_archive_write_data_block(u->disk, block, size, offset) < ARCHIVE_OK)
			return cache_error(err, -lib_archive_errno(u->disk), u->folder);
	return rc == ARCHIVE_EOF ? 0 : damaged(u, u->reader, err);
}

static int extract(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	const char *name = lib_archive_entry_pathname(entry);
	_cleanup_(freep) char *path = NULL;
	int rc = name ? find_destination(u, name, &path, err) : damaged(u, u->reader, err);

	if (rc < 0 || !path || lib_archive_entry_filetype(entry) == AE_IFLNK ||
	    lib_archive_entry_hardlink(entry))
		return rc;
	lib_archive_entry_set_pathname(entry, path);
	lib_archive_entry_set_perm(entry,
				   lib_archive_entry_filetype(entry) == AE_IFDIR ? 0700 : 0600);
	if (lib_archive_write_header(u->disk, entry) < ARCHIVE_OK)
		return cache_error(err, -lib_archive_errno(u->disk), path);
	if (lib_archive_entry_size(entry) > 0)
		rc = copy_data(u, err);
	if (rc < 0)
		return rc;
	if (lib_archive_write_finish_entry(u->disk) < ARCHIVE_OK)
		return cache_error(err, -lib_archive_errno(u->disk), path);
	return 0;
}

static la_ssize_t read_member(struct archive *inner, void *data, const void **ret_block)
{
	static char block[65536];
	struct unpack *u = data;
	la_ssize_t n = lib_archive_read_data(u->outer, block, sizeof(block));

	if (n < 0)
		lib_archive_set_error(inner, EIO, "%s", lib_archive_error_string(u->outer));
	*ret_block = block;
	return n < 0 ? -1 : n;
}

static int unpack_files(struct unpack *u, struct error *err)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = lib_archive_read_next_header(u->reader, &entry)) == ARCHIVE_OK) {
		rc = extract(u, entry, err);
		if (rc < 0)
			return rc;
	}
	return rc == ARCHIVE_EOF ? 0 : damaged(u, u->reader, err);
}

static int unpack_deb(struct unpack *u, struct error *err)
{
	struct archive_entry *entry;
	int rc;

	lib_archive_read_support_format_ar(u->outer);
	if (lib_archive_read_open_filename(u->outer, u->path, 65536) != ARCHIVE_OK)
		return damaged(u, u->outer, err);
	while ((rc = lib_archive_read_next_header(u->outer, &entry)) == ARCHIVE_OK)
		if (strncmp(lib_archive_entry_pathname(entry), "data.tar", 8) == 0)
			break;
	if (rc != ARCHIVE_OK)
		return damaged(u, rc == ARCHIVE_EOF ? NULL : u->outer, err);
	u->reader = u->inner;
	lib_archive_read_support_format_tar(u->inner);
	lib_archive_read_support_filter_all(u->inner);
	if (lib_archive_read_open(u->inner, u, NULL, read_member, NULL) != ARCHIVE_OK)
		return damaged(u, u->inner, err);
	return unpack_files(u, err);
}

/* To libarchive the header of an RPM is a filter like a compression. */
static int unpack_plain(struct unpack *u, struct error *err)
{
	u->reader = u->outer;
	lib_archive_read_support_format_cpio(u->outer);
	lib_archive_read_support_format_tar(u->outer);
	lib_archive_read_support_filter_all(u->outer);
	if (lib_archive_read_open_filename(u->outer, u->path, 65536) != ARCHIVE_OK)
		return damaged(u, u->outer, err);
	return unpack_files(u, err);
}

/* How packages begin. */
static const struct {
	const char *bytes;
	size_t size;
	int (*unpack)(struct unpack *u, struct error *err);
} beginnings[] = {
	{ "!<arch>\n", 8, unpack_deb },
	{ "\xed\xab\xee\xdb", 4, unpack_plain }, /* RPM */
	{ "\x28\xb5\x2f\xfd", 4, unpack_plain }, /* a tar in zstd, xz or gzip */
	{ "\xfd"
	  "7zXZ",
	  5, unpack_plain },
	{ "\x1f\x8b", 2, unpack_plain },
};

/* Returns the place in beginnings[] of what a file is, or -1. */
static int kind_of(const char *path)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	char head[8] = "";

	if (!file || fread(head, 1, sizeof(head), file) < sizeof(head))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (memcmp(head, beginnings[i].bytes, beginnings[i].size) == 0)
			return (int)i;
	return -1;
}

bool unpack_is_package(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && kind_of(path) >= 0;
}

int unpack_package(const char *path, const char *folder, char release[UNPACK_RELEASE_SIZE],
		   struct error *err)
{
	struct unpack u = { .path = path, .folder = folder, .release = release };
	int rc = archives_load(err), kind = kind_of(path);

	if (rc < 0)
		return rc;
	if (kind < 0)
		return damaged(&u, NULL, err);
	u.outer = lib_archive_read_new();
	u.inner = lib_archive_read_new();
	u.disk = lib_archive_write_disk_new();
	if (u.outer && u.inner && u.disk) {
		lib_archive_write_disk_set_options(u.disk, ARCHIVE_EXTRACT_SECURE_NODOTDOT);
		rc = beginnings[kind].unpack(&u, err);
	} else {
		rc = error_errno(err, -ENOMEM, "%s", path);
	}
	lib_archive_read_free(u.inner);
	lib_archive_read_free(u.outer);
	if (lib_archive_write_free(u.disk) < ARCHIVE_OK && rc >= 0)
		rc = cache_error(err, -EIO, folder);
	return rc;
}

int unpack_check(const char *folder, const char *what, struct error *err)
{
	_cleanup_(freep) char *image = format_new("%s/vmlinuz", folder);

	if (!image)
		return error_errno(err, -ENOMEM, "kernel");
	return access(image, R_OK) == 0 ? 0
					: error_input(err, "%s: a package without a kernel", what);
}
