#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# From a device to a guest that has it, and back: what is written, what is refused, how it ends.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    ROOT=$DIR/host CFG=$DIR/guest.cfg
}

make_host() {
    /usr/bin/python3 -B tests/pci/make_host.py "tests/pci/hosts/$1.toml" "$ROOT"
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" "$@"
}

# config TEMPLATE BDF MIB [OPTION]...: into $CFG, too.
config() {
    xlpolicy pci-config --sysroot "$ROOT" --templates xen-configs --template "$1" --device "$2" \
        --memory "$3m" "${@:4}"
    printf '%s\n' "$output" >"$CFG"
}

# numbers: of the findings in $CFG, on one line.
numbers() {
    "$XLPOLICY" --json pci-validate --sysroot "$ROOT" "$CFG" | jq -r '[.findings[].number] | join(" ")'
}

# generated TEMPLATE HOST BDF NUMBERS: what it comes to is found at fault for no more than these.
generated() {
    make_host "$2"
    config "$1" "$3" 4096
    [ "$status" -eq 0 ] || { echo "$1: $stderr" >&2; return 1; }
    [ "$(numbers)" = "$4" ] || { echo "$1: $(numbers)" >&2; return 1; }
}

@test "pci-config: what each template makes of a device passes pci-validate" {
    generated windows7 quadro 04:00.0 ''
    generated windows10-nvidia quadro 04:00.0 ''
    generated windows11 quadro 04:00.0 ''
    generated linux-compute gpu-flr 86:00.0 ''
    generated network-vf sriov 03:00.1 ''
    generated usb-controller usb-af 00:1a.0 ''
    # not kept for guests yet, and without a reset
    generated windows10-amd rebar 0c:00.0 '406 409 406'
}

@test "pci-config: a device that dom0 needs is refused, and found at fault when it is forced" {
    make_host nvme-root
    config nvme 03:00.0 1024
    ends 4 'xlpolicy: pci-config: refused: dom0 would lose the btrfs 0c1f3a52-6a37-4d0e-9d6f-3f6a3c1f2a11 with 0000:03:00.0 (/sys/fs/btrfs: nvme1n1); --force does it all the same'
    [ -z "$output" ]
    config nvme 03:00.0 1024 --force
    ends 0
    [ "$(numbers)" = '404 406 410' ]
}

@test "pci-config: all functions of the device are listed, on its node" {
    make_host gpu-no-flr
    config windows10-nvidia 01:00.1 8192 --name win --vcpus 6 --disk /dev/vg1/win --bridge br0
    ends 0
    has_line 'name = "win"'
    has_line 'memory = 8192'
    has_line 'maxmem = 8192'
    has_line 'vcpus = 6'
    has_line "cpus_soft = \"node:0\" # the device's node"
    has '"0000:01:00.0,rdm_policy=strict",  # 10de:1b80 VGA compatible controller'
    has '"0000:01:00.1,rdm_policy=strict",  # 10de:10f0 Audio device'
    has_line 'disk = [ "format=raw,vdev=hda,access=rw,target=/dev/vg1/win" ]'
    has_line 'vif = [ "model=e1000,bridge=br0" ]'
}

@test "pci-config: what is missing or cannot be is said" {
    make_host quadro
    xlpolicy pci-config --device 04:00.0 --memory 1024 --sysroot "$ROOT"
    ends 2 'xlpolicy: pci-config: needs --template; see `xlpolicy help pci-config`'
    config windows8 04:00.0 1024
    ends 2 'xlpolicy: pci-config: no template "windows8"; did you mean "windows7"?; see `xlpolicy help pci-config`'
    for wrong in '4096:has no unit: for MiB write 4096m' '0:is not a size from 1m to 16t in whole MiB, as 4096m or 4g' \
        '1025k:is not a size from 1m to 16t in whole MiB, as 4096m or 4g' '17t:is not a size from 1m to 16t in whole MiB, as 4096m or 4g'; do
        xlpolicy pci-config --sysroot "$ROOT" -t windows7 -D 04:00.0 -m "${wrong%%:*}"
        ends 2 "xlpolicy: pci-config: --memory: \"${wrong%%:*}\" ${wrong#*:}; see \`xlpolicy help pci-config\`"
    done
    xlpolicy pci-config --sysroot "$ROOT" --templates xen-configs -t windows7 -D 04:00.0 -m 4g
    ends 0
    has_line 'memory = 4096'
    config windows7 04:00.0 1024 --name 'a"b'
    ends 2 'xlpolicy: pci-config: --name: "a"b" has a character that cannot stand in a configuration; see `xlpolicy help pci-config`'
    config windows7 05:00.0 1024
    ends 1 'xlpolicy: pci-config: there is no device 05:00.0; `xlpolicy pci-list` shows them'
    config nvme 04:00.0 1024
    ends 0 'xlpolicy: pci-config: warning: nvme is for an NVMe drive, and 0000:04:00.0 is VGA compatible controller'
    xlpolicy pci-config --sysroot "$ROOT" -t windows7 -D 04:00.0 -m 1g --templates /nowhere
    ends 1 'xlpolicy: cannot read /nowhere/common.cfg: No such file or directory; --templates DIR names another directory'
}

