/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/sockdiag.h"

#include <assert.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define NOTICES_BUFFER (16 << 20) /* bytes, in which some 10,000 notices find room */

static void parse_ip(struct ip *ip, int family, const __be32 *address)
{
	ip->family = family;
	ip->prefix = family == AF_INET ? 32 : 128;
	memcpy(&ip->v6, address, ip->prefix / 8);
	*ip = ip_unmap(*ip);
}

static void parse_base(struct sockdiag_socket *s, const struct inet_diag_msg *m)
{
	parse_ip(&s->local, m->idiag_family, m->id.idiag_src);
	parse_ip(&s->peer, m->idiag_family, m->id.idiag_dst);
	s->local_port = ntohs(m->id.idiag_sport);
	s->peer_port = ntohs(m->id.idiag_dport);
	s->state = m->idiag_state;
	s->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	s->inode = m->idiag_inode;
	s->receive_queue = m->idiag_rqueue;
	s->send_queue = m->idiag_wqueue;
	s->retransmits = m->idiag_retrans;
	s->timer = m->idiag_timer < _TCP_TIMER_MAX ? m->idiag_timer : TCP_TIMER_OFF;
	s->expires_nsec = s->timer == TCP_TIMER_OFF ? 0 : m->idiag_expires * NSEC_PER_MSEC;
}

/* A newer kernel's tcp_info is longer than ours and is cut. An older kernel's is shorter, and the
 * rest stays zero. */
static int parse_attr(const struct nlattr *attr, void *data)
{
	struct sockdiag_socket *s = data;
	size_t n = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && n == 1)
		s->v6_only = mnl_attr_get_u8(attr);
	if (mnl_attr_get_type(attr) != INET_DIAG_INFO || n == 0)
		return MNL_CB_OK;
	memcpy(&s->info, mnl_attr_get_payload(attr), n < sizeof(s->info) ? n : sizeof(s->info));
	s->has_info = true;
	return MNL_CB_OK;
}

static bool parse_socket(const struct nlmsghdr *nlh, struct sockdiag_socket *ret_socket)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct sockdiag_socket s = { 0 };

	if ((nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY && nlh->nlmsg_type != TCPDIAG_GETSOCK) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return false;
	parse_base(&s, m);
	mnl_attr_parse(nlh, sizeof(*m), parse_attr, &s);
	*ret_socket = s;
	return true;
}

struct dump {
	int family; /* of the sockets that are wanted; AF_UNSPEC: any */
	sockdiag_func func;
	void *userdata; /* of func; not owned */
};

/* Whether an IPv6 socket speaks IPv4: its addresses are IPv4's, or it listens on :: and has not
 * said IPV6_V6ONLY. */
static bool speaks_ipv4(const struct sockdiag_socket *s)
{
	return s->local.family == AF_INET || (s->state == TCP_STATE_LISTEN && !s->v6_only &&
					      IN6_IS_ADDR_UNSPECIFIED(&s->local.v6));
}

static int on_answer(const struct nlmsghdr *nlh, void *userdata)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	const struct dump *dump = userdata;
	struct sockdiag_socket s;

	if (!parse_socket(nlh, &s) || (dump->family == AF_INET && !speaks_ipv4(&s)) ||
	    (dump->family == AF_INET6 && m->idiag_family != AF_INET6))
		return 0;
	return dump->func(&s, dump->userdata);
}

/* Opens a request about TCP sockets of the family in these states. */
static struct inet_diag_req_v2 *put_request(struct nl *nl, uint16_t type, uint16_t flags,
					    int family, uint32_t states, const char *description)
{
	struct nlmsghdr *nlh = nl_request(nl, type, flags, "%s", description);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	req->sdiag_family = (uint8_t)family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	req->idiag_states = states;
	return req;
}

/* An IPv6 socket may speak IPv4, and each list costs some milliseconds, for which the kernel walks
 * the table of all connections. The old request is the only one for sockets of any family
 * (net/ipv4/inet_diag.c: inet_diag_dump_compat()). */
int sockdiag_dump(struct nl *nl, int family, uint32_t states, sockdiag_func func, void *userdata,
		  struct error *err)
{
	struct nlmsghdr *nlh = nl_request(nl, TCPDIAG_GETSOCK, NLM_F_DUMP, "TCP sockets: list");
	struct inet_diag_req *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	struct dump dump = { .family = family, .func = func, .userdata = userdata };
	struct error own = { 0 };
	int rc;

	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	req->idiag_states = states;
	rc = nl_query(nl, on_answer, &dump, &own);
	if (own.kind == ERROR_NONE) /* All went well, or `func` has returned a negative number. */
		return rc;
	/* Neither sock_diag.c knows the request nor inet_diag.c TCP while their modules are
	 * missing. */
	if (rc == -ENOENT || rc == -EOPNOTSUPP)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "TCP sockets: the kernel cannot list them (inet_diag and tcp_diag "
				 "are missing)");
	return error_hand_on(err, rc, &own);
}

