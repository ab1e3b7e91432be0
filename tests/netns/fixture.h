/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * For tests that make network namespaces: permission or skip, two nodes joined by
 * a veth pair, and what ip, tc, ss and nft say inside a namespace. With
 * FIXTURE_ROOTLESS=1 in the environment the whole suite runs as root of a user
 * namespace that belongs to an unprivileged user.
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

/* A suite's main(): skips (77) without permission, which TESTS_MUST_RUN=1 makes a failure. */
int fixture_main(const char *name, void (*add_tests)(TCase *tc));

/* Whether the suite runs in a user namespace. */
bool fixture_is_rootless(void);

/* Gives up every privilege and becomes root of a new user namespace, with its own network
 * namespace as well when `with_net`. 0 or a negative errno. */
int fixture_become_rootless(bool with_net);

struct pair {
	struct netns *ns[2];
	struct nl *nl[2];
	int ifindex[2];
};

/* Two nodes; each has eth0, up, with 10.0.0.1/24 and fd00::1/64 on the first and ...2 on the
 * second, and its loopback up. */
void pair_init(struct pair *pair);
void pair_deinit(struct pair *pair);

struct ip fixture_ip(const char *text);

/* What `command` prints when sh runs it inside `ns` (or here, when NULL). Caller frees. */
char *fixture_run(const struct netns *ns, const char *command);
/* The same, parsed; NULL fails the test. */
struct json_object *fixture_json(const struct netns *ns, const char *command);
/* The value at a JSON pointer (RFC 6901) as text, or "" when there is none. */
const char *fixture_at(struct json_object *json, const char *pointer);
