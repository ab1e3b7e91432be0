/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer calls the scenario reader with arbitrary texts. The reader must accept
 * each text, or refuse it with one line that begins with the file's name. The
 * seeds are the files in scenarios/ and tests/corpus/scenario/.
 */
#include <stdint.h>
#include <string.h>

#include "src/scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_setting(const struct setting_value *value, void *userdata)
{
	size_t *total = userdata;

	*total += strlen(value->key) + strlen(value->text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int quick = 0; quick < 2; quick++) {
		const struct scenario_request request = { .quick = quick };
		struct scenario_list list = { 0 };
		struct error err = { 0 };
		size_t total = 0;
		int rc;

		rc = scenario_parse("f", (const char *)data, size, &request, &list, &err);
		if (rc == 0 ? err.kind != ERROR_NONE || !list.count
			    : err.kind != ERROR_INPUT || strncmp(err.text, "f:", 2))
			__builtin_trap();
		for (size_t i = 0; i < list.count; i++)
			scenario_for_each_setting(list.items[i], count_setting, &total);
		scenario_list_deinit(&list);
	}
	return 0;
}
