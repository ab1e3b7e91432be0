/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int open_current(int *ret_fd, struct error *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no /proc/thread-self/ns/net: /proc is not mounted, or the kernel "
				 "has no network namespaces");
	if (fd < 0)
		return error_errno(err, -errno, "open /proc/thread-self/ns/net");
	*ret_fd = fd;
	return 0;
}

bool netns_has_cookies(void)
{
	_cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) >= 0 ||
	       errno != ENOPROTOOPT;
}

/* Finds the cookie of the namespace that the calling thread is in, or the number of its inode.
 * Whoever took 0 for an answer where a call has failed would wait in vain for the namespace's
 * events. */
static int current_cookie(int ns_fd, uint64_t *ret_cookie, struct error *err)
{
	_cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*ret_cookie);
	struct stat st;

	*ret_cookie = 0;
	if (fd < 0)
		return error_errno(err, -errno, "network namespace: socket");
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &size) >= 0)
		return 0;
	if (errno != ENOPROTOOPT || fstat(ns_fd, &st) < 0)
		return error_errno(err, -errno, "network namespace: cookie");
	*ret_cookie = st.st_ino;
	return 0;
}

static int unshare_error(int rc, struct error *err)
{
	switch (rc) {
	case -EPERM:
		return error_set(err, ERROR_CAPABILITY, rc,
				 "network namespace: not permitted without CAP_SYS_ADMIN; run as "
				 "root or in a user namespace");
	case -EINVAL:
		return error_set(err, ERROR_CAPABILITY, rc,
				 "network namespace: the kernel has none (CONFIG_NET_NS)");
	case -ENOSPC:
		return error_set(err, ERROR_CAPABILITY, rc,
				 "network namespace: the limit user.max_net_namespaces is reached");
	default:
		return error_errno(err, rc, "network namespace");
	}
}

/* setns() asks for CAP_SYS_ADMIN over the target too (net/core/net_namespace.c: netns_install). A
 * process that is not root has it over a namespace that it makes, but perhaps not over the one that
 * it comes from. So the way back is tried before the way out. */
static int check_return(int home_fd, struct error *err)
{
	if (setns(home_fd, CLONE_NEWNET) >= 0)
		return 0;
	if (errno != EPERM)
		return error_errno(err, -errno, "network namespace: enter the present one");
	return error_set(err, ERROR_CAPABILITY, -EPERM,
			 "network namespace: not permitted without CAP_SYS_ADMIN over the present "
			 "one; run as root, or unshare user and network namespace together");
}

/* Between unshare() and netns_leave() the thread is in the new namespace. */
static int make(struct netns *ns, struct error *err)
{
	int rc;

	if (unshare(CLONE_NEWNET) < 0)
		return unshare_error(-errno, err);
	rc = open_current(&ns->fd, err);
	if (rc >= 0)
		rc = current_cookie(ns->fd, &ns->cookie, err);
	netns_leave(ns);
	return rc;
}

int netns_new(struct netns **ret_ns, struct error *err)
{
	_cleanup_(netns_freep) struct netns *ns = calloc(1, sizeof(*ns));
	int rc;

	if (!ns)
		return error_errno(err, -ENOMEM, "network namespace");
	ns->fd = ns->home_fd = -1;
	rc = open_current(&ns->home_fd, err);
	if (rc < 0)
		return rc;
	rc = check_return(ns->home_fd, err);
	if (rc < 0)
		return rc;
	rc = make(ns, err);
	if (rc < 0)
		return rc;
	*ret_ns = take_ptr(ns);
	return 0;
}

struct netns *netns_free(struct netns *ns)
{
	if (!ns)
		return NULL;
	fd_close(ns->fd);
	fd_close(ns->home_fd);
	free(ns);
	return NULL;
}

int netns_enter(const struct netns *ns, struct error *err)
{
	if (setns(ns->fd, CLONE_NEWNET) < 0)
		return error_errno(err, -errno, "enter network namespace");
	return 0;
}

void netns_leave(const struct netns *ns)
{
	/* netns_new() has made sure of the permission. If it was lost since, a process that goes on
	 * would configure the wrong namespace. */
	if (setns(ns->home_fd, CLONE_NEWNET) < 0)
		abort();
}

int netns_socket(const struct netns *ns, int domain, int type, int protocol, int *ret_fd,
		 struct error *err)
{
	int fd, rc;

	rc = netns_enter(ns, err);
	if (rc < 0)
		return rc;
	fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	rc = fd < 0 ? -errno : 0;
	netns_leave(ns);
	if (rc < 0)
		return error_errno(err, rc, "socket of family %d in network namespace", domain);
	*ret_fd = fd;
	return 0;
}

bool netns_lacks(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT || rc == -ENOENT || rc == -EINVAL;
}

int netns_probe(int (*attempt)(const struct netns *ns, struct error *err), struct error *err)
{
	_cleanup_(netns_freep) struct netns *ns = NULL;
	struct error own = { 0 };
	int rc = netns_new(&ns, err);

	if (rc < 0)
		return rc;
	rc = attempt(ns, &own);
	if (netns_lacks(rc))
		return 0;
	return rc < 0 ? error_hand_on(err, rc, &own) : 1;
}
