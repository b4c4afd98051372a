#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
#
# Brings dom0 up as Debian's /etc/init.d/xen does: kernel interfaces, xenstored, dom0's own entries
# in xenstore, and the console daemon. Leaves "ready" or what went wrong in /run/lab/boot.

# shellcheck source=tests/lab/dom0/profile
. /etc/profile

main() {
    mount_all
    mkdir -p /run/lab /run/xen /run/lock /run/xenstored
    echo "dom0's boot script did not come to its end" >/run/lab/boot
    hostname -F /etc/hostname
    ip link set lo up 2>/dev/null

    for module in xenfs xen-privcmd xen-evtchn xen-gntdev xen-gntalloc virtio_pci virtio_blk; do
        modprobe "$module" || fail "modprobe $module failed"
    done
    mount -t xenfs xenfs /proc/xen || fail "cannot mount xenfs"

    xenstored || fail "xenstored does not start"
    wait_for "xenstored does not answer" xenstore-read -s /
    /usr/lib/xen-4.17/bin/xen-init-dom0 >/dev/null || fail "xen-init-dom0 failed"
    mkdir -p /var/log/xen/console
    xenconsoled --log=guest || fail "xenconsoled does not start"
    wait_for "xl does not answer" xl list
    echo ready >/run/lab/boot
}

mount_all() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    mkdir -p /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t tmpfs tmpfs /dev/shm
    mount -t tmpfs tmpfs /run
}

# Runs a command again and again until it succeeds, for a minute at most.
wait_for() {
    complaint=$1
    shift
    tries=600
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "$complaint"
        sleep 0.1
    done
}

fail() {
    echo "$1" >/run/lab/boot
    echo "lab: $1" >/dev/console
    exit 1
}

main
