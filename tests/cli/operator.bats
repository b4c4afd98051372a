#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What the operator says takes effect at once: who asks next is told of the host as it is then.

bats_require_minimum_version 1.5.0
load helpers

# A tick so long that none but the first, and those that commands ask for, come by themselves.
setup() {
    helpers_setup
    printf 'tick_ms = 30000\n' >"$CONF"
}

teardown() { helpers_teardown; }

# Sets status, output and stderr as `run` does.
xlpolicy() { run --separate-stderr "$XLPOLICY" --socket "$SOCKET" "$@"; }

@test "who asks after adopt, release, set or a mode is told what is so by then" {
    start_daemon
    xlpolicy why vm1
    has 'pinned to pCPU 0 by the operator'
    xlpolicy adopt vm1
    ends 0
    xlpolicy why vm1
    ! has 'pinned to pCPU 0 by the operator'
    xlpolicy set vm1 cpu=0
    ends 0
    xlpolicy why vm1
    has_line '  CPU     not managed: cpu=0 was set by hand; `xlpolicy set vm1 --clear` ends that'
    xlpolicy set vm1 --clear
    xlpolicy release vm1
    ends 0
    has_line 'done: vm1 vCPU 0: released: its affinity stays as it is: nothing of ours to undo'
    xlpolicy why vm1
    has 'released'
}

@test "what was measured of guests outlives the looks that commands ask for" {
    start_daemon
    for n in 1 2 3; do
        xlpolicy adopt "vm$n"
        ends 0
        xlpolicy --json list
        json '[.domains[] | select(.name | startswith("vm")) | .cpu.used] | all(. > 0.1)'
    done
}

@test "the log and the history say so when a pin is lifted" {
    start_daemon
    xlpolicy adopt --all
    xlpolicy rebalance
    ends 0
    xlpolicy history
    has ' (its pin to pCPU 0 is lifted, the new place is a preference)'
    grep -q 'done: vm.* (its pin to pCPU 0 is lifted, the new place is a preference)' "$LOG"
}

@test "set: what could not be honoured is refused, what cannot count yet is told" {
    start_daemon
    xlpolicy set vm1 floor=512
    ends 2 'xlpolicy: set: floor=512 has no unit: for MiB write floor=512m; see `xlpolicy help set`'
    xlpolicy set vm1 floor=64g
    ends 4 'xlpolicy: set: refused: vm1 never has more than 512 MiB (its maxmem), a floor is at most that'
    xlpolicy set vm1 floor=512m
    ends 0
    xlpolicy set 0 cpu=1
    ends 4 "xlpolicy: set: refused: dom0's vCPUs are always left alone"
    xlpolicy set 0 memory=1
    ends 4 "xlpolicy: set: refused: dom0's memory is left alone; mem_dom0 = 1 in the configuration changes that"
    xlpolicy set 0 shares=2000
    ends 0
    xlpolicy set vm1 serves=vm9
    ends 0 'xlpolicy: set: warning: serves=vm9: no domain of that name is here yet'
    xlpolicy set vm1 'serves=vm[2-4]'
    ends 0
    xlpolicy --json get vm1
    json '.domains[0].override == "serves=vm[2-4], floor=512m"'
}

@test "a file that is right again takes back what was said of it" {
    start_daemon
    xlpolicy status
    has_line 'Last error:  none'
    echo 'mem_margin = "64"' >>"$CONF"
    kill -HUP "$DAEMON_PID"
    wait_for grep -q 'mem_margin: "64" has no unit: for MiB write "64m"' "$LOG"
    xlpolicy status
    has 'Last error:  reload: the configuration stays as it was: '
    sed -i 's/"64"/"64m"/' "$CONF"
    kill -HUP "$DAEMON_PID"
    wait_for grep -q "reload (SIGHUP): $CONF" "$LOG"
    xlpolicy status
    has_line 'Last error:  none'
}

@test "where dom0 takes part, status says that xl would take its memory too" {
    ! grep -Eq '^[[:space:]]*autoballoon' /etc/xen/xl.conf 2>/dev/null || skip "xl.conf says otherwise"
    start_daemon
    xlpolicy --json status
    json '.daemon.autoballoon == null and ([.problems[] | select(contains("autoballoon"))] | length) == 0'
    stop_daemon
    echo 'mem_dom0 = 1' >>"$CONF"
    start_daemon
    xlpolicy status
    has '  mem_dom0: xl takes memory from dom0, too, when it creates a guest: autoballoon is "auto"'
    xlpolicy --json status
    json '.daemon.autoballoon as $said | .problems | index($said)'
}
