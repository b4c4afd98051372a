/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Recordings: what a host looked like tick by tick and what was planned, in JSON lines. The engine
 * is deterministic, so a recording is all it takes to see a decision again, and every bug report
 * can be a file. docs/formats.md describes the lines.
 */
#ifndef XLP_RECORD_H
#define XLP_RECORD_H

#include <stdio.h>

#include "plan.h"
#include "policy.h"
#include "snapshot.h"

struct xlp_recorder;

/* Starts a recording in an open file, which stays the caller's: the first line is written at once.
 * NULL with errno when that fails. */
struct xlp_recorder *xlp_recorder_new(FILE *file, const struct xlp_policy *policy);
void xlp_recorder_free(struct xlp_recorder *recorder);

/* Appends one tick and flushes it. The policy is written when it is another than the tick before.
 * plan may be NULL: nothing was planned. 0, or -1 with errno; the file may then end in half a
 * line. */
int xlp_recorder_add(struct xlp_recorder *recorder, const struct xlp_policy *policy,
                     const struct xlp_snapshot *s, const struct xlp_plan *plan);

struct xlp_recording;

/* Opens a recording and reads its first line. NULL with one line in error, beginning with path. */
struct xlp_recording *xlp_recording_open(const char *path, char *error, size_t error_size);
void xlp_recording_close(struct xlp_recording *recording);

/* Reads the next tick into initialised structs; plan may be NULL, and is empty when none was
 * recorded. 1; 0 at the end; -1 with one line in error ("PATH: line N, ..."), and the same at every
 * call after that. */
int xlp_recording_next(struct xlp_recording *recording, struct xlp_snapshot *s,
                       struct xlp_plan *plan, char *error, size_t error_size);

/* The policy that held at the tick read last (before the first: at the first). The recording's. */
const struct xlp_policy *xlp_recording_policy(const struct xlp_recording *recording);

/* "" or, once the end is reached, a sentence on what was left out there: a recorder that was killed
 * leaves half a line. */
const char *xlp_recording_note(const struct xlp_recording *recording);

#endif
