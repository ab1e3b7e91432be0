/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* An empty record of the connection between client and server. */

#include <stdlib.h>
#include <string.h>

#include "src/record/record.h"

static inline struct record *record_of_two_ends(void)
{
	struct record *r = calloc(1, sizeof(*r));

	r->n_ends = 2;
	r->endpoint = calloc(r->n_ends, sizeof(*r->endpoint));
	r->endpoint[END_CLIENT].name = strdup("client");
	r->endpoint[END_SERVER].name = strdup("server");
	return r;
}
