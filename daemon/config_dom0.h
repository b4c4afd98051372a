/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether xl would move dom0's memory beside us. */
#ifndef CONFIG_DOM0_H
#define CONFIG_DOM0_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

#define XL_CONF_PATH "/etc/xen/xl.conf"

/* True where dom0 takes part (mem_dom0) and xl's autoballoon is not off; text is then a sentence on
 * it. What xl_conf does not say, or where it cannot be read, is as xl takes it: "auto", which is on
 * unless Xen was booted with dom0_mem. */
bool config_dom0_is_contested(const struct xlp_policy *policy, const char *xl_conf, char *text,
                              size_t size);

#endif
