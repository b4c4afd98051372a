/* SPDX-License-Identifier: LGPL-2.1-only */
/* A snapshot as JSON. vCPUs stand under their domain, sets of pCPUs where they are used. */
#include <string.h>

#include "json/fields.h"
#include "json/reservation.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct xlp_field snapshot_fields[] = {
    XLP_OTHER("xlpolicy_snapshot"),
    XLP_NEED(xlp_snapshot, time_ns, XLP_FIELD_U64),
    XLP_MAY(xlp_snapshot, other_controller, XLP_FIELD_NAME),
    XLP_OTHER("memory"),
    XLP_OTHER("pcpus"),
    XLP_OTHER("pools"),
    XLP_OTHER("domains"),
    XLP_OTHER("reservations"),
    XLP_MAY(xlp_snapshot, next_reservation, XLP_FIELD_U32),
    XLP_END,
};

static const struct xlp_field host_memory_fields[] = {
    XLP_NEED(xlp_host_memory, total_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_host_memory, free_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_host_memory, scrub_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_host_memory, claims_kib, XLP_FIELD_KIB),
    XLP_END,
};

static const struct xlp_field pcpu_fields[] = {
    XLP_NEED(xlp_pcpu, id, XLP_FIELD_U32),
    XLP_MAY_ELSE(xlp_pcpu, online, XLP_FIELD_BOOL, true),
    XLP_MAY_ELSE(xlp_pcpu, core, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY_ELSE(xlp_pcpu, socket, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY_ELSE(xlp_pcpu, node, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY(xlp_pcpu, idle_ns, XLP_FIELD_U64),
    XLP_END,
};

static const struct xlp_field pool_fields[] = {
    XLP_NEED(xlp_pool, id, XLP_FIELD_U32),
    XLP_NEED(xlp_pool, name, XLP_FIELD_NAME),
    XLP_OTHER("sched"),
    XLP_OTHER("sched_gran"),
    XLP_OTHER("pcpus"),
    XLP_END,
};

static const struct xlp_field domain_fields[] = {
    XLP_NEED(xlp_domain, domid, XLP_FIELD_U32),
    XLP_NEED(xlp_domain, uuid, XLP_FIELD_UUID),
    XLP_NEED(xlp_domain, name, XLP_FIELD_NAME),
    XLP_OTHER("type"),
    XLP_OTHER("flags"),
    XLP_MAY(xlp_domain, released, XLP_FIELD_BOOL),
    XLP_MAY(xlp_domain, pool_id, XLP_FIELD_U32),
    XLP_MAY(xlp_domain, weight, XLP_FIELD_U32),
    XLP_MAY(xlp_domain, cap_pct, XLP_FIELD_U32),
    XLP_MAY(xlp_domain, passthrough_devices, XLP_FIELD_U32),
    XLP_MAY_ELSE(xlp_domain, device_node, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY_ELSE(xlp_domain, memory_node, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY(xlp_domain, age_ns, XLP_FIELD_U64),
    XLP_OTHER("ledger"),
    XLP_OTHER("memory"),
    XLP_OTHER("vcpus"),
    XLP_END,
};

static const struct xlp_field weight_ledger_fields[] = {
    XLP_NEED(xlp_weight_ledger, original_weight, XLP_FIELD_U32),
    XLP_NEED(xlp_weight_ledger, our_weight, XLP_FIELD_U32),
    XLP_END,
};

static const struct xlp_field memory_fields[] = {
    XLP_MAY(xlp_domain_memory, actual_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, target_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, max_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, static_max_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, video_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, dynamic_min_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, dynamic_max_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_domain_memory, balloon, XLP_FIELD_BOOL),
    XLP_MAY(xlp_domain_memory, report_age_ns, XLP_FIELD_U64),
    XLP_MAY(xlp_domain_memory, report_bad, XLP_FIELD_BOOL),
    XLP_MAY(xlp_domain_memory, refusals, XLP_FIELD_U32),
    XLP_MAY(xlp_domain_memory, by_hand_ns, XLP_FIELD_U64),
    XLP_OTHER("report"),
    XLP_OTHER("ledger"),
    XLP_END,
};

static const struct xlp_field report_fields[] = {
    XLP_OTHER("source"),
    XLP_MAY(xlp_mem_report, seq, XLP_FIELD_U64),
    XLP_NEED(xlp_mem_report, total_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_mem_report, avail_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_mem_report, free_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_mem_report, swap_total_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_mem_report, swap_used_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_mem_report, pswpin, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, pswpout, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, refault_anon, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, refault_file, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, psi_some_avg10_centipct, XLP_FIELD_U32),
    XLP_MAY(xlp_mem_report, psi_full_avg10_centipct, XLP_FIELD_U32),
    XLP_MAY(xlp_mem_report, psi_some_us, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, psi_full_us, XLP_FIELD_U64),
    XLP_MAY(xlp_mem_report, oom_kill, XLP_FIELD_U64),
    XLP_END,
};

static const struct xlp_field memory_ledger_fields[] = {
    XLP_NEED(xlp_memory_ledger, original_target_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_memory_ledger, original_max_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_memory_ledger, our_target_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_memory_ledger, releasing, XLP_FIELD_BOOL),
    XLP_END,
};

static const struct xlp_field vcpu_fields[] = {
    XLP_NEED(xlp_vcpu, id, XLP_FIELD_U32),
    XLP_MAY_ELSE(xlp_vcpu, online, XLP_FIELD_BOOL, true),
    XLP_MAY(xlp_vcpu, blocked, XLP_FIELD_BOOL),
    XLP_MAY(xlp_vcpu, running, XLP_FIELD_BOOL),
    XLP_MAY_ELSE(xlp_vcpu, pcpu, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY(xlp_vcpu, cpu_time_ns, XLP_FIELD_U64),
    XLP_MAY(xlp_vcpu, samples, XLP_FIELD_U32),
    XLP_MAY(xlp_vcpu, samples_waiting, XLP_FIELD_U32),
    XLP_MAY(xlp_vcpu, samples_blocked, XLP_FIELD_U32),
    XLP_OTHER("hard"),
    XLP_OTHER("soft"),
    XLP_OTHER("ledger"),
    XLP_END,
};

static const struct xlp_field vcpu_ledger_fields[] = {
    XLP_OTHER("original_hard"),
    XLP_OTHER("original_soft"),
    XLP_OTHER("our_hard"),
    XLP_OTHER("our_soft"),
    XLP_END,
};

static const char *const source_names[] = {"none", "agent", "qubes", "xenserver"};

/* The i-th stands for the bit 1 << i of enum xlp_domain_flags. */
static const char *const flag_names[] = {"paused", "building", "migrating", "shutdown", "dying"};

static void write_domain(struct xlp_json_writer *w, const struct xlp_snapshot *s,
                         const struct xlp_domain *d);
static void read_pcpus(struct xlp_json_reader *r, const struct xlp_json *array,
                       struct xlp_snapshot *s);
static void read_pools(struct xlp_json_reader *r, const struct xlp_json *array,
                       struct xlp_snapshot *s);
static void read_domains(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_snapshot *s);
static void read_reservations(struct xlp_json_reader *r, const struct xlp_json *array,
                              struct xlp_snapshot *s);

/* ---- writing ---- */

static void open_object_at(struct xlp_json_writer *w, const char *key)
{
    xlp_json_write_key(w, key);
    xlp_json_open_object(w);
}

static void open_array_at(struct xlp_json_writer *w, const char *key)
{
    xlp_json_write_key(w, key);
    xlp_json_open_array(w);
}

static void write_pools(struct xlp_json_writer *w, const struct xlp_snapshot *s)
{
    open_array_at(w, "pools");
    for (size_t i = 0; i < s->pool_count; i++) {
        xlp_json_open_object(w);
        xlp_fields_write(w, pool_fields, &s->pools[i]);
        xlp_json_put_string(w, "sched", xlp_sched_name(s->pools[i].sched));
        if (s->pools[i].sched_gran != XLP_GRAN_CPU)
            xlp_json_put_string(w, "sched_gran", xlp_sched_gran_name(s->pools[i].sched_gran));
        xlp_json_put_map(w, "pcpus", &s->maps[s->pools[i].map]);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

void xlp_snapshot_write(struct xlp_json_writer *w, const struct xlp_snapshot *s)
{
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy_snapshot", XLP_FORMAT_VERSION);
    xlp_fields_write(w, snapshot_fields, s);

    open_object_at(w, "memory");
    xlp_fields_write(w, host_memory_fields, &s->memory);
    xlp_json_close_object(w);

    open_array_at(w, "pcpus");
    for (size_t i = 0; i < s->pcpu_count; i++) {
        xlp_json_open_object(w);
        xlp_fields_write(w, pcpu_fields, &s->pcpus[i]);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);

    write_pools(w, s);

    open_array_at(w, "domains");
    for (size_t i = 0; i < s->domain_count; i++)
        write_domain(w, s, &s->domains[i]);
    xlp_json_close_array(w);

    if (s->reservation_count > 0) {
        open_array_at(w, "reservations");
        for (size_t i = 0; i < s->reservation_count; i++)
            xlp_reservation_write(w, &s->reservations[i]);
        xlp_json_close_array(w);
    }
    xlp_json_close_object(w);
}

static void write_vcpu(struct xlp_json_writer *w, const struct xlp_snapshot *s,
                       const struct xlp_vcpu *v)
{
    const struct xlp_vcpu_ledger *l = &v->ledger;

    xlp_json_open_object(w);
    xlp_fields_write(w, vcpu_fields, v);
    if (v->hard != 0)
        xlp_json_put_map(w, "hard", &s->maps[v->hard]);
    if (v->soft != 0)
        xlp_json_put_map(w, "soft", &s->maps[v->soft]);
    if (l->recorded) {
        open_object_at(w, "ledger");
        xlp_json_put_map(w, "original_hard", &s->maps[l->original_hard]);
        xlp_json_put_map(w, "original_soft", &s->maps[l->original_soft]);
        xlp_json_put_map(w, "our_hard", &s->maps[l->our_hard]);
        xlp_json_put_map(w, "our_soft", &s->maps[l->our_soft]);
        xlp_json_close_object(w);
    }
    xlp_json_close_object(w);
}

static void write_memory(struct xlp_json_writer *w, const struct xlp_domain_memory *m)
{
    open_object_at(w, "memory");
    xlp_fields_write(w, memory_fields, m);
    if (m->report.source != XLP_REPORT_NONE) {
        open_object_at(w, "report");
        xlp_json_put_string(w, "source", source_names[m->report.source]);
        xlp_fields_write(w, report_fields, &m->report);
        xlp_json_close_object(w);
    }
    if (m->ledger.recorded) {
        open_object_at(w, "ledger");
        xlp_fields_write(w, memory_ledger_fields, &m->ledger);
        xlp_json_close_object(w);
    }
    xlp_json_close_object(w);
}

static void write_domain(struct xlp_json_writer *w, const struct xlp_snapshot *s,
                         const struct xlp_domain *d)
{
    xlp_json_open_object(w);
    xlp_fields_write(w, domain_fields, d);
    xlp_json_put_string(w, "type", xlp_guest_type_name(d->type));
    if (d->flags != 0) {
        open_array_at(w, "flags");
        for (unsigned int i = 0; i < COUNT(flag_names); i++)
            if (d->flags & 1u << i)
                xlp_json_write_string(w, flag_names[i]);
        xlp_json_close_array(w);
    }
    if (d->ledger.recorded) {
        open_object_at(w, "ledger");
        xlp_fields_write(w, weight_ledger_fields, &d->ledger);
        xlp_json_close_object(w);
    }
    write_memory(w, &d->memory);
    open_array_at(w, "vcpus");
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        write_vcpu(w, s, &s->vcpus[d->first_vcpu + i]);
    xlp_json_close_array(w);
    xlp_json_close_object(w);
}

/* ---- reading ---- */

static size_t count_of(const struct xlp_json *array)
{
    return array ? xlp_json_count(array) : 0;
}

int xlp_snapshot_read(const struct xlp_json *v, struct xlp_snapshot *s, char *error,
                      size_t error_size)
{
    struct xlp_json_reader r;
    char what[256];

    xlp_snapshot_reset(s);
    xlp_json_reader_init(&r, error, error_size);
    xlp_json_read_version(&r, v, "xlpolicy_snapshot");
    xlp_fields_read(&r, v, snapshot_fields, s);
    xlp_fields_read(&r, xlp_json_read_object(&r, v, "memory", XLP_JSON_REQUIRED),
                    host_memory_fields, &s->memory);
    read_pcpus(&r, xlp_json_read_array(&r, v, "pcpus", XLP_JSON_REQUIRED), s);
    read_pools(&r, xlp_json_read_array(&r, v, "pools", XLP_JSON_REQUIRED), s);
    read_domains(&r, xlp_json_read_array(&r, v, "domains", XLP_JSON_REQUIRED), s);
    read_reservations(&r, xlp_json_read_array(&r, v, "reservations", XLP_JSON_OPTIONAL), s);
    if (!r.failed && xlp_snapshot_check(s, what, sizeof(what)) < 0)
        xlp_json_fail(&r, v, "%s", what);
    if (r.failed)
        xlp_snapshot_reset(s);
    return xlp_json_done(&r);
}

static void out_of_memory(struct xlp_json_reader *r)
{
    xlp_json_fail(r, NULL, "memory is out");
}

/* Puts the set under key into the snapshot; absent: "all". */
static void read_interned(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, struct xlp_snapshot *s, uint32_t *map_out)
{
    struct xlp_cpumap map = xlp_cpumap_all();

    xlp_json_read_map(r, object, key, need, &map);
    *map_out = xlp_snapshot_intern(s, &map);
    if (*map_out == XLP_UNKNOWN)
        out_of_memory(r);
}

static void read_pcpus(struct xlp_json_reader *r, const struct xlp_json *array,
                       struct xlp_snapshot *s)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        struct xlp_pcpu *p = xlp_snapshot_add_pcpu(s);

        if (p)
            xlp_fields_read(r, xlp_json_at(array, i), pcpu_fields, p);
        else
            out_of_memory(r);
    }
}

static void read_sched(struct xlp_json_reader *r, const struct xlp_json *object,
                       enum xlp_sched *sched_out)
{
    const char *names[XLP_SCHED_NULL + 1];
    unsigned int sched = XLP_SCHED_UNKNOWN;

    for (unsigned int i = 0; i < COUNT(names); i++)
        names[i] = xlp_sched_name((enum xlp_sched)i);
    xlp_json_read_choice(r, object, "sched", XLP_JSON_REQUIRED, names, COUNT(names), &sched);
    *sched_out = (enum xlp_sched)sched;
}

static void read_gran(struct xlp_json_reader *r, const struct xlp_json *object,
                      enum xlp_sched_gran *gran_out)
{
    const char *names[XLP_GRAN_SOCKET + 1];
    unsigned int gran = XLP_GRAN_CPU;

    for (unsigned int i = 0; i < COUNT(names); i++)
        names[i] = xlp_sched_gran_name((enum xlp_sched_gran)i);
    xlp_json_read_choice(r, object, "sched_gran", XLP_JSON_OPTIONAL, names, COUNT(names), &gran);
    *gran_out = (enum xlp_sched_gran)gran;
}

static void read_pools(struct xlp_json_reader *r, const struct xlp_json *array,
                       struct xlp_snapshot *s)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        const struct xlp_json *object = xlp_json_at(array, i);
        struct xlp_pool *p = xlp_snapshot_add_pool(s);

        if (!p) {
            out_of_memory(r);
            return;
        }
        xlp_fields_read(r, object, pool_fields, p);
        read_sched(r, object, &p->sched);
        read_gran(r, object, &p->sched_gran);
        read_interned(r, object, "pcpus", XLP_JSON_REQUIRED, s, &p->map);
    }
}

static void read_vcpu_ledger(struct xlp_json_reader *r, const struct xlp_json *object,
                             struct xlp_snapshot *s, struct xlp_vcpu_ledger *l)
{
    if (!object)
        return;
    l->recorded = true;
    xlp_fields_read(r, object, vcpu_ledger_fields, l);
    read_interned(r, object, "original_hard", XLP_JSON_REQUIRED, s, &l->original_hard);
    read_interned(r, object, "original_soft", XLP_JSON_REQUIRED, s, &l->original_soft);
    read_interned(r, object, "our_hard", XLP_JSON_REQUIRED, s, &l->our_hard);
    read_interned(r, object, "our_soft", XLP_JSON_REQUIRED, s, &l->our_soft);
}

static void read_vcpus(struct xlp_json_reader *r, const struct xlp_json *array,
                       struct xlp_snapshot *s)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        const struct xlp_json *object = xlp_json_at(array, i);
        struct xlp_vcpu *v = xlp_snapshot_add_vcpu(s);

        if (!v) {
            out_of_memory(r);
            return;
        }
        xlp_fields_read(r, object, vcpu_fields, v);
        read_interned(r, object, "hard", XLP_JSON_OPTIONAL, s, &v->hard);
        read_interned(r, object, "soft", XLP_JSON_OPTIONAL, s, &v->soft);
        read_vcpu_ledger(r, xlp_json_read_object(r, object, "ledger", XLP_JSON_OPTIONAL), s,
                         &v->ledger);
    }
}

/* What memory/report.h promises of a parsed report must hold of one from a file too. */
static void read_report(struct xlp_json_reader *r, const struct xlp_json *object,
                        struct xlp_mem_report *report)
{
    unsigned int source = XLP_REPORT_NONE;

    if (!object)
        return;
    xlp_json_read_choice(r, object, "source", XLP_JSON_REQUIRED, source_names, COUNT(source_names),
                         &source);
    report->source = (enum xlp_report_source)source;
    xlp_fields_read(r, object, report_fields, report);
    if (!r->failed &&
        (report->source == XLP_REPORT_NONE || report->total_kib == 0 ||
         report->avail_kib > report->total_kib || report->free_kib > report->total_kib ||
         report->swap_used_kib > report->swap_total_kib ||
         report->psi_some_avg10_centipct > XLP_REPORT_MAX_PSI_CENTIPCT ||
         report->psi_full_avg10_centipct > XLP_REPORT_MAX_PSI_CENTIPCT))
        xlp_json_fail(r, object, "a memory report that contradicts itself");
}

static void read_weight_ledger(struct xlp_json_reader *r, const struct xlp_json *object,
                               struct xlp_weight_ledger *ledger)
{
    if (!object)
        return;
    ledger->recorded = true;
    xlp_fields_read(r, object, weight_ledger_fields, ledger);
}

static void read_memory(struct xlp_json_reader *r, const struct xlp_json *object,
                        struct xlp_domain_memory *m)
{
    const struct xlp_json *ledger;

    xlp_fields_read(r, object, memory_fields, m);
    read_report(r, xlp_json_read_object(r, object, "report", XLP_JSON_OPTIONAL), &m->report);
    ledger = xlp_json_read_object(r, object, "ledger", XLP_JSON_OPTIONAL);
    if (ledger) {
        m->ledger.recorded = true;
        xlp_fields_read(r, ledger, memory_ledger_fields, &m->ledger);
    }
}

static void read_type(struct xlp_json_reader *r, const struct xlp_json *object,
                      enum xlp_guest_type *type_out)
{
    const char *names[XLP_GUEST_HVM + 1];
    unsigned int type = XLP_GUEST_UNKNOWN;

    for (unsigned int i = 0; i < COUNT(names); i++)
        names[i] = xlp_guest_type_name((enum xlp_guest_type)i);
    xlp_json_read_choice(r, object, "type", XLP_JSON_REQUIRED, names, COUNT(names), &type);
    *type_out = (enum xlp_guest_type)type;
}

static void read_flags(struct xlp_json_reader *r, const struct xlp_json *array,
                       unsigned int *flags_out)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        const char *name = xlp_json_string(xlp_json_at(array, i));
        unsigned int flag = 0;

        while (flag < COUNT(flag_names) && (!name || strcmp(flag_names[flag], name) != 0))
            flag++;
        if (flag == COUNT(flag_names))
            xlp_json_fail(r, xlp_json_at(array, i), "this is no known flag of a domain");
        else
            *flags_out |= 1u << flag;
    }
}

