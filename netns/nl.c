/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/*
 * Theory of operation. The kernel carries out every message of a sendmsg() before the call
 * returns (af_netlink.c: netlink_rcv_skb), and queues an acknowledgement for each. All of them must
 * fit the receive buffer, where each takes well under 1 KiB (with NETLINK_CAP_ACK the request is
 * not repeated in it), so that a batch has at most BATCH_REQUESTS. When the next request would
 * not fit, nl_request() sends the batch at once, and its first error is kept until nl_commit();
 * requests that were opened after the failed batch are dropped.
 */
#define BATCH_REQUESTS 128
#define BATCH_SIZE     (48 * 1024) /* bytes */
#define REQUEST_SIZE   (4 * 1024)  /* bytes: there is room for any one request */
#define RECEIVE_SIZE   (64 * 1024) /* bytes */

struct nl {
	struct mnl_socket *socket; /* owned */
	uint32_t next_seq;	   /* the sequence number of the next request */
	uint32_t first_seq;	   /* the sequence number of the batch's first request */
	unsigned int n_requests;   /* how many are in the batch */
	size_t n_sealed;	   /* bytes of all requests but the open one */
	struct nlmsghdr *last;	   /* the open request, or NULL */
	int rc;			   /* the first failure since the last nl_commit(), or 0 */
	struct error err;	   /* the text of that failure */
	char descriptions[BATCH_REQUESTS][NL_DESCRIPTION_SIZE]; /* of each request */
	char batch[BATCH_SIZE] __attribute__((aligned(8)));
	char receive[RECEIVE_SIZE] __attribute__((aligned(8)));
};

static int open_socket(struct nl *nl, const struct netns *ns, int protocol, struct error *err)
{
	_cleanup_(fd_closep) int fd = -1;
	int on = 1, rc;

	rc = netns_socket(ns, AF_NETLINK, SOCK_RAW, protocol, &fd, err);
	if (rc == -EPROTONOSUPPORT)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "the kernel has no netlink protocol %d (a module may be missing)",
				 protocol);
	if (rc < 0)
		return rc;
	nl->socket = mnl_socket_fdopen(fd);
	if (!nl->socket)
		return error_errno(err, -errno, "netlink socket");
	take_fd(&fd);
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return error_errno(err, -errno, "bind netlink socket");
	/* Both options change nothing but errors, so that a kernel without them works too. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

/* The memory is zeroed, and only the pages of its buffers that are used become real. A child
 * process does not inherit it: with hundreds of sockets a fork would spend most of its time on
 * these pages.
 */
static struct nl *allocate(void)
{
	struct nl *nl =
		mmap(NULL, sizeof(*nl), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (nl == MAP_FAILED)
		return NULL;
	madvise(nl, sizeof(*nl), MADV_DONTFORK);
	return nl;
}

int nl_new(const struct netns *ns, int protocol, struct nl **ret_nl, struct error *err)
{
	_cleanup_(nl_freep) struct nl *nl = allocate();
	int rc;

	if (!nl)
		return error_errno(err, -ENOMEM, "netlink");
	nl->next_seq = 1;
	rc = open_socket(nl, ns, protocol, err);
	if (rc < 0)
		return rc;
	*ret_nl = take_ptr(nl);
	return 0;
}

struct nl *nl_free(struct nl *nl)
{
	if (!nl)
		return NULL;
	if (nl->socket)
		mnl_socket_close(nl->socket);
	munmap(nl, sizeof(*nl));
	return NULL;
}

static size_t batch_length(const struct nl *nl)
{
	return nl->n_sealed + (nl->last ? NLMSG_ALIGN(nl->last->nlmsg_len) : 0);
}

/* libmnl does not write padding, so that the memory of a new request has to be zeroed. */
static void batch_reset(struct nl *nl)
{
	memset(nl->batch, 0, batch_length(nl));
	nl->n_requests = 0;
	nl->n_sealed = 0;
	nl->last = NULL;
}

static const char *describe(const struct nl *nl, uint32_t seq)
{
	return nl->descriptions[seq - nl->first_seq];
}

static bool is_ours(const struct nl *nl, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_seq - nl->first_seq < nl->n_requests;
}

static int parse_ack_attr(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The text of the extended acknowledgement, or NULL. In an NLMSG_ERROR it follows the request that
 * failed, and in an NLMSG_DONE the error number. */
static const char *ack_text(const struct nlmsghdr *nlh)
{
	size_t offset = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(nlh);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (nlh->nlmsg_type == NLMSG_ERROR && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(nlh) >= sizeof(*ack)
				  ? NLMSG_ALIGN(ack->msg.nlmsg_len) - sizeof(ack->msg)
				  : 0;
	if (mnl_nlmsg_get_payload_len(nlh) > offset)
		mnl_attr_parse(nlh, offset, parse_ack_attr, &text);
	return text;
}

/* An NLMSG_ERROR or NLMSG_DONE begins with 0 or the negative errno of its request. */
static int parse_ack(struct nl *nl, const struct nlmsghdr *nlh, struct error *err)
{
	const char *text;
	bool missing;
	int rc = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(rc))
		memcpy(&rc, mnl_nlmsg_get_payload(nlh), sizeof(rc));
	if (rc >= 0)
		return 0;
	text = ack_text(nlh);
	missing = rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT;
	return error_set(err, missing ? ERROR_CAPABILITY : ERROR_FAILED, rc, "%s: %s%s%s%s",
			 describe(nl, nlh->nlmsg_seq), strerror(-rc), text ? " (kernel: " : "",
			 text ? text : "", text ? ")" : "");
}

static int receive(struct nl *nl, int *ret_length, struct error *err)
{
	ssize_t n;

	do
		n = mnl_socket_recvfrom(nl->socket, nl->receive, sizeof(nl->receive));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, -errno, "receive from netlink");
	*ret_length = (int)n;
	return 0;
}

/* What has come in answer to a batch so far. */
struct answers {
	unsigned int n_done; /* requests that are acknowledged, and dumps that have ended */
	nl_func func;	     /* takes all other messages; NULL when nobody wants them */
	void *userdata;	     /* of func; not owned */
	int rc;		     /* the first error, or 0 */
	struct error err;    /* its text; empty when it came from func */
};

static void take_answer(struct nl *nl, const struct nlmsghdr *nlh, struct answers *a)
{
	struct error err = { 0 };
	int rc;

	if (!is_ours(nl, nlh))
		return;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		a->n_done++;
		rc = parse_ack(nl, nlh, &err);
	} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && a->func) {
		rc = a->func(nlh, a->userdata);
		if (rc < 0)
			a->func = NULL;
	} else {
		return;
	}
	if (rc < 0 && a->rc >= 0) {
		a->rc = rc;
		a->err = err;
	}
}

