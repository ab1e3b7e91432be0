/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One end of a connection whose peer has fallen silent, played through: each of its
 * timers is armed and goes off in the kernel's own arithmetic, and each step is told to
 * whoever listens. The files of the model share this header.
 *
 * Theory of operation. Time is counted from a jiffy at which every level of the timer
 * wheel begins a bucket; the origin, which is the first event, lies at a known place after
 * that: the phase. Where the phase is not known, the caller plays each phase in turn.
 * What the kernel reads its clock for (retrans_stamp, the age of a segment) is taken as
 * the time of the timer's tick: a handler runs some microseconds after it.
 */

#include "src/model/timers.h"

enum play_step_kind {
	PLAY_SEND,	 /* a segment that nobody will acknowledge */
	PLAY_LOSS_PROBE, /* tcp_send_loss_probe() */
	PLAY_RETRANSMIT, /* tcp_retransmit_timer(); `number` counts from 1 */
	PLAY_UNDO,	 /* an ICMP error undoes one doubling: tcp_ld_RTO_revert() */
	PLAY_KEEPALIVE,	 /* a keepalive probe; `number` counts from 1 */
	PLAY_WAIT,	 /* the keepalive timer went off too early to probe, and was armed anew */
	PLAY_CLOSED,	 /* a packet told that the window is closed */
	PLAY_PROBE,	 /* a zero window probe; `number` counts from 1 */
	PLAY_SYN,
	PLAY_SYNACK,
	PLAY_STATE, /* what is left changes into a smaller socket */
	PLAY_END,
};

/* One step of an end, and the timer that was armed by it. */
struct play_step {
	enum play_step_kind kind;
	unsigned int number;
	nsec_t at_nsec;	   /* since the origin */
	nsec_t next_nsec;  /* when the timer that it arms goes off; NSEC_NEVER: it arms none */
	nsec_t armed_nsec; /* the span that the timer was armed with */
};
typedef void play_step_func(const struct play_step *step, void *userdata);

/* By how much the age of a segment is less than the times at hand say. With `turns` the sign goes
 * round with the segments in flight: by the parity of their number, without its last `shift` bits,
 * plus `odd`. */
struct play_skew {
	nsec_t nsec;
	bool turns, odd;
	unsigned int shift;
};

struct play {
	const struct timers *timers;
	nsec_t origin_nsec; /* of the first event, since the wheel's zero */
	nsec_t now_nsec;    /* likewise; the player's own */
	int64_t late;	    /* jiffies by which the handlers of timers run late */
	struct play_skew skew;
	nsec_t srtt_off_nsec; /* the smoothed RTT is that much more */
	int64_t granule;      /* the widest bucket so far, in jiffies */
	bool ahead;	      /* the wheel's clock is a jiffy ahead whenever a timer is armed */
	bool edge;	      /* that would make a difference, or does */
	play_step_func *step; /* or NULL */
	void *userdata;
};

/* `phase`: the jiffy of the origin, modulo TICK_PHASES; `into_nsec`: how far in its tick it is. */
void play_init(struct play *play, const struct timers *timers, int64_t phase, nsec_t into_nsec);

/* How an end comes about. */
struct play_end {
	nsec_t at_nsec; /* since the origin; NSEC_NEVER: it does not */
	enum mechanism mechanism;
};

/* Which ICMP errors undo the back-off. */
enum play_undo {
	PLAY_UNDO_NOTHING,
	PLAY_UNDO_IPV4, /* host or net unreachable, from a router of Linux, as often as it may send
			 */
	PLAY_UNDO_IPV6, /* no route */
};

/* tcp_orphan_retries(): what 0 stands for as long as the back-off has not reached its end. */
#define PLAY_ORPHAN_RETRIES 8
/* More steps than that are taken for no end at all; the longest walk in reach, 255 retries with a
 * second each, takes as many again with loss probes and undone back-off. */
#define PLAY_STEPS_MAX 100000

/* Where a tick begins is known to so much: what seems to be in the last moment before a tick was
 * done by a timer, in that tick. */
#define PLAY_EDGE (50 * NSEC_PER_USEC)

/* What the players have in common. */
nsec_t play_tick(const struct play *play);
/* The clock of retrans_stamp and of TCP's time stamps counts milliseconds. */
int64_t play_msecs(nsec_t time_nsec);
/* The moment at which a timer goes off that is armed now with that span. `from_timer`: a timer arms
 * it; while timers run, the wheel's clock is one jiffy ahead (forward_timer_base()). */
