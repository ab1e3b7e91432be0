/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/util/format.h"

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

/* libnftables reports an error as text only, which has the text of the kernel's errno in it. */
static int text_errno(const char *text)
{
	static const int known[] = { ENOENT, EPERM,  EOPNOTSUPP, EPROTONOSUPPORT,
				     EBUSY,  ENODEV, EINVAL,	 ENOMEM };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(text, strerror(known[i])))
			return -known[i];
	return -EIO;
}

/* libnftables writes "Error: what\ncommand\n   ^^^^\n", of which the first two lines are kept. */
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
 * with hundreds of trials there are more. So standard input is closed while libnftables runs, which
 * then gets the number 0 for its socket, and is put back afterwards.
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

/* Buffers keep libnftables from writing to the terminal. */
static int run_in_context(struct nft_ctx *nft, const char *commands, struct error *err)
{
	if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		return error_errno(err, -ENOMEM, "packet filter");
	if (nft_run_cmd_from_buffer(nft, commands))
		return nft_error(nft_ctx_get_error_buffer(nft), err);
	return 0;
}

static int run_inside(const struct netns *ns, const char *commands, struct error *err)
{
	struct nft_ctx *nft;
	int rc, parked;

	parked = lend_descriptor(err);
	if (parked < 0)
		return parked;
	rc = netns_enter(ns, err);
	if (rc >= 0) {
		nft = nft_ctx_new(NFT_CTX_DEFAULT);
		rc = run_in_context(nft, commands, err);
		if (nft)
			nft_ctx_free(nft);
		netns_leave(ns);
	}
	take_back_descriptor(parked);
	return rc;
}

int nft_run(const struct netns *ns, struct error *err, const char *format, ...)
{
	_cleanup_(freep) char *commands = NULL;
	va_list ap;

	va_start(ap, format);
	commands = format_newv(format, ap);
	va_end(ap);
	if (!commands)
		return error_errno(err, -ENOMEM, "packet filter");
	return run_inside(ns, commands, err);
}

int nft_check(const struct netns *ns, struct error *err)
{
	int rc = check_protocol(ns, err);

	if (rc < 0)
		return rc;
	rc = nft_run(ns, NULL, "list tables netdev");
	if (rc < 0)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "packet filter: the kernel has no nf_tables, or it is not "
				 "permitted without CAP_NET_ADMIN: %s",
				 strerror(-rc));
	return 0;
}
