/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The message that sets netem has every field, and a kernel with or without sch_netem answers it.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netns/qdisc.h"
#include "tests/netns/fixture.h"

static const struct netem everything = {
	.delay_nsec = 100 * NSEC_PER_MSEC,
	.jitter_nsec = 5 * NSEC_PER_MSEC,
	.loss = 0.25,
	.duplicate = 0.5,
	.corrupt = 1.0,
	.reorder = 0.125,
	.rate_bps = 1000001,
};

/* Encodes into `buffer`, which is large enough, and returns the attributes by type. */
static void encode(char *buffer, const struct netem *netem, struct tc_netem_qopt *ret_qopt,
		   const struct nlattr *ret_attrs[TCA_NETEM_MAX + 1])
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	const struct nlattr *options, *attr;
	const char *end;

	memset(ret_attrs, 0, sizeof(*ret_attrs) * (TCA_NETEM_MAX + 1));
	qdisc_netem_encode(nlh, netem);
	options = mnl_nlmsg_get_payload(nlh);
	ck_assert_uint_eq(options->nla_type, TCA_OPTIONS);
	ck_assert_uint_eq(MNL_ALIGN(options->nla_len), mnl_nlmsg_get_payload_len(nlh));
	memcpy(ret_qopt, mnl_attr_get_payload(options), sizeof(*ret_qopt));
	end = (const char *)options + options->nla_len;
	attr = (const void *)((const char *)mnl_attr_get_payload(options) + sizeof(*ret_qopt));
	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
		ret_attrs[mnl_attr_get_type(attr)] = attr;
	ck_assert_ptr_eq(attr, end);
}

START_TEST(message_has_every_field)
{
	char buffer[1024] __attribute__((aligned(8)));
	const struct nlattr *attrs[TCA_NETEM_MAX + 1];
	const struct tc_netem_corrupt *corrupt;
	const struct tc_netem_reorder *reorder;
	const struct tc_netem_rate *rate;
	struct tc_netem_qopt qopt;

	encode(buffer, &everything, &qopt, attrs);
	ck_assert_uint_eq(qopt.latency, 100000000 / 64);
	ck_assert_uint_eq(qopt.limit, 10000);
	ck_assert_uint_eq(qopt.loss, 0x40000000);
	ck_assert_uint_eq(qopt.duplicate, 0x80000000);
	ck_assert_uint_eq(qopt.gap, 1);
	ck_assert_uint_eq(mnl_attr_get_u64(attrs[TCA_NETEM_LATENCY64]), 100000000);
	ck_assert_uint_eq(mnl_attr_get_u64(attrs[TCA_NETEM_JITTER64]), 5000000);
	corrupt = mnl_attr_get_payload(attrs[TCA_NETEM_CORRUPT]);
	ck_assert_uint_eq(corrupt->probability, UINT32_MAX);
	reorder = mnl_attr_get_payload(attrs[TCA_NETEM_REORDER]);
	ck_assert_uint_eq(reorder->probability, 0x20000000);
	rate = mnl_attr_get_payload(attrs[TCA_NETEM_RATE]);
	ck_assert_uint_eq(rate->rate, 125001);
	ck_assert_ptr_null(attrs[TCA_NETEM_RATE64]);
}
END_TEST

/* A value of 0 is sent too, because the kernel may have another one from before. */
START_TEST(message_of_nothing_and_of_much)
{
	char buffer[1024] __attribute__((aligned(8)));
	const struct netem nothing = { 0 };
	const struct netem much = { .delay_nsec = 400 * NSEC_PER_SEC,
				    .rate_bps = 80000000000,
				    .limit_packets = 7 };
	const struct nlattr *attrs[TCA_NETEM_MAX + 1];
	struct tc_netem_qopt qopt;

	encode(buffer, &nothing, &qopt, attrs);
	ck_assert_uint_eq(qopt.gap + qopt.loss + qopt.latency, 0);
	ck_assert_ptr_nonnull(attrs[TCA_NETEM_CORRUPT]);
	ck_assert_ptr_nonnull(attrs[TCA_NETEM_REORDER]);
	ck_assert_ptr_nonnull(attrs[TCA_NETEM_RATE]);
	encode(buffer, &much, &qopt, attrs);
	ck_assert_uint_eq(qopt.latency, UINT32_MAX);
	ck_assert_uint_eq(qopt.limit, 7);
	ck_assert_uint_eq(mnl_attr_get_u64(attrs[TCA_NETEM_LATENCY64]), 400000000000);
	ck_assert_uint_eq(mnl_attr_get_u64(attrs[TCA_NETEM_RATE64]), 10000000000);
}
END_TEST

