/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/add.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "src/kernel/cache.h"
#include "src/kernel/manifest.h"
#include "src/kernel/unpack.h"
#include "src/kernel/vmlinux.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

static int copy_file(const char *from, const char *to, struct error *err)
{
	_cleanup_(fd_closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_(fd_closep) int out = -1;
	struct stat st;
	ssize_t n = 0;

	if (in < 0 || fstat(in, &st) < 0)
		return error_set(err, ERROR_INPUT, -errno, "%s: %s", from, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s: not a file", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return cache_error(err, -errno, to);
	for (off_t left = st.st_size; left > 0; left -= n) {
		n = sendfile(out, in, NULL, (size_t)left);
		if (n <= 0)
			return cache_error(err, n < 0 ? -errno : -EIO, to);
	}
	return 0;
}

/* Whether a file in a folder of modules is one, or tells of them. */
static bool is_of_modules(const char *name)
{
	return strstr(name, ".ko") || strncmp(name, "modules.", strlen("modules.")) == 0;
}

static int copy_entry(const FTSENT *entry, size_t prefix, const char *to, size_t *count,
		      struct error *err)
{
	_cleanup_(freep) char *path = format_new("%s%s", to, entry->fts_path + prefix);

	if (!path)
		return error_errno(err, -ENOMEM, "modules");
	if (entry->fts_info == FTS_D)
		return mkdir(path, 0700) < 0 ? cache_error(err, -errno, path) : 0;
	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
		return error_set(err, ERROR_INPUT, -entry->fts_errno, "%s: %s", entry->fts_path,
				 strerror(entry->fts_errno));
	if (entry->fts_info != FTS_F || !is_of_modules(entry->fts_name))
		return 0;
	++*count;
	return copy_file(entry->fts_accpath, path, err);
}

/* Copies the modules below a folder. Links in it lead to the source of the kernel. */
static int copy_modules(const char *from, const char *to, struct error *err)
{
	_cleanup_(freep) char *real = realpath(from, NULL);
	char *const paths[] = { real, NULL };
	struct stat st;
	size_t count = 0;
	FTSENT *entry;
	FTS *tree;
	int rc = 0;

	if (!real || stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_input(err, "--modules %s: not a folder", from);
	tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!tree)
		return error_errno(err, -errno, "%s", from);
	while (rc >= 0 && (entry = fts_read(tree)))
		rc = copy_entry(entry, strlen(real), to, &count, err);
	fts_close(tree);
	if (rc >= 0 && !count)
		rc = error_input(err,
				 "--modules %s: no modules in it; a folder such as "
				 "/lib/modules/RELEASE is meant",
				 from);
	return rc;
}

/* Puts all that is given into `folder`. */
static int gather(const struct add_options *options, const char *folder, struct error *err)
{
	_cleanup_(freep) char *image = format_new("%s/vmlinuz", folder);
	_cleanup_(freep) char *modules = format_new("%s/modules", folder);
	char release[UNPACK_RELEASE_SIZE] = "";
	int rc = image && modules ? 0 : error_errno(err, -ENOMEM, "kernel");

	for (size_t i = 0; i < options->count && rc >= 0; i++) {
		const char *file = options->files[i];
		bool package = unpack_is_package(file);

		if (package)
			rc = unpack_package(file, folder, release, err);
		else if (access(image, F_OK) == 0)
			rc = error_input(err, "%s: a kernel was given before", file);
		else
			rc = copy_file(file, image, err);
	}
	if (rc >= 0)
		rc = unpack_check(folder, options->files[0], err);
	if (rc >= 0 && options->modules && access(modules, F_OK) == 0)
		rc = error_input(err, "--modules %s: the packages have modules of their own",
				 options->modules);
	if (rc >= 0 && options->modules)
		rc = copy_modules(options->modules, modules, err);
	return rc;
}

static int check_name(const char *name, struct error *err)
{
	size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._+-~", *p))
			return error_input(err, "--name %s: only letters, digits and ._+-~", name);
	if (!isalnum((unsigned char)*name) || n > 100 || (n > 4 && !strcmp(name + n - 4, ".tmp")) ||
	    (n > 5 && !strcmp(name + n - 5, ".lock")))
		return error_input(err, "--name %s: no name for a kernel", name);
	return 0;
}

/* Says what the kernel in `folder` is, after what was given for it. */
static int describe(const struct add_options *options, const char *folder, struct kernel *ret,
		    struct error *err)
{
	_cleanup_(freep) char *image = format_new("%s/vmlinuz", folder);
	_cleanup_(freep) char *modules = format_new("%s/modules", folder);
	char release[128];
	int rc = image && modules ? 0 : error_errno(err, -ENOMEM, "kernel");
	struct error local = { 0 };

	if (rc >= 0)
		rc = vmlinux_release(image, release, sizeof(release), &local);
	if (rc >= 0)
		rc = vmlinux_check(image, &local);
	if (rc < 0 && local.kind != ERROR_NONE) /* of the copy, which nobody knows */
		return error_set(err, local.kind, rc, "%s: %s", options->files[0],
				 strncmp(local.text, image, strlen(image)) == 0
					 ? local.text + strlen(image) + 2
					 : local.text);
	if (rc < 0)
		return rc;
	*ret = (struct kernel){
		.name = strdup(options->name ? options->name : release),
		.release = strdup(release),
		.image = take_ptr(image),
		.modules = access(modules, F_OK) == 0 ? take_ptr(modules) : NULL,
		.origin = KERNEL_ADDED,
	};
	return ret->name && ret->release ? 0 : error_errno(err, -ENOMEM, "kernel");
}

/* Keeps the config of a kernel that came as a file, from where it stands. */
static int keep_config(const struct add_options *options, const char *folder,
		       const struct kernel *kernel, struct error *err)
{
	_cleanup_(freep) char *path = format_new("%s/config", folder), *text = NULL;
	const struct kernel given = {
		.release = kernel->release,
		.image = options->files[0],
		.modules = (char *)options->modules,
	};

	if (!path)
		return error_errno(err, -ENOMEM, "kernel");
	if (access(path, F_OK) < 0)
		text = kernel_config(&given);
	return text ? cache_write_text(path, text, err) : 0;
}

/* Puts the folder at its place. What was fetched under that name stays. */
static int settle(const char *temporary, const char *kernels, const struct kernel *kernel,
		  struct error *err)
{
	_cleanup_(freep) char *target = format_new("%s/%s", kernels, kernel->name);
	_cleanup_(freep) char *mark = format_new("%s/" KERNEL_MARK, temporary);
	_cleanup_(freep) char *other = format_new("%s/%s/" KERNEL_MARK, kernels, kernel->name);
	_cleanup_(fd_closep) int lock = -1;
	int rc = target && mark && other ? cache_lock(target, &lock, err)
					 : error_errno(err, -ENOMEM, "kernel");

	if (rc < 0)
		return rc;
	if (access(target, F_OK) == 0 && access(other, F_OK) < 0)
		return error_input(err, "%s was fetched, and is at hand: give --name",
				   kernel->name);
	rc = cache_write_text(mark, kernel->release, err);
	if (rc >= 0)
		rc = kernel_manifest_write(temporary, err);
	if (rc >= 0)
		cache_remove(target);
	if (rc >= 0 && rename(temporary, target) < 0)
		rc = cache_error(err, -errno, target);
	return rc;
}

static int add(const struct add_options *options, const char *kernels, const char *temporary,
	       kernel_lacks_func tell, char **ret_name, struct error *err)
{
	_cleanup_(kernel_deinit) struct kernel kernel = { 0 };
	int rc;

	if (mkdir(temporary, 0700) < 0)
		return cache_error(err, -errno, temporary);
	rc = gather(options, temporary, err);
	if (rc >= 0)
		rc = describe(options, temporary, &kernel, err);
	if (rc >= 0)
		rc = keep_config(options, temporary, &kernel, err);
	if (rc >= 0)
		rc = kernel_lacks(&kernel, tell, err);
	if (rc >= 0)
		rc = settle(temporary, kernels, &kernel, err);
	if (rc >= 0)
		*ret_name = take_ptr(kernel.name);
	return rc;
}

int kernel_add(const struct add_options *options, kernel_lacks_func tell, struct kernel *ret,
	       struct error *err)
{
	_cleanup_(freep) char *kernels = NULL, *entry = NULL, *temporary = NULL, *name = NULL;
	_cleanup_(fd_closep) int lock = -1;
	int rc = options->name ? check_name(options->name, err) : 0;

	if (rc >= 0)
		rc = cache_folder("kernels", &kernels, err);
	if (rc < 0)
		return rc;
	entry = format_new("%s/.add", kernels);
	temporary = entry ? cache_temporary(entry) : NULL;
	if (!temporary)
		return error_errno(err, -ENOMEM, "kernel");
	rc = cache_lock(entry, &lock, err);
	if (rc >= 0)
		rc = add(options, kernels, temporary, tell, &name, err);
	cache_remove(temporary);
	return rc < 0 ? rc : kernel_find(name, NULL, ret, err);
}
