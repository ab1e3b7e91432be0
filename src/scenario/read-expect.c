/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads `expect`: what each watched endpoint is expected to go through. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/tcp/state.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

static const struct word_list outcomes = { "outcome", &outcome_names };
static const struct word_list mechanisms = { "mechanism", &mechanism_names, .none = true };
static const struct word_list errnos = { "errno", NULL, .none = true };
static const struct word_list states = { "TCP state", &tcp_state_names, TCP_STATE_NEW_SYN_RECV };

/* The word `i` of a list of words, or the only word. */
static const struct document_node *word_at(const struct document_node *node, size_t i)
{
	return node->kind == DOCUMENT_LIST ? node->items[i] : node;
}

static int count_words(const struct document_node *node, size_t maximum, size_t *ret_count,
		       struct error *err)
{
	size_t count = node->kind == DOCUMENT_LIST ? node->n_items : 1;
	int rc = document_require_count(node, node->key, count, maximum, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (word_at(node, i)->kind != DOCUMENT_SCALAR)
			return document_error(word_at(node, i), err,
					      "'%s' is a word or a list of words", node->key);
	*ret_count = count;
	return rc;
}

static int wrong_word(const struct document_node *node, size_t i, int rc, struct error *err)
{
	error_prefix(err, rc, "%s", node->key);
	return document_prefix(word_at(node, i), rc, err);
}

static int read_words(const struct document_node *node, const struct word_list *list,
		      size_t maximum, int *ret_values, size_t *ret_count, struct error *err)
{
	size_t count;
	int rc = count_words(node, maximum, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = grammar_read_word(word_at(node, i)->text, list, &ret_values[i], err);
		if (rc < 0)
			return wrong_word(node, i, rc, err);
	}
	if (rc == 0)
		*ret_count = count;
	return rc;
}

static int read_mask(void *mask, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	int values[EXPECT_ERRORS_MAX];
	uint32_t bits = 0;
	size_t count;
	int rc = read_words(node, key->words, ARRAY_SIZE(values), values, &count, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		bits |= UINT32_C(1) << values[i];
	*(uint32_t *)mask = bits;
	return 0;
}

static int read_errors(void *to, const struct document_node *node, const struct grammar_key *key,
		       struct error *err)
{
	struct expectation *e = to;

	return read_words(node, key->words, EXPECT_ERRORS_MAX, e->errors, &e->n_errors, err);
}

static int read_states(void *to, const struct document_node *node, const struct grammar_key *key,
		       struct error *err)
{
	struct expectation *e = to;

	return read_words(node, key->words, EXPECT_WALK_MAX, e->states, &e->n_states, err);
}

static int parse_packet(const char *word, struct packet_pattern *ret_pattern, struct error *err)
{
	if (packet_parse_pattern(word, ret_pattern) == 0)
		return 0;
	return error_input(
		err,
		"'%s' is not a packet; write its flags as tcpdump does, \"[S.]\", with "
		"'<' (received) or '>' (sent) in front, and '!' before that for one that "
		"must not come",
		word);
}

static int read_packets(void *to, const struct document_node *node, const struct grammar_key *key,
			struct error *err)
{
	struct expectation *expectation = to;
	_cleanup_(freep) struct packet_pattern *packets = NULL;
	_cleanup_(strings_freep) char **texts = NULL;
	size_t count;
	int rc = count_words(node, EXPECT_WALK_MAX, &count, err);

	if (rc < 0)
		return rc;
	packets = calloc(count, sizeof(*packets));
	texts = calloc(count + 1, sizeof(*texts));
	if (!packets || !texts)
		return error_errno(err, -ENOMEM, "expect");
	for (size_t i = 0; i < count; i++) {
		rc = parse_packet(word_at(node, i)->text, &packets[i], err);
		if (rc < 0)
			return wrong_word(node, i, rc, err);
		texts[i] = strdup(word_at(node, i)->text);
		if (!texts[i])
			return error_errno(err, -ENOMEM, "expect");
	}
	free(expectation->packets);
	strings_free(expectation->packet_texts);
	expectation->packets = take_ptr(packets);
	expectation->packet_texts = take_ptr(texts);
	return 0;
}

/* "predicted", or a time. */
static int read_bound(void *to, const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	struct expect_time bound = { .present = true };
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	bound.predicted = !strcmp(node->text, "predicted");
	if (!bound.predicted)
		rc = quantity_parse_time(node->text, &bound.time_nsec, err);
	if (rc < 0) {
		error_prefix(err, rc, "neither 'predicted' nor a time");
		return document_prefix_key(node, rc, err);
	}
	*(struct expect_time *)to = bound;
	return 0;
}

static const struct grammar_key gone_keys[] = {
	{ "after", read_bound, offsetof(struct expectation, gone_after) },
	{ "before", read_bound, offsetof(struct expectation, gone_before) },
};
static const struct grammar_key recovered_keys[] = {
	{ "after", read_bound, offsetof(struct expectation, recovered_after) },
	{ "before", read_bound, offsetof(struct expectation, recovered_before) },
};
static const struct grammar recovered_grammar = {
	"recovered", recovered_keys, ARRAY_SIZE(recovered_keys),
	"recovered: '%s' is neither 'after' nor 'before'"
};

static const struct grammar gone_grammar = { "gone", gone_keys, ARRAY_SIZE(gone_keys),
					     "gone: '%s' is neither 'after' nor 'before'" };

/* "never", or {after: , before: }. */
static int read_gone(void *to, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	struct expectation *expectation = to;

	expectation->gone_never = node->kind == DOCUMENT_SCALAR && !strcmp(node->text, "never");
	expectation->gone_after = expectation->gone_before = (struct expect_time){ 0 };
	if (expectation->gone_never)
		return 0;
	if (node->kind != DOCUMENT_MAP || !node->n_items)
		return document_error(node, err,
				      "'gone' is 'never', or {after: TIME, before: TIME}");
	return grammar_read_map(&gone_grammar, node, expectation, err);
}

static int read_recovered(void *to, const struct document_node *node, const struct grammar_key *key,
			  struct error *err)
{
	struct expectation *expectation = to;

	expectation->recovered_never =
		node->kind == DOCUMENT_SCALAR && !strcmp(node->text, "never");
	expectation->recovered_after = expectation->recovered_before = (struct expect_time){ 0 };
	if (expectation->recovered_never)
		return 0;
	if (node->kind != DOCUMENT_MAP || !node->n_items)
		return document_error(node, err,
				      "'recovered' is 'never', or {after: TIME, before: TIME}");
	return grammar_read_map(&recovered_grammar, node, expectation, err);
}

#define AT(member) offsetof(struct expectation, member)
static const struct grammar_key expect_keys[] = {
	{ "outcome", read_mask, AT(outcomes), &outcomes },
	{ "error", read_errors, 0, &errnos },
	{ "mechanism", read_mask, AT(mechanisms), &mechanisms },
	{ "after", read_bound, AT(after) },
	{ "before", read_bound, AT(before) },
	{ "states", read_states, 0, &states },
	{ "packets", read_packets },
	{ "calls", scenario_read_calls },
	{ "read", scenario_read_range, AT(read), .may_be_map = true },
	{ "written", scenario_read_range, AT(written), .may_be_map = true },
	{ "gone", read_gone, .may_be_map = true },
	{ "recovered", read_recovered, .may_be_map = true },
	{ "samples", scenario_read_samples },
	{ "population", scenario_read_population, AT(population), .may_be_map = true },
};
static const struct grammar expect_grammar = { "expect", expect_keys, ARRAY_SIZE(expect_keys),
					       "nothing called '%s' can be expected%s" };

/* Whether the value is a map from families to values. */
static bool is_by_family(const struct document_node *node, const struct grammar_key *key)
{
	return node->kind == DOCUMENT_MAP &&
	       (!key->may_be_map || (node->n_items && family_from_name(node->items[0]->key) >= 0));
}

/* Lays the value of `key` over what one endpoint is expected to go through with one family. */
static int read_value(struct scenario *scenario, int family, int endpoint,
		      const struct document_node *node, const struct grammar_key *key,
		      struct error *err)
{
	char *expectation = (char *)&scenario->expect[family][endpoint];

	return key->read(expectation + key->offset, node, key, err);
}

/* Reads a value for both families, or {ipv4: ..., ipv6: ...}. */
static int read_entry(struct scenario *scenario, int endpoint, const struct document_node *node,
		      struct error *err)
{
	const struct grammar_key *key = grammar_find(&expect_grammar, node, err);
	int family, rc = key ? 0 : -EINVAL;

	if (rc == 0 && !is_by_family(node, key)) {
		for (family = 0; rc == 0 && family < _FAMILY_MAX; family++)
			rc = read_value(scenario, family, endpoint, node, key, err);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		family = family_from_name(node->items[i]->key);
		if (family < 0)
			return document_error(node->items[i], err, "'%s' is neither ipv4 nor ipv6",
					      node->items[i]->key);
		rc = read_value(scenario, family, endpoint, node->items[i], key, err);
	}
	return rc;
}

static int no_such_end(const struct scenario *scenario, const struct document_node *item,
		       struct error *err)
{
	char names[_END_MAX * SCENARIO_END_NAME_SIZE] = "", name[SCENARIO_END_NAME_SIZE];

	if (!scenario->connections[0].name)
		return document_error(item, err, "expect: '%s' is neither client nor server",
				      item->key);
	for (enum end_id end = 0; end < scenario->n_ends; end++) {
		strcat(names, end ? ", " : "");
		strcat(names, scenario_end_name(scenario, end, name, sizeof(name)));
	}
	return document_error(item, err, "expect: there is no end '%s'; there are %s", item->key,
			      names);
}

int scenario_read_expect(struct scenario *scenario, const struct document_node *map,
			 struct error *err)
{
	int rc;

	rc = document_require(map, DOCUMENT_MAP, "expect", err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < map->n_items; i++) {
		const struct document_node *item = map->items[i];
		int endpoint = scenario_find_end(scenario, item->key);

		if (endpoint < 0)
			return no_such_end(scenario, item, err);
		rc = document_require(item, DOCUMENT_MAP, item->key, err);
		for (int family = 0; rc == 0 && family < _FAMILY_MAX; family++) {
			scenario->expect[family][endpoint].present = true;
			scenario->expect[family][endpoint].line = item->line;
		}
		for (size_t k = 0; rc == 0 && k < item->n_items; k++)
			rc = read_entry(scenario, endpoint, item->items[k], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
