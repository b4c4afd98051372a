/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Counts what a program asks of the hypervisor. Loaded into it with LD_PRELOAD, by hypercalls.py;
 * it writes to the file that $HYPERCALLS names:
 *
 *   burst NAME=COUNT...              the hypercalls between two waits of the program (ppoll)
 *   set DOMID VCPU HARD SOFT WORD    an affinity that it writes: masks in hexadecimal, "-" for one
 *                                    that is not written. WORD "same": this is what Xen has already
 *
 * A set stands before the burst that it is part of.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xen/sys/privcmd.h>

#define MASK_BYTES     8  /* the laboratory's machines have no more than 64 pCPUs, */
#define MASK_BYTES_MAX 64 /* but Xen may have room for more */

struct kind {
    uint64_t op;
    uint32_t command; /* of a domctl or sysctl */
    const char *name;
    unsigned int count;
};

static struct kind kinds[] = {
    {__HYPERVISOR_sysctl, XEN_SYSCTL_physinfo, "physinfo", 0},
    {__HYPERVISOR_sysctl, XEN_SYSCTL_cpupool_op, "cpupool", 0},
    {__HYPERVISOR_sysctl, XEN_SYSCTL_getcpuinfo, "cpuinfo", 0},
    {__HYPERVISOR_sysctl, XEN_SYSCTL_getdomaininfolist, "list", 0},
    {__HYPERVISOR_sysctl, XEN_SYSCTL_cputopoinfo, "topology", 0},
    {__HYPERVISOR_domctl, XEN_DOMCTL_getvcpuinfo, "vcpu", 0},
    {__HYPERVISOR_domctl, XEN_DOMCTL_getvcpuaffinity, "affinity", 0},
    {__HYPERVISOR_domctl, XEN_DOMCTL_setvcpuaffinity, "set", 0},
    {__HYPERVISOR_domctl, XEN_DOMCTL_scheduler_op, "scheduler", 0},
    {0, 0, "other", 0}, /* the last */
};

static FILE *out;
static bool counting = true; /* not what is asked here */

static void open_out(void)
{
    const char *path = getenv("HYPERCALLS");

    if (!out)
        out = fopen(path ? path : "/run/hypercalls", "ae");
    if (!out)
        abort();
    setvbuf(out, NULL, _IOLBF, 0);
}

static struct kind *kind_of(const privcmd_hypercall_t *call)
{
    struct kind *kind = kinds;
    uint32_t command = 0;

    if (call->op == __HYPERVISOR_domctl || call->op == __HYPERVISOR_sysctl)
        command = *(const uint32_t *)(uintptr_t)call->arg[0]; /* the first field of both */
    while (strcmp(kind->name, "other") != 0 && (kind->op != call->op || kind->command != command))
        kind++;
    return kind;
}

/* ---- writes of affinity ---- */

static uint64_t mask_of(const uint8_t *bytes, size_t size)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < size && i < MASK_BYTES; i++)
        mask |= (uint64_t)bytes[i] << (8 * i);
    return mask;
}

/* Prints one mask that is written, if it is; returns whether it differs from what is there. */
static bool print_mask(const struct xenctl_bitmap *wanted, bool written, const uint8_t *now,
                       uint64_t every)
{
    uint64_t mask;

    if (!written) {
        fputs(" -", out);
        return false;
    }
    mask = mask_of(wanted->bitmap.p, (wanted->nr_bits + 7) / 8) & every;
    fprintf(out, " %" PRIx64, mask);
    return mask != (mask_of(now, MASK_BYTES) & every);
}

static void note_set(const struct xen_domctl *domctl)
{
    static xc_interface *xen;
    const struct xen_domctl_vcpuaffinity *wanted = &domctl->u.vcpuaffinity;
    uint8_t hard[MASK_BYTES_MAX] = {0}, soft[MASK_BYTES_MAX] = {0};
    uint64_t every;
    bool differs;

    counting = false;
    if (!xen)
        xen = xc_interface_open(NULL, NULL, 0);
    if (!xen || xc_vcpu_getaffinity(xen, domctl->domain, (int)wanted->vcpu, hard, soft,
                                    XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT) < 0)
        abort();
    every = UINT64_MAX >> (64 - xc_get_max_cpus(xen));
    counting = true;

    fprintf(out, "set %u %u", domctl->domain, wanted->vcpu);
    differs = print_mask(&wanted->cpumap_hard, wanted->flags & XEN_VCPUAFFINITY_HARD, hard, every);
    differs |= print_mask(&wanted->cpumap_soft, wanted->flags & XEN_VCPUAFFINITY_SOFT, soft, every);
    fputs(differs ? " new\n" : " same\n", out);
}

/* ---- what the program calls ---- */

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    if (counting && request == IOCTL_PRIVCMD_HYPERCALL) {
        const privcmd_hypercall_t *call = argument;
        struct kind *kind = kind_of(call);

        open_out();
        kind->count++;
        if (strcmp(kind->name, "set") == 0)
            note_set((const struct xen_domctl *)(uintptr_t)call->arg[0]);
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
    bool any = false;

    for (size_t i = 0; i < kind_count; i++) {
        if (!kinds[i].count)
            continue;
        fprintf(out, "%s%s=%u", any ? " " : "burst ", kinds[i].name, kinds[i].count);
        kinds[i].count = 0;
        any = true;
    }
    if (any)
        fputc('\n', out);
    *(void **)&next = dlsym(RTLD_NEXT, "ppoll");
    return next(fds, count, timeout, mask);
}
