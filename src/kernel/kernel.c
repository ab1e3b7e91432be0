/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/kernel.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "src/kernel/cache.h"
#include "src/kernel/manifest.h"
#include "src/kernel/vmlinux.h"
#include "src/util/array.h"
#include "src/util/format.h"

static const char *const origin_names[] = {
	[KERNEL_FETCHED] = "fetched",
	[KERNEL_ADDED] = "added",
	[KERNEL_MACHINE] = "machine",
	[KERNEL_PATH] = "path",
};
static_assert(ARRAY_SIZE(origin_names) == _KERNEL_ORIGIN_MAX, "every origin has a name");

const char *kernel_origin_name(enum kernel_origin origin)
{
	return origin_names[origin];
}

int kernel_release_compare(const char *a, const char *b)
{
	int c = strverscmp(a, b);

	return (c > 0) - (c < 0);
}

bool kernel_name_matches(const char *name, const char *release)
{
	size_t n = strlen(name);

	if (!n || strncmp(name, release, n) != 0)
		return false;
	if (!release[n])
		return true;
	/* A name such as "6." or "6.1.0-" ends where a part of the version does. */
	return !isalnum((unsigned char)name[n - 1]) || !isalnum((unsigned char)release[n]);
}

void kernel_deinit(struct kernel *kernel)
{
	free(kernel->name);
	free(kernel->release);
	free(kernel->image);
	free(kernel->modules);
	*kernel = (struct kernel){ 0 };
}

int kernel_check(const struct kernel *kernel, struct error *err)
{
	_cleanup_(freep) char *folder = strdup(kernel->image);

	if (!folder)
		return error_errno(err, -ENOMEM, "kernel");
	*strrchr(folder, '/') = '\0';
	if ((kernel->origin != KERNEL_FETCHED && kernel->origin != KERNEL_ADDED) ||
	    kernel_manifest_check(folder))
		return 0;
	if (kernel->origin == KERNEL_ADDED)
		return error_set(err, ERROR_CAPABILITY, -EBADMSG,
				 "%s is damaged or not whole: run `deadpeer kernels add` for it "
				 "again, or remove it",
				 folder);
	return error_set(
		err, ERROR_CAPABILITY, -EBADMSG,
		"%s is damaged or not whole: run `deadpeer kernels fetch %s` again, or remove it",
		folder, kernel->release);
}

void kernel_list_deinit(struct kernel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		kernel_deinit(&list->kernels[i]);
	free(list->kernels);
	*list = (struct kernel_list){ 0 };
}

