/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is good and what is not about a host or a device, for passthrough; pure. */
#ifndef PCI_FINDINGS_H
#define PCI_FINDINGS_H

#include "pci.h"

enum pci_grade { PCI_GOOD, PCI_WARNING, PCI_FAILURE };

#define PCI_SENTENCE_SIZE 768

struct pci_finding {
    enum pci_grade grade;
    const char *code; /* a name for programs: "iommu", "no-reset" */
    size_t device;    /* that it is about, or PCI_NO_DEVICE: the host */
    char what[PCI_SENTENCE_SIZE];
    char evidence[PCI_SENTENCE_SIZE]; /* where that was seen */
    char mend[PCI_SENTENCE_SIZE];     /* "" for what is good */
};

typedef void pci_finding_listener(void *context, const struct pci_finding *finding);

/* Whether the host is ready. */
void pci_check_host(const struct pci_host *host, pci_finding_listener *tell, void *context);

/* Whether a device can be given to a guest, and what to know before: only what is not good. */
void pci_check_device(const struct pci_host *host, size_t device, pci_finding_listener *tell,
                      void *context);

/* Whether it can be given to a guest now: whose it is, and, when there are no other findings (bad),
 * that it can be; tells one finding at most. */
void pci_check_availability(const struct pci_host *host, size_t device, bool bad,
                            pci_finding_listener *tell, void *context);

const char *pci_grade_name(enum pci_grade grade); /* "ok", "warn", "fail" */

/* The version of Xen as 0xMMmm, 0x0411 for 4.17; 0: unknown. */
unsigned int pci_xen_release(const struct pci_machine *machine);

#endif
