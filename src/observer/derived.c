/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/derived.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/tcp/packet.h"
#include "src/tcp/tracker.h"

#define BUCKETS		64
#define CONNECTIONS_MAX 65536 /* of one node: a flood of SYNs must not eat the memory */

/* One end of a connection, as the watched node sees it. */
struct tuple {
	struct in6_addr local, peer; /* IPv4 as ::ffff:a.b.c.d, which dual-stack sockets have */
	uint16_t local_port, peer_port;
};

struct connection {
	struct connection *next;
	struct tuple tuple;
	uint64_t hash;
	struct tcp_tracker tracker;
};

struct observer_fallback {
	observer_fallback_func func;
	void *userdata;
	struct connection *bucket[BUCKETS]; /* open ones; owned */
	size_t count;
};

int observer_fallback_new(observer_fallback_func func, void *userdata,
			  struct observer_fallback **ret_fallback, struct error *err)
{
	struct observer_fallback *fallback = calloc(1, sizeof(*fallback));

	if (!fallback)
		return error_errno(err, -ENOMEM, "tracker of connections");
	fallback->func = func;
	fallback->userdata = userdata;
	*ret_fallback = fallback;
	return 0;
}

struct observer_fallback *observer_fallback_free(struct observer_fallback *fallback)
{
	for (int i = 0; fallback && i < BUCKETS; i++) {
		while (fallback->bucket[i]) {
			struct connection *c = fallback->bucket[i];

			fallback->bucket[i] = c->next;
			free(c);
		}
	}
	free(fallback);
	return NULL;
}

static struct in6_addr mapped(const struct ip *ip)
{
	struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (ip->family == AF_INET6)
		return ip->v6;
	memcpy(&address.s6_addr[12], &ip->v4, sizeof(ip->v4));
	return address;
}

static struct tuple tuple_of_packet(const struct tcp_packet *p)
{
	struct in6_addr source = mapped(&p->source), destination = mapped(&p->destination);

	if (p->outgoing)
		return (struct tuple){ source, destination, p->source_port, p->destination_port };
	return (struct tuple){ destination, source, p->destination_port, p->source_port };
}

static struct tuple tuple_of_socket(const struct sockdiag_socket *s)
{
	return (struct tuple){ mapped(&s->local), mapped(&s->peer), s->local_port, s->peer_port };
}

static_assert(sizeof(struct tuple) == 36, "no padding: it is hashed and compared as bytes");

/* FNV-1a; never 0, which means no socket. */
static uint64_t tuple_hash(const struct tuple *tuple)
{
	const uint8_t *p = (const uint8_t *)tuple;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*tuple); i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

/* Where the connection of that tuple is linked, or where a new one would be. */
static struct connection **find(struct observer_fallback *f, const struct tuple *tuple)
{
	struct connection **link = &f->bucket[tuple_hash(tuple) % BUCKETS];

	while (*link && memcmp(&(*link)->tuple, tuple, sizeof(*tuple)) != 0)
		link = &(*link)->next;
	return link;
}

static void remove_at(struct observer_fallback *f, struct connection **link)
{
	struct connection *c = *link;

	*link = c->next;
	f->count--;
	free(c);
}

static struct connection *add_at(struct observer_fallback *f, struct connection **link,
				 const struct tuple *tuple, nsec_t time_nsec)
{
	struct observation lost = { .kind = OBSERVATION_LOST, .time_nsec = time_nsec, .lost = 1 };
	struct connection *c = f->count < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		f->func(&lost, f->userdata);
		return NULL;
	}
	c->tuple = *tuple;
	*link = c;
	f->count++;
	return c;
}

static struct observation observation_of(const struct tuple *tuple, enum observation_kind kind,
					 nsec_t time_nsec)
{
	return (struct observation){
		.kind = kind,
		.time_nsec = time_nsec,
		.socket = tuple_hash(tuple),
		.local_port = tuple->local_port,
		.peer_port = tuple->peer_port,
	};
}

/* The full socket is closed when TIME_WAIT begins: the tracepoint would say CLOSE. */
static int kernel_state(int state)
{
	return state == TCP_STATE_TIME_WAIT ? TCP_STATE_CLOSE : state;
}

