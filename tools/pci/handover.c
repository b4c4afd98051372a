/* SPDX-License-Identifier: LGPL-2.1-only */
#include "handover.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEVICES "/sys/bus/pci/devices"
#define DRIVERS "/sys/bus/pci/drivers"
#define PCIBACK "pciback"
#define LOOKS   50 /* at a tenth of a second: what takes longer has failed */

static int bind_one(struct handover *h, const struct pci_address *f);
static int release_one(struct handover *h, const struct pci_address *f, char *driver_out);
static int unbind(struct handover *h, const struct pci_address *f, const char *driver);
static int claim(struct handover *h, const struct pci_address *f);
static void put_back(struct handover *h, const struct pci_address *f);
static int find_driver(struct handover *h, const struct pci_address *f, const char *wanted,
                       char *driver_out);
static int check_answers(struct handover *h, const struct pci_address *f);
static bool comes_true(struct handover *h, const struct pci_address *f, const char *driver);
static bool is_slot(const struct handover *h, const char *address);
static int put(struct handover *h, const char *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct handover *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct handover *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void record_path(const struct pci_address *f, char path[FILES_PATH_SIZE]);

/* ---- to pciback ---- */

int handover_bind(struct handover *h, const struct pci_address *functions, size_t count)
{
    if (!files_exist(&h->files, DRIVERS "/" PCIBACK))
        return fail(h, "pciback is not there: `modprobe xen-pciback`, then try again");
    for (size_t i = 0; i < count; i++) {
        if (bind_one(h, &functions[i]) == 0)
            continue;
        while (i > 0)
            put_back(h, &functions[--i]);
        return -1;
    }
    return 0;
}

static int bind_one(struct handover *h, const struct pci_address *f)
{
    char address[PCI_ADDRESS_SIZE], driver[PCI_NAME_SIZE], path[FILES_PATH_SIZE];
    int rc;

    pci_address_format(f, address);
    handover_driver(h, f, driver);
    if (strcmp(driver, PCIBACK) == 0) {
        tell(h, "%s is bound to pciback already", address);
        return 0;
    }
    record_path(f, path);
    rc = put(h, driver, "%s", path);
    if (rc < 0)
        return fail(h, "cannot write down that %s had the driver %s: %s", address, driver,
                    strerror(-rc));
    if (driver[0] && unbind(h, f, driver) < 0)
        return -1;
    if (claim(h, f) == 0)
        return 0;
    put_back(h, f);
    return -1;
}

static int unbind(struct handover *h, const struct pci_address *f, const char *driver)
{
    char address[PCI_ADDRESS_SIZE];
    int rc;

    pci_address_format(f, address);
    rc = put(h, address, DRIVERS "/%s/unbind", driver);
    if (rc < 0)
        return fail(h, "%s cannot be taken from %s: %s", address, driver, strerror(-rc));
    if (!comes_true(h, f, ""))
        return fail(h, "%s stays with %s: something uses it", address, driver);
    tell(h, "%s taken from %s", address, driver);
    return 0;
}

/* By the same steps as xl pci-assignable-add. */
static int claim(struct handover *h, const struct pci_address *f)
{
    char address[PCI_ADDRESS_SIZE];
    int rc = 0;

    pci_address_format(f, address);
    if (!is_slot(h, address))
        rc = put(h, address, DRIVERS "/" PCIBACK "/new_slot");
    if (rc == 0)
        rc = put(h, address, DRIVERS "/" PCIBACK "/bind");
    if (rc < 0)
        return fail(h, "pciback does not take %s: %s; `dmesg` says why", address, strerror(-rc));
    if (!comes_true(h, f, PCIBACK))
        return fail(h, "pciback does not take %s; `dmesg` says why", address);
    rc = h->quarantine ? h->quarantine(h->arg, f, true) : 0;
    if (rc < 0)
        return fail(h, "Xen cannot set %s apart: %s; `xl dmesg` says why", address, strerror(-rc));
    tell(h, "%s bound to pciback", address);
    return 0;
}

/* Undoes what bind_one did; what goes wrong now is not told over the first failure. */
static void put_back(struct handover *h, const struct pci_address *f)
{
    char first[sizeof(h->error)], driver[PCI_NAME_SIZE];

    memcpy(first, h->error, sizeof(first));
    release_one(h, f, driver);
    memcpy(h->error, first, sizeof(first));
}

/* ---- and back ---- */

int handover_release(struct handover *h, const struct pci_address *functions, size_t count,
                     char drivers_out[][PCI_NAME_SIZE])
{
    char first[sizeof(h->error)] = "";

    for (size_t i = 0; i < count; i++)
        if (release_one(h, &functions[i], drivers_out[i]) < 0 && !first[0])
            memcpy(first, h->error, sizeof(first));
    if (!first[0])
        return 0;
    memcpy(h->error, first, sizeof(first));
    return -1;
}

static int release_one(struct handover *h, const struct pci_address *f, char *driver_out)
{
    char address[PCI_ADDRESS_SIZE], driver[PCI_NAME_SIZE], path[FILES_PATH_SIZE];
    char wanted[PCI_NAME_SIZE];
    int rc;

    pci_address_format(f, address);
    record_path(f, path);
    files_read(&h->files, path, wanted, sizeof(wanted));
    handover_driver(h, f, driver);
    if (strcmp(driver, PCIBACK) == 0) {
        rc = h->quarantine ? h->quarantine(h->arg, f, false) : 0;
        if (rc < 0)
            return fail(h, "Xen does not give %s back to dom0: %s; `xl dmesg` says why", address,
                        strerror(-rc));
        if (unbind(h, f, PCIBACK) < 0)
            return -1;
        driver[0] = '\0';
    }
    if (is_slot(h, address)) {
        rc = put(h, address, DRIVERS "/" PCIBACK "/remove_slot");
        if (rc < 0)
            return fail(h, "pciback does not forget %s: %s", address, strerror(-rc));
    }
    if (driver[0]) {
        snprintf(driver_out, PCI_NAME_SIZE, "%s", driver);
        tell(h, "%s is with %s already", address, driver);
        return 0;
    }
    return find_driver(h, f, wanted, driver_out);
}

/* Lets the kernel find a driver, and insists on the one that it had. */
static int find_driver(struct handover *h, const struct pci_address *f, const char *wanted,
                       char *driver_out)
{
    char address[PCI_ADDRESS_SIZE];
    int rc;

    pci_address_format(f, address);
    if (wanted[0])
        put(h, wanted, DEVICES "/%s/driver_override", address); /* old kernels have none */
    rc = put(h, address, "/sys/bus/pci/drivers_probe");
    if (rc < 0)
        return fail(h, "the kernel does not look for a driver of %s: %s", address, strerror(-rc));
    if (wanted[0] && !comes_true(h, f, wanted))
        rc = fail(h,
                  "%s does not go back to %s: `modprobe %s`, then "
                  "`echo %s > /sys/bus/pci/drivers_probe`",
                  address, wanted, wanted, address);
    put(h, "\n", DEVICES "/%s/driver_override", address);
    handover_driver(h, f, driver_out);
    if (driver_out[0])
        tell(h, "%s is with %s again", address, driver_out);
    else if (rc == 0)
        tell(h, "%s is free: no driver of dom0 wants it", address);
    return rc;
}

/* ---- reset ---- */

int handover_reset(struct handover *h, const char *attribute, const struct pci_address *switches,
                   size_t switch_count, const struct pci_address *functions, size_t count)
{
    char address[PCI_ADDRESS_SIZE];

    for (size_t i = 0; i < switch_count; i++) {
        int rc =
            put(h, "1", DEVICES "/%s/%s", pci_address_format(&switches[i], address), attribute);

        if (rc < 0)
            return fail(h, "%s cannot be reset: %s; `dmesg` may say more", address, strerror(-rc));
        tell(h, "%s: %s done", address, attribute);
    }
    for (size_t i = 0; i < count; i++)
        if (check_answers(h, &functions[i]) < 0)
            return -1;
    return 0;
}

/* One that is lost reads as all ones. */
static int check_answers(struct handover *h, const struct pci_address *f)
{
    char address[PCI_ADDRESS_SIZE], path[FILES_PATH_SIZE];
    unsigned char id[4];

    pci_address_format(f, address);
    snprintf(path, sizeof(path), DEVICES "/%s/config", address);
    for (int looks = 0; looks < LOOKS; looks++) {
        FILE *config = files_open(&h->files, path);
        size_t got = config ? fread(id, 1, sizeof(id), config) : 0;

        if (config)
            fclose(config);
        if (got == sizeof(id) && memcmp(id, "\xff\xff\xff\xff", 4) != 0)
            return 0;
        h->pause(h->arg);
    }
    return fail(h, "%s does not answer after the reset: only a restart of the host helps", address);
}

/* ---- looking and writing ---- */

void handover_driver(const struct handover *h, const struct pci_address *address,
                     char driver[PCI_NAME_SIZE])
{
    char text[PCI_ADDRESS_SIZE], path[FILES_PATH_SIZE], resolved[FILES_PATH_SIZE];
    const char *name;

    driver[0] = '\0';
    snprintf(path, sizeof(path), DEVICES "/%s/driver", pci_address_format(address, text));
    if (!files_resolve(&h->files, path, resolved, sizeof(resolved)))
        return;
    name = strrchr(resolved, '/');
    snprintf(driver, PCI_NAME_SIZE, "%.*s", PCI_NAME_SIZE - 1, name ? name + 1 : resolved);
}

static bool comes_true(struct handover *h, const struct pci_address *f, const char *driver)
{
    char now[PCI_NAME_SIZE];

    for (int looks = 0; looks < LOOKS; looks++) {
        handover_driver(h, f, now);
        if (strcmp(now, driver) == 0)
            return true;
        h->pause(h->arg);
    }
    return false;
}

/* Whether pciback knows the slot: one address a line. */
static bool is_slot(const struct handover *h, const char *address)
{
    char slots[8192];

    return files_read(&h->files, DRIVERS "/" PCIBACK "/slots", slots, sizeof(slots)) &&
           strstr(slots, address);
}

static void record_path(const struct pci_address *f, char path[FILES_PATH_SIZE])
{
    char address[PCI_ADDRESS_SIZE];

    snprintf(path, FILES_PATH_SIZE, HANDOVER_RECORDS "/%s", pci_address_format(f, address));
}

static int put(struct handover *h, const char *text, const char *format, ...)
{
    char path[FILES_PATH_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    return h->write(h->arg, path, text);
}

static int fail(struct handover *h, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(h->error, sizeof(h->error), format, arguments);
    va_end(arguments);
    return -1;
}

static void tell(struct handover *h, const char *format, ...)
{
    char step[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(step, sizeof(step), format, arguments);
    va_end(arguments);
    if (h->tell)
        h->tell(h->arg, step);
}
