/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/facts.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/util/tick.h"

/* A patch may have been taken over into an older kernel, but nothing under /proc tells. */
static bool is_since(const char *release, int major, int minor)
{
	int has_major, has_minor;

	if (sscanf(release, "%d.%d", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

struct model_facts facts_of_release(const char *release, unsigned int hz)
{
	struct model_facts facts = model_facts_of(hz, is_since(release, 6, 5));

	facts.synack_capped = is_since(release, 6, 19);
	return facts;
}

struct model_facts facts_of_running_kernel(void)
{
	struct utsname name;
	struct model_facts facts = model_facts_of(
		tick_hz(), access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) == 0);

	facts.synack_capped = uname(&name) == 0 && is_since(name.release, 6, 19);
	return facts;
}
