/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a timeline can happen, and which fault each heal ends. It is played once
 * on a model of the testbed that knows which nodes have power, which agents run and
 * which faults hold. Faults that hold are stacked by kind and place, the latest on
 * top; a heal takes one off, so that a timeline is played in linear time.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"

struct check_node {
	int dead_line;	    /* the event that took its power for good; 0: it has power */
	int reboot_line;    /* its latest reboot */
	nsec_t back_nsec;   /* when that is over */
	int take_over_line; /* the event that gave its address to another host */
	/* Of each program, or of the built-in one: */
	int agent_line[SCENARIO_PROGRAMS_MAX]; /* the event since which it is not running; 0: it
						* runs
						*/
	int start_line[SCENARIO_PROGRAMS_MAX]; /* its latest start, which may have failed; 0: none
						* since it ended */
};

/* The places where faults of one kind can hold: the nodes and the links of the router, or between
 * two hosts the directions of the path. */
enum { PLACES = SCENARIO_HOSTS_MAX * SCENARIO_HOSTS_MAX * _DIRECTION_MAX };
static_assert((int)_NODE_MAX + SCENARIO_HOSTS_MAX <= (int)PLACES, "every link is a place");

struct check {
	const struct scenario *scenario; /* the timeline's */
	struct check_node node[_NODE_MAX];
	size_t latest[_FAULT_KIND_MAX][PLACES]; /* 1 + index of the latest that holds; 0: none */
	size_t *before; /* for each fault that holds: 1 + index of the one under it; 0: none */
	struct error *err;
};

/* ERROR_INPUT with the event's line. */
#define REFUSE(check, event, ...)                                                                  \
	scenario_refuse((check)->scenario, (event)->line, (check)->err, __VA_ARGS__)

static const char *name_of(const struct check *check, enum node_id node)
{
	return scenario_node_name(check->scenario, node);
}

static size_t place_of(const struct event *event)
{
	if (!event->has_node)
		return (event->pair[0] * SCENARIO_HOSTS_MAX + event->pair[1]) * _DIRECTION_MAX +
		       event->direction;
	if (event->node == NODE_ROUTER && event->fault == FAULT_INTERFACE_DOWN)
		return (size_t)_NODE_MAX + event->side;
	return event->node;
}

/* The top of the stack that a heal takes a fault from. A heal that names no place ends the latest
 * fault of its kind, wherever that is. */
static size_t *find_healed(struct check *check, const struct event *heal)
{
	size_t *latest = check->latest[heal->fault], *found = latest;

	if (heal->has_node || heal->has_pair || heal->direction != DIRECTION_BOTH)
		return &latest[place_of(heal)];
	for (size_t place = 1; place < PLACES; place++)
		if (latest[place] > *found)
			found = &latest[place];
	return found;
}

/* A fault of a process ends with the process, and with `power`, faults of a host end with its
 * kernel. */
static void forget_faults(struct check *check, enum node_id node, bool power)
{
	check->latest[FAULT_FREEZE][node] = 0;
	if (!power)
		return;
	check->latest[FAULT_INTERFACE_DOWN][node] = 0;
	check->latest[FAULT_ADDRESS_REMOVE][node] = 0;
}

/* Refuses an event on a node that has no power at its time. */
static int check_power(struct check *check, const struct event *event)
{
	const struct check_node *node = &check->node[event->node];

	if (node->dead_line)
		return REFUSE(check, event,
			      "the %s lost its power in line %d and is not there any more%s",
			      name_of(check, event->node), node->dead_line,
			      event->kind == EVENT_FAULT && event->fault == FAULT_REBOOT
				      ? "; 'reboot' cuts the power itself, so leave the power-loss "
					"out"
				      : "");
	if (node->reboot_line && event->at_nsec < node->back_nsec)
		return REFUSE(check, event,
			      "the %s is down at this time: the downtime of its reboot in line %d",
			      name_of(check, event->node), node->reboot_line);
	return 0;
}

/* Whether the event is about that program of its host. */
static bool is_about(const struct check *check, const struct event *event, size_t program)
{
	return program < scenario_n_programs(check->scenario, event->node) &&
	       (event->program_index == SCENARIO_PROGRAMS_MAX || event->program_index == program);
}

