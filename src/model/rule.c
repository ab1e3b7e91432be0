/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/model/rule.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "src/model/timers.h"

static const struct {
	const char *key, *text, *function;
	bool numbered;
} steps[] = {
	[PLAY_SEND] = { "send", "a segment that stays unanswered", "tcp_event_new_data_sent()" },
	[PLAY_LOSS_PROBE] = { "loss-probe", "loss probe", "tcp_send_loss_probe()" },
	[PLAY_RETRANSMIT] = { "retransmission", "retransmission", "tcp_retransmit_timer()", true },
	[PLAY_UNDO] = { "undo", "an ICMP error undoes one doubling", "tcp_ld_RTO_revert()" },
	[PLAY_KEEPALIVE] = { "keepalive-probe", "keepalive probe", "tcp_keepalive_timer()", true },
	[PLAY_WAIT] = { "wait", "keepalive waits", "tcp_keepalive_timer()" },
	[PLAY_CLOSED] = { "closed-window", "the window is closed", "tcp_check_probe_timer()" },
	[PLAY_PROBE] = { "window-probe", "zero window probe", "tcp_probe_timer()", true },
	[PLAY_SYN] = { "syn", "SYN", "tcp_retransmit_timer()", true },
	[PLAY_SYNACK] = { "syn-ack", "SYN-ACK", "reqsk_timer_handler()", true },
	[PLAY_STATE] = { "state", "a smaller socket takes over", "tcp_time_wait()" },
	[PLAY_END] = { "end", "the end", "tcp_write_err()" },
};
static_assert(ARRAY_SIZE(steps) == PLAY_END + 1, "every step has a text");

const char *rule_step(const struct play_step *step, char *buffer, size_t size)
{
	if (steps[step->kind].numbered && step->number)
		snprintf(buffer, size, "%s %u", steps[step->kind].text, step->number);
	else
		snprintf(buffer, size, "%s", steps[step->kind].text);
	return buffer;
}

const char *rule_step_key(enum play_step_kind kind)
{
	return steps[kind].key;
}

const char *rule_step_function(const struct play_step *step)
{
	return step->kind == PLAY_SYN && !step->number ? "tcp_connect()"
						       : steps[step->kind].function;
}

const char *rule_function(enum mechanism mechanism)
{
	switch (mechanism) {
	case MECHANISM_RETRANSMISSION:
	case MECHANISM_SYN:
		return "tcp_write_timeout()";
	case MECHANISM_KEEPALIVE:
		return "tcp_keepalive_timer()";
	case MECHANISM_USER_TIMEOUT:
		return "tcp_write_timeout(), tcp_keepalive_timer(), tcp_probe_timer()";
	case MECHANISM_PERSIST:
		return "tcp_probe_timer()";
	default:
		return NULL;
	}
}

static void write_retransmission(const struct timers *t, char *buffer, size_t size)
{
	snprintf(
		buffer, size,
		"the first timeout at which %g s have passed since the first retransmission, which "
		"tcp_retries2 %u stands for",
		nsec_to_sec(timers_threshold(t->retries2, TIMERS_RTO_MIN, t->rto_max_nsec)),
		t->retries2);
}

static void write_syn(const struct scenario_agent *agent, const struct timers *t, char *buffer,
		      size_t size)
{
	const char *setting =
		agent->option[OPTION_SYN_COUNT] == OPTION_UNSET ? "tcp_syn_retries" : "TCP_SYNCNT";
	int n = snprintf(buffer, size,
			 "the first timeout after %u retransmissions of the SYN, which %s %u",
			 t->syn_retries + t->syn_linear, setting, t->syn_retries);

	if (t->syn_linear)
		snprintf(buffer + n, size - (size_t)n,
			 " and tcp_syn_linear_timeouts %u allow, or at which %g s have passed",
			 t->syn_linear,
			 nsec_to_sec(timers_threshold(t->syn_retries, TIMERS_SYN_RTO,
						      t->rto_max_nsec)));
	else
		snprintf(buffer + n, size - (size_t)n, " allows");
}

const char *rule_of(const struct scenario *s, enum node_id node, const struct model_facts *facts,
		    enum mechanism mechanism, char *buffer, size_t size)
{
	struct timers t = timers_of(s, node, facts);

	buffer[0] = '\0';
	switch (mechanism) {
	case MECHANISM_RETRANSMISSION:
		write_retransmission(&t, buffer, size);
		break;
	case MECHANISM_KEEPALIVE:
		snprintf(buffer, size,
			 "the first timeout after %" PRId64 " probes without an answer", t.count);
		break;
	case MECHANISM_USER_TIMEOUT:
		snprintf(buffer, size,
			 "the first timeout at which TCP_USER_TIMEOUT, %g s, has passed",
			 nsec_to_sec(t.user_timeout_nsec));
		break;
	case MECHANISM_PERSIST:
		snprintf(buffer, size,
			 "the first timeout after %u probes without an answer (tcp_retries2)",
			 t.retries2);
		break;
	case MECHANISM_SYN:
		write_syn(&s->agent[node], &t, buffer, size);
		break;
	case MECHANISM_HEARTBEAT:
		snprintf(buffer, size, "the program gives up when so many heartbeats are missed");
		break;
	default:
		break;
	}
	return buffer;
}
