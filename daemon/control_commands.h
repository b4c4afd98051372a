/* SPDX-License-Identifier: LGPL-2.1-only */
/* What can be asked of the daemon over its control socket: see docs/control-protocol.md. */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control.h"

/* A control_answer; context is the struct daemon. */
control_answer control_commands_answer;

#endif
