/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "src/util/tick.h"

/* TICK_PHASES divided by the golden ratio. Steps of this size spread any number of repeats evenly
 * over the phases. */
#define PHASE_STEP 20251

/* Hashes a text with its terminating zero, so that "a", "bc" is not the same as "ab", "c". */
static void add_text(struct sha256_ctx *hash, const char *text)
{
	if (text)
		sha256_update(hash, strlen(text), (const uint8_t *)text);
	sha256_update(hash, 1, (const uint8_t *)"");
}

static void add_number(struct sha256_ctx *hash, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	add_text(hash, digits);
}

/* Returns the hash's first 64 bits and resets the context for the next hash. */
static uint64_t take(struct sha256_ctx *hash)
{
	uint8_t digest[8];
	uint64_t value = 0;

	sha256_digest(hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		value = value << 8 | digest[i];
	return value;
}

static int add_setting(const struct setting_value *value, void *userdata)
{
	add_text(userdata, value->key);
	add_text(userdata, value->text);
	return 0;
}

uint64_t identity_of_cell(const struct scenario *s)
{
	struct sha256_ctx hash;

	sha256_init(&hash);
	add_text(&hash, s->name);
	add_text(&hash, s->variant);
	add_number(&hash, s->quick);
	add_number(&hash, (uint64_t)s->horizon_nsec);
	scenario_for_each_setting(s, add_setting, &hash);
	return take(&hash);
}

struct identity identity_of_trial(uint64_t cell, const char *engine, const char *kernel,
				  enum family family, uint64_t seed, unsigned int repeat)
{
	struct identity identity = { .cell = cell };
	struct sha256_ctx hash;
	uint64_t but_repeat;

	sha256_init(&hash);
	add_number(&hash, cell);
	add_text(&hash, engine);
	add_text(&hash, kernel);
	add_text(&hash, family_name(family));
	add_number(&hash, seed);
	but_repeat = take(&hash);
	add_number(&hash, but_repeat);
	add_number(&hash, repeat);
	identity.trial = take(&hash);
	identity.phase = (int64_t)((but_repeat + (uint64_t)repeat * PHASE_STEP) % TICK_PHASES);
	return identity;
}

uint64_t identity_again(uint64_t trial, unsigned int n)
{
	struct sha256_ctx hash;

	if (!n)
		return trial;
	sha256_init(&hash);
	add_number(&hash, trial);
	add_text(&hash, "again");
	add_number(&hash, n);
	return take(&hash);
}

char *identity_format(uint64_t id, char text[IDENTITY_TEXT])
{
	snprintf(text, IDENTITY_TEXT, "%016" PRIx64, id);
	return text;
}
