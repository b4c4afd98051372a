/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the engine made of a pCPU, a vCPU or a domain, as JSON. */
#include "json/fields.h"

static const struct xlp_field pcpu_view_fields[] = {
    XLP_NEED(xlp_pcpu_view, known, XLP_FIELD_BOOL),
    XLP_MAY(xlp_pcpu_view, used, XLP_FIELD_DOUBLE),
    XLP_END,
};

static const struct xlp_field vcpu_view_fields[] = {
    XLP_NEED(xlp_vcpu_view, known, XLP_FIELD_BOOL),
    XLP_MAY(xlp_vcpu_view, used, XLP_FIELD_DOUBLE),
    XLP_MAY(xlp_vcpu_view, demand, XLP_FIELD_DOUBLE),
    XLP_MAY(xlp_vcpu_view, entitlement, XLP_FIELD_DOUBLE),
    XLP_MAY_ELSE(xlp_vcpu_view, home, XLP_FIELD_U32, XLP_UNKNOWN),
    XLP_END,
};

static const struct xlp_field domain_view_fields[] = {
    XLP_NEED(xlp_domain_view, known, XLP_FIELD_BOOL),
    XLP_MAY(xlp_domain_view, used_kib, XLP_FIELD_I64),
    XLP_MAY(xlp_domain_view, need_kib, XLP_FIELD_I64),
    XLP_MAY(xlp_domain_view, comfort_kib, XLP_FIELD_I64),
    XLP_MAY(xlp_domain_view, floor_kib, XLP_FIELD_I64),
    XLP_END,
};

void xlp_pcpu_view_write(struct xlp_json_writer *w, const struct xlp_pcpu_view *view)
{
    xlp_json_open_object(w);
    xlp_fields_write(w, pcpu_view_fields, view);
    xlp_json_close_object(w);
}

void xlp_vcpu_view_write(struct xlp_json_writer *w, const struct xlp_vcpu_view *view)
{
    xlp_json_open_object(w);
    xlp_fields_write(w, vcpu_view_fields, view);
    xlp_json_close_object(w);
}

void xlp_domain_view_write(struct xlp_json_writer *w, const struct xlp_domain_view *view)
{
    xlp_json_open_object(w);
    xlp_fields_write(w, domain_view_fields, view);
    xlp_json_close_object(w);
}

int xlp_pcpu_view_read(const struct xlp_json *v, struct xlp_pcpu_view *view_out, char *error,
                       size_t error_size)
{
    struct xlp_json_reader r;
    struct xlp_pcpu_view view = {0};

    xlp_json_reader_init(&r, error, error_size);
    xlp_fields_read(&r, v, pcpu_view_fields, &view);
    if (!r.failed)
        *view_out = view;
    return xlp_json_done(&r);
}

int xlp_vcpu_view_read(const struct xlp_json *v, struct xlp_vcpu_view *view_out, char *error,
                       size_t error_size)
{
    struct xlp_json_reader r;
    struct xlp_vcpu_view view = {0};

    xlp_json_reader_init(&r, error, error_size);
    xlp_fields_read(&r, v, vcpu_view_fields, &view);
    if (!r.failed)
        *view_out = view;
    return xlp_json_done(&r);
}

int xlp_domain_view_read(const struct xlp_json *v, struct xlp_domain_view *view_out, char *error,
                         size_t error_size)
{
    struct xlp_json_reader r;
    struct xlp_domain_view view = {0};

    xlp_json_reader_init(&r, error, error_size);
    xlp_fields_read(&r, v, domain_view_fields, &view);
    if (!r.failed)
        *view_out = view;
    return xlp_json_done(&r);
}