static int list_add(struct kernel_list *list, enum kernel_origin origin, const char *name,
		    const char *release, char *image, char *modules)
{
	struct kernel kernel = { .origin = origin, .image = image, .modules = modules };
	struct kernel *slot = NULL;

	kernel.name = strdup(name);
	kernel.release = strdup(release);
	if (kernel.name && kernel.release && image)
		slot = array_append(&list->kernels, &list->count, sizeof(*slot));
	if (!slot) {
		kernel_deinit(&kernel);
		return -ENOMEM;
	}
	if (modules && access(modules, R_OK) < 0) {
		free(kernel.modules);
		kernel.modules = NULL;
	}
	*slot = kernel;
	return 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Reads the release of a kernel that was added. Returns false for one that was fetched. */
static bool read_mark(const char *folder, const char *name, char *release, int size)
{
	_cleanup_(freep) char *path = format_new("%s/%s/" KERNEL_MARK, folder, name);
	_cleanup_(file_closep) FILE *file = path ? fopen(path, "re") : NULL;

	return file && fgets(release, size, file) && *release;
}

static int list_fetched(struct kernel_list *list, struct error *err)
{
	_cleanup_(freep) char *folder = NULL;
	_cleanup_(closedirp) DIR *dir = NULL;
	struct error ignored;
	struct dirent *entry;

	/* If there is no cache, no kernel was fetched. */
	if (cache_folder("kernels", &folder, &ignored) < 0 || !(dir = opendir(folder)))
		return 0;
	while ((entry = readdir(dir))) {
		_cleanup_(freep) char *image = format_new("%s/%s/vmlinuz", folder, entry->d_name);
		size_t n = strlen(entry->d_name);
		char release[128];
		bool added;

		if (!image || entry->d_name[0] == '.' || access(image, R_OK) < 0 ||
		    (n > 4 && strcmp(entry->d_name + n - 4, ".tmp") == 0))
			continue;
		added = read_mark(folder, entry->d_name, release, sizeof(release));
		if (list_add(list, added ? KERNEL_ADDED : KERNEL_FETCHED, entry->d_name,
			     added ? release : entry->d_name, take_ptr(image),
			     format_new("%s/%s/modules", folder, entry->d_name)) < 0)
			return error_errno(err, -ENOMEM, "kernels");
	}
	return 0;
}

static int list_machine(struct kernel_list *list, struct error *err)
{
	_cleanup_(closedirp) DIR *dir = opendir("/boot");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *release = entry->d_name + strlen("vmlinuz-");
		_cleanup_(freep) char *image = format_new("/boot/%s", entry->d_name);

		/* Only root can read Ubuntu's images in /boot. */
		if (strncmp(entry->d_name, "vmlinuz-", 8) != 0 || !image || access(image, R_OK) < 0)
			continue;
		if (list_add(list, KERNEL_MACHINE, release, release, take_ptr(image),
			     format_new("/lib/modules/%s", release)) < 0)
			return error_errno(err, -ENOMEM, "kernels");
	}
	return 0;
}

/* Newest first; of two with one release the fetched one comes first. */
static int compare(const void *a, const void *b)
{
	const struct kernel *x = a, *y = b;
	int c = kernel_release_compare(y->release, x->release);

	return c ? c : (int)x->origin - (int)y->origin;
}

int kernel_list_init(struct kernel_list *list, struct error *err)
{
	int rc;

	*list = (struct kernel_list){ 0 };
	rc = list_fetched(list, err);
	if (rc >= 0)
		rc = list_machine(list, err);
	if (rc < 0) {
		kernel_list_deinit(list);
		return rc;
	}
	if (list->count)
		qsort(list->kernels, list->count, sizeof(*list->kernels), compare);
	return 0;
}

/* Lists the releases at hand that match `name` (NULL: all), as "a, b, c". */
static void names(const struct kernel_list *list, const char *name, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->count && n < size; i++)
		if (!name || kernel_name_matches(name, list->kernels[i].name))
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "",
					      list->kernels[i].name);
}

static int refuse(const struct kernel_list *list, const char *name, struct error *err)
{
	_cleanup_(freep) char *folder = NULL;
	char at_hand[512];

	/* Without a cache nothing can be fetched, and that is what is to be mended first. */
	if (!list->count && cache_folder("kernels", &folder, err) < 0)
		return error_prefix(err, -ENOENT, "no kernel at hand%s%s", name ? " for " : "",
				    name ? name : "");
	names(list, NULL, at_hand, sizeof(at_hand));
	if (!list->count)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no kernel at hand%s%s: run `deadpeer kernels fetch %s`, or give "
				 "--kernel the path of a vmlinuz and --modules its folder",
				 name ? " for " : "", name ? name : "", name ? name : "6.1");
	return error_set(err, ERROR_INPUT, -ENOENT,
			 "no kernel '%s' at hand, only %s: run `deadpeer kernels fetch %s`", name,
			 at_hand, name);
}

/* Returns what comes after the version, "cloud-amd64" of "6.1.0-57-cloud-amd64". A kernel may be
 * anybody's, and kernel_flavour_of() knows Debian's. */
static const char *build_of(const char *name)
{
	const char *dash = name;

	while ((dash = strchr(dash, '-')))
		if (isalpha((unsigned char)*++dash))
			return dash;
	return "";
}

