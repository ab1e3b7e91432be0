/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/qdisc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>

#define DEFAULT_LIMIT	  10000
#define PSCHED_TICK_SHIFT 6 /* a tick is 64 ns (include/net/pkt_sched.h: PSCHED_SHIFT) */

static uint32_t kernel_probability(double p)
{
	return (uint32_t)llround(p * UINT32_MAX);
}

/* The old 32-bit fields, which the 64-bit attributes override; for `delay` and `jitter`. */
static uint32_t kernel_ticks(nsec_t span_nsec)
{
	nsec_t ticks = span_nsec >> PSCHED_TICK_SHIFT;

	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static void put_rate(struct nlmsghdr *nlh, uint64_t rate_bps)
{
	uint64_t bytes = rate_bps / 8 + (rate_bps % 8 != 0);
	struct tc_netem_rate rate = {
		.rate = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes,
	};

	mnl_attr_put(nlh, TCA_NETEM_RATE, sizeof(rate), &rate);
	if (bytes > UINT32_MAX)
		mnl_attr_put_u64(nlh, TCA_NETEM_RATE64, bytes);
}

/* What is left out keeps its value when netem is there already (netem_change), so all go in. */
void qdisc_netem_encode(struct nlmsghdr *nlh, const struct netem *netem)
{
	struct tc_netem_qopt qopt = {
		.latency = kernel_ticks(netem->delay_nsec),
		.limit = netem->limit_packets > 0 ? netem->limit_packets : DEFAULT_LIMIT,
		.loss = kernel_probability(netem->loss),
		.gap = netem->reorder > 0 ? 1 : 0,
		.duplicate = kernel_probability(netem->duplicate),
		.jitter = kernel_ticks(netem->jitter_nsec),
	};
	struct tc_netem_reorder reorder = { .probability = kernel_probability(netem->reorder) };
	struct tc_netem_corrupt corrupt = { .probability = kernel_probability(netem->corrupt) };
	struct nlattr *options = mnl_nlmsg_get_payload_tail(nlh);

	/* The attributes follow the struct inside of TCA_OPTIONS. */
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(qopt), &qopt);
	mnl_attr_put(nlh, TCA_NETEM_REORDER, sizeof(reorder), &reorder);
	mnl_attr_put(nlh, TCA_NETEM_CORRUPT, sizeof(corrupt), &corrupt);
	put_rate(nlh, netem->rate_bps);
	mnl_attr_put_u64(nlh, TCA_NETEM_LATENCY64, (uint64_t)netem->delay_nsec);
	mnl_attr_put_u64(nlh, TCA_NETEM_JITTER64, (uint64_t)netem->jitter_nsec);
	mnl_attr_nest_end(nlh, options);
}

static int check_probability(const char *name, double p, struct error *err)
{
	if (p >= 0 && p <= 1)
		return 0;
	return error_input(err, "netem: %s %g is not a probability from 0 to 1", name, p);
}

static int check(const struct netem *netem, struct error *err)
{
	const struct {
		const char *name;
		double p;
	} probabilities[] = {
		{ "loss", netem->loss },
		{ "duplicate", netem->duplicate },
		{ "corrupt", netem->corrupt },
		{ "reorder", netem->reorder },
	};

	for (size_t i = 0; i < ARRAY_SIZE(probabilities); i++) {
		int rc = check_probability(probabilities[i].name, probabilities[i].p, err);

		if (rc < 0)
			return rc;
	}
	if (netem->delay_nsec < 0 || netem->jitter_nsec < 0)
		return error_input(err, "netem: delay and jitter cannot be negative");
	if (netem->reorder > 0 && netem->delay_nsec == 0)
		return error_input(err, "netem: reorder needs a delay");
	return 0;
}

static struct nlmsghdr *request(struct nl *nl, uint16_t type, uint16_t flags, int ifindex,
				const char *what)
{
	struct nlmsghdr *nlh = nl_request(nl, type, flags, "link %d: %s", ifindex, what);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_ROOT;
	return nlh;
}

