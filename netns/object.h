/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * libnl-route's objects (links, addresses, routes, rules, neighbours, queueing
 * disciplines) as the files of this folder use them. libnl only builds requests and
 * parses answers: struct nl carries both, since libnl's own socket turns the
 * kernel's errno into one of its few error numbers and drops its text.
 */

#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

#include "netns/nl.h"
#include "src/util/ip.h"

DEFINE_CLEANUP(struct nl_addr *, nl_addr_put)
DEFINE_CLEANUP(struct rtnl_link *, rtnl_link_put)
DEFINE_CLEANUP(struct rtnl_addr *, rtnl_addr_put)
DEFINE_CLEANUP(struct rtnl_route *, rtnl_route_put)
DEFINE_CLEANUP(struct rtnl_rule *, rtnl_rule_put)
DEFINE_CLEANUP(struct rtnl_neigh *, rtnl_neigh_put)
DEFINE_CLEANUP(struct rtnl_qdisc *, rtnl_qdisc_put)

/* Opens a request with a copy of `msg`, which a libnl builder made, and frees `msg`. `rc` is what
 * the builder returned. If it is negative there is no message, and the request is refused as by
 * nl_refuse(). */
__attribute__((format(printf, 4, 5))) struct nlmsghdr *object_request(struct nl *nl, int rc,
								      struct nl_msg *msg,
								      const char *description, ...);

/* What libnl parses of the answers to a query. */
struct object_answer {
	uint16_t type;	     /* RTM_NEW*; other answers are left out */
	size_t header_size;  /* of the struct before the attributes; only needed with a mask */
	uint64_t attributes; /* mask of 1 << IFLA_* and so on; 0: all are parsed */
};

/* Works as nl_query(), but `func` gets the answers as objects. To keep an object beyond the call it
 * takes a reference. */
typedef int (*object_func)(struct nl_object *object, void *userdata);
int object_query(struct nl *nl, const struct object_answer *answer, object_func func,
		 void *userdata, struct error *err);

/* Makes an address with its prefix length, or returns NULL without memory. The caller drops the
 * reference with nl_addr_put(). */
struct nl_addr *object_address(const struct ip *ip);
