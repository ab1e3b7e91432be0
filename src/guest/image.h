/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The inside of struct guest_image, for guest.c.
 */

#include "src/guest/guest.h"
#include "src/guest/machine.h"
#include "src/guest/snapshot.h"

struct guest_image {
	const struct machine *machine;
	char *qemu;    /* path of the program */
	char *kernel;  /* path of what QEMU starts */
	char *initrd;  /* path */
	char *release; /* the kernel's, for messages */
	unsigned memory_mib;
	char *prepare;	/* or NULL */
	bool untracked; /* no connection tracking */
	char *snapshot; /* path of its folder; NULL: none wanted, or none possible */
};

/* A guest that is stopped at the snapshot point and written to `snapshot`, which it is run for.
 * Part of guest.c, used when an image is made. */
int guest_save(struct guest_image *image, const struct guest_snapshot *snapshot, struct error *err);
