/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The processors of this machine. */

/* How many are online, at least 1. */
unsigned int processors_online(void);
