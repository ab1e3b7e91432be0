/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * deadpeer inside the guest: the same trials by the same code as on the host, one
 * job of them.
 */

/* When this process is a guest's first: does the job and never returns. */
void guest_run_if_guest(void);