static bool tell(struct observer_fallback *f, const struct tuple *tuple, nsec_t time_nsec,
		 const struct tracker_event *event, const struct socket_facts *facts)
{
	struct observation o = observation_of(tuple, OBSERVATION_STATE, time_nsec);

	switch (event->kind) {
	case TRACKER_STATE:
		o.state.from = event->from;
		o.state.to = kernel_state(event->to);
		o.state.facts = *facts;
		break;
	case TRACKER_RETRANSMIT:
		o.kind = OBSERVATION_RETRANSMIT;
		o.retransmit.reason = RETRANSMIT_UNKNOWN;
		o.retransmit.rto_nsec = NSEC_NONE;
		break;
	case TRACKER_RESET_SENT:
		o.kind = OBSERVATION_RESET_SENT;
		break;
	case TRACKER_RESET_RECEIVED:
		o.kind = OBSERVATION_RESET_RECEIVED;
		break;
	}
	return f->func(&o, f->userdata);
}

/* Told last, because whoever is told may free all of this. Facts at the end of a connection are
 * those from before the packet that ended it: an acknowledgement in it is not what killed it. */
void observer_fallback_packet(struct observer_fallback *f, const struct observation *packet)
{
	struct tuple tuple = tuple_of_packet(&packet->packet);
	struct connection **link = find(f, &tuple), *c = *link;
	struct tracker_events events = { 0 };
	struct tcp_tracker stranger = { 0 };
	struct tcp_tracker *tracker = &stranger;
	struct socket_facts facts = { 0 };

	if (!c && tcp_tracker_opens(&packet->packet))
		c = add_at(f, link, &tuple, packet->time_nsec);
	if (c)
		tracker = &c->tracker;
	tcp_tracker_packet(tracker, &packet->packet, &events);
	tcp_tracker_facts(tracker, &facts);
	if (c && tcp_tracker_closed(tracker) && tracker->state != TCP_STATE_NEW_SYN_RECV)
		remove_at(f, link);
	for (unsigned int i = 0; i < events.count; i++) {
		if (!tell(f, &tuple, packet->time_nsec, &events.event[i], &facts))
			return;
	}
}

/* What tcp_info knows better than the packets. The queue is empty by then, so what was not
 * acknowledged is the tracker's. */
static void add_info(struct socket_facts *facts, const struct tcp_info *info)
{
	facts->retransmits = info->tcpi_retransmits;
	facts->probes = info->tcpi_probes;
	facts->unsent = info->tcpi_notsent_bytes;
}

static bool tell_closed(struct observer_fallback *f, const struct tuple *tuple,
			const struct tcp_tracker *tracker, const struct sockdiag_socket *socket,
			nsec_t time_nsec)
{
	struct tracker_event event = { TRACKER_STATE, tracker->state, TCP_STATE_CLOSE };
	struct socket_facts facts;

	tcp_tracker_facts(tracker, &facts);
	if (socket->has_info)
		add_info(&facts, &socket->info);
	return tell(f, tuple, time_nsec, &event, &facts);
}

/* A connection that never got an answer, nor a packet out: its neighbour was not found. */
static bool never_left(const struct sockdiag_socket *s)
{
	return s->peer_port && s->has_info && s->info.tcpi_segs_in == 0 && s->info.tcpi_segs_out;
}

void observer_fallback_destroyed(struct observer_fallback *f, const struct sockdiag_socket *socket,
				 nsec_t time_nsec)
{
	struct tuple tuple = tuple_of_socket(socket);
	struct observation o = observation_of(&tuple, OBSERVATION_DESTROY, time_nsec);
	struct connection **link = find(f, &tuple);
	struct tcp_tracker tracker = { .state = TCP_STATE_SYN_SENT };
	bool unseen = !*link && never_left(socket);

	if (*link && (*link)->tracker.state != TCP_STATE_NEW_SYN_RECV) {
		tracker = (*link)->tracker;
		unseen = true;
		remove_at(f, link);
	}
	if (unseen && !tell_closed(f, &tuple, &tracker, socket, time_nsec))
		return;
	o.destroyed.cookie = socket->cookie;
	o.destroyed.info = socket->info;
	f->func(&o, f->userdata);
}
