#include "server/document.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace vigil::server {
namespace {

// For what is built in: it loads what comes from here and nothing else, no page may frame it, and where it
// leads to does not learn where from.
constexpr const char* kBuiltInPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";
// For Chrome's front end, which styles itself inline and evaluates what its user types. It reaches nobody
// else either.
constexpr const char* kFolderPolicy =
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const char* ContentType(const std::string& extension) {
  static const std::map<std::string, const char*, std::less<>> types = {
      {".avif", "image/avif"},
      {".css", "text/css; charset=utf-8"},
      {".html", "text/html; charset=utf-8"},
      {".ico", "image/x-icon"},
      {".jpg", "image/jpeg"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".md", "text/plain; charset=utf-8"},
      {".png", "image/png"},
      {".svg", "image/svg+xml"},
      {".wasm", "application/wasm"},
  };
  const auto found = types.find(extension);
  return found == types.end() ? "application/octet-stream" : found->second;
}

}  // namespace

Result<DocumentFolder> DocumentFolder::Open(std::string prefix, const std::filesystem::path& root) {
  DocumentFolder folder;
  folder.prefix_ = std::move(prefix) + "/";
  std::error_code error;
  for (auto entry = std::filesystem::recursive_directory_iterator(root, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_regular_file(error)) continue;
    const std::string name = entry->path().lexically_relative(root).generic_string();
    folder.files_.emplace(name, File{entry->path(), ContentType(entry->path().extension().string())});
  }
  if (error || folder.files_.empty())
    return Fail(ErrorCode::kNotFound, fmt::format("there are no files in {}", root.string()));
  return folder;
}

const DocumentFolder::File* DocumentFolder::Find(std::string_view path) const {
  if (path.substr(0, prefix_.size()) != prefix_) return nullptr;
  const auto found = files_.find(path.substr(prefix_.size()));
  return found == files_.end() ? nullptr : &found->second;
}

std::optional<Page> FindPage(const Documents* documents, const DocumentFolder* folder,
                             std::string_view path) {
  if (documents != nullptr) {
    for (const Document& document : *documents) {
      if (document.path == path) return Page{document.content_type, document.body, {}, kBuiltInPolicy};
    }
  }
  const auto* file = folder == nullptr ? nullptr : folder->Find(path);
  if (file == nullptr) return std::nullopt;
  std::ifstream stream(file->path, std::ios::binary);
  Page page{file->content_type, {}, std::string(std::istreambuf_iterator<char>(stream), {}), kFolderPolicy};
  if (!stream.good() && !stream.eof()) return std::nullopt;
  return page;
}

}  // namespace vigil::server
