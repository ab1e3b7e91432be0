/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Snapshots of booted guests in the user's cache. Each is a folder named after
 * what it was made from: the guest's memory as a file, which every restored
 * guest maps for itself (nothing is copied, unchanged pages are shared); the
 * state of QEMU's devices; and a stamp, which is written last and holds the
 * identity of the other two.
 */

#include <stdbool.h>

#include "src/util/error.h"

struct guest_snapshot {
	int memory_fd; /* the guest's memory; -1: there is no snapshot; owned, as device_fd */
	int device_fd; /* the state of QEMU's devices */
	int hold_fd;   /* keeps it in the cache, if it was opened there; -1: it was not */
};

#define GUEST_SNAPSHOT_NONE                                                                        \
	((struct guest_snapshot){ .memory_fd = -1, .device_fd = -1, .hold_fd = -1 })

/* Opens the snapshot at `path`. Returns false if there is none. A damaged one is removed. */
bool guest_snapshot_open(struct guest_snapshot *snapshot, const char *path);
void guest_snapshot_close(struct guest_snapshot *snapshot);

/* Makes two files in a new folder `temporary`, of which the memory's is `memory_size` long. */
int guest_snapshot_create(struct guest_snapshot *snapshot, const char *temporary,
			  unsigned long long memory_size, struct error *err);
/* Stamps what has been written there and renames it to `path`. */
int guest_snapshot_commit(struct guest_snapshot *snapshot, const char *temporary, const char *path,
			  struct error *err);
