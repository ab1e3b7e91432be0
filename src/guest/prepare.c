/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/prepare.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/guest/guest.h"
#include "src/guest/machine.h"
#include "src/kernel/cache-entries.h"
#include "src/kernel/initramfs.h"
#include "src/kernel/vmlinux.h"
#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

/* There are few sizes of guests, so that few snapshots are made: 192, 256, 384, 512, 768, ... MiB.
 */
static unsigned round_memory(unsigned mib)
{
	unsigned size = GUEST_MEMORY_MIB_MIN;

	for (bool third = true; size < mib; third = !third)
		size = third ? size / 3 * 4 : size / 2 * 3;
	return size;
}

/* The snapshot's name is made of everything that the state of a booted guest depends on. The names
 * of the cached files tell what is in them. */
static int snapshot_path(struct guest_image *image, char **ret_path, struct error *err)
{
	_cleanup_(strings_freep) char **argv = machine_arguments(image, &(struct machine_run){ 0 });
	_cleanup_(freep) char *folder = NULL;
	char text[CACHE_KEY_SIZE];
	struct cache_key key;
	int rc;

	if (!argv)
		return error_errno(err, -ENOMEM, "snapshot");
	cache_key_init(&key);
	cache_key_add_boot(&key);
	cache_key_add_string(&key, image->qemu.version);
	rc = cache_key_add_file(&key, image->qemu.path, err);
	for (size_t i = 0; argv[i]; i++)
		cache_key_add_string(&key, argv[i]);
	if (rc >= 0)
		rc = cache_folder("snapshots", &folder, err);
	if (rc < 0)
		return rc;
	if (asprintf(ret_path, "%s/%s", folder, cache_key_text(&key, text)) < 0)
		return error_errno(err, -ENOMEM, "snapshot");
	return 0;
}

static int write_snapshot(struct guest_image *image, const char *path, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(path);
	_cleanup_(guest_snapshot_close) struct guest_snapshot snapshot = GUEST_SNAPSHOT_NONE;
	int rc;

	if (!temporary)
		return error_errno(err, -ENOMEM, "snapshot");
	rc = guest_snapshot_create(&snapshot, temporary,
				   (unsigned long long)image->memory_mib << 20, err);
	if (rc >= 0)
		rc = guest_save(image, &snapshot, err);
	if (rc >= 0)
		rc = guest_snapshot_commit(&snapshot, temporary, path, err);
	if (rc < 0)
		cache_remove(temporary);
	return rc;
}

/* If another process is making the same snapshot, this one waits and takes what the other made. */
static int make_snapshot(struct guest_image *image, struct error *err)
{
	_cleanup_(guest_snapshot_close) struct guest_snapshot snapshot = GUEST_SNAPSHOT_NONE;
	_cleanup_(freep) char *path = NULL;
	int lock = -1, rc = snapshot_path(image, &path, err);

	if (rc >= 0)
		rc = cache_refuse_link(path, err);
	if (rc >= 0 && !guest_snapshot_open(&snapshot, path)) {
		rc = cache_lock(path, &lock, err);
		if (rc >= 0 && !guest_snapshot_open(&snapshot, path)) {
			rc = write_snapshot(image, path, err);
			cache_bound(path);
		}
	}
	if (rc >= 0) {
		image->snapshot_fd = cache_hold(path);
		image->snapshot = take_ptr(path);
	}
	if (lock >= 0)
		cache_unlock(image->snapshot ? image->snapshot : path, lock);
	return rc;
}

/* If the kernel is damaged, the error says so, instead of what could not be made from it. */
static int make_files(struct guest_image *image, const struct guest_image_config *config,
		      struct error *err)
{
	const char *program = config->program;
	char self[64];
	int rc;

	/* The path has this process's number, because another program would find itself under
	 * /proc/self. */
	snprintf(self, sizeof(self), "/proc/%d/exe", (int)getpid());
	rc = vmlinux_cached(config->kernel->image, &image->kernel, &image->kernel_fd, err);
	if (rc >= 0)
		rc = initramfs_cached(program ? program : self, config->kernel, config->closure,
				      &image->initrd, &image->initrd_fd, err);
	if (rc < 0 && err && err->kind == ERROR_INPUT)
		kernel_check(config->kernel, err);
	return rc;
}

int prepare_image(const struct guest_image_config *config, struct guest_image **ret_image,
		  struct error *err)
{
	_cleanup_(guest_image_freep) struct guest_image *image = calloc(1, sizeof(*image));
	int rc;

	if (image)
		image->kernel_fd = image->initrd_fd = image->snapshot_fd = -1;
	if (!image || !(image->release = strdup(config->kernel->release)))
		return error_errno(err, -ENOMEM, "guest");
	if (config->memory_mib > GUEST_MEMORY_MIB_MAX && config->closure)
		return error_input(err,
				   "the programs and what they take along are %llu"
				   " MiB, and a guest of %u MiB at most has no room for them; "
				   "see 'take'",
				   closure_size(config->closure) >> 20, GUEST_MEMORY_MIB_MAX);
	if (config->memory_mib > GUEST_MEMORY_MIB_MAX)
		return error_input(err, "a guest may have %u MiB of memory, not %u",
				   GUEST_MEMORY_MIB_MAX, config->memory_mib);
	if (config->prepare && !(image->prepare = strdup(config->prepare)))
		return error_errno(err, -ENOMEM, "guest");
	image->untracked = config->untracked;
	image->memory_mib = round_memory(config->memory_mib);
	rc = emulator_find(&image->qemu, err);
	if (rc >= 0)
		rc = make_files(image, config, err);
	if (rc >= 0 && !config->no_snapshot)
		rc = make_snapshot(image, err);
	if (rc < 0)
		return error_prefix(err, rc, "kernel %s", image->release);
	*ret_image = take_ptr(image);
	return 0;
}

int prepare_ready_path(const struct guest_image *image, const char *job, char **ret_path,
		       struct error *err)
{
	char text[CACHE_KEY_SIZE];
	struct cache_key key;
	const char *name;

	*ret_path = NULL;
	if (!image->snapshot)
		return 0;
	name = strrchr(image->snapshot, '/') + 1;
	cache_key_init(&key);
	cache_key_add_string(&key, name);
	cache_key_add_string(&key, job);
	*ret_path = format_new("%.*s%s", (int)(name - image->snapshot), image->snapshot,
			       cache_key_text(&key, text));
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "snapshot");
}

struct guest_image *guest_image_free(struct guest_image *image)
{
	if (!image)
		return NULL;
	emulator_deinit(&image->qemu);
	fd_close(image->kernel_fd);
	fd_close(image->initrd_fd);
	fd_close(image->snapshot_fd);
	free(image->kernel);
	free(image->initrd);
	free(image->release);
	free(image->prepare);
	free(image->snapshot);
	free(image);
	return NULL;
}
