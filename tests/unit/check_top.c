/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/top.c tools/top_guests.c tools/top_layout.c tools/top_screen.c tools/domain_cpu.c */
/* links: tools/placement.c tools/source.c tools/source_daemon.c tools/source_host.c */
/* links: daemon/config.c daemon/config_scan.c daemon/config_text.c daemon/words.c */
/* links: tools/daemon_request.c tools/control_client.c tools/cli.c tools/progress.c */
/* top's page, laid out without a terminal. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "../../tools/top.h"

static struct source source;
static struct top top;
static struct top_screen screen;

/* ---- a host: guests of one vCPU each, the i-th with i % of a pCPU and 100 + i MiB ---- */

static void add_guest(uint32_t domid)
{
    struct xlp_domain *d = xlp_snapshot_add_domain(&source.snapshot);
    struct xlp_vcpu *v;

    ck_assert_ptr_nonnull(d);
    d->domid = domid;
    snprintf(d->name, sizeof(d->name), "guest%u", domid);
    d->memory.actual_kib = d->memory.target_kib = (100 + (int64_t)domid) << 10;
    v = xlp_snapshot_add_vcpu(&source.snapshot);
    ck_assert_ptr_nonnull(v);
    v->online = true;
    v->pcpu = domid % 2;
}

static void add_guests_and_pcpus(uint32_t guests, uint32_t pcpus)
{
    struct xlp_cpumap all = xlp_cpumap_all();

    xlp_snapshot_intern(&source.snapshot, &all);
    for (uint32_t i = 0; i < pcpus; i++) {
        struct xlp_pcpu *p = xlp_snapshot_add_pcpu(&source.snapshot);

        p->id = i;
        p->online = true;
    }
    for (uint32_t i = 1; i <= guests; i++)
        add_guest(i);
    ck_assert_int_eq(xlp_plan_start(&source.plan, &source.snapshot), 0);
    source.pcpus = calloc(pcpus + 1, sizeof(*source.pcpus));
    source.vcpus = calloc(guests + 1, sizeof(*source.vcpus));
    source.domains = calloc(guests + 1, sizeof(*source.domains));
    for (uint32_t i = 0; i < pcpus; i++)
        source.pcpus[i] = (struct xlp_pcpu_view){.used = i == 0 ? 1 : 0.5, .known = true};
    for (uint32_t i = 0; i < guests; i++) {
        source.vcpus[i] = (struct xlp_vcpu_view){
            .used = (i + 1) / 100.0, .demand = 0.5, .entitlement = 0.25, .known = true};
        source.domains[i] =
            (struct xlp_domain_view){.need_kib = 90 << 10, .floor_kib = 50 << 10, .known = i != 0};
        source.plan.verdicts[i].cpu =
            (struct xlp_reason){.code = XLP_REASON_CPU_SETTLING, .number = {7}};
        source.plan.verdicts[i].memory.code = XLP_REASON_MEM_OFF;
    }
}

static void set_up(void)
{
    source_init(&source);
    source.snapshot.time_ns = TOP_LAST_NS;
    source.snapshot.memory = (struct xlp_host_memory){.total_kib = 4 << 20, .free_kib = 1 << 20};
    top_init(&top);
    memset(&screen, 0, sizeof(screen));
}

static void tear_down(void)
{
    source_dispose(&source);
    top_dispose(&top);
    top_screen_dispose(&screen);
}

static void draw(unsigned int rows, unsigned int columns)
{
    ck_assert_int_eq(top_screen_start(&screen, rows, columns), 0);
    ck_assert_int_eq(top_draw(&top, &source, "12:34:56", &screen), 0);
}

/* The first row that begins with this, or -1. */
static int row_of(const char *beginning)
{
    for (unsigned int row = 0; row < screen.rows; row++)
        if (strncmp(top_row(&screen, row), beginning, strlen(beginning)) == 0)
            return (int)row;
    return -1;
}

static void ck_row(int row, const char *expected)
{
    ck_assert_int_ge(row, 0);
    ck_assert_str_eq(top_row(&screen, (unsigned int)row), expected);
}

