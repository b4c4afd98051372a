/* SPDX-License-Identifier: LGPL-2.1-only */
/* set, get: what holds for single guests, beside what the configuration says. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "daemon_request.h"
#include "policy.h"
#include "source.h"
#include "table.h"

#define SETTINGS_SIZE 400

/* ---- set ---- */

/* "shares=2000" "floor=1g" as "shares=2000, floor=1g". */
static enum cli_exit join_settings(const struct command_line *line, char text[SETTINGS_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 1; i < line->operand_count; i++) {
        used += (size_t)snprintf(text + used, SETTINGS_SIZE - used, "%s%s", i > 1 ? ", " : "",
                                 line->operands[i]);
        if (used >= SETTINGS_SIZE)
            return cli_usage_error("set", "set: that is too long");
    }
    return CLI_DONE;
}

/* By the reader of the configuration's entries, before anyone is asked. */
static enum cli_exit check_settings(const char *settings)
{
    static const char head[] = "domains: \"DOM\": ";
    struct xlp_policy scratch;
    char entry[SETTINGS_SIZE + 8], error[512];
    enum cli_exit exit_code = CLI_DONE;

    snprintf(entry, sizeof(entry), "DOM: %s", settings);
    xlp_policy_init(&scratch);
    if (xlp_policy_add_domain(&scratch, entry, error, sizeof(error)) < 0)
        exit_code = cli_usage_error(
            "set", "set: %s", error + (strncmp(error, head, strlen(head)) == 0 ? strlen(head) : 0));
    xlp_policy_dispose(&scratch);
    return exit_code;
}

static void write_request(struct xlp_json_writer *w, const char *domain, const char *settings)
{
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy", XLP_FORMAT_VERSION);
    xlp_json_put_string(w, "command", "set");
    xlp_json_put_string(w, "domain", domain);
    if (settings)
        xlp_json_put_string(w, "settings", settings);
    xlp_json_close_object(w);
}

static enum cli_exit print_reply(const struct cli *cli, const struct xlp_json *result)
{
    const char *override = daemon_string(result, "override");
    const char *warning = daemon_string(result, "warning");
    const char *name = daemon_needed_string(cli, result, "name");

    if (!name)
        return CLI_FAILED;
    if (warning)
        cli_error("set: warning: %s", warning);
    if (cli->json)
        return daemon_print_json(result);
    if (override)
        printf("%s, until xlpolicyd ends. To keep it, write in its configuration:\n"
               "domains += [ \"%s\" ]\n",
               override, override);
    else
        printf("%s: as in the configuration\n", name);
    return CLI_DONE;
}

enum cli_exit cmd_set(const struct cli *cli, const struct command_line *line)
{
    bool clear = line->option_count > 0; /* --clear is the only option */
    enum cli_exit exit_code = daemon_only(cli, "set");
    char settings[SETTINGS_SIZE], meaning[SETTINGS_SIZE + XLP_NAME_SIZE + 32];
    struct xlp_json_writer *w;
    const char *request;

    if (exit_code == CLI_DONE && clear == (line->operand_count > 1))
        exit_code = cli_usage_error("set", "set: needs either key=value or --clear");
    if (exit_code == CLI_DONE)
        exit_code = join_settings(line, settings);
    if (exit_code == CLI_DONE && !clear)
        exit_code = check_settings(settings);
    if (exit_code != CLI_DONE)
        return exit_code;
    w = xlp_json_writer_new(false);
    if (!w)
        return cli_out_of_memory();
    write_request(w, line->operands[0], clear ? NULL : settings);
    snprintf(meaning, sizeof(meaning), "set %.*s: %s", XLP_NAME_SIZE, line->operands[0],
             clear ? "as in the configuration" : settings);
    request = xlp_json_text(w, NULL);
    exit_code = request ? daemon_command(cli, request, meaning, print_reply) : cli_out_of_memory();
    xlp_json_writer_free(w);
    return exit_code;
}

/* ---- get ---- */

/* dom0's vCPUs are left alone whatever is said of it, and its memory unless that is asked for. */
static struct xlp_domain_policy what_holds(const struct source *source, const struct xlp_domain *d)
{
    struct xlp_domain_policy policy = xlp_policy_for(&source->policy, d->name);

    if (d->domid == 0) {
        policy.cpu = false;
        policy.memory = policy.memory && source->policy.mem_dom0;
    }
    return policy;
}

static enum cli_exit print_text(const struct source *source, struct source_range guests)
{
    static const struct table_column columns[] = {
        {"Name", TABLE_LEFT},    {"ID", TABLE_RIGHT},         {"cpu", TABLE_RIGHT},
        {"memory", TABLE_RIGHT}, {"shares", TABLE_RIGHT},     {"floor(MiB)", TABLE_RIGHT},
        {"serves", TABLE_LEFT},  {"Set by hand", TABLE_LEFT},
    };
    struct table t;
    int result;

    table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = guests.first; i < guests.end; i++) {
        const struct xlp_domain *d = &source->snapshot.domains[i];
        struct xlp_domain_policy policy = what_holds(source, d);
        const char *override = source_override(source, d->name);

        table_text(&t, "%s", d->name);
        table_u32(&t, d->domid);
        table_text(&t, "%d", policy.cpu);
        table_text(&t, "%d", policy.memory);
        table_u32(&t, policy.shares);
        table_mib(&t, policy.floor_kib > 0, policy.floor_kib);
        table_text(&t, "%s", policy.serves[0] ? policy.serves : "-");
        table_text(&t, "%s", override ? override : "-");
    }
    result = table_print(&t, stdout, 0);
    table_dispose(&t);
    return result < 0 ? cli_out_of_memory() : CLI_DONE;
}

static void write_domain(struct xlp_json_writer *w, const struct source *source,
                         const struct xlp_domain *d)
{
    struct xlp_domain_policy policy = what_holds(source, d);
    const char *override = source_override(source, d->name);

    xlp_json_open_object(w);
    xlp_json_put_string(w, "name", d->name);
    xlp_json_put_int(w, "domid", d->domid);
    xlp_json_put_bool(w, "cpu", policy.cpu);
    xlp_json_put_bool(w, "memory", policy.memory);
    xlp_json_put_int(w, "shares", policy.shares);
    xlp_json_put_int(w, "floor_kib", policy.floor_kib);
    xlp_json_put_string(w, "serves", policy.serves);
    xlp_json_write_key(w, "override");
    if (override)
        xlp_json_write_string(w, override);
    else
        xlp_json_write_null(w);
    xlp_json_close_object(w);
}

static enum cli_exit print_json(const struct source *source, struct source_range guests)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_write_key(w, "domains");
    xlp_json_open_array(w);
    for (size_t i = guests.first; i < guests.end; i++)
        write_domain(w, source, &source->snapshot.domains[i]);
    xlp_json_close_array(w);
    return cli_json_print(w);
}

enum cli_exit cmd_get(const struct cli *cli, const struct command_line *line)
{
    return source_show(cli, line, print_text, print_json);
}
