/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/scenario/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/text/quantity.h"

#define SPAN_MAX  (3650 * 86400 * NSEC_PER_SEC)
#define DELAY_MAX (3600 * NSEC_PER_SEC)

#define NETEM_TIME(name, type, member)                                                             \
	{                                                                                          \
		name, NULL, FIELD_TIME, FIELD_IN(type, member), 0, DELAY_MAX,                      \
			.wrong = "%s is out of range; it goes from 0 to 1h"                        \
	}
/* The rows of netem's parameters, with keys that begin with `prefix`. `in` says where the struct
 * `type` has its struct netem: nothing, or a member with a dot behind it. */
#define NETEM_ROWS(prefix, type, in)                                                               \
	NETEM_TIME(prefix "delay", type, in delay_nsec),                                           \
		NETEM_TIME(prefix "jitter", type, in jitter_nsec),                                 \
		{ prefix "loss", NULL, FIELD_PERCENT, FIELD_IN(type, in loss) },                   \
		{ prefix "duplicate", NULL, FIELD_PERCENT, FIELD_IN(type, in duplicate) },         \
		{ prefix "corrupt", NULL, FIELD_PERCENT, FIELD_IN(type, in corrupt) },             \
		{ prefix "reorder", NULL, FIELD_PERCENT, FIELD_IN(type, in reorder) },             \
		{ prefix "rate", NULL, FIELD_RATE, FIELD_IN(type, in rate_bps) },                  \
	{                                                                                          \
		prefix "limit", NULL, FIELD_COUNT, FIELD_IN(type, in limit_packets), 1, 1000000    \
	}

const struct field netem_fields[] = { NETEM_ROWS("", struct netem, ) };

static const char *const nat_texts[] = { "none", "masquerade" };
static const struct names nat_names = { nat_texts, ARRAY_SIZE(nat_texts) };

/* A record has the settings in this order. */
const struct field scenario_fields[] = {
	{ "path.kind", "path", FIELD_WORD, FIELD_IN(struct scenario, path.kind),
	  .names = &path_kind_names,
	  .wrong = "there is no path '%s'; use routed, switched or direct" },
	{ "path.mtu", NULL, FIELD_COUNT, FIELD_IN(struct scenario, path.mtu), 1280, 65535 },
	NETEM_ROWS("path.", struct scenario, path.netem.),
	{ "path.conntrack", NULL, FIELD_BOOL, FIELD_IN(struct scenario, path.conntrack) },
	{ "path.nat", NULL, FIELD_WORD, FIELD_IN(struct scenario, path.masquerade),
	  .names = &nat_names, .wrong = "'%s' is neither none nor masquerade" },
	{ "path.untracked", NULL, FIELD_WORD, FIELD_IN(struct scenario, path.untracked),
	  .names = &untracked_names, .wrong = "'%s' is none of pass, drop and reset" },
	{ "follow", NULL, FIELD_PLACE, FIELD_IN(struct scenario, follow), 1,
	  SCENARIO_FOLLOW_LAST - 1,
	  .wrong = "'%s' is no connection to follow; write first, last, all, or a number from 1" },
	{ "horizon", NULL, FIELD_TIME, FIELD_IN(struct scenario, horizon_nsec), 1, SPAN_MAX,
	  .wrong = "a horizon of %s; it goes from more than 0 to 3650d", .untold = true },
	{ "until", NULL, FIELD_TIME, FIELD_IN(struct scenario, until_nsec), 1, SPAN_MAX,
	  .wrong = "until %s; it goes from more than 0 to 3650d" },
	{ "sample.every", "sample", FIELD_TIME, FIELD_IN(struct scenario, sample_nsec),
	  NSEC_PER_MSEC, SPAN_MAX,
	  .wrong = "samples every or until %s; it goes from 1ms to 3650d" },
	{ "sample.until", NULL, FIELD_TIME, FIELD_IN(struct scenario, sample_until_nsec),
	  NSEC_PER_MSEC, SPAN_MAX,
	  .wrong = "samples every or until %s; it goes from 1ms to 3650d" },
};
const size_t n_scenario_fields = ARRAY_SIZE(scenario_fields);

/* Stores a whole number in a field of one, four or eight bytes. */
static void store(void *place, size_t size, uint64_t value)
{
	if (size == sizeof(uint64_t))
		*(uint64_t *)place = value;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)place = (uint32_t)value;
	else
		*(bool *)place = value != 0;
}

static uint64_t load(const void *place, size_t size)
{
	if (size == sizeof(uint64_t))
		return *(const uint64_t *)place;
	if (size == sizeof(uint32_t))
		return *(const uint32_t *)place;
	return *(const bool *)place;
}

static int parse_time(const struct field *field, const char *value, uint64_t *ret_number,
		      struct error *err)
{
	char minimum[64], maximum[64];
	nsec_t span_nsec;
	int rc = quantity_parse_time(value, &span_nsec, err);

