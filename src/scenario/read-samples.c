/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: how sockets look at a moment, and what becomes of many connections. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/tcp/state.h"
#include "src/text/suggest.h"

#define SAMPLES_MAX 256

static const struct word_list outcomes = { "outcome", &outcome_names, OUTCOME_NONE + 1,
					   _OUTCOME_MAX };
static const struct word_list states = { "TCP state", &tcp_state_names, TCP_STATE_ESTABLISHED,
					 TCP_STATE_NEW_SYN_RECV };
static const struct word_list timers = { "timer", &tcp_timer_names, TCP_TIMER_OFF, _TCP_TIMER_MAX };

static int read_word(const struct document_node *node, const struct word_list *list, int *ret_value,
		     struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	rc = scenario_read_word(node->text, list, ret_value, err);
	return rc < 0 ? document_prefix(node, rc, err) : 0;
}

static int read_time(const struct document_node *node, nsec_t *ret_time, struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	rc = nsec_parse(node->text, ret_time, err);
	if (rc < 0) {
		error_prefix(err, rc, "%s", node->key);
		return document_prefix(node, rc, err);
	}
	return 0;
}

/* {after: 10s, before: 20s} */
static int read_expires(const struct document_node *node, struct expect_sample *sample,
			struct error *err)
{
	int rc = document_require(node, DOCUMENT_MAP, "expires", err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!strcmp(item->key, "after"))
			rc = read_time(item, &sample->expires_after_nsec, err);
		else if (!strcmp(item->key, "before"))
			rc = read_time(item, &sample->expires_before_nsec, err);
		else
			return document_error(item, err,
					      "expires: '%s' is neither 'after' nor 'before'",
					      item->key);
	}
	return rc;
}

static const struct {
	const char *key;
	size_t offset; /* of a struct expect_range */
} ranges[] = {
	{ "send_q", offsetof(struct expect_sample, send_queue) },
	{ "recv_q", offsetof(struct expect_sample, receive_queue) },
	{ "retransmits", offsetof(struct expect_sample, retransmits) },
	{ "probes", offsetof(struct expect_sample, probes) },
	{ "backoff", offsetof(struct expect_sample, backoff) },
	{ "open", offsetof(struct expect_sample, open) },
};

static int unknown_key(const struct document_node *node, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->key);
	suggestion_offer(&suggestion, "at");
	suggestion_offer(&suggestion, "state");
	suggestion_offer(&suggestion, "timer");
	suggestion_offer(&suggestion, "expires");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		suggestion_offer(&suggestion, ranges[i].key);
	return document_error(node, err, "a sample has no '%s'%s", node->key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static int read_sample_key(struct expect_sample *sample, const struct document_node *node,
			   struct error *err)
{
	if (!strcmp(node->key, "at"))
		return read_time(node, &sample->at_nsec, err);
	if (!strcmp(node->key, "state"))
		return read_word(node, &states, &sample->state, err);
	if (!strcmp(node->key, "timer"))
		return read_word(node, &timers, &sample->timer, err);
	if (!strcmp(node->key, "expires"))
		return read_expires(node, sample, err);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (!strcmp(node->key, ranges[i].key))
			return scenario_read_range(
				(struct expect_range *)((char *)sample + ranges[i].offset), node,
				err);
	return unknown_key(node, err);
}

static int read_sample(const struct document_node *node, struct expect_sample *ret_sample,
		       struct error *err)
{
	struct expect_sample sample = { .at_nsec = NSEC_NONE,
					.timer = -1,
					.expires_after_nsec = NSEC_NONE,
					.expires_before_nsec = NSEC_NONE,
					.line = node->line };
	int rc = document_require(node, DOCUMENT_MAP, "samples", err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++)
		rc = read_sample_key(&sample, node->items[i], err);
	if (rc < 0)
		return rc;
	if (sample.at_nsec == NSEC_NONE)
		return document_error(node, err, "a sample without 'at'");
	*ret_sample = sample;
	return 0;
}

int scenario_read_samples(struct expectation *expectation, const struct document_node *node,
			  struct error *err)
{
	_cleanup_(freep) struct expect_sample *samples = NULL;
	int rc = document_require(node, DOCUMENT_LIST, "samples", err);

	if (rc < 0)
		return rc;
	if (!node->n_items || node->n_items > SAMPLES_MAX)
		return document_error(node, err, "'samples' has %s entries; it takes 1 to %d",
				      node->n_items ? "too many" : "no", SAMPLES_MAX);
	samples = calloc(node->n_items, sizeof(*samples));
	if (!samples)
		return error_errno(err, -ENOMEM, "expect");
	for (size_t i = 0; i < node->n_items; i++) {
		rc = read_sample(node->items[i], &samples[i], err);
		if (rc < 0)
			return rc;
	}
	free(expectation->samples);
	expectation->samples = take_ptr(samples);
	expectation->n_samples = node->n_items;
	return 0;
}

/* {timed-out: 1000, closed: {at_most: 3}}: replaces what a layer below said. */
int scenario_read_population(struct expectation *expectation, const struct document_node *node,
			     struct error *err)
{
	int rc = document_require(node, DOCUMENT_MAP, "population", err);

	memset(expectation->population, 0, sizeof(expectation->population));
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];
		int outcome;

		rc = scenario_read_word(item->key, &outcomes, &outcome, err);
		if (rc < 0) {
			error_prefix(err, rc, "population");
			return document_prefix(item, rc, err);
		}
		rc = scenario_read_range(&expectation->population[outcome], item, err);
	}
	return rc;
}
