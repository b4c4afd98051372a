/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices as JSON (docs/formats.md). Each writes keys into the object that is open. */
#ifndef PCI_JSON_DEVICE_H
#define PCI_JSON_DEVICE_H

#include "findings.h"
#include "json/json.h"
#include "pci.h"

/* All but the capabilities' fields. What is unknown is null. */
void json_put_device(struct xlp_json_writer *w, const struct pci_host *host, size_t device);

/* "capabilities": each with all of its fields. */
void json_put_capabilities(struct xlp_json_writer *w, const struct pci_device *d);

/* One finding, as an object of its own. */
void json_write_finding(struct xlp_json_writer *w, const struct pci_host *host,
                        const struct pci_finding *finding);

#endif
