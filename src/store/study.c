/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/study.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void store_study_deinit(struct store_study *study)
{
	free(study->name);
	free(study->file);
	free(study->text);
	free(study->engine);
	free(study->deadpeer);
	*study = (struct store_study){ 0 };
}

static char *copy_text(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

int store_study_copy(struct store_study *ret_study, const struct store_study *study,
		     struct error *err)
{
	bool failed = false;

	*ret_study = *study;
	ret_study->name = copy_text(study->name, &failed);
	ret_study->file = copy_text(study->file, &failed);
	ret_study->text = copy_text(study->text, &failed);
	ret_study->engine = copy_text(study->engine, &failed);
	ret_study->deadpeer = copy_text(study->deadpeer, &failed);
	return failed ? error_errno(err, -ENOMEM, "store") : 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

const char *store_study_differs(const struct store_study *a, const struct store_study *b)
{
	if (!same_text(a->name, b->name))
		return "another study";
	if (!same_text(a->text, b->text))
		return "another text of the study";
	if (!same_text(a->deadpeer, b->deadpeer))
		return "another version of deadpeer";
	if (!a->name)
		return NULL; /* a store of `run --db` takes runs of anything */
	if (!same_text(a->engine, b->engine))
		return "another engine";
	if (a->seed != b->seed)
		return "another seed";
	if (a->quick != b->quick)
		return "other settings (--quick)";
	if (a->trials != b->trials)
		return "another number of trials";
	return NULL;
}