/* ---- the page ---- */

START_TEST(on_80x24_there_is_the_host_its_pcpus_the_guests_one_of_them_at_length_and_the_keys)
{
    add_guests_and_pcpus(3, 2);
    draw(24, 80);
    ck_row(0, "xlpolicy top: no daemon  3 domains, 3 vCPUs, 2 pCPUs  by cpu            12:34:56");
    ck_row(1, "Memory [|||||||||||||||     ] 3072 of 4096 MiB used, 1024 free");
    ck_row(2, "pCPU                       Usage% Demand% vCPUs, (floating)");
    ck_row(3, "   0 [||||||||||||||||||||] 100.0   50.0  (guest2)");
    ck_row(4, "   1 [||||||||||          ]  50.0  100.0  (guest1) (guest3)");
    ck_row(5, "Name           ID  CPU%  Dem%  Ent%    Mem Target   Need Last reason");
    ck_row(6, "guest3          3   3.0  50.0  25.0    103    103     90 cpu-settling");
    ck_row(8, "guest1          1   1.0  50.0  25.0    101    101      - cpu-settling");
    ck_row(18, "guest3: vCPU 0 floats, now on pCPU 1");
    ck_row(19, "  CPU     stays: moved or first seen a moment ago, looked at again in 7 tick(s)");
    ck_row(20, "  memory  not managed: mem_policy is \"off\"");
    ck_row(23, "q quit  r reverse  sort by: Cpu Demand Entitled Mem Target Need Floor nAme Id");
}
END_TEST

START_TEST(more_columns_tell_reasons_in_full)
{
    add_guests_and_pcpus(3, 2);
    draw(40, 150);
    ck_assert_int_ge(row_of("guest3"), 0);
    ck_assert_ptr_nonnull(strstr(top_row(&screen, (unsigned int)row_of("guest3 ")),
                                 " stays: moved or first seen a moment ago, looked at again in 7"));
}
END_TEST

/* The name, whole; or the sentence up to where one of its parts ends. */
static bool is_readable(const char *row, const char *sentence, const char *name)
{
    const char *told = strstr(row, name);

    if (told && told[strlen(name)] == '\0')
        return true;
    for (told = row; *told; told++)
        if (told > row && told[-1] == ' ' && strncmp(told, sentence, strlen(told)) == 0)
            return sentence[strlen(told)] == '\0' || strchr(",; ", sentence[strlen(told)]);
    return false;
}

START_TEST(no_reason_is_cut)
{
    char text[1024];

    add_guests_and_pcpus(1, 1);
    for (int code = 0; code < XLP_REASON_COUNT; code++)
        for (unsigned int columns = 80; columns <= 260; columns++) {
            struct xlp_reason reason = {.code = (enum xlp_reason_code)code};
            const char *row;

            source.plan.verdicts[0].cpu = source.plan.verdicts[0].memory = reason;
            draw(24, columns);
            row = top_row(&screen, (unsigned int)row_of("Name") + 1);
            ck_assert_msg(is_readable(row, xlp_reason_format(&reason, text, sizeof(text)),
                                      xlp_reason_name(reason.code)),
                          "%u columns: %s", columns, row);
        }
}
END_TEST

/* Every size there may be, down to where nothing is shown: whatever goes beyond the edge is cut. */
START_TEST(no_size_is_drawn_beyond)
{
    add_guests_and_pcpus(30, 70);
    for (unsigned int rows = 1; rows < 60; rows += 3)
        for (unsigned int columns = 1; columns < 200; columns += 7)
            draw(rows, columns);
    draw(7, 80);
    ck_row(0, "too small: 40x8 at least");
    draw(8, 40);
    ck_assert_int_eq(row_of("too small"), -1);
}
END_TEST

