/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reasons: why something was done, or was not. A reason is a code and its numbers; the sentence is
 * made from one table (reason.c), which serves `why`, the log, JSON and the metrics alike.
 */
#ifndef XLP_REASON_H
#define XLP_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XLP_REASON_NUMBERS_MAX 6

/*
 * X(CODE, "metric-name", "field names", "sentence")
 *
 * Field names give the numbers in order; the suffix gives the unit and so how the sentence prints
 * it: _kib as MiB, _pct as "12.5 %" (stored in hundredths of a percent), _s as seconds, others as
 * they are. "{name}" in the sentence is replaced by the number of that name.
 */
#define XLP_REASONS(X)                                                                             \
    X(NONE, "none", "", "no decision yet")                                                         \
    /* CPU: done */                                                                                \
    X(CPU_EVEN, "cpu-even", "demand_pct from_pcpu from_load_pct to_pcpu to_load_pct",              \
      "needs {demand_pct}: pCPU {from_pcpu} carries {from_load_pct}, pCPU {to_pcpu} only "         \
      "{to_load_pct}")                                                                             \
    X(CPU_OVERLOAD, "cpu-overload", "demand_pct from_pcpu from_load_pct to_pcpu to_load_pct",      \
      "needs {demand_pct}: pCPU {from_pcpu} is overloaded at {from_load_pct}, pCPU {to_pcpu} "     \
      "carries {to_load_pct}")                                                                     \
    X(CPU_SWAP, "cpu-swap", "demand_pct from_pcpu from_load_pct to_pcpu to_load_pct",              \
      "needs {demand_pct}: trades places so that pCPU {from_pcpu} ({from_load_pct}) and pCPU "     \
      "{to_pcpu} ({to_load_pct}) draw level")                                                      \
    X(CPU_APART, "cpu-apart", "demand_pct from_pcpu from_load_pct to_pcpu to_load_pct",            \
      "needs {demand_pct}: shared pCPU {from_pcpu} ({from_load_pct}) with a vCPU of its own "      \
      "guest, pCPU {to_pcpu} ({to_load_pct}) is better for both")                                  \
    X(CPU_FIRST_PLACE, "cpu-first-place", "demand_pct to_pcpu to_load_pct",                        \
      "needs {demand_pct}: had no place of its own; pCPU {to_pcpu} carries least, with it "        \
      "{to_load_pct}")                                                                             \
    X(CPU_DEVICE_FIRST, "cpu-device-first", "demand_pct to_pcpu to_load_pct node",                 \
      "needs {demand_pct}: had no place of its own; of node {node}, where its PCI device is, "     \
      "pCPU {to_pcpu} carries least, with it {to_load_pct}")                                       \
    X(CPU_ROUND_ROBIN, "cpu-round-robin", "position pcpu_count",                                   \
      "round robin: vCPU {position} of the pool, {pcpu_count} pCPUs, load ignored")                \
    X(CPU_DEVICE_NODE, "cpu-device-node", "from_pcpu to_pcpu",                                     \
      "leaves pCPU {from_pcpu} for pCPU {to_pcpu}, on the NUMA node of its PCI device")            \
    X(CPU_MODE, "cpu-mode", "pcpu",                                                                \
      "affinity is soft now: its pin to pCPU {pcpu} becomes a preference")                         \
    X(CPU_RELEASE, "cpu-release", "", "released: the affinity it had before is restored")          \
    X(CPU_RELEASE_KEPT, "cpu-release-kept", "",                                                    \
      "released: its affinity stays as it is: nothing of ours to undo")                            \
    X(CPU_ADOPT, "cpu-adopt", "", "adopted: its affinity may now be changed")                      \
    /* CPU: not done */                                                                            \
    X(CPU_BALANCED, "cpu-balanced", "demand_pct pcpu load_pct mean_pct",                           \
      "stays: pCPU {pcpu} carries {load_pct}, even would be {mean_pct}")                           \
    X(CPU_NEAR_DEVICE, "cpu-near-device", "demand_pct pcpu load_pct mean_pct node",                \
      "stays on node {node}, where its PCI device is: pCPU {pcpu} carries {load_pct}, even "       \
      "would be {mean_pct}")                                                                       \
    X(CPU_NO_GAIN, "cpu-no-gain", "demand_pct pcpu load_pct mean_pct",                             \
      "stays: pCPU {pcpu} carries {load_pct} (even would be {mean_pct}), but no move would even "  \
      "it out enough")                                                                             \
    X(CPU_UNEVEN, "cpu-uneven", "demand_pct pcpu load_pct mean_pct",                               \
      "stays for now: pCPU {pcpu} carries {load_pct} (even would be {mean_pct}); evened out if "   \
      "that lasts")                                                                                \
    X(CPU_BUDGET, "cpu-budget", "demand_pct pcpu load_pct mean_pct",                               \
      "stays for now: pCPU {pcpu} carries {load_pct} (even would be {mean_pct}), but enough was "  \
      "moved in this tick")                                                                        \
    X(CPU_NEXT_TICK, "cpu-next-tick", "",                                                          \
      "has no place of its own yet: enough was placed in this tick")                               \
    X(CPU_SETTLING, "cpu-settling", "ticks",                                                       \
      "stays: moved or first seen a moment ago, looked at again in {ticks} tick(s)")               \
    X(CPU_SCHED_BALANCES, "cpu-sched-balances", "pool",                                            \
      "left to Xen: within one run queue of pool {pool} the scheduler shares the pCPUs itself")    \
    X(CPU_SCHED_FIXED, "cpu-sched-fixed", "pool",                                                  \
      "left to Xen: the scheduler of pool {pool} gives each vCPU its own pCPU or time slot")       \
    X(CPU_SOFT_IGNORED, "cpu-soft-ignored", "pool",                                                \
      "not managed: the scheduler of pool {pool} ignores soft affinity; use "                      \
      "cpu_affinity=\"hard\"")                                                                     \
    X(CPU_OPERATOR_PIN, "cpu-operator-pin", "pcpu",                                                \
      "not managed: pinned to pCPU {pcpu} by the operator; `xlpolicy adopt` hands it over")        \
    X(CPU_OPERATOR_PREFERENCE, "cpu-operator-preference", "vcpu",                                  \
      "not managed: the operator gave vCPU {vcpu} a soft affinity; `xlpolicy adopt` hands it "     \
      "over")                                                                                      \
    X(CPU_TAKEN_BACK, "cpu-taken-back", "vcpu",                                                    \
      "not managed: the affinity of vCPU {vcpu} was changed by hand since; `xlpolicy adopt` "      \
      "hands "                                                                                     \
      "it over")                                                                                   \
    X(CPU_NOWHERE, "cpu-nowhere", "",                                                              \
      "not managed: its affinity and the online pCPUs of its pool have none in common")            \
    X(CPU_DOM0, "cpu-dom0", "", "not managed: dom0's vCPUs are left alone")                        \
    X(CPU_OFF, "cpu-off", "", "not managed: cpu_policy is \"off\"")                                \
    X(CPU_EXCLUDED, "cpu-excluded", "", "not managed: the configuration, or `set`, excludes it")   \
    /* weight: done */                                                                             \
    X(WEIGHT_SHARES, "weight-shares", "shares vcpus",                                              \
      "{shares} shares, divided by {vcpus} active vCPU(s)")                                        \
    X(WEIGHT_COMPENSATED, "weight-compensated", "shares vcpus extra_pct",                          \
      "{shares} shares, divided by {vcpus} active vCPU(s), and {extra_pct} more while it blocks "  \
      "and then has to wait")                                                                      \
    X(WEIGHT_LENT, "weight-lent", "shares vcpus lent",                                             \
      "{shares} shares and {lent} lent by the guests it serves, divided by {vcpus} active "        \
      "vCPU(s)")                                                                                   \
    X(WEIGHT_IN_PROPORTION, "weight-in-proportion", "original_weight scale_pct",                   \
      "dom0 has no shares and keeps its part: its weight was {original_weight}, and all weights "  \
      "of its pool stand at {scale_pct} now")                                                      \
    X(WEIGHT_RELEASE, "weight-release", "original_weight",                                         \
      "released: the weight it had before, {original_weight}, is restored")                        \
    X(WEIGHT_RELEASE_KEPT, "weight-release-kept", "weight",                                        \
      "released: its weight {weight} stays: nothing of ours to undo")                              \
    X(WEIGHT_ADOPT, "weight-adopt", "weight", "adopted: its weight {weight} may now be changed")   \
    /* weight: not done */                                                                         \
    X(WEIGHT_FITS, "weight-fits", "weight shares vcpus",                                           \
      "stays at {weight}: {shares} shares, divided by {vcpus} active vCPU(s)")                     \
    X(WEIGHT_SETTLING, "weight-settling", "weight due_weight shares vcpus left_s",                 \
      "stays at {weight} for now: {due_weight} is due ({shares} shares, divided by {vcpus} "       \
      "active vCPU(s)), but it was set or first seen a moment ago; looked at again in {left_s}")   \
    X(WEIGHT_NO_WEIGHTS, "weight-no-weights", "pool",                                              \
      "not managed: the scheduler of pool {pool} has no weights")                                  \
    X(WEIGHT_OPERATOR, "weight-operator", "weight",                                                \
      "not managed: its weight {weight} was set by the operator; shares for it in the "            \
      "configuration, or `xlpolicy adopt`, hand it over")                                          \
    X(WEIGHT_TAKEN_BACK, "weight-taken-back", "weight our_weight",                                 \
      "not managed: its weight was set to {weight} by hand since (ours was {our_weight}); "        \
      "`xlpolicy adopt` hands it over")                                                            \
    /* memory: done */                                                                             \
    X(MEM_GROW, "mem-grow", "used_kib need_kib free_kib",                                          \
      "uses {used_kib}, needs {need_kib}; the host has {free_kib} to give")                        \
    X(MEM_GIVE_BACK, "mem-give-back", "original_kib free_kib",                                     \
      "has had {original_kib} before and reports no more whether it needs that; the host has "     \
      "{free_kib} to give")                                                                        \
    X(MEM_SHRINK, "mem-shrink", "short_kib used_kib need_kib floor_kib",                           \
      "others are short by {short_kib}; it uses {used_kib}, needs {need_kib}, floor {floor_kib}")  \
    X(MEM_RECALL, "mem-recall", "actual_kib share_kib short_kib",                                  \
      "has {actual_kib}, but its share is {share_kib}; others have been short by {short_kib} "     \
      "within theirs")                                                                             \
    X(MEM_RETURN, "mem-return", "used_kib comfort_kib floor_kib",                                  \
      "uses {used_kib}, comfortable at {comfort_kib}; the rest goes back to the host (floor "      \
      "{floor_kib})")                                                                              \
    X(MEM_EVEN, "mem-even", "used_kib comfort_kib fair_kib",                                       \
      "uses {used_kib}, comfortable at {comfort_kib}; of the surplus its part makes {fair_kib}")   \
    X(MEM_HOST_RESERVE, "mem-host-reserve", "short_kib used_kib floor_kib",                        \
      "host reserve short by {short_kib}; it uses {used_kib}, floor {floor_kib}")                  \
    X(MEM_RESERVATION, "mem-reservation", "short_kib used_kib floor_kib",                          \
      "{short_kib} short for a guest that is to start; it uses {used_kib}, floor {floor_kib}")     \
    X(MEM_LIMIT, "mem-limit", "actual_kib limit_kib",                                              \
      "its balloon has arrived at {actual_kib}; the limit follows")                                \
    X(MEM_POKE, "mem-poke", "actual_kib target_kib",                                               \
      "its balloon stopped at {actual_kib} on the way to {target_kib}; told again")                \
    X(MEM_GIVE_UP, "mem-give-up", "actual_kib target_kib",                                         \
      "its balloon stays at {actual_kib} and does not reach {target_kib}; the target follows it")  \
    X(MEM_RELEASE, "mem-release", "original_kib",                                                  \
      "released: the target it had before, {original_kib}, is restored")                           \
    X(MEM_RELEASING, "mem-releasing", "original_kib",                                              \
      "released: goes back to the target it had before, {original_kib}, in steps that are safe")   \
    X(MEM_RELEASE_KEPT, "mem-release-kept", "target_kib",                                          \
      "released: its target {target_kib} was set by hand and stays")                               \
    X(MEM_RESUMED, "mem-resumed", "", "managed again before its release was finished")             \
    /* memory: not done */                                                                         \
    X(MEM_SATISFIED, "mem-satisfied", "used_kib need_kib actual_kib",                              \
      "stays: uses {used_kib}, needs {need_kib}, has {actual_kib}")                                \
    X(MEM_DEAD_ZONE, "mem-dead-zone", "used_kib need_kib actual_kib spare_kib",                    \
      "stays: uses {used_kib}, needs {need_kib}, has {actual_kib}; {spare_kib} to spare are too "  \
      "little for a step (mem_dead_zone_pct, mem_quantum)")                                        \
    X(MEM_RETURN_RATE, "mem-return-rate", "used_kib need_kib actual_kib spare_kib",                \
      "stays: uses {used_kib}, needs {need_kib}, has {actual_kib}; {spare_kib} to spare go back "  \
      "in steps, the next is not due yet (mem_return_pct)")                                        \
    X(MEM_MORE_LATER, "mem-more-later", "used_kib need_kib actual_kib more_kib left_s",            \
      "stays for now: uses {used_kib}, needs {need_kib}, has {actual_kib}; {more_kib} more are "   \
      "its part; it gets what is free of that if it lasts for another {left_s}")                   \
    X(MEM_WAITS, "mem-waits", "need_kib actual_kib free_kib",                                      \
      "short: needs {need_kib}, has {actual_kib}; waits for memory, the host can give {free_kib}") \
    X(MEM_AT_MAX, "mem-at-max", "need_kib max_kib",                                                \
      "short: needs {need_kib}, but its static maximum is {max_kib}; raise maxmem in its "         \
      "configuration")                                                                             \
    X(MEM_MOVING, "mem-moving", "actual_kib target_kib",                                           \
      "on its way: has {actual_kib}, target {target_kib}")                                         \
    X(MEM_RELEASE_WAITS, "mem-release-waits", "actual_kib original_kib free_kib",                  \
      "released: has {actual_kib}, had {original_kib} before; waits for memory, the host can "     \
      "give {free_kib}")                                                                           \
    X(MEM_RELEASE_HELD, "mem-release-held", "actual_kib original_kib least_kib",                   \
      "released: has {actual_kib}, had {original_kib} before; cannot do with less than "           \
      "{least_kib} for now")                                                                       \
    X(MEM_PRESSURE, "mem-pressure", "psi_pct used_kib",                                            \
      "not shrunk: it stalls on memory ({psi_pct}); uses {used_kib}")                              \
    X(MEM_STUCK, "mem-stuck", "actual_kib target_kib retry_s",                                     \
      "its balloon is stuck at {actual_kib} (target {target_kib}); tried again in {retry_s}")      \
    X(MEM_REFUSED, "mem-refused", "target_kib left_s",                                             \
      "keeps its target {target_kib}: the host took no other; tried again in {left_s}")            \
    X(MEM_NO_AGENT, "mem-no-agent", "actual_kib",                                                  \
      "not managed: no memory report from the guest; install xlpolicy-guest-agent in it")          \
    X(MEM_BAD_REPORT, "mem-bad-report", "actual_kib",                                              \
      "not managed: what the guest writes as its memory report cannot be read")                    \
    X(MEM_STALE, "mem-stale", "age_s used_kib",                                                    \
      "not shrunk: its last memory report is {age_s} old")                                         \
    X(MEM_BOOTING, "mem-booting", "age_s hold_s",                                                  \
      "not shrunk yet: first seen {age_s} ago, and left alone for {hold_s}")                       \
    X(MEM_LEARNING, "mem-learning", "actual_kib total_kib",                                        \
      "not shrunk yet: has {actual_kib} and sees {total_kib} of it; waits for a report made "      \
      "while "                                                                                     \
      "its balloon rests")                                                                         \
    X(MEM_NO_BALLOON, "mem-no-balloon", "", "not managed: the guest has no balloon driver")        \
    X(MEM_PASSTHROUGH, "mem-passthrough", "devices",                                               \
      "not managed: holds {devices} PCI device(s), and ballooning would break its next reboot")    \
    X(MEM_OPERATOR, "mem-operator", "target_kib left_s",                                           \
      "not managed: its target {target_kib} was set by hand; left alone for another {left_s}")     \
    X(MEM_OTHER_CONTROLLER, "mem-other-controller", "",                                            \
      "not managed: another program moves memory on this host")                                    \
    X(MEM_DOM0, "mem-dom0", "", "not managed: dom0's memory is left alone")                        \
    X(MEM_OFF, "mem-off", "", "not managed: mem_policy is \"off\"")                                \
    X(MEM_EXCLUDED, "mem-excluded", "", "not managed: the configuration, or `set`, excludes it")   \
    /* memory of the host */                                                                       \
    X(MEM_FLOORS_EXCEED, "mem-floors-exceed", "floors_kib pool_kib",                               \
      "guests' floors come to {floors_kib}, but only {pool_kib} can be shared out: lower floors, " \
      "or stop a guest")                                                                           \
    X(MEM_NEEDS_EXCEED, "mem-needs-exceed", "need_kib pool_kib",                                   \
      "guests need {need_kib} of the {pool_kib} that can be shared out: when they need more, "     \
      "they go short")                                                                             \
    /* reservations: done */                                                                       \
    X(RESERVE, "reserve", "min_kib max_kib ttl_s",                                                 \
      "made: at least {min_kib}, at best {max_kib}, for {ttl_s}")                                  \
    X(RESERVE_GRANT, "reserve-grant", "granted_kib", "{granted_kib} are free, and kept for it")    \
    X(RESERVE_TRANSFER, "reserve-transfer", "domid",                                               \
      "the guest (ID {domid}) takes its memory out of it")                                         \
    X(RESERVE_DONE, "reserve-done", "domid taken_kib",                                             \
      "over: the guest (ID {domid}) has taken what it was for, {taken_kib}")                       \
    X(RESERVE_GONE, "reserve-gone", "domid", "over: the guest (ID {domid}) is gone")               \
    X(RESERVE_EXPIRED, "reserve-expired", "", "over: its time is up, and nobody has used it")      \
    X(RESERVE_RELEASE, "reserve-release", "", "given up by the operator")                          \
    /* reservations: as they stand */                                                              \
    X(RESERVE_READY, "reserve-ready", "granted_kib left_s",                                        \
      "ready: {granted_kib} are kept free, for another {left_s}")                                  \
    X(RESERVE_WAITS, "reserve-waits", "free_kib size_kib coming_kib left_s",                       \
      "waits: {free_kib} of {size_kib} are free, {coming_kib} on the way; given up in {left_s}")   \
    X(RESERVE_SHORT, "reserve-short", "free_kib granted_kib",                                      \
      "short: only {free_kib} of {granted_kib} are still free; somebody else took the rest")       \
    X(RESERVE_TAKEN, "reserve-taken", "domid taken_kib granted_kib",                               \
      "the guest (ID {domid}) is being built and has taken {taken_kib} of {granted_kib}")          \
    /* reservations: refused */                                                                    \
    X(RESERVE_TOO_LARGE, "reserve-too-large", "min_kib most_kib free_kib guests_kib reserved_kib", \
      "{min_kib} cannot be had, at most {most_kib}: {free_kib} are free beyond the host's "        \
      "reserve "                                                                                   \
      "and {reserved_kib} of other reservations, and guests could give {guests_kib} before they "  \
      "reach their floors")                                                                        \
    X(RESERVE_TOO_MANY, "reserve-too-many", "limit",                                               \
      "there are {limit} reservations already, the most there may be")                             \
    X(RESERVE_CONTROLLER, "reserve-controller", "",                                                \
      "another program moves memory on this host, and may hand out what is kept free")             \
    X(RESERVE_NAMED, "reserve-named", "id",                                                        \
      "reservation {id} is for a guest of that name already; `xlpolicy unreserve` ends it")        \
    X(RESERVE_UNKNOWN, "reserve-unknown", "id",                                                    \
      "there is no reservation {id}; `xlpolicy mem-list` shows them")                              \
    X(RESERVE_OTHERS, "reserve-others", "id domid",                                                \
      "the guest with ID {domid} takes its memory out of reservation {id} already")                \
    /* both */                                                                                     \
    X(RELEASED, "released", "", "not managed: released by the operator; `xlpolicy adopt` resumes") \
    X(PAUSED, "paused", "", "not touched: paused")                                                 \
    X(BUILDING, "building", "", "not touched: still being built")                                  \
    X(MIGRATING, "migrating", "", "not touched: being saved or migrated")                          \
    X(SHUTDOWN, "shutdown", "", "not touched: has shut down")                                      \
    X(DYING, "dying", "", "not touched: being destroyed")

enum xlp_reason_code {
#define X(code, name, fields, sentence) XLP_REASON_##code,
    XLP_REASONS(X)
#undef X
        XLP_REASON_COUNT
};

struct xlp_reason {
    enum xlp_reason_code code;
    int64_t number[XLP_REASON_NUMBERS_MAX]; /* in the order of the table's fields */
};

/* A percentage for a _pct number: 0.125 becomes 1250. */
int64_t xlp_reason_pct(double fraction);

/* The code's metric name, e.g. "cpu-even"; never NULL. */
const char *xlp_reason_name(enum xlp_reason_code code);

/* The code with that name, or -1. */
int xlp_reason_by_name(const char *name);

/* Whether it says, of a domain's verdict, that the domain is not managed in this respect at all. */
bool xlp_reason_is_hands_off(enum xlp_reason_code code);

/* How many numbers the code has, and the name of the i-th (static text of at most 31 characters
 * copied into field). */
size_t xlp_reason_field_count(enum xlp_reason_code code);
const char *xlp_reason_field(enum xlp_reason_code code, size_t i, char field[32]);

/* The sentence with its numbers; always terminated, cut to fit. Returns text. */
char *xlp_reason_format(const struct xlp_reason *reason, char *text, size_t size);

#endif