static void end_programs(struct check *check, const struct event *event)
{
	for (size_t i = 0; i < SCENARIO_PROGRAMS_MAX; i++) {
		if (!is_about(check, event, i))
			continue;
		check->node[event->node].agent_line[i] = event->line;
		check->node[event->node].start_line[i] = 0;
	}
}

/* Finds the program that an event names. */
static int find_program(struct check *check, struct event *event)
{
	const struct scenario_agent *agent = &check->scenario->agent[event->node];

	event->program_index = SCENARIO_PROGRAMS_MAX;
	if (!*event->program)
		return 0;
	for (size_t i = 0; i < agent->n_programs; i++)
		if (!strcmp(agent->programs[i].name, event->program))
			event->program_index = i;
	if (event->program_index < SCENARIO_PROGRAMS_MAX)
		return 0;
	return REFUSE(check, event, "no program of the %s is called '%s'",
		      name_of(check, event->node), event->program);
}

static int check_running(struct check *check, const struct event *event)
{
	int line = 0;

	if (!scenario_has_agent(check->scenario, event->node))
		return REFUSE(check, event, "nothing runs on the %s", name_of(check, event->node));
	for (size_t i = 0; i < SCENARIO_PROGRAMS_MAX; i++) {
		if (!is_about(check, event, i))
			continue;
		line = check->node[event->node].agent_line[i];
		if (!line)
			return 0;
	}
	return REFUSE(check, event, "the agent of the %s is not running any more: see line %d",
		      name_of(check, event->node), line);
}

/* A start may fail, for example when the port is still taken, so that another may follow it. */
static int check_start(struct check *check, const struct event *event)
{
	struct check_node *node = &check->node[event->node];
	bool any = false;

	if (!scenario_has_agent(check->scenario, event->node))
		return REFUSE(check, event, "the scenario says of nothing that it runs on the %s",
			      name_of(check, event->node));
	for (size_t i = 0; i < SCENARIO_PROGRAMS_MAX; i++) {
		if (!is_about(check, event, i) || (!node->agent_line[i] && !node->start_line[i]))
			continue;
		node->start_line[i] = event->line;
		node->agent_line[i] = 0;
		any = true;
	}
	if (any || scenario_is_command(&check->scenario->agent[event->node]))
		return 0;
	return REFUSE(check, event,
		      "the agent of the %s runs at this time; 'start' is for one "
		      "that has ended by 'crash' or 'exit'",
		      name_of(check, event->node));
}

static int check_action(struct check *check, const struct event *event)
{
	const struct scenario_agent *agent = &check->scenario->agent[event->node];
	int rc;

	if (event->action == ACTION_START)
		return check_start(check, event);
	if (scenario_is_command(agent) && event->action != ACTION_EXIT)
		return REFUSE(check, event,
			      "action '%s' is for built-in agents; the %s runs a command",
			      action_name(event->action), name_of(check, event->node));
	rc = check_running(check, event);
	if (rc == 0 && event->action == ACTION_CONNECT &&
	    !scenario_connects(check->scenario, event->node))
		return REFUSE(check, event, "the %s does not connect; 'to' makes it a client",
			      name_of(check, event->node));
	if (rc == 0 && event->action == ACTION_EXIT)
		end_programs(check, event);
	return rc;
}

static int check_heal(struct check *check, struct event *event)
{
	size_t *healed = find_healed(check, event);

	if (!*healed)
		return REFUSE(check, event, "nothing to heal: there is no %s%s%s at this time",
			      fault_name(event->fault), event->has_node ? " on the " : "",
			      event->has_node ? name_of(check, event->node) : "");
	event->ends = *healed - 1;
	*healed = check->before[event->ends];
	return 0;
}

