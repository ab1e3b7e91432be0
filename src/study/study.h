/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A study as plain data: scenarios x axes of settings x kernels x families x repeats. It is read
 * from a file like a scenario, and refused with file and line where it is wrong. plan.h makes
 * trials of it.
 *
 * Theory of operation. A plan has trials that are a few numbers each. The identity of a trial
 * (src/store/identity.h) is a hash of what it is. It decides the trial's phase. Trials are
 * shared out by their work: the longest trial that is left goes to the shard with the least
 * work. So shards need not talk to each other, and any order of runs gives the same results. For
 * this the work of a trial (work.c) has to be the same number on every machine. sweep.c hands
 * the trials that the store does not have to the engine, in jobs of as many trials as share
 * guests well. A trial whose packets the kernel loses by chance has a guest of its own, which is
 * seeded by the trial. src/store/store.h says at which moment results are safe.
 */

#include "src/engine/engine.h"
#include "src/scenario/scenario.h"
#include "src/text/document.h"

#define STUDY_MAX_VALUES  1000 /* values on one axis */
#define STUDY_MAX_AXES	  16
#define STUDY_MAX_REPEATS 100000

/* A setting that is changed. */
struct study_change {
	char *text;   /* "client.keepalive.idle=5s"; owned */
	size_t n_key; /* bytes of the key */
};

struct study_changes {
	struct study_change *items; /* owned */
	size_t count;
};

/* One place on an axis: a value, or a named bundle of settings that go together. */
struct study_value {
	char *name; /* the value as it is written, or the bundle's name; owned */
	struct study_changes changes;
};

struct study_axis {
	char *name; /* the setting's key, or what the bundles are called together; owned */
	struct study_value *values; /* in the file's order; owned */
	size_t n_values;
	int line; /* of the study's file */
};

/* A scenario, or one variant of it. */
struct study_subject {
	const struct scenario_source *source; /* one of the study's sources; not owned */
	size_t variant;			      /* its place among the variants of the source */
	int line;			      /* of the study's file, where it is named */
	struct scenario *sample; /* the scenario with its usual settings, for its names; owned */
};

/* What a rule of `exclude` asks of one axis. */
struct study_condition {
	char *axis;    /* name of an axis, or "scenario", "family", "kernel"; owned */
	char **values; /* the trial has to have one of these; NULL-terminated, owned */
};

#define STUDY_ALL "all" /* what stands for all kernels at hand, and for all scenarios */

struct study_exclusion {
	struct study_condition *conditions; /* a trial is excluded if all hold; owned */
	size_t count;
};

/* All pointers are owned unless they are said not to be. */
struct study {
	char *file, *text;		  /* path of the study's file, and what it contains */
	char *name, *summary;		  /* of the study */
	char *explanation;		  /* the comment at the top of the file */
	struct scenario_source **sources; /* files of the scenarios, each once */
	size_t n_sources;
	struct study_subject *subjects; /* in the file's order */
	size_t n_subjects;
	struct study_changes fixed; /* settings of all trials */
	struct study_axis *axes;    /* in the file's order */
	size_t n_axes;
	bool paired; /* combine the first values of all axes, the second ones, ...; else all */
	struct study_exclusion *exclusions;
	size_t n_exclusions;
	enum family families[_FAMILY_MAX]; /* the first n_families are used */
	size_t n_families;
	char **kernels; /* names, as of run --kernel, or STUDY_ALL; NULL-terminated; NULL: the
			 * newest */
	size_t n_kernels;
	unsigned int repeats;	     /* of each trial, at least 1 */
	nsec_t horizon_nsec;	     /* 0: the scenarios' own */
	const struct engine *engine; /* which one it is meant for; NULL: any; static */
	bool measure_only;	     /* the scenarios' expectations do not apply */
	int axes_line, exclude_line; /* line numbers in the file; 0: the file has no such key */
};

/* Reads the study of that name or path. ERROR_INPUT says "FILE:LINE: ..." what is wrong with it. */
int study_load(const char *what, struct study **ret_study, struct error *err);
/* The same for a text in memory; `file` is what errors call it. */
int study_parse(const char *file, const char *text, size_t size, struct study **ret_study,
		struct error *err);
struct study *study_free(struct study *study);
DEFINE_CLEANUP(struct study *, study_free)

/* find.c: finds the path of a study's name, which the caller frees. */
int study_find(const char *what, char **ret_path, struct error *err);
/* Tells whether `what` is a study's name, or a file that has the key `scenarios`. */
bool study_is(const char *what);
/* Returns the names of all studies that can be found, in order. The list is NULL-terminated, and
 * the caller frees it. NULL: there are none. */
char **study_names(void);

/* axis.c: reads the axes, and other maps of settings, but for those of the key `skip` (NULL: none).
 */
int study_read_axes(struct study *study, const struct document_node *map, struct error *err);
int study_read_changes(struct study_changes *changes, const struct document_node *map,
		       const char *skip, struct error *err);
void study_changes_deinit(struct study_changes *changes);
void study_value_deinit(struct study_value *value);
/* range.c: reads {from: , to: , step: | factor: } into a NULL-terminated list of values, which the
 * caller frees. */
int study_read_range(const struct document_node *map, char ***ret_values, struct error *err);
/* exclude.c: tells whether a word is the subject's name, NAME/VARIANT, or its catalogue id. */
bool study_subject_is(const struct study_subject *subject, const char *word);
int study_read_exclusions(struct study *study, const struct document_node *list, struct error *err);
