/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Messages of verbs on standard error while they work: warnings, errors after which they go on, and
 * one line of progress on a terminal. */

#include "src/engine/engine.h"

/* Prints "deadpeer: TEXT". `userdata` is not used, so that this may be a callback. */
void tell_warning(const char *text, void *userdata);
/* Prints an error. `engine` may have a remedy for what the machine cannot do. */
void tell_error(const struct error *err, const struct engine *engine);
/* Writes a line of progress over the one before. The line is cut to the width of the terminal. */
void tell_progress(const char *text);
/* Erases the line of progress, if there is one. */
void tell_no_progress(void);
