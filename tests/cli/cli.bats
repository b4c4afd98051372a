#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicy on simulated hosts and without any daemon: what each command shows, and how it ends.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    NO_SOCKET=(--socket "$DIR/none.sock")
}

# Reads a scenario's host without a daemon, long enough that use is measured.
sim() {
    local scenario=$1
    shift
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/$scenario.json" --ticks 3 "$@"
}

# The same for what is done at once.
once() {
    local scenario=$1
    shift
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/$scenario.json" "$@"
}

# Just a call, with nothing to talk to.
xlpolicy() {
    run --separate-stderr "$XLPOLICY" "${NO_SOCKET[@]}" "$@"
}

fits_80_columns() {
    ! grep -E '.{81}' <<<"$output"
}

# ---- readers ----

@test "list: one line a domain, with use, demand and what it is due" {
    sim C1 list
    ends 0
    [ "${lines[0]}" = 'Name     ID  Mem VCPUs State  Time(s) CPU% Demand% Entitled% Need Target Managed' ]
    [ "${#lines[@]}" -eq 10 ]
    [[ ${lines[1]} =~ ^'Domain-0  0 1024     1 '.*' no'$ ]]
    [[ ${lines[2]} =~ ^'vm1       1  512     1 '.*' 12.5 '.*' 168    512 memory'$ ]]
    fits_80_columns
}

@test "list: a guest that may be moved is managed, cpu and memory" {
    sim C1 --set adopt=1 --set cpu_affinity=hard list vm8
    ends 0
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} == *' yes' ]]
}

@test "list: a domain is found by id as by name" {
    sim C1 list 3
    ends 0
    [[ ${lines[1]} == 'vm3 '* ]]
    sim C1 list vm30
    ends 1 'xlpolicy: no domain "vm30" here; `xlpolicy list` shows them'
}

@test "list --json: numbers, not text" {
    sim C1 --json list
    ends 0
    json '.xlpolicy == 1 and (.domains | length == 9)'
    json '.domains[1] | .name == "vm1" and .domid == 1 and .actual_kib == 524288
          and .cpu.used > 0.1 and .cpu.used < 0.15 and .cpu.demand > 0.5 and .memory.known'
}

@test "long names push the columns along" {
    cat >"$DIR/long.json" <<'END'
{"xlpolicy_scenario": 1, "title": "long", "host": {"pcpus": 1}, "run_s": 60,
 "guests": [{"name": "a-guest-with-a-name-of-forty-nine-characters-in-all", "load_pct": 10},
            {"name": "b", "load_pct": 10}]}
END
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/long.json" list
    ends 0
    for line in "${lines[@]:1}"; do
        # The ID, under its right-aligned title, is in the same column everywhere.
        [[ ${line:51:3} =~ ^' '+[0-9]$ ]]
    done
}

@test "vcpu-list: affinity as xl shows it" {
    sim C2 vcpu-list
    ends 0
    [[ ${lines[0]} == *' Affinity (Hard / Soft)' ]]
    [ "$(grep -c ' 0 / all$' <<<"$output")" -eq 4 ]
    [ "$(grep -c ' 3 / all$' <<<"$output")" -eq 4 ]
    sim C2 --json vcpu-list vm5
    ends 0
    json '.vcpus | length == 1 and .[0].hard == "3" and .[0].soft == "all" and .[0].view.known'
}

@test "pcpu-list: how busy, and with whom" {
    sim C1 pcpu-list
    ends 0
    [[ ${lines[1]} =~ ^'   0    0      0 Pool-0  100.0   '[0-9.]+' vm1 vm2 vm3 vm4 vm5 vm6 vm7 vm8'$ ]]
    [[ ${lines[2]} =~ ^'   1    0      0 Pool-0    0.'[0-9]' ' ]]
    sim C1 --json pcpu-list
    ends 0
    json '.pcpus | length == 4 and .[0].used > 0.99 and (.[0].vcpus | length == 8) and .[1].used < 0.05'
    json '.pcpus[0].vcpus | all(.bound)'
}

@test "mem-list: what each guest has, uses and needs" {
    sim M2 mem-list
    ends 0
    [ "${lines[0]}" = 'Name     ID Actual Target Used Need Comfort Floor  Max Balloon   Report' ]
    [[ ${lines[2]} =~ ^'vm1       1    512    512  '[0-9]+' '.*' at target agent'$ ]]
    awk '/^vm1/ { exit !($5 > 100 && $5 < $6 && $6 <= $7 && $7 <= $3) }' <<<"$output"
    [[ ${lines[-1]} =~ ^'Host: '[0-9]+' MiB, free '[0-9]+.*' (all in MiB)'$ ]]
    sim M2 --json mem-list vm2
    ends 0
    json '.domains[0] | .name == "vm2" and .balloon == "at target" and .report == "agent"
          and .view.used_kib < .view.need_kib and .view.need_kib <= .view.comfort_kib'
    json '.host.free_kib > 0 and .host.total_kib > .host.free_kib'
}