static const struct netem refused[] = {
	{ .loss = 1.01 },   { .duplicate = -0.1 }, { .corrupt = __builtin_nan("") },
	{ .reorder = 0.5 }, { .delay_nsec = -1 },  { .jitter_nsec = -1 },
};

START_TEST(input_is_checked)
{
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	ck_assert_int_eq(qdisc_netem_set(pair.nl[0], pair.ifindex[0], &refused[_i], &err), -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	pair_deinit(&pair);
}
END_TEST

static void check_missing(struct pair *pair)
{
	struct error err = { 0 };

	ck_assert_int_eq(qdisc_netem_set(pair->nl[0], pair->ifindex[0], &everything, &err),
			 -EOPNOTSUPP);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	ck_assert_str_eq(err.text, "netem: this kernel has no sch_netem");
}

static void check_present(struct pair *pair)
{
	const struct netem simple = { .delay_nsec = 20 * NSEC_PER_MSEC };
	struct qdisc_stats stats = { 0 };
	struct json_object *json;
	struct error err = { 0 };

	must(qdisc_netem_set(pair->nl[0], pair->ifindex[0], &everything, &err));
	json = fixture_json(pair->ns[0], "tc -j qdisc show dev eth0");
	ck_assert_str_eq(fixture_at(json, "/0/kind"), "netem");
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/delay/delay")), 0.1, 1e-6);
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/delay/jitter")), 0.005, 1e-6);
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/loss-random/loss")), 0.25, 1e-6);
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/rate/rate")), 125001, 1);
	json_object_put(json);
	must(qdisc_netem_set(pair->nl[0], pair->ifindex[0], &simple, &err));
	json = fixture_json(pair->ns[0], "tc -j qdisc show dev eth0");
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/delay/delay")), 0.02, 1e-6);
	ck_assert_str_eq(fixture_at(json, "/0/options/corrupt/corrupt"), "");
	ck_assert_str_eq(fixture_at(json, "/0/options/rate/rate"), "");
	json_object_put(json);
	must(qdisc_stats_get(pair->nl[0], pair->ifindex[0], &stats, &err));
	ck_assert_str_eq(stats.kind, "netem");
}

static int read_options(const struct nlattr *attr, void *data)
{
	const char *end = (const char *)attr + attr->nla_len;
	uint64_t *delay_nsec = data;

	if (mnl_attr_get_type(attr) != TCA_OPTIONS)
		return MNL_CB_OK;
	attr = (const void *)((const char *)mnl_attr_get_payload(attr) +
			      sizeof(struct tc_netem_qopt));
	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == TCA_NETEM_LATENCY64)
			*delay_nsec = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

struct delay_query {
	int ifindex;
	uint64_t delay_nsec; /* 0: no such attribute */
};

static int read_netem(const struct nlmsghdr *nlh, void *userdata)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct delay_query *query = userdata;

	if (nlh->nlmsg_type == RTM_NEWQDISC && tcm->tcm_ifindex == query->ifindex)
		mnl_attr_parse(nlh, sizeof(*tcm), read_options, &query->delay_nsec);
	return 0;
}

/* Returns the delay that the kernel has, in 64 bits. tc of iproute2 6.1 shows the old field of 32
 * bits, which ends at 274.9 s. */
static uint64_t kernel_delay(struct pair *pair)
{
	struct delay_query query = { .ifindex = pair->ifindex[0] };
	struct error err = { 0 };
	struct nlmsghdr *nlh =
		nl_request(pair->nl[0], RTM_GETQDISC, NLM_F_DUMP, "qdisc: read its options");

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct tcmsg));
	must(nl_query(pair->nl[0], read_netem, &query, &err));
	return query.delay_nsec;
}

/* The kernel keeps values that libnl-route 3.7's own netem would spoil: a delay above 274 s, a rate
 * above 2^32 bytes a second, a limit of 0, and zeroes of reorder and corrupt after other values. */
