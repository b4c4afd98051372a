/* SPDX-License-Identifier: LGPL-2.1-only */
/* Times as people write and read them. */
#ifndef WHEN_H
#define WHEN_H

#define WHEN_TEXT_SIZE 32

/* "90s", "5m", "2h", "1d" as seconds, more than 0; "90" might be any of them. 0, or -1. */
int when_parse(const char *text, double *seconds_out);

/* Seconds since 1970 as local time, "2031-05-06 07:08:09". Returns text. */
char *when_format(double wall_s, char text[WHEN_TEXT_SIZE]);

/* How long: "12 s", "3 min 5 s", "2 h 10 min", "4 d 1 h". Returns text. */
char *when_format_span(double seconds, char text[WHEN_TEXT_SIZE]);

/* How long something takes: "27.3 µs", "4 ms", "1.25 s". Returns text. */
char *when_format_short(double seconds, char text[WHEN_TEXT_SIZE]);

#endif