@test "info: the host in a few lines" {
    sim C1 info
    ends 0
    has_line 'nr_cpus                : 4'
    has_line 'cpupool                : Pool-0, scheduler credit2, pCPUs 0-3, 9 domains'
    has_line 'guests                 : 8'
    has_line 'daemon_mode            : no daemon'
    sim C1 --json info
    json '.pcpus_online == 4 and .pools[0].scheduler == "credit2" and .daemon_mode == null'
}

@test "status: who goes short, and what would help" {
    sim C1 status
    ends 0
    has 'Daemon:      none asked; looking at sim:'
    has 'vm1: CPU: gets 12 % of a pCPU, wants '
    has 'not managed: pinned to pCPU 0 by the operator; `xlpolicy adopt` hands it over'
    sim C3 status
    ends 0
    has_line 'Problems:    none'
    sim C1 --json status
    json '.daemon == null and (.problems | length == 8)'
    xlpolicy --set adopt=1 --host "sim:$SCENARIOS/C3.json" status
    has 'Daemon:      none asked; looking at sim:'
}

@test "status: a guest that goes short and cannot be helped is one problem, not two" {
    cat >"$DIR/rtds.json" <<'END'
{"xlpolicy_scenario": 1, "title": "soft affinity is ignored", "run_s": 60,
 "host": {"pcpus": 2, "pools": [{"name": "rt", "pcpus": "0-1", "sched": "rtds"}]},
 "guests": [{"name": "busy%d", "count": 2, "hard": "0", "load_pct": 90},
            {"name": "idle", "load_pct": 1}]}
END
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/rtds.json" --ticks 3 --set mem_policy=off \
        --set adopt=1 status
    ends 0
    [ "$(grep -c '^  busy1: ' <<<"$output")" -eq 1 ]
    has '  busy1: CPU: gets 50 % of a pCPU, wants '
    has 'not managed: the scheduler of pool 0 ignores soft affinity'
    has '  idle: CPU: not managed: the scheduler of pool 0 ignores soft affinity'
}

@test "plan: nothing while the operator's pins hold, moves once they are handed over" {
    sim C1 plan
    ends 0
    [ "$output" = 'Nothing to do: `xlpolicy why` says why, guest by guest.' ]
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C1.json" --ticks 2 \
        --set cpu_affinity=hard plan --set adopt=1
    ends 0
    [[ ${lines[0]} == 'vm'?' vCPU 0: pCPU 0 -> pCPU '[123]': needs '*': pCPU 0 is overloaded at '* ]]
    has_line 'None of this is done: no daemon acts on it.'
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C1.json" --ticks 2 \
        --set cpu_affinity=hard plan --set adopt=1 --json
    json '.mode == null and (.plan.actions | length == 6) and (.plan.actions | all(.from_pcpu == 0))'
}

@test "plan and why: where affinity is soft, a pin that was handed over is lifted, and they say so" {
    local lifted='; its pin to pCPU 0 is lifted, the new place is a preference'
    sim C1 --set adopt=1 plan
    [ "$(grep -c "^vm[1-8] vCPU 0: pCPU 0 -> .*$lifted\$" <<<"$output")" -eq 6 ]
    sim C1 --set adopt=1 why vm8
    [[ ${lines[1]} == '  CPU     vCPU 0: pCPU 0 -> pCPU '*"$lifted" ]]
    sim C1 --set adopt=1 --set cpu_affinity=hard plan
    ! has "$lifted"
}

@test "why: what is only planned is told as such, and so is the load that would be" {
    sim C1 --set adopt=1 --set cpu_affinity=hard why
    ends 0
    [ "${lines[-1]}" = 'None of this is done: no daemon acts on it.' ]
    grep -qE '^  CPU     stays: pCPU 0 carries [0-9.]+ %, even would be [0-9.]+ %; that is with the plan done, `xlpolicy pcpu-list` shows how it is now$' <<<"$output"
    sim C1 why vm2
    [[ $output != *'None of this is done'* && $output != *'with the plan done'* ]]
}

