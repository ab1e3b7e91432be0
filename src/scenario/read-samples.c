/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: how sockets are expected to look at a moment, and how many of many connections are
 * expected to end in each way. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/tcp/state.h"

#define SAMPLES_MAX 256

static const struct word_list outcomes = { "outcome", &outcome_names };
static const struct word_list states = { "TCP state", &tcp_state_names, TCP_STATE_NEW_SYN_RECV };
static const struct word_list timers = { "timer", &tcp_timer_names };

static int read_word(void *value, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	return document_prefix(node, grammar_read_word(node->text, key->words, value, err), err);
}

static const struct grammar_key expires_keys[] = {
	{ "after", scenario_read_time, offsetof(struct expect_sample, expires_after_nsec) },
	{ "before", scenario_read_time, offsetof(struct expect_sample, expires_before_nsec) },
};
static const struct grammar expires_grammar = { "expires", expires_keys, ARRAY_SIZE(expires_keys),
						"expires: '%s' is neither 'after' nor 'before'" };

static int read_expires(void *sample, const struct document_node *node,
			const struct grammar_key *key, struct error *err)
{
	return grammar_read_map(&expires_grammar, node, sample, err);
}

#define RANGE(member) scenario_read_range, offsetof(struct expect_sample, member)
static const struct grammar_key sample_keys[] = {
	{ "at", scenario_read_time, offsetof(struct expect_sample, at_nsec) },
	{ "state", read_word, offsetof(struct expect_sample, state), &states },
	{ "timer", read_word, offsetof(struct expect_sample, timer), &timers },
	{ "expires", read_expires },
	{ "send_q", RANGE(send_queue) },
	{ "recv_q", RANGE(receive_queue) },
	{ "retransmits", RANGE(retransmits) },
	{ "probes", RANGE(probes) },
	{ "backoff", RANGE(backoff) },
	{ "open", RANGE(open) },
};
static const struct grammar sample_grammar = { "samples", sample_keys, ARRAY_SIZE(sample_keys),
					       "a sample has no '%s'%s" };

static int read_sample(const struct document_node *node, struct expect_sample *ret_sample,
		       struct error *err)
{
	struct expect_sample sample = { .at_nsec = NSEC_NONE,
					.timer = -1,
					.expires_after_nsec = NSEC_NONE,
					.expires_before_nsec = NSEC_NONE,
					.line = node->line };
	int rc = grammar_read_map(&sample_grammar, node, &sample, err);

	if (rc < 0)
		return rc;
	if (sample.at_nsec == NSEC_NONE)
		return document_error(node, err, "a sample without 'at'");
	*ret_sample = sample;
	return 0;
}

int scenario_read_samples(void *to, const struct document_node *node, const struct grammar_key *key,
			  struct error *err)
{
	struct expectation *expectation = to;
	_cleanup_(freep) struct expect_sample *samples = NULL;
	int rc = document_require(node, DOCUMENT_LIST, "samples", err);

	if (rc == 0)
		rc = document_require_count(node, "samples", node->n_items, SAMPLES_MAX, err);
	if (rc < 0)
		return rc;
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

/* {timed-out: 1000, closed: {at_most: 3}} replaces the whole population of the layers below. */
int scenario_read_population(void *to, const struct document_node *node,
			     const struct grammar_key *key, struct error *err)
{
	struct expect_range *population = to;
	int outcome, rc = document_require(node, DOCUMENT_MAP, "population", err);

	memset(population, 0, _OUTCOME_MAX * sizeof(*population));
	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		rc = grammar_read_word(item->key, &outcomes, &outcome, err);
		if (rc < 0) {
			error_prefix(err, rc, "population");
			return document_prefix(item, rc, err);
		}
		rc = scenario_read_range(&population[outcome], item, key, err);
	}
	return rc;
}