/* Sends the batch and reads until each request has its last answer, even after an error: an answer
 * that is left in the socket would be taken for one to the next batch, and the kernel begins no
 * dump before the last one was read to its end (EBUSY). */
static int transact(struct nl *nl, struct answers *a, struct error *err)
{
	int rc, n = 0;

	if (mnl_socket_sendto(nl->socket, nl->batch, batch_length(nl)) < 0)
		return error_errno(err, -errno, "%s: send to netlink", describe(nl, nl->first_seq));
	while (a->n_done < nl->n_requests) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->receive;

		rc = receive(nl, &n, err);
		if (rc < 0)
			return rc;
		for (; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n))
			take_answer(nl, nlh, a);
	}
	return a->err.kind == ERROR_NONE ? a->rc : error_hand_on(err, a->rc, &a->err);
}

static void flush(struct nl *nl)
{
	struct answers a = { 0 };

	if (nl->n_requests > 0 && nl->rc >= 0)
		nl->rc = transact(nl, &a, &nl->err);
	batch_reset(nl);
}

static void make_room(struct nl *nl)
{
	if (nl->n_requests == BATCH_REQUESTS || batch_length(nl) + REQUEST_SIZE > BATCH_SIZE)
		flush(nl);
	nl->n_sealed = batch_length(nl);
	nl->last = NULL;
}

struct nlmsghdr *nl_requestv(struct nl *nl, uint16_t type, uint16_t flags, const char *description,
			     va_list ap)
{
	make_room(nl);
	if (nl->n_requests == 0)
		nl->first_seq = nl->next_seq;
	vsnprintf(nl->descriptions[nl->n_requests], NL_DESCRIPTION_SIZE, description, ap);
	nl->last = mnl_nlmsg_put_header(nl->batch + nl->n_sealed);
	nl->last->nlmsg_type = type;
	nl->last->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nl->last->nlmsg_seq = nl->next_seq++;
	nl->n_requests++;
	return nl->last;
}

struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags, const char *description,
			    ...)
{
	struct nlmsghdr *nlh;
	va_list ap;

	va_start(ap, description);
	nlh = nl_requestv(nl, type, flags, description, ap);
	va_end(ap);
	return nlh;
}

void nl_refuse(struct nl *nl, int rc)
{
	const char *description = nl->descriptions[--nl->n_requests];

	nl->last = NULL;
	flush(nl);
	if (nl->rc >= 0)
		nl->rc = error_errno(&nl->err, rc, "%s", description);
}

int nl_commit(struct nl *nl, struct error *err)
{
	int rc;

	flush(nl);
	rc = nl->rc;
	nl->rc = 0;
	return error_hand_on(err, rc, &nl->err);
}

int nl_query(struct nl *nl, nl_func func, void *userdata, struct error *err)
{
	struct answers a = { .func = func, .userdata = userdata };
	int rc;

	if (nl->rc < 0) /* nl_refuse() has given the request up */
		return nl_commit(nl, err);
	rc = transact(nl, &a, err);
	batch_reset(nl);
	return rc;
}