@test "why: who gives up memory for whom, down to what, and who was not asked" {
    cat >"$DIR/short.json" <<'END'
{"xlpolicy_scenario": 1, "title": "one goes short", "run_s": 600,
 "host": {"pcpus": 4, "free_mib": 20},
 "guests": [
   {"name": "web1", "memory_mib": 2048, "age_s": 600, "load_pct": 10, "used_mib": 1100},
   {"name": "db1", "memory_mib": 1024, "age_s": 600, "load_pct": 10, "used_mib": 300, "pci_devices": 1},
   {"name": "hungry", "memory_mib": 1024, "max_memory_mib": 2048, "age_s": 600, "load_pct": 10,
    "used_mib": 1000},
   {"name": "old%d", "count": 4, "memory_mib": 256, "age_s": 600, "load_pct": 10, "agent": "none"}]}
END
    local skipped='; db1 skipped (PCI passthrough), old1 (no memory report), old2 (no memory report) and 2 more'
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/short.json" --ticks 5 why
    ends 0
    local gives waits
    gives=$(grep '^  memory  2048 -> ' <<<"$output")
    [[ $gives =~ ^'  memory  2048 -> '[0-9]+' MiB: others are short by '[0-9]+' MiB; it uses '[0-9]+' MiB, needs '[0-9]+' MiB, floor '[0-9]+" MiB$skipped"$ ]]
    waits=$(grep '^  memory  short: ' <<<"$output")
    [[ $waits == *"; waits for memory, the host can give "*" MiB$skipped" ]]
    has_line '  memory  not managed: holds 1 PCI device(s), and ballooning would break its next reboot'
}

@test "why: a sentence on CPU and on memory for every domain" {
    sim C1 why
    ends 0
    [ "$(grep -c '^  CPU ' <<<"$output")" -eq 9 ]
    [ "$(grep -c '^  memory ' <<<"$output")" -eq 9 ]
    has_line "  CPU     not managed: dom0's vCPUs are left alone"
    sim C1 why vm2
    ends 0
    [ "${lines[0]}" = 'vm2 (ID 2)' ]
    [ "${lines[1]}" = '  CPU     not managed: pinned to pCPU 0 by the operator; `xlpolicy adopt` hands it over' ]
    [ "${#lines[@]}" -eq 3 ]
    sim C1 why vm2 --json
    json '.domains[0].cpu | .managed == false and .reason.code == "cpu-operator-pin" and .reason.numbers.pcpu == 0'
}

@test "a guest whose report is garbage: what mem-list, why and status say of it" {
    local not_managed='not managed: what the guest writes as its memory report cannot be read'

    sim garbage-agent mem-list garbage
    ends 0
    [ "$(tr -s ' ' <<<"${lines[1]}")" = 'garbage 2 512 512 - - - - 512 at target unreadable' ]
    sim garbage-agent why garbage
    ends 0
    [ "${lines[0]}" = 'garbage (ID 2)' ]
    [ "${lines[2]}" = "  memory  $not_managed" ]
    sim garbage-agent status
    ends 0
    has_line "  garbage: memory: $not_managed"
}

@test "why: a third sentence where shares are written as weights" {
    sim weights-vcpus why four --set cpu_weights=shares
    ends 0
    has_line '  weight  stays at 256 for now: 128 is due (1000 shares, divided by 4 active vCPU(s)), but it was set or first seen a moment ago; looked at again in 7 s'
    sim weights-vcpus why four --set cpu_weights=shares --json
    json '.domains[0].weight | .managed and .reason.code == "weight-settling" and .reason.numbers.due_weight == 128'
    xlpolicy --host "sim:$SCENARIOS/weights-vcpus.json" --ticks 11 --set cpu_weights=shares plan
    ends 0
    has_line 'four: weight 256 -> 128: 1000 shares, divided by 4 active vCPU(s)'
    sim weights-vcpus why four --json
    json '.domains[0] | has("weight") | not'
}

@test "every reader prints JSON that parses" {
    for command in list vcpu-list pcpu-list mem-list info status plan why; do
        sim M2 --json $command
        ends 0
        /usr/bin/python3 -m json.tool <<<"$output" >/dev/null
    done
}

@test "-v says where the facts come from" {
    sim C1 -v info
    ends 0 "xlpolicy: from sim:$SCENARIOS/C1.json, watched for 3 ticks"
}

@test "get: what holds for each domain, by the scenario's own settings or others" {
    cat >"$DIR/shares.json" <<'END'
{"xlpolicy_scenario": 1, "title": "shares", "run_s": 60, "host": {"pcpus": 2},
 "guests": [{"name": "a", "load_pct": 10}]}
END
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/shares.json" get
    ends 0
    has_line 'Name     ID cpu memory shares floor(MiB) serves Set by hand'
    has_line 'a         1   1      1   1000          - -      -'
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/shares.json" get a --json
    ends 0
    json '.domains == [{"name": "a", "domid": 1, "cpu": true, "memory": true, "shares": 1000,
                        "floor_kib": 0, "serves": "", "override": null}]'
    run --separate-stderr "$XLPOLICY" --host "sim:$DIR/shares.json" get b
    ends 1 'xlpolicy: no domain "b" here; `xlpolicy list` shows them'
}

# ---- nothing to talk to ----

@test "without a daemon and without Xen: one line, exit 3" {
    [ ! -e /proc/xen/capabilities ] || skip 'this is dom0'
    for command in list vcpu-list pcpu-list mem-list info status plan why; do
        xlpolicy $command
        ends 3 "xlpolicy: nothing to talk to: no xlpolicyd on $DIR/none.sock, and no Xen here: $NO_XEN"
        [ -z "$output" ]
    done
}

