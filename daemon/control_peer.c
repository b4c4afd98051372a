/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who may use the control socket. The kernel vouches for the peer; nothing it says itself counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

static bool in_group(int fd, const struct ucred *peer, gid_t group);

int control_identify(int fd, gid_t group, struct control_peer *peer_out)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    bool may_act;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -1;
    may_act = peer.uid == 0 || peer.uid == geteuid();
    if (!may_act && !in_group(fd, &peer, group))
        return -1;
    *peer_out = (struct control_peer){.pid = peer.pid, .uid = peer.uid, .may_act = may_act};
    return 0;
}

/* As of when the peer connected; asked twice, because the first answer is how many there are. */
static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
    socklen_t size = 0;
    gid_t *groups;
    bool found = false;

    if (group == CONTROL_NO_GROUP)
        return false;
    if (peer->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return false;
    groups = malloc(size);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
        for (size_t i = 0; i < size / sizeof(*groups); i++)
            found = found || groups[i] == group;
    free(groups);
    return found;
}
