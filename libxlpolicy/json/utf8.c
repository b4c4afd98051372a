/* SPDX-License-Identifier: LGPL-2.1-only */
/* UTF-8 checking, stricter than libyajl's, which lets overlong forms and surrogates pass. */
#include "json/utf8.h"

size_t xlp_utf8_char(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;

    if (length == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;

    /* The bounds of the second byte shut out what the first byte alone does not: overlong forms
     * (after E0, F0), surrogates (after ED), code points above U+10FFFF (after F4). */
    size_t size;
    unsigned char low = 0x80, high = 0xbf;
    if (byte[0] >= 0xc2 && byte[0] <= 0xdf) {
        size = 2;
    } else if (byte[0] >= 0xe0 && byte[0] <= 0xef) {
        size = 3;
        low = byte[0] == 0xe0 ? 0xa0 : low;
        high = byte[0] == 0xed ? 0x9f : high;
    } else if (byte[0] >= 0xf0 && byte[0] <= 0xf4) {
        size = 4;
        low = byte[0] == 0xf0 ? 0x90 : low;
        high = byte[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }

    if (length < size || byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

size_t xlp_utf8_valid_prefix(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t size = xlp_utf8_char(text + at, length - at);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}

void xlp_utf8_make_printable(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}
