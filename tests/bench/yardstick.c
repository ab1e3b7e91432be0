/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yardstick: a fixed piece of work, whose time says how fast this processor is. Like an emulator it
 * follows pointers, computes with integers and branches by what comes out, in memory that the
 * second cache holds. It must stay as it is: figures that are told in yardsticks could not be
 * compared otherwise. */
#include <stdint.h>
#include <stdio.h>

#define CELLS (1u << 16) /* 256 KiB */
#define STEPS 40000000u

static uint32_t cells[CELLS];

int main(void)
{
	uint32_t at = 0, sum = 0;

	/* Each cell leads to another one; at first all are on one path. */
	for (uint32_t i = 0; i < CELLS; i++)
		cells[i] = (i * 1664525u + 1013904223u) % CELLS;
	for (uint32_t i = 0; i < STEPS; i++) {
		at = cells[(at + (sum & 15)) % CELLS];
		sum = at & 1 ? sum * 31 + at : (sum ^ at) + (sum >> 3);
		cells[at] ^= (sum & 1) << 4;
	}
	printf("%u\n", sum);
	return 0;
}
