/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A second snapshot, of a guest whose job is ready: a user's programs may take many seconds to
 * start, and do so once. The guest runs on a copy of the first snapshot's memory, which becomes the
 * memory of the second one. Where that cannot be made, because another process is making it or the
 * disk is full, the guest does its job all the same, and the next one makes it.
 */

#include "src/guest/snapshot.h"

struct guest_keep {
	char *path;	 /* of the snapshot to be; NULL: none is wanted; owned */
	char *temporary; /* its name until it is whole; NULL: it is not being made; owned */
	int lock;
	struct guest_snapshot snapshot; /* its files */
};

#define GUEST_KEEP_NONE ((struct guest_keep){ .lock = -1, .snapshot = GUEST_SNAPSHOT_NONE })

/* Makes the files of the snapshot, with the memory of `base`. Returns false if it is not to be made
 * now. */
bool guest_keep_begin(struct guest_keep *keep, const struct guest_snapshot *base);
/* Whether the snapshot is being made. */
bool guest_keep_active(const struct guest_keep *keep);
/* What QEMU has written becomes the snapshot. Returns false if it cannot. */
bool guest_keep_commit(struct guest_keep *keep);
/* Takes the files away that have not become a snapshot; a guest that runs on them does not need
 * their names. */
void guest_keep_drop(struct guest_keep *keep);
void guest_keep_deinit(struct guest_keep *keep);
