/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The testbed's plan drawn with characters, for `show` and `shell`. */

#include <stdio.h>

#include "src/scenario/scenario.h"

/* Nodes as boxes with their interfaces and addresses, and the cables between them. */
int topology_draw(enum path_kind kind, enum family family, FILE *out, struct error *err);
