/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The Xen adapter alone, for tests in dom0: carries out what the command line says, then prints the
 * snapshot as JSON. Built by check_adapter.py.
 *
 *   hosttool [--read-only] [STEP]...
 *
 *   place DOMID VCPU HARD SOFT      masks in xl's notation
 *   adopt DOMID VCPU
 *   unplace DOMID VCPU HARD SOFT    write these masks and forget the record
 *   weigh DOMID WEIGHT
 *   unweigh DOMID WEIGHT            back to this and forget the record
 *   keepweight DOMID                its weight is ours to change
 *   target DOMID KIB LIMIT_KIB      LIMIT_KIB 0: leave the limit
 *   untarget DOMID KIB LIMIT_KIB    back to these and forget the record
 *   release DOMID, keep DOMID       set and clear the mark "hands off"
 *   lock FILE                       holds this file's lock to the end, as a libxl that hangs
 *   look                            observe anew; every action does so before it
 *   blind                           except the next one, which goes by the look before
 *   wait MS                         until then, or an event; says which
 *   watch COUNT MS                  COUNT looks, a line on each vCPU's samples
 *
 * What became of each action is one line on stderr.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "host/host.h"
#include "json/json.h"

struct tool {
    struct xlp_host *host;
    struct xlp_snapshot s;
    bool blind;   /* no look before the next action */
    char **words; /* what is left of the command line */
};

static int run_step(struct tool *t, const char *verb);
static void print_snapshot(const struct xlp_snapshot *s);

int main(int argc, char **argv)
{
    struct tool t = {.words = argv + 1};
    unsigned int flags = 0;
    bool no_host = false;
    char error[XLP_HOST_ERROR_SIZE];
    int rc = 0;

    (void)argc;
    if (*t.words && strcmp(*t.words, "--read-only") == 0) {
        flags = XLP_HOST_READ_ONLY;
        t.words++;
    }
    t.host = xlp_host_xen_open(flags, &no_host, error, sizeof(error));
    if (!t.host) {
        fprintf(stderr, "hosttool: %s\n", error);
        return no_host ? 3 : 1;
    }
    xlp_snapshot_init(&t.s);
    while (rc == 0 && *t.words)
        rc = run_step(&t, *t.words++);
    if (rc == 0)
        rc = t.host->ops->observe(t.host, &t.s);
    if (rc < 0)
        fprintf(stderr, "hosttool: %s\n", xlp_host_error(t.host));
    else if (xlp_snapshot_check(&t.s, error, sizeof(error)) < 0)
        fprintf(stderr, "hosttool: the snapshot is not sound: %s\n", error), rc = -1;
    else
        print_snapshot(&t.s);
    xlp_snapshot_dispose(&t.s);
    t.host->ops->close(t.host);
    return rc < 0 ? 1 : 0;
}

static const char *word(struct tool *t)
{
    if (!*t->words) {
        fprintf(stderr, "hosttool: a word is missing at the end\n");
        exit(2);
    }
    return *t->words++;
}

static int64_t number(struct tool *t)
{
    return strtoll(word(t), NULL, 10);
}

static struct xlp_cpumap map(struct tool *t)
{
    struct xlp_cpumap cpus;
    const char *text = word(t);

    if (xlp_cpumap_parse(text, &cpus) < 0) {
        fprintf(stderr, "hosttool: not a set of pCPUs: %s\n", text);
        exit(2);
    }
    return cpus;
}

static void act(struct tool *t, struct xlp_action *action, const char *verb)
{
    const struct xlp_domain *d = xlp_snapshot_domain(&t->s, action->domid);
    struct xlp_outcome outcome;

    if (d)
        memcpy(action->uuid, d->uuid, sizeof(action->uuid));
    t->host->ops->apply(t->host, action, &outcome);
    fprintf(stderr, "%s %" PRIu32 ": %s%s%s\n", verb, action->domid, xlp_outcome_name(outcome.code),
            *outcome.detail ? ": " : "", outcome.detail);
}

