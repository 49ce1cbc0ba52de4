// For tests: a small real HTTP/1.1 server on 127.0.0.1, on the test's own event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/fetch_headers.h"
#include "net/http_client.h"

namespace vigil::net {

struct TestRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
  std::string Header(const std::string& name) const { return CombinedValue(headers, name); }
};

class TestServer {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Answer = std::function<std::string(const TestRequest&)>;
  // Takes the connection over for good.
  using Takeover = std::function<boost::asio::awaitable<void>(Socket&)>;

  TestServer(boost::asio::io_context& io, Answer answer)
      : acceptor_(io, {boost::asio::ip::make_address("127.0.0.1"), 0}), state_(std::make_shared<State>()) {
    state_->answer = std::move(answer);
    boost::asio::co_spawn(io, Accept(acceptor_, state_), boost::asio::detached);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return acceptor_.local_endpoint().port(); }
  // "http://127.0.0.1:PORT"; with another name for the same server: another origin.
  std::string Origin(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port());
  }
  const std::vector<TestRequest>& requests() const { return state_->requests; }
  int connections() const { return state_->connections; }
  // After its head is read, a request for this target gets the raw connection.
  void TakeOver(std::string target, Takeover takeover) {
    state_->takeover_target = std::move(target);
    state_->takeover = std::move(takeover);
  }

  static std::string Response(const std::string& status, const Headers& headers, const std::string& body) {
    std::string text = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    return text + "\r\n" + body;
  }

 private:
  struct State {
    Answer answer;
    std::string takeover_target;
    Takeover takeover;
    std::vector<TestRequest> requests;
    int connections = 0;
  };

  static boost::asio::awaitable<void> Accept(boost::asio::ip::tcp::acceptor& acceptor,
                                             std::shared_ptr<State> state) {
    while (true) {
      Socket socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
      ++state->connections;
      boost::asio::co_spawn(acceptor.get_executor(), Serve(std::move(socket), state), boost::asio::detached);
    }
  }

  static TestRequest ParseHead(std::string_view head) {
    TestRequest request;
    bool first = true;
    while (!head.empty()) {
      const std::size_t end = std::min(head.find("\r\n"), head.size());
      const std::string_view line = head.substr(0, end);
      if (first) {
        request.method = line.substr(0, line.find(' '));
        const std::string_view rest = line.substr(line.find(' ') + 1);
        request.target = rest.substr(0, rest.find(' '));
      } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
        request.headers.emplace_back(line.substr(0, colon), line.substr(value));
      }
      first = false;
      head.remove_prefix(std::min(end + 2, head.size()));
    }
    return request;
  }

  static boost::asio::awaitable<void> Serve(Socket socket, std::shared_ptr<State> state) {
    std::string buffer;
    while (true) {
      auto dynamic = boost::asio::dynamic_buffer(buffer);
      const std::size_t head_size =
          co_await boost::asio::async_read_until(socket, dynamic, "\r\n\r\n", boost::asio::use_awaitable);
      TestRequest request = ParseHead(std::string_view(buffer).substr(0, head_size));
      buffer.erase(0, head_size);
      const auto length = static_cast<std::size_t>(std::atoll(request.Header("content-length").c_str()));
      if (buffer.size() < length) {
        auto rest = boost::asio::dynamic_buffer(buffer);
        const auto condition = boost::asio::transfer_exactly(length - buffer.size());
        co_await boost::asio::async_read(socket, rest, condition, boost::asio::use_awaitable);
      }
      request.body = buffer.substr(0, length);
      buffer.erase(0, length);
      state->requests.push_back(request);
      if (state->takeover && request.target == state->takeover_target) {
        co_await state->takeover(socket);
        co_return;
      }
      const std::string response = state->answer(request);
      if (response.empty()) co_return;  // hangs up
      const auto bytes = boost::asio::buffer(response);
      co_await boost::asio::async_write(socket, bytes, boost::asio::use_awaitable);
      if (response.find("Connection: close") != std::string::npos) co_return;
    }
  }

  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::net
