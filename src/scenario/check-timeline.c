/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a timeline can happen. It is played once on a model of the testbed that
 * knows which nodes have power, which agents run and which faults hold.
 */
#include <errno.h>

#include "src/scenario/internal.h"

struct check_node {
	int dead_line;	    /* the event that took its power for good; 0: it has power */
	int reboot_line;    /* its latest reboot */
	nsec_t back_nsec;   /* when that is over */
	int take_over_line; /* the event that gave its address to another host */
	int agent_line;	    /* the event since which its agent is not running; 0: it runs */
	int start_line;	    /* its latest start, which may have failed; 0: none since it ended */
};

struct check {
	const struct scenario *scenario;
	struct check_node node[_NODE_MAX];
	bool *active; /* for each event: a fault that holds */
	struct error *err;
};

/* The latest fault that holds and that a heal means, or -1. */
static int find_active(const struct check *check, size_t count, const struct event *heal)
{
	for (size_t i = count; i-- > 0;) {
		const struct event *event = &check->scenario->events[i];

		if (!check->active[i] || event->fault != heal->fault)
			continue;
		if (heal->has_node && (event->node != heal->node || event->side != heal->side))
			continue;
		if (heal->direction == DIRECTION_BOTH || event->direction == heal->direction)
			return (int)i;
	}
	return -1;
}

/* What a fault was done to a host is gone with its kernel. */
static void forget_faults(struct check *check, size_t count, enum node_id node, bool power)
{
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &check->scenario->events[i];

		if (event->has_node && event->node == node &&
		    (event->fault == FAULT_FREEZE ||
		     (power && (event->fault == FAULT_INTERFACE_DOWN ||
				event->fault == FAULT_ADDRESS_REMOVE))))
			check->active[i] = false;
	}
}

/* Whether the node is there to have something done to it. */
static int check_power(struct check *check, const struct event *event)
{
	const struct check_node *node = &check->node[event->node];

	if (node->dead_line)
		return scenario_refuse(
			check->scenario, event->line, check->err,
			"the %s lost its power in line %d and is not there any more%s",
			node_name(event->node), node->dead_line,
			event->kind == EVENT_FAULT && event->fault == FAULT_REBOOT
				? "; 'reboot' cuts the power itself, so leave the power-loss "
				  "out"
				: "");
	if (node->reboot_line && event->at_nsec < node->back_nsec)
		return scenario_refuse(
			check->scenario, event->line, check->err,
			"the %s is down at this time: the downtime of its reboot in line %d",
			node_name(event->node), node->reboot_line);
	return 0;
}

static void end_agent(struct check *check, const struct event *event)
{
	check->node[event->node].agent_line = event->line;
	check->node[event->node].start_line = 0;
}

static int check_running(struct check *check, const struct event *event)
{
	int line = check->node[event->node].agent_line;

	if (!line)
		return 0;
	return scenario_refuse(check->scenario, event->line, check->err,
			       "the agent of the %s is not running any more: see line %d",
			       node_name(event->node), line);
}

/* A start may fail, as where the port is still taken; so one may follow another. */
static int check_start(struct check *check, const struct event *event)
{
	struct check_node *node = &check->node[event->node];

	if (!node->agent_line && !node->start_line)
		return scenario_refuse(check->scenario, event->line, check->err,
				       "the agent of the %s runs at this time; 'start' is for one "
				       "that has ended by 'crash' or 'exit'",
				       node_name(event->node));
	node->start_line = event->line;
	node->agent_line = 0;
	return 0;
}

static int check_action(struct check *check, const struct event *event)
{
	const struct scenario_agent *agent = &check->scenario->agent[event->node];
	int rc;

	if (event->action == ACTION_START)
		return check_start(check, event);
	if (agent->command)
		return scenario_refuse(check->scenario, event->line, check->err,
				       "action '%s' is for built-in agents; the %s runs a command",
				       action_name(event->action), node_name(event->node));
	rc = check_running(check, event);
	if (rc == 0 && event->action == ACTION_EXIT)
		end_agent(check, event);
	return rc;
}

static int check_heal(struct check *check, size_t index)
{
	const struct event *event = &check->scenario->events[index];
	int active = find_active(check, index, event);

	if (active < 0)
		return scenario_refuse(check->scenario, event->line, check->err,
				       "nothing to heal: there is no %s%s%s at this time",
				       fault_name(event->fault), event->has_node ? " on the " : "",
				       event->has_node ? node_name(event->node) : "");
	check->active[active] = false;
	return 0;
}

