/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/xen.c tools/pci/device.c tools/pci/address.c tools/pci/facts_file.c */
/* links: tools/pci/files.c */
/* What Xen says of PCI devices, by a Xen that consists of tables: how its answers are packed. */
#include "check_main.h"

#include <errno.h>

#include "pci_fixture.h"

/* Xen's headers are written in GNU C, and say so if the compiler is asked for strict C17. */
#pragma push_macro("__STRICT_ANSI__")
#undef __STRICT_ANSI__
#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>
#pragma pop_macro("__STRICT_ANSI__")

static struct {
    bool unreachable;
    bool hvm_directio;
    const char *console;  /* one line of Xen's log */
    uint32_t group_domid; /* the domain that 05:00.0 and 05:00.1 are Xen's of */
    uint32_t asked_place; /* of the last question about a group that was answered */
} fake;

static struct pci_fixture f;
static char error[256];

/* ---- the hypervisor ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
                                unsigned int flags)
{
    (void)logger, (void)dombuild_logger, (void)flags;
    errno = ENOENT;
    return fake.unreachable ? NULL : (xc_interface *)&fake;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

/* Two ranges for 00:02.0. */
int xc_reserved_device_memory_map(xc_interface *xch, uint32_t flags, uint16_t seg, uint8_t bus,
                                  uint8_t devfn, struct xen_reserved_device_memory entries[],
                                  uint32_t *max_entries)
{
    (void)xch;
    ck_assert_uint_eq(flags, 0);
    *max_entries = seg == 0 && bus == 0 && devfn == 2 << 3 ? 2 : 0;
    for (uint32_t i = 0; i < *max_entries; i++)
        entries[i] = (struct xen_reserved_device_memory){0x7b800 + 0x1000 * i, 2 + i};
    return 0;
}

/* It lists the others of the group, of the devices that the domain has, with the bus in bits 16 to
 * 23 and device and function in bits 8 to 15. */
int xc_get_device_group(xc_interface *xch, uint32_t domid, uint32_t machine_sbdf,
                        uint32_t max_sdevs, uint32_t *num_sdevs, uint32_t *sdev_array)
{
    (void)xch, (void)max_sdevs;
    *num_sdevs = 0;
    if (domid != fake.group_domid || (machine_sbdf & ~1u) != 0x0500)
        return 0;
    fake.asked_place = machine_sbdf;
    *num_sdevs = 1;
    sdev_array[0] = 0x05 << 16 | (machine_sbdf & 1 ? 0 : 1) << 8;
    return 0;
}

/* ---- libxl ---- */

int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags, xentoollog_logger *lg)
{
    (void)version, (void)flags, (void)lg;
    *pctx = (libxl_ctx *)&fake;
    return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    (void)ctx;
    return 0;
}

int libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *physinfo)
{
    (void)ctx;
    physinfo->cap_hvm_directio = fake.hvm_directio;
    return 0;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num_devs)
{
    libxl_pcitopology *devices = calloc(3, sizeof(*devices));

    (void)ctx;
    devices[0] = (libxl_pcitopology){.bus = 5, .devfn = 0, .node = 1};
    devices[1] = (libxl_pcitopology){.bus = 5, .devfn = 1, .node = LIBXL_PCITOPOLOGY_INVALID_ENTRY};
    devices[2] = (libxl_pcitopology){.bus = 9, .devfn = 8, .node = 3}; /* dom0 has no such one */
    *num_devs = 3;
    return devices;
}

void libxl_pcitopology_list_free(libxl_pcitopology *list, int num_devs)
{
    (void)num_devs;
    free(list);
}

libxl_xen_console_reader *libxl_xen_console_read_start(libxl_ctx *ctx, int clear)
{
    (void)ctx;
    ck_assert_int_eq(clear, 0);
    return (libxl_xen_console_reader *)&fake;
}

int libxl_xen_console_read_line(libxl_ctx *ctx, libxl_xen_console_reader *cr, char **line_r)
{
    static char line[80];

    (void)ctx, (void)cr;
    if (!fake.console)
        return 0;
    snprintf(line, sizeof(line), "%s", fake.console);
    fake.console = NULL;
    *line_r = line;
    return 1;
}

