/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The hosts of a trial: a host gets its agent and is watched until it loses power. */

#include "src/trial/state.h"

void node_init(struct trial *trial);
int node_watch(struct trial *trial, enum node_id id, struct error *err);
int node_unwatch(struct trial *trial, enum node_id id, struct error *err);
/* Takes over `standby`, which may be NULL. */
int node_start_program(struct trial_program *program, struct agent *standby, struct error *err);
/* Starts a command beside a program, as that would be; `func` gets the trial. The words outlive the
 * call only. */
int node_start_probe(const struct trial_program *program, char **words, agent_func func,
		     struct agent **ret_agent, struct error *err);
/* Starts a program in the place of one that has ended. */
int node_restart_program(struct trial_program *program, struct error *err);
/* A host is about to lose power: it is not followed any more. */
void node_let_go(struct trial *trial, enum node_id id);
/* A host has power again: it is watched, and with `service` it gets an agent. */
int node_take_up(struct trial *trial, enum node_id id, bool service, struct error *err);
