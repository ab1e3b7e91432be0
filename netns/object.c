/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/object.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <stdarg.h>
#include <string.h>

#define MESSAGE_SIZE 1024 /* bytes; a veth pair, the largest request, takes 250 */

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)

/* libnl zeroes a page for each message by default, which takes longer than filling it. */
static void __attribute__((constructor)) set_message_size(void)
{
	nlmsg_set_default_size(MESSAGE_SIZE);
}

/* The errno that says the same as an NLE_* number of libnl; both are negative. */
static int errno_of(int rc)
{
	switch (-rc) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_RANGE:
		return -ERANGE;
	}
	return -EINVAL;
}

struct nlmsghdr *object_request(struct nl *nl, int rc, struct nl_msg *msg, const char *description,
				...)
{
	const struct nlmsghdr *built = rc < 0 ? NULL : nlmsg_hdr(msg);
	struct nlmsghdr *nlh;
	va_list ap;

	va_start(ap, description);
	nlh = nl_requestv(nl, built ? built->nlmsg_type : NLMSG_NOOP,
			  built ? built->nlmsg_flags : 0, description, ap);
	va_end(ap);
	if (!built) {
		nl_refuse(nl, errno_of(rc));
		return nlh;
	}
	memcpy(mnl_nlmsg_put_extra_header(nlh, mnl_nlmsg_get_payload_len(built)),
	       mnl_nlmsg_get_payload(built), mnl_nlmsg_get_payload_len(built));
	nlmsg_free(msg);
	return nlh;
}

struct query {
	const struct object_answer *answer;
	object_func func;
	void *userdata; /* of func; not owned */
	int rc;		/* what `func` returned for the last answer */
};

static void on_object(struct nl_object *object, void *userdata)
{
	struct query *query = userdata;

	query->rc = query->func(object, query->userdata);
}

/* Copies a message for libnl, without the attributes that nobody asks for: libnl takes five times
 * as long to parse a whole link. */
static struct nl_msg *copy(const struct nlmsghdr *nlh, const struct object_answer *answer)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;
	const struct nlattr *attr;

	if (!answer->attributes)
		return nlmsg_convert((struct nlmsghdr *)nlh); /* which does not change it */
	msg = nlmsg_alloc_simple(nlh->nlmsg_type, nlh->nlmsg_flags);
	if (!msg || nlmsg_append(msg, mnl_nlmsg_get_payload(nlh), answer->header_size, 0) < 0)
		return NULL;
	mnl_attr_for_each(attr, nlh, answer->header_size)
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type < 64 && answer->attributes & 1ull << type &&
		    nla_put(msg, type, mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr)) <
			    0)
			return NULL;
	}
	return take_ptr(msg);
}

static int on_answer(const struct nlmsghdr *nlh, void *userdata)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;
	struct query *query = userdata;
	int rc;

	if (nlh->nlmsg_type != query->answer->type)
		return 0;
	msg = copy(nlh, query->answer);
	if (!msg)
		return -ENOMEM;
	nlmsg_set_proto(msg, NETLINK_ROUTE);
	query->rc = 0;
	rc = nl_msg_parse(msg, on_object, query);
	return rc < 0 ? errno_of(rc) : query->rc;
}

int object_query(struct nl *nl, const struct object_answer *answer, object_func func,
		 void *userdata, struct error *err)
{
	struct query query = { .answer = answer, .func = func, .userdata = userdata };
	struct error own = { 0 };
	int rc = nl_query(nl, on_answer, &query, &own);

	if (rc < 0 && own.kind == ERROR_NONE)
		return error_errno(err, rc, "parse the kernel's answer");
	return error_hand_on(err, rc < 0 ? rc : 0, &own);
}

struct nl_addr *object_address(const struct ip *ip)
{
	struct nl_addr *address =
		nl_addr_build(ip->family, &ip->v6, ip_full_prefix(ip->family) / 8);

	if (address)
		nl_addr_set_prefixlen(address, (int)ip->prefix);
	return address;
}
