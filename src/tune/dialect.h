/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Settings as the programs of the field take them: each text is a whole file, or a whole function,
 * that the program accepts as it stands. What one of them cannot set stands in it as a comment.
 */

#include <stdio.h>

#include "src/tune/search.h"

struct tune_dialect {
	const char *name;	 /* "sysctl", as --for takes it */
	const char *title;	 /* "sysctl: /etc/sysctl.d/90-peer-loss.conf" */
	bool lacks_user_timeout; /* it cannot set TCP_USER_TIMEOUT */
	void (*print)(const struct tune_goal *goal, const struct tune_result *result, FILE *out);
};

extern const struct tune_dialect tune_dialects[];
extern const size_t n_tune_dialects;
/* NULL: there is none of that name. */
const struct tune_dialect *tune_dialect(const char *name);
/* "sysctl, c, go, ..." Returns `buffer`. */
char *tune_dialect_names(char *buffer, size_t size);
