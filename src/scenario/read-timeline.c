/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the timeline of a scenario: one map for each event. One table has the keys and
 * how each is read, another the keys that go with each fault or action. To add a fault
 * is to add a row to `faults`.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/scenario/field.h"
#include "src/scenario/internal.h"
#include "src/text/suggest.h"

enum event_key {
	KEY_AT,
	KEY_FAULT,
	KEY_HEAL,
	KEY_ACTION,
	KEY_NODE,
	KEY_SIDE,
	KEY_PROGRAM,
	KEY_DIRECTION,
	KEY_FROM,
	KEY_TO,
	KEY_BETWEEN,
	KEY_DOWNTIME,
	KEY_MAC,
	KEY_ADDRESS,
	KEY_SERVICE,
	KEY_ANNOUNCE,
	KEY_FLAGS,
	KEY_PAYLOAD,
	KEY_COUNT,
	KEY_SIZE,
	KEY_LOCAL_PORT,
	KEY_NETEM, /* and NETEM_FIELDS - 1 after it */
	_KEY_MAX = KEY_NETEM + NETEM_FIELDS,
};
#define BIT(key)      (1u << (key))
#define KEYS_OF_NETEM (BIT(_KEY_MAX) - BIT(KEY_NETEM))

#define PAIR	 (BIT(KEY_DIRECTION) | BIT(KEY_FROM) | BIT(KEY_TO) | BIT(KEY_BETWEEN))
#define HOSTS	 ((1u << SCENARIO_HOSTS_MAX) - 1)
#define ANY_NODE (HOSTS | 1u << NODE_ROUTER)

/* The keys that an event has beside `at` and its kind, and what is known of faults. */
struct event_rule {
	unsigned int needs, takes; /* masks of BIT(key) */
	unsigned int nodes;	   /* mask of 1 << enum node_id where it may strike */
	bool heals;		   /* `heal` can end it */
	bool lasts;		   /* it does not end by itself */
};

static const struct event_rule faults[] = {
	[FAULT_BLACKHOLE] = { 0, PAIR, 0, true, true },
	[FAULT_UNREACHABLE] = { 0, PAIR, 0, true, true },
	[FAULT_PROHIBIT] = { 0, PAIR, 0, true, true },
	[FAULT_CABLE_PULL] = { BIT(KEY_NODE), 0, HOSTS, true, true },
	[FAULT_INTERFACE_DOWN] = { BIT(KEY_NODE), BIT(KEY_SIDE), ANY_NODE, true, true },
	[FAULT_ADDRESS_REMOVE] = { BIT(KEY_NODE), 0, HOSTS, true, true },
	[FAULT_DROP] = { 0, PAIR | BIT(KEY_FLAGS) | BIT(KEY_PAYLOAD) | BIT(KEY_COUNT), 0, true,
			 true },
	[FAULT_NETEM] = { 0, PAIR | KEYS_OF_NETEM, 0, true, true },
	[FAULT_POWER_LOSS] = { BIT(KEY_NODE), 0, HOSTS, false, true },
	[FAULT_REBOOT] = { BIT(KEY_NODE),
			   BIT(KEY_DOWNTIME) | BIT(KEY_MAC) | BIT(KEY_ADDRESS) | BIT(KEY_SERVICE),
			   HOSTS, false, false },
	[FAULT_CRASH] = { BIT(KEY_NODE), BIT(KEY_PROGRAM), HOSTS, false, false },
	[FAULT_FREEZE] = { BIT(KEY_NODE), BIT(KEY_PROGRAM), HOSTS, true, true },
	[FAULT_CONNTRACK_FLUSH] = { 0, BIT(KEY_NODE), 1u << NODE_ROUTER, false, false },
	[FAULT_TAKE_OVER] = { BIT(KEY_NODE), BIT(KEY_ANNOUNCE), 1u << NODE_SERVER, false, true },
};
static_assert(ARRAY_SIZE(faults) == _FAULT_KIND_MAX, "every fault has a rule");

