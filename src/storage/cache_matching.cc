#include "storage/cache_matching.h"

#include <algorithm>
#include <vector>

namespace vigil::storage {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// All values of a header in one, as a getter of Headers joins them.
template <class Message>
std::string Combined(const Message& message, std::string_view name) {
  std::string value;
  bool found = false;
  for (const ipc::HttpHeader& header : message.headers()) {
    if (!SameName(header.name(), name)) continue;
    if (found) value += ", ";
    value += header.value();
    found = true;
  }
  return value;
}

std::vector<std::string> VaryNames(const ipc::HttpResponse& response) {
  const std::string list = Combined(response, "vary");
  std::vector<std::string> names;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view name = Trim(rest.substr(0, comma));
    if (!name.empty()) names.emplace_back(name);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

}  // namespace

std::string_view WithoutFragment(std::string_view url) { return url.substr(0, url.find('#')); }
std::string_view WithoutQuery(std::string_view url) { return WithoutFragment(url).substr(0, url.find('?')); }

bool VariesOnEverything(const ipc::HttpResponse& response) {
  const std::vector<std::string> names = VaryNames(response);
  return std::find(names.begin(), names.end(), "*") != names.end();
}

bool HeadersMatch(const ipc::HttpRequest& query, const ipc::HttpRequest& stored,
                  const ipc::HttpResponse& response, bool ignore_vary) {
  if (ignore_vary) return true;
  for (const std::string& name : VaryNames(response)) {
    if (name == "*" || Combined(query, name) != Combined(stored, name)) return false;
  }
  return true;
}

}  // namespace vigil::storage