@test "pci-config: who else has the device, now or by its configuration, is told" {
    make_host gpu-flr
    config linux-compute 86:00.0 1024
    [ "$status" -eq 0 ]
    local owned=$stderr
    mkdir -p "$ROOT/etc/xen"
    printf 'name = "other"\ntype = "hvm"\npci = [ "0000:86:00.0" ]\n' >"$ROOT/etc/xen/other.cfg"
    printf 'name = "same"\ntype = "hvm"\npci = [ "0000:86:00.0" ]\n' >"$ROOT/etc/xen/same.cfg"
    printf 'what is this' >"$ROOT/etc/xen/broken.cfg"
    config linux-compute 86:00.0 1024 --name same
    [ "$status" -eq 0 ]
    [ "$stderr" = "${owned:+$owned$'\n'}xlpolicy: pci-config: warning: 0000:86:00.0 is listed in $ROOT/etc/xen/other.cfg:3, too: only one of the two guests can run at a time" ]
    config linux-compute 3b:00.0 1024
    [[ $stderr == *'belongs to the guest trainer (ID 5): the new one does not start before that has ended'* ]]
}

@test "pci-validate: each finding has its line, number, reason and mend" {
    make_host gpu-usb-c
    printf 'type = "hvm"\nmemory = 2048\nmaxmem = 4096\npci = [ "01:00.0",\n "01:00.1,permissive=yes", "01:00.3" ]\n' >"$CFG"
    xlpolicy pci-validate --sysroot "$ROOT" "$CFG"
    ends 1
    has_line "$CFG:2: error 201: memory is 2048 MiB, maxmem 4096 MiB (line 3)"
    has_line '  reason: Xen refuses a passed-through device together with memory that is populated on demand, so that the guest is not created'
    has_line '  mend:   maxmem = 2048, or leave maxmem out; a guest with a PCI device keeps the memory it starts with'
    has_line "$CFG:4: error 403: 1 function is missing that belongs to 0000:01:00.0"
    has_line '  mend:   add "0000:01:00.2"'
    has_line "$CFG:5: error 305: permissive=yes means permissive=0 to xl"
    xlpolicy --json pci-validate --sysroot "$ROOT" "$CFG"
    ends 1
    json '.errors == 3 and .findings[0].number == 201 and .findings[0].line == 2'
}

@test "pci-validate: it ends with 0 for nothing, 2 for warnings, 1 for what cannot be read" {
    make_host quadro
    config windows7 04:00.0 4096
    xlpolicy pci-validate --sysroot "$ROOT" "$CFG"
    ends 0
    has_line "$CFG: nothing found"
    printf 'builder = "hvm"\n' >>"$CFG"
    xlpolicy pci-validate --sysroot "$ROOT" "$CFG"
    ends 2
    has "$CFG: 0 errors, 1 warning"
    printf 'memory = 4g\n' >"$CFG"
    xlpolicy pci-validate --sysroot "$ROOT" "$CFG"
    ends 1
    [[ ${lines[0]} == "$CFG:1: error 101: not understood"* ]]
    xlpolicy pci-validate --sysroot "$ROOT" /nowhere.cfg
    ends 1 'xlpolicy: cannot read /nowhere.cfg: No such file or directory'
}

@test "pci-validate: bridges, firmware and address bits are those of the host's files" {
    make_host quadro
    mkdir -p "$ROOT/sys/class/net/br0/bridge" "$ROOT/usr/share/ovmf"
    printf 'address sizes\t: 36 bits physical, 48 bits virtual\n' >"$ROOT/proc/cpuinfo"
    printf '\0\0\0\0' >"$ROOT/usr/share/ovmf/OVMF.fd"
    printf '\177ELF' >"$ROOT/usr/share/ovmf/Xen.fd"
    printf 'type = "hvm"\nmemory = 1024\nvif = [ "bridge=br0", "bridge=br1" ]\nbios = "ovmf"\n' >"$CFG"
    [ "$(numbers)" = '410 411' ]
    printf 'bios_path_override = "/usr/share/ovmf/Xen.fd"\n' >>"$CFG"
    [ "$(numbers)" = '410' ]
}

