#include "net/trust_roots.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace vigil::net {

Result<> CheckTrustRoots(const std::filesystem::path& file) {
  struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  errno = 0;
  const std::unique_ptr<BIO, Free> source(BIO_new_file(file.c_str(), "r"));
  const int error = errno;
  std::unique_ptr<X509, Free> certificate;
  if (source) certificate.reset(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate) return {};
  if (!source) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("cannot read the certificates in {}: {}", file.string(), std::strerror(error)));
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("{} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)", file.string()));
}

}  // namespace vigil::net
