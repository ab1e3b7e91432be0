/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which QEMU ran the trials of a store. The instructions of a guest, and so its virtual time, are
 * the same under each QEMU of a release ("7.2.19" and "7.2.22"), of which the later ones only mend
 * faults. Trials of different releases are not mixed.
 */

#include "src/store/store.h"

/* Finds a QEMU of another release than `version` in the store. Returns 1 with its version in
 * *ret_other, which the caller frees; 0: there is none. */
int store_other_qemu(struct store *store, const char *version, char **ret_other, struct error *err);

/* Refuses to merge the attached store `other`, of the file `input`, if a QEMU of another release
 * ran its trials. Copies its rows otherwise, which refer to sessions. */
int store_refuse_qemu(struct store *store, const char *input, struct error *err);
int store_copy_qemu(struct store *store, struct error *err);
