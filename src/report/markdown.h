/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The results of many trials as Markdown, for a ticket or the summary of a CI job: how many came to
 * which verdict, then what failed, what is inconclusive, what could not be done and what is outside
 * of its prediction, and last all of it by scenario and kernel. Texts are a stranger's: nothing in
 * them is taken for Markdown or HTML.
 */

#include <stdio.h>

#include "src/record/results.h"

/* `name` is that of the study. */
void markdown_write(const struct results *results, const char *name, FILE *out);
/* Writes a stranger's text in one line, of 2,000 bytes at most, in which nothing is Markdown or
 * HTML. */
void markdown_put(FILE *out, const char *text);
