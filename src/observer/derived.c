/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/derived.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/tcp/packet.h"
#include "src/tcp/tracker.h"

#define BUCKETS		64
#define CONNECTIONS_MAX 65536 /* of one namespace, so that a flood of SYNs does not eat memory */

/* One end of a connection, as the watched node sees it. */
struct tuple {
	struct in6_addr local, peer; /* IPv4 as ::ffff:a.b.c.d, which dual-stack sockets have */
	uint16_t local_port, peer_port;
};

struct connection {
	struct connection *next; /* in the bucket */
	struct tuple tuple;
	struct tcp_tracker tracker;
};

struct derived {
	derived_func func;
	void *userdata;			    /* of `func`; not owned */
	struct connection *bucket[BUCKETS]; /* the open connections by hash; owned */
	size_t count;			    /* of connections in all buckets */
};

int derived_new(derived_func func, void *userdata, struct derived **ret_derived, struct error *err)
{
	struct derived *derived = calloc(1, sizeof(*derived));

	if (!derived)
		return error_errno(err, -ENOMEM, "tracker of connections");
	derived->func = func;
	derived->userdata = userdata;
	*ret_derived = derived;
	return 0;
}

struct derived *derived_free(struct derived *derived)
{
	for (int i = 0; derived && i < BUCKETS; i++) {
		while (derived->bucket[i]) {
			struct connection *c = derived->bucket[i];

			derived->bucket[i] = c->next;
			free(c);
		}
	}
	free(derived);
	return NULL;
}

/* Returns an address as IPv6 has it: IPv4 as ::ffff:a.b.c.d. */
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

/* Returns the FNV-1a hash of a four-tuple. It is never 0, because an observation whose `socket` is
 * 0 has no socket. */
static uint64_t tuple_hash(const struct tuple *tuple)
{
	const uint8_t *p = (const uint8_t *)tuple;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*tuple); i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

/* Returns the link to the connection of that tuple, or the link at which a new one is to be added.
 */
static struct connection **find(struct derived *f, const struct tuple *tuple)
{
	struct connection **link = &f->bucket[tuple_hash(tuple) % BUCKETS];

	while (*link && memcmp(&(*link)->tuple, tuple, sizeof(*tuple)) != 0)
		link = &(*link)->next;
	return link;
}

static void remove_at(struct derived *f, struct connection **link)
{
	struct connection *c = *link;

	*link = c->next;
	f->count--;
	free(c);
}

static struct connection *add_at(struct derived *f, struct connection **link,
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

/* Returns the state that a tracepoint would report: CLOSE for TIME_WAIT, because the kernel closes
 * the full socket when TIME_WAIT begins. */
static int kernel_state(int state)
{
	return state == TCP_STATE_TIME_WAIT ? TCP_STATE_CLOSE : state;
}

static bool tell(struct derived *f, const struct tuple *tuple, nsec_t time_nsec,
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

/* The events are told last, because the function that gets them may free `f`. At the end of a
 * connection the tracker's facts are those from before the packet that ended it, because an
 * acknowledgement in that packet does not explain the end. */
void derived_packet(struct derived *f, const struct observation *packet)
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

/* Tells that a connection has gone to CLOSE. The counts of tcp_info are preferred to the tracker's,
 * because packets do not show all of them. Only the count of unacknowledged bytes is the tracker's,
 * because the send queue of a freed socket is empty. */
static bool tell_closed(struct derived *f, const struct tuple *tuple,
			const struct tcp_tracker *tracker, const struct sockdiag_socket *socket,
			nsec_t time_nsec)
{
	struct tracker_event event = { TRACKER_STATE, tracker->state, TCP_STATE_CLOSE };
	struct socket_facts facts;

	tcp_tracker_facts(tracker, &facts);
	if (socket->has_info) {
		facts.retransmits = socket->info.tcpi_retransmits;
		facts.probes = socket->info.tcpi_probes;
		facts.unsent = socket->info.tcpi_notsent_bytes;
	}
	return tell(f, tuple, time_nsec, &event, &facts);
}

/* Whether a connection sent segments and got no answer. If no packet of it was seen on the wire
 * either, the segments never left the host, because the address of the neighbour was not found. */
static bool never_left(const struct sockdiag_socket *s)
{
	return s->peer_port && s->has_info && s->info.tcpi_segs_in == 0 && s->info.tcpi_segs_out;
}

void derived_destroyed(struct derived *f, const struct sockdiag_socket *socket, nsec_t time_nsec)
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
	o.destroyed = socket->info;
	f->func(&o, f->userdata);
}
