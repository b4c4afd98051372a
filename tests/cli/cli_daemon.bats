#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicy as the client of a daemon on a simulated host.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    printf 'tick_ms = 100\ncpu_affinity = "hard"\n' >"$CONF"
    start_daemon --record "$DIR/daemon.rec"
    wait_for measured
}

teardown() {
    helpers_teardown
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" --socket "$SOCKET" "$@"
}

measured() {
    "$XLPOLICY" --socket "$SOCKET" --json list vm8 | jq -e '.domains[0].cpu.demand > 0.5' >/dev/null
}

# How many guests each pCPU carries: "2 2 2 2".
spread() {
    "$XLPOLICY" --socket "$SOCKET" --json pcpu-list |
        jq -r '[.pcpus[].vcpus | map(select(.bound)) | length] | join(" ")'
}

spread_is() {
    [ "$(spread)" = "$1" ]
}

@test "every reader asks the daemon, unless told otherwise" {
    for command in list vcpu-list pcpu-list mem-list info status plan why get; do
        xlpolicy -v "$command"
        [ "$status" -eq 0 ]
        [[ $stderr == *"xlpolicy: from xlpolicyd on $SOCKET"* ]]
        xlpolicy --json "$command"
        ends 0
        json '.xlpolicy == 1'
    done
    xlpolicy -v --host "sim:$SCENARIOS/C3.json" info
    [[ $stderr == 'xlpolicy: from sim:'* ]]
}

@test "--ticks is refused where a daemon answers, not ignored" {
    xlpolicy --ticks 5 list
    ends 2 "xlpolicy: --ticks: xlpolicyd on $SOCKET answers, and watches all the time; leave --ticks out, or look past it with --host xen; see \`xlpolicy help\`"
    [ -z "$output" ]
    xlpolicy --ticks 2 --host "sim:$SCENARIOS/C3.json" list
    ends 0
}

@test "config show: what the daemon decides by now, whatever has become of its file" {
    xlpolicy set vm1 shares=2000
    xlpolicy act
    printf 'tick_ms = 5000\n' >"$CONF"
    xlpolicy config show
    ends 0
    [ "${lines[0]}" = "# What xlpolicyd on $SOCKET decides by now, with what was \`set\`; its file is $CONF." ]
    has_line 'mode = "act"'
    has_line 'tick_ms = 100'
    has_line 'cpu_affinity = "hard"'
    has_line '    "vm1: shares=2000"'
    printf '%s\n' "$output" >"$DIR/shown.conf"
    xlpolicy config check "$DIR/shown.conf"
    ends 0
    xlpolicy config show "$CONF"
    has_line 'tick_ms = 5000'
    xlpolicy config show --json
    json '.mode == "act" and .policy.tick_ms == 100'
}