@test "pci-prepare: shows what would be done, and the undo" {
    make_host gpu-no-flr
    xlpolicy pci-prepare --sysroot "$ROOT" 01:00.1
    ends 0
    has_line 'Until the next boot: xlpolicy pci-prepare --now 01:00.1, which binds'
    has_line '    0000:01:00.0 to pciback, from nouveau'
    has_line '    0000:01:00.1 to pciback, from snd_hda_intel'
    has_line 'Undo: xlpolicy pci-release 01:00.1'
    xlpolicy pci-prepare --sysroot "$ROOT" --early 01:00.0
    ends 0
    has_line '    options xen-pciback hide=(0000:01:00.0)(0000:01:00.1)'
    has_line 'Undo: rm /etc/modprobe.d/xlpolicy-pciback.conf'
}

@test "pci-prepare: a directory to write into that is not there is told before anything is done" {
    make_host quadro
    xlpolicy pci-prepare --sysroot "$ROOT" --now --write "$DIR/missing" 04:00.0
    ends 1 "xlpolicy: pci-prepare: --write $DIR/missing: No such file or directory; give a directory that is there"
    [ -z "$output" ]
    [ ! -e "$DIR/missing" ]
    xlpolicy pci-prepare --sysroot "$ROOT" --write "$XLPOLICY" 04:00.0
    ends 1 "xlpolicy: pci-prepare: --write $XLPOLICY: Not a directory; give a directory that is there"
}

@test "pci-prepare: what it writes is complete, adds up, and is undone as it says" {
    make_host gpu-usb-c
    mkdir -p "$ROOT/etc/initramfs-tools"
    echo e1000e >"$ROOT/etc/initramfs-tools/modules"
    cp -r "$ROOT/etc" "$DIR/before"
    xlpolicy pci-prepare --sysroot "$ROOT" --write "$ROOT" 01:00.0
    ends 0
    grep -qxF 'options xen-pciback hide=(0000:01:00.0)(0000:01:00.1)(0000:01:00.2)(0000:01:00.3)' \
        "$ROOT/etc/modprobe.d/xlpolicy-pciback.conf"
    [ "$(cat "$ROOT/etc/initramfs-tools/modules")" = $'e1000e\nxen-pciback' ]
    xlpolicy pci-prepare --sysroot "$ROOT" --write "$ROOT" 01:00.0
    ends 0
    [ "$(grep -c hide= "$ROOT/etc/modprobe.d/xlpolicy-pciback.conf")" -eq 1 ]
    [ "$(grep -c pciback "$ROOT/etc/initramfs-tools/modules")" -eq 1 ]
    (cd "$ROOT" && rm etc/modprobe.d/xlpolicy-pciback.conf etc/default/grub.d/xlpolicy-iommu.cfg &&
        sed -i '/^xen-pciback$/d' etc/initramfs-tools/modules && find etc -type d -empty -delete)
    diff -r "$DIR/before" "$ROOT/etc"
}

