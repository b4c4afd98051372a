#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The commands that look at PCI devices: where they look, and how they end. What they show of each made
# host is in tests/pci.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    ROOT=$DIR/host
}

# make HOST: its files below $ROOT, its dump in $ROOT.dump.
make_host() {
    /usr/bin/python3 -B tests/pci/make_host.py "tests/pci/hosts/$1.toml" "$ROOT"
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" "$@"
}

@test "pci-check: the exit code tells what was found" {
    make_host gpu-flr
    xlpolicy pci-check --sysroot "$ROOT"
    ends 0
    has_line '6 ok, 0 to warn of, 0 failed'
    make_host msix-unaligned
    xlpolicy pci-check --sysroot "$ROOT" 03:00.0
    ends 2
    make_host not-xen
    xlpolicy pci-check --sysroot "$ROOT"
    ends 1
}

@test "pci-check: a device that is named has a line, also when it is well or a guest's" {
    make_host gpu-flr
    xlpolicy pci-check --sysroot "$ROOT" 86:00.0
    ends 0
    has_line '7 ok, 0 to warn of, 0 failed'
    has '0000:86:00.0: device: nothing is known against giving it to a guest'
    xlpolicy pci-check --sysroot "$ROOT" 3b:00.0
    ends 2
    has_line 'warn  0000:3b:00.0: in-use: it belongs to the guest trainer (ID 5)'
    xlpolicy pci-check --sysroot "$ROOT"
    ends 0
}

@test "pci-check: as JSON it ends the same, and each finding has its evidence" {
    make_host gpu-no-flr
    xlpolicy --json pci-check --sysroot "$ROOT" 01:00.0
    ends 1
    json '.findings | all(.what != "" and .evidence != "")'
    json '.findings | all((.grade == "ok") == (.mend == null))'
    json '[.findings[] | select(.address == "0000:01:00.0").code] == ["group", "no-reset"]'
    json '[.findings[] | select(.grade == "fail").code] == ["pciback"]'
}

@test "pci-list: as JSON, the same devices and what is known of them" {
    make_host sriov
    xlpolicy --json pci-list --sysroot "$ROOT"
    ends 0
    json '[.devices[].address] | length == 6 and (. == sort)'
    json '.devices[2] | .owner_domid == 2 and .owner_name == "router" and .node == 0'
    json '.devices[2].physical_function == "0000:02:00.0"'
    json '.devices[4] | .owner_domid == null and .driver == "iavf"'
    json '.devices[0].regions[0] | .base == "c1000000" and .size == 16777216 and ."64bit"'
    xlpolicy --json pci-list --all --sysroot "$ROOT"
    json '.devices | length == 7'
}

@test "pci-info: as JSON, fields by the specification's names" {
    make_host rebar
    xlpolicy --json pci-info 0c:00.0 --sysroot "$ROOT"
    ends 0
    json '.capabilities[] | select(.name == "Resizable BAR").fields | map(select(.name == "BAR Size").meaning) == ["256 MiB", "2 MiB"]'
    json '.reset | .works == null and .possible == ["pm"] and .kernel == ["bus"]'
    json '.config_bytes == 4096 and .list_flaw == null'
}

@test "a dump tells the same of config space, and owns up to the rest" {
    make_host switch-no-acs
    xlpolicy --json pci-info 12:00.0 --sysroot "$ROOT"
    json '.capabilities | length == 7'
    files=$(jq '{capabilities, moves_with, not_isolated_from}' <<<"$output")
    xlpolicy --json pci-info 12:00.0 --dump "$ROOT.dump"
    ends 0
    [ "$(jq '{capabilities, moves_with, not_isolated_from}' <<<"$output")" = "$files" ]
    json '.driver == null and .node == null and all(.regions[]; .size == null)'
    xlpolicy pci-list --dump "$ROOT.dump"
    [[ ${lines[1]} == '0000:12:00.0 8086:10fb ?      ?'* ]]
    xlpolicy pci-check --dump "$ROOT.dump"
    ends 2
    has 'not-checked: whether the host is ready is not known: neither dom0'
    has_line '1 ok, 1 to warn of, 0 failed'
}

