/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A C test may have to run again for one of the known causes that flakes.bash lists. A test of the
 * observer may meet the cause missed-event, because such a test looks at the tracepoints alone,
 * whereas a trial compares the tracepoints with packets and sock_diag.
 */

#include <check.h>
#include <stdlib.h>

#include "tests/netns/fixture.h"

/* Runs tests that may meet missed-event up to three times, until none fails. A real fault of the
 * observer shows in each run. An ordinary user has no tracepoints, so the tests run only once for
 * such a user.
 */
static inline int flakes_missed_event(const char *name, void (*add_tests)(TCase *tc))
{
	int status = fixture_main(name, add_tests);

	for (int run = 1; status == EXIT_FAILURE && !fixture_is_rootless() && run < 3; run++)
		status = fixture_main(name, add_tests);
	return status;
}
