/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tells what the kernel does with its TCP connections, as a stream of observations with
 * the kernel's times.
 *
 * Theory of operation. One observer serves every trial of the process, and a watch
 * follows one network namespace for it. A watch has up to three sources:
 *
 * - Tracepoints. The observer attaches one set of BPF programs to the kernel's
 *   tracepoints. A program knows the namespace of each socket by the namespace's cookie,
 *   and passes on the events of watched namespaces through a ring buffer, with times of
 *   bpf_ktime_get_ns(). Events that find the ring full are counted, told as
 *   OBSERVATION_LOST, and fail the trial.
 * - Packets. An AF_PACKET socket in the namespace takes the headers of its TCP
 *   packets, whose timestamps are brought to CLOCK_MONOTONIC.
 * - Derived. State changes, retransmissions and resets are derived from the packets
 *   (src/tcp/tracker.h), and the end of a connection from sock_diag's destroy
 *   notifications. This source also runs where there are tracepoints, because these can
 *   miss events that nothing counts: on Linux 6.18, of 200 connections that timed
 *   out within a second up to twelve never reported CLOSE to the BPF programs, though
 *   ftrace had every event. All of them ended in softirqs that had interrupted
 *   another process's bpf(2) call. The trial (src/trial/node.c) compares both sources,
 *   and asks the kernel when they differ. Where BPF is not permitted, there are no
 *   tracepoints, and observer_derived_reason() says why.
 *
 * The tracepoints do not show small sockets: TIME_WAIT, an orphan's FIN_WAIT2 and
 * SYN_RECV. A connection that enters TIME_WAIT reports CLOSE. The trial asks sock_diag
 * for these (src/trial/minisocket.c). The packet socket sees a packet before TCP does,
 * so a derived observation may come some microseconds before the kernel acts. For a
 * server with TCP_DEFER_ACCEPT, ESTABLISHED is derived too early, because a bare ACK
 * looks like the end of the handshake.
 *
 * Order. Each source tells its observations in the order of time (two processors may
 * overtake each other in the ring by microseconds, but one socket's events never do).
 * Between sources there is no order: a caller that needs one sorts by time_nsec after
 * observer_watch_flush() of each watch.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/observer/observation.h"
#include "src/observer/watch-spec.h"
#include "src/util/closer.h"
#include "src/util/loop.h"

struct observer;
struct observer_watch;
/* Gets each observation of a watch. */
typedef void (*observer_func)(const struct observation *observation, void *userdata);

/* Makes an observer, which attaches the BPF programs. Where that is not permitted (EPERM), or the
 * kernel or this build has no BPF, all observations are derived. BPF that is there and permitted
 * but does not work is an error. With `derived_only` the programs are not even tried. */
int observer_new(struct loop *loop, bool derived_only, struct observer **ret_observer,
		 struct error *err);
/* Frees an observer. All its watches must have been freed before, and no function of a watch may
 * call this. */
struct observer *observer_free(struct observer *observer);
DEFINE_CLEANUP(struct observer *, observer_free)
/* Makes the observer keep the packet sockets of freed watches open until it is freed itself. To
 * close one takes an RCU grace period (net/packet/af_packet.c: packet_release()), some ticks in
 * which the loop stands still. An open socket keeps its namespace alive. */
void observer_close_late(struct observer *observer);
/* Makes the observer leave it to the closer, which must outlive it, to close those sockets. */
void observer_close_by(struct observer *observer, struct closer *closer);
/* Returns in one line why all observations are derived; NULL where there are tracepoints. */
const char *observer_derived_reason(const struct observer *observer);

/* Starts to pass on the observations of a namespace, in the order of time within each source. The
 * watch keeps the namespace alive until the watch is freed. `func` may free this watch and others,
 * and make new ones. A namespace may have several watches. */
int observer_watch(struct observer *observer, const struct observer_watch_spec *spec,
		   observer_func func, void *userdata, struct observer_watch **ret_watch,
		   struct error *err);
/* Passes on all observations so far at once, without waiting for the loop. Does nothing when it is
 * called by the function of a watch. */
void observer_watch_flush(struct observer_watch *watch);
/* Returns 0, or the first failed or short write to the watch's capture file (disk full). */
int observer_watch_check(struct observer_watch *watch, struct error *err);
/* Frees a watch, whose function is not called any more. */
struct observer_watch *observer_watch_free(struct observer_watch *watch);
DEFINE_CLEANUP(struct observer_watch *, observer_watch_free)
