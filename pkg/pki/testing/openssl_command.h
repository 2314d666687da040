// Runs the machine's `openssl` command, the other side in cross-checks.
//
//   OpensslCommand openssl;
//   const std::string key = openssl.Write("key.pem", pem);
//   EXPECT_EQ(openssl.Run("req -in {} -verify -noout", request).exit_code, 0);
//
// Files live in a folder of their own, removed at the end. Paths need no quoting.
#ifndef CALICO_PKG_PKI_TESTING_OPENSSL_COMMAND_H_
#define CALICO_PKG_PKI_TESTING_OPENSSL_COMMAND_H_

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace calico::pki {

class OpensslCommand {
 public:
  struct Result {
    int exit_code = -1;
    std::string output;  // stdout and stderr
  };

  OpensslCommand();
  ~OpensslCommand();
  OpensslCommand(const OpensslCommand&) = delete;
  OpensslCommand& operator=(const OpensslCommand&) = delete;

  // The full path of `name` in the folder.
  std::string Path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  // Writes the file and returns its path.
  std::string Write(std::string_view name, std::string_view content) const;
  // The file's content; empty if there is none.
  std::string Read(std::string_view name) const;

  // Runs `openssl <arguments>` through the shell, in the folder.
  template <class... Args>
  Result Run(fmt::format_string<Args...> arguments, Args&&... args) const {
    return RunText(fmt::format(arguments, std::forward<Args>(args)...));
  }

 private:
  Result RunText(const std::string& arguments) const;

  std::string folder_;
};

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_TESTING_OPENSSL_COMMAND_H_
