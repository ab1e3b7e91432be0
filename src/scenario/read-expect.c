/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: what each watched endpoint is to go through. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/tcp/state.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

static const struct word_list outcomes = { "outcome", &outcome_names, OUTCOME_NONE + 1,
					   _OUTCOME_MAX };
static const struct word_list mechanisms = { "mechanism", &mechanism_names, MECHANISM_NONE + 1,
					     _MECHANISM_MAX, .none = true };
static const struct word_list errnos = { "errno", NULL, 1, ERRNO_MAX, .none = true };
static const struct word_list states = { "TCP state", &tcp_state_names, TCP_STATE_ESTABLISHED,
					 TCP_STATE_NEW_SYN_RECV };

/* The entry `i` of a word or a list of words. */
static const struct document_node *word_at(const struct document_node *node, size_t i)
{
	return node->kind == DOCUMENT_LIST ? node->items[i] : node;
}

static int count_words(const struct document_node *node, size_t maximum, size_t *ret_count,
		       struct error *err)
{
	size_t count = node->kind == DOCUMENT_LIST ? node->n_items : 1;

	if (!count || count > maximum)
		return document_error(node, err, "'%s' has %s entries; it takes 1 to %zu",
				      node->key, count ? "too many" : "no", maximum);
	for (size_t i = 0; i < count; i++)
		if (word_at(node, i)->kind != DOCUMENT_SCALAR)
			return document_error(word_at(node, i), err,
					      "'%s' is a word or a list of words", node->key);
	*ret_count = count;
	return 0;
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
		rc = scenario_read_word(word_at(node, i)->text, list, &ret_values[i], err);
		if (rc < 0)
			return wrong_word(node, i, rc, err);
	}
	if (rc == 0)
		*ret_count = count;
	return rc;
}

static int read_mask(const struct document_node *node, const struct word_list *list,
		     uint32_t *ret_mask, struct error *err)
{
	int values[EXPECT_ERRORS_MAX];
	size_t count;
	int rc = read_words(node, list, ARRAY_SIZE(values), values, &count, err);

	if (rc < 0)
		return rc;
	*ret_mask = 0;
	for (size_t i = 0; i < count; i++)
		*ret_mask |= UINT32_C(1) << values[i];
	return 0;
}

static int read_packet(const char *word, struct packet_pattern *ret_pattern, struct error *err)
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

static int read_packets(struct expectation *expectation, const struct document_node *node,
			struct error *err)
{
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
		rc = read_packet(word_at(node, i)->text, &packets[i], err);
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

static int read_bound(const struct document_node *node, struct expect_time *ret_time,
		      struct error *err)
{
	struct expect_time bound = { .present = true };
	int rc;

	rc = document_require(node, DOCUMENT_SCALAR, node->key, err);
	if (rc < 0)
		return rc;
	bound.predicted = !strcmp(node->text, "predicted");
	if (!bound.predicted) {
		rc = nsec_parse(node->text, &bound.nsec, err);
		if (rc < 0) {
			error_prefix(err, rc, "%s: neither 'predicted' nor a time", node->key);
			return document_prefix(node, rc, err);
		}
	}
	*ret_time = bound;
	return 0;
}

/* "never", or {after: , before: }. */
static int read_gone(struct expectation *expectation, const struct document_node *node,
		     struct error *err)
{
	int rc = 0;

	expectation->gone_never = node->kind == DOCUMENT_SCALAR && !strcmp(node->text, "never");
	expectation->gone_after = expectation->gone_before = (struct expect_time){ 0 };
	if (expectation->gone_never)
		return 0;
	if (node->kind != DOCUMENT_MAP || !node->n_items)
		return document_error(node, err,
				      "'gone' is 'never', or {after: TIME, before: TIME}");
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!strcmp(item->key, "after"))
			rc = read_bound(item, &expectation->gone_after, err);
		else if (!strcmp(item->key, "before"))
			rc = read_bound(item, &expectation->gone_before, err);
		else
			return document_error(
				item, err, "gone: '%s' is neither 'after' nor 'before'", item->key);
	}
	return rc;
}

static int read_key(struct expectation *expectation, const struct document_node *node,
		    const char *key, struct error *err)
{
	if (!strcmp(key, "outcome"))
		return read_mask(node, &outcomes, &expectation->outcomes, err);
	if (!strcmp(key, "mechanism"))
		return read_mask(node, &mechanisms, &expectation->mechanisms, err);
	if (!strcmp(key, "error"))
		return read_words(node, &errnos, EXPECT_ERRORS_MAX, expectation->errors,
				  &expectation->n_errors, err);
	if (!strcmp(key, "states"))
		return read_words(node, &states, EXPECT_WALK_MAX, expectation->states,
				  &expectation->n_states, err);
	if (!strcmp(key, "packets"))
		return read_packets(expectation, node, err);
	if (!strcmp(key, "gone"))
		return read_gone(expectation, node, err);
	if (!strcmp(key, "calls"))
		return scenario_read_calls(expectation, node, err);
	if (!strcmp(key, "read"))
		return scenario_read_range(&expectation->read, node, err);
	if (!strcmp(key, "written"))
		return scenario_read_range(&expectation->written, node, err);
	if (!strcmp(key, "samples"))
		return scenario_read_samples(expectation, node, err);
	if (!strcmp(key, "population"))
		return scenario_read_population(expectation, node, err);
	if (!strcmp(key, "after"))
		return read_bound(node, &expectation->after, err);
	return read_bound(node, &expectation->before, err);
}

static int check_key(const struct document_node *node, struct error *err)
{
	static const char *const keys[] = { "outcome", "error",	  "mechanism", "after", "before",
					    "states",  "packets", "calls",     "read",	"written",
					    "gone",    "samples", "population" };
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->key);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i], node->key))
			return 0;
		suggestion_offer(&suggestion, keys[i]);
	}
	return document_error(node, err, "nothing called '%s' can be expected%s", node->key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

/* Maps are what some values are anyway. */
static bool is_by_family(const struct document_node *node)
{
	bool may_be_map = !strcmp(node->key, "read") || !strcmp(node->key, "written") ||
			  !strcmp(node->key, "gone") || !strcmp(node->key, "population");

	if (node->kind != DOCUMENT_MAP)
		return false;
	return !may_be_map || (node->n_items && family_from_name(node->items[0]->key) >= 0);
}

/* A value for both families, or {ipv4: ..., ipv6: ...}. */
static int read_entry(struct scenario *scenario, int endpoint, const struct document_node *node,
		      struct error *err)
{
	int rc, family;

	rc = check_key(node, err);
	if (rc < 0)
		return rc;
	if (!is_by_family(node)) {
		for (family = 0; rc == 0 && family < _FAMILY_MAX; family++)
			rc = read_key(&scenario->expect[family][endpoint], node, node->key, err);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		family = family_from_name(node->items[i]->key);
		if (family < 0)
			return document_error(node->items[i], err, "'%s' is neither ipv4 nor ipv6",
					      node->items[i]->key);
		rc = read_key(&scenario->expect[family][endpoint], node->items[i], node->key, err);
	}
	return rc;
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
		int endpoint = node_from_name(item->key);

		if (endpoint < 0 || endpoint >= _ENDPOINT_MAX)
			return document_error(
				item, err, "expect: '%s' is neither client nor server", item->key);
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
