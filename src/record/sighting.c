/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/sighting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/array.h"

/* Two moments of expiry count as the same if they are no farther apart than this and a fiftieth of
 * the time that the timer still runs. */
#define SAME_EXPIRY (20 * NSEC_PER_MSEC)

struct sighting_log *sighting_log_free(struct sighting_log *sightings)
{
	if (!sightings)
		return NULL;
	for (enum end_id n = 0; n < _END_MAX; n++)
		free(sightings->packets[n]);
	free(sightings->timers);
	free(sightings);
	return NULL;
}

int sighting_multiply(struct sighting_log *sightings, enum end_id first, size_t n_ends, size_t n)
{
	size_t behind = first + 2, moved = n_ends - behind;

	memmove(&sightings->packets[behind + 2 * n], &sightings->packets[behind],
		moved * sizeof(sightings->packets[0]));
	memmove(&sightings->n_packets[behind + 2 * n], &sightings->n_packets[behind],
		moved * sizeof(sightings->n_packets[0]));
	for (size_t i = 0; i < sightings->n_timers; i++)
		if (sightings->timers[i].end >= behind)
			sightings->timers[i].end += 2 * (enum end_id)n;
	memset(&sightings->packets[behind], 0, 2 * n * sizeof(sightings->packets[0]));
	memset(&sightings->n_packets[behind], 0, 2 * n * sizeof(sightings->n_packets[0]));
	for (size_t id = behind; id < behind + 2 * n; id++) {
		size_t like = first + id % 2;

		if (array_copy(&sightings->packets[id], sightings->packets[like],
			       sightings->n_packets[like], sizeof(*sightings->packets[0])) < 0)
			return -ENOMEM;
		sightings->n_packets[id] = sightings->n_packets[like];
	}
	return 0;
}

int sighting_add_packet(struct sighting_log *sightings, enum end_id end, nsec_t time_nsec,
			const struct tcp_packet *packet)
{
	struct sighting_packet *p =
		array_append(&sightings->packets[end], &sightings->n_packets[end], sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct sighting_packet){
		.time_nsec = time_nsec,
		.sent = packet->outgoing,
		.flags = packet->flags,
		.window = packet->window,
		.id = packet->id,
		.local_port = packet->outgoing ? packet->source_port : packet->destination_port,
		.peer_port = packet->outgoing ? packet->destination_port : packet->source_port,
		.seq = packet->seq,
		.ack = packet->ack,
		.payload = packet->payload,
		.stamp = packet->stamp,
	};
	return 0;
}

/* Whether a timer seen at `time_nsec` differs in nothing from the last one: a timer that was set
 * again for nearly the same moment does not. */
static bool says_the_same(const struct sighting_timer *last, nsec_t time_nsec,
			  const struct trace_timer *timer)
{
	nsec_t moved_nsec =
		time_nsec + timer->expires_nsec - last->time_nsec - last->timer.expires_nsec;

	if (last->timer.kind != timer->kind)
		return false;
	if (timer->kind == TCP_TIMER_OFF)
		return true;
	return last->timer.count == timer->count &&
	       llabs(moved_nsec) < SAME_EXPIRY + timer->expires_nsec / 50;
}

int sighting_add_timer(struct sighting_log *sightings, enum end_id end, nsec_t time_nsec,
		       const struct trace_timer *timer)
{
	static const struct sighting_timer none = { .timer.kind = TCP_TIMER_OFF };
	const struct sighting_timer *last = &none;
	struct sighting_timer *slot;

	for (size_t i = sightings->n_timers; i-- > 0 && last == &none;)
		if (sightings->timers[i].end == end)
			last = &sightings->timers[i];
	if (says_the_same(last, time_nsec, timer))
		return 0;
	slot = array_append(&sightings->timers, &sightings->n_timers, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = (struct sighting_timer){ time_nsec, end, *timer };
	return 0;
}
