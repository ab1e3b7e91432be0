/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values the kernel takes for the sysctls that predictions go by. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/internal.h"

/* net/ipv4/sysctl_net_ipv4.c. A time in seconds is counted in ticks, of which INT_MAX are the most
 * (proc_dointvec_jiffies()); such a time may be negative, which the kernel takes for none. */
static const struct {
	const char *key;
	int64_t minimum, maximum;
	bool negative; /* what is less than the minimum is taken, too */
} bounds[] = {
	{ "net.ipv4.tcp_rto_min_us", 1, INT32_MAX, false },
	{ "net.ipv4.tcp_rto_max_ms", 1000, 120000, false },
	{ "net.ipv4.tcp_retries2", 0, UINT8_MAX, false },
	{ "net.ipv4.tcp_orphan_retries", 0, UINT8_MAX, false },
	{ "net.ipv4.tcp_syn_retries", 1, 127, false },
	{ "net.ipv4.tcp_synack_retries", 0, UINT8_MAX, false },
	{ "net.ipv4.tcp_syn_linear_timeouts", 0, UINT8_MAX, false },
	{ "net.ipv4.tcp_keepalive_time", 0, INT32_MAX / 250, true },
	{ "net.ipv4.tcp_keepalive_intvl", 0, INT32_MAX / 250, true },
	{ "net.ipv4.tcp_keepalive_probes", 0, UINT8_MAX, false },
	{ "net.ipv4.tcp_fin_timeout", 0, INT32_MAX / 250, true },
	{ "net.ipv4.tcp_early_retrans", 0, 4, false },
};

int scenario_check_bounds(const char *key, const char *value, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		int64_t number;
		char *end;

		if (strcmp(bounds[i].key, key) != 0)
			continue;
		errno = 0;
		number = strtoll(value, &end, 0);
		if (end == value || *end)
			return error_input(err, "'%s' is not a whole number", value);
		if (errno || number > bounds[i].maximum ||
		    (number < bounds[i].minimum && !bounds[i].negative))
			return error_input(
				err, "%s is out of range: the kernel takes %" PRId64 " to %" PRId64,
				value, bounds[i].minimum, bounds[i].maximum);
	}
	return 0;
}

int64_t scenario_sysctl_number(const struct scenario *s, enum node_id node, const char *key,
			       int64_t usual)
{
	const char *text = scenario_sysctl(s, node, key);
	int64_t number = text ? strtoll(text, NULL, 0) : usual;

	for (size_t i = 0; text && i < ARRAY_SIZE(bounds); i++)
		if (!strcmp(bounds[i].key, key) && number < bounds[i].minimum)
			return bounds[i].minimum;
	return number;
}
