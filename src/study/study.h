/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A study as plain data: scenarios x axes of settings x kernels x families x
 * repeats. It is read from a file like a scenario, and refused with file and line
 * where it is wrong; plan.h makes trials of it.
 *
 * Theory of operation. A plan has trials that are a few numbers each. The identity of a trial
 * (src/store/identity.h) is a hash of what it is. It decides the trial's phase, and its shard too:
 * the longest trial that is left goes to the shard with the least work. So shards need not talk to
 * each other, and any order of runs finds the same. For that, what a trial costs (work.c) has to
 * come out the same on every machine. sweep.c hands what the store does not have yet to the
 * engine, in jobs of as many trials as share guests well. Trials whose packets the kernel loses by
 * chance have a guest each, which is seeded by them. src/store/store.h says what is safe when.
 */

#include "src/engine/engine.h"
#include "src/scenario/scenario.h"
#include "src/text/document.h"

#define STUDY_MAX_VALUES  1000 /* on one axis */
#define STUDY_MAX_AXES	  16
#define STUDY_MAX_REPEATS 100000

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
	int line;
};

struct study_axis {
	char *name; /* the setting's key, or what the bundles are called together; owned */
	struct study_value *values;
	size_t n_values;
	int line;
};

/* A scenario, or one variant of it. */
struct study_subject {
	const struct scenario_source *source; /* in the study's sources */
	size_t variant;			      /* its place among the source's */
	int line;			      /* of the study's file, where it is named */
	struct scenario *sample; /* the scenario with its usual settings, for its names; owned */
};

/* What one rule of `exclude` asks of one axis. */
struct study_condition {
	char *axis;    /* also "scenario", "family", "kernel"; owned */
	char **values; /* of which one has to be it; NULL-terminated, owned */
};

struct study_exclusion {
	struct study_condition *conditions; /* all have to hold; owned */
	size_t count;
};

struct study {
	char *file, *text; /* where it was read, and what; owned as all here */
	char *name, *summary, *explanation;
	struct scenario_source **sources;
	size_t n_sources;
	struct study_subject *subjects;
	size_t n_subjects;
	struct study_changes fixed; /* settings of all trials */
	struct study_axis *axes;
	size_t n_axes;
	bool paired; /* the first values of all axes, the second of all, ...; else the product */
	struct study_exclusion *exclusions;
	size_t n_exclusions;
	enum family families[_FAMILY_MAX];
	size_t n_families;
	char **kernels; /* names, as of run --kernel */
	size_t n_kernels;
	unsigned int repeats;
	nsec_t horizon_nsec;	     /* 0: the scenarios' own */
	const struct engine *engine; /* which one it is meant for, or NULL */
	bool measure_only;	     /* the scenarios' expectations do not apply */
	int axes_line, exclude_line; /* line numbers; 0: the file has none */
};

/* Reads the study of that name or path. ERROR_INPUT "FILE:LINE: ..." for what is wrong with it. */
int study_load(const char *what, struct study **ret_study, struct error *err);
int study_parse(const char *file, const char *text, size_t size, struct study **ret_study,
		struct error *err);
struct study *study_free(struct study *study);
DEFINE_CLEANUP(struct study *, study_free)

/* find.c: the path of a study's name; the caller frees it. */
int study_find(const char *what, char **ret_path, struct error *err);
/* Whether `what` is a study's name, or a file that has `scenarios`. */
bool study_is(const char *what);
/* The names of all studies that can be found, in order; NULL-terminated, the caller frees them.
 * NULL where there are none. */
char **study_names(void);

/* axis.c: the axes, and what else consists of settings. */
int study_read_axes(struct study *study, const struct document_node *map, struct error *err);
int study_read_changes(struct study_changes *changes, const struct document_node *map,
		       const char *skip, struct error *err);
void study_changes_deinit(struct study_changes *changes);
void study_value_deinit(struct study_value *value);
/* range.c: the values of {from: , to: , step: | factor: }; NULL-terminated, owned. */
int study_read_range(const struct document_node *map, char ***ret_values, struct error *err);
/* exclude.c: whether a word is the subject's name, NAME/VARIANT, or its catalogue id. */
bool study_subject_is(const struct study_subject *subject, const char *word);
int study_read_exclusions(struct study *study, const struct document_node *list, struct error *err);
