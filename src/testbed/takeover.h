/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The spare host of a testbed: it runs on the server's link, but has no address
 * until it takes the server's over.
 */

#include "src/testbed/testbed.h"

/* Builds the spare host where the scenario has a fault that needs it. */
int takeover_prepare(struct testbed *testbed, struct error *err);
/* Gives the server's address to the spare host. The server runs on without it. With `announce` the
 * spare host tells everybody on the link. */
int takeover_strike(struct testbed *testbed, bool announce, struct error *err);