@test "what only a daemon can do needs one: exit 3" {
    for command in act advise pause history 'adopt vm1' 'release --all' '--host daemon list' \
        rebalance 'apply --for 5m' 'set vm1 shares=2' '--host daemon get'; do
        xlpolicy $command
        ends 3 "xlpolicy: no xlpolicyd listens on $DIR/none.sock; start it"
        [ -z "$output" ]
    done
}

@test "--host xen without Xen: exit 3" {
    [ ! -e /proc/xen/capabilities ] || skip 'this is dom0'
    xlpolicy --host xen list
    ends 3 "xlpolicy: no Xen here: $NO_XEN"
    [ -z "$output" ]
}

@test "-N says what a daemon would be told" {
    xlpolicy -N act
    ends 0
    [ "$output" = "Would tell xlpolicyd on $DIR/none.sock: act (it carries out its plans)" ]
    xlpolicy -N release --all
    ends 0
    [ "$output" = "Would tell xlpolicyd on $DIR/none.sock: release all domains" ]
    xlpolicy -N apply --for 90s
    ends 0
    [ "$output" = "Would tell xlpolicyd on $DIR/none.sock: act for 1 min 30 s, then put everything back" ]
    xlpolicy -N set vm1 shares=2000 floor=1g
    ends 0
    [ "$output" = "Would tell xlpolicyd on $DIR/none.sock: set vm1: shares=2000, floor=1g" ]
    xlpolicy -N set vm1 --clear --json
    ends 0
    json '.would_send == {"xlpolicy": 1, "command": "set", "domain": "vm1"}'
    xlpolicy -N pause --json
    ends 0
    json '.would_send == {"xlpolicy": 1, "command": "mode", "mode": "pause"}'
    xlpolicy -N adopt 'a "b"' --json
    ends 0
    json '.would_send == {"xlpolicy": 1, "command": "adopt", "domain": "a \"b\""}'
}

@test "-N is for every command: what only looks takes it, and record writes nothing" {
    for command in list get why plan status info; do
        run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C3.json" $command -N
        ends 0
    done
    for command in 'config show' help "simulate $SCENARIOS/C3.json"; do
        xlpolicy -N $command
        ends 0
    done
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C3.json" -N record "$DIR/n.rec"
    ends 0
    [ "$output" = "Would record sim:$SCENARIOS/C3.json in $DIR/n.rec" ]
    [ ! -e "$DIR/n.rec" ]
}

# ---- usage ----

