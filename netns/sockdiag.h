/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the kernel knows of its TCP sockets (NETLINK_SOCK_DIAG): full sockets, and
 * the small ones of TIME_WAIT and SYN_RECV that no tracepoint shows. What `ss -tnoi`
 * prints comes from here.
 */

#include <linux/tcp.h>
#include <netinet/in.h>

#include "netns/nl.h"
#include "netns/route.h"
#include "src/tcp/state.h"
#include "src/util/nsec.h"

struct sockdiag_socket {
	struct ip local, peer;		    /* with the prefix of one address; those of IPv4 where
					     * an IPv6 socket speaks it */
	uint16_t local_port, peer_port;	    /* in the machine's byte order */
	int state;			    /* an enum tcp_state; a request socket is in SYN_RECV */
	uint64_t cookie;		    /* SO_COOKIE */
	uint32_t inode;			    /* 0: no process holds it (orphan, TIME_WAIT) */
	uint32_t receive_queue, send_queue; /* bytes; of a listener: accepted, backlog */
	enum tcp_timer timer;		    /* the one that is armed */
	nsec_t expires_nsec;		    /* how long until the timer fires */
	unsigned int retransmits;	    /* idiag_retrans: retransmissions, or probes sent */
	bool v6_only;			    /* IPV6_V6ONLY, of a listener of IPv6 */
	bool has_info;			    /* the kernel gave `info` */
	struct tcp_info info;		    /* zero beyond what the kernel gave */
};

/* Calls `func` for each TCP socket of the namespace that speaks the family (AF_UNSPEC: any), and
 * whose state is in `states`, a mask of 1 << enum tcp_state, until `func` returns a negative
 * number. IPv6 sockets that speak IPv4, and listeners on :: that would, are IPv4's, and listed as
 * IPv6's too. `nl` is of protocol NETLINK_SOCK_DIAG. */
typedef int (*sockdiag_func)(const struct sockdiag_socket *socket, void *userdata);
int sockdiag_dump(struct nl *nl, int family, uint32_t states, sockdiag_func func, void *userdata,
		  struct error *err);

/* Finds the socket that has the addresses and ports of `like`, small ones too. Returns 1 and fills
 * *ret_socket, or 0 when there is none; it then has the listener of the port, or no state. This is
 * cheaper than a dump, for which the kernel walks the tables of all namespaces. */
int sockdiag_get(struct nl *nl, const struct sockdiag_socket *like,
		 struct sockdiag_socket *ret_socket, struct error *err);

/* Ends every TCP connection of the namespace at once (SOCK_DESTROY, net/ipv4/tcp.c:
 * tcp_abort()): a RST goes out, and orphans retransmit no more. An orphan would keep its namespace
 * alive, for minutes if nobody answers it. Without CONFIG_INET_DIAG_DESTROY nothing happens. */
void sockdiag_abort_all(struct nl *nl);

/* Opens a socket in `ns` that receives a message for each TCP socket of `family` that the kernel
 * frees there (SKNLGRP_INET_TCP_DESTROY or _INET6_). That needs no privilege. */
int sockdiag_listen_destroy(const struct netns *ns, int family, int *ret_fd, struct error *err);
/* Reads one such message without blocking. Returns 1 and fills *ret_socket, 0 when there is none,
 * -ENOBUFS when some were lost, or another negative errno when it cannot be read. */
int sockdiag_receive_destroy(int fd, struct sockdiag_socket *ret_socket, struct error *err);
