/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A trial's nodes: their agents are started, and their namespaces watched. */

#include "src/trial/state.h"

void node_init(struct trial *trial);
int node_watch(struct trial *trial, enum node_id id, struct error *err);
int node_unwatch(struct trial *trial, enum node_id id, struct error *err);
/* `standby` is taken over; NULL: there is none. */
int node_start_agent(struct trial *trial, enum node_id id, struct agent *standby,
		     struct error *err);
/* Starts an agent in the place of one that has ended. */
int node_restart_agent(struct trial *trial, enum node_id id, struct error *err);
