/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Completion for shells. `deadpeer __complete WORD...` prints the words that could stand in
 * place of the last word, which is unfinished and may be empty, one a line. It prints nothing
 * where a file may stand.
 */

#include "src/cmd/arguments.h"

void complete_print(const struct verb *const *verbs, size_t n_verbs, int n_words, char **words);
