// Messages that carry a descriptor over a Unix socket (SCM_RIGHTS), as those between the daemon and the
// zygote do. Knows nothing of what they say. Any thread; blocks where the socket does.
#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

namespace vigil::ipc {

// One sendmsg() of the message and, unless it is -1, a copy of the descriptor. Returns what sendmsg() does:
// bytes, or -1 with errno. Raises no SIGPIPE.
ssize_t SendWithDescriptor(int socket, std::string_view message, int descriptor);

// One recvmsg() into the buffer. The descriptor that came along, closed on exec, is the caller's (-1: none);
// of several the kernel keeps the first and closes the others. Returns what recvmsg() does: bytes, 0 when the
// other end is closed, or -1 with errno.
ssize_t ReceiveWithDescriptor(int socket, std::span<char> buffer, int& descriptor);

}  // namespace vigil::ipc
