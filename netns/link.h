/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Network interfaces: veth pairs and bridges, their state, MTU, hardware address
 * and namespace. Functions that only open requests (`link_put_*`) take effect at
 * the next nl_commit() of that nl; the others work at once.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "netns/nl.h"
#include "src/util/nsec.h"

struct link_mac {
	uint8_t byte[6];
};

struct link_end {
	const char *name;	/* at most IFNAMSIZ - 1 bytes */
	const struct netns *ns; /* where this end lives; NULL: that of `nl` */
	struct link_mac mac;	/* all zero: the kernel makes one up */
	int ifindex;		/* 0: the kernel makes one up. See link_put_veth() */
};

/* A veth pair; `nl` belongs to a's namespace. `mtu` 0: the kernel's default. Ends with the same
 * ifindex, as the kernel likes to give to ends in two namespaces, are up a second late: their
 * carrier is no urgent event (net/core/link_watch.c: linkwatch_urgent_event). */
void link_put_veth(struct nl *nl, const struct link_end *a, const struct link_end *b,
		   unsigned int mtu);
/* A bridge without spanning tree that forwards at once (no learning delay). */
void link_put_bridge(struct nl *nl, const char *name);
/* Sends what is open before it, for the bridge's index is needed. */
void link_put_master(struct nl *nl, const char *name, const char *bridge);
void link_put_up(struct nl *nl, const char *name, bool up);
void link_put_mtu(struct nl *nl, const char *name, unsigned int mtu);
void link_put_mac(struct nl *nl, const char *name, const struct link_mac *mac);
/* Moves the interface to another namespace: its addresses, routes and IFF_UP are lost, its name
 * and hardware address stay. */
void link_put_netns(struct nl *nl, const char *name, const struct netns *to);
void link_put_delete(struct nl *nl, const char *name);

struct link_state {
	int ifindex;
	unsigned int flags; /* IFF_UP, IFF_RUNNING */
	unsigned int mtu;
	struct link_mac mac;
	bool carrier;
	bool ready; /* it sends (IF_OPER_UP); a moment after the carrier came, see link_wait() */
};

/* What the kernel has for `name` now. -ENODEV when there is no such interface. */
int link_get(struct nl *nl, const char *name, struct link_state *ret_state, struct error *err);

/* Waits until the interface sends what it is given. When a veth's other end comes up second, the
 * carrier is there at once, but until the kernel's link watch has run (net/core/link_watch.c:
 * linkwatch_do_dev) all that is sent vanishes, and the first ARP or SYN is repeated only a second
 * later. -ETIMEDOUT. */
int link_wait(struct nl *nl, const char *name, nsec_t timeout_nsec, struct error *err);
