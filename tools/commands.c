/* SPDX-License-Identifier: LGPL-2.1-only */
/* The table of commands, in the order in which `xlpolicy help` lists them. */
#include "commands.h"

#include "pci/command.h"
#include "top.h"

#define COLUMNS_HELP                                                                               \
    "CPU figures are in percent of one pCPU, over the last tick; \"-\": not measured.\n"           \
    "  CPU%       what it got\n"                                                                   \
    "  Demand%    what it would use if it could have all it wants\n"                               \
    "  Entitled%  what it is due: its demand, or its fair share of too little\n"

/* What each command makes of the options that not all have a use for. */
#define READS  (CLI_GIVEN_HOST | CLI_GIVEN_TICKS | CLI_GIVEN_SET | CLI_GIVEN_JSON)
#define STEERS (CLI_GIVEN_HOST | CLI_GIVEN_JSON)

static const struct command_option adopt_options[] = {
    {"all", 'a', NULL, "every domain instead of one; adopt leaves out dom0"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option apply_options[] = {
    {"for", 'f', "TIME", "how long: 90s, 5m, 2h or 1d"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option set_options[] = {
    {"clear", 'c', NULL, "forget what was set for it"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option history_options[] = {
    {"since", 's', "TIME", "only the last 90s, 5m, 2h or 1d"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option reserve_options[] = {
    {"min", 'm', "SIZE", "be content with that much"},
    {"for", 'f', "NAME", "for the guest of that name, once it is built"},
    {"ttl", 't', "TIME", "given up after 90s, 5m, 2h or 1d (5m)"},
    {"wait", 'w', NULL, "wait until it is there; tell meanwhile"},
    {"transfer", 'x', "ID", "give that reservation to DOM"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option record_options[] = {
    {"for", 'f', "TIME", "stop after 90s, 5m, 2h or 1d"},
    {"svg", 'o', "FILE", "draw what happened"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option simulate_options[] = {
    {"trace", 't', NULL, "print every action, as it happens"},
    {"svg", 'o', "FILE", "draw what happened"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option replay_options[] = {
    {"svg", 'o', "FILE", "draw what happened"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_list_options[] = {
    {"all", 'a', NULL, "bridges, too, which are never given away"},
    PCI_OPTION_SYSROOT,
    PCI_OPTION_DUMP,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_info_options[] = {
    {"fields", 'f', NULL, "every field of its capabilities"},
    PCI_OPTION_SYSROOT,
    PCI_OPTION_DUMP,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_check_options[] = {
    PCI_OPTION_SYSROOT,
    PCI_OPTION_DUMP,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_validate_options[] = {
    PCI_OPTION_SYSROOT,
    PCI_OPTION_DUMP,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_config_options[] = {
    {"template", 't', "NAME", "what kind of guest, see below"},
    {"device", 'D', "BDF", "the device; may be repeated"},
    {"memory", 'm', "SIZE", "the guest's memory, as 4096m or 4g"},
    {"vcpus", 'c', "N", "how many vCPUs, 4 unless given"},
    {"name", 'n', "NAME", "the guest's name, the template's unless given"},
    {"disk", 'k', "TARGET", "the file or volume that is its disk"},
    {"bridge", 'b', "NAME", "the network bridge, xenbr0 unless given"},
    {"force", 'f', NULL, "even if dom0 needs the device"},
    {"templates", 'T', "DIR", "where the templates are"},
    PCI_OPTION_SYSROOT,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_prepare_options[] = {
    {"now", 'o', NULL, "do it now, all functions or none"},
    {"early", 'e', NULL, "show the files for early boot, too"},
    {"write", 'w', "DIR", "write those files below DIR, / being this host"},
    {"force", 'f', NULL, "even if dom0 needs the device"},
    PCI_OPTION_SYSROOT,
    {NULL, 0, NULL, NULL},
};

static const struct command_option pci_move_options[] = {
    PCI_OPTION_SYSROOT,
    {NULL, 0, NULL, NULL},
};

static const struct command_option top_options[] = {
    {"batch", 'b', NULL, "print page after page, for a file or a pipe"},
    {"iterations", 'n', "N", "stop after N pages"},
    {"delay", 'd', "SECONDS", "from one page to the next (1)"},
    {"sort", 's', TOP_SORT_NAMES, "first"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option export_options[] = {
    {"for", 'f', "TIME", "hbal: the mean over the next 90s, 5m, 2h or 1d"},
    {"instances", 'i', "FILE", "hbal: leave out, and name, who is not listed there"},
    {NULL, 0, NULL, NULL},
};

const struct command commands[] = {
    {"list", "[DOM]", 0, 1, NULL, "List domains: what each uses, wants and is due",
     "Mem, Need and Target are in MiB: what the guest has, what it needs as its own\n"
     "reports say, and what its balloon was last told.\n" COLUMNS_HELP
     "State: r running, b blocked, p paused or being built, s shut down, m being saved\n"
     "or migrated, d dying. Managed: yes, only its cpu, only its memory, or no;\n"
     "`xlpolicy why` says why not.\n",
     cmd_list, READS},
    {"vcpu-list", "[DOM]", 0, 1, NULL, "List vCPUs: use, demand, and where each may run",
     "CPU is where it ran last, Home the pCPU that its load is counted on, \"-\" when it\n"
     "has no single one.\n" COLUMNS_HELP,
     cmd_vcpu_list, READS},
    {"pcpu-list", "", 0, 0, NULL, "List pCPUs: how busy, and whose vCPUs are placed there",
     "Usage% is how busy the pCPU was over the last tick, whoever kept it busy;\n"
     "Demand% is what the vCPUs placed there want, over 100 when that is too much.\n"
     "A vCPU of a guest that has several is written NAME/VCPU; one that is bound to no\n"
     "single pCPU stands in parentheses where it ran last.\n",
     cmd_pcpu_list, READS},
    {"mem-list", "[DOM]", 0, 1, NULL, "List memory: who has, uses and needs how much",
     "All in MiB. Used, Need, Comfort and Floor need reports from within the guest:\n"
     "  Used     what it uses, swap included\n"
     "  Need     that, and a margin\n"
     "  Comfort  what it should have when there is enough\n"
     "  Floor    what it is never pushed below\n"
     "Balloon: at target, moving, stuck, or none. Report: who reports from within the\n"
     "guest (agent, qubes, xenserver), none, stale, or unreadable.\n",
     cmd_mem_list, READS},
    {"top", "", 0, 0, top_options, "Watch pCPUs and guests, live",
     "How busy each pCPU is and who is placed on it; of each guest what it gets, wants\n"
     "and is due, its memory, target, need and floor in MiB, and why it was treated as\n"
     "it was last. The cursor keys choose the guest about which all is told below.\n"
     "Keys: q quit; sort by c CPU%, d demand, e entitled, m memory, t target, n need,\n"
     "f floor, a name, i ID; r the other way round.\n",
     cmd_top, CLI_GIVEN_HOST | CLI_GIVEN_SET},
    {"info", "", 0, 0, NULL, "Describe the host", "", cmd_info, READS},
    {"status", "", 0, 0, NULL, "Show what the daemon is up to, and problems to look at", "",
     cmd_status, READS},
    {"plan", "", 0, 0, NULL, "Show what is, or would be, done now, each with its reason",
     "In mode act the daemon does this; in mode advise, or without a daemon, nothing\n"
     "is done. Nothing in the plan? `xlpolicy why` says for each guest why it stays.\n",
     cmd_plan, READS},
    {"why", "[DOM]", 0, 1, history_options,
     "Explain what is decided for each guest, CPU and memory",
     "Also why nothing is done, and who is not managed and why. With --since, what the\n"
     "daemon did of late comes first.\n",
     cmd_why, READS},
    {"history", "[DOM]", 0, 1, history_options, "Show what the daemon has done, or tried",
     "The daemon remembers its last 1024 actions.\n", cmd_history, STEERS},
    {"act", "", 0, 0, NULL, "Let the daemon carry out its plans", "", cmd_mode, STEERS},
    {"advise", "", 0, 0, NULL, "Let the daemon plan and explain, but change nothing",
     "What it has changed so far stays; `xlpolicy release --all` undoes it.\n", cmd_mode, STEERS},
    {"pause", "", 0, 0, NULL, "Let the daemon only watch", "", cmd_mode, STEERS},
    {"apply", "", 0, 0, apply_options, "Try it: act for some time, then undo everything",
     "The daemon acts as after `xlpolicy act`. When the time is over it puts all that\n"
     "it has changed back, as `xlpolicy release --all` does, and only advises. `act`\n"
     "keeps what it does, `release --all` ends the trial at once. If the daemon is\n"
     "stopped or killed meanwhile, the host stays as it is until it runs again: then\n"
     "all is put back.\n",
     cmd_apply, STEERS},
    {"rebalance", "", 0, 0, NULL, "Let the daemon carry out its plan once, now",
     "In every mode, and without waiting whether unevenness lasts. With -N the daemon\n"
     "looks and decides in the same way, and tells what it would do.\n",
     cmd_rebalance, STEERS},
    {"set", "DOM [key=value...]", 1, COMMAND_OPERANDS_ANY, set_options,
     "Set a domain's shares, floor and more, until the daemon ends",
     "The keys are those of \"domains\" in the configuration, and go before it:\n"
     "  shares=N     its right to what is scarce, relative to others' (1000)\n"
     "  floor=SIZE   never shrink it below this (unit b, k, m, g or t)\n"
     "  cpu=0|1, memory=0|1, managed=0|1  whether it is managed; managed is both\n"
     "  serves=PATTERN  it is a driver domain of these guests\n"
     "They hold for the domain's name, also when it is started anew, until the daemon\n"
     "ends. To keep them, write them into the configuration.\n",
     cmd_set, STEERS},
    {"get", "[DOM]", 0, 1, NULL, "Show what holds for each domain, and what was set by hand",
     "cpu and memory: 1 where it may be managed; dom0's cpu never is, and its memory\n"
     "with mem_dom0=1 only. A floor of \"-\" goes by the guest's size.\n",
     cmd_get, READS},
    {"adopt", "DOM", 0, 1, adopt_options, "Hand a domain over: it may be moved although pinned",
     "Needed for guests whose vCPUs were pinned by hand, and after `release`. What\n"
     "they had before is recorded, and `release` restores it. With an explicit --host\n"
     "xen it is done from here, not by the daemon; -N then shows it without doing it.\n",
     cmd_adopt, STEERS},
    {"release", "DOM", 0, 1, adopt_options, "Take a domain back: as it was, and hands off",
     "Affinity and memory target are put back as they were found, unless someone has\n"
     "changed them since. A single domain is left alone from then on, until `adopt`;\n"
     "with --all the daemon stops acting. With an explicit --host xen it is done from\n"
     "here instead of by the daemon; -N then shows it without doing it.\n",
     cmd_release, STEERS},
    {"reserve", "SIZE|DOM", 1, 1, reserve_options, "Keep memory free for a guest that is to start",
     "Prints the reservation's number. Running guests make room, as far as that is\n"
     "safe: nobody gets less than what it uses and a margin. SIZE has a unit: 512m,\n"
     "2g. Before `xl create`, for a guest that is called web9:\n"
     "  xlpolicy reserve --for web9 --wait 2g && xl create web9.cfg\n"
     "What the guest takes comes out of the reservation, which ends when it runs, and\n"
     "in any case after the time of --ttl. Without --for, --transfer says whose it is:\n"
     "  xlpolicy reserve --transfer 3 web9\n"
     "Refused is what could not be had if all guests were at their floors.\n",
     cmd_reserve, STEERS},
    {"unreserve", "ID", 1, 1, NULL, "End a reservation", "", cmd_unreserve, STEERS},
    {"simulate", "FILE", 1, 1, simulate_options, "Run a scenario on a simulated host",
     "Shows the host before and after, what was done and why, and whether each thing\n"
     "that the scenario expects came true. Exits with 1 if one did not. With --set\n"
     "KEY=VALUE, a setting is another than the scenario's.\n",
     cmd_simulate, CLI_GIVEN_SET | CLI_GIVEN_JSON},
    {"replay", "FILE", 1, 1, replay_options, "Decide again what was decided in a recording",
     "What is decided again tick after tick is told once.\n"
     "Without --set the decisions have to be the recorded ones: if they are not, the\n"
     "first that differs is named, and the exit code is 1.\n",
     cmd_replay, CLI_GIVEN_SET | CLI_GIVEN_JSON},
    {"record", "FILE", 1, 1, record_options, "Record the host, for `replay` and bug reports",
     "Watches, changes nothing, and stops at ^C. For a recording of what the daemon\n"
     "does, start it with --record FILE.\n",
     cmd_record, CLI_GIVEN_HOST | CLI_GIVEN_SET},
    {"export", "hbal|openmetrics", 1, 1, export_options,
     "Print the host in other programs' formats",
     "hbal: what each guest wants of this host, as a dynamic utilisation file for\n"
     "Ganeti's balancer. FILE has the names of Ganeti's instances, one a line. Exits\n"
     "with 1 if a guest had to be left out.\n"
     "openmetrics: what the daemon writes for Prometheus with `metrics_file`.\n",
     cmd_export, READS & ~CLI_GIVEN_JSON},
    {"config", "check|show [FILE]", 0, 2, NULL,
     "Check the configuration file, or show all settings",
     "Without FILE it is /etc/xlpolicy/xlpolicyd.conf; `show` shows what the daemon\n"
     "decides by now, where one answers. What it prints is a complete configuration\n"
     "file, with the defaults where FILE says nothing.\n",
     cmd_config, CLI_GIVEN_JSON},
    {"pci-check", "[BDF]...", 0, 64, pci_check_options,
     "Check whether the host can give PCI devices to guests",
     "Each finding with what was seen and the mend: of the host, and of the devices\n"
     "named, or else of all that are kept for guests. Exits with 0 when all is well,\n"
     "1 when something keeps passthrough from working or would harm dom0, 2 when\n"
     "there is something to know before. Reads only.\n",
     cmd_pci_check, CLI_GIVEN_JSON},
    {"pci-list", "", 0, 0, pci_list_options, "List PCI devices, with what matters for passthrough",
     "Node is the NUMA node, as Xen says. Reset is the way that would work, or none;\n"
     "\"bridge\": only that of all that is below its bridge (`pci-reset`). Irqs is the\n"
     "best kind that it has. Devices of the same Group must go to one guest together.\n"
     "\"?\" is what a dump does not tell.\n",
     cmd_pci_list, CLI_GIVEN_JSON},
    {"pci-info", "BDF", 1, 1, pci_info_options, "Show all about one PCI device",
     "Its driver, owner, reset, interrupts, regions and capabilities, what goes with\n"
     "it, what dom0 would lose, and what is to be known before it is given away.\n",
     cmd_pci_info, CLI_GIVEN_JSON},
    {"pci-prepare", "BDF", 1, 1, pci_prepare_options,
     "Show how a device is bound to pciback, or do it",
     "With all functions that belong to it. Without --now or --write nothing is done.\n"
     "A device that dom0 needs is refused; so is a hide= that would keep the module\n"
     "from loading. Each step is verified, and undone when a later one fails.\n",
     cmd_pci_prepare, 0},
    {"pci-config", "", 0, 0, pci_config_options, "Write a guest's configuration for a device",
     "Templates: windows10-nvidia, windows10-amd, windows11, linux-compute,\n"
     "network-vf, usb-controller, nvme, windows7. All functions of the device are\n"
     "listed; memory and maxmem are equal; mmio_hole is set when the BARs need it;\n"
     "vCPUs and memory prefer the device's node. It goes to standard output. Told is\n"
     "who else has the device, or has it in a configuration in /etc/xen.\n",
     cmd_pci_config, 0},
    {"pci-validate", "FILE", 1, 1, pci_validate_options,
     "Check a guest's configuration, any of xl's",
     "Numbered findings with line, reason and mend; passthrough.md lists them. Exits\n"
     "with 0 when there is none, 1 when there is an error, 2 when there are only\n"
     "warnings. Elsewhere than in a dom0, --sysroot names the host's files.\n",
     cmd_pci_validate, CLI_GIVEN_JSON},
    {"pci-reset", "BDF", 1, 1, pci_move_options, "Reset a device that is bound to pciback",
     "With all functions that belong to it, each by its own reset or, if one has none,\n"
     "by their bridge's, provided that nothing in use is below that. Verifies that\n"
     "they answer afterwards.\n",
     cmd_pci_reset, 0},
    {"pci-release", "BDF", 1, 1, pci_move_options, "Give a device back to dom0",
     "With all functions that belong to it: from pciback to the driver that each had\n"
     "before, or to the one that wants it. Refused while a guest has it.\n",
     cmd_pci_release, 0},
    {"help", "[COMMAND]", 0, 1, NULL, "List the commands, or tell more about one", "", cmd_help, 0},
    {"complete", "[--] WORD...", 0, COMMAND_OPERANDS_ANY, NULL,
     "Print what may come next, for the shell's completion",
     "The last WORD is the one to complete. The answer begins with the line \"words\",\n"
     "and those that fit follow, one a line; or it is the line \"files\".\n",
     cmd_complete, CLI_GIVEN_HOST},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
