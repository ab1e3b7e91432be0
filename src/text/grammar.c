/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/grammar.h"

#include <errno.h>
#include <string.h>

#include "src/text/suggest.h"

int grammar_read_word(const char *word, const struct word_list *list, int *ret_value,
		      struct error *err)
{
	int end = list->end ? list->end : list->names ? list->names->count : ERRNO_MAX;
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	if (list->none && !strcmp(word, "none")) {
		*ret_value = 0;
		return 0;
	}
	suggestion_init(&suggestion, word);
	for (int i = 0; i < end; i++) {
		const char *name = list->names ? names_text(list->names, i) : errno_name(i);

		if (!name)
			continue;
		if (!strcmp(name, word)) {
			*ret_value = i;
			return 0;
		}
		suggestion_offer(&suggestion, name);
	}
	return error_input(err, "there is no %s '%s'%s", list->what, word,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

const struct grammar_key *grammar_find(const struct grammar *grammar,
				       const struct document_node *node, struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->key);
	for (size_t i = 0; i < grammar->n_keys; i++) {
		if (!strcmp(grammar->keys[i].key, node->key))
			return &grammar->keys[i];
		suggestion_offer(&suggestion, grammar->keys[i].key);
	}
	document_error(node, err, grammar->unknown, node->key,
		       suggestion_text(&suggestion, buffer, sizeof(buffer)));
	return NULL;
}

int grammar_read_map(const struct grammar *grammar, const struct document_node *map, void *base,
		     struct error *err)
{
	int rc = document_require(map, DOCUMENT_MAP, grammar->name, err);

	for (size_t i = 0; rc == 0 && i < map->n_items; i++) {
		const struct grammar_key *key = grammar_find(grammar, map->items[i], err);

		rc = key ? key->read((char *)base + key->offset, map->items[i], key, err) : -EINVAL;
	}
	return rc;
}

int grammar_refuse_unknown(const struct document_node *map, const char *const *words, size_t n,
			   const char *what, struct error *err)
{
	for (size_t i = 0; i < map->n_items; i++) {
		const char *key = map->items[i]->key;
		struct suggestion suggestion;
		char buffer[SUGGESTION_SIZE];
		bool known = false;

		suggestion_init(&suggestion, key);
		for (size_t k = 0; k < n; k++) {
			known |= !strcmp(words[k], key);
			suggestion_offer(&suggestion, words[k]);
		}
		if (!known)
			return document_error(map->items[i], err, "%s '%s'%s", what, key,
					      suggestion_text(&suggestion, buffer, sizeof(buffer)));
	}
	return 0;
}
