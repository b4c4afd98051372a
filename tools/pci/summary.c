/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the capabilities say, as far as decisions need it. */
#include "config_space.h"

#include <string.h>

/* Access Control Services, of both registers: what Linux, too, wants of a port. */
#define ACS_SOURCE_VALIDATION   0x01
#define ACS_REQUEST_REDIRECT    0x04
#define ACS_COMPLETION_REDIRECT 0x08
#define ACS_UPSTREAM_FORWARDING 0x10
#define ACS_ISOLATES                                                                               \
    (ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT |                      \
     ACS_UPSTREAM_FORWARDING)

/* A register of one capability. */
struct source {
    const struct pci_config *config;
    size_t offset;
};

typedef void reader(struct source at, struct pci_summary *s);

static reader read_pm, read_msi, read_express, read_msix, read_af, read_serial, read_acs, read_ari,
    read_sriov, read_resizable;

static const struct {
    bool extended;
    uint16_t id;
    reader *read;
} readers[] = {
    {false, PCI_CAPABILITY_POWER_MANAGEMENT, read_pm},
    {false, PCI_CAPABILITY_MSI, read_msi},
    {false, PCI_CAPABILITY_EXPRESS, read_express},
    {false, PCI_CAPABILITY_MSIX, read_msix},
    {false, PCI_CAPABILITY_ADVANCED_FEATURES, read_af},
    {true, PCI_EXTENDED_SERIAL_NUMBER, read_serial},
    {true, PCI_EXTENDED_ACS, read_acs},
    {true, PCI_EXTENDED_ARI, read_ari},
    {true, PCI_EXTENDED_SRIOV, read_sriov},
    {true, PCI_EXTENDED_RESIZABLE_BAR, read_resizable},
};

void pci_summarize(const struct pci_config *config, const struct pci_capabilities *capabilities,
                   struct pci_summary *summary_out)
{
    memset(summary_out, 0, sizeof(*summary_out));
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        const struct pci_capability *c =
            pci_capability_get(capabilities, readers[i].extended, readers[i].id);

        if (c)
            readers[i].read((struct source){config, c->offset}, summary_out);
    }
}

bool pci_summary_isolates(const struct pci_summary *summary)
{
    /* What a function has no switch for, it does always. */
    uint16_t needed = ACS_ISOLATES & summary->acs.capabilities;

    return summary->acs.present && (summary->acs.control & needed) == needed;
}

/* What cannot be read is 0. */
static uint64_t get(struct source at, size_t offset, unsigned int bytes)
{
    uint64_t value;

    pci_config_read(at.config, at.offset + offset, bytes, &value);
    return value;
}

static void read_pm(struct source at, struct pci_summary *s)
{
    uint64_t control = get(at, 4, 2);

    s->pm.present = true;
    s->pm.state = control & 3;
    s->pm.no_soft_reset = control >> 3 & 1;
}

static void read_msi(struct source at, struct pci_summary *s)
{
    uint64_t control = get(at, 2, 2);

    s->msi.present = true;
    s->msi.enabled = control & 1;
    s->msi.capable = (uint8_t)(1 << (control >> 1 & 7));
    s->msi.granted = (uint8_t)(1 << (control >> 4 & 7));
    s->msi.is_64bit = control >> 7 & 1;
    s->msi.maskable = control >> 8 & 1;
    s->msi.address = get(at, 4, s->msi.is_64bit ? 8 : 4);
    s->msi.data = (uint16_t)get(at, s->msi.is_64bit ? 12 : 8, 2);
}

static void read_express(struct source at, struct pci_summary *s)
{
    uint64_t capabilities = get(at, 2, 2);

    s->express.present = true;
    s->express.version = capabilities & 0xf;
    s->express.port_type = capabilities >> 4 & 0xf;
    s->express.slot = capabilities >> 8 & 1;
    s->express.flr = get(at, 4, 4) >> 28 & 1;
}

static void read_msix(struct source at, struct pci_summary *s)
{
    uint64_t control = get(at, 2, 2), table = get(at, 4, 4), pba = get(at, 8, 4);

    s->msix.present = true;
    s->msix.enabled = control >> 15 & 1;
    s->msix.masked = control >> 14 & 1;
    s->msix.vectors = (uint16_t)((control & 0x7ff) + 1);
    s->msix.table_bar = table & 7;
    s->msix.table_offset = (uint32_t)table & ~7u;
    s->msix.pba_bar = pba & 7;
    s->msix.pba_offset = (uint32_t)pba & ~7u;
}

static void read_af(struct source at, struct pci_summary *s)
{
    uint64_t capabilities = get(at, 3, 1);

    s->af.present = true;
    s->af.transactions_pending = capabilities & 1;
    s->af.flr = capabilities >> 1 & 1;
}

static void read_serial(struct source at, struct pci_summary *s)
{
    s->serial.present = true;
    s->serial.number = get(at, 4, 8);
}

static void read_acs(struct source at, struct pci_summary *s)
{
    s->acs.present = true;
    s->acs.capabilities = (uint16_t)get(at, 4, 2);
    s->acs.control = (uint16_t)get(at, 6, 2);
}

static void read_ari(struct source at, struct pci_summary *s)
{
    s->ari.present = true;
    s->ari.next_function = get(at, 4, 2) >> 8 & 0xff;
}

static void read_sriov(struct source at, struct pci_summary *s)
{
    s->sriov.present = true;
    s->sriov.enabled = get(at, 8, 2) & 1;
    s->sriov.total = (uint16_t)get(at, 14, 2);
    s->sriov.count = (uint16_t)get(at, 16, 2);
    s->sriov.first_offset = (uint16_t)get(at, 20, 2);
    s->sriov.stride = (uint16_t)get(at, 22, 2);
    s->sriov.device_id = (uint16_t)get(at, 26, 2);
}

static void read_resizable(struct source at, struct pci_summary *s)
{
    size_t count = get(at, 8, 4) >> 5 & 7;

    for (size_t i = 0; i < count && i < PCI_RESIZABLE_MAX; i++) {
        uint64_t capability = get(at, 4 + 8 * i, 4), control = get(at, 8 + 8 * i, 4);

        s->resizable.bars[s->resizable.count++] = (struct pci_resizable){
            .bar = control & 7,
            .current = control >> 8 & 0x3f,
            .sizes = capability >> 4 | (control >> 16) << 28,
        };
    }
}