int qdisc_netem_set(struct nl *nl, int ifindex, const struct netem *netem, struct error *err)
{
	struct error own = { 0 };
	struct nlmsghdr *nlh;
	int rc;

	rc = check(netem, err);
	if (rc < 0)
		return rc;
	nlh = request(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex, "set netem");
	mnl_attr_put_strz(nlh, TCA_KIND, "netem");
	qdisc_netem_encode(nlh, netem);
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* sch_api.c: __qdisc_create, when no such kind is registered */
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
				 "netem: this kernel has no sch_netem");
	if (rc < 0 && err)
		*err = own;
	return rc;
}

int qdisc_netem_clear(struct nl *nl, int ifindex, struct error *err)
{
	struct error own = { 0 };
	int rc;

	request(nl, RTM_DELQDISC, 0, ifindex, "clear qdisc");
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* the default one has no handle, and cannot be deleted */
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc;
}

/* A struct of the kernel's, of which an older kernel may have less. */
static void copy_attr(void *to, size_t size, const struct nlattr *attr)
{
	size_t n = mnl_attr_get_payload_len(attr);

	memcpy(to, mnl_attr_get_payload(attr), n < size ? n : size);
}

static int parse_stats(const struct nlattr *attr, void *data)
{
	struct qdisc_stats *stats = data;
	struct gnet_stats_basic basic = { 0 };
	struct gnet_stats_queue queue = { 0 };

	switch (mnl_attr_get_type(attr)) {
	case TCA_STATS_BASIC:
		copy_attr(&basic, sizeof(basic), attr);
		stats->bytes = basic.bytes;
		stats->packets = basic.packets;
		break;
	case TCA_STATS_PKT64: /* only there, and after the former, when 32 bits do not do */
		copy_attr(&stats->packets, sizeof(stats->packets), attr);
		break;
	case TCA_STATS_QUEUE:
		copy_attr(&queue, sizeof(queue), attr);
		stats->drops = queue.drops;
		stats->overlimits = queue.overlimits;
		stats->qlen = queue.qlen;
		break;
	}
	return MNL_CB_OK;
}

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct qdisc_stats *stats = data;

	switch (mnl_attr_get_type(attr)) {
	case TCA_KIND:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(stats->kind, sizeof(stats->kind), "%s", mnl_attr_get_str(attr));
		break;
	case TCA_STATS2:
		mnl_attr_parse_nested(attr, parse_stats, stats);
		break;
	}
	return MNL_CB_OK;
}

struct stats_query {
	int ifindex;
	struct qdisc_stats stats;
};

static int parse_qdisc(const struct nlmsghdr *nlh, void *userdata)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct stats_query *query = userdata;

	if (nlh->nlmsg_type != RTM_NEWQDISC || mnl_nlmsg_get_payload_len(nlh) < sizeof(*tcm))
		return 0;
	if (tcm->tcm_ifindex == query->ifindex && tcm->tcm_parent == TC_H_ROOT)
		mnl_attr_parse(nlh, sizeof(*tcm), parse_attr, &query->stats);
	return 0;
}

int qdisc_stats_get(struct nl *nl, int ifindex, struct qdisc_stats *ret_stats, struct error *err)
{
	struct stats_query query = { .ifindex = ifindex };
	int rc;

	request(nl, RTM_GETQDISC, NLM_F_DUMP, ifindex, "qdisc statistics");
	rc = nl_dump(nl, parse_qdisc, &query, err);
	if (rc < 0)
		return rc;
	if (query.stats.kind[0] == '\0')
		return error_errno(err, -ENODEV, "link %d: qdisc statistics", ifindex);
	*ret_stats = query.stats;
	return 0;
}

int qdisc_netem_probe(struct error *err)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	_cleanup_(nl_freep) struct nl *nl = NULL;
	const struct netem netem = { .delay_nsec = NSEC_PER_MSEC };
	struct error own = { 0 };
	int rc;

	rc = netns_new(&ns, err);
	if (rc < 0)
		return rc;
	rc = nl_new(ns, NETLINK_ROUTE, &nl, err);
	if (rc < 0)
		return rc;
	rc = qdisc_netem_set(nl, 1, &netem, &own); /* the loopback is always the first */
	if (rc == -EOPNOTSUPP)
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc < 0 ? rc : 1;
}
