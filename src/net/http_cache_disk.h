// The HTTP cache's store on the disk: a file for each response, made whole under another name first and then
// renamed, so that a daemon that dies leaves either the old response or the new one. Checksums tell what a
// disk has lost. Least recently used files go when there is no more room. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "net/http_cache_store.h"

namespace vigil::net {

struct DiskHttpCacheOptions {
  std::filesystem::path directory;  // made when it is not there
  std::uint64_t max_bytes = std::uint64_t{256} << 20;
  // Runs a job that blocks, on another thread, one after the other in this order.
  std::function<void(std::function<void()>)> run_blocking;
};

std::shared_ptr<HttpCacheStore> OpenDiskHttpCache(boost::asio::any_io_executor executor,
                                                  DiskHttpCacheOptions options);

}  // namespace vigil::net
