#include "ipc/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace vigil::ipc {
namespace {

class DescriptorsTest : public testing::Test {
 protected:
  DescriptorsTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends_), 0); }
  ~DescriptorsTest() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  // What came: its text, and the descriptor beside it.
  std::string Receive() {
    std::array<char, 64> buffer;
    const ssize_t size = ReceiveWithDescriptor(ends_[1], buffer, descriptor_);
    return size < 0 ? std::strerror(errno) : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  int ends_[2] = {-1, -1};
  int descriptor_ = -1;
};

bool SameFile(int one, int other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// The lowest number that is free: the same again when nothing was left open.
int NextFree() {
  const int fd = ::open("/dev/null", O_RDONLY);
  ::close(fd);
  return fd;
}

TEST_F(DescriptorsTest, CarriesACopyThatIsClosedOnExec) {
  EXPECT_EQ(SendWithDescriptor(ends_[0], "take it", ends_[0]), 7);
  EXPECT_EQ(Receive(), "take it");
  EXPECT_NE(descriptor_, ends_[0]);
  EXPECT_TRUE(SameFile(descriptor_, ends_[0]));
  EXPECT_EQ(::fcntl(descriptor_, F_GETFD), FD_CLOEXEC);
  ::close(descriptor_);
}

TEST_F(DescriptorsTest, CarriesMessagesWithoutADescriptor) {
  descriptor_ = 5;
  EXPECT_EQ(SendWithDescriptor(ends_[0], "words", -1), 5);
  EXPECT_EQ(Receive(), "words");
  EXPECT_EQ(descriptor_, -1);
}

TEST_F(DescriptorsTest, SaysThatNothingCameOrTheEndIsClosed) {
  EXPECT_EQ(Receive(), std::strerror(EAGAIN));
  ::shutdown(ends_[0], SHUT_RDWR);
  EXPECT_EQ(Receive(), "");
  EXPECT_EQ(SendWithDescriptor(ends_[1], "anybody?", -1), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(SendWithDescriptor(ends_[0], "wrong", 1 << 20), -1);
}

TEST_F(DescriptorsTest, LeavesNoDescriptorOpenThatNobodyAskedFor) {
  const std::array<int, 2> both = {ends_[0], ends_[1]};
  char byte = 'x';
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof both)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof both);
  std::memcpy(CMSG_DATA(item), both.data(), sizeof both);
  ASSERT_EQ(::sendmsg(ends_[0], &header, 0), 1);

  const int before = NextFree();
  EXPECT_EQ(Receive(), "x");
  EXPECT_TRUE(SameFile(descriptor_, ends_[0]));
  ::close(descriptor_);
  EXPECT_EQ(NextFree(), before);
}

}  // namespace
}  // namespace vigil::ipc
