/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/outcome.h"

DEFINE_NAMES(outcome, _OUTCOME_MAX, [OUTCOME_CLOSED] = "closed", [OUTCOME_RESET] = "reset",
	     [OUTCOME_TIMED_OUT] = "timed-out", [OUTCOME_UNREACHABLE] = "unreachable",
	     [OUTCOME_SURVIVED] = "survived", [OUTCOME_UNDETECTED] = "undetected",
	     [OUTCOME_REFUSED] = "refused", [OUTCOME_ABANDONED] = "abandoned")
DEFINE_NAMES(mechanism, _MECHANISM_MAX, [MECHANISM_RETRANSMISSION] = "retransmission",
	     [MECHANISM_KEEPALIVE] = "keepalive", [MECHANISM_USER_TIMEOUT] = "user-timeout",
	     [MECHANISM_PERSIST] = "persist", [MECHANISM_SYN] = "syn",
	     [MECHANISM_SYNACK] = "synack", [MECHANISM_ORPHAN] = "orphan",
	     [MECHANISM_FIN_WAIT_2] = "fin-wait-2", [MECHANISM_TIME_WAIT] = "time-wait",
	     [MECHANISM_FIN_RECEIVED] = "fin-received", [MECHANISM_RST_RECEIVED] = "rst-received",
	     [MECHANISM_ICMP] = "icmp", [MECHANISM_HEARTBEAT] = "heartbeat",
	     [MECHANISM_LOCAL] = "local", [MECHANISM_APPLICATION] = "application")
