/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files that read a scenario share. Theory of operation: a file is a tree
 * (src/text/document.h). Its top, a variant and a `quick` map are layers of the same
 * grammar: settings, timeline, horizon, expect. A scenario is made anew for each
 * variant by laying base, variant, the quick layers and --set over each other, and
 * what comes out is checked as a whole (check.c), so that no combination
 * gets past the rules.
 */

#include "src/scenario/scenario.h"
#include "src/text/document.h"
#include "src/text/grammar.h"

#define SCENARIO_MAX_EVENTS   1000
#define SCENARIO_MAX_VARIANTS 256
#define SCENARIO_MAX_SYSCTLS  256 /* on one node */
#define SCENARIO_MAX_NAME     64  /* bytes */
#define SCENARIO_MAX_SUMMARY  160

/* setting.c: one setting by its flat key, from a file's `line` or (0) from --set. The error
 * text has neither key nor position. */
int scenario_set(struct scenario *scenario, const char *key, const char *value, int line,
		 struct error *err);
/* Whether scenario_set() knows the key, or keys that begin with "<key>.". */
bool scenario_key_known(const char *key);
/* Whether no parameter is set. */
bool scenario_netem_is_empty(const struct netem *netem);
/* Why these parameters do not go together, or NULL. */
const char *scenario_netem_problem(const struct netem *netem);

/* read-timeline.c: replaces the timeline. */
int scenario_read_timeline(struct scenario *scenario, const struct document_node *list,
			   struct error *err);

/* read-expect.c: lays the keys of an `expect` map over what is there. */
int scenario_read_expect(struct scenario *scenario, const struct document_node *map,
			 struct error *err);

/* read-value.c: a text of at most so many bytes, and a name of lower-case letters, digits, '-' and
 * '.', also of upper-case letters with `capitals`. Both leave *ret alone where `node` is NULL, and
 * free what it had before. */
int scenario_read_text(const struct document_node *node, size_t maximum, char **ret_text,
		       struct error *err);
int scenario_read_name(const struct document_node *node, bool capitals, char **ret_name,
		       struct error *err);
/* Readers of values of `expect`, for tables of struct grammar_key. The first two read a nsec_t and
 * a struct expect_range: "1MiB", or {at_least: 1KiB, at_most: 2KiB} (read-value.c). */
int scenario_read_time(void *time, const struct document_node *node, const struct grammar_key *key,
		       struct error *err);
int scenario_read_range(void *to, const struct document_node *node, const struct grammar_key *key,
			struct error *err);
/* These read parts of a struct expectation: its calls (read-calls.c), its samples, and the
 * _OUTCOME_MAX ranges of its population (read-samples.c). */
int scenario_read_calls(void *to, const struct document_node *node, const struct grammar_key *key,
			struct error *err);
int scenario_read_samples(void *to, const struct document_node *node, const struct grammar_key *key,
			  struct error *err);
int scenario_read_population(void *to, const struct document_node *node,
			     const struct grammar_key *key, struct error *err);

/* read-program.c: the value of a `command`, or with `several` of `programs`, replaces the programs
 * of a host. */
int scenario_read_programs(const struct document_node *node, bool several,
			   struct scenario_agent *agent, struct error *err);
void scenario_forget_programs(struct scenario_agent *agent);

/* layer.c: settings, timeline, horizon and expectations of one layer. */
enum layer_kind {
	LAYER_BASE,
	LAYER_VARIANT,
	LAYER_QUICK,
};
/* Whether the key is one that stands beside the settings of a layer. */
bool scenario_layer_has(const char *key);
int scenario_apply_layer(struct scenario *scenario, const struct document_node *layer,
			 enum layer_kind kind, struct error *err);

/* build.c: the scenario of one variant (NULL: the file has none). *ret_scenario is NULL
 * where it is left out. */
int scenario_build(const struct document *document, const struct document_node *variant,
		   const struct scenario_request *request, struct scenario **ret_scenario,
		   struct error *err);
/* The one picker of variants: `name` stands for those from *ret_first to before *ret_end, and NULL
 * for all, of which a file without variants has one. ERROR_INPUT without a position where there is
 * no variant of that name. */
int scenario_pick_variants(const struct document *document, const char *name, size_t *ret_first,
			   size_t *ret_end, struct error *err);
/* Appends the variants that were asked for to `list`, once every variant of the file is checked in
 * both its forms, quick and real. After an error `list` is as it was. */
int scenario_build_all(const struct document *document, const struct scenario_request *request,
		       struct scenario_list *list, struct error *err);

/* check.c: checks what only shows on the whole, and finds out which fault each heal ends. */
int scenario_check(struct scenario *scenario, struct error *err);
/* check-timeline.c: refuses a timeline that cannot happen. */
int scenario_check_timeline(struct scenario *scenario, struct error *err);
/* find.c: the path of a name or id; the caller frees it. */
int scenario_find(const char *what, char **ret_path, struct error *err);
/* Whether a name is one of a file of scenarios, "*.yaml". */
bool scenario_is_file(const char *name);
/* "path-loss/prohibit", "./mine.yaml/late": what comes before the variant, which the caller frees,
 * and the variant's name in `what`; NULL where it is all of a scenario. */
int scenario_split_variant(const char *what, char **ret_what, const char **ret_variant);

/* scenario.c. ERROR_INPUT "FILE:LINE: ...", or without a line (0) "FILE: ...". */
__attribute__((format(printf, 4, 5))) int scenario_refuse(const struct scenario *scenario, int line,
							  struct error *err, const char *format,
							  ...);
struct scenario *scenario_new(void);
/* bounds.c: refuses a value of a sysctl that the kernel would refuse, as far as that is known. The
 * error text has no key. */
int scenario_check_bounds(const char *key, const char *value, struct error *err);
/* read-follow.c: puts the connections of a list in the place of the one that is followed where
 * there is none. */
int scenario_read_follow(struct scenario *scenario, const struct document_node *list,
			 struct error *err);
/* read-hosts.c: adds the hosts of a file's `hosts` map that the scenario does not have yet. */
int scenario_read_hosts(struct scenario *scenario, const struct document_node *root,
			struct error *err);
/* The sysctl that a scenario sets on a node, or NULL. */
struct scenario_sysctl *scenario_find_sysctl(const struct scenario_node *node, const char *key);
/* Forgets what is expected of an endpoint, not that it is watched. */
void scenario_expect_nothing(struct expectation *expect);
