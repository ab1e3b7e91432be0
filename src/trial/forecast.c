/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/forecast.h"

#include <errno.h>
#include <string.h>

#include "src/model/model.h"
#include "src/model/timers.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/trial/facts.h"
#include "src/trial/minisocket.h"
#include "src/trial/options.h"
#include "src/trial/ticks.h"

/* The RTO that the first timeout went by: later answers than those that were sampled may have moved
 * it. Where the tracepoints missed that timeout, its RTO is unknown, for the next one has another.
 */
static nsec_t first_rto(const struct endpoint *ep, nsec_t sent_nsec)
{
	for (size_t i = 0; i < ep->record.n_retransmissions; i++) {
		const struct record_retransmission *r = &ep->record.retransmissions[i];

		if (r->time_nsec >= sent_nsec && r->reason != RETRANSMIT_LOSS_PROBE)
			return r->rto_nsec;
	}
	return NSEC_NONE;
}

/* The same where no tracepoint told: the deviation as it was sampled, and the RTT as it was in the
 * end. What is sampled is a whole number of ticks, so a deviation next to its least is the least
 * (tcp_rtt_estimator(), tcp_set_rto()). */
static nsec_t rto_of(const struct trial_end *end, nsec_t least_nsec, nsec_t rtt_nsec)
{
	nsec_t deviation_nsec = end->rto_nsec - end->rtt_nsec;

	if (end->rto_nsec == NSEC_NONE || !end->rtt_nsec)
		return end->rto_nsec;
	if (deviation_nsec < least_nsec + ticks_length())
		deviation_nsec = least_nsec;
	return rtt_nsec + deviation_nsec;
}

/* When it was in ESTABLISHED no more; NSEC_NEVER. */
static nsec_t left_established(const struct endpoint *ep, nsec_t origin_nsec)
{
	for (size_t i = 0; i < ep->record.n_states; i++)
		if (ep->record.states[i].from == TCP_STATE_ESTABLISHED)
			return ep->record.states[i].time_nsec - origin_nsec;
	return NSEC_NEVER;
}

/* When no process held it any more; NSEC_NEVER. close() comes back when SO_LINGER lets it, and
 * until then the socket is no orphan (__tcp_close()). */
static nsec_t orphaned(const struct endpoint *ep, nsec_t origin_nsec)
{
	nsec_t at_nsec = NSEC_NEVER;

	for (size_t i = 0; i < ep->record.n_calls; i++)
		if (ep->record.calls[i].call == AGENT_CALL_CLOSE &&
		    ep->record.calls[i].connection == (unsigned int)nsec_max(ep->program_number, 0))
			at_nsec = nsec_min(at_nsec, ep->record.calls[i].time_nsec);
	if (ep->exit_nsec != NSEC_NONE)
		at_nsec = nsec_min(at_nsec, ep->exit_nsec);
	if (ep->killed_nsec != NSEC_NONE)
		at_nsec = nsec_min(at_nsec, ep->killed_nsec);
	return at_nsec == NSEC_NEVER ? NSEC_NEVER : at_nsec - origin_nsec;
}

/* What the packets of that end tell of how its connection stood, and what was read of its socket.
 * The caller frees the lists. */
static struct model_facts facts_of(const struct trial *trial, const struct trial_end *end,
				   struct model_history *history, struct history_lists *ret_lists)
{
	const struct endpoint *ep = &end->view[end->believed];
	struct history_rtt rtt = { end->sampled_nsec, end->rtt_nsec };
	struct model_facts facts = facts_of_running_kernel();
	nsec_t rto_nsec = NSEC_NONE;

