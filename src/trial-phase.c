/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a trial begins, so that the timer wheel stands where it should at its first event, and no
 * other trial of the guest is in its way. */
#include "src/model.h"
#include "src/trial-internal.h"

#define ROUNDS_MAX 32 /* that a trial is put off; then it takes its chance */

/* The next point at which a client that connects then will see its first event strike at the
 * wanted phase. Ticks are counted from the start of CLOCK_MONOTONIC, which the kernel's jiffies
 * keep a constant distance from. */
static nsec_t next_phase(const struct trial *trial)
{
	const struct scenario *s = trial->spec.scenario;
	nsec_t tick = NSEC_PER_SEC / model_hz(), first = s->n_events ? s->events[0].at_nsec : 0;
	nsec_t struck = (nsec_now() + first) / tick + 1;
	nsec_t ahead = (trial->spec.phase - struck % TRIAL_PHASES + TRIAL_PHASES) % TRIAL_PHASES;

	return (struck + ahead) * tick - first;
}

/* Whether nobody else has something to do when this trial has, should its client connect then. */
static bool reserve(const struct trial *trial, nsec_t client_nsec)
{
	_cleanup_(freep) nsec_t *moments = calloc(trial->timeline.n_steps + 1, sizeof(*moments));

	if (!trial->spec.reserve || !moments)
		return true;
	moments[0] = client_nsec;
	for (size_t i = 0; i < trial->timeline.n_steps; i++)
		moments[i + 1] = client_nsec + trial->timeline.steps[i].at_nsec;
	return trial->spec.reserve(moments, trial->timeline.n_steps + 1, trial->userdata);
}

/* The phase is the same after any number of rounds. */
nsec_t trial_phase_next(const struct trial *trial)
{
	nsec_t at = next_phase(trial), round = TRIAL_PHASES * (NSEC_PER_SEC / model_hz());

	for (int i = 0; i < ROUNDS_MAX && !reserve(trial, at); i++)
		at += round;
	return at;
}
