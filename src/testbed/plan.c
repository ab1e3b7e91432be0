/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/plan.h"

/* The addresses of client and server when each has a subnet of its own, and when they share one. */
static const char *const addresses[_FAMILY_MAX][2][_ENDPOINT_MAX] = {
	[FAMILY_IPV4] = { { "10.1.0.2/24", "10.2.0.2/24" }, { "10.1.0.2/24", "10.1.0.3/24" } },
	[FAMILY_IPV6] = { { "fd00:1::2/64", "fd00:2::2/64" }, { "fd00:1::2/64", "fd00:1::3/64" } },
};
static const char *const elsewhere[_FAMILY_MAX][2][_ENDPOINT_MAX] = {
	[FAMILY_IPV4] = { { "10.1.0.22/24", "10.2.0.22/24" }, { "10.1.0.22/24", "10.1.0.23/24" } },
	[FAMILY_IPV6] = { { "fd00:1::22/64", "fd00:2::22/64" },
			  { "fd00:1::22/64", "fd00:1::23/64" } },
};
/* The addresses of the router's ports. */
static const char *const gateways[_FAMILY_MAX][_ENDPOINT_MAX] = {
	[FAMILY_IPV4] = { "10.1.0.1/24", "10.2.0.1/24" },
	[FAMILY_IPV6] = { "fd00:1::1/64", "fd00:2::1/64" },
};
static const char *const port_names[_ENDPOINT_MAX] = { "to-client", "to-server" };

/* The kernel gives lower indexes to the devices that it puts into a new namespace itself (lo, the
 * fallback devices of tunnels). */
static const int ifindex_of_node[_ENDPOINT_MAX] = { 101, 102 };
static const int ifindex_of_port[_ENDPOINT_MAX] = { 201, 202 };

static struct link_mac mac_of(enum node_id subnet, unsigned int host)
{
	return (struct link_mac){ { 2, 0, 0, 0, (uint8_t)(subnet + 1), (uint8_t)host } };
}

int testbed_plan(enum path_kind kind, enum family family, struct testbed_plan *ret_plan,
		 struct error *err)
{
	struct testbed_plan plan = { 0 };
	int shared = kind != PATH_ROUTED, rc = 0;

	for (enum node_id n = 0; rc >= 0 && n < _ENDPOINT_MAX; n++) {
		plan.node[n].name = TESTBED_INTERFACE;
		plan.node[n].ifindex = ifindex_of_node[n];
		plan.node[n].mac = mac_of(n, 2);
		rc = ip_parse(addresses[family][shared][n], &plan.node[n].address, err);
		if (rc >= 0)
			rc = ip_parse(elsewhere[family][shared][n], &plan.elsewhere[n], err);
		if (kind == PATH_DIRECT)
			continue;
		plan.port[n].name = port_names[n];
		plan.port[n].ifindex = ifindex_of_port[n];
		plan.port[n].mac = mac_of(n, 1);
		if (rc >= 0 && kind == PATH_ROUTED)
			rc = ip_parse(gateways[family][n], &plan.port[n].address, err);
	}
	if (rc >= 0)
		*ret_plan = plan;
	return rc;
}
