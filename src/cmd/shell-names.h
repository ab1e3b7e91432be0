/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names for nodes in /run/netns, where iproute2 looks for them. The folder is one that only this
 * mount namespace sees, and goes with it. The mounts of this namespace must be private already.
 */

#include "netns/netns.h"

/* Mounts an empty /run/netns over the machine's own. It creates nothing in the machine's /run. */
int nodenames_open(struct error *err);
/* Gives the name to `ns` and takes it from the namespace that had it. With NULL nobody has the name
 * afterwards. */
int nodenames_set(const char *name, const struct netns *ns, struct error *err);
