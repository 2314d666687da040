import unittest

from lint import rules


class RulesTest(unittest.TestCase):
    def test_includes_go_down_the_rows(self):
        up = '#include "pkg/kube/client/client.h"\n'
        self.assertTrue(rules.check_includes("pkg/http/client.cc", up))
        self.assertFalse(rules.check_includes("pkg/controller/manager.cc", up))
        self.assertFalse(rules.check_includes("operator/provision/provisioner.cc", up))
        self.assertTrue(rules.check_includes("operator/csr_policy/rules.cc", up))
        self.assertTrue(rules.check_includes("operator/csr_policy/rules.cc", '#include "operator/validation/names.h"\n'))
        self.assertTrue(rules.check_includes("operator/provision/x.cc", '#include "pkg/controller/manager.h"\n'))
        # Commands that work without a cluster see no client of one.
        self.assertTrue(rules.check_includes("operator/calicert/cfssl/sign.cc", up))
        self.assertTrue(rules.check_includes("operator/calicert/certificates/inspect.cc", up))
        self.assertFalse(rules.check_includes("operator/calicert/certificates/inspect.cc", '#include "pkg/net/dialer.h"\n'))
        self.assertFalse(rules.check_includes("operator/calicert/requests/create.cc", up))
        # HTTP stands on the network, the network on keys, and those on OpenSSL's room.
        for upper, lower in (("http", "net"), ("net", "pki"), ("pki", "openssl")):
            self.assertFalse(rules.check_includes(f"pkg/{upper}/x.cc", f'#include "pkg/{lower}/x.h"\n'))
            self.assertTrue(rules.check_includes(f"pkg/{lower}/x.cc", f'#include "pkg/{upper}/x.h"\n'))

    def test_third_party_headers_stay_where_they_belong(self):
        openssl = "#include <openssl/evp.h>\n"
        self.assertFalse(rules.check_includes("pkg/pki/key.cc", openssl))
        self.assertFalse(rules.check_includes("pkg/net/tls_context.cc", openssl))
        self.assertFalse(rules.check_includes("pkg/openssl/init.cc", openssl))
        self.assertTrue(rules.check_includes("pkg/net/connection.cc", openssl))
        self.assertTrue(rules.check_includes("pkg/http/tls_context.cc", openssl))
        self.assertTrue(rules.check_includes("pkg/http/client.cc", openssl))
        self.assertTrue(rules.check_includes("operator/csr_policy/rules.cc", "#include <boost/asio/awaitable.hpp>\n"))
        self.assertTrue(rules.check_includes("pkg/base/log.cc", "#include <gtest/gtest.h>\n"))

    def test_fakes_are_for_tests(self):
        fake = '#include "pkg/base/testing/fake_clock.h"\n'
        self.assertTrue(rules.check_includes("pkg/controller/manager.cc", fake))
        self.assertFalse(rules.check_includes("pkg/controller/manager_test.cc", fake))

    def test_guard(self):
        self.assertFalse(rules.check_guard("pkg/base/log.h", "#ifndef CALICO_PKG_BASE_LOG_H_\n#define CALICO_PKG_BASE_LOG_H_\n"))
        self.assertTrue(rules.check_guard("pkg/base/log.h", "#pragma once\n"))

    def test_secrets_in_logs(self):
        self.assertTrue(rules.check_secrets("a.cc", 'logger.Info("x", {{"k", token}});'))
        self.assertFalse(rules.check_secrets("a.cc", 'logger.Info("token rotated", {{"name", name}});'))

    def test_long_functions(self):
        body = "void F(int a) {\n" + "  x();\n" * 90 + "}\n"
        self.assertTrue(rules.check_functions("pkg/a.cc", body))
        self.assertFalse(rules.check_functions("pkg/a_test.cc", body))

    def test_packages_are_closed_and_short(self):
        public = 'package(\n    default_testonly = True,\n    default_visibility = ["//visibility:public"],\n)\n'
        private = public.replace("public", "private")
        opened = private + 'cc_library(name = "a", visibility = ["//visibility:public"])\n'
        self.assertTrue(rules.check_build("pkg/base/testing/BUILD.bazel", public))
        self.assertFalse(rules.check_build("tools/deps/BUILD.bazel", public))
        self.assertFalse(rules.check_build("pkg/base/testing/BUILD.bazel", private))
        self.assertFalse(rules.check_build("pkg/base/testing/BUILD.bazel", opened))
        self.assertFalse(rules.check_build("pkg/base/BUILD.bazel", "#\n" * 300))
        self.assertTrue(rules.check_build("pkg/base/BUILD.bazel", "#\n" * 301))

    def test_sizes_and_machine_paths(self):
        self.assertTrue(rules.check_size("a.h", "\n" * 500))
        self.assertTrue(rules.check_text("a.py", "x = '/root/y'"))


if __name__ == "__main__":
    unittest.main()
