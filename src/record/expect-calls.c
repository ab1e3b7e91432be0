/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the calls of the programs, and how much they read and wrote, with what is expected. */
#include <inttypes.h>

#include "src/record/expect-parts.h"

/* Whether a time is between two bounds. A bound that is NSEC_NONE does not count. */
static bool within(nsec_t value_nsec, nsec_t after_nsec, nsec_t before_nsec)
{
	return (after_nsec == NSEC_NONE || value_nsec >= after_nsec) &&
	       (before_nsec == NSEC_NONE || value_nsec <= before_nsec);
}

static bool matches(const struct expect_call *want, const struct record_call *got)
{
	if (want->call != got->call || want->error != got->error)
		return false;
	if (want->has_result && want->result != got->result)
		return false;
	if (want->connection >= 0 && want->connection != got->connection)
		return false;
	return within(got->time_nsec, want->after_nsec, want->before_nsec) &&
	       within(got->time_nsec - got->start_nsec, want->took_after_nsec,
		      want->took_before_nsec);
}

static void check_absent(struct check *c, const struct expect_call *want, const char *text)
{
	char when[64];

	for (size_t i = 0; i < c->got->n_calls; i++) {
		const struct record_call *call = &c->got->calls[i];

		if (call->time_nsec < 0 || !matches(want, call))
			continue;
		expect_fail(c, "expected no call %s, got one %s after the first event", text + 1,
			    nsec_format(when, sizeof(when), call->time_nsec));
		return;
	}
}

/* Lists the recorded calls from the one with index `first` on: "connect at 1 ms in 31 us, bind
 * EADDRINUSE at ...". */
static void list_calls(const struct record_endpoint *got, size_t first, struct words *list)
{
	for (size_t i = first; i < got->n_calls; i++) {
		const struct record_call *call = &got->calls[i];
		char when[64], took[64];

		words_add(list, ", ", "%s", call_name(call->call));
		if (call->error)
			words_add(list, "", " %s", errno_name(call->error));
		else if (call->result)
			words_add(list, "", " %" PRId64, call->result);
		words_add(list, "", " at %s in %s",
			  nsec_format(when, sizeof(when), call->time_nsec),
			  nsec_format(took, sizeof(took), call->time_nsec - call->start_nsec));
	}
	if (first >= got->n_calls)
		words_add(list, "", "none");
}

void expect_check_calls(struct check *c)
{
	struct words got = { 0 };
	size_t at = 0;

	for (size_t i = 0; c->want->call_texts && c->want->call_texts[i]; i++) {
		const struct expect_call *want = &c->want->calls[i];
		size_t first = at;

		if (want->absent) {
			check_absent(c, want, c->want->call_texts[i]);
			continue;
		}
		while (at < c->got->n_calls && !matches(want, &c->got->calls[at]))
			at++;
		if (at++ < c->got->n_calls)
			continue;
		list_calls(c->got, first, &got);
		expect_fail(c, "expected call %s in its place in the order, got from there on: %s",
			    c->want->call_texts[i], got.text);
		return;
	}
}

static void check_count(struct check *c, const char *what, const struct expect_range *want,
			int64_t got)
{
	bool few = (uint64_t)got < want->least;
	const char *bound = !few ? "at most " : want->least == want->most ? "" : "at least ";

	if (!want->present)
		return;
	if (got < 0)
		expect_fail(c, "expected a number of bytes %s, got none: a command does not tell",
			    what);
	else if (few || (uint64_t)got > want->most)
		expect_fail(c, "expected %s%" PRIu64 " bytes %s, got %" PRId64, bound,
			    few ? want->least : want->most, what, got);
}

void expect_check_bytes(struct check *c)
{
	check_count(c, "read", &c->want->read, c->got->bytes_read);
	check_count(c, "written", &c->want->written, c->got->bytes_written);
}
