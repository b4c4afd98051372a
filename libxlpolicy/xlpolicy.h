/* SPDX-License-Identifier: LGPL-2.1-only */
/* libxlpolicy: what one needs to decide for a Xen host: snapshot in, plan out. */
#ifndef XLPOLICY_H
#define XLPOLICY_H

#include "cpumap.h"
#include "engine.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"
#include "snapshot.h"

#endif