@test "usage errors: exit 2, one line that says where to read on" {
    local see='; see `xlpolicy help'

    xlpolicy
    ends 2 "xlpolicy: needs a command$see\`"
    xlpolicy --frob list
    ends 2 "xlpolicy: unknown option --frob$see\`"
    xlpolicy --ticks 0 list
    ends 2 "xlpolicy: --ticks 0: allowed is 1 to 100000$see\`"
    xlpolicy --host nowhere list
    ends 2 "xlpolicy: --host nowhere: allowed are daemon, xen, sim:FILE and replay:FILE$see\`"
    xlpolicy --socket
    ends 2 "xlpolicy: option --socket needs a value$see\`"
    xlpolicy list --frob
    ends 2 "xlpolicy: list: unknown option --frob$see list\`"
    xlpolicy list a b
    ends 2 "xlpolicy: list: \"b\" is one argument too many$see list\`"
    xlpolicy simulate
    ends 2 "xlpolicy: simulate: needs FILE$see simulate\`"
    xlpolicy adopt
    ends 2 "xlpolicy: adopt: needs either DOM or --all$see adopt\`"
    xlpolicy release vm1 --all
    ends 2 "xlpolicy: release: needs either DOM or --all$see release\`"
    xlpolicy history --since yesterday
    ends 2 "xlpolicy: history: --since yesterday is not like 90s, 5m, 2h or 1d$see history\`"
    xlpolicy why --since soon
    ends 2 "xlpolicy: why: --since soon is not like 90s, 5m, 2h or 1d$see why\`"
    xlpolicy apply
    ends 2 "xlpolicy: apply: needs --for TIME; without end it is \`xlpolicy act\`$see apply\`"
    xlpolicy apply --for ever
    ends 2 "xlpolicy: apply: --for ever is not like 90s, 5m, 2h or 1d$see apply\`"
    xlpolicy set vm1
    ends 2 "xlpolicy: set: needs either key=value or --clear$see set\`"
    xlpolicy set vm1 shares=1 --clear
    ends 2 "xlpolicy: set: needs either key=value or --clear$see set\`"
    xlpolicy set vm1 shares=none
    ends 2 "xlpolicy: set: shares=none: allowed are cpu=0|1, memory=0|1, managed=0|1, shares=1 to 1000000, serves=PATTERN, floor=SIZE$see set\`"
    for command in apply\ --for\ 1m rebalance set\ vm1\ cpu=0 history why\ --since\ 1m; do
        xlpolicy --host sim:x $command
        [ "$status" -eq 2 ]
        [[ $stderr == *': only a daemon can do that; leave out --host sim:x' ]]
    done
    xlpolicy --host sim:x act
    ends 2 'xlpolicy: act: only a daemon has a mode; leave out --host sim:x'
    xlpolicy --set cpu_policy=best list
    ends 2 "xlpolicy: --set cpu_policy=best: cpu_policy: \"best\" is not one of: off round-robin balance$see config\`"
    xlpolicy --set cpu_polcy=off list
    ends 2 'xlpolicy: --set cpu_polcy=off: cpu_polcy: there is no such setting; did you mean cpu_policy?'
    xlpolicy --set mode=act list
    ends 2 "xlpolicy: --set mode=act: mode is for xlpolicyd's configuration alone$see config\`"
    xlpolicy --set mod=act list
    ends 2 "xlpolicy: --set mod=act: mode is for xlpolicyd's configuration alone$see config\`"
    xlpolicy --set foo=1 list
    ends 2 "xlpolicy: --set foo=1: foo: there is no such setting$see config\`"
    xlpolicy --set =1 list
    ends 2 "xlpolicy: --set =1: : there is no such setting$see config\`"
    xlpolicy --set adopt list
    ends 2 "xlpolicy: --set adopt: should be KEY=VALUE$see config\`"
    for command in plan "record --for 1s $DIR/x.rec"; do
        xlpolicy --host "sim:$SCENARIOS/C1.json" --set cpu_even_pct=30 $command
        ends 2 "xlpolicy: --set: cpu_even_pct: 30 is more than cpu_uneven_pct, 2: evening out would end before it begins$see config\`"
    done
    xlpolicy simulate "$SCENARIOS/C1.json" --set cpu_even_pct=30
    ends 1 'xlpolicy: cpu_even_pct: 30 is more than cpu_uneven_pct, 2: evening out would end before it begins'
    xlpolicy --host daemon --set adopt=1 plan
    ends 2 "xlpolicy: --set: the daemon decides by its own configuration$see\`"
    xlpolicy config
    ends 2 "xlpolicy: config: needs check or show$see config\`"
    xlpolicy config frob
    ends 2 "xlpolicy: config: \"frob\" is neither check nor show$see config\`"
}

@test "an option that is wrong is named as it was typed" {
    local see='; see `xlpolicy help'

    xlpolicy -xv list
    ends 2 "xlpolicy: unknown option -x$see\`"
    xlpolicy list -vx
    ends 2 "xlpolicy: list: unknown option -x$see list\`"
    xlpolicy --json=1 list
    ends 2 "xlpolicy: option --json takes no value$see\`"
    xlpolicy simulate --trace=all "$SCENARIOS/C1.json"
    ends 2 "xlpolicy: simulate: option --trace takes no value$see simulate\`"
    xlpolicy --h list
    ends 2 "xlpolicy: option --h may mean several$see\`"
    xlpolicy list --s=1
    ends 2 "xlpolicy: list: option --s may mean several$see list\`"
    xlpolicy simulate "$SCENARIOS/C1.json" -to
    ends 2 "xlpolicy: simulate: option -o needs a value$see simulate\`"
}

@test "an option that has no meaning for a command is refused, not ignored" {
    refuses() {
        xlpolicy "${@:3}"
        ends 2 "xlpolicy: $1: $2 has no meaning here; see \`xlpolicy help $1\`"
        [ -z "$output" ]
    }
    refuses act --set act --set adopt=1
    refuses history --ticks --ticks 3 history
    refuses adopt --ticks adopt vm1 --ticks 3
    refuses record --ticks --host "sim:$SCENARIOS/C1.json" --ticks 3 record "$DIR/c1.rec"
    [ ! -e "$DIR/c1.rec" ]
    refuses simulate --host --host xen simulate "$SCENARIOS/C1.json"
    refuses simulate --ticks --ticks 7 simulate "$SCENARIOS/C1.json"
    refuses replay --host --host xen replay "$DIR/c1.rec"
    refuses config --set config show --set adopt=1
    refuses help --json help --json
    xlpolicy --host daemon --ticks 3 list
    ends 2 'xlpolicy: --ticks: the daemon watches all the time; see `xlpolicy help`'
}

@test "get: dom0 is managed as far as it may be" {
    xlpolicy --host "sim:$SCENARIOS/C1.json" get Domain-0
    ends 0
    [ "$(tr -s ' ' <<<"${lines[1]}")" = 'Domain-0 0 0 0 1000 - - -' ]
    xlpolicy --host "sim:$SCENARIOS/C1.json" --set mem_dom0=1 get Domain-0 --json
    json '.domains[0] | .cpu == false and .memory == true'
}

