/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A drawing of the testbed in characters, for `show` and `shell`. */

#include <stdio.h>

#include "src/scenario/scenario.h"

/* Draws the nodes as boxes with their interfaces and addresses, and the cables between them. */
int topology_draw(const struct scenario *scenario, enum family family, FILE *out,
		  struct error *err);
