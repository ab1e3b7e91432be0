/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/observer/packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "src/observer/capture.h"
#include "src/observer/filter.h"
#include "src/tcp/packet.h"

#define BATCH 16 /* packets received by one system call */
/* The bytes of a slot, into which a whole segmentation-offload packet fits. Captures need all of
 * it, trackers only the headers. */
#define SLOT 65600
/* The bytes of packets that the kernel may hold while the loop is busy elsewhere. The kernel counts
 * the whole memory of each packet, also where the filter takes only the headers. */
#define RECEIVE_BUFFER (16 << 20)
/* The readings of two clocks are good enough if they are made within this time. */
#define OFFSET_SPAN  (10 * NSEC_PER_USEC)
#define OFFSET_TRIES 4
/* So often a call that fails is made, before what it would have told counts as lost. */
#define RECEIVE_TRIES 3

/* The memory for one received packet. */
struct packet_slot {
	struct sockaddr_ll from; /* the interface and the direction */
	char control[CMSG_SPACE(sizeof(struct timespec)) +
		     CMSG_SPACE(sizeof(struct tpacket_auxdata))]
		__attribute__((aligned(__alignof__(struct cmsghdr))));
	uint8_t frame[SLOT];
};

/* The arguments of recvmmsg(), a message and its only part for each slot, and the filter. */
struct packets_buffer {
	struct mmsghdr message[BATCH];
	struct iovec iov[BATCH];
	struct packet_slot slot[BATCH];
	int filter_fd; /* from filter_load(); owned */
};

struct packets {
	int fd;			       /* the packet socket; owned */
	struct capture *capture;       /* or NULL; owned */
	struct packets_buffer *buffer; /* shared by all sources; not owned */
	packets_func func;
	void *userdata;	      /* of `func`; not owned */
	struct packets *next; /* the source that was muted before this one; not owned */
};

/* One received frame, with the facts from its address and its control messages. */
struct frame {
	const uint8_t *bytes; /* in a slot; not owned */
	size_t captured;      /* bytes of the frame that are in the slot */
	size_t length;	      /* bytes that the whole frame had */
	nsec_t realtime_nsec; /* the kernel's timestamp, CLOCK_REALTIME; NSEC_NONE: there is none */
	bool outgoing;	      /* the watched node sent it */
};

struct packets_buffer *packets_buffer_new(void)
{
	struct packets_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	buffer->filter_fd = filter_load();
	for (int i = 0; i < BATCH; i++) {
		struct packet_slot *slot = &buffer->slot[i];

		buffer->iov[i] = (struct iovec){ slot->frame, sizeof(slot->frame) };
		buffer->message[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->from,
			.msg_iov = &buffer->iov[i],
			.msg_iovlen = 1,
			.msg_control = slot->control,
		};
	}
	return buffer;
}

struct packets_buffer *packets_buffer_free(struct packets_buffer *buffer)
{
	if (!buffer)
		return NULL;
	fd_close(buffer->filter_fd);
	free(buffer);
	return NULL;
}

static int set_options(int fd, const struct packets_buffer *buffer, bool headers_only)
{
	int on = 1, size = RECEIVE_BUFFER, rc;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	rc = headers_only ? filter_attach(fd, buffer->filter_fd) : 0;
	if (rc < 0)
		return rc;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

/* Opens the packet socket. It has no protocol until it is bound, so that no packet comes in before
 * the filter is set. */
static int open_socket(const struct observer_watch_spec *spec, const struct packets_buffer *buffer,
		       int *ret_fd, struct error *err)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = spec->ifindex,
	};
	_cleanup_(fd_closep) int fd = -1;
	int rc;

	rc = netns_socket(spec->ns, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0, &fd, err);
	if (rc < 0)
		return rc;
	rc = set_options(fd, buffer, !spec->pcap_path);
	if (rc < 0)
		return error_errno(err, rc, "packet socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, -errno, "packet socket");
	*ret_fd = take_fd(&fd);
	return 0;
}

int packets_new(const struct observer_watch_spec *spec, struct packets_buffer *buffer,
		packets_func func, void *userdata, struct packets **ret_source, struct error *err)
{
	_cleanup_(packets_freep) struct packets *source = calloc(1, sizeof(*source));
	int rc;

	if (!source)
		return error_errno(err, -ENOMEM, "packets of '%s'", spec->interface);
	*source = (struct packets){ -1, NULL, buffer, func, userdata, NULL };
	if (spec->pcap_path) {
		rc = capture_new(spec->pcap_path, &source->capture, err);
		if (rc < 0)
			return rc;
	}
	rc = open_socket(spec, buffer, &source->fd, err);
	if (rc < 0)
		return error_prefix(err, rc, "packets of '%s'", spec->interface);
	*ret_source = take_ptr(source);
	return 0;
}

struct packets *packets_free(struct packets *source)
{
	struct packets *next = source ? source->next : NULL;

	if (!source)
		return NULL;
	fd_close(source->fd);
	capture_free(source->capture);
	free(source);
	return next;
}

struct packets *packets_free_by(struct packets *source, struct closer *closer)
{
	if (source && closer)
		closer_close(closer, take_fd(&source->fd));
	return packets_free(source);
}

struct packets *packets_mute(struct packets *source, struct packets *next)
{
	int nothing = 0; /* the kernel makes of 0 the room for a packet or two (sk_setsockopt()) */

	setsockopt(source->fd, SOL_SOCKET, SO_RCVBUF, &nothing, sizeof(nothing));
	source->capture = capture_free(source->capture);
	source->next = next;
	return source;
}

