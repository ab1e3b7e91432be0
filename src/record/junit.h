/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * JUnit's XML, as the schema of Jenkins has it (junit-10.xsd), which GitLab's and GitHub's readers
 * take too. A trial that measured nothing is skipped: JUnit has no other word for what is neither
 * passed nor failed, and a reader that counted it as an error would tell a busy machine as a
 * regression.
 */

#include <stdio.h>

#include "src/record/results.h"

/* `name` is that of the study. The caller looks at ferror(). */
void junit_write(const struct results *results, const char *name, FILE *out);
