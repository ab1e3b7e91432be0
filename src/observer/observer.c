/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/observer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "netns/sockdiag.h"
#include "src/observer/derived.h"
#include "src/observer/packets.h"
#include "src/observer/tracepoints.h"

/*
 * Theory of operation: the function of a watch may free its watch, or make new ones. A watch that
 * is freed while any such function runs (`busy`) is marked dead at once, and its memory is freed
 * when no function runs any more.
 */

#define RING_SIZE (1 << 20) /* bytes; some 8,000 events */
#define BUCKETS	  256
/* The most that is taken from one source before the loop serves the others. */
#define RING_TURN     512  /* events */
#define PACKET_TURN   4	   /* batches */
#define DESTROY_TURN  64   /* notifications */
#define PACKETS_AHEAD 64   /* batches, before destroy notifications are read */
#define FLUSH_TURN    4096 /* batches or notifications of a flush: more than a buffer holds */

#define SOURCES 2 /* of a watch in the loop: packets, destroy notifications */

struct observer {
	struct loop *loop;			/* not owned */
	struct tracepoints *bpf;		/* or NULL; owned */
	struct loop_io *bpf_io;			/* of the tracepoints' descriptor; owned */
	char reason[256];			/* why there are no tracepoints, or empty */
	struct packets_buffer *buffer;		/* for all packet sources; owned */
	struct observer_watch *bucket[BUCKETS]; /* watches by cookie, with dead ones while busy */
	unsigned int busy;			/* drains of sources that have not returned */
	bool any_dead;				/* a bucket has a dead watch */
	bool close_late;			/* observer_close_late() was called */
	struct packets *closed_late;		/* linked muted sources of freed watches; owned */
	struct closer *closer;			/* of the others' sockets, or NULL; not owned */
};

struct observer_watch {
	struct observer *observer;   /* not owned */
	struct observer_watch *next; /* in the bucket */
	uint64_t cookie;	     /* of the namespace */
	observer_func func;
	void *userdata;		     /* of `func`; not owned */
	bool dead;		     /* it was freed, and `func` is not called any more */
	int netns_fd;		     /* keeps the namespace alive; owned */
	int destroy_fd;		     /* sock_diag's destroy notifications; owned */
	struct packets *packets;     /* or NULL; owned */
	struct derived *derived;     /* or NULL; owned */
	struct loop_io *io[SOURCES]; /* of the packets and of destroy_fd; owned */
};

const char *observer_derived_reason(const struct observer *observer)
{
	return observer->bpf ? NULL : observer->reason;
}

static void release(struct observer_watch *watch)
{
	struct observer *observer = watch->observer;

	if (watch->packets && observer->close_late)
		observer->closed_late = packets_mute(watch->packets, observer->closed_late);
	else
		packets_free_by(watch->packets, observer->closer);
	derived_free(watch->derived);
	fd_close(watch->destroy_fd);
	fd_close(watch->netns_fd);
	free(watch);
}

/* Ends a drain that began with `busy++`. The last one to end releases the watches that were freed
 * meanwhile. */
static void end(struct observer *observer)
{
	if (--observer->busy || !observer->any_dead)
		return;
	observer->any_dead = false;
	for (int i = 0; i < BUCKETS; i++) {
		for (struct observer_watch **link = &observer->bucket[i]; *link;) {
			struct observer_watch *watch = *link;

			if (!watch->dead) {
				link = &watch->next;
				continue;
			}
			*link = watch->next;
			release(watch);
		}
	}
}

static bool tell(const struct observation *observation, void *userdata)
{
	struct observer_watch *watch = userdata;

	if (!watch->dead)
		watch->func(observation, watch->userdata);
	return !watch->dead;
}

static bool tell_derived(const struct observation *observation, void *userdata)
{
	struct observation o = *observation;

	o.derived = true;
	return tell(&o, userdata);
}

static struct observer_watch **bucket_of(struct observer *observer, uint64_t cookie)
{
	return &observer->bucket[cookie % BUCKETS];
}

static void on_record(uint64_t netns, const struct observation *observation, void *userdata)
{
	struct observer *observer = userdata;

	for (struct observer_watch *w = *bucket_of(observer, netns); w; w = w->next) {
		if (w->cookie == netns)
			tell(observation, w);
	}
}

