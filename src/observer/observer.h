/* SPDX-License-Identifier: GPL-2.0-or-later *
 * Why two witnesses. Whoever follows an endpoint (src/trial/node.h) listens to the tracepoints and
 * to what packets and sock_diag tell, because the tracepoints can miss events that nothing counts.
 * On Linux 6.18, of 200 connections that timed out within a second up to twelve never reported
 * CLOSE to the BPF programs, though ftrace had every event: all of these came in softirqs that had
 * interrupted another process's bpf(2) calls. What finds the ring buffer full, in contrast, is
 * counted, and fails the trial. Where the witnesses differ for 100 ms the kernel is asked.
 *
 * What the tracepoints do not show: TIME_WAIT, an orphan's FIN_WAIT2 and SYN_RECV live in small
 * sockets, which have no state changes; a connection that enters TIME_WAIT reports CLOSE.
 * src/trial/minisocket.h asks sock_diag for them. Packets are seen before TCP has them: what
 * follows from a packet is true some microseconds later. Without BPF, what packets tell of a
 * server with TCP_DEFER_ACCEPT is too early, since a bare ACK passes for the end of the handshake.
 */
#pragma once
/*
 * What the kernel does with its TCP connections, as a stream of observations in
 * kernel time. Theory of operation: one observer serves every trial of the
 * process. State changes, retransmissions and resets come from one set of BPF
 * tracepoint programs that pass on events of watched namespaces only, with
 * bpf_ktime_get_ns(). Packets come from an AF_PACKET socket in each watched
 * namespace. Where BPF is not allowed, sock_diag's destroy notifications stand for
 * the end of a connection, and its other state changes and its retransmissions are
 * derived from the packets; observer_clock() says which it is.
 *
 * Order: what one source tells is in the order of time (BPF: but for the microseconds
 * by which two processors may overtake each other; one socket's events never do). Between
 * BPF, packets and destroy notifications it is not: whoever needs one order, of all or of
 * several watches, goes by time_nsec after observer_watch_flush() of each.
 */

#include <stdbool.h>
#include <stdint.h>

#include "netns/netns.h"
#include "src/observer/observation.h"
#include "src/util/loop.h"

enum observer_clock {
	OBSERVER_CLOCK_TRACEPOINT, /* every time is the kernel's own at the event */
	OBSERVER_CLOCK_SOCK_DIAG,  /* packet timestamps and destroy notifications */
	_OBSERVER_CLOCK_MAX,
};

struct observer;
struct observer_watch;
typedef void (*observer_func)(const struct observation *observation, void *userdata);

/* Attaches the BPF programs, or falls back where that is not permitted (EPERM) or the kernel or
 * this build lacks it. `force_fallback`: do not even try. */
int observer_new(struct loop *loop, bool force_fallback, struct observer **ret_observer,
		 struct error *err);
/* After its watches, and not from within their functions. */
struct observer *observer_free(struct observer *observer);
DEFINE_CLEANUP(struct observer *, observer_free)
/* From now on the packet sockets of freed watches are closed with the observer: to close one takes
 * an RCU grace period (net/packet/af_packet.c: packet_release()), some ticks in which the loop
 * stands still. Each keeps its namespace alive. */
void observer_close_late(struct observer *observer);
enum observer_clock observer_clock(const struct observer *observer);
const char *observer_clock_name(enum observer_clock clock); /* "tracepoint", "sock_diag" */
/* Why it fell back, one line, or NULL. */
const char *observer_fallback_reason(const struct observer *observer);

struct observer_watch_spec {
	const struct netns *ns;
	int family;	       /* AF_INET, AF_INET6 */
	int ifindex;	       /* the interface whose packets are taken; 0: none are, but
				* with pcap_path those of every interface */
	const char *interface; /* its name */
	const char *pcap_path; /* also write every packet of it (ARP, ICMP, ...) to this file, or
				* NULL; nanosecond pcap, times of CLOCK_REALTIME */
};

/* Starts to pass on what happens in that namespace, in the order of time within each source.
 * It keeps the namespace alive until it is freed. `func` may free this watch and others, and make
 * new ones. A namespace may have several. */
int observer_watch(struct observer *observer, const struct observer_watch_spec *spec,
		   observer_func func, void *userdata, struct observer_watch **ret_watch,
		   struct error *err);
/* Passes on what has happened there so far, without waiting for the loop to come round. Does
 * nothing when called by whom an observation is passed on to. */
void observer_watch_flush(struct observer_watch *watch);
/* Reports a failed or short pcap write of this watch, if there was one (disk full). */
int observer_watch_check(struct observer_watch *watch, struct error *err);
struct observer_watch *observer_watch_free(struct observer_watch *watch);
DEFINE_CLEANUP(struct observer_watch *, observer_watch_free)
