/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A network namespace that lives by its file descriptor alone: it has no name,
 * and the kernel takes it away with the last descriptor, socket or process in it,
 * however this process ends. This layer knows nothing of scenarios. It is used
 * from one thread: netns_enter() changes the calling thread's namespace.
 */

#include <stdint.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

struct netns {
	int fd;		 /* the namespace; owned; usable for setns() and /proc/self/fd/N mounts */
	uint64_t cookie; /* what SO_NETNS_COOKIE and the kernel's net->net_cookie say */
	int home_fd;	 /* the namespace to go back to; owned */
};

/* Makes a namespace with its loopback down. The caller's own namespace is unchanged
 * afterwards. ERROR_CAPABILITY when namespaces are not allowed here. */
int netns_new(struct netns **ret_ns, struct error *err);
struct netns *netns_free(struct netns *ns);
DEFINE_CLEANUP(struct netns *, netns_free)

/* Moves the calling thread into `ns`, and back to where it was at netns_new(). Nothing in
 * between may return early: see netns_socket() for the usual need. */
int netns_enter(const struct netns *ns, struct error *err);
void netns_leave(const struct netns *ns);

/* A socket that belongs to `ns` (for its whole life), close-on-exec. */
int netns_socket(const struct netns *ns, int domain, int type, int protocol, int *ret_fd,
		 struct error *err);
