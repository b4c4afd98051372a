/* SPDX-License-Identifier: LGPL-2.1-only */
#include "config_dom0.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_text.h"

#define XL_CONF_MAX (256 * 1024)

/* "on", "off" or "auto"; older files have 1 and 0. */
static const char *autoballoon(const char *xl_conf)
{
    char error[256];
    size_t length;
    char *text = config_text_read(xl_conf, XL_CONF_MAX, &length, error, sizeof(error));
    XLU_Config *parsed =
        text ? config_text_parse(text, length, xl_conf, error, sizeof(error)) : NULL;
    const char *value = NULL, *word = "auto";

    if (parsed && xlu_cfg_get_string(parsed, "autoballoon", &value, 1) == 0) {
        if (strcmp(value, "off") == 0 || strcmp(value, "0") == 0)
            word = "off";
        else if (strcmp(value, "on") == 0 || strcmp(value, "1") == 0)
            word = "on";
    }
    if (parsed)
        xlu_cfg_destroy(parsed);
    free(text);
    return word;
}

bool config_dom0_is_contested(const struct xlp_policy *policy, const char *xl_conf, char *text,
                              size_t size)
{
    const char *word = policy->mem_dom0 ? autoballoon(xl_conf) : "off";

    if (strcmp(word, "off") == 0)
        return false;
    snprintf(text, size,
             "mem_dom0: xl takes memory from dom0, too, when it creates a guest: autoballoon is "
             "\"%s\"%s; set it to \"off\" in %s",
             word, strcmp(word, "auto") == 0 ? " (on, unless Xen has dom0_mem)" : "", xl_conf);
    return true;
}
