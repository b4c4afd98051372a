/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/handover.c tools/pci/files.c tools/pci/address.c */
/*
 * Handing devices over, against a kernel that consists of a directory: what is written to sysfs has
 * the effect there that it has on Linux, unless a test says otherwise.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/pci/handover.h"
#include "check_main.h"

#define GPU   "0000:01:00.0"
#define AUDIO "0000:01:00.1"

static char root[64];
static struct handover h;
static const struct pci_address card[] = {{0, 1, 0, 0}, {0, 1, 0, 1}};
static char drivers[2][PCI_NAME_SIZE];
static char log_text[2048];
static unsigned int pauses, quarantined;

/* What a test makes of the kernel: the write to a path that ends so fails, or does nothing. */
static const char *fails, *is_ignored, *natural; /* natural: the driver that probing finds */

/* ---- a kernel ---- */

static void path_of(char *full, size_t size, const char *path)
{
    snprintf(full, size, "%s%s", root, path);
}

static void make_file(const char *path, const char *text)
{
    char full[512];
    FILE *file;

    path_of(full, sizeof(full), path);
    for (char *c = full + strlen(root) + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        mkdir(full, 0755);
        *c = '/';
    }
    file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void set_driver(const char *address, const char *driver)
{
    char full[512], target[512], path[256];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
    path_of(full, sizeof(full), path);
    unlink(full);
    snprintf(target, sizeof(target), "../../drivers/%s", driver);
    if (driver[0])
        ck_assert_int_eq(symlink(target, full), 0);
}

static void make_device(const char *address, const char *driver)
{
    char path[256];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
    make_file(path, "\xde\x10\x80\x1b....");
    snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
    make_file(path, "");
    set_driver(address, driver);
}

static void read_file(const char *path, char *text, size_t size)
{
    files_read(&h.files, path, text, size);
}

/* pciback's slots, an address a line. */
static void change_slots(const char *address, bool add)
{
    char slots[512], changed[512] = "";

    read_file("/sys/bus/pci/drivers/pciback/slots", slots, sizeof(slots));
    for (char *line = strtok(slots, "\n"); line; line = strtok(NULL, "\n"))
        if (strcmp(line, address) != 0)
            strcat(strcat(changed, line), "\n");
    if (add)
        strcat(strcat(changed, address), "\n");
    make_file("/sys/bus/pci/drivers/pciback/slots", changed);
}

static bool ends(const char *path, const char *end)
{
    return end && strlen(path) >= strlen(end) &&
           strcmp(path + strlen(path) - strlen(end), end) == 0;
}

/* As Linux does. */
static void take_effect(const char *path, const char *text)
{
    char override[64], override_path[256];

    if (ends(path, "/unbind"))
        set_driver(text, "");
    else if (ends(path, "/pciback/new_slot"))
        change_slots(text, true);
    else if (ends(path, "/pciback/remove_slot"))
        change_slots(text, false);
    else if (ends(path, "/pciback/bind"))
        set_driver(text, "pciback");
    else if (ends(path, "/drivers_probe")) {
        snprintf(override_path, sizeof(override_path), "/sys/bus/pci/devices/%s/driver_override",
                 text);
        read_file(override_path, override, sizeof(override));
        set_driver(text, override[0] ? override : natural);
    } else
        make_file(path, text);
}

static int write_kernel(void *arg, const char *path, const char *text)
{
    (void)arg;
    strcat(strcat(strcat(strcat(log_text, path), " <- "), text), "\n");
    if (ends(path, fails))
        return -EBUSY;
    if (!ends(path, is_ignored))
        take_effect(path, text);
    return 0;
}

static void pause_kernel(void *arg)
{
    (void)arg;
    pauses++;
}

static int quarantine(void *arg, const struct pci_address *address, bool on)
{
    unsigned int bit = 1u << address->function;

    (void)arg;
    if (ends("quarantine", fails))
        return -EPERM;
    quarantined = on ? quarantined | bit : quarantined & ~bit;
    return 0;
}

static void set_up(void)
{
    snprintf(root, sizeof(root), "/tmp/xlpolicy-handover-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    h = (struct handover){
        .files = {root}, .write = write_kernel, .pause = pause_kernel, .quarantine = quarantine};
    log_text[0] = '\0';
    pauses = quarantined = 0;
    fails = is_ignored = NULL;
    natural = "";
    make_file("/sys/bus/pci/drivers/pciback/slots", "");
    make_file("/sys/bus/pci/drivers/amdgpu/bind", "");
    make_file("/sys/bus/pci/drivers/other/bind", "");
    make_device(GPU, "nouveau");
    make_device(AUDIO, "snd_hda_intel");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void tear_down(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void ck_drivers(const char *gpu, const char *audio)
{
    char driver[PCI_NAME_SIZE];

    handover_driver(&h, &card[0], driver);
    ck_assert_str_eq(driver, gpu);
    handover_driver(&h, &card[1], driver);
    ck_assert_str_eq(driver, audio);
}

/* ---- claims ---- */

START_TEST(all_functions_go_to_pciback_and_back_to_the_drivers_they_had)
{
    ck_assert_int_eq(handover_bind(&h, card, 2), 0);
    ck_drivers("pciback", "pciback");
    ck_assert_uint_eq(quarantined, 3);
    ck_assert_int_eq(handover_release(&h, card, 2, drivers), 0);
    ck_drivers("nouveau", "snd_hda_intel");
    ck_assert_str_eq(drivers[0], "nouveau");
    ck_assert_str_eq(drivers[1], "snd_hda_intel");
    ck_assert_uint_eq(quarantined, 0);
    ck_assert_ptr_nonnull(strstr(log_text, GPU "/driver_override <- nouveau\n"));
    ck_assert_ptr_nonnull(strstr(log_text, "remove_slot <- " GPU "\n"));
}
END_TEST

START_TEST(what_is_bound_already_is_left_as_it_is)
{
    ck_assert_int_eq(handover_bind(&h, card, 2), 0);
    log_text[0] = '\0';
    ck_assert_int_eq(handover_bind(&h, card, 2), 0);
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(a_second_function_that_is_in_use_undoes_the_first)
{
    is_ignored = "/snd_hda_intel/unbind";
    ck_assert_int_eq(handover_bind(&h, card, 2), -1);
    ck_assert_str_eq(h.error, AUDIO " stays with snd_hda_intel: something uses it");
    ck_drivers("nouveau", "snd_hda_intel");
    ck_assert_uint_eq(quarantined, 0);
    ck_assert_uint_le(pauses, 100); /* it does not wait for ever */
}
END_TEST

START_TEST(a_device_that_pciback_does_not_take_goes_back)
{
    fails = "/pciback/bind";
    ck_assert_int_eq(handover_bind(&h, card, 2), -1);
    ck_assert_str_eq(h.error,
                     "pciback does not take " GPU ": Device or resource busy; `dmesg` says "
                     "why");
    ck_drivers("nouveau", "snd_hda_intel");
    ck_assert_ptr_nonnull(strstr(log_text, "remove_slot <- " GPU "\n"));
}
END_TEST

START_TEST(a_bind_without_effect_is_noticed)
{
    is_ignored = "/pciback/bind";
    ck_assert_int_eq(handover_bind(&h, card, 1), -1);
    ck_drivers("nouveau", "snd_hda_intel");
}
END_TEST

START_TEST(a_device_that_xen_cannot_set_apart_goes_back)
{
    fails = "quarantine";
    ck_assert_int_eq(handover_bind(&h, card, 1), -1);
    ck_assert_ptr_nonnull(strstr(h.error, "Xen cannot set " GPU " apart"));
}
END_TEST

START_TEST(without_pciback_nothing_is_touched)
{
    char path[256];

    path_of(path, sizeof(path), "/sys/bus/pci/drivers/pciback/slots");
    unlink(path);
    path_of(path, sizeof(path), "/sys/bus/pci/drivers/pciback");
    rmdir(path);
    ck_assert_int_eq(handover_bind(&h, card, 2), -1);
    ck_assert_str_eq(h.error, "pciback is not there: `modprobe xen-pciback`, then try again");
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(a_device_without_a_record_goes_to_the_driver_that_wants_it)
{
    set_driver(GPU, "pciback"); /* hidden at boot */
    change_slots(GPU, true);
    natural = "amdgpu";
    ck_assert_int_eq(handover_release(&h, card, 1, drivers), 0);
    ck_drivers("amdgpu", "snd_hda_intel");
}
END_TEST

START_TEST(a_device_that_nobody_wants_is_free)
{
    set_driver(GPU, "pciback");
    ck_assert_int_eq(handover_release(&h, card, 1, drivers), 0);
    ck_assert_str_eq(drivers[0], "");
    ck_drivers("", "snd_hda_intel");
}
END_TEST

START_TEST(a_driver_that_does_not_come_back_is_told)
{
    ck_assert_int_eq(handover_bind(&h, card, 1), 0);
    is_ignored = "/drivers_probe";
    ck_assert_int_eq(handover_release(&h, card, 1, drivers), -1);
    ck_assert_str_eq(h.error,
                     GPU " does not go back to nouveau: `modprobe nouveau`, then `echo " GPU
                         " > /sys/bus/pci/drivers_probe`");
}
END_TEST

START_TEST(what_xen_keeps_is_not_handed_to_a_driver)
{
    ck_assert_int_eq(handover_bind(&h, card, 1), 0);
    fails = "quarantine";
    ck_assert_int_eq(handover_release(&h, card, 1, drivers), -1);
    ck_drivers("pciback", "snd_hda_intel");
}
END_TEST

START_TEST(the_others_are_given_back_when_one_fails)
{
    ck_assert_int_eq(handover_bind(&h, card, 2), 0);
    natural = "other";
    fails = GPU "/driver_override";
    ck_assert_int_eq(handover_release(&h, card, 2, drivers), -1);
    ck_assert_ptr_nonnull(strstr(h.error, GPU " does not go back to nouveau"));
    ck_drivers("other", "snd_hda_intel");
}
END_TEST

START_TEST(a_reset_is_written_and_the_device_must_answer)
{
    ck_assert_int_eq(handover_reset(&h, "reset", card, 1, card, 2), 0);
    ck_assert_str_eq(log_text, "/sys/bus/pci/devices/" GPU "/reset <- 1\n");
    make_file("/sys/bus/pci/devices/" AUDIO "/config", "\xff\xff\xff\xff");
    ck_assert_int_eq(handover_reset(&h, "reset", card, 1, card, 2), -1);
    ck_assert_str_eq(h.error, AUDIO " does not answer after the reset: only a restart of the host "
                                    "helps");
    ck_assert_uint_eq(pauses, 50);
}
END_TEST

START_TEST(a_reset_that_fails_is_told)
{
    fails = "/reset_subordinate";
    ck_assert_int_eq(handover_reset(&h, "reset_subordinate", card, 1, card, 2), -1);
    ck_assert_str_eq(h.error,
                     GPU " cannot be reset: Device or resource busy; `dmesg` may say more");
}
END_TEST

CHECK_FIXTURE_CASE(binding, set_up, tear_down,
                   all_functions_go_to_pciback_and_back_to_the_drivers_they_had,
                   what_is_bound_already_is_left_as_it_is,
                   a_second_function_that_is_in_use_undoes_the_first,
                   a_device_that_pciback_does_not_take_goes_back, a_bind_without_effect_is_noticed,
                   a_device_that_xen_cannot_set_apart_goes_back, without_pciback_nothing_is_touched)
CHECK_FIXTURE_CASE(releasing, set_up, tear_down,
                   a_device_without_a_record_goes_to_the_driver_that_wants_it,
                   a_device_that_nobody_wants_is_free, a_driver_that_does_not_come_back_is_told,
                   what_xen_keeps_is_not_handed_to_a_driver,
                   the_others_are_given_back_when_one_fails)
CHECK_FIXTURE_CASE(resetting, set_up, tear_down, a_reset_is_written_and_the_device_must_answer,
                   a_reset_that_fails_is_told)
CHECK_MAIN("pci handover", binding, releasing, resetting)