static void read_domains(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_snapshot *s)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        const struct xlp_json *object = xlp_json_at(array, i);
        struct xlp_domain *d = xlp_snapshot_add_domain(s);

        if (!d) {
            out_of_memory(r);
            return;
        }
        xlp_fields_read(r, object, domain_fields, d);
        read_type(r, object, &d->type);
        read_flags(r, xlp_json_read_array(r, object, "flags", XLP_JSON_OPTIONAL), &d->flags);
        read_weight_ledger(r, xlp_json_read_object(r, object, "ledger", XLP_JSON_OPTIONAL),
                           &d->ledger);
        read_memory(r, xlp_json_read_object(r, object, "memory", XLP_JSON_REQUIRED), &d->memory);
        read_vcpus(r, xlp_json_read_array(r, object, "vcpus", XLP_JSON_REQUIRED), s);
    }
}

static void read_reservations(struct xlp_json_reader *r, const struct xlp_json *array,
                              struct xlp_snapshot *s)
{
    for (size_t i = 0; i < count_of(array) && !r->failed; i++) {
        struct xlp_reservation *reservation = xlp_snapshot_add_reservation(s);

        if (reservation)
            xlp_json_read_reservation(r, xlp_json_at(array, i), reservation);
        else
            out_of_memory(r);
    }
}