static void put_tuple(struct inet_diag_sockid *id, const struct sockdiag_socket *s)
{
	size_t size = s->local.family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	id->idiag_sport = htons(s->local_port);
	id->idiag_dport = htons(s->peer_port);
	memcpy(id->idiag_src, &s->local.v6, size);
	memcpy(id->idiag_dst, &s->peer.v6, size);
}

static int on_one(const struct nlmsghdr *nlh, void *userdata)
{
	parse_socket(nlh, userdata);
	return 0;
}

/* If there is no such connection, the kernel finds the listener of its port
 * (net/ipv4/inet_diag.c: inet_diag_find_one_icsk()). */
int sockdiag_get(struct nl *nl, const struct sockdiag_socket *like,
		 struct sockdiag_socket *ret_socket, struct error *err)
{
	struct inet_diag_req_v2 *req = put_request(nl, SOCK_DIAG_BY_FAMILY, 0, like->local.family,
						   ~0u, "TCP socket: look up");
	struct sockdiag_socket found = { 0 };
	struct error own = { 0 };
	int rc;

	put_tuple(&req->id, like);
	req->id.idiag_cookie[0] = req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	rc = nl_query(nl, on_one, &found, &own);
	*ret_socket = found;
	if (rc == -ENOENT || found.state == TCP_STATE_LISTEN)
		return 0;
	if (rc < 0)
		return error_hand_on(err, rc, &own);
	if (found.state == TCP_STATE_NONE)
		return error_set(err, ERROR_FAILED, -EBADMSG,
				 "TCP socket: look up: the kernel's answer has no socket");
	return 1;
}

/* Sockets to abort in one turn. Those that do not fit are found in the next turn. */
struct victims {
	struct sockdiag_socket item[64];
	size_t count; /* how many there are in `item` */
};

static int collect_victim(const struct sockdiag_socket *socket, void *userdata)
{
	struct victims *victims = userdata;

	if (victims->count < ARRAY_SIZE(victims->item))
		victims->item[victims->count++] = *socket;
	return 0;
}

static void put_abort(struct nl *nl, const struct sockdiag_socket *s)
{
	struct inet_diag_req_v2 *req =
		put_request(nl, SOCK_DESTROY, 0, s->local.family, ~0u, "TCP socket: abort");

	put_tuple(&req->id, s);
	req->id.idiag_cookie[0] = (uint32_t)s->cookie;
	req->id.idiag_cookie[1] = (uint32_t)(s->cookie >> 32);
}

void sockdiag_abort_all(struct nl *nl)
{
	/* A small socket (TIME_WAIT) keeps no namespace alive, and a listener went with its
	 * process. */
	uint32_t states = ~(1u << TCP_STATE_TIME_WAIT | 1u << TCP_STATE_LISTEN);

	struct victims victims;
	int turns = 100;

	do {
		victims.count = 0; /* Its items, some 25 KiB, need not be zeroed. */
		if (sockdiag_dump(nl, AF_UNSPEC, states, collect_victim, &victims, NULL) < 0)
			return;
		for (size_t i = 0; i < victims.count; i++)
			put_abort(nl, &victims.item[i]);
		if (nl_commit(nl, NULL) < 0)
			return;
	} while (victims.count == ARRAY_SIZE(victims.item) && --turns);
}

int sockdiag_listen_destroy(const struct netns *ns, int family, int *ret_fd, struct error *err)
{
	int group = family == AF_INET ? SKNLGRP_INET_TCP_DESTROY : SKNLGRP_INET6_TCP_DESTROY;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	_cleanup_(fd_closep) int fd = -1;
	int rc;

	rc = netns_socket(ns, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_SOCK_DIAG, &fd, err);
	if (rc < 0)
		return error_prefix(err, rc, "notices of TCP sockets' ends");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return error_errno(err, -errno, "notices of TCP sockets' ends");
	/* Sockets that time out together send all their notices at once. Without privilege the
	 * buffer stays as small as it is. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ NOTICES_BUFFER }, sizeof(int));
	*ret_fd = take_fd(&fd);
	return 0;
}

int sockdiag_receive_destroy(int fd, struct sockdiag_socket *ret_socket, struct error *err)
{
	int tries = 3;
	char buffer[8192] __attribute__((aligned(8))); /* for one message, of some 500 bytes */

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != ENOBUFS && --tries)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "notices of TCP sockets' ends");
		if (mnl_nlmsg_ok(nlh, (int)n) && parse_socket(nlh, ret_socket))
			return 1;
	}
}