int packets_fd(const struct packets *source)
{
	return source->fd;
}

/* Returns the difference to add to a time of CLOCK_REALTIME to get one of CLOCK_MONOTONIC. The
 * difference is measured for each batch, because somebody may set CLOCK_REALTIME; packets that wait
 * at that moment get wrong times. If the readings are too far apart, this process was interrupted
 * between them, and they are made again. NSEC_NONE: a clock could not be read. */
static nsec_t monotonic_offset(void)
{
	uint64_t failures = nsec_clock_failures();
	nsec_t offset_nsec = 0;

	for (int i = 0; i < OFFSET_TRIES; i++) {
		nsec_t earlier_nsec = nsec_now(), span_nsec;
		nsec_t real_nsec = nsec_read_clock(CLOCK_REALTIME);

		span_nsec = nsec_now() - earlier_nsec;
		offset_nsec = earlier_nsec + span_nsec / 2 - real_nsec;
		if (span_nsec < OFFSET_SPAN)
			break;
	}
	return nsec_clock_failures() == failures ? offset_nsec : NSEC_NONE;
}

static void read_control(struct msghdr *header, struct frame *frame)
{
	struct tpacket_auxdata aux;
	struct timespec time;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(c), sizeof(time));
			frame->realtime_nsec = nsec_from_timespec(&time);
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			frame->length = aux.tp_len;
		}
	}
}

static void read_frame(struct packets_buffer *buffer, int i, struct frame *ret_frame)
{
	struct mmsghdr *message = &buffer->message[i];
	size_t captured = message->msg_len < SLOT ? message->msg_len : SLOT;

	*ret_frame = (struct frame){
		.bytes = buffer->slot[i].frame,
		.captured = captured,
		.length = captured,
		.realtime_nsec = NSEC_NONE,
		.outgoing = buffer->slot[i].from.sll_pkttype == PACKET_OUTGOING,
	};
	read_control(&message->msg_hdr, ret_frame);
	if (ret_frame->length < captured)
		ret_frame->length = captured;
}

static bool take_frame(struct packets *source, struct frame *frame, nsec_t offset_nsec)
{
	/* Without the clocks a packet is of now: from years ahead, it would stop the timeline of a
	 * trial, which is inconclusive already. */
	bool known = offset_nsec != NSEC_NONE && frame->realtime_nsec != NSEC_NONE;
	struct observation o = { .kind = OBSERVATION_PACKET,
				 .time_nsec =
					 known ? frame->realtime_nsec + offset_nsec : nsec_now() };

	if (frame->realtime_nsec == NSEC_NONE)
		frame->realtime_nsec = o.time_nsec - (offset_nsec == NSEC_NONE ? 0 : offset_nsec);
	if (source->capture)
		capture_write(source->capture, frame->realtime_nsec, frame->bytes, frame->captured,
			      frame->length);
	if (!packet_decode(frame->bytes, frame->captured, frame->length, &o.packet))
		return true;
	o.packet.outgoing = frame->outgoing;
	o.local_port = frame->outgoing ? o.packet.source_port : o.packet.destination_port;
	o.peer_port = frame->outgoing ? o.packet.destination_port : o.packet.source_port;
	o.local = frame->outgoing ? o.packet.source : o.packet.destination;
	o.peer = frame->outgoing ? o.packet.destination : o.packet.source;
	return source->func(&o, source->userdata);
}

/* Returns how many packets were received. The first failure may be no more than news of the
 * interface: ENETDOWN (net/packet/af_packet.c: packet_notifier()). */
static int receive(struct packets *source)
{
	struct packets_buffer *buffer = source->buffer;

	for (int tries = RECEIVE_TRIES; tries--;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			buffer->message[i].msg_hdr.msg_namelen = sizeof(buffer->slot[i].from);
			buffer->message[i].msg_hdr.msg_controllen = sizeof(buffer->slot[i].control);
		}
		n = recvmmsg(source->fd, buffer->message, BATCH, MSG_DONTWAIT, NULL);
		if (n >= 0)
			return n;
		if (errno == EAGAIN)
			return 0;
	}
	return -errno;
}

static void tell_lost(struct packets *source, uint64_t count)
{
	struct observation o = { .kind = OBSERVATION_LOST, .time_nsec = nsec_now(), .lost = count };

	source->func(&o, source->userdata);
}

/* Tells how many packets the kernel has dropped since the last call. */
static void tell_dropped(struct packets *source)
{
	int rc = -1;

	for (int tries = RECEIVE_TRIES; rc < 0 && tries--;) {
		struct tpacket_stats stats;
		socklen_t size = sizeof(stats);

		rc = getsockopt(source->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
		if (rc >= 0 && stats.tp_drops)
			tell_lost(source, stats.tp_drops);
	}
	if (rc < 0)
		tell_lost(source, 1);
}

void packets_drain(struct packets *source, unsigned int max_batches)
{
	int n = BATCH;

	while (max_batches-- && n == BATCH) {
		struct frame frame;
		nsec_t offset_nsec;

		n = receive(source);
		if (n < 0)
			tell_lost(source, 1);
		offset_nsec = monotonic_offset();
		for (int i = 0; i < n; i++) {
			read_frame(source->buffer, i, &frame);
			if (!take_frame(source, &frame, offset_nsec))
				return;
		}
	}
	tell_dropped(source);
}

int packets_check(struct packets *source, struct error *err)
{
	if (!source->capture)
		return 0;
	capture_flush(source->capture);
	return capture_check(source->capture, err);
}
