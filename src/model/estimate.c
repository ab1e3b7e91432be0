/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/estimate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "src/tcp/sysctl.h"

/* The time that a trial's start and end take in a guest whose testbed and agents are ready. */
#define GUEST_SETUP	 (20 * NSEC_PER_MSEC)
#define GUEST_PROGRAMS	 (2 * NSEC_PER_SEC)    /* a guest of its own, where they are ready */
#define GUEST_PER_SECOND (3 * NSEC_PER_USEC)   /* waking up in an idle virtual second */
#define GUEST_PER_PACKET (300 * NSEC_PER_USEC) /* through three nodes, with its observation */

static const char *const need_names[] = {
	[NEED_NETEM] = "netem",		  [NEED_NF_TABLES] = "nf_tables",
	[NEED_CONNTRACK] = "conntrack",	  [NEED_LINUX_6_5] = "Linux 6.5",
	[NEED_LINUX_6_11] = "Linux 6.11", [NEED_LINUX_6_15] = "Linux 6.15",
	[NEED_COMMAND] = "command",
};
static_assert(ARRAY_SIZE(need_names) == _NEED_MAX, "every need has a name");

/* A path without a router in the middle has no route that could lead to nowhere: a packet filter
 * cuts it instead. */
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
	case FAULT_CONNTRACK_FLUSH: /* the path needs it anyway */
	case FAULT_TAKE_OVER:
	case _FAULT_KIND_MAX:
		break;
	}
	return 0;
}

static unsigned int needs_of_sysctls(const struct scenario_node *node)
{
	unsigned int needs = 0;

	for (size_t i = 0; i < node->n_sysctls; i++) {
		const char *since = sysctl_since(node->sysctls[i].key);

		for (int need = NEED_LINUX_6_5; since && need <= NEED_LINUX_6_15; need++)
			if (!strcmp(need_names[need] + strlen("Linux "), since))
				needs |= 1u << need;
	}
	return needs;
}

unsigned int estimate_needs(const struct scenario *s)
{
	unsigned int needs = s->path.has_netem ? 1u << NEED_NETEM : 0;

	if (scenario_tracks(s))
		needs |= 1u << NEED_NF_TABLES | 1u << NEED_CONNTRACK;
	for (size_t i = 0; i < s->n_events; i++)
		needs |= needs_of_event(s, &s->events[i]);
	for (enum node_id n = 0; n < _NODE_MAX; n++)
		needs |= needs_of_sysctls(&s->node[n]);
	for (enum node_id n = 0; n < s->n_hosts; n++)
		if (scenario_is_command(&s->agent[n]))
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

/* The time from the first event until this end's part is over. */
static nsec_t span_of_end(const struct scenario *s, enum family family, enum end_id end,
			  const struct model_facts *kernel)
{
	const struct expectation *e = &s->expect[family][end];
	nsec_t first_nsec = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t last_nsec = s->n_events ? s->events[s->n_events - 1].at_nsec : 0;
	struct model_facts facts = *kernel;
	struct prediction p;

	/* Any phase is good enough for an estimate, and takes no time to play. */
	facts.phase = 0;
	facts.into_nsec = 0;
	if (e->outcomes == 1u << OUTCOME_UNDETECTED || e->gone_never)
		return s->horizon_nsec;
	if (e->outcomes == 1u << OUTCOME_SURVIVED)
		return last_nsec - first_nsec + NSEC_PER_SEC;
	if (e->gone_before.present && !e->gone_before.predicted)
		return e->gone_before.time_nsec;
	p = model_predict(s, family, end, &facts);
	if (p.mechanism != MECHANISM_NONE)
		return p.latest_nsec;
	if (e->before.present && !e->before.predicted)
		return e->before.time_nsec;
	return s->horizon_nsec;
}

nsec_t estimate_span(const struct scenario *s, enum family family, const struct model_facts *kernel)
{
	nsec_t first_nsec = s->n_events ? s->events[0].at_nsec : 0, span_nsec = 0;

	for (enum end_id n = 0; n < s->n_ends; n++)
		if (s->expect[family][n].present)
			span_nsec = nsec_max(span_nsec, span_of_end(s, family, n, kernel));
	if (!span_nsec)
		span_nsec = s->horizon_nsec;
	return first_nsec + nsec_min(span_nsec, s->horizon_nsec);
}

/* A connection that nothing cuts for good talks until the end, others until the first event. The
 * packets after a cut (retransmissions and probes) are few, and not counted. */
double estimate_packets(const struct scenario *s, nsec_t span_nsec)
{
	nsec_t talks_nsec = s->n_events ? s->events[0].at_nsec : span_nsec;
	double packets = 40;

	for (size_t i = 0; i < s->n_events; i++)
		if (s->events[i].kind != EVENT_FAULT || s->events[i].fault == FAULT_NETEM)
			talks_nsec = span_nsec;
	if (s->path.netem.loss > 0)
		talks_nsec = span_nsec;
	for (enum node_id n = 0; n < s->n_hosts; n++) {
		const struct scenario_agent *agent = &s->agent[n];
		nsec_t interval_nsec = scenario_option(agent, OPTION_INTERVAL, NSEC_PER_SEC);

		if (!interval_nsec)
			interval_nsec = 50 * NSEC_PER_USEC;
		switch ((enum workload)scenario_option(agent, OPTION_WORKLOAD, WORKLOAD_IDLE)) {
		case WORKLOAD_REQUEST:
		case WORKLOAD_STREAM:
		case WORKLOAD_HEARTBEAT:
			packets += 3 * (double)talks_nsec / (double)interval_nsec;
			break;
		default:
			break;
		}
	}
	return packets;
}

nsec_t estimate_guest_work(nsec_t span_nsec, double packets, bool programs)
{
	return GUEST_SETUP + (programs ? GUEST_PROGRAMS : 0) +
	       (nsec_t)(nsec_to_sec(span_nsec) * GUEST_PER_SECOND) +
	       (nsec_t)(packets * GUEST_PER_PACKET);
}

nsec_t estimate_virtual_time(struct scenario *const *scenarios, size_t n, enum family family,
			     const struct model_facts *kernel, unsigned int processors)
{
	nsec_t sum_nsec = 0, longest_nsec = 0;

	for (size_t i = 0; i < n; i++) {
		nsec_t span_nsec = estimate_span(scenarios[i], family, kernel);
		nsec_t work_nsec =
			estimate_guest_work(span_nsec, estimate_packets(scenarios[i], span_nsec),
					    scenario_has_programs(scenarios[i]));

		sum_nsec += work_nsec;
		longest_nsec = nsec_max(longest_nsec, work_nsec);
	}
	return ESTIMATE_GUEST_START + nsec_max(sum_nsec / processors, longest_nsec);
}

char *estimate_format_span(nsec_t span_nsec, char *buffer, size_t size)
{
	double s = nsec_to_sec(span_nsec);

	if (span_nsec == NSEC_NONE)
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
