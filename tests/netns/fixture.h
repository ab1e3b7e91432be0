/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * For tests that make network namespaces: a main() that skips the suite without
 * permission, two nodes joined by a veth pair, and the output of ip, tc, ss and nft
 * inside a namespace. With FIXTURE_ROOTLESS=1 in the environment the whole suite
 * runs as root of a user namespace that belongs to an unprivileged user.
 */

#include <check.h>
#include <json-c/json.h>

#include "netns/link.h"
#include "netns/netns.h"
#include "netns/nl.h"
#include "netns/route.h"

/* Fails the test with the error's text when `call`, which has `&err` in it, is negative. */
#define must(call)                                                                                 \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			ck_abort_msg("%s: %s", #call, err.text);                                   \
	} while (0)

/* The main() of a suite. Without permission to make namespaces it returns 77 (skipped), or a
 * failure if TESTS_MUST_RUN=1. */
int fixture_main(const char *name, void (*add_tests)(TCase *tc));

/* Returns whether the suite runs in a user namespace. */
bool fixture_is_rootless(void);

/* Gives up every privilege and becomes root of a new user namespace, and of a new network namespace
 * too if `with_net`. Returns 0 or a negative errno. */
int fixture_become_rootless(bool with_net);

struct pair {
	struct netns *ns[2];
	struct nl *nl[2]; /* NETLINK_ROUTE */
	int ifindex[2];	  /* of eth0 */
};

/* Makes two nodes. Loopback and eth0 are up; eth0 has 10.0.0.1/24 and fd00::1/64 on the first node,
 * and 10.0.0.2/24 and fd00::2/64 on the second. */
void pair_init(struct pair *pair);
void pair_deinit(struct pair *pair);

struct ip fixture_ip(const char *text);

/* Returns what `command` prints when sh runs it inside `ns` (or here, when NULL). The caller frees
 * it. A command that fails, fails the test. */
char *fixture_run(const struct netns *ns, const char *command);
/* Returns the same as parsed JSON; a text that is not JSON fails the test. */
struct json_object *fixture_json(const struct netns *ns, const char *command);
/* Returns the value at a JSON pointer (RFC 6901) as text, or "" when there is none. */
const char *fixture_at(struct json_object *json, const char *pointer);