void libxl_xen_console_read_finish(libxl_ctx *ctx, libxl_xen_console_reader *cr)
{
    (void)ctx, (void)cr;
}

/* ---- xenstore ---- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return (struct xs_handle *)&fake;
}

void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
    const char *text = NULL;

    (void)h, (void)t;
    if (strcmp(path, "/libxl/pci/0000-00-1a-7/domid") == 0)
        text = "12";
    else if (strcmp(path, "/local/domain/12/name") == 0)
        text = "win10";
    *len = text ? (unsigned int)strlen(text) : 0;
    return text ? strdup(text) : NULL;
}

/* ---- the tests ---- */

static void set_up(void)
{
    memset(&fake, 0, sizeof(fake));
    fixture_init(&f);
    fixture_add(&f, "00:02.0");
    fixture_add(&f, "00:1a.7");
    fixture_add(&f, "05:00.0");
    fixture_add(&f, "05:00.1");
}

static void tear_down(void)
{
    free(f.host.reserved);
}

static struct pci_device *at(const char *address)
{
    return &f.devices[fixture_index(&f, address)];
}

START_TEST(a_xen_that_cannot_be_reached_leaves_all_unknown)
{
    fake.unreachable = true;
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_int_eq(f.host.machine.xen_asked, PCI_NO);
    ck_assert_int_eq(f.host.machine.hvm_directio, PCI_UNKNOWN);
    ck_assert_str_eq(f.host.machine.xen_problem,
                     "cannot open /dev/xen/privcmd: No such file or directory");
}
END_TEST

START_TEST(the_iommu_and_the_log_are_asked_for)
{
    fake.hvm_directio = true;
    fake.console = "(XEN) Interrupt remapping enabled";
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_int_eq(f.host.machine.xen_asked, PCI_YES);
    ck_assert_int_eq(f.host.machine.hvm_directio, PCI_YES);
    ck_assert_int_eq(f.host.machine.interrupt_remapping, PCI_YES);
    fake.hvm_directio = false;
    fake.console = "(XEN) Interrupt remapping disabled";
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_int_eq(f.host.machine.hvm_directio, PCI_NO);
    ck_assert_int_eq(f.host.machine.interrupt_remapping, PCI_NO);
}
END_TEST

START_TEST(nodes_owners_and_reserved_memory_come_to_the_right_devices)
{
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_uint_eq(at("05:00.0")->node, 1);
    ck_assert_uint_eq(at("05:00.1")->node, PCI_NO_NODE);
    ck_assert_uint_eq(at("00:1a.7")->owner_domid, 12);
    ck_assert_str_eq(at("00:1a.7")->owner_name, "win10");
    ck_assert_uint_eq(at("00:02.0")->owner_domid, PCI_NO_DOMAIN);
    ck_assert_uint_eq(f.host.reserved_count, 2);
    ck_assert_uint_eq(f.host.reserved[1].device, fixture_index(&f, "00:02.0"));
    ck_assert_uint_eq(f.host.reserved[1].start, 0x7c800000);
    ck_assert_uint_eq(f.host.reserved[1].size, 3 * 4096);
}
END_TEST

START_TEST(a_group_is_asked_of_dom0_or_the_guest_that_has_the_device)
{
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_uint_ne(at("05:00.0")->xen_group, 0);
    ck_assert_uint_eq(at("05:00.0")->xen_group, at("05:00.1")->xen_group);
    ck_assert_uint_eq(at("00:02.0")->xen_group, 0);
    ck_assert_uint_eq(fake.asked_place, 0x0501);
}
END_TEST

START_TEST(of_what_no_domain_has_xen_tells_no_group)
{
    fake.group_domid = DOMID_IO;
    ck_assert_int_eq(pci_ask_xen(&f.host, error, sizeof(error)), 0);
    ck_assert_uint_eq(at("05:00.0")->xen_group, 0);
}
END_TEST

CHECK_FIXTURE_CASE(answers, set_up, tear_down, a_xen_that_cannot_be_reached_leaves_all_unknown,
                   the_iommu_and_the_log_are_asked_for,
                   nodes_owners_and_reserved_memory_come_to_the_right_devices,
                   a_group_is_asked_of_dom0_or_the_guest_that_has_the_device,
                   of_what_no_domain_has_xen_tells_no_group)
CHECK_MAIN("pci_xen", answers)
