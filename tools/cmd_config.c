/* SPDX-License-Identifier: LGPL-2.1-only */
/* config: read the configuration as the daemon would, to check it or to show what then holds. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "../daemon/config.h"
#include "../daemon/config_dom0.h"
#include "daemon_request.h"
#include "source.h"

#define VALUE_SIZE 256

/* The i-th of words separated by blanks, copied into text. */
static const char *word_at(const char *words, int i, char *text, size_t size)
{
    for (; i > 0; i--)
        words += strcspn(words, " ") + 1;
    snprintf(text, size, "%.*s", (int)strcspn(words, " "), words);
    return text;
}

static const char *key_value(const struct config *config, const struct config_key *key, char *text,
                             size_t size)
{
    const void *field = (const char *)config + key->offset;

    return key->kind == CONFIG_CHOICE ? word_at(key->choices, *(const int *)field, text, size)
                                      : field;
}

/* As a file that `config check` would take. */
static void print_text(const struct config *config)
{
    const struct xlp_policy *policy = &config->policy;
    char text[VALUE_SIZE];

    for (size_t i = 0; i < config_key_count; i++)
        printf("# %s\n%s = \"%s\"\n\n", config_keys[i].help, config_keys[i].name,
               key_value(config, &config_keys[i], text, sizeof(text)));
    for (size_t i = 0; i < xlp_setting_count; i++) {
        const struct xlp_setting *setting = &xlp_settings[i];
        bool is_text = setting->kind == XLP_SETTING_CHOICE || setting->kind == XLP_SETTING_SIZE_KIB;
        const char *quote = is_text ? "\"" : "";

        printf("# %s\n", setting->help);
        if (setting->kind == XLP_SETTING_CHOICE)
            printf("# one of: %s\n", setting->choices);
        printf("%s = %s%s%s\n\n", setting->name, quote,
               xlp_policy_get(policy, setting, text, sizeof(text)), quote);
    }
    printf("# single guests, by name or shell pattern; later entries win\ndomains = [");
    for (size_t i = 0; i < policy->domain_count; i++)
        printf("%s\n    \"%s\"", i ? "," : "",
               xlp_domain_policy_format(&policy->domains[i], text, sizeof(text)));
    printf("%s]\n", policy->domain_count ? "\n" : "");
}

static enum cli_exit print_json(const struct config *config)
{
    struct xlp_json_writer *w = cli_json_start();
    char text[VALUE_SIZE];

    if (!w)
        return cli_out_of_memory();
    for (size_t i = 0; i < config_key_count; i++)
        xlp_json_put_string(w, config_keys[i].name,
                            key_value(config, &config_keys[i], text, sizeof(text)));
    xlp_json_write_key(w, "policy");
    xlp_policy_write(w, &config->policy);
    return cli_json_print(w);
}

/* Lays what the daemon decides by, and its mode, over the file that it read. */
static enum cli_exit take_over(const struct source *daemon, struct config *config)
{
    const char *path = daemon_string(daemon->status, "config");
    char error[512];

    if (path && config_read(config, path, error, sizeof(error)) != CONFIG_OK)
        cli_error("%s; control_group, log and metrics_file are shown with their defaults", error);
    if (xlp_policy_copy(&config->policy, &daemon->policy) < 0)
        return cli_out_of_memory();
    config_mode_by_name(source_mode(daemon), &config->mode);
    return CLI_DONE;
}

/* What a daemon that answers runs with: CLI_NOTHING_THERE when none does. */
static enum cli_exit show_daemon(const struct cli *cli, struct config *config)
{
    struct source daemon;
    enum cli_exit exit_code;
    const char *path;

    source_init(&daemon);
    exit_code = source_read_daemon(cli, true, &daemon);
    if (exit_code == CLI_DONE)
        exit_code = take_over(&daemon, config);
    if (exit_code == CLI_DONE && cli->json) {
        exit_code = print_json(config);
    } else if (exit_code == CLI_DONE) {
        path = daemon_string(daemon.status, "config");
        printf("# What %s decides by now, with what was `set`; its file is %s.\n\n", daemon.name,
               path ? path : "none, and the defaults hold");
        print_text(config);
    }
    source_dispose(&daemon);
    return exit_code;
}

static enum cli_exit show_file(const struct cli *cli, const struct config *config,
                               const char *missing)
{
    if (cli->json)
        return print_json(config);
    if (missing)
        printf("# No daemon answers, and there is no %s: the defaults.\n\n", missing);
    print_text(config);
    return CLI_DONE;
}

enum cli_exit cmd_config(const struct cli *cli, const struct command_line *line)
{
    const char *what = line->operand_count ? line->operands[0] : NULL;
    const char *path = line->operand_count > 1 ? line->operands[1] : CONFIG_DEFAULT_PATH;
    bool usual = line->operand_count == 1, missing;
    bool show = what && strcmp(what, "show") == 0;
    enum cli_exit exit_code = CLI_DONE;
    struct config config;
    char error[512];
    int result;

    if (!what)
        return cli_usage_error("config", "config: needs check or show");
    if (!show && strcmp(what, "check") != 0)
        return cli_usage_error("config", "config: \"%s\" is neither check nor show", what);
    config_init(&config);
    if (show && usual) {
        exit_code = show_daemon(cli, &config);
        if (exit_code != CLI_NOTHING_THERE) {
            config_dispose(&config);
            return exit_code;
        }
        exit_code = CLI_DONE;
    }
    result = config_read(&config, path, error, sizeof(error));
    missing = result == CONFIG_MISSING && usual;
    if (missing)
        result = CONFIG_OK; /* the daemon, too, would go by the defaults */
    if (result != CONFIG_OK) {
        cli_error("%s", error);
        exit_code = CLI_FAILED;
    } else if (show) {
        exit_code = show_file(cli, &config, missing ? path : NULL);
    } else if (cli->json) {
        exit_code = print_json(&config);
    } else {
        printf("%s: %sconfiguration OK\n", path, missing ? CONFIG_ALL_DEFAULTS : "");
        if (config_dom0_is_contested(&config.policy, XL_CONF_PATH, error, sizeof(error)))
            printf("note: %s\n", error);
    }
    config_dispose(&config);
    return exit_code;
}