	*history = history_read(ep->record.packets, ep->record.n_packets, ep->established_nsec,
				trial->origin_nsec, &rtt, ret_lists);
	if (history->sent_nsec != NSEC_NONE)
		rto_nsec = first_rto(ep, trial->origin_nsec + history->sent_nsec);
	/* Zero window probes back off without the RTO, which is that of the transfer until the end.
	 */
	else if (history->closed_nsec != NSEC_NONE && ep->record.tcp_info.present)
		rto_nsec = ep->record.tcp_info.rto_us * NSEC_PER_USEC;
	for (size_t i = 0; i < ep->record.n_states; i++)
		if (ep->record.states[i].to == TCP_STATE_SYN_SENT)
			history->connect_nsec = ep->record.states[i].time_nsec - trial->origin_nsec;
	history->leaves_nsec = left_established(ep, trial->origin_nsec);
	history->orphaned_nsec = orphaned(ep, trial->origin_nsec);
	/* Nothing moves the estimate once the peer is silent. */
	facts.rtt_nsec = ep->record.tcp_info.present ? ep->record.tcp_info.rtt_us * NSEC_PER_USEC
						     : rtt.rtt_nsec;
	facts.rtt_exact = ep->record.tcp_info.present;
	facts.rto_nsec = rto_nsec;
	if (rto_nsec == NSEC_NONE)
		facts.rto_nsec = rto_of(
			end, timers_of(trial->spec.scenario, end->host->id, &facts).rto_min_nsec,
			facts.rtt_nsec);
	facts.cwnd = end->cwnd;
	facts.mss = end->mss;
	/* In real time no more is claimed than what holds for any phase. */
	facts.real_time = trial->spec.phase < 0;
	if (!facts.real_time)
		facts.phase = ticks_phase(trial->origin_nsec, &facts.into_nsec);
	if (options_kept(end, &facts))
		facts.options = &ep->facts.options;
	facts.history = history;
	return facts;
}

/* When what is left began: TIME_WAIT and FIN_WAIT2 with that state, a request socket with the SYN;
 * an orphan's timer is in the history. */
static nsec_t left_since(const struct record_endpoint *r, enum mechanism rest,
			 const struct model_history *history)
{
	int state = rest == MECHANISM_TIME_WAIT ? TCP_STATE_TIME_WAIT : TCP_STATE_FIN_WAIT2;
	nsec_t since_nsec = NSEC_NONE;

	if (rest == MECHANISM_SYNACK)
		return history->connect_nsec;
	for (size_t i = 0; i < r->n_states; i++)
		if (r->states[i].to == state)
			since_nsec = r->states[i].time_nsec;
	return since_nsec == NSEC_NONE ? 0 : since_nsec;
}

/* When the timer of what is left began to run: whatever arrives with an acknowledgement starts that
 * of TIME_WAIT anew (tcp_timewait_state_process()), up to a SYN, which may take it over. */
static nsec_t timer_since(const struct record_endpoint *r, enum mechanism rest, nsec_t since_nsec)
{
	for (size_t i = 0; rest == MECHANISM_TIME_WAIT && i < r->n_packets; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec <= since_nsec)
			continue;
		if (p->flags & PACKET_SYN)
			break;
		if (!p->sent && (p->flags & PACKET_ACK) && !(p->flags & PACKET_RST))
			since_nsec = p->time_nsec;
	}
	return since_nsec;
}

/* tcp_timewait_state_process(): a RST ends TIME_WAIT, but not with tcp_rfc1337, and a SYN may take
 * it over, as may a connection of this end's own (tcp_twsk_unique()). */
static const char *disturbs_time_wait(const struct trial_end *end, const struct record_packet *p)
{
	const char *rfc1337 =
		scenario_sysctl(end->trial->spec.scenario, end->host->id, "net.ipv4.tcp_rfc1337");

	if (p->flags & PACKET_RST)
		return !p->sent && !(rfc1337 && strcmp(rfc1337, "0") != 0)
			       ? "a RST came while the timer ran"
			       : NULL;
	return p->flags & PACKET_SYN ? "a new connection may take TIME_WAIT over" : NULL;
}

/* What may end a small socket before its timer does, or put the timer off; NULL: nothing. */
static const char *disturbed(const struct trial_end *end, const struct record_endpoint *r,
			     enum mechanism rest, nsec_t since_nsec)
{
	const char *reason = NULL;

	for (size_t i = 0; i < r->n_packets && !reason; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec < since_nsec)
			continue;
		if (rest == MECHANISM_TIME_WAIT)
			reason = disturbs_time_wait(end, p);
		else if (!p->sent && (p->flags & PACKET_RST))
			reason = "a RST came while the timer ran";
	}
	return reason;
}

/* An interval that a trial cannot have seen is not claimed of it. */
static void limit_to_trial(struct prediction *p, nsec_t over_nsec)
{
	if (p->mechanism != MECHANISM_NONE && p->latest_nsec > over_nsec)
		*p = (struct prediction){ .reason = "the trial is over before its timer ends" };
}

