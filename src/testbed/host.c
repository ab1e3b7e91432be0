/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/testbed/host.h"

#include <linux/netlink.h>
#include <unistd.h>

#include "netns/sockdiag.h"
#include "netns/sysctl.h"

/* A sysctl that deadpeer sets, whatever the scenario says. Most have an effect only on interfaces
 * that are made later. */
struct fixed_sysctl {
	const char *key, *value; /* static */
};
static const struct fixed_sysctl sysctls_ipv4[] = {
	{ "net.ipv6.conf.all.disable_ipv6", "1" },
	{ "net.ipv6.conf.default.disable_ipv6", "1" },
};
static const struct fixed_sysctl sysctls_ipv6[] = {
	{ "net.ipv6.conf.default.accept_dad", "0" },
	{ "net.ipv6.conf.default.accept_ra", "0" },
	{ "net.ipv6.conf.default.router_solicitations", "0" },
};

static int set_fixed(const struct netns *ns, const struct fixed_sysctl *list, size_t n,
		     struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = sysctl_set(ns, list[i].key, list[i].value, err);
	return rc;
}

int testbed_host_open(struct testbed_node *node, enum family family, bool endpoint,
		      struct error *err)
{
	int rc = netns_new(&node->ns, err);

	if (rc >= 0)
		rc = nl_new(node->ns, NETLINK_ROUTE, &node->rtnl, err);
	if (rc >= 0 && endpoint)
		rc = nl_new(node->ns, NETLINK_SOCK_DIAG, &node->diag, err);
	/* If the kernel has no IPv6 there is nothing to switch off. */
	if (rc >= 0 && family == FAMILY_IPV4 && access("/proc/sys/net/ipv6", F_OK) == 0)
		rc = set_fixed(node->ns, sysctls_ipv4, ARRAY_SIZE(sysctls_ipv4), err);
	if (rc >= 0 && family == FAMILY_IPV6)
		rc = set_fixed(node->ns, sysctls_ipv6, ARRAY_SIZE(sysctls_ipv6), err);
	if (rc < 0)
		return rc;
	node->boots++;
	link_put_up(node->rtnl, "lo", true);
	return 0;
}

int testbed_host_forward(const struct testbed_node *node, enum family family, struct error *err)
{
	static const struct fixed_sysctl forward[_FAMILY_MAX] = {
		[FAMILY_IPV4] = { "net.ipv4.ip_forward", "1" },
		[FAMILY_IPV6] = { "net.ipv6.conf.all.forwarding", "1" },
	};

	return set_fixed(node->ns, &forward[family], 1, err);
}

void testbed_host_close(struct testbed_node *node)
{
	if (node->diag)
		sockdiag_abort_all(node->diag);
	node->pf = packetfilter_free(node->pf);
	node->rtnl = nl_free(node->rtnl);
	node->diag = nl_free(node->diag);
	node->ns = netns_free(node->ns);
}
