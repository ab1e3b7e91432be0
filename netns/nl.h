/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Requests to the kernel over netlink (libmnl), sent in batches: nl_request()
 * opens a message, mnl_attr_put*() fill it, nl_commit() sends all that were opened
 * since the last commit in one go and waits for every acknowledgement. The error
 * text is the kernel's own extended acknowledgement where it gave one, with the
 * description the caller gave to the request that failed.
 */

#include <libmnl/libmnl.h>

#include "netns/netns.h"

struct nl;

/* A NETLINK_`protocol` socket inside `ns`, extended acknowledgements on. */
int nl_new(const struct netns *ns, int protocol, struct nl **ret_nl, struct error *err);
struct nl *nl_free(struct nl *nl);
DEFINE_CLEANUP(struct nl *, nl_free)

/* Opens a message of `type` with `flags` (NLM_F_REQUEST | NLM_F_ACK are added). The caller
 * puts the protocol header and attributes next. `description` ("link 'eth0': set up") is copied
 * and cut to 96 bytes. Never fails: out of room is reported by nl_commit(). */
__attribute__((format(printf, 4, 5))) struct nlmsghdr *nl_request(struct nl *nl, uint16_t type,
								  uint16_t flags,
								  const char *description, ...);

/* Sends the batch; 0 when every request was acknowledged. On failure returns the first error
 * and its text; later requests of the batch may have been carried out. */
int nl_commit(struct nl *nl, struct error *err);

/* For a request that needs the outcome of earlier ones: sends the open ones now. Their failure
 * waits for nl_commit(), and so does one that the caller has to tell of by nl_fail(). */
void nl_flush(struct nl *nl);
void nl_fail(struct nl *nl, int rc, const struct error *err);

/* Sends one request, already opened with nl_request(), that asks for objects (NLM_F_DUMP) or for
 * one, and calls `func` for each answer until the last; a negative return from `func` ends the
 * calls and is returned, with `err` left to `func`. */
typedef int (*nl_func)(const struct nlmsghdr *nlh, void *userdata);
int nl_query(struct nl *nl, nl_func func, void *userdata, struct error *err);
