/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int nft_run(const struct netns *ns, const char *commands, char **ret_output, struct error *err)
{
	struct nft_ctx *nft;
	int rc, parked;

	parked = lend_descriptor(err);
	if (parked < 0)
		return parked;
	rc = netns_enter(ns, err);
	if (rc >= 0) {
		nft = nft_ctx_new(NFT_CTX_DEFAULT);
		rc = nft ? run_in_context(nft, commands, ret_output, err)
			 : error_errno(err, -ENOMEM, "packet filter");
		if (nft)
			nft_ctx_free(nft);
		netns_leave(ns);
	}
	take_back_descriptor(parked);
	return rc;
}

int nft_runf(const struct netns *ns, char **ret_output, struct error *err, const char *format, ...)
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
	return nft_run(ns, commands, ret_output, err);
}

int nft_check(const struct netns *ns, struct error *err)
{
	int rc;

	rc = check_protocol(ns, err);
	if (rc < 0)
		return rc;
	rc = nft_run(ns, "list tables netdev", NULL, NULL);
	if (rc < 0)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "packet filter: the kernel has no nf_tables, or it is not "
				 "permitted without CAP_NET_ADMIN: %s",
				 strerror(-rc));
	return 0;
}
