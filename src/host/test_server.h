// A small real HTTP server on 127.0.0.1 for the host's tests: answers from a table of paths, remembers what
// it was asked. Runs on the test's own event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vigil::host {

struct TestRequest {
  std::string method, target, body;
  std::string head;  // the request line and all headers
};
struct TestResponse {
  int status = 200;
  std::string type = "text/html";
  std::string body;
  std::string headers;  // further lines, each ending in \r\n
};

class TestServer {
 public:
  explicit TestServer(boost::asio::io_context& loop)
      : acceptor_(loop, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    boost::asio::co_spawn(loop, Accept(), boost::asio::detached);
  }
  std::string origin() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::string Url(const std::string& target) const { return origin() + target; }
  // By path; the query is ignored.
  std::map<std::string, TestResponse> files;
  std::function<void(const TestRequest&)> on_request;
  std::vector<TestRequest> requests;
  void Close() { acceptor_.close(); }

 private:
  boost::asio::awaitable<void> Accept() {
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    for (;;) {
      auto socket = co_await acceptor_.async_accept(token);
      if (error) co_return;
      boost::asio::co_spawn(acceptor_.get_executor(), Serve(std::move(socket)), boost::asio::detached);
    }
  }
  boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket) {
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    std::string buffer;
    for (;;) {
      std::size_t n = co_await boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(buffer),
                                                             "\r\n\r\n", token);
      if (error) co_return;
      std::string head = buffer.substr(0, n);
      buffer.erase(0, n);
      TestRequest request;
      request.method = head.substr(0, head.find(' '));
      auto start = request.method.size() + 1;
      request.target = head.substr(start, head.find(' ', start) - start);
      std::size_t length = 0;
      for (std::string_view name : {"\r\nContent-Length:", "\r\ncontent-length:"}) {
        auto at = head.find(name);
        if (at != std::string::npos) length = std::strtoul(head.c_str() + at + name.size(), nullptr, 10);
      }
      if (buffer.size() < length) {
        co_await boost::asio::async_read(socket, boost::asio::dynamic_buffer(buffer),
                                         boost::asio::transfer_exactly(length - buffer.size()), token);
        if (error) co_return;
      }
      request.body = buffer.substr(0, length);
      buffer.erase(0, length);
      request.head = std::move(head);
      requests.push_back(request);
      if (on_request) on_request(request);
      std::string answer = Answer(request);
      co_await boost::asio::async_write(socket, boost::asio::buffer(answer), token);
      if (error) co_return;
    }
  }
  std::string Answer(const TestRequest& request) {
    auto found = files.find(request.target.substr(0, request.target.find('?')));
    TestResponse response;
    if (found == files.end()) {
      response.status = 404;
    } else {
      response = found->second;
    }
    return "HTTP/1.1 " + std::to_string(response.status) + " X\r\nContent-Type: " + response.type +
           "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n" + response.headers +
           "\r\n" + response.body;
  }

  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace vigil::host
