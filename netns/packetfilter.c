/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/packetfilter.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "netns/nft.h"

/*
 * Theory of operation. Each rule has an ingress chain of its own, "r<handle>", whose one rule
 * matches, counts and drops, so that the rule can be taken away by the name of its chain. The
 * priority of the chain is the handle, so that the oldest rule comes first (of two chains of one
 * priority the newest would). `numgen inc` numbers the packets that reach it from 0, atomically
 * (net/netfilter/nft_numgen.c: nft_ng_inc_gen), which makes a count exact. "@ih,0,8" loads the
 * first byte after TCP's options. A segment without data has no such byte, and so the rule does not
 * match it (net/netfilter/nft_payload.c, since Linux 5.16).
 */
#define NUMGEN_MODULUS 4294967295u
#define PART_SIZE      64  /* bytes: the text of one part of a rule */
#define MATCH_SIZE     256 /* bytes: the text of all parts of a rule */

struct packetfilter {
	const struct netns *ns;	  /* not owned */
	unsigned int next_handle; /* of the next rule, from 1 */
};

int packetfilter_new(const struct netns *ns, struct packetfilter **ret_pf, struct error *err)
{
	_cleanup_(packetfilter_freep) struct packetfilter *pf = calloc(1, sizeof(*pf));
	int rc;

	if (!pf)
		return error_errno(err, -ENOMEM, "packet filter");
	pf->ns = ns;
	pf->next_handle = 1;
	rc = nft_check(ns, err);
	if (rc < 0)
		return rc;
	*ret_pf = take_ptr(pf);
	return 0;
}

struct packetfilter *packetfilter_free(struct packetfilter *pf)
{
	free(pf);
	return NULL;
}

/* A name is put between quotes in a command of nft, where some characters mean something. */
static bool is_plain_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)name[i]) || strchr("\"\\*", name[i]))
			return false;
	return n > 0 && n < IFNAMSIZ;
}

static int check(const struct packetfilter_rule *rule, struct error *err)
{
	if (!is_plain_name(rule->interface))
		return error_input(err, "packet filter: '%s' is not the name of an interface",
				   rule->interface);
	if (rule->count >= NUMGEN_MODULUS)
		return error_input(err, "packet filter: at most %u packets can be counted",
				   NUMGEN_MODULUS - 1);
	if (rule->everything)
		return 0;
	if (rule->family != AF_INET && rule->family != AF_INET6)
		return error_input(err, "packet filter: family %d is neither IPv4 nor IPv6",
				   rule->family);
	if (rule->tcp_flags & ~rule->tcp_flags_mask)
		return error_input(err,
				   "packet filter: TCP flags 0x%02x are not all in mask 0x%02x",
				   rule->tcp_flags, rule->tcp_flags_mask);
	return 0;
}

/* Writes what the rule matches in nft's language. The count comes last, so that only packets that
 * match the other parts are counted. */
static void describe(const struct packetfilter_rule *rule, char text[static MATCH_SIZE])
{
	char flags[PART_SIZE] = "", count[PART_SIZE] = "";

	if (rule->tcp_flags_mask)
		snprintf(flags, sizeof(flags), "tcp flags & 0x%02x == 0x%02x", rule->tcp_flags_mask,
			 rule->tcp_flags);
	if (rule->count)
		snprintf(count, sizeof(count), "numgen inc mod %u < %" PRIu64, NUMGEN_MODULUS,
			 rule->count);
	if (rule->everything)
		snprintf(text, MATCH_SIZE, "%s", count);
	else
		snprintf(text, MATCH_SIZE, "meta protocol %s meta l4proto tcp %s %s %s",
			 rule->family == AF_INET ? "ip" : "ip6", flags,
			 rule->payload_only ? "@ih,0,8 >= 0" : "", count);
}

/* New kernels accept a rule for an interface that does not exist. It would never match. */
static int check_interface(const struct packetfilter *pf, const char *name, struct error *err)
{
	int rc;

	rc = netns_enter(pf->ns, err);
	if (rc < 0)
		return rc;
	rc = if_nametoindex(name) > 0 ? 0 : -errno;
	netns_leave(pf->ns);
	return rc < 0 ? error_errno(err, rc, "packet filter: link '%s'", name) : 0;
}

int packetfilter_drop(struct packetfilter *pf, const struct packetfilter_rule *rule,
		      unsigned int *ret_handle, struct error *err)
{
	unsigned int handle = pf->next_handle;
	char match[MATCH_SIZE];
	int rc;

	rc = check(rule, err);
	if (rc < 0)
		return rc;
	rc = check_interface(pf, rule->interface, err);
	if (rc < 0)
		return rc;
	describe(rule, match);
	rc = nft_run(pf->ns, err,
		     "add table netdev deadpeer\n"
		     "add chain netdev deadpeer r%u { type filter hook ingress device \"%s\" "
		     "priority %u; policy accept; }\n"
		     "add rule netdev deadpeer r%u %s counter drop\n",
		     handle, rule->interface, handle, handle, match);
	if (rc < 0)
		return error_prefix(err, rc, "link '%s'", rule->interface);
	pf->next_handle++;
	*ret_handle = handle;
	return 0;
}

int packetfilter_remove(struct packetfilter *pf, unsigned int handle, struct error *err)
{
	struct error own = { 0 };
	int rc;

	if (handle == 0 || handle >= pf->next_handle)
		return error_input(err, "packet filter: there never was a rule %u", handle);
	rc = nft_run(pf->ns, &own,
		     "flush chain netdev deadpeer r%u\ndelete chain netdev deadpeer r%u\n", handle,
		     handle);
	/* The chain goes with its interface (nft_chain_filter.c: nft_netdev_event). */
	return rc == -ENOENT ? 0 : error_hand_on(err, rc, &own);
}

static int try_rule(const struct netns *ns, struct error *err)
{
	const struct packetfilter_rule rule = { .interface = "lo", .everything = true };
	_cleanup_(packetfilter_freep) struct packetfilter *pf = NULL;
	unsigned int handle;
	int rc;

	rc = packetfilter_new(ns, &pf, err);
	if (rc < 0)
		return rc;
	return packetfilter_drop(pf, &rule, &handle, err);
}

int packetfilter_probe(struct error *err)
{
	return netns_probe(try_rule, err);
}
