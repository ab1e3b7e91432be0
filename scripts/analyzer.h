/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Included by scripts/tidy in front of each file, for analyzers, which see one file at a time. They
 * know nothing of error_set() but that it returns some number, so that after `return
 * error_set(...)` they take a failure for a success, and outputs that a failed function does not
 * write for used. Here each is negative, as src/util/error.h promises.
 */

#include "src/util/error.h"

#define error_set(...)	  (error_set(__VA_ARGS__), -1)
#define error_setv(...)	  (error_setv(__VA_ARGS__), -1)
#define error_errno(...)  (error_errno(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