	if (rc < 0)
		return rc;
	if (field->unit_nsec && span_nsec % field->unit_nsec)
		return error_input(err, "'%s' is not a whole number of %s", value,
				   field->unit_nsec == NSEC_PER_SEC ? "seconds" : "milliseconds");
	if ((span_nsec < field->minimum || span_nsec > field->maximum) && field->wrong)
		return error_input(err, field->wrong, value);
	if (span_nsec < field->minimum || span_nsec > field->maximum)
		return error_input(err, "%s is out of range; it goes from %s to %s", value,
				   nsec_format(minimum, sizeof(minimum), field->minimum),
				   nsec_format(maximum, sizeof(maximum), field->maximum));
	*ret_number = (uint64_t)span_nsec;
	return 0;
}

static int parse_place(const struct field *field, const char *value, uint64_t *ret_number,
		       struct error *err)
{
	struct error own = { 0 };
	int rc = 0;

	if (!strcmp(value, "first"))
		*ret_number = 1;
	else if (!strcmp(value, "last"))
		*ret_number = (uint64_t)field->maximum + 1;
	else if (!strcmp(value, "all"))
		*ret_number = (uint64_t)field->maximum + 2;
	else
		rc = quantity_parse_count(value, 1, (uint64_t)field->maximum, ret_number, &own);
	return rc < 0 ? error_input(err, field->wrong, value) : 0;
}

static int parse_number(const struct field *field, const char *value, uint64_t *ret_number,
			struct error *err)
{
	bool flag = false;
	int rc, word;

	switch (field->type) {
	case FIELD_TIME:
		return parse_time(field, value, ret_number, err);
	case FIELD_COUNT:
		return quantity_parse_count(value, (uint64_t)field->minimum,
					    (uint64_t)field->maximum, ret_number, err);
	case FIELD_BYTES:
		return quantity_parse_bytes(value, (uint64_t)field->minimum,
					    (uint64_t)field->maximum, ret_number, err);
	case FIELD_RATE:
		return quantity_parse_rate(value, ret_number, err);
	case FIELD_BOOL:
		rc = quantity_parse_bool(value, &flag, err);
		*ret_number = flag;
		return rc;
	case FIELD_WORD:
		word = names_find(field->names, value);
		*ret_number = (uint64_t)word;
		return word < 0 ? error_input(err, field->wrong, value) : 0;
	case FIELD_PLACE:
		return parse_place(field, value, ret_number, err);
	case FIELD_PERCENT:
		break;
	}
	return -EINVAL;
}

int field_parse(const struct field *field, void *base, const char *value, struct error *err)
{
	void *place = (char *)base + field->offset;
	uint64_t number = 0;
	int rc;

	if (field->type == FIELD_PERCENT)
		return quantity_parse_percent(value, place, err);
	rc = parse_number(field, value, &number, err);
	if (rc == 0)
		store(place, field->size, number);
	return rc;
}

/* Writes a time in the largest unit of which it is a whole number. */
static void format_time(nsec_t time_nsec, char *buffer, size_t size)
{
	static const struct {
		const char *name;
		nsec_t size_nsec;
	} units[] = {
		{ "s", NSEC_PER_SEC }, { "ms", NSEC_PER_MSEC }, { "us", NSEC_PER_USEC }, { "ns", 1 }
	};
	size_t i = 0;

	while (time_nsec % units[i].size_nsec)
		i++;
	snprintf(buffer, size, "%" PRId64 "%s", time_nsec / units[i].size_nsec, units[i].name);
}

char *field_format(const struct field *field, const void *base, char *buffer, size_t size)
{
	const void *place = (const char *)base + field->offset;
	uint64_t number = field->type == FIELD_PERCENT ? 0 : load(place, field->size);

	switch (field->type) {
	case FIELD_TIME:
		format_time((nsec_t)number, buffer, size);
		break;
	case FIELD_PERCENT:
		snprintf(buffer, size, "%.6g%%", *(const double *)place * 100);
		break;
	case FIELD_COUNT:
	case FIELD_BYTES:
		snprintf(buffer, size, "%" PRIu64, number);
		break;
	case FIELD_RATE:
		snprintf(buffer, size, "%" PRIu64 "bit", number);
		break;
	case FIELD_BOOL:
		snprintf(buffer, size, "%s", number ? "true" : "false");
		break;
	case FIELD_PLACE:
		if (number == (uint64_t)field->maximum + 1)
			snprintf(buffer, size, "last");
		else if (number == (uint64_t)field->maximum + 2)
			snprintf(buffer, size, "all");
		else
			snprintf(buffer, size, "%" PRIu64, number);
		break;
	case FIELD_WORD:
		snprintf(buffer, size, "%s", names_text(field->names, (int)number));
		break;
	}
	return buffer;
}

bool field_tell(const struct field *field, const void *base, char *buffer, size_t size,
		struct setting_value *ret_value)
{
	const void *place = (const char *)base + field->offset;
	double number;

	if (field->type == FIELD_PERCENT)
		number = *(const double *)place;
	else if (field->type == FIELD_TIME && *(const nsec_t *)place == NSEC_NEVER)
		number = 0;
	else
		number = (double)load(place, field->size);
	if (number <= 0)
		return false;
	ret_value->text = field_format(field, base, buffer, size);
	ret_value->is_number = field->type != FIELD_BOOL && field->type != FIELD_WORD &&
			       !(field->type == FIELD_PLACE && number > (double)field->maximum);
	if (field->type == FIELD_TIME)
		ret_value->number = nsec_to_sec(*(const nsec_t *)place);
	else
		ret_value->number = ret_value->is_number ? number : 0;
	return true;
}
