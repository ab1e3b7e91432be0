/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What any number of guests start from: a kernel, its first file system, a machine, a snapshot. */

#include "src/guest/emulator.h"

struct guest_image {
	struct emulator qemu;	  /* the program that runs them; owned */
	char *kernel;		  /* path of what QEMU starts; owned */
	char *initrd;		  /* path; owned */
	int kernel_fd, initrd_fd; /* keep both in the cache; owned */
	int snapshot_fd;	  /* likewise the snapshot, if there is one; owned */
	char *release;		  /* the kernel's, for messages; owned */
	unsigned memory_mib;	  /* of each guest */
	char *prepare;		  /* a word for what process 1 prepares (init.h), or NULL; owned */
	bool untracked;		  /* process 1 leaves connection tracking out */
	char *snapshot; /* path of its folder; NULL: none is wanted, or none is possible; owned */
};
