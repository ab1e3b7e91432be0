/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/deb.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "src/kernel/archives.h"
#include "src/kernel/cache.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

struct unpack {
	const char *path;     /* of the package; not owned */
	const char *folder;   /* where the kernel goes; not owned */
	struct archive *deb;  /* reads the ar archive; owned */
	struct archive *tar;  /* reads data.tar in it; owned */
	struct archive *disk; /* writes files; owned */
	bool image;	      /* a vmlinuz was found */
};

static int damaged(const struct unpack *u, struct archive *archive, struct error *err)
{
	const char *why = archive ? lib_archive_error_string(archive) : NULL;

	return error_set(err, ERROR_INPUT, -EBADMSG, "%s: damaged or truncated package%s%s",
			 u->path, why ? ": " : "", why ? why : "");
}

/* Returns the path to which the file `name` of the package goes, which the caller frees, or NULL
 * when the file is left out. */
static char *destination(struct unpack *u, const char *name)
{
	const char *to = NULL, *rest = "";

	name += strncmp(name, "./", 2) == 0 ? 2 : 0;
	name += strncmp(name, "usr/", 4) == 0 ? 4 : 0;
	if (strncmp(name, "boot/vmlinuz-", 13) == 0) {
		to = "vmlinuz";
		u->image = true;
	} else if (strncmp(name, "boot/config-", 12) == 0) {
		to = "config";
	} else if (strncmp(name, "lib/modules/", 12) == 0 && (rest = strchr(name + 12, '/'))) {
		to = "modules";
	}
	return to ? format_new("%s/%s%s", u->folder, to, rest) : NULL;
}

/* An error of the disk is reported as one. Any other error means that the package is damaged. */
static int copy_data(struct unpack *u, struct error *err)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int rc;

	while ((rc = lib_archive_read_data_block(u->tar, &block, &size, &offset)) == ARCHIVE_OK)
		if (lib_archive_write_data_block(u->disk, block, size, offset) < ARCHIVE_OK)
			return cache_error(err, -lib_archive_errno(u->disk), u->folder);
	return rc == ARCHIVE_EOF ? 0 : damaged(u, u->tar, err);
}

static int extract(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	_cleanup_(freep) char *path = destination(u, lib_archive_entry_pathname(entry));

	if (!path || lib_archive_entry_filetype(entry) == AE_IFLNK ||
	    lib_archive_entry_hardlink(entry))
		return 0;
	lib_archive_entry_set_pathname(entry, path);
	lib_archive_entry_set_perm(entry,
				   lib_archive_entry_filetype(entry) == AE_IFDIR ? 0700 : 0600);
	if (lib_archive_write_header(u->disk, entry) < ARCHIVE_OK)
		return cache_error(err, -lib_archive_errno(u->disk), path);
	if (lib_archive_entry_size(entry) > 0) {
		int rc = copy_data(u, err);

		if (rc < 0)
			return rc;
	}
	if (lib_archive_write_finish_entry(u->disk) < ARCHIVE_OK)
		return cache_error(err, -lib_archive_errno(u->disk), path);
	return 0;
}

static la_ssize_t read_member(struct archive *tar, void *data, const void **ret_block)
{
	static char block[65536];
	struct unpack *u = data;
	la_ssize_t n = lib_archive_read_data(u->deb, block, sizeof(block));

	if (n < 0)
		lib_archive_set_error(tar, EIO, "%s", lib_archive_error_string(u->deb));
	*ret_block = block;
	return n < 0 ? -1 : n;
}

static int unpack_data(struct unpack *u, struct error *err)
{
	struct archive_entry *entry;
	int rc;

	lib_archive_read_support_format_tar(u->tar);
	lib_archive_read_support_filter_all(u->tar);
	if (lib_archive_read_open(u->tar, u, NULL, read_member, NULL) != ARCHIVE_OK)
		return damaged(u, u->tar, err);
	while ((rc = lib_archive_read_next_header(u->tar, &entry)) == ARCHIVE_OK) {
		rc = extract(u, entry, err);
		if (rc < 0)
			return rc;
	}
	if (rc != ARCHIVE_EOF)
		return damaged(u, u->tar, err);
	if (!u->image)
		return error_input(err, "%s: a package without a kernel", u->path);
	return 0;
}

static int unpack(struct unpack *u, struct error *err)
{
	struct archive_entry *entry;
	int rc;

	lib_archive_write_disk_set_options(u->disk, ARCHIVE_EXTRACT_SECURE_NODOTDOT);
	lib_archive_read_support_format_ar(u->deb);
	if (lib_archive_read_open_filename(u->deb, u->path, 65536) != ARCHIVE_OK)
		return damaged(u, u->deb, err);
	while ((rc = lib_archive_read_next_header(u->deb, &entry)) == ARCHIVE_OK)
		if (strncmp(lib_archive_entry_pathname(entry), "data.tar", 8) == 0)
			return unpack_data(u, err);
	return damaged(u, rc == ARCHIVE_EOF ? NULL : u->deb, err);
}

int deb_unpack_kernel(const char *path, const char *folder, struct error *err)
{
	struct unpack u = { .path = path, .folder = folder };
	int rc = archives_load(err);

	if (rc < 0)
		return rc;
	u.deb = lib_archive_read_new();
	u.tar = lib_archive_read_new();
	u.disk = lib_archive_write_disk_new();
	rc = u.deb && u.tar && u.disk ? unpack(&u, err) : error_errno(err, -ENOMEM, "%s", path);

	lib_archive_read_free(u.tar);
	lib_archive_read_free(u.deb);
	if (lib_archive_write_free(u.disk) < ARCHIVE_OK && rc >= 0)
		rc = cache_error(err, -EIO, folder);
	return rc;
}