@test "every key that --json prints is documented" {
    local keys
    for command in list vcpu-list pcpu-list mem-list info status plan why history get; do
        xlpolicy --json $command
        ends 0
        # Numbers of reasons, and counts by reason, are named after the table of reasons.
        keys+=$(jq -r 'del(.. | objects | .numbers, .done, .not_done) |
                       [paths[] | strings] | unique[]' <<<"$output")$'\n'
    done
    for key in $keys; do
        grep -q "[\`\"]$key[\`\"]" docs/formats.md docs/control-protocol.md ||
            { echo "documented nowhere: $key" >&2; return 1; }
    done
}

@test "pcpu-list has from the daemon how busy each pCPU is, and waits for no tick" {
    wait_for first_is_busy
}

# Asked where the next tick is a minute away. On a busy machine the last one before may have come too late
# to be compared with the one before it, and would then be all there is for that minute: so there are new
# ones at each try.
first_is_busy() {
    tick_every 100
    ticks_pass 2
    tick_every 60000
    "$XLPOLICY" --socket "$SOCKET" --json pcpu-list |
        jq -e '.pcpus[0].used > 0.99 and .pcpus[1].used < 0.05' >/dev/null
}

tick_every() {
    printf 'tick_ms = %s\n' "$1" >"$CONF"
    ask '{"xlpolicy":1,"command":"reload"}' >/dev/null
}

@test "from all on one pCPU to two on each: adopt, act; and back: release" {
    spread_is '8 0 0 0'
    xlpolicy adopt --all
    ends 0
    [ "$(grep -c '^done: vm[1-8] vCPU 0: adopted: ' <<<"$output")" -eq 8 ]
    xlpolicy adopt --all
    ends 0
    [ "$output" = 'Nothing to do: all domains: managed already' ]
    xlpolicy act
    ends 0
    [ "$output" = 'xlpolicyd is in mode act: it carries out its plans' ]
    wait_for spread_is '2 2 2 2'

    xlpolicy history
    ends 0
    [[ ${lines[0]} =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}' '[0-9:]{8}' done: vm1 vCPU 0: adopted: ' ]]
    [[ ${lines[-1]} == *' done: vm'?' vCPU 0: pCPU 0 -> pCPU '* ]]
    xlpolicy history vm3 --json
    json '.entries | length >= 1 and all(.action.name == "vm3") and all(.outcome == "done")'
    xlpolicy history Domain-0
    ends 0
    [ "$output" = 'Nothing was done with Domain-0; `xlpolicy why` says why.' ]
    xlpolicy history nobody
    ends 1 'xlpolicy: no domain "nobody" here, nor in the history; `xlpolicy list` shows those here'
    [ -z "$output" ]

    xlpolicy release --all
    ends 0
    [ "${lines[-1]}" = 'xlpolicyd is in mode advise' ]
    [ "$(grep -c '^done: vm[1-8] vCPU 0: ' <<<"$output")" -eq 8 ]
    wait_for spread_is '8 0 0 0'
}

@test "history says how much has been forgotten" {
    local requests=()
    for _ in {1..70}; do requests+=("$(request adopt)" "$(request release)"); done
    ask "${requests[@]}" >/dev/null
    xlpolicy history
    ends 0
    [ "${#lines[@]}" -eq 1025 ]
    [ "${lines[0]}" = '96 actions before these are forgotten.' ]
    xlpolicy history --since 1h
    [ "${#lines[@]}" -eq 1024 ]
    xlpolicy history --json
    json '.forgotten == 96 and (.entries | length == 1024)'
    run ask '{"xlpolicy":1,"command":"history","last":3}'
    json '.result.entries | length == 3'
    [ "$(jq -c '.result.entries[2]' <<<"$output")" = "$(ask "$(request history)" | jq -c '.result.entries[1023]')" ]
}

@test "release --all --json tells the mode that it leaves behind" {
    xlpolicy act
    xlpolicy release --all --json
    ends 0
    json '.mode == "advise" and .actions == []'
}

@test "a released guest stays released, and says so" {
    xlpolicy adopt vm2
    ends 0
    xlpolicy release vm2
    ends 0
    wait_for released vm2
    xlpolicy why vm2
    ends 0
    has 'CPU     not managed: released by the operator; `xlpolicy adopt` resumes'
}

released() {
    "$XLPOLICY" --socket "$SOCKET" --json why "$1" |
        jq -e '.domains[0].cpu.reason.code == "released"' >/dev/null
}

@test "in mode advise the plan is shown and not carried out" {
    xlpolicy adopt --all
    wait_for planned
    xlpolicy plan
    ends 0
    has 'None of this is done: the daemon is in mode advise; `xlpolicy act` changes that.'
    xlpolicy -N act
    ends 0
    spread_is '8 0 0 0'
}

planned() {
    "$XLPOLICY" --socket "$SOCKET" --json plan | jq -e '.plan.actions | length > 0' >/dev/null
}

@test "the mode is changed and shown" {
    for mode in act pause advise; do
        xlpolicy --json "$mode"
        ends 0
        json ".mode == \"$mode\""
        xlpolicy status
        ends 0
        has "Mode:        $mode"
        xlpolicy info
        has "daemon_mode            : $mode"
    done
}

@test "plan tells what a paused daemon would do, and that it is paused" {
    xlpolicy adopt --all
    xlpolicy pause
    wait_for plan_ends 'None of this is done: the daemon is in mode pause; `xlpolicy act` changes that.'
}

