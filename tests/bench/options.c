/* SPDX-License-Identifier: LGPL-2.1-only */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool option_number(const char *text, double least, double most, double *number_out)
{
    char *end;
    double number = strtod(text, &end);

    if (!*text || *end || !(number >= least && number <= most))
        return false;
    *number_out = number;
    return true;
}

bool option_setting(struct xlp_policy *settings, char *text)
{
    char *value = strchr(text, '='), error[256];

    if (!value)
        return false;
    *value++ = '\0';
    if (xlp_policy_set(settings, text, value, error, sizeof(error)) == 0)
        return true;
    fprintf(stderr, "bench: %s\n", error);
    return false;
}
