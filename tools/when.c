/* SPDX-License-Identifier: LGPL-2.1-only */
/* Times as people write and read them. */
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX 1e9

int when_parse(const char *text, double *seconds_out)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t digits = strspn(text, "0123456789");
    double number = strtod(text, NULL);

    if (digits == 0 || digits > 9)
        return -1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double seconds = number * units[i].seconds;

        if (text[digits] == units[i].letter && !text[digits + 1] && seconds > 0 &&
            seconds <= SECONDS_MAX) {
            *seconds_out = seconds;
            return 0;
        }
    }
    return -1;
}

char *when_format(double wall_s, char text[WHEN_TEXT_SIZE])
{
    time_t time = (time_t)wall_s;
    struct tm local;

    if (!localtime_r(&time, &local) || !strftime(text, WHEN_TEXT_SIZE, "%F %T", &local))
        snprintf(text, WHEN_TEXT_SIZE, "%.0f", wall_s);
    return text;
}

char *when_format_span(double seconds, char text[WHEN_TEXT_SIZE])
{
    long s = seconds > 0 && seconds <= SECONDS_MAX ? (long)seconds : 0;

    if (s < 60)
        snprintf(text, WHEN_TEXT_SIZE, "%ld s", s);
    else if (s < 3600)
        snprintf(text, WHEN_TEXT_SIZE, "%ld min %ld s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, WHEN_TEXT_SIZE, "%ld h %ld min", s / 3600, s % 3600 / 60);
    else
        snprintf(text, WHEN_TEXT_SIZE, "%ld d %ld h", s / 86400, s % 86400 / 3600);
    return text;
}

char *when_format_short(double seconds, char text[WHEN_TEXT_SIZE])
{
    if (seconds < 1e-3)
        snprintf(text, WHEN_TEXT_SIZE, "%.3g µs", seconds * 1e6);
    else if (seconds < 1)
        snprintf(text, WHEN_TEXT_SIZE, "%.3g ms", seconds * 1e3);
    else
        snprintf(text, WHEN_TEXT_SIZE, "%.3g s", seconds);
    return text;
}
