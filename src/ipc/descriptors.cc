#include "ipc/descriptors.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace vigil::ipc {
namespace {

// Room for one descriptor in a control message.
union Control {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr align;
};

}  // namespace

ssize_t SendWithDescriptor(int socket, std::string_view message, int descriptor) {
  iovec part{const_cast<char*>(message.data()), message.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control{};
  if (descriptor >= 0) {
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(item), &descriptor, sizeof descriptor);
  }
  ssize_t size = -1;
  do {
    size = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (size < 0 && errno == EINTR);
  return size;
}

ssize_t ReceiveWithDescriptor(int socket, std::span<char> buffer, int& descriptor) {
  descriptor = -1;
  iovec part{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control{};
  header.msg_control = control.bytes;
  // Not CMSG_SPACE: a second descriptor would fit into its padding, and nobody would close it.
  header.msg_controllen = CMSG_LEN(sizeof descriptor);
  ssize_t size = -1;
  do {
    size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return size;
  const cmsghdr* item = CMSG_FIRSTHDR(&header);
  if (item != nullptr && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&descriptor, CMSG_DATA(item), sizeof descriptor);
  }
  return size;
}

}  // namespace vigil::ipc