@test "options may follow the command, as xl users expect" {
    run --separate-stderr "$XLPOLICY" list --host "sim:$SCENARIOS/C1.json" --ticks 3 vm3 -v
    ends 0 "xlpolicy: from sim:$SCENARIOS/C1.json, watched for 3 ticks"
    [[ ${lines[1]} == 'vm3 '* ]]
    xlpolicy adopt -N vm1
    ends 0
    [ "$output" = "Would tell xlpolicyd on $DIR/none.sock: adopt vm1" ]
    run --separate-stderr "$XLPOLICY" plan -N --host "sim:$SCENARIOS/C1.json"
    ends 0
    xlpolicy status -V
    ends 0
    [ "$output" = "xlpolicy $(cat VERSION)" ]
}

@test "an unknown command: the nearest is suggested, if one is near" {
    xlpolicy vcpulist
    ends 2 'xlpolicy: no command "vcpulist"; did you mean "vcpu-list"?'
    xlpolicy relaese vm1
    ends 2 'xlpolicy: no command "relaese"; did you mean "release"?'
    xlpolicy frobnicate
    ends 2 'xlpolicy: no command "frobnicate"; `xlpolicy help` lists them'
    xlpolicy help frobnicate
    ends 2 'xlpolicy: no command "frobnicate"; `xlpolicy help` lists them'
}

@test "help lists every command, and tells more about each" {
    xlpolicy help
    ends 0
    fits_80_columns
    local overview=$output commands
    commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$overview")
    [ "$(wc -w <<<"$commands")" -ge 20 ]
    for command in $commands; do
        xlpolicy help "$command"
        ends 0
        fits_80_columns
        [[ ${lines[0]} == "Usage: xlpolicy $command"* ]]
        local help=$output
        xlpolicy "$command" --help
        ends 0
        [ "$output" = "$help" ]
    done
    xlpolicy -h
    ends 0
    [ "$output" = "$overview" ]
}

@test "-V prints the version" {
    xlpolicy -V
    ends 0
    [ "$output" = "xlpolicy $(cat VERSION)" ]
}

@test "output that cannot be written is a failure" {
    [ -w /dev/full ] || skip 'no /dev/full'
    run --separate-stderr bash -c '"$1" help >/dev/full' - "$XLPOLICY"
    ends 1 'xlpolicy: cannot write the output: No space left on device'
}

# ---- adopt and release from here ----

@test "adopt on an explicit host does it from here, and -N only says so" {
    local gone='xlpolicy: adopt: nothing of it remains: the simulated host ends with this command; `xlpolicyd -F --host sim:FILE` keeps one'
    once C1 adopt vm1
    ends 0 "$gone"
    [ "$output" = 'done: vm1 vCPU 0: adopted: its affinity may now be changed' ]
    once C1 -N adopt --all
    ends 0
    [ "$(grep -c '^would: vm[1-8] vCPU 0: adopted: its affinity may now be changed$' <<<"$output")" -eq 8 ]
    once C1 release --all
    ends 0
    [ "$output" = 'Nothing to do: all domains: nothing of ours to undo' ]
    once C1 adopt vm1 --json
    ends 0 "$gone"
    json '.actions | length == 1 and .[0].outcome == "done" and .[0].action.kind == "adopt-vcpu"'
    once C1 adopt nobody
    ends 1 'xlpolicy: no domain "nobody" here; `xlpolicy list` shows them'
    once C1 adopt 0
    ends 4 "xlpolicy: adopt: refused: dom0's vCPUs are left alone"
    [ -z "$output" ]
}

# ---- configuration ----

@test "config check: the daemon's own words" {
    printf 'mode = "act"\n' >"$DIR/good.conf"
    xlpolicy config check "$DIR/good.conf"
    ends 0
    [ "$output" = "$DIR/good.conf: configuration OK" ]
    printf 'cpu_polcy = "off"\n' >"$DIR/bad.conf"
    xlpolicy config check "$DIR/bad.conf"
    ends 1 "xlpolicy: $DIR/bad.conf:1: cpu_polcy: there is no such setting; did you mean cpu_policy?"
    xlpolicy config check "$DIR/none.conf"
    ends 1 "xlpolicy: cannot read $DIR/none.conf: No such file or directory"
    [ ! -e /etc/xlpolicy/xlpolicyd.conf ] || return 0
    xlpolicy config check
    ends 0
    [ "$output" = '/etc/xlpolicy/xlpolicyd.conf: no such file, all defaults; configuration OK' ]
    run -0 "$XLPOLICYD" -n
}