/* Where it cannot be found out whose events were lost, each watch may have lost some. */
static void drain_ring(struct observer *observer, unsigned int max)
{
	struct observation lost = { .kind = OBSERVATION_LOST, .time_nsec = nsec_now(), .lost = 1 };

	if (tracepoints_drain(observer->bpf, max) >= 0)
		return;
	for (int i = 0; i < BUCKETS; i++)
		for (struct observer_watch *w = observer->bucket[i]; w; w = w->next)
			tell(&lost, w);
}

static void on_ring(void *userdata, uint32_t events)
{
	struct observer *observer = userdata;

	observer->busy++;
	drain_ring(observer, RING_TURN);
	end(observer);
}

static bool on_packet(const struct observation *observation, void *userdata)
{
	struct observer_watch *watch = userdata;

	if (!tell(observation, watch))
		return false;
	if (watch->derived && observation->kind == OBSERVATION_PACKET)
		derived_packet(watch->derived, observation);
	return !watch->dead;
}

static void on_packets(void *userdata, uint32_t events)
{
	struct observer_watch *watch = userdata;
	struct observer *observer = watch->observer;

	observer->busy++;
	packets_drain(watch->packets, PACKET_TURN);
	end(observer);
}

static void tell_destroyed(struct observer_watch *watch, const struct sockdiag_socket *socket)
{
	struct observation o = {
		.kind = OBSERVATION_DESTROY,
		.time_nsec = nsec_now(),
		.local = socket->local,
		.peer = socket->peer,
		.local_port = socket->local_port,
		.peer_port = socket->peer_port,
		.destroyed = socket->info,
	};

	if (watch->derived)
		derived_destroyed(watch->derived, socket, o.time_nsec);
	else
		tell(&o, watch);
}

static void drain_destroyed(struct observer_watch *watch, unsigned int max)
{
	struct observation lost = { .kind = OBSERVATION_LOST, .lost = 1 };
	struct sockdiag_socket socket;

	while (!watch->dead && max--) {
		int rc = sockdiag_receive_destroy(watch->destroy_fd, &socket, NULL);

		if (rc < 0) {
			lost.time_nsec = nsec_now();
			tell(&lost, watch);
		}
		if (rc == 0 || (rc < 0 && rc != -ENOBUFS))
			return;
		if (rc > 0) {
			tell_destroyed(watch, &socket);
		}
	}
}

/* Packets are taken before destroy notifications, because a connection's last packets came before
 * the kernel freed its socket. */
static void on_destroyed(void *userdata, uint32_t events)
{
	struct observer_watch *watch = userdata;
	struct observer *observer = watch->observer;

	observer->busy++;
	if (watch->packets)
		packets_drain(watch->packets, PACKETS_AHEAD);
	drain_destroyed(watch, DESTROY_TURN);
	end(observer);
}

static int attach(struct observer *observer, bool derived_only, struct error *err)
{
	struct error why = { 0 };
	int rc;

	if (derived_only) {
		snprintf(observer->reason, sizeof(observer->reason), "BPF was not asked for");
		return 0;
	}
	rc = tracepoints_new(RING_SIZE, on_record, observer, &observer->bpf, &why);
	if (rc < 0 && why.kind != ERROR_CAPABILITY)
		return error_hand_on(err, rc, &why);
	if (rc < 0) {
		snprintf(observer->reason, sizeof(observer->reason), "%.250s", why.text);
		return 0;
	}
	return loop_io_new(observer->loop, tracepoints_fd(observer->bpf), EPOLLIN, on_ring,
			   observer, &observer->bpf_io, err);
}

int observer_new(struct loop *loop, bool derived_only, struct observer **ret_observer,
		 struct error *err)
{
	_cleanup_(observer_freep) struct observer *observer = calloc(1, sizeof(*observer));
	int rc;

	if (!observer || !(observer->buffer = packets_buffer_new()))
		return error_errno(err, -ENOMEM, "observer");
	observer->loop = loop;
	rc = attach(observer, derived_only, err);
	if (rc < 0)
		return rc;
	*ret_observer = take_ptr(observer);
	return 0;
}

struct observer *observer_free(struct observer *observer)
{
	if (!observer)
		return NULL;
	loop_io_free(observer->bpf_io);
	tracepoints_free(observer->bpf);
	while (observer->closed_late)
		observer->closed_late = packets_free(observer->closed_late);
	packets_buffer_free(observer->buffer);
	free(observer);
	return NULL;
}

void observer_close_late(struct observer *observer)
{
	observer->close_late = true;
}

void observer_close_by(struct observer *observer, struct closer *closer)
{
	observer->closer = closer;
}