static int wait_for(struct tool *t, int64_t ms)
{
    uint64_t until = t->host->ops->now_ns(t->host) + (uint64_t)ms * 1000000;
    int wake = t->host->ops->wait(t->host, until, NULL, 0);

    if (wake >= 0)
        fprintf(stderr, "wait:%s%s\n", wake & XLP_WAKE_TIME ? " time" : "",
                wake & XLP_WAKE_EVENT ? " event" : "");
    return wake < 0 ? -1 : 0;
}

static int watch(struct tool *t, int64_t count, int64_t ms)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t until = t->host->ops->now_ns(t->host) + (uint64_t)ms * 1000000;

        while (t->host->ops->now_ns(t->host) < until)
            if (t->host->ops->wait(t->host, until, NULL, 0) < 0)
                return -1;
        if (t->host->ops->observe(t->host, &t->s) < 0)
            return -1;
        for (size_t k = 0; k < t->s.vcpu_count; k++) {
            const struct xlp_vcpu *v = &t->s.vcpus[k];

            printf("%" PRId64 " domain %" PRIu32 " vcpu %" PRIu32 " pcpu %" PRIu32
                   " samples %" PRIu32 " waiting %" PRIu32 " blocked %" PRIu32 "\n",
                   i, t->s.domains[v->domain].domid, v->id, v->pcpu, v->samples, v->samples_waiting,
                   v->samples_blocked);
        }
    }
    return 0;
}

static int run_action(struct tool *t, const char *verb)
{
    static const struct {
        const char *verb;
        enum xlp_action_kind kind;
        enum { NOTHING, VCPU, MASKS, WEIGHT, SIZES } arguments;
    } actions[] = {
        {"place", XLP_PLACE_VCPU, MASKS},        {"adopt", XLP_ADOPT_VCPU, VCPU},
        {"unplace", XLP_RELEASE_VCPU, MASKS},    {"target", XLP_SET_TARGET, SIZES},
        {"untarget", XLP_RELEASE_TARGET, SIZES}, {"release", XLP_RELEASE_DOMAIN, NOTHING},
        {"keep", XLP_ADOPT_DOMAIN, NOTHING},     {"weigh", XLP_SET_WEIGHT, WEIGHT},
        {"unweigh", XLP_RELEASE_WEIGHT, WEIGHT}, {"keepweight", XLP_ADOPT_WEIGHT, NOTHING},
    };
    struct xlp_action action = {0};

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(verb, actions[i].verb) != 0)
            continue;
        action.kind = actions[i].kind;
        action.domid = (uint32_t)number(t);
        if (actions[i].arguments == VCPU || actions[i].arguments == MASKS)
            action.vcpu = (uint32_t)number(t);
        if (actions[i].arguments == MASKS) {
            action.hard = map(t);
            action.soft = map(t);
        }
        if (actions[i].arguments == WEIGHT)
            action.to_weight = (uint32_t)number(t);
        if (actions[i].arguments == SIZES) {
            action.to_kib = number(t);
            action.limit_kib = number(t);
        }
        act(t, &action, verb);
        return 0;
    }
    fprintf(stderr, "hosttool: no such step: %s\n", verb);
    exit(2);
}

static int lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return 0; /* the lock ends with the process */
    perror("hosttool");
    exit(2);
}

static int run_step(struct tool *t, const char *verb)
{
    if (strcmp(verb, "lock") == 0)
        return lock(word(t));
    if (strcmp(verb, "wait") == 0)
        return wait_for(t, number(t));
    if (strcmp(verb, "watch") == 0) {
        int64_t count = number(t);

        return watch(t, count, number(t));
    }
    if (strcmp(verb, "blind") == 0) {
        t->blind = true;
        return 0;
    }
    if (!t->blind && t->host->ops->observe(t->host, &t->s) < 0)
        return -1;
    t->blind = false;
    return strcmp(verb, "look") == 0 ? 0 : run_action(t, verb);
}

static void print_snapshot(const struct xlp_snapshot *s)
{
    struct xlp_json_writer *w = xlp_json_writer_new(true);

    if (!w)
        return;
    xlp_snapshot_write(w, s);
    puts(xlp_json_text(w, NULL));
    xlp_json_writer_free(w);
}
