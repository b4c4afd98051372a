/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxlpolicy: what one needs to decide for a Xen host: snapshot in, plan out.
 *
 * A program fills a snapshot (snapshot.h) with what it knows of a host, gives it to an engine
 * (engine.h) together with a policy (policy.h), and gets a plan (plan.h): actions in order, and for
 * each domain a verdict, all with their reasons (reason.h). It carries out what it likes of the
 * plan, and shows the outcome in its next snapshot. docs/examples/decide.c does this once.
 *
 * Contracts that hold for all of it:
 * - Nothing here does I/O, reads a clock, logs, keeps a global or starts a thread. Different
 *   objects may be used by different threads at once; one object by one thread at a time.
 * - Units are in the names: _kib, _ns, _pct, _s. Times are of one monotonic clock. A percentage in
 *   a reason is in hundredths.
 * - An object is owned by who made it. What _init or _new made, _dispose or _free ends; _dispose
 *   may be called twice. Pointers handed out stay the property of the object they came from, and
 *   are good until the next call that changes it, unless said otherwise.
 * - Functions that can fail return 0, or -1 and, where they take an error buffer, a sentence in it.
 *   What they return through a pointer whose name ends in _out is set on success only.
 * - The library aborts on nothing that a caller can cause; but a snapshot that was not made by the
 *   functions of snapshot.h has to pass xlp_snapshot_check first.
 *
 * Before version 1.0 structures may grow from one release to the next; the name of the shared
 * library then changes.
 */
#ifndef XLPOLICY_H
#define XLPOLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "cpumap.h"
#include "engine.h"
#include "plan.h"
#include "policy.h"
#include "problems.h"
#include "reason.h"
#include "snapshot.h"

#ifdef __cplusplus
}
#endif

#endif
