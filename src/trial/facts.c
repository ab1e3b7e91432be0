/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/trial/facts.h"

#include <unistd.h>

#include "src/util/tick.h"

struct model_facts facts_of_running_kernel(void)
{
	return model_facts_of(tick_hz(),
			      access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) == 0);
}
