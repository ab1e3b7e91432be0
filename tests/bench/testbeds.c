/* SPDX-License-Identifier: GPL-2.0-or-later */
/* testbeds N: sets a routed testbed up and tears it down N times; prints how many a second. */
#include <stdio.h>
#include <string.h>

#include "src/testbed/privilege.h"
#include "src/testbed/testbed.h"
#include "src/util/cleanup.h"

static const char text[] = "id: B1\n"
			   "name: bench\n"
			   "summary: A testbed and nothing else\n"
			   "path: routed\n"
			   "client: {workload: idle, sysctl: {net.ipv4.tcp_retries2: 3}}\n"
			   "server: {workload: sink}\n"
			   "timeline:\n"
			   "  - {at: 1s, fault: blackhole}\n"
			   "horizon: 1s\n";

static int measure(long n, struct error *err)
{
	struct scenario_request request = { 0 };
	struct scenario_list list = { 0 };
	nsec_t start_nsec;
	int rc = privilege_acquire(err);

	if (rc >= 0)
		rc = scenario_parse("bench.yaml", text, strlen(text), &request, &list, err);
	start_nsec = nsec_now();
	for (long i = 0; rc >= 0 && i < n; i++) {
		_cleanup_(testbed_freep) struct testbed *testbed = NULL;

		rc = testbed_new(list.items[0], FAMILY_IPV4, &testbed, err);
	}
	if (rc >= 0)
		printf("%.1f\n", (double)n / nsec_to_sec(nsec_now() - start_nsec));
	scenario_list_deinit(&list);
	return rc;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };

	if (measure(argc > 1 ? strtol(argv[1], NULL, 10) : 100, &err) >= 0)
		return 0;
	fprintf(stderr, "testbeds: %s\n", err.text);
	return err.kind == ERROR_CAPABILITY ? 77 : 1;
}