static const struct event_rule actions[] = {
	[ACTION_CONNECT] = { BIT(KEY_NODE), BIT(KEY_LOCAL_PORT), HOSTS & ~(1u << NODE_SERVER) },
	[ACTION_SEND] = { BIT(KEY_NODE), BIT(KEY_SIZE), HOSTS },
	[ACTION_SHUTDOWN] = { BIT(KEY_NODE), 0, HOSTS },
	[ACTION_CLOSE] = { BIT(KEY_NODE), 0, HOSTS },
	[ACTION_PAUSE_READING] = { BIT(KEY_NODE), 0, HOSTS },
	[ACTION_RESUME_READING] = { BIT(KEY_NODE), 0, HOSTS },
	[ACTION_FREE_DESCRIPTORS] = { BIT(KEY_NODE), 0, HOSTS & ~(1u << NODE_CLIENT) },
	[ACTION_EXIT] = { BIT(KEY_NODE), BIT(KEY_PROGRAM), HOSTS },
	[ACTION_START] = { BIT(KEY_NODE), BIT(KEY_PROGRAM), HOSTS },
};
static_assert(ARRAY_SIZE(actions) == _ACTION_MAX, "every action has a rule");

static int read_fault(struct event *event, const char *text, struct error *err)
{
	static const struct word_list words = { "fault", &fault_names };
	bool thaw = !strcmp(text, "thaw"); /* reads better than `heal: freeze` */
	int fault = FAULT_FREEZE, rc = thaw ? 0 : grammar_read_word(text, &words, &fault, err);

	if (rc < 0)
		return rc;
	event->kind = thaw ? EVENT_HEAL : EVENT_FAULT;
	event->fault = fault;
	if (fault == FAULT_CONNTRACK_FLUSH) { /* only the router has flows to forget */
		event->node = NODE_ROUTER;
		event->has_node = true;
	}
	return 0;
}

static int read_heal(struct event *event, const char *text, struct error *err)
{
	int rc = read_fault(event, text, err);

	if (rc < 0)
		return rc;
	event->kind = EVENT_HEAL;
	if (event->fault == FAULT_POWER_LOSS)
		return error_input(err, "power-loss cannot be healed; use 'fault: reboot', which "
					"loses power and comes back after its downtime");
	if (!faults[event->fault].heals)
		return error_input(err, "%s cannot be healed", text);
	return 0;
}

static int read_action(struct event *event, const char *text, struct error *err)
{
	static const struct word_list words = { "action", &action_names };
	int action = 0, rc = grammar_read_word(text, &words, &action, err);

	event->kind = EVENT_ACTION;
	event->action = action;
	return rc;
}

/* "SYN,!ACK": bits that must be set and, after '!', bits that must not. The bits are those of the
 * TCP header, RFC 9293 section 3.1. */
static int read_flags(struct event *event, const char *text, struct error *err)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	struct drop_match *drop = &event->drop;
	const char *p = text;

	if (!strcmp(text, "any"))
		return 0;
	for (;;) {
		bool unset = *p == '!';
		size_t bit, n;

		p += unset;
		n = strcspn(p, ",");
		for (bit = 0; bit < ARRAY_SIZE(names); bit++)
			if (n == 3 && !strncmp(names[bit], p, 3))
				break;
		if (bit == ARRAY_SIZE(names))
			return error_input(err,
					   "'%s' are not TCP flags; write SYN, ACK, FIN, RST, PSH, "
					   "URG, ECE or CWR with commas between, '!' in front of "
					   "one that must not be set, or any",
					   text);
		if (drop->flags_mask & (1u << bit))
			return error_input(err, "'%s' names %s twice", text, names[bit]);
		drop->flags_mask |= (uint8_t)(1u << bit);
		if (!unset)
			drop->flags |= (uint8_t)(1u << bit);
		p += n;
		if (!*p)
			return 0;
		p++;
		p += *p == ' ';
	}
}

static int read_program(struct event *event, const char *text, struct error *err)
{
	if (!*text || strlen(text) >= sizeof(event->program))
		return error_input(err, "'%s' is no name of a program", text);
	strcpy(event->program, text);
	return 0;
}