START_TEST(many_pcpus_take_a_third_of_the_screen_at_most)
{
    add_guests_and_pcpus(3, 18);
    draw(24, 80);
    ck_row(2, "pCPU, usage in %");
    ck_row(3, "   0 [||||||||||||] 100.0    1 [||||||      ]  50.0    2 [||||||      ]  50.0");
    ck_assert_int_eq(row_of("Name"), 9);
    draw(24, 30 + 26);
    ck_assert_int_eq(row_of("Name"), 7);
    ck_row(3, "   0 100%    1  50%    2  50%    3  50%    4  50%");
}
END_TEST

START_TEST(pcpus_that_have_no_room_are_counted)
{
    add_guests_and_pcpus(1, 200);
    draw(24, 80);
    ck_row(2, "pCPU, usage in %; 136 more have no room here");
    ck_assert_int_eq(row_of("Name"), 11);
}
END_TEST

/* ---- guests ---- */

START_TEST(guests_are_sorted_by_what_one_asks_for)
{
    static const struct {
        enum top_sort sort;
        bool reverse;
        const char *first;
    } cases[] = {
        {TOP_BY_CPU, false, "guest12 "}, {TOP_BY_CPU, true, "guest1 "},
        {TOP_BY_MEM, false, "guest12 "}, {TOP_BY_NAME, false, "guest1 "},
        {TOP_BY_NAME, true, "guest9 "},  {TOP_BY_ID, true, "guest12 "},
        {TOP_BY_NEED, true, "guest1 "},  {TOP_BY_DEMAND, false, "guest1 "},
    };

    add_guests_and_pcpus(12, 1);
    top.sort = cases[_i].sort;
    top.reverse = cases[_i].reverse;
    draw(40, 80);
    ck_assert_int_eq(row_of(cases[_i].first), row_of("Name") + 1);
}
END_TEST

START_TEST(the_cursor_stays_on_its_guest_and_in_sight)
{
    add_guests_and_pcpus(100, 2);
    draw(24, 80);
    ck_assert_int_eq(row_of("guest100"), 6);
    top_move(&top, &source, 50);
    draw(24, 80);
    ck_assert_uint_eq(top.selected, 50);
    ck_assert_int_eq(row_of("guest50 "), 17);
    ck_assert_int_eq(screen.style[17 * 80], TOP_SELECTED);
    top.reverse = true;
    draw(24, 80);
    ck_assert_int_ge(row_of("guest50 "), 6);
    ck_assert_int_eq(row_of("guest50: "), 18);
    top_move(&top, &source, -1000);
    draw(24, 80);
    ck_assert_int_eq(row_of("guest1 "), 6);
    top_move(&top, &source, 1000);
    ck_assert_uint_eq(top.selected, 100);
}
END_TEST

START_TEST(a_guest_that_is_gone_gives_the_cursor_to_the_first)
{
    add_guests_and_pcpus(3, 1);
    top.selected = 77;
    draw(24, 80);
    ck_assert_int_ge(row_of("guest3: "), 0);
}
END_TEST

START_TEST(a_host_without_domains_is_drawn_too)
{
    add_guests_and_pcpus(0, 1);
    draw(24, 80);
    top_move(&top, &source, 1);
    ck_assert_int_ge(row_of("Name"), 0);
}
END_TEST

/* ---- the last reason ---- */

START_TEST(an_action_is_the_last_reason_for_a_minute)
{
    struct xlp_action *a;

    add_guests_and_pcpus(3, 1);
    a = xlp_plan_add(&source.plan, XLP_SET_TARGET, &source.snapshot.domains[1]);
    a->reason.code = XLP_REASON_MEM_GROW;
    ck_assert_int_eq(top_note(&top, &source), 0);
    source.plan.action_count = 0;
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_MEM_GROW);
    ck_assert_int_eq(top_reason(&top, &source, 2)->code, XLP_REASON_CPU_SETTLING);
    source.snapshot.time_ns += TOP_LAST_NS - 1;
    ck_assert_int_eq(top_note(&top, &source), 0);
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_MEM_GROW);
    source.snapshot.time_ns += 1;
    ck_assert_int_eq(top_note(&top, &source), 0);
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_CPU_SETTLING);
}
END_TEST

