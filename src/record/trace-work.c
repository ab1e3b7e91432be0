/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/trace-work.h"

#include <assert.h>

#include "src/util/array.h"

struct trace_entry *trace_add_entry(struct trace_work *b, enum trace_kind kind, nsec_t at_nsec,
				    enum end_id end)
{
	struct trace *trace = &b->record->trace;
	struct trace_entry *e = array_append(&trace->entries, &trace->count, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->time_nsec = at_nsec;
	e->end = end;
	e->rto_nsec = NSEC_NONE;
	return e;
}

static const enum trace_again again_of[] = {
	[RETRANSMIT_UNKNOWN] = TRACE_AGAIN,
	[RETRANSMIT_RTO] = TRACE_TIMEOUT,
	[RETRANSMIT_LOSS_PROBE] = TRACE_LOSS_PROBE,
	[RETRANSMIT_FAST] = TRACE_FAST,
};
static_assert(ARRAY_SIZE(again_of) == _RETRANSMIT_REASON_MAX, "a trace has a word for each");

void trace_note_again(struct trace_entry *e, const struct record_retransmission *r)
{
	e->again = again_of[r ? r->reason : RETRANSMIT_UNKNOWN];
	e->rto_nsec = r ? r->rto_nsec : NSEC_NONE;
}