static const char *const old_new[] = { "same", "new" };
static const char *const new_none[] = { "new", "none" };
static const struct names identity_names = { old_new, ARRAY_SIZE(old_new) };
static const struct names service_names = { new_none, ARRAY_SIZE(new_none) };
#define IN_EVENT(member) FIELD_IN(struct event, member)
static const struct {
	struct field field; /* the key, and how its value is read unless `read` does that */
	int (*read)(struct event *event, const char *text, struct error *err);
} event_fields[] = {
	[KEY_AT] = { { "at", NULL, FIELD_TIME, IN_EVENT(at_nsec), 0, NSEC_NEVER } },
	[KEY_FAULT] = { { "fault" }, read_fault },
	[KEY_HEAL] = { { "heal" }, read_heal },
	[KEY_ACTION] = { { "action" }, read_action },
	[KEY_NODE] = { { "node" } },
	[KEY_SIDE] = { { "side" } },
	[KEY_PROGRAM] = { { "program" }, read_program },
	[KEY_DIRECTION] = { { "direction", NULL, FIELD_WORD, IN_EVENT(direction),
			      .names = &direction_names,
			      .wrong = "'%s' is not a direction; use both, client-to-server or "
				       "server-to-client" } },
	[KEY_FROM] = { { "from" } },
	[KEY_TO] = { { "to" } },
	[KEY_BETWEEN] = { { "between" } },
	[KEY_DOWNTIME] = { { "downtime", NULL, FIELD_TIME, IN_EVENT(downtime_nsec), 0,
			     NSEC_NEVER } },
	[KEY_MAC] = { { "mac", NULL, FIELD_WORD, IN_EVENT(new_mac), .names = &identity_names,
			.wrong = "'%s' is neither same nor new" } },
	[KEY_ADDRESS] = { { "address", NULL, FIELD_WORD, IN_EVENT(new_address),
			    .names = &identity_names, .wrong = "'%s' is neither same nor new" } },
	[KEY_SERVICE] = { { "service", NULL, FIELD_WORD, IN_EVENT(no_service),
			    .names = &service_names, .wrong = "'%s' is neither new nor none" } },
	[KEY_ANNOUNCE] = { { "announce", NULL, FIELD_BOOL, IN_EVENT(announce) } },
	[KEY_FLAGS] = { { "flags" }, read_flags },
	[KEY_PAYLOAD] = { { "payload", NULL, FIELD_BOOL, IN_EVENT(drop.payload_only) } },
	[KEY_COUNT] = { { "count", NULL, FIELD_COUNT, IN_EVENT(drop.count), 1, 1000000 } },
	[KEY_SIZE] = { { "size", NULL, FIELD_BYTES, IN_EVENT(size), 1, 1 << 30 } },
	[KEY_LOCAL_PORT] = { { "local_port", NULL, FIELD_COUNT, IN_EVENT(local_port), 0, 65535 } },
};
static_assert(ARRAY_SIZE(event_fields) == KEY_NETEM, "every key has its place");

static const char *key_name(int key)
{
	return key < KEY_NETEM ? event_fields[key].field.key : netem_fields[key - KEY_NETEM].key;
}

static int key_from_name(const char *name)
{
	for (int key = 0; key < _KEY_MAX; key++)
		if (!strcmp(key_name(key), name))
			return key;
	return -1;
}

/* "client, server and proxy", of the nodes of a mask that the scenario has */
static const char *list_nodes(const struct scenario *scenario, unsigned int nodes, char *buffer,
			      size_t size)
{
	size_t n = 0;

	for (enum node_id id = 0; id < _NODE_MAX; id++)
		if (!scenario_node_name(scenario, id))
			nodes &= ~(1u << id);
	for (enum node_id id = 0; id < _NODE_MAX; id++) {
		if (!(nodes & 1u << id))
			continue;
		nodes &= ~(1u << id);
		n += (size_t)snprintf(buffer + n, size - n, "%s%s",
				      n == 0  ? ""
				      : nodes ? ", "
					      : " and ",
				      scenario_node_name(scenario, id));
	}
	return buffer;
}

static int read_node(const struct scenario *scenario, const char *text, enum node_id *ret_node,
		     struct error *err)
{
	int node = scenario_find_node(scenario, text, strlen(text));
	char names[256];
	size_t n = 0;

	if (node >= 0) {
		*ret_node = (enum node_id)node;
		return 0;
	}
	for (enum node_id i = 0; i < scenario->n_hosts; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s, ",
				      scenario_node_name(scenario, i));
	n -= 2;
	return error_input(err, "there is no node '%s'; the nodes are %.*s and router", text,
			   (int)n, names);
}

/* A host that a fault is between: of the two, pair[index]. */
static int read_pair(const struct scenario *scenario, const char *text, struct event *event,
		     int index, struct error *err)
{
	int rc = read_node(scenario, text, &event->pair[index], err);

	if (rc < 0)
		return rc;
	if (event->pair[index] == NODE_ROUTER)
		return error_input(err, "the router is between the hosts, and no end");
	event->has_pair = true;
	return 0;
}

static int read_between(const struct scenario *scenario, const struct document_node *list,
			struct event *event, struct error *err)
{
	int rc = document_require(list, DOCUMENT_LIST, "between", err);

