/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tables of the keys that a map may have and of the words that a value may be. One
 * row says all that is known of a key: how its value is read and where it goes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "src/text/node.h"
#include "src/util/names.h"

/* The words that a value may be: the names of an enum's values, or of errno. */
struct word_list {
	const char *what;	   /* "outcome", for errors */
	const struct names *names; /* NULL: the names of errno */
	int end;		   /* this value and those after it may not be named; 0: all may */
	bool none;		   /* "none" stands for 0 */
};

/* The value that `word` names. The error text is "there is no outcome 'x'; did you mean 'y'?",
 * without a position. */
int grammar_read_word(const char *word, const struct word_list *list, int *ret_value,
		      struct error *err);

/* A key of a map. */
struct grammar_key {
	const char *key;
	/* Reads `node`, the key's value, into `field`. The error text has its position. */
	int (*read)(void *field, const struct document_node *node, const struct grammar_key *key,
		    struct error *err);
	size_t offset;		       /* of the field in the struct that the map is read into */
	const struct word_list *words; /* the words that the value may be; NULL where it has none */
	bool may_be_map;	       /* the value may be a map by itself */
};

struct grammar {
	const char *name; /* of the map, where it must be one and is not: "'took' must be a map" */
	const struct grammar_key *keys;
	size_t n_keys;
	const char *unknown; /* the error text for another key: "took has no '%s'"; a second %s is
			      * for a suggestion */
};

/* The row for the key of `node`; NULL with an error where the map may have no such key. */
const struct grammar_key *grammar_find(const struct grammar *grammar,
				       const struct document_node *node, struct error *err);
/* Reads a map into the struct at `base`. Keys that the map does not have are left as they are. */
int grammar_read_map(const struct grammar *grammar, const struct document_node *map, void *base,
		     struct error *err);

/* Refuses a map that has other keys than the `n` words: "<what> 'x'; did you mean 'y'?" */
int grammar_refuse_unknown(const struct document_node *map, const char *const *words, size_t n,
			   const char *what, struct error *err);
