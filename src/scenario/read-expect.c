/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: what each watched endpoint is to go through. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/tcp/state.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

#define NAMES_MAX 16 /* entries of a list of words */
#define WALK_MAX  64 /* states or packets */

/* Checks one word of a key's list, and puts it into a mask where it has one. */
typedef int (*word_func)(const char *word, uint32_t *mask, struct error *err);

static int wrong_word(const char *what, const char *word, const struct suggestion *suggestion,
		      struct error *err)
{
	char buffer[SUGGESTION_SIZE];

	return error_input(err, "there is no %s '%s'%s", what, word,
			   suggestion_text(suggestion, buffer, sizeof(buffer)));
}

static int read_outcome(const char *word, uint32_t *mask, struct error *err)
{
	struct suggestion suggestion;
	int outcome = outcome_from_name(word);

	if (outcome >= 0) {
		*mask |= UINT32_C(1) << outcome;
		return 0;
	}
	suggestion_init(&suggestion, word);
	for (int i = OUTCOME_NONE + 1; i < _OUTCOME_MAX; i++)
		suggestion_offer(&suggestion, outcome_name(i));
	return wrong_word("outcome", word, &suggestion, err);
}

static int read_mechanism(const char *word, uint32_t *mask, struct error *err)
{
	struct suggestion suggestion;
	int mechanism = strcmp(word, "none") ? mechanism_from_name(word) : MECHANISM_NONE;

	if (mechanism >= 0) {
		*mask |= UINT32_C(1) << mechanism;
		return 0;
	}
	suggestion_init(&suggestion, word);
	for (int i = MECHANISM_NONE + 1; i < _MECHANISM_MAX; i++)
		suggestion_offer(&suggestion, mechanism_name(i));
	return wrong_word("mechanism", word, &suggestion, err);
}

static int read_error(const char *word, uint32_t *mask, struct error *err)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, word);
	if (!strcmp(word, "none"))
		return 0;
	for (int i = 1; i < 256; i++) {
		const char *name = strerrorname_np(i);

		if (!name)
			continue;
		if (!strcmp(name, word))
			return 0;
		suggestion_offer(&suggestion, name);
	}
	return wrong_word("errno", word, &suggestion, err);
}

static int read_state(const char *word, uint32_t *mask, struct error *err)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, word);
	for (size_t i = TCP_STATE_ESTABLISHED; i < TCP_STATE_NEW_SYN_RECV; i++) {
		if (!strcmp(tcp_state_names[i], word))
			return 0;
		suggestion_offer(&suggestion, tcp_state_names[i]);
	}
	return wrong_word("TCP state", word, &suggestion, err);
}

/* "[S.]", "<[R]", "!>[F.]": not at all, received or sent, flags as tcpdump writes them. */
static int read_packet(const char *word, uint32_t *mask, struct error *err)
{
	const char *p = word;
	size_t n;

	p += *p == '!';
	p += *p == '<' || *p == '>';
	if (*p == '[') {
		n = strspn(p + 1, "SFRPUEW.");
		if (n && n <= 8 && !strcmp(p + 1 + n, "]"))
			return 0;
	}
	return error_input(
		err,
		"'%s' is not a packet; write its flags as tcpdump does, \"[S.]\", with "
		"'<' (received) or '>' (sent) in front, and '!' before that for one that "
		"must not come",
		word);
}

/* A word or a list of words. */
static int read_words(const struct document_node *node, size_t maximum, word_func func,
		      uint32_t *ret_mask, char ***ret_words, struct error *err)
{
	_cleanup_(strings_freep) char **words = NULL;
	const struct document_node *item = node;
	size_t count = node->kind == DOCUMENT_LIST ? node->n_items : 1;
	int rc;

	*ret_mask = 0;
	if (!count || count > maximum)
		return document_error(node, err, "'%s' has %s entries; it takes 1 to %zu",
				      node->key, count ? "too many" : "no", maximum);
	words = calloc(count + 1, sizeof(*words));
	if (!words)
		return error_errno(err, -ENOMEM, "expect");
	for (size_t i = 0; i < count; i++) {
		if (node->kind == DOCUMENT_LIST)
			item = node->items[i];
		if (item->kind != DOCUMENT_SCALAR)
			return document_error(item, err, "'%s' is a word or a list of words",
					      node->key);
		rc = func(item->text, ret_mask, err);
		if (rc < 0) {
			error_prefix(err, rc, "%s", node->key);
			return document_prefix(item, rc, err);
		}
		words[i] = strdup(item->text);
		if (!words[i])
			return error_errno(err, -ENOMEM, "expect");
	}
	if (ret_words) {
		strings_free(*ret_words);
		*ret_words = take_ptr(words);
	}
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
	uint32_t mask;

	if (!strcmp(key, "outcome"))
		return read_words(node, NAMES_MAX, read_outcome, &expectation->outcomes, NULL, err);
	if (!strcmp(key, "mechanism"))
		return read_words(node, NAMES_MAX, read_mechanism, &expectation->mechanisms, NULL,
				  err);
	if (!strcmp(key, "error"))
		return read_words(node, NAMES_MAX, read_error, &mask, &expectation->errors, err);
	if (!strcmp(key, "states"))
		return read_words(node, WALK_MAX, read_state, &mask, &expectation->states, err);
	if (!strcmp(key, "packets"))
		return read_words(node, WALK_MAX, read_packet, &mask, &expectation->packets, err);
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
