/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Settings as --set takes them. A record that came from a guest has numbers where the scenario had
 * words: 0.05 for 50ms, 1 for true. */

/* Returns what --set takes for a value that a store has, or a copy of it. The caller frees it. NULL
 * without memory. */
char *page_setting(const char *key, const char *text);
