/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `expect`: what the programs at the two ends are to have done: their calls, and how many bytes got
 * through. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"
#include "src/util/array.h"

#define CALLS_MAX   64
#define RESULT_MAX  (UINT64_C(1) << 40)
#define CONNECTIONS 1000000

static int located(const struct document_node *node, int rc, struct error *err)
{
	return rc < 0 ? document_prefix(node, rc, err) : 0;
}

static const struct word_list calls = { "call", &call_names, 0, _AGENT_CALL_MAX };

/* "write 4", "bind EADDRINUSE", "!connect" */
static int read_call(const char *text, struct expect_call *call, struct error *err)
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
	rc = scenario_read_word(name, &calls, &which, err);
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

static int read_time(const struct document_node *node, nsec_t *ret_nsec, struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	return rc < 0 ? rc : located(node, nsec_parse(node->text, ret_nsec, err), err);
}

/* {after: 1s, before: 2s} */
static int read_took(const struct document_node *node, struct expect_call *call, struct error *err)
{
	int rc = document_require(node, DOCUMENT_MAP, "took", err);

	for (size_t i = 0; rc == 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!strcmp(item->key, "after"))
			rc = read_time(item, &call->took_after_nsec, err);
		else if (!strcmp(item->key, "before"))
			rc = read_time(item, &call->took_before_nsec, err);
		else
			rc = document_error(item, err, "'took' has after and before, no '%s'",
					    item->key);
	}
	return rc;
}

static int read_item_key(const struct document_node *node, struct expect_call *call,
			 struct error *err)
{
	uint64_t connection = 0;
	int rc;

	if (!strcmp(node->key, "took"))
		return read_took(node, call, err);
	if (!strcmp(node->key, "after"))
		return read_time(node, &call->after_nsec, err);
	if (!strcmp(node->key, "before"))
		return read_time(node, &call->before_nsec, err);
	if (strcmp(node->key, "call") && strcmp(node->key, "connection"))
		return document_error(
			node, err, "a call has call, connection, after, before and took, no '%s'",
			node->key);
	rc = document_require(node, DOCUMENT_SCALAR, node->key, err);
	if (rc < 0)
		return rc;
	if (!strcmp(node->key, "call"))
		return located(node, read_call(node->text, call, err), err);
	rc = quantity_parse_count(node->text, 0, CONNECTIONS, &connection, err);
	call->connection = (int64_t)connection;
	return located(node, rc, err);
}

static int read_item(const struct document_node *node, struct expect_call *call, struct error *err)
{
	int rc = 0;

	if (node->kind == DOCUMENT_SCALAR)
		return located(node, read_call(node->text, call, err), err);
	rc = document_require(node, DOCUMENT_MAP, "a call", err);
	if (rc == 0 && !document_get(node, "call"))
		return document_error(node, err, "a call needs 'call', its name");
	for (size_t i = 0; rc == 0 && i < node->n_items; i++)
		rc = read_item_key(node->items[i], call, err);
	return rc;
}

static void put_bound(FILE *out, const char *what, nsec_t bound)
{
	char text[64];

	if (bound != NSEC_NONE)
		fprintf(out, " %s %s", what, nsec_format(text, sizeof(text), bound));
}

/* As `show` and a verdict call it. */
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

int scenario_read_calls(struct expectation *expectation, const struct document_node *node,
			struct error *err)
{
	_cleanup_(strings_freep) char **texts = NULL;
	_cleanup_(freep) struct expect_call *list = NULL;
	int rc;

	rc = document_require(node, DOCUMENT_LIST, "calls", err);
	if (rc < 0)
		return rc;
	if (!node->n_items || node->n_items > CALLS_MAX)
		return document_error(node, err, "'calls' has %s entries; it takes 1 to %d",
				      node->n_items ? "too many" : "no", CALLS_MAX);
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