@test "pci-prepare: nothing is lost of what was prepared before, wherever it is written" {
    make_host switch-no-acs
    mkdir -p "$ROOT/etc/modprobe.d" "$ROOT/etc/initramfs-tools" "$DIR/out"
    printf 'options xen-pciback hide=(0000:99:00.0)\nsoftdep nvidia pre: xen-pciback\n' \
        >"$ROOT/etc/modprobe.d/xlpolicy-pciback.conf"
    printf 'e1000e\nnvme' >"$ROOT/etc/initramfs-tools/modules"
    cp -r "$ROOT/etc" "$DIR/before"
    for device in 12:00.0 13:00.0 12:00.0; do
        xlpolicy pci-prepare --sysroot "$ROOT" --write "$DIR/out" $device
        ends 0
        has_line "Undo: take the entries of $device out of hide= in /etc/modprobe.d/xlpolicy-pciback.conf"
    done
    diff -r "$DIR/before" "$ROOT/etc"
    [ "$(grep -v '^#' "$DIR/out/etc/modprobe.d/xlpolicy-pciback.conf" | head -n 2)" = 'options xen-pciback hide=(0000:99:00.0)(0000:12:00.0)(0000:13:00.0)
softdep nvidia pre: xen-pciback' ]
    [ "$(cat "$DIR/out/etc/initramfs-tools/modules")" = $'e1000e\nnvme\nxen-pciback' ]
    echo 'options xen-pciback hide=(0000:03:00.0)' >"$DIR/out/etc/modprobe.d/old.conf"
    xlpolicy pci-prepare --sysroot "$ROOT" --write "$DIR/out" 12:00.0
    ends 1 "xlpolicy: pci-prepare: $DIR/out/etc/modprobe.d/old.conf has a hide= of its own, and only one counts: move it to /etc/modprobe.d/xlpolicy-pciback.conf"
}

@test "pci-prepare: a hide= that keeps the module from loading is named, and so is a second one" {
    make_host gpu-no-flr
    mkdir -p "$ROOT/etc/modprobe.d"
    echo 'options xen-pciback hide=(0000:03:00.0),(0000:03:00.1)' >"$ROOT/etc/modprobe.d/old.conf"
    xlpolicy pci-prepare --sysroot "$ROOT" --early 01:00.0
    ends 1 'xlpolicy: pci-prepare: /etc/modprobe.d/old.conf: hide= at character 15: a comma, but entries follow one another without: the form is (0000:01:00.0)(0000:01:00.1); the module will not load with this: mend it first'
    echo 'options xen-pciback hide=(0000:03:00.0)' >"$ROOT/etc/modprobe.d/old.conf"
    xlpolicy pci-prepare --sysroot "$ROOT" --early 01:00.0
    ends 1 'xlpolicy: pci-prepare: /etc/modprobe.d/old.conf has a hide= of its own, and only one counts: move it to /etc/modprobe.d/xlpolicy-pciback.conf'
}

@test "pci-prepare: what dom0 needs and what a guest has is refused" {
    make_host nvme-root
    xlpolicy pci-prepare --sysroot "$ROOT" 00:14.0
    [ "$status" -eq 4 ]
    [[ $stderr == *'refused: dom0 would lose '*'--force'* ]]
    xlpolicy pci-prepare --sysroot "$ROOT" --force 00:14.0
    ends 0
    make_host gpu-flr
    xlpolicy pci-prepare --sysroot "$ROOT" --force 3b:00.0
    ends 4 'xlpolicy: pci-prepare: refused: 0000:3b:00.0 belongs to the guest trainer (ID 5); shut it down first'
    xlpolicy pci-prepare --sysroot "$ROOT" 3a:00.0
    ends 4 'xlpolicy: pci-prepare: 3a:00.0 is a bridge, and what is behind it would go with it: name a device'
}

@test "pci-prepare --now: without a kernel behind the files, the step without effect is told" {
    make_host gpu-no-flr
    mkdir -p "$ROOT/sys/bus/pci/drivers/pciback" "$ROOT/sys/bus/pci/drivers/nouveau"
    : >"$ROOT/sys/bus/pci/drivers/nouveau/unbind"
    xlpolicy -N pci-prepare --sysroot "$ROOT" --now 01:00.0
    ends 0
    [ ! -s "$ROOT/sys/bus/pci/drivers/nouveau/unbind" ]
    xlpolicy pci-prepare --sysroot "$ROOT" --now 01:00.0
    [ "$status" -eq 1 ]
    [[ $stderr == *'0000:01:00.0 stays with nouveau: something uses it' ]]
    [ "$(cat "$ROOT/sys/bus/pci/drivers/nouveau/unbind")" = 0000:01:00.0 ]
    [ "$(cat "$ROOT/run/xlpolicy/pci/0000:01:00.0")" = nouveau ]
}

@test "pci-reset: each function's own reset, or its bridge's when nothing else is below that" {
    make_host quadro
    xlpolicy -N pci-reset --sysroot "$ROOT" 04:00.0
    ends 0
    has_line 'would reset 0000:04:00.0'
    xlpolicy pci-reset --sysroot "$ROOT" 04:00.0
    ends 0
    has_line '0000:04:00.0: reset done'
    make_host gpu-usb-c
    xlpolicy -N pci-reset --sysroot "$ROOT" 01:00.0
    ends 4 'xlpolicy: pci-reset: refused: 0000:01:00.2 is used by dom0'"'"'s driver xhci_hcd; `xlpolicy pci-prepare --now 01:00.0` first'
    make_host gpu-flr
    xlpolicy pci-reset --sysroot "$ROOT" 3b:00.0
    ends 4 'xlpolicy: pci-reset: refused: 0000:3b:00.0 belongs to the guest trainer (ID 5); shut it down first'
}

@test "pci-release: refused while a guest has the device; -N says what would be done" {
    make_host gpu-flr
    xlpolicy pci-release --sysroot "$ROOT" 3b:00.0
    ends 4 'xlpolicy: pci-release: refused: 0000:3b:00.0 belongs to the guest trainer (ID 5); shut it down first'
    xlpolicy -N pci-release --sysroot "$ROOT" 86:00.0
    ends 0
    has_line 'would give back to dom0 0000:86:00.0'
}

@test "the templates are installed, and found there" {
    make -s install DESTDIR="$DIR/root" PREFIX=/usr >/dev/null
    diff -r xen-configs "$DIR/root/usr/share/xlpolicy/xen-configs"
    make -s uninstall DESTDIR="$DIR/root" PREFIX=/usr
    [ ! -e "$DIR/root/usr/share/xlpolicy" ]
}
