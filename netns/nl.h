/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Requests to the kernel over netlink (libmnl), sent in batches: nl_request()
 * opens a message, mnl_attr_put*() fill it, nl_commit() sends all that were opened
 * since the last commit in one go and waits for every acknowledgement. The text of
 * an error begins with the description that the caller gave to the request that
 * failed, and ends with the kernel's extended acknowledgement if there was one.
 */

#include <libmnl/libmnl.h>
#include <stdarg.h>

#include "netns/netns.h"

struct nl;

/* Opens a socket of NETLINK_`protocol` inside `ns`, with extended acknowledgements. */
int nl_new(const struct netns *ns, int protocol, struct nl **ret_nl, struct error *err);
struct nl *nl_free(struct nl *nl);
DEFINE_CLEANUP(struct nl *, nl_free)

/* Opens a message of `type` with `flags` (NLM_F_REQUEST | NLM_F_ACK are added). The caller
 * puts the protocol header and attributes next. `description` ("link 'eth0': set up") is copied
 * and cut to NL_DESCRIPTION_SIZE. This never fails: when the batch is full it is sent, and
 * nl_commit() returns how that went. */
#define NL_DESCRIPTION_SIZE 96
__attribute__((format(printf, 4, 5))) struct nlmsghdr *nl_request(struct nl *nl, uint16_t type,
								  uint16_t flags,
								  const char *description, ...);

struct nlmsghdr *nl_requestv(struct nl *nl, uint16_t type, uint16_t flags, const char *description,
			     va_list ap);

/* Gives up the request that was opened last, which the caller failed to make with `rc`. The
 * requests before it are sent, as if the kernel had refused only this one; nl_commit() or
 * nl_query() returns `rc`. The message can still be filled, but is never sent. */
void nl_refuse(struct nl *nl, int rc);

/* Sends the batch. Returns 0 when every request was acknowledged, or else the first error with its
 * text; the kernel may have carried out later requests of the batch. */
int nl_commit(struct nl *nl, struct error *err);

/* Sends the one request that is open, which asks for one object or, with NLM_F_DUMP, for many, and
 * calls `func` for each answer. When `func` returns a negative number it is not called again, and
 * that number is returned; `err` is then left to `func`. */
typedef int (*nl_func)(const struct nlmsghdr *nlh, void *userdata);
int nl_query(struct nl *nl, nl_func func, void *userdata, struct error *err);