@test "a dump of the first 256 bytes is not taken for a device without ACS" {
    make_host switch-no-acs
    sed '/^[1-9a-f]..: /d' "$ROOT.dump" >"$DIR/short"
    xlpolicy --json pci-info 12:00.0 --dump "$DIR/short"
    ends 0
    json '.config_bytes == 256 and .not_isolated_from == []'
    json '.extended_list_flaw == "leads to bytes that could not be read (offset 100)"'
    xlpolicy pci-check --dump "$DIR/short"
    ends 2
    has 'make the dump as root, with lspci -xxxx'
}

@test "this machine: --sysroot / shows the same devices, without asking Xen" {
    [ -d /sys/bus/pci/devices ] || skip "no PCI here"
    xlpolicy --json pci-list --all
    ends 0
    here=$(jq '[.devices[] | .address, .driver, .reset]' <<<"$output")
    xlpolicy --json pci-list --all --sysroot /
    ends 0
    [ "$(jq '[.devices[] | .address, .driver, .reset]' <<<"$output")" = "$here" ]
}

@test "what cannot be read is said, with where" {
    xlpolicy pci-list --sysroot "$DIR/nowhere"
    ends 1 "xlpolicy: pci-list: --sysroot $DIR/nowhere: is no directory"
    xlpolicy pci-list --sysroot "$DIR"
    ends 1 "xlpolicy: pci-list: cannot read the PCI devices: Cannot open $DIR/sys/bus/pci/devices"
    xlpolicy pci-list --dump "$DIR/none"
    ends 1 "xlpolicy: pci-list: cannot read the PCI devices: dump: Cannot open $DIR/none: No such file or directory"
    make_host quadro
    xlpolicy pci-info 07:00.0 --sysroot "$ROOT"
    ends 1 'xlpolicy: pci-info: there is no device 07:00.0; `xlpolicy pci-list` shows them'
}

@test "what is wrong with the facts of Xen is said, with where" {
    make_host quadro
    echo '{"xlpolicy": 1, "devices": [{"address": "09:00.0"}]}' >"$ROOT/xen-facts.json"
    xlpolicy pci-list --sysroot "$ROOT"
    ends 1 "xlpolicy: pci-list: $ROOT/xen-facts.json: line 1, column 41: there is no device 09:00.0"
    echo '{"xlpolicy": 1, "hvm_direct_io": true}' >"$ROOT/xen-facts.json"
    xlpolicy pci-list --sysroot "$ROOT"
    [ "$status" -eq 1 ]
    [[ $stderr == *'"hvm_direct_io"'* ]]
}

@test "wrong usage" {
    xlpolicy pci-info
    [ "$status" -eq 2 ]
    xlpolicy pci-info 1:2:3 --sysroot /
    ends 2 'xlpolicy: pci-info: "1:2:3" is no address as 0000:01:00.0; see `xlpolicy help pci-info`'
    xlpolicy pci-list --sysroot / --dump x
    ends 2 'xlpolicy: pci-list: give --sysroot or --dump, not both; see `xlpolicy help pci-list`'
}

teardown() {
    helpers_teardown
}

@test "the manual of passthrough has every code of a finding, and no other" {
    diff <(cat tools/pci/check_*.c | grep -oE '(tell_good|tell_bad)\([^"]*"[a-z0-9-]+"' | sed 's/.*"\(.*\)"/\1/' | sort -u) \
        <(sed -n '/^| code | grade/,/^$/p' docs/passthrough.md | sed -n 's/^| `/`/p' | cut -d'|' -f1 |
            grep -o '`[a-z0-9-]*`' | tr -d '`' | sort -u)
}
