/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/early.c tools/pci/hide.c tools/pci/address.c */
/* The files for early boot. */
#include <string.h>

#include "../../tools/pci/early.h"
#include "../../tools/pci/hide.h"
#include "check_main.h"
#include "made_pci_host.h"

static struct pci_device devices[MADE_DEVICES];
static struct pci_loss loss;
static struct pci_host host;
static struct early_kept kept;
static char text[EARLY_TEXT_MAX], hide[256];

static void set_up(void)
{
    made_pci_host(&host, devices, &loss);
    memset(&kept, 0, sizeof(kept));
}

static void none(void)
{
}

static int make(const struct early_kept *before)
{
    static const size_t card[] = {MADE_GPU, MADE_GPU_AUDIO};

    return early_modprobe(&host, card, 2, before, text, sizeof(text));
}

START_TEST(all_functions_are_hidden_and_their_drivers_wait)
{
    ck_assert_int_eq(make(NULL), 0);
    ck_assert_str_eq(text, "# By xlpolicy pci-prepare: pciback takes these before dom0's drivers "
                           "see them.\n"
                           "options xen-pciback hide=(0000:01:00.0)(0000:01:00.1)\n"
                           "softdep nouveau pre: xen-pciback\n"
                           "softdep nvidia pre: xen-pciback\n"
                           "softdep nvidia_drm pre: xen-pciback\n"
                           "softdep snd_hda_intel pre: xen-pciback\n");
}
END_TEST

START_TEST(the_driver_that_a_device_has_waits_too)
{
    static const size_t nic[] = {MADE_NIC};

    ck_assert_int_eq(early_modprobe(&host, nic, 1, NULL, text, sizeof(text)), 0);
    ck_assert_ptr_nonnull(strstr(text, "softdep e1000e pre: xen-pciback\n"));
    ck_assert_ptr_null(strstr(text, "softdep nouveau"));
}
END_TEST

START_TEST(what_is_hidden_already_stays_and_is_not_doubled)
{
    struct pci_hidden hidden[8];
    char error[200];

    ck_assert(early_keep_hide(&kept, "(0000:07:00.0)"));
    ck_assert(early_keep_hide(&kept, "(0000:07:00.0)(0000:01:00.1)"));
    ck_assert_int_eq(make(&kept), 0);
    ck_assert(early_find_hide(text, "options xen-pciback", hide, sizeof(hide)));
    ck_assert_str_eq(hide, "(0000:07:00.0)(0000:01:00.1)(0000:01:00.0)");
    ck_assert_int_eq(pci_hide_parse(hide, hidden, 8, error, sizeof(error)), 3);
    ck_assert(early_keep_hide(&kept, hide));
    ck_assert_int_eq(make(&kept), 0);
    ck_assert(early_find_hide(text, "options xen-pciback", hide, sizeof(hide)));
    ck_assert_str_eq(hide, "(0000:07:00.0)(0000:01:00.1)(0000:01:00.0)");
}
END_TEST

START_TEST(what_else_is_there_stays_and_is_not_doubled)
{
    static const size_t nic[] = {MADE_NIC};
    char first[EARLY_TEXT_MAX];

    ck_assert_int_eq(make(NULL), 0);
    strcpy(first, text);
    ck_assert(early_keep_hide(&kept, "(0000:01:00.0)(0000:01:00.1)"));
    ck_assert(early_keep_lines(&kept, first));
    ck_assert(early_keep_lines(&kept, first));
    ck_assert(early_keep_lines(&kept, "# mine\n"
                                      "options xen-pciback passthrough=1 hide=(01:00.0)\n"
                                      "softdep other pre: xen-pciback"));
    ck_assert_int_eq(make(&kept), 0);
    ck_assert_str_eq(kept.lines, "softdep nouveau pre: xen-pciback\n"
                                 "softdep nvidia pre: xen-pciback\n"
                                 "softdep nvidia_drm pre: xen-pciback\n"
                                 "softdep snd_hda_intel pre: xen-pciback\n"
                                 "# mine\n"
                                 "options xen-pciback passthrough=1\n"
                                 "softdep other pre: xen-pciback\n");
    ck_assert_int_eq(early_modprobe(&host, nic, 1, &kept, text, sizeof(text)), 0);
    ck_assert_ptr_nonnull(strstr(text, "softdep nouveau pre: xen-pciback\n"));
    ck_assert_ptr_nonnull(strstr(text, "softdep e1000e pre: xen-pciback\n"));
    ck_assert_int_eq(make(&kept), 0);
    ck_assert_ptr_null(strstr(strstr(text, "nouveau") + 1, "nouveau"));
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static const size_t card[] = {MADE_GPU, MADE_GPU_AUDIO};
    char entries[sizeof(kept.hide) + 16] = "";

    while (strlen(entries) < sizeof(kept.hide))
        sprintf(entries + strlen(entries), "(%04x:01:00.0)",
                (unsigned int)strlen(entries) & 0xffff);
    ck_assert(!early_keep_hide(&kept, entries));
    memset(text, 'x', sizeof(text) - 1);
    ck_assert(!early_keep_lines(&kept, text));
    ck_assert_int_eq(early_modprobe(&host, card, 2, NULL, text, 100), -1);
    ck_assert(!early_find_hide("options xen-pciback hide=(0000:01:00.0)", "options xen-pciback",
                               hide, 8));
}
END_TEST

START_TEST(hide_is_found_in_its_own_lines_only)
{
    ck_assert(
        early_find_hide("# options xen-pciback hide=(01:00.0)\noptions other hide=(02:00.0)\n",
                        "options xen-pciback", hide, sizeof(hide)));
    ck_assert_str_eq(hide, "");
    early_find_hide("options xen-pciback passthrough=1 hide=(03:00.0)\n", "options xen-pciback",
                    hide, sizeof(hide));
    ck_assert_str_eq(hide, "(03:00.0)");
    early_find_hide("options xen-pciback hide=(03:00.0)\noptions xen-pciback hide=(04:00.0)\n",
                    "options xen-pciback", hide, sizeof(hide));
    ck_assert_str_eq(hide, "(04:00.0)"); /* the last one counts */
    early_find_hide("root=/dev/sda1 xen-pciback.hide=(05:00.0) quiet", "xen-pciback.", hide,
                    sizeof(hide));
    ck_assert_str_eq(hide, "(05:00.0)");
}
END_TEST

START_TEST(a_line_is_a_whole_one)
{
    ck_assert(early_has_line("e1000e\nxen-pciback\n", "xen-pciback"));
    ck_assert(early_has_line("xen-pciback", "xen-pciback"));
    ck_assert(!early_has_line("#xen-pciback\nxen-pciback2\n", "xen-pciback"));
}
END_TEST

CHECK_FIXTURE_CASE(early, set_up, none, all_functions_are_hidden_and_their_drivers_wait,
                   the_driver_that_a_device_has_waits_too,
                   what_is_hidden_already_stays_and_is_not_doubled,
                   what_else_is_there_stays_and_is_not_doubled, what_does_not_fit_is_refused,
                   hide_is_found_in_its_own_lines_only, a_line_is_a_whole_one)
CHECK_MAIN("pci early", early)
