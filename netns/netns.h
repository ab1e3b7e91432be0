/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A network namespace that lives by its file descriptor alone: it has no name,
 * and the kernel takes it away with the last descriptor, socket or process in it,
 * however this process ends. It is used from one thread: netns_enter() changes the
 * calling thread's namespace.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

struct netns {
	int fd;		 /* the namespace; owned; usable for setns() and /proc/self/fd/N mounts */
	uint64_t cookie; /* its SO_NETNS_COOKIE, in the kernel net->net_cookie. Kernels before 5.14
			  * do not tell it, and the number of its inode, ns.inum, stands for it */
	int home_fd;	 /* the namespace to go back to; owned */
};

/* Whether this kernel tells the cookies of namespaces. */
bool netns_has_cookies(void);

/* Makes a namespace with its loopback down. The calling thread stays in its own namespace. Fails
 * with ERROR_CAPABILITY when namespaces are not allowed here. */
int netns_new(struct netns **ret_ns, struct error *err);
struct netns *netns_free(struct netns *ns);
DEFINE_CLEANUP(struct netns *, netns_free)

/* Move the calling thread into `ns`, and back to where it was at netns_new(). The caller must not
 * return between the two. For a socket in `ns` there is netns_socket(). */
int netns_enter(const struct netns *ns, struct error *err);
void netns_leave(const struct netns *ns);

/* Opens a close-on-exec socket that belongs to `ns` for its whole life. */
int netns_socket(const struct netns *ns, int domain, int type, int protocol, int *ret_fd,
		 struct error *err);

/* Returns whether a request failed because the kernel lacks what it was asked for. */
bool netns_lacks(int rc);
/* Returns whether this kernel can do what `attempt` does in a namespace made for it: 1 if that
 * succeeds, 0 if it fails for want of something in the kernel, or another negative errno. */
int netns_probe(int (*attempt)(const struct netns *ns, struct error *err), struct error *err);
