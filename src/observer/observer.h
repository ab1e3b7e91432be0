/* SPDX-License-Identifier: GPL-2.0-or-later */
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

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "netns/netns.h"
#include "netns/route.h"
#include "src/util/loop.h"

enum observer_clock {
	OBSERVER_CLOCK_TRACEPOINT, /* every time is the kernel's own at the event */
	OBSERVER_CLOCK_SOCK_DIAG,  /* packet timestamps and destroy notifications */
	_OBSERVER_CLOCK_MAX,
};

enum observation_kind {
	OBSERVATION_STATE,
	OBSERVATION_RETRANSMIT,
	OBSERVATION_RESET_SENT,
	OBSERVATION_RESET_RECEIVED,
	OBSERVATION_PACKET,
	OBSERVATION_DESTROY, /* sock_diag: the socket is freed; `destroyed` has its last tcp_info */
	OBSERVATION_LOST,    /* `lost` events or packets could not be recorded */
	_OBSERVATION_KIND_MAX,
};

/* Why a retransmission was sent (icsk_pending at tcp_retransmit_skb). */
enum retransmit_reason {
	RETRANSMIT_RTO,
	RETRANSMIT_LOSS_PROBE, /* tail loss probe */
	RETRANSMIT_FAST,       /* by ACKs */
	RETRANSMIT_UNKNOWN,    /* derived from packets; SYN-ACKs */
};

/* What a socket looked like at a state change: from it the mechanism of an end is told. The
 * fallback has retransmits, probes and unacknowledged from the packets (at a silent end the first
 * two and unsent from tcp_info), keepalive once a probe was sent, and never the rest. */
struct socket_facts {
	bool present;
	bool dead;		 /* SOCK_DEAD: no process holds it (orphan) */
	bool keepalive;		 /* SO_KEEPALIVE is on */
	uint32_t retransmits;	 /* icsk_retransmits: consecutive unanswered RTOs */
	uint32_t probes;	 /* icsk_probes_out: keepalive or zero window probes unanswered */
	uint32_t user_timeout;	 /* icsk_user_timeout, milliseconds, 0: none */
	uint32_t unacknowledged; /* snd_nxt - snd_una, bytes sent and not acknowledged; SYN and FIN
				  * count as one each */
	uint32_t unsent;	 /* write_seq - snd_nxt, bytes queued and not sent */
	int error;		 /* sk_err, positive errno */
	int soft_error;		 /* sk_err_soft */
};

struct tcp_packet {
	bool outgoing; /* sent by the watched node */
	struct ip source, destination;
	uint16_t source_port, destination_port;
	uint32_t seq, ack; /* host order */
	uint8_t flags;	   /* FIN=1 SYN=2 RST=4 PSH=8 ACK=16 URG=32 ECE=64 CWR=128 */
	uint16_t window;
	uint32_t payload; /* bytes */
	uint16_t id;	  /* IPv4: identification; 0 with IPv6 */
	uint32_t stamp;	  /* TSval of the timestamps option, 0 without one */
};

struct observation {
	enum observation_kind kind;
	bool derived; /* told from packets and sock_diag, not by a tracepoint; both tell, each by
		       * itself, where there are tracepoints */
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	uint64_t socket;  /* identifies the socket within its namespace while it lives: its kernel
			   * address (tracepoint), else a hash of the four-tuple. The kernel may give
			   * the address of a closed socket to the next one. 0 for PACKET and LOST,
			   * for a reset sent where there is no socket, and, with the tracepoint, for
			   * DESTROY: go by the ports */
	uint16_t local_port, peer_port; /* host order; 0: not known, or a listener. Going to
					 * SYN_SENT a socket that was not bound has no local port
					 * yet, going to SYN_RECV some have no peer port yet */
	union {
		struct {
			int from, to; /* TCP_* (src/tcp/tracker.h). A full socket's:
				       * TIME_WAIT and an orphan's FIN_WAIT2 begin with CLOSE,
				       * SYN_RECV comes with ESTABLISHED. Listeners are seen by
				       * the tracepoint only */
			struct socket_facts facts;
		} state;
		struct {
			enum retransmit_reason reason;
			nsec_t rto_nsec; /* that expired; NSEC_NONE when not known, or when it was
					  * not the retransmission timeout */
		} retransmit;
		struct tcp_packet packet;
		struct {
			uint64_t cookie;
			struct tcp_info info;
		} destroyed;
		uint64_t lost;
	};
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
