/* SPDX-License-Identifier: LGPL-2.1-only */
/* A plan as JSON. An action has the members that its kind uses, and no others. */
#include "grow.h"
#include "json/fields.h"
#include "json/reason.h"
#include "json/reservation.h"

static const struct xlp_field plan_fields[] = {
    XLP_OTHER("xlpolicy_plan"),
    XLP_NEED(xlp_plan, time_ns, XLP_FIELD_U64),
    XLP_OTHER("actions"),
    XLP_OTHER("memory"),
    XLP_OTHER("verdicts"),
    XLP_OTHER("reservations"),
    XLP_END,
};

#define ACTION_FIELDS                                                                              \
    XLP_OTHER("kind"), XLP_NEED(xlp_action, domid, XLP_FIELD_U32),                                 \
        XLP_NEED(xlp_action, uuid, XLP_FIELD_UUID), XLP_NEED(xlp_action, name, XLP_FIELD_NAME),    \
        XLP_OTHER("reason")

static const struct xlp_field domain_action_fields[] = {ACTION_FIELDS, XLP_END};

static const struct xlp_field vcpu_action_fields[] = {
    ACTION_FIELDS,
    XLP_NEED(xlp_action, vcpu, XLP_FIELD_U32),
    XLP_MAY_ELSE(xlp_action, from_pcpu, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_MAY_ELSE(xlp_action, to_pcpu, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_OTHER("hard"),
    XLP_OTHER("soft"),
    XLP_END,
};

static const struct xlp_field weight_action_fields[] = {
    ACTION_FIELDS,
    XLP_NEED(xlp_action, from_weight, XLP_FIELD_U32),
    XLP_NEED(xlp_action, to_weight, XLP_FIELD_U32),
    XLP_END,
};

static const struct xlp_field memory_action_fields[] = {
    ACTION_FIELDS,
    XLP_NEED(xlp_action, from_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_action, to_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_action, limit_kib, XLP_FIELD_KIB),
    XLP_END,
};

static const struct xlp_field reservation_action_fields[] = {
    XLP_OTHER("kind"),
    XLP_NEED(xlp_action, name, XLP_FIELD_NAME),
    XLP_OTHER("reservation"),
    XLP_OTHER("reason"),
    XLP_END,
};

static const struct xlp_field reservation_verdict_fields[] = {
    XLP_NEED(xlp_reservation_verdict, id, XLP_FIELD_U32),
    XLP_OTHER("reason"),
    XLP_END,
};

static const struct xlp_field verdict_fields[] = {
    XLP_NEED(xlp_verdict, domid, XLP_FIELD_U32),
    XLP_NEED(xlp_verdict, name, XLP_FIELD_NAME),
    XLP_OTHER("cpu"),
    XLP_OTHER("weight"),
    XLP_OTHER("memory"),
    XLP_END,
};

static const struct xlp_field *fields_of(enum xlp_action_kind kind);
static void write_reason_at(struct xlp_json_writer *w, const char *key,
                            const struct xlp_reason *reason);
static void read_actions(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_plan *p);
static void read_verdicts(struct xlp_json_reader *r, const struct xlp_json *array,
                          struct xlp_plan *p);
static void read_reservations(struct xlp_json_reader *r, const struct xlp_json *array,
                              struct xlp_plan *p);

/* ---- writing ---- */

static void write_reservations(struct xlp_json_writer *w, const struct xlp_plan *p)
{
    xlp_json_write_key(w, "reservations");
    xlp_json_open_array(w);
    for (size_t i = 0; i < p->reservation_count; i++) {
        xlp_json_open_object(w);
        xlp_fields_write(w, reservation_verdict_fields, &p->reservations[i]);
        write_reason_at(w, "reason", &p->reservations[i].reason);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

void xlp_plan_write(struct xlp_json_writer *w, const struct xlp_plan *p)
{
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy_plan", XLP_FORMAT_VERSION);
    xlp_fields_write(w, plan_fields, p);
    write_reason_at(w, "memory", &p->memory);

    xlp_json_write_key(w, "actions");
    xlp_json_open_array(w);
    for (size_t i = 0; i < p->action_count; i++)
        xlp_action_write(w, &p->actions[i]);
    xlp_json_close_array(w);

    xlp_json_write_key(w, "verdicts");
    xlp_json_open_array(w);
    for (size_t i = 0; i < p->verdict_count; i++) {
        xlp_json_open_object(w);
        xlp_fields_write(w, verdict_fields, &p->verdicts[i]);
        write_reason_at(w, "cpu", &p->verdicts[i].cpu);
        write_reason_at(w, "weight", &p->verdicts[i].weight);
        write_reason_at(w, "memory", &p->verdicts[i].memory);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    if (p->reservation_count > 0)
        write_reservations(w, p);
    xlp_json_close_object(w);
}

void xlp_action_write(struct xlp_json_writer *w, const struct xlp_action *a)
{
    const struct xlp_field *fields = fields_of(a->kind);

    xlp_json_open_object(w);
    xlp_json_put_string(w, "kind", xlp_action_name(a->kind));
    xlp_fields_write(w, fields, a);
    if (fields == vcpu_action_fields) {
        xlp_json_put_map(w, "hard", &a->hard);
        xlp_json_put_map(w, "soft", &a->soft);
    }
    if (fields == reservation_action_fields) {
        xlp_json_write_key(w, "reservation");
        xlp_reservation_write(w, &a->reservation);
    }
    write_reason_at(w, "reason", &a->reason);
    xlp_json_close_object(w);
}

static void write_reason_at(struct xlp_json_writer *w, const char *key,
                            const struct xlp_reason *reason)
{
    if (reason->code == XLP_REASON_NONE)
        return;
    xlp_json_write_key(w, key);
    xlp_reason_write(w, reason);
}

static const struct xlp_field *fields_of(enum xlp_action_kind kind)
{
    switch (kind) {
    case XLP_PLACE_VCPU:
    case XLP_ADOPT_VCPU:
    case XLP_RELEASE_VCPU: return vcpu_action_fields;
    case XLP_SET_WEIGHT:
    case XLP_ADOPT_WEIGHT:
    case XLP_RELEASE_WEIGHT: return weight_action_fields;
    case XLP_SET_TARGET:
    case XLP_RELEASE_TARGET: return memory_action_fields;
    case XLP_RESERVE:
    case XLP_GRANT:
    case XLP_TRANSFER:
    case XLP_UNRESERVE: return reservation_action_fields;
    case XLP_RELEASE_DOMAIN:
    case XLP_ADOPT_DOMAIN:
    case XLP_ACTION_KINDS: break;
    }
    return domain_action_fields;
}

/* ---- reading ---- */

int xlp_plan_read(const struct xlp_json *v, struct xlp_plan *p, char *error, size_t error_size)
{
    struct xlp_json_reader r;

    xlp_plan_reset(p);
    xlp_json_reader_init(&r, error, error_size);
    xlp_json_read_version(&r, v, "xlpolicy_plan");
    xlp_fields_read(&r, v, plan_fields, p);
    xlp_json_read_reason(&r, xlp_json_read_object(&r, v, "memory", XLP_JSON_OPTIONAL), &p->memory);
    read_actions(&r, xlp_json_read_array(&r, v, "actions", XLP_JSON_REQUIRED), p);
    read_verdicts(&r, xlp_json_read_array(&r, v, "verdicts", XLP_JSON_REQUIRED), p);
    read_reservations(&r, xlp_json_read_array(&r, v, "reservations", XLP_JSON_OPTIONAL), p);
    if (r.failed)
        xlp_plan_reset(p);
    return xlp_json_done(&r);
}

static void read_action(struct xlp_json_reader *r, const struct xlp_json *object,
                        struct xlp_action *a)
{
    const char *names[XLP_ACTION_KINDS];
    unsigned int kind = 0;

    for (unsigned int i = 0; i < XLP_ACTION_KINDS; i++)
        names[i] = xlp_action_name((enum xlp_action_kind)i);
    xlp_json_read_choice(r, object, "kind", XLP_JSON_REQUIRED, names, XLP_ACTION_KINDS, &kind);
    a->kind = (enum xlp_action_kind)kind;

    const struct xlp_field *fields = fields_of(a->kind);
    xlp_fields_read(r, object, fields, a);
    if (fields == vcpu_action_fields) {
        xlp_json_read_map(r, object, "hard", XLP_JSON_REQUIRED, &a->hard);
        xlp_json_read_map(r, object, "soft", XLP_JSON_REQUIRED, &a->soft);
    }
    if (fields == reservation_action_fields)
        xlp_json_read_reservation(
            r, xlp_json_read_object(r, object, "reservation", XLP_JSON_REQUIRED), &a->reservation);
    xlp_json_read_reason(r, xlp_json_read_object(r, object, "reason", XLP_JSON_OPTIONAL),
                         &a->reason);
}

static void read_actions(struct xlp_json_reader *r, const struct xlp_json *array,
                         struct xlp_plan *p)
{
    static const struct xlp_domain nobody = {.domid = XLP_UNKNOWN};

    for (size_t i = 0; array && i < xlp_json_count(array) && !r->failed; i++) {
        struct xlp_action *a = xlp_plan_add(p, XLP_PLACE_VCPU, &nobody);

        if (a)
            read_action(r, xlp_json_at(array, i), a);
        else
            xlp_json_fail(r, NULL, "memory is out");
    }
}

static void read_verdicts(struct xlp_json_reader *r, const struct xlp_json *array,
                          struct xlp_plan *p)
{
    size_t count = array ? xlp_json_count(array) : 0;

    if (r->failed)
        return;
    if (xlp_grow(&p->verdicts, &p->verdict_room, count, sizeof(*p->verdicts)) < 0) {
        xlp_json_fail(r, NULL, "memory is out");
        return;
    }
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct xlp_json *object = xlp_json_at(array, i);
        struct xlp_verdict *verdict = &p->verdicts[i];

        *verdict = (struct xlp_verdict){0};
        xlp_fields_read(r, object, verdict_fields, verdict);
        xlp_json_read_reason(r, xlp_json_read_object(r, object, "cpu", XLP_JSON_OPTIONAL),
                             &verdict->cpu);
        xlp_json_read_reason(r, xlp_json_read_object(r, object, "weight", XLP_JSON_OPTIONAL),
                             &verdict->weight);
        xlp_json_read_reason(r, xlp_json_read_object(r, object, "memory", XLP_JSON_OPTIONAL),
                             &verdict->memory);
    }
    p->verdict_count = count;
}

static void read_reservations(struct xlp_json_reader *r, const struct xlp_json *array,
                              struct xlp_plan *p)
{
    size_t count = array ? xlp_json_count(array) : 0;

    if (r->failed)
        return;
    if (xlp_grow(&p->reservations, &p->reservation_room, count, sizeof(*p->reservations)) < 0) {
        xlp_json_fail(r, NULL, "memory is out");
        return;
    }
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct xlp_json *object = xlp_json_at(array, i);
        struct xlp_reservation_verdict *verdict = &p->reservations[i];

        *verdict = (struct xlp_reservation_verdict){0};
        xlp_fields_read(r, object, reservation_verdict_fields, verdict);
        xlp_json_read_reason(r, xlp_json_read_object(r, object, "reason", XLP_JSON_OPTIONAL),
                             &verdict->reason);
    }
    p->reservation_count = count;
}
