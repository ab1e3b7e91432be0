/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/findings.h"

/* A time that was measured, and the interval that was predicted for it. */
struct measured {
	const char *what; /* static */
	nsec_t time_nsec, blind_nsec, earliest_nsec, latest_nsec;
};

static bool is_outside(const struct measured *m)
{
	return record_is_outside(m->time_nsec, m->blind_nsec, m->earliest_nsec, m->latest_nsec);
}

static void print(const struct record *record, enum end_id end, const struct measured *m, FILE *out)
{
	const struct record_endpoint *e = &record->endpoint[end];
	char title[160], repeat[24] = "", time[64], earliest[64], latest[64];

	if (record->repeat)
		snprintf(repeat, sizeof(repeat), ", repeat %u", record->repeat);
	fprintf(out,
		"%s (%s%s): outside the prediction: the %s %s after %s, predicted %s to %s; "
		"mechanism %s\n",
		record_title(record, title, sizeof(title)), family_name(record->family), repeat,
		e->name, m->what, nsec_format(time, sizeof(time), m->time_nsec),
		nsec_format(earliest, sizeof(earliest), m->earliest_nsec),
		nsec_format(latest, sizeof(latest), m->latest_nsec),
		e->mechanism == MECHANISM_NONE ? "unknown" : mechanism_name(e->mechanism));
}

static void print_endpoint(const struct record *record, enum end_id end, FILE *out)
{
	const struct record_endpoint *e = &record->endpoint[end];
	const struct measured detected = { "detected it", record_detection(e),
					   record_detection_blind(e), e->earliest_nsec,
					   e->latest_nsec };
	const struct measured gone = { "had nothing left of it", e->gone_nsec, e->gone_blind_nsec,
				       e->gone_earliest_nsec, e->gone_latest_nsec };
	/* Where the end and the last of it are one moment, they are one finding. */
	bool same = gone.time_nsec == detected.time_nsec &&
		    gone.earliest_nsec == detected.earliest_nsec &&
		    gone.latest_nsec == detected.latest_nsec;

	if (is_outside(&detected))
		print(record, end, &detected, out);
	if (is_outside(&gone) && !same)
		print(record, end, &gone, out);
}

void findings_print(struct record *const *records, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!records[i] || record_verdict(records[i]) == VERDICT_INCONCLUSIVE)
			continue;
		for (enum end_id end = 0; end < records[i]->n_ends; end++)
			print_endpoint(records[i], end, out);
	}
}