static int check_fault(struct check *check, size_t index)
{
	const struct scenario *scenario = check->scenario;
	const struct event *event = &scenario->events[index];
	struct check_node *node = &check->node[event->node];
	const char *problem;

	check->active[index] = true;
	switch (event->fault) {
	case FAULT_UNREACHABLE:
	case FAULT_PROHIBIT:
		if (scenario->path.kind != PATH_ROUTED)
			return scenario_refuse(
				scenario, event->line, check->err,
				"fault '%s' needs a router that answers: 'path: routed', not "
				"%s",
				fault_name(event->fault), path_kind_name(scenario->path.kind));
		break;
	case FAULT_INTERFACE_DOWN:
		if (event->node == NODE_ROUTER && scenario->path.kind == PATH_DIRECT)
			return scenario_refuse(scenario, event->line, check->err,
					       "there is no router on a direct path");
		break;
	case FAULT_NETEM:
		if (scenario_netem_is_empty(&event->netem))
			return scenario_refuse(
				scenario, event->line, check->err,
				"fault 'netem' needs at least one of delay, loss, duplicate, "
				"corrupt, reorder, rate and limit");
		problem = scenario_netem_problem(&event->netem);
		if (problem)
			return scenario_refuse(scenario, event->line, check->err, "%s", problem);
		break;
	case FAULT_POWER_LOSS:
		forget_faults(check, index, event->node, true);
		node->dead_line = event->line;
		break;
	case FAULT_REBOOT:
		forget_faults(check, index, event->node, true);
		node->reboot_line = event->line;
		if (__builtin_add_overflow(event->at_nsec, event->downtime_nsec, &node->back_nsec))
			node->back_nsec = NSEC_NEVER;
		node->agent_line = event->no_service ? event->line : 0;
		node->start_line = 0;
		break;
	case FAULT_CRASH:
		forget_faults(check, index, event->node, false);
		end_agent(check, event);
		break;
	case FAULT_CONNTRACK_FLUSH:
		if (!scenario_tracks(scenario))
			return scenario_refuse(
				scenario, event->line, check->err,
				"the router knows no flows that it could forget; add "
				"'path.conntrack: true'");
		break;
	case FAULT_TAKE_OVER:
		if (scenario->path.kind != PATH_SWITCHED)
			return scenario_refuse(scenario, event->line, check->err,
					       "fault 'take-over' needs a third port on the same "
					       "link: 'path: switched', not %s",
					       path_kind_name(scenario->path.kind));
		if (node->take_over_line)
			return scenario_refuse(scenario, event->line, check->err,
					       "the address was taken over in line %d already",
					       node->take_over_line);
		node->take_over_line = event->line;
		break;
	case FAULT_BLACKHOLE:
	case FAULT_CABLE_PULL:
	case FAULT_ADDRESS_REMOVE:
	case FAULT_DROP:
	case FAULT_FREEZE:
	case _FAULT_KIND_MAX:
		break;
	}
	return 0;
}

static int check_event(struct check *check, size_t index)
{
	const struct event *event = &check->scenario->events[index];
	int rc = 0;

	if (event->has_node && event->kind != EVENT_HEAL)
		rc = check_power(check, event);
	if (rc < 0)
		return rc;
	switch (event->kind) {
	case EVENT_ACTION:
		return check_action(check, event);
	case EVENT_HEAL:
		return check_heal(check, index);
	case EVENT_FAULT:
		if (event->fault == FAULT_CRASH || event->fault == FAULT_FREEZE)
			rc = check_running(check, event);
		return rc < 0 ? rc : check_fault(check, index);
	}
	return 0;
}

static int check_order(const struct scenario *scenario, struct error *err)
{
	const struct event *events = scenario->events;
	char a[64], b[64];

	for (size_t i = 1; i < scenario->n_events; i++)
		if (events[i].at_nsec < events[i - 1].at_nsec)
			return scenario_refuse(
				scenario, events[i].line, err,
				"the timeline is out of order: this event is at %s, the one "
				"in line %d before it at %s",
				nsec_format(a, sizeof(a), events[i].at_nsec), events[i - 1].line,
				nsec_format(b, sizeof(b), events[i - 1].at_nsec));
	return 0;
}

static int check_horizon(const struct scenario *scenario, struct error *err)
{
	const struct event *last;
	char a[64], b[64];
	nsec_t span;

	if (!scenario->horizon_nsec)
		return scenario_refuse(
			scenario, 1, err,
			"'horizon' is missing: how long to wait at most, from the first "
			"event");
	if (!scenario->n_events)
		return 0;
	last = &scenario->events[scenario->n_events - 1];
	span = last->at_nsec - scenario->events[0].at_nsec;
	if (span < scenario->horizon_nsec)
		return 0;
	return scenario_refuse(
		scenario, scenario->horizon_line, err,
		"the horizon of %s ends before the last event, which is in line %d, %s after "
		"the first",
		nsec_format(a, sizeof(a), scenario->horizon_nsec), last->line,
		nsec_format(b, sizeof(b), span));
}

int scenario_check_timeline(const struct scenario *scenario, struct error *err)
{
	_cleanup_(freep) bool *active = calloc(scenario->n_events + 1, sizeof(bool));
	struct check check = { .scenario = scenario, .active = active, .err = err };
	int rc;

	if (!active)
		return error_errno(err, -ENOMEM, "timeline");
	rc = check_order(scenario, err);
	for (size_t i = 0; rc == 0 && i < scenario->n_events; i++)
		rc = check_event(&check, i);
	return rc < 0 ? rc : check_horizon(scenario, err);
}
