/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Numbers as users write them. Each function refuses signs, exponents, trailing text
 * and what does not fit, with ERROR_INPUT and a text that says what is accepted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/util/error.h"
#include "src/util/nsec.h"

/* "true" or "false" */
int quantity_parse_bool(const char *text, bool *ret_value, struct error *err);
/* Decimal digits, minimum..maximum. */
int quantity_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value,
			 struct error *err);
/* "4096", "64KiB", "1MiB", "1GiB", or with a space before the unit; minimum..maximum bytes. */
int quantity_parse_bytes(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value,
			 struct error *err);
/* "1%", "0.5%": stored as 0..1. */
int quantity_parse_percent(const char *text, double *ret_value, struct error *err);
/* "512bit", "64kbit", "10mbit", "1.5gbit": bits a second, in powers of ten as tc has them. */
int quantity_parse_rate(const char *text, uint64_t *ret_bps, struct error *err);
/* A span of time: "250ms", "1.5s", "20min", "2h", "30d", "0". Units: ns us ms s min h d; only 0
 * may go without. */
int quantity_parse_time(const char *text, nsec_t *ret_span_nsec, struct error *err);