@test "rebalance -N: what it would do at once, in pause too, and nothing is done" {
    xlpolicy adopt --all
    xlpolicy pause
    xlpolicy -N rebalance
    ends 0
    [ "$(grep -c '^would: vm[1-8] vCPU 0: pCPU 0 -> pCPU [123]: needs ' <<<"$output")" -eq 6 ]
    xlpolicy -N rebalance --json
    json '.mode == "pause" and (.actions | length == 6 and all(.outcome == "dry-run"))'
    xlpolicy --json status
    json '.daemon.done | keys == ["cpu-adopt"]'
}

@test "of a dry run nobody is told that it acts" {
    stop_daemon
    echo 'adopt = 1' >>"$CONF"
    start_daemon -N
    xlpolicy act
    ends 0
    [ "$output" = "xlpolicyd is in mode act, but a dry run (-N): it says what it would do, and changes nothing" ]
    xlpolicy advise
    ends 0
    [ "$output" = "xlpolicyd is in mode advise: it plans and explains, and changes nothing" ]
    xlpolicy --json act
    ends 0
    json '.mode == "act" and .dry_run == true'
    wait_for plan_ends 'None of this is done: the daemon is a dry run; start it without -N to change that.'
    xlpolicy --json plan
    json '.mode == "act" and .dry_run == true'
    spread_is '8 0 0 0'
}

plan_is() {
    [ "$("$XLPOLICY" --socket "$SOCKET" plan)" = "$1" ]
}

plan_ends() {
    [ "$("$XLPOLICY" --socket "$SOCKET" plan | tail -n 1)" = "$1" ]
}

@test "status: what the daemon is up to" {
    xlpolicy status
    ends 0
    has "Daemon:      xlpolicyd $(cat VERSION) on $SOCKET, pid $DAEMON_PID, up "
    has "Config:      $CONF"
    has 'Last error:  none'
    has 'Last actions: none'
    [[ $output =~ vm[1-8]': CPU: gets 1'[1-4]' % of a pCPU, wants ' ]]
    xlpolicy status --json
    json ".daemon.pid == $DAEMON_PID and .daemon.mode == \"advise\" and .last_actions == []"
    wait_for all_starve
}

all_starve() {
    "$XLPOLICY" --socket "$SOCKET" --json status | jq -e '.problems | length == 8' >/dev/null
}

@test "rebalance: the plan is carried out once, now, and the mode stays" {
    xlpolicy adopt --all
    xlpolicy rebalance
    ends 0
    [ "$(grep -c '^done: vm[1-8] vCPU 0: pCPU 0 -> pCPU [123]: needs ' <<<"$output")" -eq 6 ]
    wait_for spread_is '2 2 2 2'
    xlpolicy --json rebalance
    ends 0
    json '.mode == "advise" and .actions == []'
    xlpolicy rebalance
    ends 0
    [ "$output" = 'Nothing to do: `xlpolicy why` says why, guest by guest.' ]
}

@test "why --since: what was done of late comes before what is decided now" {
    xlpolicy why vm3 --since 1h
    ends 0
    [ "${lines[1]}" = '  done    nothing in that time' ]
    xlpolicy adopt vm3
    xlpolicy why vm3 --since 1h
    ends 0
    [[ ${lines[1]} =~ ^'  '[0-9]{4}-[0-9-]{5}' '[0-9:]{8}' done: vm3 vCPU 0: adopted: ' ]]
    [[ ${lines[2]} == '  CPU '* ]]
    xlpolicy why --since 1h --json
    ends 0
    json '[.domains[] | select(.done | length > 0) | .name] == ["vm3"]'
    xlpolicy why vm3 --json
    json '.domains[0] | has("done") | not'
}

@test "set: holds for a guest from now on, get shows it, --clear forgets it" {
    xlpolicy set vm1 shares=2000 floor=256m
    ends 0
    [ "${lines[0]}" = 'vm1: shares=2000, floor=256m, until xlpolicyd ends. To keep it, write in its configuration:' ]
    [ "${lines[1]}" = 'domains += [ "vm1: shares=2000, floor=256m" ]' ]
    echo "${lines[1]}" >"$DIR/set.conf"
    run -0 "$XLPOLICY" config check "$DIR/set.conf"
    xlpolicy set 1 managed=0
    ends 0
    xlpolicy get vm1
    ends 0
    [ "$(tr -s ' ' <<<"${lines[1]}")" = 'vm1 1 0 0 2000 256 - cpu=0, memory=0, shares=2000, floor=256m' ]
    wait_for excluded vm1
    xlpolicy set vm1 --clear
    ends 0
    [ "$output" = 'vm1: as in the configuration' ]
    xlpolicy get vm1 --json
    json '.domains[0] | .shares == 1000 and .cpu and .override == null'
    xlpolicy set vm2 cpu=0 --json
    json '.name == "vm2" and .override == "vm2: cpu=0"'
}

