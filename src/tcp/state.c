/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/tcp/state.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "src/util/cleanup.h"

const char *const tcp_state_names[] = {
	[TCP_STATE_ESTABLISHED] = "ESTABLISHED",
	[TCP_STATE_SYN_SENT] = "SYN_SENT",
	[TCP_STATE_SYN_RECV] = "SYN_RECV",
	[TCP_STATE_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_STATE_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_STATE_TIME_WAIT] = "TIME_WAIT",
	[TCP_STATE_CLOSE] = "CLOSE",
	[TCP_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_STATE_LAST_ACK] = "LAST_ACK",
	[TCP_STATE_LISTEN] = "LISTEN",
	[TCP_STATE_CLOSING] = "CLOSING",
	[TCP_STATE_NEW_SYN_RECV] = "NEW_SYN_RECV",
};
static_assert(ARRAY_SIZE(tcp_state_names) == _TCP_STATE_MAX, "every state has a name");

const char *const tcp_timer_names[] = {
	[TCP_TIMER_OFF] = "off",
	[TCP_TIMER_ON] = "on",
	[TCP_TIMER_KEEPALIVE] = "keepalive",
	[TCP_TIMER_TIMEWAIT] = "timewait",
	[TCP_TIMER_PERSIST] = "persist",
};
static_assert(ARRAY_SIZE(tcp_timer_names) == _TCP_TIMER_MAX, "every timer has a name");

const char *tcp_state_name(int state)
{
	return state >= 0 && state < (int)ARRAY_SIZE(tcp_state_names) ? tcp_state_names[state]
								      : NULL;
}

const char *tcp_timer_name(enum tcp_timer timer)
{
	return timer < _TCP_TIMER_MAX ? tcp_timer_names[timer] : NULL;
}
