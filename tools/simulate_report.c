/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a simulation looked like near its start and at its end. */
#include "simulate_report.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "placement.h"
#include "table.h"

static int take(struct report_moment *moment, const struct xlp_trial_tick *tick);

void report_init(struct report *report)
{
    memset(report, 0, sizeof(*report));
    xlp_snapshot_init(&report->before.snapshot);
    xlp_snapshot_init(&report->after.snapshot);
}

static void dispose_moment(struct report_moment *moment)
{
    xlp_snapshot_dispose(&moment->snapshot);
    free(moment->pcpus);
    free(moment->guests);
}

void report_dispose(struct report *report)
{
    dispose_moment(&report->before);
    dispose_moment(&report->after);
    report_init(report);
}

int report_tick(struct report *report, const struct xlp_trial_tick *tick)
{
    /* The first tick is kept too, should it be the only one. */
    if (report->ticks++ < 2 && take(&report->before, tick) < 0)
        return -1;
    return take(&report->after, tick);
}

/* ---- keeping a moment ---- */

/* Of a snapshot only what placement.h looks at: domains, vCPUs and their masks. */
static int copy_placement(struct xlp_snapshot *to, const struct xlp_snapshot *from)
{
    xlp_snapshot_reset(to);
    for (size_t i = 0; i < from->map_count; i++)
        if (xlp_snapshot_intern(to, &from->maps[i]) != i)
            return -1;
    for (size_t i = 0; i < from->domain_count; i++) {
        const struct xlp_domain *d = &from->domains[i];
        struct xlp_domain *copy = xlp_snapshot_add_domain(to);

        if (!copy)
            return -1;
        *copy = *d;
        copy->vcpu_count = 0; /* counted again below */
        for (uint32_t k = 0; k < d->vcpu_count; k++) {
            struct xlp_vcpu *vcpu = xlp_snapshot_add_vcpu(to);

            if (!vcpu)
                return -1;
            *vcpu = from->vcpus[d->first_vcpu + k];
        }
    }
    return 0;
}

static int take(struct report_moment *moment, const struct xlp_trial_tick *tick)
{
    moment->time_s = (double)tick->time_ns / 1e9;
    if (xlp_grow(&moment->pcpus, &moment->pcpu_room, tick->pcpu_count, sizeof(*moment->pcpus)) <
            0 ||
        xlp_grow(&moment->guests, &moment->guest_room, tick->guest_count, sizeof(*moment->guests)) <
            0)
        return -1;
    moment->pcpu_count = tick->pcpu_count;
    moment->guest_count = tick->guest_count;
    for (size_t i = 0; i < tick->pcpu_count; i++)
        moment->pcpus[i] = tick->pcpus[i];
    for (size_t i = 0; i < tick->guest_count; i++) {
        moment->guests[i].truth = tick->guests[i];
        xlp_name_copy(moment->guests[i].name, tick->guests[i].name);
    }
    return copy_placement(&moment->snapshot, tick->snapshot);
}

/* ---- text ---- */

/* Longer lists side by side could not be read: then it is only how many. */
#define LIST_MAX 48

static bool lists_fit(const struct report_moment *moment)
{
    bool fit = true;

    for (size_t i = 0; i < moment->pcpu_count && fit; i++) {
        char *vcpus = placement_list(&moment->snapshot, moment->pcpus[i].id);

        fit = vcpus && strlen(vcpus) <= LIST_MAX;
        free(vcpus);
    }
    return fit;
}

static size_t count_vcpus(const struct xlp_snapshot *s, uint32_t pcpu)
{
    size_t count = 0;

    for (size_t i = 0; i < s->vcpu_count; i++)
        count += placement_of(s, &s->vcpus[i]).pcpu == pcpu;
    return count;
}

static void add_pcpu_cells(struct table *t, const struct report_moment *moment, size_t i,
                           bool as_list)
{
    const struct xlp_trial_pcpu *pcpu = &moment->pcpus[i];
    char *vcpus = as_list ? placement_list(&moment->snapshot, pcpu->id) : NULL;

    if (pcpu->online)
        table_text(t, "%.1f", pcpu->used_pct);
    else
        table_text(t, "offline");
    if (vcpus)
        table_text(t, "%s", vcpus);
    else if (as_list)
        t->failed = true;
    else
        table_text(t, "%zu", count_vcpus(&moment->snapshot, pcpu->id));
    free(vcpus);
}