@test "config show prints a file that config check takes and that says the same" {
    printf 'mode = "act"\nmem_reserve = "256m"\ndomains = [ "web*: shares=2000", "db1: floor=1g" ]\n' >"$CONF"
    xlpolicy config show "$CONF"
    ends 0
    local shown=$output
    has_line 'mode = "act"'
    printf '%s\n' "$shown" >"$DIR/shown.conf"
    xlpolicy config check "$DIR/shown.conf"
    ends 0
    xlpolicy config show "$DIR/shown.conf"
    [ "$output" = "$shown" ]
    xlpolicy config show "$CONF" --json
    json '.mode == "act" and .policy.mem_reserve == "256m" and (.policy.domains | length == 2)'
}

# ---- simulate, record, replay ----

@test "simulate: before, after, what was done and why, and what was expected" {
    xlpolicy simulate "$SCENARIOS/C1.json"
    ends 0
    [ "${lines[0]}" = 'C1: eight guests, all pinned to pCPU 0, the same load on each' ]
    [[ $output =~ '   0      100.0 vm1 vm2 vm3 vm4 vm5 vm6 vm7 vm8 ' ]]
    [[ $output =~ 'done: vm'[1-8]' vCPU 0: pCPU 0 -> pCPU '[123]': needs ' ]]
    has 'Expectations:'
    [[ ${lines[-1]} == 'all '*' hold' ]]
}

@test "simulate: an expectation that does not come true is shown with numbers, exit 1" {
    # Nobody pins one heavy and one light guest to each pCPU then.
    xlpolicy simulate "$SCENARIOS/C5.json" --set cpu_policy=off
    ends 1
    has '  FAIL  line '
    [[ ${lines[-1]} == *' of '*' failed' ]]
    xlpolicy simulate "$SCENARIOS/C5.json" --set cpu_policy=off --json
    ends 1
    json '.passed == false and (.expectations | any(.passed == false)) and .moves == 0'
}

@test "simulate: --trace prints every action, otherwise the first twenty" {
    xlpolicy simulate "$SCENARIOS/M1.json"
    ends 0
    [ "$(grep -c ' s  done: ' <<<"$output")" -eq 20 ]
    has 'more; --trace shows them all'
    xlpolicy simulate "$SCENARIOS/M1.json" --trace
    ends 0
    [ "$(grep -c ' s  done: ' <<<"$output")" -gt 20 ]
    [[ $output != *'more; --trace'* ]]
}

@test "simulate --trace: a guest that vanished before the act is named, with what was to be done" {
    xlpolicy simulate "$SCENARIOS/vanish.json" --trace
    ends 0
    local gone='^ *[0-9.]+ s  not done \(gone: domain ([18]) is gone\): vm\1 vCPU 0: pCPU 0 -> pCPU [1-3]: needs [0-9.]+ %: pCPU 0 is overloaded at [0-9.]+ %, pCPU [1-3] carries [0-9.]+ %$'
    grep -qE "$gone" <<<"$output"
}

@test "simulate: a file that is no scenario" {
    xlpolicy simulate "$DIR/none.json"
    ends 1 "xlpolicy: $DIR/none.json: cannot be opened: No such file or directory"
    echo '{}' >"$DIR/empty.json"
    xlpolicy simulate "$DIR/empty.json"
    [ "$status" -eq 1 ]
    [[ $stderr == "xlpolicy: $DIR/empty.json: line 1, column 1: "* ]]
}

@test "simulate --svg: a picture with every pCPU and every guest in it" {
    xlpolicy simulate "$SCENARIOS/C1.json" --svg "$DIR/c1.svg"
    ends 0
    /usr/bin/python3 - "$DIR/c1.svg" <<'END'
import sys, xml.etree.ElementTree as ET
svg = '{http://www.w3.org/2000/svg}'
root = ET.parse(sys.argv[1]).getroot()
texts = [t.text for t in root.iter(svg + 'text')]
for wanted in ['pCPU %d' % p for p in range(4)] + ['vm%d' % i for i in range(1, 9)] + ['Domain-0', '0 s']:
    assert wanted in texts, (wanted, texts)
moves = [t.text for t in root.iter(svg + 'title')]
assert len(moves) == 6, moves
assert all(' to pCPU ' in m and ': pCPU 0 is overloaded at ' in m for m in moves), moves
assert 'Moved: 6 cpu-overload. ' in texts, texts
END
    # Memory: a dot for each change, with its reason, and those that somebody else made.
    xlpolicy simulate "$SCENARIOS/mem-set.json" --svg "$DIR/set.svg"
    grep -q '<title>vm[0-9]* to [0-9]* MiB at [0-9.]* s: uses [0-9]* MiB, ' "$DIR/set.svg"
    grep -q '<title>vm[0-9]* to [0-9]* MiB at [0-9.]* s: not by xlpolicy<' "$DIR/set.svg"
    grep -q '>Resized: 1 by others, ' "$DIR/set.svg"
    xlpolicy simulate "$SCENARIOS/C1.json" --svg "$DIR/no/such/dir.svg"
    ends 1 "xlpolicy: cannot write $DIR/no/such/dir.svg: No such file or directory"
    [ -z "$output" ] # it is said before the work
}

