/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: daemon/config_dom0.c daemon/config_text.c */
/* What xl's own configuration says of dom0, where dom0 takes part. */
#include "check_main.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/config_dom0.h"

static struct xlp_policy policy;
static char text[512];

static void start(void)
{
    xlp_policy_init(&policy);
    policy.mem_dom0 = 1;
}

static void stop(void)
{
    xlp_policy_dispose(&policy);
}

static bool is_contested(const char *xl_conf)
{
    char path[] = "/tmp/xl_conf.XXXXXX";
    int fd = mkstemp(path);
    bool contested;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, xl_conf, strlen(xl_conf)), (ssize_t)strlen(xl_conf));
    close(fd);
    contested = config_dom0_is_contested(&policy, path, text, sizeof(text));
    ck_assert(!contested || strstr(text, path));
    unlink(path);
    return contested;
}

START_TEST(who_switched_autoballoon_off_hears_nothing)
{
    ck_assert(!is_contested("autoballoon = \"off\"\n"));
    ck_assert(!is_contested("autoballoon = 0\n"));
}
END_TEST

START_TEST(who_did_not_is_told_so)
{
    ck_assert(is_contested("autoballoon = \"on\"\n"));
    ck_assert(is_contested("autoballoon = 1\n"));
    ck_assert(is_contested("lockfile = \"/x\"\nautoballoon = \"auto\"\n"));
}
END_TEST

START_TEST(what_is_not_said_or_not_readable_is_xls_default)
{
    ck_assert(is_contested("# autoballoon = \"off\"\n"));
    ck_assert(is_contested("autoballoon = \"off\n"));
    ck_assert(is_contested("autoballoon = [ \"off\" ]\n"));
    ck_assert(config_dom0_is_contested(&policy, "/nowhere/xl.conf", text, sizeof(text)));
    ck_assert_ptr_nonnull(strstr(text, "\"auto\" (on, unless Xen has dom0_mem)"));
}
END_TEST

START_TEST(where_dom0_takes_no_part_it_is_nobodys_concern)
{
    policy.mem_dom0 = 0;
    ck_assert(!is_contested("autoballoon = \"on\"\n"));
}
END_TEST

CHECK_FIXTURE_CASE(dom0, start, stop, who_switched_autoballoon_off_hears_nothing,
                   who_did_not_is_told_so, what_is_not_said_or_not_readable_is_xls_default,
                   where_dom0_takes_no_part_it_is_nobodys_concern)
CHECK_MAIN("dom0 and xl", dom0)
