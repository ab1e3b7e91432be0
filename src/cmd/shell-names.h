/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names for nodes, where iproute2 looks for them: /run/netns, but one that only
 * this mount namespace sees. It goes with the namespace, whose mounts must be
 * private already.
 */

#include "netns/netns.h"

/* Puts an empty /run/netns over what is there. Nothing is created on the machine's own /run. */
int nodenames_open(struct error *err);
/* Gives `ns` that name, in place of what had it. NULL: takes the name away. */
int nodenames_set(const char *name, const struct netns *ns, struct error *err);