@test "simulate --svg: a title is text, whatever is in it" {
    cat >"$DIR/title.json" <<'END'
{"xlpolicy_scenario": 1, "title": "<b> & \"quotes\" ]]>", "host": {"pcpus": 1}, "run_s": 5,
 "guests": [{"name": "a<&>b", "load_pct": 10}]}
END
    xlpolicy simulate "$DIR/title.json" --svg "$DIR/title.svg"
    ends 0
    /usr/bin/python3 - "$DIR/title.svg" <<'END'
import sys, xml.etree.ElementTree as ET
texts = [t.text for t in ET.parse(sys.argv[1]).getroot().iter('{http://www.w3.org/2000/svg}text')]
assert '<b> & "quotes" ]]>' in texts and 'a<&>b' in texts, texts
END
}

@test "record, then replay: the same decisions, and a picture" {
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C1.json" --set adopt=1 \
        --set cpu_affinity=hard record "$DIR/c1.rec" --for 10s --svg "$DIR/live.svg"
    ends 0 "xlpolicy: 11 ticks recorded in $DIR/c1.rec"
    grep -q '>pCPU 3<' "$DIR/live.svg"
    xlpolicy replay "$DIR/c1.rec" --svg "$DIR/c1.svg"
    ends 0
    has_line 'All 11 plans are the recorded ones.'
    grep -q '^</svg>$' "$DIR/c1.svg"
    xlpolicy replay "$DIR/c1.rec" --set cpu_policy=off
    ends 0
    has_line '11 ticks over 10.0 s, 0 actions decided.'
    has_line 'Not compared with what was recorded: --set was given.'
    xlpolicy --host "replay:$DIR/c1.rec" --ticks 5 --set adopt=1 --set cpu_affinity=hard plan
    ends 0
    has 'vCPU 0: pCPU 0 -> pCPU '
}

@test "replay: decisions that are not the recorded ones are found out, exit 1" {
    run --separate-stderr "$XLPOLICY" --host "sim:$SCENARIOS/C1.json" --set adopt=1 \
        --set cpu_affinity=hard record "$DIR/c1.rec" --for 5s
    sed 's/"to_pcpu":1/"to_pcpu":2/' "$DIR/c1.rec" >"$DIR/other.rec"
    run cmp -s "$DIR/c1.rec" "$DIR/other.rec"
    [ "$status" -eq 1 ]
    xlpolicy replay "$DIR/other.rec"
    ends 1
    [[ ${lines[-1]} =~ ^'Decided otherwise in '[0-9]+' of 6 ticks, first at '[0-9.]+' s: ' ]]
    xlpolicy replay "$DIR/other.rec" --json
    ends 1
    json '.compared == 6 and .differing > 0'
}

@test "a scenario is no recording, and a recording no scenario: the right command is named" {
    xlpolicy replay "$SCENARIOS/C1.json"
    ends 1 "xlpolicy: $SCENARIOS/C1.json: is a scenario, not a recording: \`xlpolicy simulate\` runs it"
    once C1 record "$DIR/c1.rec" --for 2s
    xlpolicy simulate "$DIR/c1.rec"
    ends 1 "xlpolicy: $DIR/c1.rec: is a recording, not a scenario: \`xlpolicy replay\` decides it again"
    echo '[1,' >"$DIR/other"
    xlpolicy replay "$DIR/other"
    ends 1 "xlpolicy: $DIR/other: is no recording: line 1, column 3: the text ends before the value does"
}

@test "record does not write over a file" {
    echo precious >"$DIR/precious"
    xlpolicy --host "sim:$SCENARIOS/C1.json" record "$DIR/precious" --for 5s
    ends 1 "xlpolicy: cannot write $DIR/precious: File exists; choose a new name"
    [ "$(cat "$DIR/precious")" = precious ]
}

# ---- the manual ----

@test "the manual pages are well-formed, and say in which section they belong" {
    for page in docs/man/*.pod; do
        run -0 podchecker "$page"
        [[ $output == *'pod syntax OK.' ]] && [ "${#lines[@]}" -eq 1 ]
        grep -qx '=for man-section [158]' "$page"
    done
}

@test "xlpolicy-scenario(5) has every word that the scenarios here use" {
    local words
    words=$(jq -r 'del(.policy) | (paths[] | strings), (.events[]?.event), (.expect[]?.check),
                   (.guests[] | .agent, .balloon | strings)' "$SCENARIOS"/*.json | sort -u)
    [ "$(wc -l <<<"$words")" -gt 90 ]
    for word in $words; do
        grep -qE "[<\", ]$word[>\",]" docs/man/xlpolicy-scenario.pod ||
            { echo "$word is not in the manual" >&2; return 1; }
    done
}
