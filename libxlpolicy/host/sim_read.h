/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading the kinds of values that a scenario file is made of. Private to sim_scenario*.c. */
#ifndef XLP_SIM_READ_H
#define XLP_SIM_READ_H

#include "host/sim_scenario.h"

/* Zeroed memory that is freed with the scenario. NULL (and r failed) when memory is out. */
void *xlp_sim_keep(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario, size_t count,
                   size_t size);

/* Like the xlp_json_read_ functions: *out stays as it was when an optional key is missing. */
void xlp_sim_read_seconds(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                          enum xlp_json_need need, uint64_t *ns_out);
void xlp_sim_read_mib(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                      enum xlp_json_need need, int64_t *kib_out);
void xlp_sim_read_name(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, char name_out[XLP_NAME_SIZE]);
/* One of these words; its index. */
void xlp_sim_read_word(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                       enum xlp_json_need need, const char *const *words, int *out);
void xlp_sim_read_map(struct xlp_json_reader *r, const struct xlp_json *object, const char *key,
                      enum xlp_json_need need, struct xlp_cpumap *out);
/* The value itself: a pCPU set as text. */
void xlp_sim_map_value(struct xlp_json_reader *r, const struct xlp_json *v, const char *key,
                       struct xlp_cpumap *out);
/* A number, [[s, value], ...], or {"points": [[s, value], ...], "every_s": s}. */
void xlp_sim_trace_value(struct xlp_json_reader *r, struct xlp_sim_scenario *scenario,
                         const struct xlp_json *v, const char *key, double max,
                         struct xlp_sim_trace *out);

/* The guest or pool of that name; SIZE_MAX (and r failed) when there is none. */
size_t xlp_sim_read_guest(struct xlp_json_reader *r, const struct xlp_json *object,
                          const struct xlp_sim_scenario *scenario);
size_t xlp_sim_read_pool(struct xlp_json_reader *r, const struct xlp_json *object,
                         const struct xlp_sim_scenario *scenario);

/* The parts of a file, in sim_scenario_host.c and sim_scenario_run.c. */
void xlp_sim_read_host(struct xlp_json_reader *r, const struct xlp_json *host,
                       struct xlp_sim_scenario *scenario);
void xlp_sim_read_dom0(struct xlp_json_reader *r, const struct xlp_json *dom0,
                       struct xlp_sim_scenario *scenario);
void xlp_sim_read_guests(struct xlp_json_reader *r, const struct xlp_json *guests,
                         struct xlp_sim_scenario *scenario);
void xlp_sim_read_events(struct xlp_json_reader *r, const struct xlp_json *events,
                         struct xlp_sim_scenario *scenario);
void xlp_sim_read_expects(struct xlp_json_reader *r, const struct xlp_json *expects,
                          struct xlp_sim_scenario *scenario);
struct xlp_sim_event *xlp_sim_add_event(struct xlp_json_reader *r,
                                        struct xlp_sim_scenario *scenario);

#endif