static int note_detection(struct prediction p, nsec_t over_nsec, bool program,
			  struct record_endpoint *r)
{
	if (p.mechanism == MECHANISM_SYNACK) /* by a small socket, which nothing tells of */
		p.latest_nsec += MINISOCKET_RESOLUTION;
	if (record_detection(r) == NSEC_NONE)
		limit_to_trial(&p, over_nsec);
	if (r->outcome == OUTCOME_NONE)
		p = (struct prediction){ .reason = "this end is not followed" };
	else if (r->outcome == OUTCOME_ABANDONED && program && !p.reason)
		p = (struct prediction){ .reason = "the program gave up by a deadline of its own" };
	r->earliest_nsec = p.reason ? NSEC_NONE : p.earliest_nsec;
	r->latest_nsec = p.reason ? NSEC_NONE : p.latest_nsec;
	r->possible_earliest_nsec = p.reason && p.last_nsec ? p.first_nsec : NSEC_NONE;
	r->possible_latest_nsec = p.reason && p.last_nsec ? p.last_nsec : NSEC_NONE;
	r->unpredicted = p.reason ? strdup(p.reason) : NULL;
	return p.reason && !r->unpredicted ? -ENOMEM : 0;
}

/* tcp_write_err() frees all that is queued before the socket is closed, which takes up to 7 us for
 * each KiB in a guest. */
#define FREEING_KIB (7 * NSEC_PER_USEC)

static void allow_for_queue(struct prediction *p, const struct endpoint *ep)
{
	nsec_t freeing_nsec = (nsec_t)(ep->queued / 1024) * FREEING_KIB;

	if (p->mechanism != MECHANISM_NONE)
		p->latest_nsec += freeing_nsec;
	if (p->last_nsec)
		p->last_nsec += freeing_nsec;
}

static struct prediction predict_gone(const struct trial *trial, const struct trial_end *end,
				      const struct model_facts *facts, enum mechanism rest,
				      const struct record_endpoint *r)
{
	nsec_t since_nsec = left_since(r, rest, facts->history);
	const char *reason = disturbed(end, r, rest, since_nsec);
	struct prediction p = model_gone(trial->spec.scenario, trial->spec.family, end->asked,
					 facts, rest, timer_since(r, rest, since_nsec));

	if (rest == MECHANISM_ORPHAN)
		allow_for_queue(&p, &end->view[end->believed]);
	if (p.mechanism != MECHANISM_NONE) {
		if (rest != MECHANISM_ORPHAN) /* which is a full socket, whose end is told */
			p.latest_nsec += MINISOCKET_RESOLUTION;
		return reason ? (struct prediction){ .reason = reason } : p;
	}
	if (r->gone_nsec != NSEC_NONE && r->gone_nsec == r->kernel_nsec && !r->unpredicted)
		p = (struct prediction){
			r->mechanism, r->earliest_nsec, r->latest_nsec, NULL, 0, 0
		};
	return p;
}

static int note_gone(struct prediction p, nsec_t over_nsec, struct record_endpoint *r)
{
	if (r->gone_nsec == NSEC_NONE)
		limit_to_trial(&p, over_nsec);
	r->gone_earliest_nsec = p.reason ? NSEC_NONE : p.earliest_nsec;
	r->gone_latest_nsec = p.reason ? NSEC_NONE : p.latest_nsec;
	r->gone_unpredicted = p.reason ? strdup(p.reason) : NULL;
	return p.reason && !r->gone_unpredicted ? -ENOMEM : 0;
}

int forecast_read(const struct trial *trial, const struct trial_end *end, struct forecast *f)
{
	f->facts = facts_of(trial, end, &f->history, &f->lists);
	if (!f->lists.heard || !f->lists.acks || !f->lists.syns || !f->lists.segments)
		return -ENOMEM;
	f->detection =
		model_predict(trial->spec.scenario, trial->spec.family, end->asked, &f->facts);
	allow_for_queue(&f->detection, &end->view[end->believed]);
	return 0;
}

void forecast_deinit(struct forecast *f)
{
	history_lists_deinit(&f->lists);
}

int forecast_note(const struct trial *trial, const struct trial_end *end, const struct forecast *f,
		  enum mechanism rest, struct record_endpoint *r)
{
	nsec_t over_nsec =
		nsec_min(nsec_now() - trial->origin_nsec, trial->spec.scenario->horizon_nsec);

	if (note_detection(f->detection, over_nsec,
			   scenario_is_command(&trial->spec.scenario->agent[end->host->id]), r) < 0)
		return -ENOMEM;
	return note_gone(predict_gone(trial, end, &f->facts, rest, r), over_nsec, r);
}