static void check_extremes(struct pair *pair)
{
	const struct netem much = { .delay_nsec = 400 * NSEC_PER_SEC,
				    .corrupt = 0.5,
				    .reorder = 0.25,
				    .rate_bps = 80000000000,
				    .limit_packets = 7 };
	const struct netem little = { .delay_nsec = NSEC_PER_SEC };
	struct json_object *json;
	struct error err = { 0 };

	must(qdisc_netem_set(pair->nl[0], pair->ifindex[0], &much, &err));
	ck_assert_uint_eq(kernel_delay(pair), 400 * NSEC_PER_SEC);
	json = fixture_json(pair->ns[0], "tc -j qdisc show dev eth0");
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/rate/rate")), 1e10, 1);
	ck_assert_str_eq(fixture_at(json, "/0/options/limit"), "7");
	ck_assert_str_ne(fixture_at(json, "/0/options/reorder/reorder"), "");
	ck_assert_str_ne(fixture_at(json, "/0/options/corrupt/corrupt"), "");
	json_object_put(json);
	must(qdisc_netem_set(pair->nl[0], pair->ifindex[0], &little, &err));
	json = fixture_json(pair->ns[0], "tc -j qdisc show dev eth0");
	ck_assert_double_eq_tol(atof(fixture_at(json, "/0/options/delay/delay")), 1, 1e-6);
	ck_assert_str_eq(fixture_at(json, "/0/options/limit"), "10000");
	ck_assert_str_eq(fixture_at(json, "/0/options/rate/rate"), "");
	ck_assert_str_eq(fixture_at(json, "/0/options/reorder/reorder"), "");
	ck_assert_str_eq(fixture_at(json, "/0/options/corrupt/corrupt"), "");
	json_object_put(json);
}

START_TEST(set_or_told_why_not)
{
	struct error err = { 0 };
	struct qdisc_stats stats = { 0 };
	struct pair pair;
	int probe = qdisc_netem_probe(&err);

	must(probe);
	if (getenv("TESTS_NETEM"))
		ck_assert_msg(probe, "this kernel has no sch_netem, and should");
	pair_init(&pair);
	if (probe) {
		check_present(&pair);
		check_extremes(&pair);
	} else {
		check_missing(&pair);
	}
	must(qdisc_netem_clear(pair.nl[0], pair.ifindex[0], &err));
	must(qdisc_netem_clear(pair.nl[0], pair.ifindex[0], &err));
	must(qdisc_stats_get(pair.nl[0], pair.ifindex[0], &stats, &err));
	ck_assert_str_eq(stats.kind, "noqueue");
	pair_deinit(&pair);
}
END_TEST

/* tbf, where the kernel has it, counts packets, and is another qdisc that can be cleared. */
START_TEST(stats_of_another_qdisc)
{
	struct qdisc_stats stats = { 0 };
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	free(fixture_run(pair.ns[0], "tc qdisc add dev eth0 root tbf rate 1mbit burst 10k limit 10k"
				     " 2>/dev/null || true"));
	must(qdisc_stats_get(pair.nl[0], pair.ifindex[0], &stats, &err));
	if (strcmp(stats.kind, "tbf") != 0) {
		pair_deinit(&pair);
		return;
	}
	free(fixture_run(pair.ns[0],
			 "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0;"
			 "bash -c 'for i in 1 2 3; do echo x >/dev/udp/10.0.0.9/9; done'"));
	must(qdisc_stats_get(pair.nl[0], pair.ifindex[0], &stats, &err));
	ck_assert_uint_ge(stats.packets, 3);
	ck_assert_uint_ge(stats.bytes, 3 * 44);
	must(qdisc_netem_clear(pair.nl[0], pair.ifindex[0], &err));
	must(qdisc_stats_get(pair.nl[0], pair.ifindex[0], &stats, &err));
	ck_assert_str_eq(stats.kind, "noqueue");
	ck_assert_int_eq(qdisc_stats_get(pair.nl[0], 999, &stats, &err), -ENODEV);
	pair_deinit(&pair);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, message_has_every_field);
	tcase_add_test(tc, message_of_nothing_and_of_much);
	tcase_add_loop_test(tc, input_is_checked, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, set_or_told_why_not);
	tcase_add_test(tc, stats_of_another_qdisc);
}

int main(void)
{
	return fixture_main("qdisc", add_tests);
}
