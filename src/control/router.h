// The table of the local API: method and path pattern → handler.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/message.h"

namespace vigil::control {

class Router {
 public:
  using Reply = Result<boost::json::value>;
  // The caller outlives the awaitable.
  using Handler = std::function<boost::asio::awaitable<Reply>(Request, Caller&)>;

  using RawHandler = std::function<boost::asio::awaitable<Result<RawBody>>(Request)>;

  // pattern: see control/path_pattern.h; what its braces match becomes path arguments. The first that matches
  // counts.
  void Add(std::string method, std::string_view pattern, Handler handler);
  // For what is not JSON of ours. Errors are answered as everywhere.
  void AddRaw(std::string method, std::string_view pattern, RawHandler handler);

  // Never fails: an error becomes an Answer.
  boost::asio::awaitable<Answer> Handle(Request request, Caller& caller) const;

  // "GET /v1/apps" …, in order of Add.
  std::vector<std::string> List() const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;  // one of the two
    RawHandler raw_handler;
  };
  std::vector<Route> routes_;
};

}  // namespace vigil::control
