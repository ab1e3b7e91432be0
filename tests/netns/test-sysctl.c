/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sysctl of a namespace is set and can be read back, or is refused with a text that helps. */
#include <errno.h>
#include <string.h>

#include "netns/sysctl.h"
#include "src/tcp/sysctl.h"
#include "tests/netns/fixture.h"

static const struct {
	const char *key, *value;
	const char *kept;  /* what is read back; NULL: refused */
	const char *error; /* the text of the refusal */
} cases[] = {
	{ "net.ipv4.tcp_retries2", "7", "7" },
	{ "net.ipv4.tcp_retries2", " 0x8\n", "8" },
	{ "net.ipv4.tcp_rmem", "4096\t5000  6000", "4096 5000 6000" },
	{ "net.ipv4.conf.eth0.forwarding", "1", "1" },
	{ "net.ipv6.conf.eth0.accept_dad", "0", "0" },
	{ "net.ipv4.tcp_retires2", "7", NULL,
	  "sysctl 'net.ipv4.tcp_retires2': no such sysctl in a network namespace (did you mean "
	  "'net.ipv4.tcp_retries2'?)" },
	{ "net.ipv5.tcp_retries2", "7", NULL,
	  "sysctl 'net.ipv5.tcp_retries2': no such sysctl in a network namespace (did you mean "
	  "'net.ipv4.tcp_retries2'?)" },
	{ "net.ipv4.conf.eht0.forwarding", "7", NULL,
	  "sysctl 'net.ipv4.conf.eht0.forwarding': no such sysctl in a network namespace (did you "
	  "mean 'net.ipv4.conf.eth0.forwarding'?)" },
	{ "net.ipv4.nothing_like_it", "7", NULL,
	  "sysctl 'net.ipv4.nothing_like_it': no such sysctl in a network namespace" },
	{ "net.ipv4.tcp_retries2", "999", NULL,
	  "sysctl 'net.ipv4.tcp_retries2': the kernel refuses '999': Invalid argument" },
	{ "net.ipv4.tcp_retries2", "", NULL,
	  "sysctl 'net.ipv4.tcp_retries2': wrote '', the kernel kept '15'" },
	{ "net.ipv4.tcp_mem", "1 2 3", NULL,
	  "sysctl 'net.ipv4.tcp_mem': is one for the whole machine; a network namespace has none "
	  "of "
	  "its own" },
	{ "net.ipv4.tcp_available_congestion_control", "reno", NULL,
	  "sysctl 'net.ipv4.tcp_available_congestion_control': cannot be set in a network "
	  "namespace: it is read-only there" },
	{ "net.ipv4.conf", "1", NULL, "sysctl 'net.ipv4.conf': names a group of sysctls, not one" },
	{ "kernel.hostname", "x", NULL,
	  "sysctl 'kernel.hostname': only those under 'net.' belong to a network namespace" },
	{ "net.ipv4/tcp_retries2", "7", NULL,
	  "sysctl 'net.ipv4/tcp_retries2': not a name such as 'net.ipv4.tcp_retries2'" },
	{ "net...kernel.hostname", "x", NULL,
	  "sysctl 'net...kernel.hostname': not a name such as 'net.ipv4.tcp_retries2'" },
	{ "net.ipv4.", "x", NULL,
	  "sysctl 'net.ipv4.': not a name such as 'net.ipv4.tcp_retries2'" },
	{ "", "x", NULL, "sysctl '': only those under 'net.' belong to a network namespace" },
};

START_TEST(set_cases)
{
	_cleanup_(freep) char *value = NULL;
	struct error err = { 0 };
	struct pair pair;
	int rc;

	pair_init(&pair);
	rc = sysctl_set(pair.ns[0], cases[_i].key, cases[_i].value, &err);
	if (cases[_i].kept) {
		must(rc);
		must(sysctl_get(pair.ns[0], cases[_i].key, &value, &err));
		ck_assert_str_eq(value, cases[_i].kept);
	} else {
		ck_assert_int_lt(rc, 0);
		ck_assert_int_eq(err.kind, ERROR_INPUT);
		ck_assert_str_eq(err.text, cases[_i].error);
	}
	pair_deinit(&pair);
}
END_TEST

