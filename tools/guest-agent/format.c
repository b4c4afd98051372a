/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report's text: see format.h. The first token is the format's version; a new key does not
 * change it, because a reader ignores keys that it does not know.
 */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>

size_t format_report(uint64_t seq, const struct memory_sample *memory,
                     const struct stress_sample *stress, char text_out[REPORT_ROOM])
{
    const struct {
        const char *key;
        uint64_t value;
    } fields[] = {
        {"seq", seq},
        {"total", memory->total_kib},
        {"avail", memory->avail_kib},
        {"free", memory->free_kib},
        {"swap_total", memory->swap_total_kib},
        {"swap_used", memory->swap_used_kib},
        {"pswpin", stress->pswpin},
        {"pswpout", stress->pswpout},
        {"refault_anon", stress->refault_anon},
        {"refault_file", stress->refault_file},
        {"psi_some_avg10", stress->psi_some_avg10_centipct},
        {"psi_full_avg10", stress->psi_full_avg10_centipct},
        {"psi_some_us", stress->psi_some_us},
        {"psi_full_us", stress->psi_full_us},
        {"oom_kill", stress->oom_kill},
    };
    size_t len = (size_t)snprintf(text_out, REPORT_ROOM, "1");

    /* Never cut: 15 keys of at most 14 characters with "=", a blank and 20 digits fit the room. */
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        len += (size_t)snprintf(text_out + len, REPORT_ROOM - len, " %s=%" PRIu64, fields[i].key,
                                fields[i].value);
    return len;
}
