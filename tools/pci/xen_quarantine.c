/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices that Xen keeps from everybody: they belong to DOMID_IO, a domain without memory. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>

/* Xen's headers are written in GNU C, and say so if the compiler is asked for strict C17. */
#pragma push_macro("__STRICT_ANSI__")
#undef __STRICT_ANSI__
#include <xenctrl.h>
#include <xentoollog.h>
#pragma pop_macro("__STRICT_ANSI__")

/* Where a device cannot be assigned to anybody, nothing keeps dom0 from it. */
static bool no_iommu(int code)
{
    return code == ENODEV || code == ENOSYS || code == EOPNOTSUPP;
}

/* A device may or may not be there already (it is after a guest had it, and after `xl
 * pci-assignable-add`; not after hide= at boot), so it is put there before it is taken out. */
int xen_quarantine(const struct pci_address *address, bool on)
{
    uint32_t number = address->domain << 16 | (uint32_t)address->bus << 8 |
                      (uint32_t)address->device << 3 | address->function;
    xentoollog_logger_stdiostream *quiet = xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    xc_interface *xc = xc_interface_open((xentoollog_logger *)quiet, NULL, 0);
    int rc = 0;

    if (xc && xc_assign_device(xc, DOMID_IO, number, XEN_DOMCTL_DEV_RDM_RELAXED) < 0 && on)
        rc = no_iommu(errno) ? 0 : -errno;
    if (xc && !on && xc_deassign_device(xc, DOMID_IO, number) < 0)
        rc = no_iommu(errno) ? 0 : -errno;
    if (xc)
        xc_interface_close(xc);
    if (quiet)
        xtl_logger_destroy((xentoollog_logger *)quiet);
    return rc;
}