START_TEST(namespaces_do_not_share)
{
	_cleanup_(freep) char *a = NULL;
	_cleanup_(freep) char *b = NULL;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	must(sysctl_set(pair.ns[0], "net.ipv4.tcp_keepalive_time", "11", &err));
	must(sysctl_set(pair.ns[1], "net.ipv4.tcp_keepalive_time", "12", &err));
	must(sysctl_get(pair.ns[0], "net.ipv4.tcp_keepalive_time", &a, &err));
	must(sysctl_get(pair.ns[1], "net.ipv4.tcp_keepalive_time", &b, &err));
	ck_assert_str_eq(a, "11");
	ck_assert_str_eq(b, "12");
	pair_deinit(&pair);
}
END_TEST

/* The kernel keeps milliseconds as jiffies, so that with HZ=250 it rounds a value that is no
 * multiple of 4. */
START_TEST(what_is_not_kept_is_told)
{
	static const char key[] = "net.ipv4.neigh.eth0.retrans_time_ms";
	_cleanup_(freep) char *value = NULL;
	struct error err = { 0 };
	struct pair pair;
	int rc;

	pair_init(&pair);
	rc = sysctl_set(pair.ns[0], key, "1001", &err);
	must(sysctl_get(pair.ns[0], key, &value, NULL));
	if (strcmp(value, "1001") == 0) {
		must(rc);
	} else {
		char expect[128];

		snprintf(expect, sizeof(expect), "sysctl '%s': wrote '1001', the kernel kept '%s'",
			 key, value);
		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_str_eq(err.text, expect);
	}
	pair_deinit(&pair);
}
END_TEST

/* In a namespace net.core.rmem_max does not exist or (in newer kernels) is read-only. */
START_TEST(read_only_and_write_only)
{
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	ck_assert_int_lt(sysctl_set(pair.ns[0], "net.core.rmem_max", "9999", &err), 0);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	must(sysctl_set(pair.ns[0], "net.ipv4.route.flush", "1",
			&err)); /* This one cannot be read. */
	pair_deinit(&pair);
}
END_TEST

/* A sysctl of a later Linux is set, or the error says which Linux has it, and does not ask whether
 * another one was meant. */
START_TEST(newer_sysctls)
{
	static const struct {
		const char *key, *value, *since;
	} newer[] = { { "net.ipv4.tcp_syn_linear_timeouts", "2", "6.5" },
		      { "net.ipv4.tcp_rto_min_us", "100000", "6.11" },
		      { "net.ipv4.tcp_rto_max_ms", "60000", "6.15" } };
	struct pair pair;

	pair_init(&pair);
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++) {
		struct error err = { 0 };
		char text[64];

		ck_assert_str_eq(sysctl_since(newer[i].key), newer[i].since);
		if (sysctl_set(pair.ns[0], newer[i].key, newer[i].value, &err) >= 0)
			continue;
		snprintf(text, sizeof(text), "came with Linux %s, and this is", newer[i].since);
		ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
		ck_assert_msg(strstr(err.text, text), "%s", err.text);
	}
	ck_assert_ptr_null(sysctl_since("net.ipv4.tcp_retries2"));
	pair_deinit(&pair);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, newer_sysctls);
	tcase_add_loop_test(tc, set_cases, 0, ARRAY_SIZE(cases));
	tcase_add_test(tc, namespaces_do_not_share);
	tcase_add_test(tc, what_is_not_kept_is_told);
	tcase_add_test(tc, read_only_and_write_only);
}

int main(void)
{
	return fixture_main("sysctl", add_tests);
}