	if (rc == 0 && list->n_items != 2)
		return document_error(list, err, "between: write two hosts, [A, B]");
	for (int i = 0; rc == 0 && i < 2; i++) {
		rc = document_require(list->items[i], DOCUMENT_SCALAR, "between", err);
		if (rc == 0)
			rc = document_prefix_key(
				list, read_pair(scenario, list->items[i]->text, event, i, err),
				err);
	}
	return rc;
}

static int read_value(const struct scenario *scenario, struct event *event, int key,
		      const char *text, struct error *err)
{
	int rc;

	if (key == KEY_NODE || key == KEY_SIDE) {
		rc = read_node(scenario, text, key == KEY_NODE ? &event->node : &event->side, err);
		if (rc == 0 && key == KEY_SIDE && event->side == NODE_ROUTER)
			return error_input(err,
					   "'%s' is not an end; a link of the router leads to a "
					   "host",
					   text);
		event->has_node |= key == KEY_NODE;
		return rc;
	}
	if (key == KEY_FROM || key == KEY_TO)
		return read_pair(scenario, text, event, key == KEY_TO, err);
	if (key >= KEY_NETEM)
		return field_parse(&netem_fields[key - KEY_NETEM], &event->netem, text, err);
	if (event_fields[key].read)
		return event_fields[key].read(event, text, err);
	rc = field_parse(&event_fields[key].field, event, text, err);
	event->has_local_port |= key == KEY_LOCAL_PORT;
	return rc;
}