excluded() {
    "$XLPOLICY" --socket "$SOCKET" --json why "$1" |
        jq -e '.domains[0] | .cpu.reason.code == "cpu-excluded" and .memory.reason.code == "mem-excluded"' >/dev/null
}

weight_excluded() {
    "$XLPOLICY" --socket "$SOCKET" --json why "$1" |
        jq -e '.domains[0].weight.reason.code == "cpu-excluded"' >/dev/null
}

@test "why: what excludes a guest, and on which line of which file" {
    printf 'tick_ms = 100\ncpu_affinity = "hard"\ndomains = [ "vm2: shares=2000",\n  "vm[13]: managed=0" ]\ndomains += [ "vm3: cpu=1" ]\n' >"$CONF"
    ask '{"xlpolicy":1,"command":"reload"}' >/dev/null
    wait_for excluded vm1
    xlpolicy why vm1
    ends 0
    has_line "  CPU     not managed: excluded by domains \"vm[13]: cpu=0, memory=0\" ($CONF:4)"
    has_line "  memory  not managed: excluded by domains \"vm[13]: cpu=0, memory=0\" ($CONF:4)"
    xlpolicy why vm3
    [[ $output != *'CPU     not managed: excluded'* ]]
    has_line "  memory  not managed: excluded by domains \"vm[13]: cpu=0, memory=0\" ($CONF:4)"
    xlpolicy status
    has '; not managed: the configuration, or `set`, excludes it; `xlpolicy why` names the entry'
    xlpolicy --json why vm1
    json '.domains[0].cpu.reason.text | endswith(": the configuration, or `set`, excludes it")'
    printf 'tick_ms = 100\n' >"$CONF" # not read yet: it has no such line
    xlpolicy why vm1
    has_line '  CPU     not managed: excluded by domains "vm[13]: cpu=0, memory=0"'
    printf 'tick_ms = 100\ncpu_policy = "off"\ncpu_weights = "shares"\ndomains = [ "vm1: cpu=0" ]\n' >"$CONF"
    ask '{"xlpolicy":1,"command":"reload"}' >/dev/null
    wait_for weight_excluded vm1 # and nothing else is
    xlpolicy why vm1
    has_line "  weight  not managed: excluded by domains \"vm1: cpu=0\" ($CONF:4)"
}

@test "apply --for: acts, and puts everything back by itself" {
    xlpolicy adopt --all
    xlpolicy apply --for 6s
    ends 0
    [[ ${lines[0]} =~ ^'xlpolicyd carries out its plans until '[0-9-]{10}' '[0-9:]{8}'. Then it puts everything back and only advises.'$ ]]
    wait_for spread_is '2 2 2 2'
    xlpolicy status
    [[ $output == *'Trial:       all is put back in '?' s; `xlpolicy act` keeps it'* ]]
    wait_for spread_is '8 0 0 0'
    wait_for mode_is advise
    xlpolicy status
    [[ $output != *'Trial: '* ]]
    xlpolicy --json apply --for 1h
    ends 0
    json '.mode == "act" and .for_s == 3600 and .ends_time_s > 1e9'
    xlpolicy act
    xlpolicy apply --for 1h
    ends 4 'xlpolicy: refused: the daemon is in mode act already, and at the end all it ever did would be undone; `xlpolicy advise` first'
}

@test "advise in a trial: it is over, what it did stays, and that is said" {
    xlpolicy apply --for 1h
    xlpolicy advise
    ends 0
    [ "${lines[0]}" = 'xlpolicyd is in mode advise: it plans and explains, and changes nothing' ]
    [ "${lines[1]}" = 'The trial is over, and what it changed stays: `xlpolicy release --all` puts it back.' ]
    xlpolicy advise
    [ "${#lines[@]}" -eq 1 ]
    wait_for grep -qxF 'xlpolicyd: trial: ended by another command' "$LOG"
}

