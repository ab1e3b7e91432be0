/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Makes what guests start from: the files that QEMU boots, and a snapshot of a
 * booted guest. All of it is kept in the user's cache.
 */

#include "src/guest/image.h"
#include "src/kernel/closure.h"
#include "src/kernel/kernel.h"
#include "src/util/cleanup.h"

#define GUEST_MEMORY_MIB_MIN 192
/* This is the memory below 4 GiB on x86. A job that needs more takes more guests. */
#define GUEST_MEMORY_MIB_MAX 3072

struct guest_image_config {
	const struct kernel *kernel; /* used during the call only, as the texts here */
	unsigned memory_mib; /* of each guest; rounded up, so that there are few snapshots */
	bool no_snapshot;    /* boot every guest from the start */
	const char *program; /* path of process 1; NULL: this very program */
	const char *prepare; /* a word for what process 1 prepares (init.h), or NULL */
	bool untracked;	     /* without connection tracking, which wakes an idle guest */
	const struct closure *closure; /* the user's programs, or NULL */
};

/* Makes what is not in the cache yet. That takes seconds the first time for a kernel and program,
 * and milliseconds later. Runs a loop of its own. */
int prepare_image(const struct guest_image_config *config, struct guest_image **ret_image,
		  struct error *err);
/* Returns where the state of a guest is kept whose job is ready, in *ret_path, which the caller
 * frees. `job` is what it depends on beside the image. NULL: the image has no snapshot. */
int prepare_ready_path(const struct guest_image *image, const char *job, char **ret_path,
		       struct error *err);
struct guest_image *guest_image_free(struct guest_image *image);
DEFINE_CLEANUP(struct guest_image *, guest_image_free)