static int print_pcpus(const struct report *report)
{
    bool as_list = lists_fit(&report->before) && lists_fit(&report->after);
    enum table_align align = as_list ? TABLE_LEFT : TABLE_RIGHT;
    char before_title[32], after_title[32];
    const struct table_column columns[] = {
        {"pCPU", TABLE_RIGHT}, {before_title, TABLE_RIGHT},
        {"vCPUs", align},      {after_title, TABLE_RIGHT},
        {"vCPUs", align},
    };
    struct table t;
    int result;

    snprintf(before_title, sizeof(before_title), "%gs: Usage%%", report->before.time_s);
    snprintf(after_title, sizeof(after_title), "%gs: Usage%%", report->after.time_s);
    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < report->after.pcpu_count; i++) {
        table_u32(&t, report->after.pcpus[i].id);
        add_pcpu_cells(&t, &report->before, i, as_list);
        add_pcpu_cells(&t, &report->after, i, as_list);
    }
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result;
}

static void add_guest_cells(struct table *t, const struct xlp_trial_guest *guest)
{
    if (!guest->alive) {
        for (int i = 0; i < 4; i++)
            table_text(t, "-");
        return;
    }
    table_text(t, "%.0f/%.0f", guest->used_pct, guest->wanted_pct);
    table_mib(t, true, guest->actual_kib);
    table_mib(t, true, guest->wanted_kib);
    table_mib(t, true, guest->short_kib);
}

static int print_guests(const struct report *report)
{
    char before_title[32], after_title[32];
    const struct table_column columns[] = {
        {"Guest", TABLE_LEFT}, {before_title, TABLE_RIGHT}, {"Mem", TABLE_RIGHT},
        {"Uses", TABLE_RIGHT}, {"Short", TABLE_RIGHT},      {after_title, TABLE_RIGHT},
        {"Mem", TABLE_RIGHT},  {"Uses", TABLE_RIGHT},       {"Short", TABLE_RIGHT},
    };
    struct table t;
    int result;

    snprintf(before_title, sizeof(before_title), "%gs: CPU%%/wants", report->before.time_s);
    snprintf(after_title, sizeof(after_title), "%gs: CPU%%/wants", report->after.time_s);
    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < report->after.guest_count; i++) {
        table_text(&t, "%s", report->after.guests[i].name);
        add_guest_cells(&t, &report->before.guests[i].truth);
        add_guest_cells(&t, &report->after.guests[i].truth);
    }
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result;
}

int report_print(const struct report *report)
{
    if (print_pcpus(report) < 0)
        return -1;
    printf("\n");
    if (print_guests(report) < 0)
        return -1;
    printf("\n");
    return 0;
}

/* ---- JSON ---- */

static int write_pcpu(const struct report_moment *moment, size_t i, struct xlp_json_writer *w)
{
    const struct xlp_trial_pcpu *pcpu = &moment->pcpus[i];
    char *vcpus = placement_list(&moment->snapshot, pcpu->id);

    if (!vcpus)
        return -1;
    xlp_json_open_object(w);
    xlp_json_put_int(w, "pcpu", pcpu->id);
    xlp_json_put_bool(w, "online", pcpu->online);
    xlp_json_put_double(w, "used_pct", pcpu->used_pct);
    xlp_json_put_string(w, "vcpus", vcpus);
    xlp_json_close_object(w);
    free(vcpus);
    return 0;
}

static void write_guest(const struct report_guest *guest, struct xlp_json_writer *w)
{
    const struct xlp_trial_guest *truth = &guest->truth;

    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", guest->name);
    xlp_json_put_bool(w, "alive", truth->alive);
    xlp_json_put_double(w, "used_pct", truth->used_pct);
    xlp_json_put_double(w, "work_pct", truth->work_pct);
    xlp_json_put_double(w, "wanted_pct", truth->wanted_pct);
    xlp_json_put_int(w, "actual_kib", truth->actual_kib);
    xlp_json_put_int(w, "target_kib", truth->target_kib);
    xlp_json_put_int(w, "wanted_kib", truth->wanted_kib);
    xlp_json_put_int(w, "short_kib", truth->short_kib);
    xlp_json_close_object(w);
}

static int write_moment(const char *key, const struct report_moment *moment,
                        struct xlp_json_writer *w)
{
    xlp_json_write_key(w, key);
    xlp_json_open_object(w);
    xlp_json_put_double(w, "time_s", moment->time_s);
    xlp_json_write_key(w, "pcpus");
    xlp_json_open_array(w);
    for (size_t i = 0; i < moment->pcpu_count; i++)
        if (write_pcpu(moment, i, w) < 0)
            return -1;
    xlp_json_close_array(w);
    xlp_json_write_key(w, "guests");
    xlp_json_open_array(w);
    for (size_t i = 0; i < moment->guest_count; i++)
        write_guest(&moment->guests[i], w);
    xlp_json_close_array(w);
    xlp_json_close_object(w);
    return 0;
}

int report_write(const struct report *report, struct xlp_json_writer *w)
{
    if (write_moment("before", &report->before, w) < 0)
        return -1;
    return write_moment("after", &report->after, w);
}