/* Of several releases of one build a name means the newest, which comes first in the list. */
static int pick(const struct kernel_list *list, const char *name, const struct kernel **ret,
		struct error *err)
{
	const struct kernel *found = NULL;
	char matching[512];

	if (!name && list->count)
		found = &list->kernels[0];
	for (size_t i = 0; name && i < list->count; i++) {
		const struct kernel *kernel = &list->kernels[i];

		if (strcmp(name, kernel->name) == 0) {
			found = kernel;
			break;
		}
		if (!kernel_name_matches(name, kernel->name))
			continue;
		if (found && strcmp(build_of(found->name), build_of(kernel->name)) != 0) {
			names(list, name, matching, sizeof(matching));
			return error_input(err, "'%s' may mean any of %s: give more of the name",
					   name, matching);
		}
		if (!found)
			found = kernel;
	}
	if (!found)
		return refuse(list, name, err);
	*ret = found;
	return 0;
}

static int copy(const struct kernel *from, struct kernel *ret, struct error *err)
{
	struct kernel kernel = {
		.name = strdup(from->name),
		.release = strdup(from->release),
		.image = strdup(from->image),
		.modules = from->modules ? strdup(from->modules) : NULL,
		.origin = from->origin,
	};

	if (!kernel.name || !kernel.release || !kernel.image ||
	    (from->modules && !kernel.modules)) {
		kernel_deinit(&kernel);
		return error_errno(err, -ENOMEM, "kernel");
	}
	*ret = kernel;
	return 0;
}

/* A sweep comes back to each of its kernels, so those that were found stay as long as this process
 * runs. */
static int use(const struct kernel *kernel, struct error *err)
{
	_cleanup_(freep) char *folder = NULL, *mark = NULL;
	int rc;

	if (kernel->origin != KERNEL_FETCHED && kernel->origin != KERNEL_ADDED)
		return 0;
	folder = format_new("%.*s", (int)(strrchr(kernel->image, '/') - kernel->image),
			    kernel->image);
	mark = folder ? format_new("%s/manifest", folder) : NULL;
	if (!mark)
		return error_errno(err, -ENOMEM, "kernel");
	rc = cache_refuse_link(folder, err);
	if (rc < 0)
		return rc;
	rc = cache_hold_until_exit(folder);
	if (rc < 0)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s: cannot be opened, or was removed just now: run `deadpeer "
				 "kernels %s %s`",
				 folder, kernel->origin == KERNEL_ADDED ? "add" : "fetch",
				 kernel->release);
	cache_touch(mark);
	return 0;
}

static int find_path(const char *path, const char *modules, struct kernel *ret, struct error *err)
{
	char release[128];
	struct kernel kernel = {
		.image = (char *)path,
		.modules = (char *)modules,
		.name = release,
		.release = release,
		.origin = KERNEL_PATH,
	};
	struct stat st;
	int rc;

	if (modules && (stat(modules, &st) < 0 || !S_ISDIR(st.st_mode)))
		return error_input(err, "--modules %s: not a folder", modules);
	rc = vmlinux_release(path, release, sizeof(release), err);
	if (rc >= 0)
		rc = vmlinux_check(path, err);
	return rc < 0 ? rc : copy(&kernel, ret, err);
}

int kernel_find(const char *name, const char *modules, struct kernel *ret, struct error *err)
{
	struct kernel_list list;
	const struct kernel *found;
	int rc;

	if (name && strchr(name, '/'))
		return find_path(name, modules, ret, err);
	if (modules)
		return error_input(err, "--modules goes with a --kernel that is a path");
	rc = kernel_list_init(&list, err);
	if (rc < 0)
		return rc;
	rc = pick(&list, name, &found, err);
	if (rc >= 0)
		rc = use(found, err);
	if (rc >= 0)
		rc = copy(found, ret, err);
	kernel_list_deinit(&list);
	return rc;
}
