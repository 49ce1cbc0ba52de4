// What the loopback listeners hand out besides the API: files that hold no secret. Who reaches the port may
// read them without the token.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigil::server {

// Built in: the panel. Views of memory that lives as long as the process.
struct Document {
  std::string_view path;  // "/", "/assets/index.js"
  std::string_view content_type;
  std::string_view body;
};
using Documents = std::vector<Document>;

// A folder of files beside the program: Chrome's front end for developer tools. What may be asked for is
// listed once; no path of a request ever reaches the file system.
class DocumentFolder {
 public:
  // prefix: of the files' addresses, "/devtools/front_end". kNotFound: there is no such folder.
  static Result<DocumentFolder> Open(std::string prefix, const std::filesystem::path& root);

  struct File {
    std::filesystem::path path;
    const char* content_type = "";
  };
  // The file at an address; null: none.
  const File* Find(std::string_view path) const;

 private:
  std::string prefix_;
  std::map<std::string, File, std::less<>> files_;  // by what follows the prefix
};

// A document as it goes out.
struct Page {
  std::string_view content_type;
  std::string_view built_in;
  std::string read;         // instead of that: from a file
  const char* policy = "";  // Content-Security-Policy

  std::string_view body() const { return built_in.empty() ? std::string_view(read) : built_in; }
};

// What is at this path (without a query). Either may be null.
std::optional<Page> FindPage(const Documents* documents, const DocumentFolder* folder, std::string_view path);

}  // namespace vigil::server