START_TEST(another_guest_of_the_same_id_does_not_inherit_it)
{
    struct xlp_action *a;

    add_guests_and_pcpus(1, 1);
    a = xlp_plan_add(&source.plan, XLP_SET_TARGET, &source.snapshot.domains[0]);
    a->reason.code = XLP_REASON_MEM_GROW;
    ck_assert_int_eq(top_note(&top, &source), 0);
    source.plan.action_count = 0;
    source.snapshot.domains[0].uuid[3] = 1;
    ck_assert_int_eq(top_note(&top, &source), 0);
    ck_assert_int_eq(top_reason(&top, &source, 0)->code, XLP_REASON_CPU_SETTLING);
}
END_TEST

START_TEST(memory_has_the_word_where_the_cpu_is_not_ours)
{
    add_guests_and_pcpus(2, 1);
    source.plan.verdicts[1].cpu.code = XLP_REASON_CPU_SCHED_BALANCES;
    source.plan.verdicts[1].memory.code = XLP_REASON_MEM_WAITS;
    source.domains[1].need_kib = 200 << 10;
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_MEM_WAITS);
    source.domains[1].need_kib = 90 << 10; /* now it lacks CPU alone */
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_CPU_SCHED_BALANCES);
    source.vcpus[1].used = source.vcpus[1].demand; /* and now nothing */
    ck_assert_int_eq(top_reason(&top, &source, 1)->code, XLP_REASON_MEM_WAITS);
}
END_TEST

/* ---- batch ---- */

START_TEST(a_page_of_batch_mode_has_everything_and_no_cursor)
{
    add_guests_and_pcpus(100, 30);
    top.batch = true;
    draw(top_batch_rows(&source), 80);
    ck_assert_int_eq(row_of("guest1 "), (int)screen.rows - 1);
    ck_assert_int_ge(row_of("  29 ["), 0);
    ck_assert_int_eq(row_of("q quit"), -1);
    for (unsigned int i = 0; i < screen.rows * screen.columns; i++)
        ck_assert_int_ne(screen.style[i], TOP_SELECTED);
}
END_TEST

START_TEST(sorts_have_names_and_keys)
{
    static const char names[] = TOP_SORT_NAMES;
    size_t count = 1;

    for (const char *c = names; *c; c++)
        count += *c == '|';
    ck_assert_uint_eq(count, TOP_SORTS);
    ck_assert_int_eq(top_sort_by_name("entitled"), TOP_BY_ENTITLED);
    ck_assert_int_eq(top_sort_by_name("size"), -1);
    ck_assert_int_eq(top_sort_by_key('a'), TOP_BY_NAME);
    ck_assert_int_eq(top_sort_by_key('q'), -1);
}
END_TEST

#define FIXTURE_CASE(name, ...) CHECK_FIXTURE_CASE(name, set_up, tear_down, __VA_ARGS__)
FIXTURE_CASE(page,
             on_80x24_there_is_the_host_its_pcpus_the_guests_one_of_them_at_length_and_the_keys,
             more_columns_tell_reasons_in_full, no_reason_is_cut, no_size_is_drawn_beyond,
             many_pcpus_take_a_third_of_the_screen_at_most, pcpus_that_have_no_room_are_counted)
FIXTURE_CASE(plain_guests, the_cursor_stays_on_its_guest_and_in_sight,
             a_guest_that_is_gone_gives_the_cursor_to_the_first,
             a_host_without_domains_is_drawn_too)
static TCase *guests(void)
{
    TCase *tcase = plain_guests();

    tcase_add_loop_test(tcase, guests_are_sorted_by_what_one_asks_for, 0, 8);
    return tcase;
}
FIXTURE_CASE(reasons, an_action_is_the_last_reason_for_a_minute,
             another_guest_of_the_same_id_does_not_inherit_it,
             memory_has_the_word_where_the_cpu_is_not_ours)
FIXTURE_CASE(others, a_page_of_batch_mode_has_everything_and_no_cursor, sorts_have_names_and_keys)
CHECK_MAIN("top", page, guests, reasons, others)