static int unknown_key(const struct document_node *node, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->key);
	for (int key = 0; key < _KEY_MAX; key++)
		suggestion_offer(&suggestion, key_name(key));
	return document_error(node, err, "an event has no '%s'%s", node->key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

/* "fault 'crash'" */
static const char *describe(const struct event *event, char *buffer, size_t size)
{
	static const char *const kinds[] = { "fault", "heal", "action" };

	snprintf(buffer, size, "%s '%s'", kinds[event->kind],
		 event->kind == EVENT_ACTION ? action_name(event->action)
					     : fault_name(event->fault));
	return buffer;
}

/* "node, direction and side", of the keys of a mask */
static const char *list_keys(unsigned int keys, char *buffer, size_t size)
{
	size_t n = 0;

	snprintf(buffer, size, "nothing else");
	for (int key = 0; key < _KEY_MAX; key++) {
		if (!(keys & BIT(key)))
			continue;
		keys &= ~BIT(key);
		n += (size_t)snprintf(buffer + n, size - n, "%s%s",
				      n == 0 ? ""
				      : keys ? ", "
					     : " and ",
				      key_name(key));
	}
	return buffer;
}

static struct event_rule rule_of(const struct event *event)
{
	struct event_rule rule;

	if (event->kind == EVENT_ACTION)
		return actions[event->action];
	rule = faults[event->fault];
	if (event->kind == EVENT_HEAL) {
		rule.takes = (rule.needs | rule.takes) &
			     (BIT(KEY_NODE) | BIT(KEY_SIDE) | BIT(KEY_PROGRAM) | PAIR);
		rule.needs = 0;
	}
	return rule;
}

bool scenario_fault_heals(enum fault_kind fault)
{
	return faults[fault].heals;
}

bool scenario_fault_lasts(const struct event *event)
{
	return faults[event->fault].lasts && !event->drop.count;
}

/* Refuses keys that do not go with what the event is, and the lack of one that it needs. */
static int check_keys(const struct scenario *scenario, const struct event *event,
		      unsigned int given, const struct document_node *map, struct error *err)
{
	struct event_rule rule = rule_of(event);
	unsigned int extra, missing;
	char what[64], keys[256];

	describe(event, what, sizeof(what));
	given &= ~(BIT(KEY_AT) | BIT(KEY_FAULT) | BIT(KEY_HEAL) | BIT(KEY_ACTION));
	extra = given & ~(rule.needs | rule.takes);
	if (extra)
		return document_error(map, err, "%s has no '%s'; it takes %s", what,
				      key_name(__builtin_ctz(extra)),
				      list_keys(rule.needs | rule.takes, keys, sizeof(keys)));
	missing = rule.needs & ~given;
	if (missing)
		return document_error(map, err, "%s needs '%s'", what,
				      key_name(__builtin_ctz(missing)));
	if (event->has_node && !(rule.nodes & (1u << event->node)))
		return document_error(map, err, "%s cannot be on the %s, only on %s", what,
				      scenario_node_name(scenario, event->node),
				      list_nodes(scenario, rule.nodes, keys, sizeof(keys)));
	if (event->kind != EVENT_ACTION && event->fault == FAULT_INTERFACE_DOWN &&
	    (event->has_node && event->node == NODE_ROUTER) != !!(given & BIT(KEY_SIDE)))
		return document_error(map, err,
				      "%s takes 'side: client' or 'side: server' with the router, "
				      "and only there",
				      what);
	return 0;
}

/* "from: A, to: B" is one direction between A and B. The two are kept in the order of their
 * numbers, so that the same fault is the same however it is said. */
static int order_pair(struct event *event, unsigned int given, const struct document_node *map,
		      struct error *err)
{
	unsigned int one_way = BIT(KEY_FROM) | BIT(KEY_TO);

	if ((given & one_way) && (given & one_way) != one_way)
		return document_error(map, err, "'from' and 'to' go together");
	if (__builtin_popcount(given & (BIT(KEY_FROM) | BIT(KEY_BETWEEN) | BIT(KEY_DIRECTION))) > 1)
		return document_error(map, err,
				      "write either 'from' and 'to', or 'between', or 'direction'");
	if (event->pair[0] == event->pair[1])
		return document_error(map, err, "a path leads from one host to another");
	if (given & BIT(KEY_FROM))
		event->direction =
			event->pair[0] < event->pair[1] ? DIRECTION_FORWARD : DIRECTION_BACKWARD;
	if (event->pair[0] > event->pair[1]) {
		enum node_id first = event->pair[1];

		event->pair[1] = event->pair[0];
		event->pair[0] = first;
	}
	return 0;
}

static int read_event(const struct scenario *scenario, const struct document_node *map,
		      struct event *ret_event, struct error *err)
{
	/* Unless the event says otherwise, a fault is between client and server, `direction` is
	 * both ways and `size` is one byte. */
	struct event event = { .line = map->line, .size = 1, .pair = { NODE_CLIENT, NODE_SERVER } };
	unsigned int given = 0, kinds;
	int rc, key;

	if (map->kind != DOCUMENT_MAP)
		return document_error(map, err, "an event is a map, {at: ..., fault: ...}, not %s",
				      document_kind_name(map->kind));
	for (size_t i = 0; i < map->n_items; i++) {
		const struct document_node *item = map->items[i];

		key = key_from_name(item->key);
		if (key < 0)
			return unknown_key(item, err);
		given |= BIT(key);
		if (key == KEY_BETWEEN) {
			rc = read_between(scenario, item, &event, err);
			if (rc < 0)
				return rc;
			continue;
		}
		rc = document_require(item, DOCUMENT_SCALAR, item->key, err);
		if (rc < 0)
			return rc;
		rc = document_prefix_key(item, read_value(scenario, &event, key, item->text, err),
					 err);
		if (rc < 0)
			return rc;
	}
	kinds = given & (BIT(KEY_FAULT) | BIT(KEY_HEAL) | BIT(KEY_ACTION));
	if (__builtin_popcount(kinds) != 1)
		return document_error(map, err, "an event has one of fault, heal and action%s",
				      kinds ? ", not several" : "; this one has none");
	if (!(given & BIT(KEY_AT)))
		return document_error(map, err, "an event needs 'at', its time");
	rc = check_keys(scenario, &event, given, map, err);
	if (rc == 0)
		rc = order_pair(&event, given, map, err);
	if (rc < 0)
		return rc;
	*ret_event = event;
	return 0;
}

int scenario_read_timeline(struct scenario *scenario, const struct document_node *list,
			   struct error *err)
{
	_cleanup_(freep) struct event *events = NULL;
	int rc;

	rc = document_require(list, DOCUMENT_LIST, "timeline", err);
	if (rc < 0)
		return rc;
	if (list->n_items > SCENARIO_MAX_EVENTS)
		return document_error(list, err, "%zu events; there may be at most %d",
				      list->n_items, SCENARIO_MAX_EVENTS);
	events = calloc(list->n_items + 1, sizeof(*events));
	if (!events)
		return error_errno(err, -ENOMEM, "timeline");
	for (size_t i = 0; i < list->n_items; i++) {
		rc = read_event(scenario, list->items[i], &events[i], err);
		if (rc < 0)
			return rc;
	}
	free(scenario->events);
	scenario->events = take_ptr(events);
	scenario->n_events = list->n_items;
	return 0;
}
