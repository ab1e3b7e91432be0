/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/study/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/text/quantity.h"
#include "src/util/cleanup.h"

int shard_parse(const char *text, struct shard *ret_shard, struct error *err)
{
	struct shard shard = { .from = "--shard" };
	char end;

	/* sscanf() accepts blanks and signs, so they are refused first. */
	if (text[strspn(text, "0123456789/")] ||
	    sscanf(text, "%9u/%9u%c", &shard.k, &shard.n, &end) != 2 || !shard.n ||
	    shard.n > SHARD_MAX || !shard.k || shard.k > shard.n)
		return error_input(err,
				   "--shard %s: write K/N, the K-th of N parts: 1/4 to 4/4, at "
				   "most %d",
				   text, SHARD_MAX);
	*ret_shard = shard;
	return 0;
}

/* Reads a number from the environment. A variable that is missing beside others is refused: with a
 * guess, some trials would run twice and others never. */
static int get(const char *name, uint64_t *ret, struct error *err)
{
	const char *text = getenv(name);
	int rc;

	if (!text || !*text)
		return error_input(err, "%s is %s; set it, or say --shard K/N", name,
				   text ? "empty" : "not set, though this is a task of an array");
	rc = quantity_parse_count(text, 0, UINT32_MAX, ret, err);
	return rc < 0 ? error_prefix(err, rc, "%s", name) : 0;
}

static int set(uint64_t index, uint64_t count, const char *from, struct shard *ret_shard,
	       struct error *err)
{
	if (!count || count > SHARD_MAX || index >= count)
		return error_input(err,
				   "%s: the task's place, %llu, is not below the number of tasks, "
				   "%llu; say --shard K/N",
				   from, (unsigned long long)index, (unsigned long long)count);
	*ret_shard = (struct shard){ (unsigned int)index + 1, (unsigned int)count, from };
	return 0;
}

/* Arrays may be numbered 0-3, 1-4 or 10-40:10. A task's shard is its place in the array. */
static int from_slurm(struct shard *ret_shard, struct error *err)
{
	uint64_t id, count, first, step = 1;
	int rc = get("SLURM_ARRAY_TASK_ID", &id, err);

	if (rc >= 0)
		rc = get("SLURM_ARRAY_TASK_COUNT", &count, err);
	if (rc >= 0)
		rc = get("SLURM_ARRAY_TASK_MIN", &first, err);
	if (rc >= 0 && getenv("SLURM_ARRAY_TASK_STEP"))
		rc = get("SLURM_ARRAY_TASK_STEP", &step, err);
	if (rc < 0)
		return rc;
	if (!step || id < first || (id - first) % step)
		return error_input(err, "Slurm: the array's tasks are not in equal steps; say "
					"--shard K/N");
	return set((id - first) / step, count, "Slurm", ret_shard, err);
}

static int from_kubernetes(struct shard *ret_shard, struct error *err)
{
	uint64_t index, count;
	int rc;

	if (!getenv("JOB_COMPLETIONS"))
		return error_input(err, "Kubernetes: JOB_COMPLETION_INDEX is set, but not "
					"JOB_COMPLETIONS: give the container the Job's "
					"completions by it, or say --shard K/N");
	rc = get("JOB_COMPLETION_INDEX", &index, err);
	if (rc >= 0)
		rc = get("JOB_COMPLETIONS", &count, err);
	return rc < 0 ? rc : set(index, count, "Kubernetes", ret_shard, err);
}

int shard_from_environment(struct shard *ret_shard, struct error *err)
{
	if (getenv("SLURM_ARRAY_TASK_ID") && getenv("JOB_COMPLETION_INDEX"))
		return error_input(err,
				   "this is a task of Slurm's (SLURM_ARRAY_TASK_ID) and one of "
				   "Kubernetes' (JOB_COMPLETION_INDEX); say --shard K/N");
	if (getenv("SLURM_ARRAY_TASK_ID"))
		return from_slurm(ret_shard, err);
	if (getenv("JOB_COMPLETION_INDEX"))
		return from_kubernetes(ret_shard, err);
	*ret_shard = (struct shard){ 1, 1, NULL };
	return 0;
}
