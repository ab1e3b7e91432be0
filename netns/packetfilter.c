/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/packetfilter.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* libnftables ends the process when it cannot open this socket (nft_mnl_socket_open). */
static int check_protocol(const struct netns *ns, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	int rc;

	rc = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, &fd, err);
	if (rc == -EPROTONOSUPPORT)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "packet filter: the kernel has no nf_tables");
	return rc;
}

/* What libnftables says is text only; the errno in it is the kernel's. */
static int text_errno(const char *text)
{
	static const int known[] = { ENOENT, EPERM,  EOPNOTSUPP, EPROTONOSUPPORT,
				     EBUSY,  ENODEV, EINVAL,	 ENOMEM };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(text, strerror(known[i])))
			return -known[i];
	return -EIO;
}

/* Of "Error: what\ncommand\n   ^^^^\n" the first two lines. */
static int nft_error(const char *text, struct error *err)
{
	int rc = text_errno(text);
	bool missing = rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT;
	size_t first, second;

	if (strncmp(text, "Error: ", 7) == 0)
		text += 7;
	first = strcspn(text, "\n");
	second = text[first] ? strcspn(text + first + 1, "\n") : 0;
	return error_set(err, missing ? ERROR_CAPABILITY : ERROR_FAILED, rc,
			 "packet filter: %.*s (nft %.*s)", (int)first, text, (int)second,
			 text[first] ? text + first + 1 : "");
}

/*
 * libnftables waits for its socket with select(), which takes descriptors below FD_SETSIZE only;
 * with hundreds of trials there are more. So it gets the number of standard input for as long as
 * it runs, whose file is put back after. A context lives no longer than that.
 */
static int lend_descriptor(struct error *err)
{
	int parked = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (parked < 0)
		return error_errno(err, -errno, "packet filter: descriptor");
	close(STDIN_FILENO);
	return parked;
}

static void take_back_descriptor(int parked)
{
	dup2(parked, STDIN_FILENO);
	close(parked);
}

static int run_in_context(struct nft_ctx *nft, const char *commands, char **ret_output,
			  struct error *err)
{
	if (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		return error_errno(err, -ENOMEM, "packet filter");
	if (nft_run_cmd_from_buffer(nft, commands))
		return nft_error(nft_ctx_get_error_buffer(nft), err);
	if (ret_output)
		*ret_output = strdup(nft_ctx_get_output_buffer(nft));
	return 0;
}

/* `ret_output` may be NULL; else the caller frees what is put there. */
static int run(struct packetfilter *pf, const char *commands, char **ret_output, struct error *err)
{
	struct nft_ctx *nft;
	int rc, parked;

	parked = lend_descriptor(err);
	if (parked < 0)
		return parked;
	rc = netns_enter(pf->ns, err);
	if (rc >= 0) {
		nft = nft_ctx_new(NFT_CTX_DEFAULT);
		rc = nft ? run_in_context(nft, commands, ret_output, err)
			 : error_errno(err, -ENOMEM, "packet filter");
		if (nft)
			nft_ctx_free(nft);
		netns_leave(pf->ns);
	}
	take_back_descriptor(parked);
	return rc;
}

__attribute__((format(printf, 4, 5))) static int runf(struct packetfilter *pf, char **ret_output,
						      struct error *err, const char *format, ...)
{
	_cleanup_(freep) char *commands = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&commands, format, ap);
	va_end(ap);
	if (n < 0) {
		commands = NULL;
		return error_errno(err, -ENOMEM, "packet filter");
	}
	return run(pf, commands, ret_output, err);
}

int packetfilter_new(const struct netns *ns, struct packetfilter **ret_pf, struct error *err)
{
	_cleanup_(packetfilter_freep) struct packetfilter *pf = calloc(1, sizeof(*pf));
	int rc;

	if (!pf)
		return error_errno(err, -ENOMEM, "packet filter");
	pf->ns = ns;
	pf->next_handle = 1;
	rc = check_protocol(ns, err);
	if (rc < 0)
		return rc;
	rc = run(pf, "list tables netdev", NULL, NULL);
	if (rc < 0)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "packet filter: the kernel has no nf_tables, or it is not "
				 "permitted without CAP_NET_ADMIN: %s",
				 strerror(-rc));
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
	rc = runf(pf, NULL, err,
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
	rc = runf(pf, NULL, &own,
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

	rc = runf(pf, &output, err, "list chain netdev deadpeer r%u", handle);
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