@test "apply --for: a daemon that was killed meanwhile puts all back when it runs again" {
    xlpolicy apply --for 1h
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    [ -e "$PIDFILE.trial" ]
    start_daemon
    wait_for grep -qxF 'xlpolicyd: trial: all is put back, or on its way' "$LOG"
    grep -qxF 'xlpolicyd: trial: was interrupted; what it changed is put back' "$LOG"
    mode_is advise
    [ ! -e "$PIDFILE.trial" ]
}

mode_is() {
    [ "$("$XLPOLICY" --socket "$SOCKET" --json status | jq -r .daemon.mode)" = "$1" ]
}

@test "a domain that is not there: exit 1" {
    for command in adopt release why get 'set --clear'; do
        xlpolicy $command nobody
        ends 1 'xlpolicy: no domain "nobody" here; `xlpolicy list` shows them'
        [ -z "$output" ]
    done
}

@test "dom0 is not adopted: exit 4" {
    for dom0 in 0 Domain-0; do
        xlpolicy adopt $dom0
        ends 4 "xlpolicy: adopt: refused: dom0's vCPUs are left alone"
        [ -z "$output" ]
    done
    xlpolicy release 0
    ends 0
    [ "${lines[0]}" = 'Nothing to do: 0: nothing of ours to undo' ]
}

@test "when all places at the socket are taken: exit 1, and what to do" {
    /usr/bin/python3 tests/cli/peer.py "$SOCKET" hold 64 >"$DIR/holding" 3>&- &
    local holding=$!
    wait_for grep -q '^64 held$' "$DIR/holding"
    for command in list act; do
        xlpolicy $command
        ends 1 'xlpolicy: busy: too many clients; try again in a moment'
        [ -z "$output" ]
    done
    kill "$holding"
    wait "$holding" || true
    wait_for "$XLPOLICY" --socket "$SOCKET" info >/dev/null
}

@test "what the daemon recorded, replay decides again" {
    xlpolicy adopt --all
    xlpolicy act
    wait_for spread_is '2 2 2 2'
    stop_daemon
    run --separate-stderr "$XLPOLICY" replay "$DIR/daemon.rec" --svg "$DIR/daemon.svg"
    ends 0
    [[ ${lines[-1]} =~ ^'All '[0-9]+' plans are the recorded ones.'$ ]]
    [ "$(grep -c '<title>vm' "$DIR/daemon.svg")" -eq 6 ]
}

ticked() {
    [ "$(ask_for status 'r["ticks"]')" -ge "$1" ]
}

ticks_pass() {
    wait_for ticked $(($(ask_for status 'r["ticks"]') + $1))
}

# The mode is changed, a guest is released, the file is reloaded with another policy: what the engine
# saw is all in the recording, and so its plans come out byte for byte.
@test "replay decides again what was decided through pauses, reloads and releases" {
    xlpolicy adopt --all
    xlpolicy pause
    ticks_pass 4
    xlpolicy act
    wait_for spread_is '2 2 2 2'
    printf 'tick_ms = 100\ncpu_affinity = "soft"\ncpu_weights = "shares"\n' >"$CONF"
    kill -HUP "$DAEMON_PID"
    ticks_pass 4
    xlpolicy release vm2
    xlpolicy advise
    ticks_pass 3
    xlpolicy release --all
    ticks_pass 3
    stop_daemon
    # Both policies are in it.
    [ "$(grep -c '"policy":' "$DIR/daemon.rec")" -ge 2 ]
    xlpolicy replay "$DIR/daemon.rec" --json
    ends 0
    json '.differing == 0 and .compared > 10'
}

@test "a listener that is no xlpolicyd: exit 1, one line" {
    /usr/bin/python3 - "$DIR/other.sock" 3>&- <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
c.recv(100)
c.sendall(b'hello\n')
END
    local other=$!
    wait_for test -S "$DIR/other.sock"
    run --separate-stderr "$XLPOLICY" --socket "$DIR/other.sock" list
    kill "$other" 2>/dev/null || true
    wait "$other" || true
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
}
