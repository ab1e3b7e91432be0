/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How busy this machine is while trials run in real time: the share of the time in which at least
 * one program was ready to run and had no processor. The kernel counts it as "some" of
 * /proc/pressure/cpu (Documentation/accounting/psi.rst); what a hypervisor took away is not in
 * there, and is added ("steal" of /proc/stat, the mean over the processors). Where the kernel
 * counts neither, the machine counts as idle.
 */

#include "src/util/loop.h"

struct busy;

/* Begins to look, ten times a second, for as long as `loop` runs. */
int busy_new(struct loop *loop, struct busy **ret_busy, struct error *err);
struct busy *busy_free(struct busy *busy);
DEFINE_CLEANUP(struct busy *, busy_free)

/* Returns the share of the last `span_nsec`, from 0 to 1. */
double busy_share(struct busy *busy, nsec_t span_nsec);
