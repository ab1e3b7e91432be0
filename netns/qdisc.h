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

/* Puts (or replaces) netem on the interface. ERROR_CAPABILITY with -EOPNOTSUPP when the kernel
 * has no sch_netem. Works at once. */
int qdisc_netem_set(struct nl *nl, int ifindex, const struct netem *netem, struct error *err);
/* The TCA_OPTIONS of such a request, for whoever wants to look at them (the tests do). */
void qdisc_netem_encode(struct nlmsghdr *nlh, const struct netem *netem);
/* Back to the default qdisc; no error when there was none. Works at once. */
int qdisc_netem_clear(struct nl *nl, int ifindex, struct error *err);

struct qdisc_stats {
	uint64_t bytes, packets;	  /* sent */
	uint32_t drops, overlimits, qlen; /* dropped (netem's loss included) */
	char kind[16];			  /* "netem", "noqueue", ... */
};
int qdisc_stats_get(struct nl *nl, int ifindex, struct qdisc_stats *ret_stats, struct error *err);

/* Whether this kernel has netem, tried on the loopback of a namespace made for it. 0 or 1, or a
 * negative errno when it cannot be told. */
int qdisc_netem_probe(struct error *err);
