/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/plan.h"

#include <stdio.h>

/* The kernel gives lower indexes to the devices that it puts into a new namespace itself (lo, the
 * fallback devices of tunnels). */
#define FIRST_OF_NODES 101
#define FIRST_OF_PORTS 201

/* The last part of an address in its subnet. */
enum {
	HOST_ROUTER = 1,
	HOST_FIRST = 2,	     /* of the hosts on a subnet */
	HOST_ELSEWHERE = 20, /* is added where a host comes back under another address */
};

static int address_of(enum family family, unsigned int subnet, unsigned int host, struct ip *ret_ip,
		      struct error *err)
{
	char text[64];

	snprintf(text, sizeof(text), family == FAMILY_IPV4 ? "10.%u.0.%u/24" : "fd00:%u::%u/64",
		 subnet, host);
	return ip_parse(text, ret_ip, err);
}

static struct link_mac mac_of(enum node_id subnet, unsigned int host)
{
	return (struct link_mac){ { 2, 0, 0, 0, (uint8_t)(subnet + 1), (uint8_t)host } };
}

static int plan_port(const struct scenario *s, enum family family, enum node_id n,
		     struct testbed_plan_end *port, struct error *err)
{
	snprintf(port->name, sizeof(port->name), "to-%s", scenario_node_name(s, n));
	port->ifindex = FIRST_OF_PORTS + (int)n;
	port->mac = mac_of(n, HOST_ROUTER);
	if (s->path.kind != PATH_ROUTED)
		return 0;
	return address_of(family, n + 1, HOST_ROUTER, &port->address, err);
}

int testbed_plan(const struct scenario *s, enum family family, struct testbed_plan *ret_plan,
		 struct error *err)
{
	struct testbed_plan plan = { 0 };
	bool routed = s->path.kind == PATH_ROUTED;
	int rc = 0;

	for (enum node_id n = 0; rc >= 0 && n < s->n_hosts; n++) {
		unsigned int subnet = routed ? n + 1 : 1, host = HOST_FIRST + (routed ? 0 : n);

		snprintf(plan.node[n].name, sizeof(plan.node[n].name), "%s", TESTBED_INTERFACE);
		plan.node[n].ifindex = FIRST_OF_NODES + (int)n;
		plan.node[n].mac = mac_of(n, HOST_FIRST);
		rc = address_of(family, subnet, host, &plan.node[n].address, err);
		if (rc >= 0)
			rc = address_of(family, subnet, host + HOST_ELSEWHERE, &plan.elsewhere[n],
					err);
		if (rc >= 0 && s->path.kind != PATH_DIRECT)
			rc = plan_port(s, family, n, &plan.port[n], err);
	}
	if (rc >= 0)
		*ret_plan = plan;
	return rc;
}
