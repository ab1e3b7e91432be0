/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/estimate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "src/model.h"

static const char *const need_names[] = {
	[NEED_NETEM] = "netem",
	[NEED_NF_TABLES] = "nf_tables",
	[NEED_COMMAND] = "command",
};
static_assert(ARRAY_SIZE(need_names) == _NEED_MAX, "every need has a name");

/* Where there is no router in the middle to route to nowhere, a packet filter cuts the path. */
static unsigned int needs_of_event(const struct scenario *scenario, const struct event *event)
{
	if (event->kind != EVENT_FAULT)
		return 0;
	switch (event->fault) {
	case FAULT_NETEM:
		return 1u << NEED_NETEM;
	case FAULT_DROP:
		return 1u << NEED_NF_TABLES;
	case FAULT_BLACKHOLE:
	case FAULT_UNREACHABLE:
	case FAULT_PROHIBIT:
		return scenario->path.kind == PATH_ROUTED ? 0 : 1u << NEED_NF_TABLES;
	case FAULT_CABLE_PULL:
	case FAULT_INTERFACE_DOWN:
	case FAULT_ADDRESS_REMOVE:
	case FAULT_POWER_LOSS:
	case FAULT_REBOOT:
	case FAULT_CRASH:
	case FAULT_FREEZE:
	case _FAULT_KIND_MAX:
		break;
	}
	return 0;
}

unsigned int estimate_needs(const struct scenario *s)
{
	unsigned int needs = s->path.has_netem ? 1u << NEED_NETEM : 0;

	for (size_t i = 0; i < s->n_events; i++)
		needs |= needs_of_event(s, &s->events[i]);
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		if (s->agent[n].command)
			needs |= 1u << NEED_COMMAND;
	return needs;
}

char *estimate_format_needs(unsigned int needs, char *buffer, size_t size)
{
	size_t n = 0;

	snprintf(buffer, size, "-");
	for (int i = 0; i < _NEED_MAX; i++)
		if (needs & (1u << i) && n < size)
			n += (size_t)snprintf(buffer + n, size - n, "%s%s", n ? ", " : "",
					      need_names[i]);
	return buffer;
}

/* When this end's part is over, since the first event. */
static nsec_t span_of_end(const struct scenario *s, enum family family, enum node_id node)
{
	const struct expectation *e = &s->expect[family][node];
	nsec_t first = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t last = s->n_events ? s->events[s->n_events - 1].at_nsec : 0;
	struct model_facts facts = { .hz = model_hz(),
				     .rto_nsec = NSEC_NONE,
				     .established_nsec = first };
	struct prediction p;

	if (e->outcomes == 1u << OUTCOME_UNDETECTED)
		return s->horizon_nsec;
	if (e->outcomes == 1u << OUTCOME_SURVIVED)
		return last - first + NSEC_PER_SEC;
	p = model_predict(s, family, node, &facts);
	if (p.mechanism != MECHANISM_NONE)
		return p.latest_nsec;
	if (e->before.present && !e->before.predicted)
		return e->before.nsec;
	return s->horizon_nsec;
}

nsec_t estimate_span(const struct scenario *s, enum family family)
{
	nsec_t first = s->n_events ? s->events[0].at_nsec : 0, span = 0;

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		nsec_t t = s->expect[family][n].present ? span_of_end(s, family, n) : 0;

		if (t > span)
			span = t;
	}
	if (!span || span > s->horizon_nsec)
		span = s->horizon_nsec;
	return first + span;
}

char *estimate_format_span(nsec_t span, char *buffer, size_t size)
{
	double s = nsec_to_sec(span);

	if (span == NSEC_NONE)
		snprintf(buffer, size, "-");
	else if (s < 120)
		snprintf(buffer, size, s < 10 ? "%.1f s" : "%.0f s", s);
	else if (s < 2 * 3600)
		snprintf(buffer, size, "%.0f min", s / 60);
	else if (s < 2 * 86400)
		snprintf(buffer, size, "%.1f h", s / 3600);
	else
		snprintf(buffer, size, "%.0f d", s / 86400);
	return buffer;
}
