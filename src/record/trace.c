/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/trace.h"

#include <assert.h>
#include <stdlib.h>

static const char *const kind_names[] = {
	[TRACE_PACKET] = "packet", [TRACE_RETRANSMISSION] = "retransmission",
	[TRACE_STATE] = "state",   [TRACE_TIMER] = "timer",
	[TRACE_CALL] = "call",	   [TRACE_SAMPLE] = "sample",
	[TRACE_EVENT] = "event",
};
static_assert(ARRAY_SIZE(kind_names) == _TRACE_KIND_MAX, "every kind has a name");

static const char *const fate_names[] = {
	[TRACE_ARRIVED] = "arrived",
	[TRACE_LOST] = "lost",
	[TRACE_IN_PIECES] = "in-pieces",
	[TRACE_UNDER_WAY] = "under-way",
};
static_assert(ARRAY_SIZE(fate_names) == _TRACE_FATE_MAX, "every fate has a name");

static const char *const again_names[] = {
	[TRACE_NEW] = NULL,
	[TRACE_TIMEOUT] = "rto",
	[TRACE_LOSS_PROBE] = "loss-probe",
	[TRACE_FAST] = "fast",
	[TRACE_AGAIN] = "retransmission",
	[TRACE_KEEPALIVE] = "keepalive-probe",
	[TRACE_WINDOW] = "window-probe",
};
static_assert(ARRAY_SIZE(again_names) == _TRACE_AGAIN_MAX, "every reason has a name");

const char *trace_kind_name(enum trace_kind kind)
{
	return kind < _TRACE_KIND_MAX ? kind_names[kind] : NULL;
}

const char *trace_fate_name(enum trace_fate fate)
{
	return fate < _TRACE_FATE_MAX ? fate_names[fate] : NULL;
}

const char *trace_again_name(enum trace_again again)
{
	return again < _TRACE_AGAIN_MAX ? again_names[again] : NULL;
}

void trace_deinit(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->entries[i].kind == TRACE_EVENT)
			free(trace->entries[i].event.what);
	free(trace->entries);
	*trace = (struct trace){ 0 };
}
