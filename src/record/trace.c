/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/trace.h"

#include <stdlib.h>

DEFINE_NAMES(trace_kind,
	     _TRACE_KIND_MAX, [TRACE_PACKET] = "packet", [TRACE_RETRANSMISSION] = "retransmission",
	     [TRACE_STATE] = "state", [TRACE_TIMER] = "timer", [TRACE_CALL] = "call",
	     [TRACE_SAMPLE] = "sample", [TRACE_EVENT] = "event", [TRACE_OUTPUT] = "output")
DEFINE_NAMES(trace_fate, _TRACE_FATE_MAX, [TRACE_ARRIVED] = "arrived", [TRACE_LOST] = "lost",
	     [TRACE_IN_PIECES] = "in-pieces", [TRACE_UNDER_WAY] = "under-way")
DEFINE_NAMES(trace_again,
	     _TRACE_AGAIN_MAX, [TRACE_TIMEOUT] = "rto", [TRACE_LOSS_PROBE] = "loss-probe",
	     [TRACE_FAST] = "fast", [TRACE_AGAIN] = "retransmission",
	     [TRACE_KEEPALIVE] = "keepalive-probe", [TRACE_WINDOW] = "window-probe")

void trace_deinit(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		if (trace->entries[i].kind == TRACE_EVENT) {
			free(trace->entries[i].event.what);
		} else if (trace->entries[i].kind == TRACE_OUTPUT) {
			free(trace->entries[i].output.host);
			free(trace->entries[i].output.line);
		}
	}
	free(trace->entries);
	*trace = (struct trace){ 0 };
}
