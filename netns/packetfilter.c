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
 * matches, counts and drops; so it is taken away by the name we gave it. Its priority is the
 * handle, so that the oldest rule comes first (of one priority, the newest would). `numgen inc`
 * numbers the packets that came so far in the rule from 0, atomically (net/netfilter/nft_numgen.c:
 * nft_ng_inc_gen), which makes a count exact. A byte loaded from the inner header, which is what
 * follows TCP's options, ends the rule when there is none (net/netfilter/nft_payload.c, since
 * Linux 5.16): so segments without data do not match.
 */
#define NUMGEN_MODULUS 4294967295u
#define TEXT_SIZE      64

struct packetfilter {
	const struct netns *ns;
	unsigned int next_handle;
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
	if (!pf)
		return NULL;
	free(pf);
	return NULL;
}

/* The name goes into nft's language, between quotes. */
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

static const char *match_family(const struct packetfilter_rule *rule)
{
	if (rule->everything)
		return "";
	return rule->family == AF_INET ? "meta protocol ip meta l4proto tcp"
				       : "meta protocol ip6 meta l4proto tcp";
}

static const char *match_flags(const struct packetfilter_rule *rule, char text[static TEXT_SIZE])
{
	if (rule->everything || rule->tcp_flags_mask == 0)
		return "";
	snprintf(text, TEXT_SIZE, "tcp flags & 0x%02x == 0x%02x", rule->tcp_flags_mask,
		 rule->tcp_flags);
	return text;
}

static const char *match_payload(const struct packetfilter_rule *rule)
{
	return !rule->everything && rule->payload_only ? "@ih,0,8 >= 0" : "";
}

static const char *match_count(const struct packetfilter_rule *rule, char text[static TEXT_SIZE])
{
	if (rule->count == 0)
		return "";
	snprintf(text, TEXT_SIZE, "numgen inc mod %u < %" PRIu64, NUMGEN_MODULUS, rule->count);
	return text;
}

/* New kernels take a rule for an interface that is not there (yet), which would never match. */
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
	char flags[TEXT_SIZE], count[TEXT_SIZE];
	unsigned int handle = pf->next_handle;
	int rc;

	rc = check(rule, err);
	if (rc < 0)
		return rc;
	rc = check_interface(pf, rule->interface, err);
	if (rc < 0)
		return rc;
	rc = nft_runf(pf->ns, NULL, err,
		      "add table netdev deadpeer\n"
		      "add chain netdev deadpeer r%u { type filter hook ingress device \"%s\" "
		      "priority %u; policy accept; }\n"
		      "add rule netdev deadpeer r%u %s %s %s %s counter drop\n",
		      handle, rule->interface, handle, handle, match_family(rule),
		      match_flags(rule, flags), match_payload(rule), match_count(rule, count));
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
	rc = nft_runf(pf->ns, NULL, &own,
		      "flush chain netdev deadpeer r%u\ndelete chain netdev deadpeer r%u\n", handle,
		      handle);
	if (rc == -ENOENT) /* gone with its interface (nft_chain_filter.c: nft_netdev_event) */
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc;
}

int packetfilter_dropped(struct packetfilter *pf, unsigned int handle, uint64_t *ret_packets,
			 struct error *err)
{
	static const char key[] = "counter packets ";
	_cleanup_(freep) char *output = NULL;
	const char *found;
	uint64_t packets;
	int rc;

	rc = nft_runf(pf->ns, &output, err, "list chain netdev deadpeer r%u", handle);
	if (rc < 0)
		return rc;
	found = output ? strstr(output, key) : NULL;
	if (!found || sscanf(found + strlen(key), "%" SCNu64, &packets) != 1)
		return error_set(err, ERROR_FAILED, -EPROTO,
				 "packet filter: no counter in what nft lists for rule %u", handle);
	*ret_packets = packets;
	return 0;
}

static bool means_missing(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT || rc == -ENOENT || rc == -EINVAL;
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
	_cleanup_(netns_freep) struct netns *ns = NULL;
	struct error own = { 0 };
	int rc;

	rc = netns_new(&ns, err);
	if (rc < 0)
		return rc;
	rc = try_rule(ns, &own);
	if (means_missing(rc))
		return 0;
	if (rc < 0 && err)
		*err = own;
	return rc < 0 ? rc : 1;
}
