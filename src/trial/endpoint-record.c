/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an endpoint has met, as its part of the record. */
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/trial/endpoint.h"

static nsec_t since(nsec_t at_nsec, nsec_t origin_nsec)
{
	return at_nsec == NSEC_NONE ? NSEC_NONE : at_nsec - origin_nsec;
}

static void make_relative(struct record_endpoint *r, nsec_t origin_nsec)
{
	for (size_t i = 0; i < r->n_states; i++)
		r->states[i].time_nsec -= origin_nsec;
	for (size_t i = 0; i < r->n_retransmissions; i++)
		r->retransmissions[i].time_nsec -= origin_nsec;
	for (size_t i = 0; i < r->n_resets; i++)
		r->resets[i].time_nsec -= origin_nsec;
	for (size_t i = 0; i < r->n_packets; i++)
		r->packets[i].time_nsec -= origin_nsec;
	for (size_t i = 0; i < r->n_calls; i++) {
		r->calls[i].time_nsec -= origin_nsec;
		r->calls[i].start_nsec -= origin_nsec;
	}
}

/* Finds the last packet after the first event, but not after the detection, and the first packet
 * that came in after the last heal. */
static void read_wire(struct record_endpoint *r, const struct endpoint_context *context)
{
	nsec_t heal_nsec = since(context->last_heal_nsec, context->origin_nsec);
	nsec_t detection_nsec = record_detection(r);

	r->wire_nsec = NSEC_NONE;
	r->recovered_nsec = NSEC_NONE;
	for (size_t i = 0; i < r->n_packets; i++) {
		const struct record_packet *p = &r->packets[i];

		if (p->time_nsec >= 0 &&
		    (detection_nsec == NSEC_NONE || p->time_nsec <= detection_nsec + NSEC_PER_MSEC))
			r->wire_nsec = p->time_nsec;
		if (heal_nsec != NSEC_NONE && !p->sent && p->time_nsec >= heal_nsec &&
		    r->recovered_nsec == NSEC_NONE)
			r->recovered_nsec = p->time_nsec;
	}
}

/* The kernel frees a socket in the background, after the program has closed it, so who watches
 * packets and sock_diag is told late. It was no later than the call that told the program of the
 * error. */
void endpoint_bound_by_application(struct endpoint *ep)
{
	struct record_endpoint *r = &ep->record;

	if (!ep->derived || ep->error_nsec == NSEC_NONE || ep->end_nsec == NSEC_NONE ||
	    ep->end_nsec <= ep->error_nsec)
		return;
	if (ep->gone_nsec == ep->end_nsec)
		ep->gone_nsec = ep->error_nsec;
	ep->end_nsec = ep->error_nsec;
	if (r->n_states && r->states[r->n_states - 1].to == TCP_STATE_CLOSE && !ep->minisocket)
		r->states[r->n_states - 1].time_nsec = ep->error_nsec;
}

void endpoint_conclude(struct endpoint *ep, const struct endpoint_context *context,
		       const struct cause *cause, struct record_endpoint *ret_record)
{
	struct record_endpoint *r = &ep->record;

	r->outcome = cause->outcome;
	r->mechanism = cause->mechanism;
	r->error = cause->error;
	r->kernel_nsec = since(cause->kernel_nsec, context->origin_nsec);
	r->application_nsec = since(cause->application_nsec, context->origin_nsec);
	r->gone_nsec = ep->powerless ? NSEC_NONE : since(ep->gone_nsec, context->origin_nsec);
	r->gone_blind_nsec = r->gone_nsec == NSEC_NONE ? 0 : ep->blind_nsec;
	r->earliest_nsec = r->latest_nsec = NSEC_NONE;
	make_relative(r, context->origin_nsec);
	read_wire(r, context);
	*ret_record = *r;
	ep->record = (struct record_endpoint){ 0 };
}
