/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <netlink/errno.h>
#include <string.h>

#include "netns/object.h"

#define DEFAULT_LIMIT	  10000 /* packets */
#define PSCHED_TICK_SHIFT 6	/* a tick is 64 ns (include/net/pkt_sched.h: PSCHED_SHIFT) */

static uint32_t kernel_probability(double p)
{
	return (uint32_t)llround(p * UINT32_MAX);
}

/* Delay and jitter have an old field of 32 bits each, which an attribute of 64 bits overrides. */
static uint32_t kernel_ticks(nsec_t span_nsec)
{
	int64_t ticks = span_nsec >> PSCHED_TICK_SHIFT;

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

/* netem's options are written here, not by libnl-route 3.7: its delays overflow above 274 s, it
 * leaves out zeroes of REORDER and CORRUPT, turns a limit of 0 into 1000 and has no rate. If netem
 * is there already it keeps the value of each attribute that is left out (sch_netem.c:
 * netem_change), so that every attribute is sent. */
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

	for (size_t i = 0; i < ARRAY_SIZE(probabilities); i++)
		if (!(probabilities[i].p >= 0 && probabilities[i].p <= 1)) /* Also if it is NaN. */
			return error_input(err, "netem: %s %g is not a probability from 0 to 1",
					   probabilities[i].name, probabilities[i].p);
	if (netem->delay_nsec < 0 || netem->jitter_nsec < 0)
		return error_input(err, "netem: delay and jitter cannot be negative");
	if (netem->reorder > 0 && netem->delay_nsec == 0)
		return error_input(err, "netem: reorder needs a delay");
	return 0;
}

/* Makes an object for the root queueing discipline of an interface; its kind is not set. */
static struct rtnl_qdisc *root_qdisc(int ifindex)
{
	struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();

	if (!qdisc)
		return NULL;
	rtnl_tc_set_ifindex(TC_CAST(qdisc), ifindex);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	return qdisc;
}

int qdisc_netem_set(struct nl *nl, int ifindex, const struct netem *netem, struct error *err)
{
	_cleanup_(rtnl_qdisc_putp) struct rtnl_qdisc *qdisc = NULL;
	struct nl_msg *msg = NULL;
	struct error own = { 0 };
	struct nlmsghdr *nlh;
	int rc;

	rc = check(netem, err);
	if (rc < 0)
		return rc;
	qdisc = root_qdisc(ifindex);
	rc = qdisc ? rtnl_qdisc_build_add_request(qdisc, NLM_F_CREATE | NLM_F_REPLACE, &msg)
		   : -NLE_NOMEM;
	nlh = object_request(nl, rc, msg, "link %d: set netem", ifindex);
	/* An object with a kind would add TCA_OPTIONS of its own, so that the kind is put here. */
	mnl_attr_put_strz(nlh, TCA_KIND, "netem");
	qdisc_netem_encode(nlh, netem);
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* No such kind is registered (sch_api.c: __qdisc_create). */
		return error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
				 "netem: this kernel has no sch_netem");
	return error_hand_on(err, rc, &own);
}

int qdisc_netem_clear(struct nl *nl, int ifindex, struct error *err)
{
	_cleanup_(rtnl_qdisc_putp) struct rtnl_qdisc *qdisc = root_qdisc(ifindex);
	struct nl_msg *msg = NULL;
	struct error own = { 0 };
	int rc = qdisc ? rtnl_qdisc_build_delete_request(qdisc, &msg) : -NLE_NOMEM;

	object_request(nl, rc, msg, "link %d: clear qdisc", ifindex);
	rc = nl_commit(nl, &own);
	if (rc == -ENOENT) /* The default qdisc has no handle and cannot be deleted. */
		return 0;
	return error_hand_on(err, rc, &own);
}

struct stats_query {
	int ifindex;		  /* of the interface that is asked for */
	struct qdisc_stats stats; /* its kind is empty until the qdisc is found */
};

static int read_qdisc(struct nl_object *object, void *userdata)
{
	struct rtnl_tc *tc = TC_CAST(object);
	struct stats_query *query = userdata;
	struct qdisc_stats *stats = &query->stats;

	if (rtnl_tc_get_ifindex(tc) != query->ifindex || rtnl_tc_get_parent(tc) != TC_H_ROOT)
		return 0;
	snprintf(stats->kind, sizeof(stats->kind), "%s", rtnl_tc_get_kind(tc));
	stats->bytes = rtnl_tc_get_stat(tc, RTNL_TC_BYTES);
	stats->packets = rtnl_tc_get_stat(tc, RTNL_TC_PACKETS);
	return 0;
}

/* libnl asks for a dump only by its own socket, so that the request is written here. */
int qdisc_stats_get(struct nl *nl, int ifindex, struct qdisc_stats *ret_stats, struct error *err)
{
	struct stats_query query = { .ifindex = ifindex };
	struct nlmsghdr *nlh =
		nl_request(nl, RTM_GETQDISC, NLM_F_DUMP, "link %d: qdisc statistics", ifindex);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	int rc;

	tcm->tcm_ifindex = ifindex;
	rc = object_query(nl, &(struct object_answer){ RTM_NEWQDISC }, read_qdisc, &query, err);
	if (rc < 0)
		return rc;
	if (query.stats.kind[0] == '\0')
		return error_errno(err, -ENODEV, "link %d: qdisc statistics", ifindex);
	*ret_stats = query.stats;
	return 0;
}

static int try_netem(const struct netns *ns, struct error *err)
{
	const struct netem netem = { .delay_nsec = NSEC_PER_MSEC };
	_cleanup_(nl_freep) struct nl *nl = NULL;
	int rc = nl_new(ns, NETLINK_ROUTE, &nl, err);

	/* The loopback always has index 1. */
	return rc < 0 ? rc : qdisc_netem_set(nl, 1, &netem, err);
}

int qdisc_netem_probe(struct error *err)
{
	return netns_probe(try_netem, err);
}
