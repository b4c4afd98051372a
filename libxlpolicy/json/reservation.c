/* SPDX-License-Identifier: LGPL-2.1-only */
/* A reservation as JSON, in snapshots and in actions. */
#include "json/reservation.h"

#include "json/fields.h"

static const struct xlp_field reservation_fields[] = {
    XLP_NEED(xlp_reservation, id, XLP_FIELD_U32),
    XLP_MAY(xlp_reservation, name, XLP_FIELD_NAME),
    XLP_MAY(xlp_reservation, former_domid, XLP_FIELD_U32),
    XLP_NEED(xlp_reservation, min_kib, XLP_FIELD_KIB),
    XLP_NEED(xlp_reservation, max_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_reservation, granted_kib, XLP_FIELD_KIB),
    XLP_MAY(xlp_reservation, ttl_left_ns, XLP_FIELD_U64),
    XLP_OTHER("taken_by"),
    XLP_END,
};

static const struct xlp_field taker_fields[] = {
    XLP_NEED(xlp_reservation, domid, XLP_FIELD_U32),
    XLP_NEED(xlp_reservation, uuid, XLP_FIELD_UUID),
    XLP_END,
};

void xlp_reservation_write(struct xlp_json_writer *w, const struct xlp_reservation *reservation)
{
    xlp_json_open_object(w);
    xlp_fields_write(w, reservation_fields, reservation);
    if (reservation->taken) {
        xlp_json_write_key(w, "taken_by");
        xlp_json_open_object(w);
        xlp_fields_write(w, taker_fields, reservation);
        xlp_json_close_object(w);
    }
    xlp_json_close_object(w);
}

void xlp_reservations_write(struct xlp_json_writer *w, const struct xlp_snapshot *s,
                            const struct xlp_plan *p)
{
    xlp_json_write_key(w, "reservations");
    xlp_json_open_array(w);
    for (size_t i = 0; i < s->reservation_count && i < p->reservation_count; i++) {
        xlp_json_open_object(w);
        xlp_json_write_key(w, "reservation");
        xlp_reservation_write(w, &s->reservations[i]);
        xlp_json_write_key(w, "reason");
        xlp_reason_write(w, &p->reservations[i].reason);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
}

void xlp_json_read_reservation(struct xlp_json_reader *r, const struct xlp_json *object,
                               struct xlp_reservation *out)
{
    const struct xlp_json *taker;

    if (!object)
        return;
    xlp_fields_read(r, object, reservation_fields, out);
    taker = xlp_json_read_object(r, object, "taken_by", XLP_JSON_OPTIONAL);
    if (!taker)
        return;
    out->taken = true;
    xlp_fields_read(r, taker, taker_fields, out);
}
