/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whatever a file or a peer sends as JSON: nothing crashes, what is refused is explained and leaves
 * nothing behind, and what is accepted as a snapshot, a plan or a policy keeps its promises and is
 * written and read back as the same.
 */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "json/json.h"

#define VALUES_MAX 4096

static void check_explained(const char *error);
static void check_tree(const struct xlp_json *v, unsigned int depth);
static void check_snapshot(const struct xlp_json *v);
static void check_plan(const struct xlp_json *v);
static void check_policy(const struct xlp_json *v);
static void check_views(const struct xlp_json *v);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";
    struct xlp_json *root =
        xlp_json_parse((const char *)data, size, VALUES_MAX, error, sizeof(error));

    if (root == NULL) {
        FUZZ_CHECK(strncmp(error, "line ", 5) == 0);
        check_explained(error);
        return 0;
    }
    check_tree(root, 1);
    check_snapshot(root);
    check_plan(root);
    check_policy(root);
    check_views(root);
    xlp_json_free(root);
    return 0;
}

/* One line that is safe to log. */
static void check_explained(const char *error)
{
    FUZZ_CHECK(error[0] != '\0');
    for (; *error; error++)
        FUZZ_CHECK(*error >= 0x20 && *error < 0x7f);
}

static void check_tree(const struct xlp_json *v, unsigned int depth)
{
    int64_t whole;

    FUZZ_CHECK(depth <= XLP_JSON_DEPTH_MAX + 1);
    FUZZ_CHECK(xlp_json_line(v) > 0 && xlp_json_column(v) > 0);
    FUZZ_CHECK(isfinite(xlp_json_double(v)));
    FUZZ_CHECK(!xlp_json_int(v, &whole) || xlp_json_double(v) == (double)whole);
    FUZZ_CHECK((xlp_json_kind(v) == XLP_JSON_STRING) == (xlp_json_string(v) != NULL));
    for (size_t i = 0; i < xlp_json_count(v); i++) {
        if (xlp_json_kind(v) == XLP_JSON_OBJECT)
            FUZZ_CHECK(xlp_json_get(v, xlp_json_key(v, i)) == xlp_json_at(v, i));
        check_tree(xlp_json_at(v, i), depth + 1);
    }
}

/* What was written, as a tree again. */
static struct xlp_json *reparse(struct xlp_json_writer *w)
{
    char error[256];
    size_t length;
    const char *text = xlp_json_text(w, &length);

    FUZZ_CHECK(text != NULL);
    struct xlp_json *v = xlp_json_parse(text, length, (size_t)VALUES_MAX * 8, error, sizeof(error));
    FUZZ_CHECK(v != NULL);
    return v;
}

static void check_same_text(struct xlp_json_writer *a, struct xlp_json_writer *b)
{
    FUZZ_CHECK(xlp_json_text(a, NULL) && xlp_json_text(b, NULL));
    FUZZ_CHECK(strcmp(xlp_json_text(a, NULL), xlp_json_text(b, NULL)) == 0);
    xlp_json_writer_free(a);
    xlp_json_writer_free(b);
}

static void check_snapshot(const struct xlp_json *v)
{
    char error[256] = "";
    struct xlp_snapshot s;

    xlp_snapshot_init(&s);
    if (xlp_snapshot_read(v, &s, error, sizeof(error)) == 0) {
        struct xlp_json_writer *first = xlp_json_writer_new(false);
        struct xlp_json_writer *second = xlp_json_writer_new(false);

        FUZZ_CHECK(xlp_snapshot_check(&s, error, sizeof(error)) == 0);
        xlp_snapshot_write(first, &s);
        struct xlp_json *again = reparse(first);
        FUZZ_CHECK(xlp_snapshot_read(again, &s, error, sizeof(error)) == 0);
        xlp_snapshot_write(second, &s);
        xlp_json_free(again);
        check_same_text(first, second);
    } else {
        check_explained(error);
        FUZZ_CHECK(s.domain_count == 0 && s.vcpu_count == 0 && s.pcpu_count == 0);
    }
    xlp_snapshot_dispose(&s);
}

static void check_plan(const struct xlp_json *v)
{
    char error[256] = "";
    struct xlp_plan p;

    xlp_plan_init(&p);
    if (xlp_plan_read(v, &p, error, sizeof(error)) == 0) {
        struct xlp_json_writer *first = xlp_json_writer_new(true);
        struct xlp_json_writer *second = xlp_json_writer_new(true);

        xlp_plan_write(first, &p);
        struct xlp_json *again = reparse(first);
        FUZZ_CHECK(xlp_plan_read(again, &p, error, sizeof(error)) == 0);
        xlp_plan_write(second, &p);
        xlp_json_free(again);
        check_same_text(first, second);
    } else {
        check_explained(error);
        FUZZ_CHECK(p.action_count == 0 && p.verdict_count == 0);
    }
    xlp_plan_dispose(&p);
}

static void check_policy(const struct xlp_json *v)
{
    char error[256] = "";
    struct xlp_policy p;

    xlp_policy_init(&p);
    if (xlp_policy_read(v, &p, error, sizeof(error)) == 0) {
        struct xlp_json_writer *first = xlp_json_writer_new(false);
        struct xlp_json_writer *second = xlp_json_writer_new(false);

        for (size_t i = 0; i < xlp_setting_count; i++) {
            int64_t value;

            memcpy(&value, (const char *)&p + xlp_settings[i].offset, sizeof(value));
            FUZZ_CHECK(value >= xlp_settings[i].min && value <= xlp_settings[i].max);
        }
        xlp_policy_write(first, &p);
        struct xlp_json *again = reparse(first);
        FUZZ_CHECK(xlp_policy_read(again, &p, error, sizeof(error)) == 0);
        xlp_policy_write(second, &p);
        xlp_json_free(again);
        check_same_text(first, second);
    } else {
        check_explained(error);
        FUZZ_CHECK(p.domain_count == 0);
    }
    xlp_policy_dispose(&p);
}

static void check_views(const struct xlp_json *v)
{
    char error[256] = "";
    struct xlp_vcpu_view vcpu;
    struct xlp_domain_view domain;

    if (xlp_vcpu_view_read(v, &vcpu, error, sizeof(error)) == 0)
        FUZZ_CHECK(isfinite(vcpu.used) && isfinite(vcpu.demand) && isfinite(vcpu.entitlement));
    else
        check_explained(error);
    if (xlp_domain_view_read(v, &domain, error, sizeof(error)) < 0)
        check_explained(error);
}