static int check_fault(struct check *check, size_t index)
{
	const struct scenario *scenario = check->scenario;
	const struct event *event = &scenario->events[index];
	struct check_node *node = &check->node[event->node];
	size_t *latest = &check->latest[event->fault][place_of(event)];
	const char *problem;

	check->before[index] = *latest;
	*latest = index + 1;
	switch (event->fault) {
	case FAULT_UNREACHABLE:
	case FAULT_PROHIBIT:
		if (scenario->path.kind != PATH_ROUTED)
			return REFUSE(check, event,
				      "fault '%s' needs a router that answers: 'path: routed', not "
				      "%s",
				      fault_name(event->fault),
				      path_kind_name(scenario->path.kind));
		break;
	case FAULT_INTERFACE_DOWN:
		if (event->node == NODE_ROUTER && scenario->path.kind == PATH_DIRECT)
			return REFUSE(check, event, "there is no router on a direct path");
		break;
	case FAULT_NETEM:
		if (scenario_netem_is_empty(&event->netem))
			return REFUSE(check, event,
				      "fault 'netem' needs at least one of delay, loss, duplicate, "
				      "corrupt, reorder, rate and limit");
		problem = scenario_netem_problem(&event->netem);
		if (problem)
			return REFUSE(check, event, "%s", problem);
		break;
	case FAULT_POWER_LOSS:
		forget_faults(check, event->node, true);
		node->dead_line = event->line;
		break;
	case FAULT_REBOOT:
		forget_faults(check, event->node, true);
		node->reboot_line = event->line;
		if (__builtin_add_overflow(event->at_nsec, event->downtime_nsec, &node->back_nsec))
			node->back_nsec = NSEC_NEVER;
		for (size_t i = 0; i < SCENARIO_PROGRAMS_MAX; i++) {
			node->agent_line[i] = event->no_service ? event->line : 0;
			node->start_line[i] = 0;
		}
		break;
	case FAULT_CRASH:
		forget_faults(check, event->node, false);
		end_programs(check, event);
		break;
	case FAULT_CONNTRACK_FLUSH:
		if (!scenario_tracks(scenario))
			return REFUSE(check, event,
				      "the router knows no flows that it could forget; add "
				      "'path.conntrack: true'");
		break;
	case FAULT_TAKE_OVER:
		if (scenario->path.kind != PATH_SWITCHED)
			return REFUSE(check, event,
				      "fault 'take-over' needs a third port on the same "
				      "link: 'path: switched', not %s",
				      path_kind_name(scenario->path.kind));
		if (node->take_over_line)
			return REFUSE(check, event, "the address was taken over in line %d already",
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
	struct event *event = &check->scenario->events[index];
	int rc = 0;

	event->program_index = SCENARIO_PROGRAMS_MAX;
	if (event->has_node && event->node != NODE_ROUTER)
		rc = find_program(check, event);
	if (rc == 0 && event->has_node && event->kind != EVENT_HEAL)
		rc = check_power(check, event);
	if (rc < 0)
		return rc;
	switch (event->kind) {
	case EVENT_ACTION:
		return check_action(check, event);
	case EVENT_HEAL:
		return check_heal(check, event);
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

static int check_until(const struct scenario *s, struct error *err)
{
	char until[64], horizon[64];

	if (!s->until_nsec || s->until_nsec <= s->horizon_nsec)
		return 0;
	return scenario_refuse(s, s->horizon_line, err,
			       "'until' (%s) is later than the horizon of %s, which ends the trial",
			       nsec_format(until, sizeof(until), s->until_nsec),
			       nsec_format(horizon, sizeof(horizon), s->horizon_nsec));
}

static int check_horizon(const struct scenario *scenario, struct error *err)
{
	const struct event *last;
	char a[64], b[64];
	nsec_t span_nsec;

	if (!scenario->horizon_nsec)
		return scenario_refuse(
			scenario, 1, err,
			"'horizon' is missing: how long to wait at most, from the first "
			"event");
	if (!scenario->n_events)
		return 0;
	last = &scenario->events[scenario->n_events - 1];
	span_nsec = last->at_nsec - scenario->events[0].at_nsec;
	if (span_nsec < scenario->horizon_nsec)
		return 0;
	return scenario_refuse(
		scenario, scenario->horizon_line, err,
		"the horizon of %s ends before the last event, which is in line %d, %s after "
		"the first",
		nsec_format(a, sizeof(a), scenario->horizon_nsec), last->line,
		nsec_format(b, sizeof(b), span_nsec));
}

int scenario_check_timeline(struct scenario *scenario, struct error *err)
{
	_cleanup_(freep) size_t *before = calloc(scenario->n_events + 1, sizeof(*before));
	struct check check = { .scenario = scenario, .before = before, .err = err };
	int rc;

	if (!before)
		return error_errno(err, -ENOMEM, "timeline");
	rc = check_order(scenario, err);
	for (size_t i = 0; rc == 0 && i < scenario->n_events; i++)
		rc = check_event(&check, i);
	if (rc == 0)
		rc = check_horizon(scenario, err);
	return rc < 0 ? rc : check_until(scenario, err);
}
