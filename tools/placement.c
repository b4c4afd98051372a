/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which pCPU a vCPU belongs to. */
#include "placement.h"

#include <stdio.h>
#include <stdlib.h>

struct placement placement_of(const struct xlp_snapshot *s, const struct xlp_vcpu *v)
{
    const struct xlp_cpumap *hard = &s->maps[v->hard], *soft = &s->maps[v->soft];

    if (!v->online)
        return (struct placement){XLP_UNKNOWN, false};
    if (xlp_cpumap_count(hard) == 1)
        return (struct placement){xlp_cpumap_next(hard, 0), true};
    if (xlp_cpumap_count(soft) == 1)
        return (struct placement){xlp_cpumap_next(soft, 0), true};
    return (struct placement){v->pcpu, false};
}

static void print_vcpu(FILE *to, const struct xlp_snapshot *s, const struct xlp_vcpu *v, bool bound)
{
    const struct xlp_domain *d = &s->domains[v->domain];

    fprintf(to, "%s%s", bound ? "" : "(", d->name);
    if (d->vcpu_count > 1)
        fprintf(to, "/%u", v->id);
    fputs(bound ? "" : ")", to);
}

char *placement_list(const struct xlp_snapshot *s, uint32_t pcpu)
{
    const char *separator = "";
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    for (size_t i = 0; i < s->vcpu_count; i++) {
        struct placement place = placement_of(s, &s->vcpus[i]);

        if (place.pcpu != pcpu)
            continue;
        fputs(separator, to);
        print_vcpu(to, s, &s->vcpus[i], place.bound);
        separator = " ";
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
