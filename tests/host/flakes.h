/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The known causes for which a test may have to run again: flakes.bash says what they are, and
 * their names. A test of the observer may meet the cause missed-event, because it looks at the
 * tracepoints alone. A trial holds against them what packets and sock_diag tell.
 */

#include <check.h>
#include <stdlib.h>

#include "tests/netns/fixture.h"

/* Runs tests that may meet missed-event: up to three times, until none fails. A fault of the
 * observer is there each time. An ordinary user has no tracepoints, and so no second run.
 */
static inline int flakes_missed_event(const char *name, void (*add_tests)(TCase *tc))
{
	int status = fixture_main(name, add_tests);

	for (int run = 1; status == EXIT_FAILURE && !fixture_is_rootless() && run < 3; run++)
		status = fixture_main(name, add_tests);
	return status;
}