nsec_t play_arm(struct play *play, int64_t span, bool from_timer);
/* The same for one that is pending until `*fires_nsec` (NSEC_NEVER: it is not): mod_timer() leaves
 * it in its bucket if it may go off from the same jiffy on as before. */
void play_rearm(struct play *play, int64_t span, bool from_timer, int64_t *expires,
		nsec_t *fires_nsec);
/* The handler of a timer that is due at `fires_nsec` runs: from now on it is then. */
void play_fire(struct play *play, nsec_t fires_nsec);
void play_tell(struct play *play, enum play_step_kind kind, unsigned int number, nsec_t next_nsec,
	       int64_t span);
struct play_end play_finish(struct play *play, enum mechanism mechanism);
extern const struct play_end play_no_end;

/* What is in flight when the peer falls silent. Times are since the origin. */
struct play_flight {
	nsec_t sent_nsec;  /* the oldest segment that stays unacknowledged was sent then */
	nsec_t armed_nsec; /* the latest answer before that armed the timer anew; at the earliest
			    * sent_nsec */
	uint32_t segment_size; /* bytes at most */
	/* All that is in flight, in order, if that was measured; those that loss probes sent are
	 * among them. */
	const struct model_segment *segments;
	size_t n_segments;
	/* If it was not measured (segments is NULL): */
	nsec_t next_nsec, interval_nsec; /* the program's next write, and how far they are apart;
					  * NSEC_NEVER: it writes no more */
	uint64_t write_size;		 /* bytes */
	bool nagle;	   /* TCP_NODELAY is off: less than a segment waits for what is in flight */
	unsigned int room; /* as many more may be sent before the window or the congestion window
			    * is full */
	bool in_loss;	   /* the end is in loss recovery: no loss probe is sent */
	nsec_t leaves_nsec;   /* from then on it is not in ESTABLISHED; NSEC_NEVER */
	nsec_t orphaned_nsec; /* from then on no process holds the socket; NSEC_NEVER */
	bool refused;	      /* a router sends errors: sk_err_soft */
	int64_t rto;	      /* jiffies */
	nsec_t srtt_nsec;
	enum play_undo undo;
	nsec_t lost_nsec;   /* from then on it meets the router */
	const nsec_t *acks; /* so does each packet without data; when they were sent, in order */
	size_t n_acks;
	nsec_t error_nsec; /* a router's error comes so long after the segment; 0: at once */
};

/* tcp_retransmit_timer(), tcp_write_timeout(), tcp_send_loss_probe(). */
struct play_end play_retransmission(struct play *play, const struct play_flight *flight);

/* tcp_keepalive_timer(). The timer was armed when the connection was established; the history tells
 * when packets came. From `queued_nsec` on data is in the queue, and keepalive leaves the field
 * (NSEC_NEVER: never): then the end is NSEC_NEVER. */
struct play_end play_keepalive(struct play *play, const struct model_history *history,
			       nsec_t queued_nsec);

/* A peer whose window is closed. Times are since the origin. */
struct play_window {
	nsec_t armed_nsec;    /* the latest packet that said so, which armed the timer */
	nsec_t first_nsec;    /* the first probe; NSEC_NONE: there was none by then */
	nsec_t last_nsec;     /* the latest, which that packet answers; NSEC_NONE */
	unsigned int probes;  /* so many there were by then */
	int64_t rto;	      /* jiffies */
	nsec_t rtt_nsec;      /* probes are answered after that time */
	nsec_t lost_nsec;     /* until then; NSEC_NEVER: for ever */
	nsec_t orphaned_nsec; /* as of a flight; no error of a router is about a probe */
};

/* tcp_probe_timer(), tcp_send_probe0(), tcp_ack_probe(). */
struct play_end play_persist(struct play *play, const struct play_window *window);

/* tcp_write_timeout() in SYN_SENT, from connect() on. */
struct play_end play_syn(struct play *play, nsec_t connect_nsec);

/* reqsk_timer_handler(), and tcp_check_req() for each SYN that comes again and puts the timer off.
 * A SYN that comes in the tick in which a request ends makes another, as if it were the same. */
struct play_end play_synack(struct play *play, const nsec_t *syns, size_t n_syns);

/* tcp_time_wait(), tcp_rcv_state_process(), tcp_keepalive_timer(): an orphan whose FIN was
 * acknowledged at `since_nsec`, and whose peer sends none. */
struct play_end play_fin_wait_2(struct play *play, nsec_t since_nsec, int64_t rto);

/* inet_twsk_schedule(): TIME_WAIT, from the latest FIN of the peer on. */
struct play_end play_time_wait(struct play *play, nsec_t since_nsec);