/* Subscribes to destroy notifications. For IPv4 the group of IPv6 is joined too, because a
 * connection over IPv4 may belong to an IPv6 socket. */
static int listen_destroy(struct observer_watch *watch, const struct observer_watch_spec *spec,
			  struct error *err)
{
	int group = SKNLGRP_INET6_TCP_DESTROY;
	int rc = sockdiag_listen_destroy(spec->ns, spec->family, &watch->destroy_fd, err);

	if (rc < 0 || spec->family == AF_INET6)
		return rc;
	if (setsockopt(watch->destroy_fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)) < 0)
		return error_errno(err, -errno, "notices of IPv6 sockets' ends");
	return 0;
}

static int open_sources(struct observer_watch *watch, const struct observer_watch_spec *spec,
			struct error *err)
{
	struct observer *observer = watch->observer;
	int rc;

	watch->netns_fd = fcntl(spec->ns->fd, F_DUPFD_CLOEXEC, 0);
	if (watch->netns_fd < 0)
		return error_errno(err, -errno, "network namespace");
	/* A router is not tracked: it forwards packets and ends no connection. */
	if (spec->ifindex) {
		rc = derived_new(tell_derived, watch, &watch->derived, err);
		if (rc < 0)
			return rc;
	}
	if (spec->ifindex || spec->pcap_path) {
		rc = packets_new(spec, observer->buffer, on_packet, watch, &watch->packets, err);
		if (rc < 0)
			return rc;
	}
	return listen_destroy(watch, spec, err);
}

static int enter_loop(struct observer_watch *watch, struct error *err)
{
	struct loop *loop = watch->observer->loop;
	int rc;

	if (watch->packets) {
		rc = loop_io_new(loop, packets_fd(watch->packets), EPOLLIN, on_packets, watch,
				 &watch->io[0], err);
		if (rc < 0)
			return rc;
	}
	return loop_io_new(loop, watch->destroy_fd, EPOLLIN, on_destroyed, watch, &watch->io[1],
			   err);
}

int observer_watch(struct observer *observer, const struct observer_watch_spec *spec,
		   observer_func func, void *userdata, struct observer_watch **ret_watch,
		   struct error *err)
{
	_cleanup_(observer_watch_freep) struct observer_watch *watch = calloc(1, sizeof(*watch));
	struct observer_watch **bucket = bucket_of(observer, spec->ns->cookie);
	int rc;

	if (!watch)
		return error_errno(err, -ENOMEM, "observer");
	*watch = (struct observer_watch){ .observer = observer,
					  .next = *bucket,
					  .cookie = spec->ns->cookie,
					  .func = func,
					  .userdata = userdata,
					  .netns_fd = -1,
					  .destroy_fd = -1 };
	*bucket = watch;
	rc = open_sources(watch, spec, err);
	if (rc >= 0)
		rc = enter_loop(watch, err);
	if (rc >= 0 && observer->bpf)
		rc = tracepoints_watch(observer->bpf, watch->cookie, err);
	if (rc < 0)
		return error_prefix(err, rc, "observer");
	*ret_watch = take_ptr(watch);
	return 0;
}

/* Whether the namespace has no other watch. */
static bool is_last(const struct observer_watch *watch)
{
	for (struct observer_watch *w = *bucket_of(watch->observer, watch->cookie); w;
	     w = w->next) {
		if (w != watch && !w->dead && w->cookie == watch->cookie)
			return false;
	}
	return true;
}

struct observer_watch *observer_watch_free(struct observer_watch *watch)
{
	if (!watch)
		return NULL;
	for (int i = 0; i < SOURCES; i++)
		watch->io[i] = loop_io_free(watch->io[i]);
	if (watch->observer->bpf && is_last(watch))
		tracepoints_unwatch(watch->observer->bpf, watch->cookie);
	watch->dead = true;
	watch->observer->any_dead = true;
	watch->observer->busy++;
	end(watch->observer);
	return NULL;
}

void observer_watch_flush(struct observer_watch *watch)
{
	struct observer *observer = watch->observer;

	/* A source cannot be drained from within a drain. */
	if (observer->busy)
		return;
	observer->busy++;
	if (observer->bpf)
		drain_ring(observer, UINT32_MAX);
	if (!watch->dead && watch->packets)
		packets_drain(watch->packets, FLUSH_TURN);
	drain_destroyed(watch, FLUSH_TURN);
	end(observer);
}

int observer_watch_check(struct observer_watch *watch, struct error *err)
{
	return watch->packets ? packets_check(watch->packets, err) : 0;
}
