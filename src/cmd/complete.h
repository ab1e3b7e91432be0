/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What could come next on an unfinished command line, for the shell's completion:
 * `deadpeer __complete WORD...` prints one candidate a line; nothing where a file
 * may stand. The last word is the unfinished one, perhaps empty.
 */

#include "src/cmd/arguments.h"

void complete_print(const struct verb *const *verbs, size_t n_verbs, int n_words, char **words);
