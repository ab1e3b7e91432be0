/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: the calls that the programs at the two ends are expected to have made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

#define CALLS_MAX   64
#define RESULT_MAX  (UINT64_C(1) << 40)
#define CONNECTIONS 1000000

static const struct word_list calls = { "call", &call_names };

/* "write 4", "bind EADDRINUSE", "!connect" */
static int parse_call(const char *text, struct expect_call *call, struct error *err)
{
	char name[32], rest[32], more;
	uint64_t result;
	int n, rc, which = 0;

	call->absent = *text == '!';
	n = sscanf(text + call->absent, "%31s %31s %c", name, rest, &more);
	if (n < 1 || n > 2)
		return error_input(err,
				   "'%s' is not a call; write its name, \"close\", or with what "
				   "it returned, \"write 4\" or \"bind EADDRINUSE\", and '!' in "
				   "front of one that must not come",
				   text);
	rc = grammar_read_word(name, &calls, &which, err);
	if (rc < 0)
		return rc;
	call->call = (enum agent_call)which;
	call->error = n == 2 ? errno_from_name(rest) : 0;
	if (n == 1 || call->error)
		return 0;
	if (quantity_parse_count(rest, 0, RESULT_MAX, &result, NULL) < 0)
		return error_input(err, "'%s' is neither a number nor an errno", rest);
	call->has_result = true;
	call->result = (int64_t)result;
	return 0;
}

static int read_call(void *call, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	return rc < 0 ? rc : document_prefix(node, parse_call(node->text, call, err), err);
}

static int read_connection(void *to, const struct document_node *node,
			   const struct grammar_key *key, struct error *err)
{
	uint64_t connection = 0;
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	rc = quantity_parse_count(node->text, 0, CONNECTIONS, &connection, err);
	*(int64_t *)to = (int64_t)connection;
	return document_prefix(node, rc, err);
}

static int read_time(void *time, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	return rc < 0 ? rc : document_prefix(node, quantity_parse_time(node->text, time, err), err);
}

static const struct grammar_key took_keys[] = {
	{ "after", read_time, offsetof(struct expect_call, took_after_nsec) },
	{ "before", read_time, offsetof(struct expect_call, took_before_nsec) },
};
static const struct grammar took_grammar = { "took", took_keys, ARRAY_SIZE(took_keys),
					     "'took' has after and before, no '%s'" };

static int read_took(void *call, const struct document_node *node, const struct grammar_key *key,
		     struct error *err)
{
	return grammar_read_map(&took_grammar, node, call, err);
}

static const struct grammar_key call_keys[] = {
	{ "call", read_call },
	{ "connection", read_connection, offsetof(struct expect_call, connection) },
	{ "after", read_time, offsetof(struct expect_call, after_nsec) },
	{ "before", read_time, offsetof(struct expect_call, before_nsec) },
	{ "took", read_took },
};
static const struct grammar call_grammar = {
	"a call", call_keys, ARRAY_SIZE(call_keys),
	"a call has call, connection, after, before and took, no '%s'"
};

static int read_item(const struct document_node *node, struct expect_call *call, struct error *err)
{
	if (node->kind == DOCUMENT_SCALAR)
		return read_call(call, node, NULL, err);
	if (node->kind == DOCUMENT_MAP && !document_get(node, "call"))
		return document_error(node, err, "a call needs 'call', its name");
	return grammar_read_map(&call_grammar, node, call, err);
}

static void put_bound(FILE *out, const char *what, nsec_t bound_nsec)
{
	char text[64];

	if (bound_nsec != NSEC_NONE)
		fprintf(out, " %s %s", what, nsec_format(text, sizeof(text), bound_nsec));
}

/* The text that `show` and a verdict print for an expected call; NULL without memory. */
static char *format_call(const struct expect_call *call)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s%s", call->absent ? "!" : "", call_name(call->call));
	if (call->error)
		fprintf(out, " %s", errno_name(call->error));
	if (call->has_result)
		fprintf(out, " %lld", (long long)call->result);
	if (call->connection >= 0)
		fprintf(out, " of connection %lld", (long long)call->connection);
	put_bound(out, "after", call->after_nsec);
	put_bound(out, "before", call->before_nsec);
	put_bound(out, "in at least", call->took_after_nsec);
	put_bound(out, "in at most", call->took_before_nsec);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int scenario_read_calls(void *to, const struct document_node *node, const struct grammar_key *key,
			struct error *err)
{
	struct expectation *expectation = to;
	_cleanup_(strings_freep) char **texts = NULL;
	_cleanup_(freep) struct expect_call *list = NULL;
	int rc = document_require(node, DOCUMENT_LIST, "calls", err);

	if (rc == 0)
		rc = document_require_count(node, "calls", node->n_items, CALLS_MAX, err);
	if (rc < 0)
		return rc;
	list = calloc(node->n_items, sizeof(*list));
	texts = calloc(node->n_items + 1, sizeof(*texts));
	if (!list || !texts)
		return error_errno(err, -ENOMEM, "expect");
	for (size_t i = 0; i < node->n_items; i++) {
		list[i] = (struct expect_call){ .connection = -1,
						.after_nsec = NSEC_NONE,
						.before_nsec = NSEC_NONE,
						.took_after_nsec = NSEC_NONE,
						.took_before_nsec = NSEC_NONE };
		rc = read_item(node->items[i], &list[i], err);
		if (rc < 0)
			return rc;
		texts[i] = format_call(&list[i]);
		if (!texts[i])
			return error_errno(err, -ENOMEM, "expect");
	}
	strings_free(expectation->call_texts);
	free(expectation->calls);
	expectation->calls = take_ptr(list);
	expectation->call_texts = take_ptr(texts);
	return 0;
}
