// A transfer whose body is decoded as its Content-Encoding says, without ever running ahead of its reader.
// Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "net/http_client.h"

namespace vigil::net {

using StartTransfer = std::function<std::unique_ptr<HttpClient::Transfer>(HttpClientHandlers)>;

// Starts a transfer with handlers that decode, and hands on to `handlers` what comes out.
std::unique_ptr<HttpClient::Transfer> StartDecoding(boost::asio::any_io_executor executor,
                                                    const StartTransfer& start, HttpClientHandlers handlers);

}  // namespace vigil::net
