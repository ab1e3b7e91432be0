/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Network interfaces: veth pairs and bridges, their state, hardware address and
 * namespace. The functions link_put_*() only open requests, which take effect at
 * the next nl_commit() of that nl; the other functions work at once.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "netns/nl.h"
#include "src/util/nsec.h"

struct link_mac {
	uint8_t byte[6]; /* in the order in which they are sent */
};

struct link_end {
	const char *name;	/* at most IFNAMSIZ - 1 bytes; not owned */
	const struct netns *ns; /* where this end lives, not owned; NULL: the namespace of `nl` */
	struct link_mac mac;	/* all zero: the kernel chooses one */
	int ifindex;		/* 0: the kernel chooses one, but see link_put_veth() */
};

/* Makes a veth pair; `nl` belongs to a's namespace. An `mtu` of 0 is the kernel's default. If both
 * ends have the same ifindex, which the kernel often chooses for ends in two namespaces, they are
 * up a second late: the kernel does not hurry with the carrier of a device whose ifindex is also
 * that of its peer (net/core/link_watch.c: linkwatch_urgent_event). */
void link_put_veth(struct nl *nl, const struct link_end *a, const struct link_end *b,
		   unsigned int mtu);
/* Makes a bridge without spanning tree that forwards at once (no learning delay). With an `ifindex`
 * of 0 the kernel chooses one. */
void link_put_bridge(struct nl *nl, const char *name, int ifindex);
/* Puts the interface into the bridge that has the index `bridge`. */
void link_put_master(struct nl *nl, const char *name, int bridge);
void link_put_up(struct nl *nl, const char *name, bool up);
void link_put_mac(struct nl *nl, const char *name, const struct link_mac *mac);
/* Moves the interface to another namespace. Its addresses, routes and IFF_UP are lost; its name and
 * hardware address stay, and so does its index if no other interface there has it. */
void link_put_netns(struct nl *nl, const char *name, const struct netns *to);

struct link_state {
	int ifindex;
	unsigned int flags;  /* IFF_UP, IFF_RUNNING */
	unsigned int mtu;    /* bytes */
	struct link_mac mac; /* zero if it has none of six bytes */
	bool carrier;	     /* the other end of the cable is up */
	bool ready; /* it sends (IF_OPER_UP), a moment after the carrier: see link_wait() */
};

/* Reads the state of the interface. Returns -ENODEV when there is no such interface. */
int link_get(struct nl *nl, const char *name, struct link_state *ret_state, struct error *err);

/* Waits until the interface sends what it is given, or returns -ETIMEDOUT. When the other end of a
 * veth pair comes up second, the carrier is there at once, but until the kernel's link watch has
 * run (net/core/link_watch.c: linkwatch_do_dev) every packet vanishes, and the first ARP request or
 * SYN is repeated only a second later. */
int link_wait(struct nl *nl, const char *name, nsec_t timeout_nsec, struct error *err);
