/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The queueing discipline at the root of an interface: sch_netem, which delays,
 * loses, duplicates, corrupts, reorders and paces what the interface sends.
 * include/uapi/linux/pkt_sched.h (struct tc_netem_qopt, TCA_NETEM_*) and
 * net/sched/sch_netem.c are the source of the units.
 */

#include <stdbool.h>

#include "netns/netem.h"
#include "netns/nl.h"

/* Puts netem on the interface, in place of what is there. Fails with ERROR_CAPABILITY and
 * -EOPNOTSUPP when the kernel has no sch_netem. Works at once. */
int qdisc_netem_set(struct nl *nl, int ifindex, const struct netem *netem, struct error *err);
/* Puts the TCA_OPTIONS of such a request into a message; only tests call it from outside. */
void qdisc_netem_encode(struct nlmsghdr *nlh, const struct netem *netem);
/* Gives the interface its default qdisc back; it is no error if it has that already. Works at once.
 */
int qdisc_netem_clear(struct nl *nl, int ifindex, struct error *err);

struct qdisc_stats {
	uint64_t bytes, packets; /* that were sent */
	char kind[16];		 /* "netem", "noqueue", ... */
};
/* Reads the counters of the interface's root qdisc. Returns -ENODEV when there is no such one. */
int qdisc_stats_get(struct nl *nl, int ifindex, struct qdisc_stats *ret_stats, struct error *err);

/* Returns whether this kernel has netem, 0 or 1, after trying it on the loopback of a new
 * namespace; or a negative errno when that cannot be tried. */
int qdisc_netem_probe(struct error *err);
