/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/firewall.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>

#include "netns/nft.h"
#include "netns/nl.h"

/*
 * Theory of operation. The kernel tracks connections in a namespace as soon as a rule there looks
 * at them (net/netfilter/nf_conntrack_proto.c: nf_ct_netns_get()). The rules stand in the hooks
 * "forward" and "input": with a NAT, a segment that comes back after its flow was forgotten is
 * addressed to the router itself. The rules themselves say that a SYN without ACK opens a flow:
 * nf_conntrack_tcp_loose would let any segment open one, also in the middle of a connection.
 */

static const char *const verdicts[] = {
	[FIREWALL_PASS] = "counter accept",
	[FIREWALL_DROP] = "counter drop",
	[FIREWALL_RESET] = "counter reject with tcp reset",
};

static const char filter_rules[] =
	"add table inet deadpeer\n"
	"add chain inet deadpeer flows\n"
	"add rule inet deadpeer flows ct state established,related counter accept\n"
	"add rule inet deadpeer flows tcp flags & (syn | ack) == syn counter accept\n"
	"add rule inet deadpeer flows meta l4proto tcp %s\n"
	"add chain inet deadpeer forward { type filter hook forward priority 0; policy accept; }\n"
	"add rule inet deadpeer forward jump flows\n"
	"add chain inet deadpeer input { type filter hook input priority 0; policy accept; }\n"
	"add rule inet deadpeer input jump flows\n";

static const char nat_rules[] =
	"add chain inet deadpeer nat { type nat hook postrouting priority 100; policy accept; }\n"
	"add rule inet deadpeer nat oifname \"%s\" counter masquerade\n";

static int explain(int rc, const char *what, const struct error *own, struct error *err)
{
	if (netns_lacks(rc))
		return error_set(err, ERROR_CAPABILITY, rc, "firewall: the kernel has no %s: %s",
				 what, own->text);
	return error_hand_on(err, rc, own);
}

int firewall_set(const struct netns *ns, const struct firewall *firewall, struct error *err)
{
	struct error own = { 0 };
	int rc;

	rc = nft_check(ns, err);
	if (rc < 0)
		return rc;
	rc = nft_run(ns, &own, filter_rules, verdicts[firewall->untracked]);
	if (rc < 0)
		return explain(rc, "connection tracking (nf_conntrack, nft_ct, nft_reject)", &own,
			       err);
	if (!firewall->masquerade)
		return 0;
	rc = nft_run(ns, &own, nat_rules, firewall->masquerade);
	return rc < 0 ? explain(rc, "NAT (nft_chain_nat, nft_masq)", &own, err) : 0;
}

int firewall_forget(const struct netns *ns, struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;
	int rc;

	rc = nl_new(ns, NETLINK_NETFILTER, &nl, err);
	if (rc < 0)
		return rc;
	nlh = nl_request(nl, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0,
			 "connection tracking: forget every flow");
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	return nl_commit(nl, err);
}

static int try_all(const struct netns *ns, struct error *err)
{
	static const struct firewall all = { .untracked = FIREWALL_RESET, .masquerade = "lo" };
	int rc = firewall_set(ns, &all, err);

	return rc < 0 ? rc : firewall_forget(ns, err);
}

int firewall_probe(struct error *err)
{
	return netns_probe(try_all, err);
}
