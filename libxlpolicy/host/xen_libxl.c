/* SPDX-License-Identifier: LGPL-2.1-only */
/* libxl, for what is the toolstack's to do: balloon targets, weights, and how a domain was
 * configured. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "xen.h"

#define LIBXL_FILES "/var/lib/xen" /* XEN_LIB_DIR */

/* ---- what the Xen libraries have to say ---- */

/* Their complaints become the detail of our own errors: the last one before a call fails tells
 * most. They are written for a terminal; nothing is printed. */
static void __attribute__((format(printf, 5, 0)))
log_message(struct xentoollog_logger *base, xentoollog_level level, int error, const char *context,
            const char *format, va_list args)
{
    struct xen_logger *logger = (struct xen_logger *)base;
    size_t used;

    (void)context;
    if (level < XTL_ERROR)
        return;
    vsnprintf(logger->last, sizeof(logger->last), format, args);
    used = strlen(logger->last);
    while (used && (logger->last[used - 1] == '\n' || logger->last[used - 1] == ' '))
        logger->last[--used] = '\0';
    if (error >= 0)
        snprintf(logger->last + used, sizeof(logger->last) - used, ": %s", strerror(error));
}

static void log_destroy(struct xentoollog_logger *base)
{
    (void)base; /* it is part of the host */
}

void xlp_xen_logger_init(struct xen_logger *logger)
{
    memset(logger, 0, sizeof(*logger));
    logger->vtable.vmessage = log_message;
    logger->vtable.destroy = log_destroy;
}

/* ---- the context ---- */

int xlp_xen_libxl_open(struct xen_host *h)
{
    if (libxl_ctx_alloc(&h->libxl, LIBXL_VERSION, 0, &h->logger.vtable) == 0)
        return 0;
    snprintf(h->base.error, sizeof(h->base.error), "cannot use libxl: %s",
             h->logger.last[0] ? h->logger.last : "it gives no reason");
    return -1;
}

void xlp_xen_libxl_close(struct xen_host *h)
{
    libxl_ctx_free(h->libxl);
}

/* ---- a domain's files ---- */

/* libxl waits for this lock without end; whoever holds it may hang. What is left is the moment
 * between our question and libxl's. */
bool xlp_xen_libxl_is_locked(const struct xen_domain *d)
{
    char uuid[XLP_UUID_TEXT_SIZE], path[128];
    bool locked;
    int fd;

    snprintf(path, sizeof(path), LIBXL_FILES "/userdata-l.%u.%s.domain-userdata-lock", d->domid,
             xlp_uuid_format(d->uuid, uuid));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false; /* it is there while someone has it */
    locked = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

/* libxl keeps it as JSON in a file of the domain, written before the domain first runs. Its own
 * call for it (retrieve_domain_configuration) also asks the device model, which may take seconds;
 * this is only the file. Another toolstack leaves none: then its devices alone tell. The file says
 * what was asked for: a list of devices enables passthrough without a word about it. */
enum xen_iommu xlp_xen_libxl_iommu(struct xen_host *h, const struct xen_domain *d)
{
    libxl_domain_config config;
    uint8_t *data = NULL;
    char *json = NULL;
    int length = 0;
    enum xen_iommu iommu = XEN_IOMMU_UNKNOWN;

    if (xlp_xen_libxl_is_locked(d))
        return XEN_IOMMU_UNKNOWN;
    libxl_domain_config_init(&config);
    if (libxl_userdata_retrieve(h->libxl, d->domid, "libxl-json", &data, &length) != 0)
        goto out;
    if (!data) {
        iommu = XEN_IOMMU_NO;
        goto out;
    }
    json = strndup((const char *)data, (size_t)length);
    if (!json || libxl_domain_config_from_json(h->libxl, &config, json) != 0)
        goto out;
    iommu = config.num_pcidevs > 0 || (config.c_info.passthrough != LIBXL_PASSTHROUGH_DEFAULT &&
                                       config.c_info.passthrough != LIBXL_PASSTHROUGH_DISABLED)
                ? XEN_IOMMU_YES
                : XEN_IOMMU_NO;
out:
    libxl_domain_config_dispose(&config);
    free(json);
    free(data);
    return iommu;
}

/* ---- the weight ---- */

/* libxl finds out the scheduler of its pool, and leaves the cap as it is. */
int xlp_xen_libxl_set_weight(struct xen_host *h, uint32_t domid, uint32_t weight)
{
    libxl_domain_sched_params params;
    int rc;

    h->logger.last[0] = '\0';
    libxl_domain_sched_params_init(&params);
    params.weight = (int)weight;
    rc = libxl_domain_sched_params_set(h->libxl, domid, &params);
    libxl_domain_sched_params_dispose(&params);
    return rc == 0 ? 0 : -1;
}

/* ---- the target ---- */

/* An absolute target counts video RAM in. Not enforced: libxl would set the limit to the target at
 * once, below what a guest has that is told to shrink; we set the limit ourselves. */
void xlp_xen_libxl_make_dom0_target(struct xen_host *h)
{
    uint64_t target_kib;

    libxl_get_memory_target(h->libxl, 0, &target_kib);
}

int xlp_xen_libxl_set_target(struct xen_host *h, const struct xen_domain *d, int64_t target_kib)
{
    h->logger.last[0] = '\0';
    return libxl_set_memory_target(h->libxl, d->domid, target_kib + d->video_kib, 0, 0) == 0 ? 0
                                                                                             : -1;
}
